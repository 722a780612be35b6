"""The report of a quarter as one page: HTML, style and figures in a single file that needs no network and no script.

Everything on it comes from the lake: a second run over the same state writes the same bytes.
"""

from __future__ import annotations

import errno
import importlib.metadata
import platform
from collections.abc import Iterable, Sequence
from typing import Any

from markupsafe import Markup

from dmfa.address import Place
from dmfa.errors import LakeFull, LakeProblem
from dmfa.lake import Lake
from dmfa.lake.files import write_whole
from dmfa.money import euro
from dmfa.quarter import Quarter
from flows.report import figures, queries
from flows.report.template import template
from flows.report.unknown import gaps_of_classes, sizes_unknown
from flows.report.words import amount_words, anomaly_words
from flows.settings import Settings
from flows.stages.compute import laws_known

_PACKAGES = ("dmfa", "polars", "duckdb", "duckdb-extension-ducklake", "pyarrow", "lxml")


def report_path(quarter: Quarter, settings: Settings) -> Place:
    """Where the page of a quarter lies: OUT/report-2026-3.html."""
    return settings.out / f"report-{quarter.first_day.year}-{quarter.number}.html"


def write_report(quarter: Quarter, settings: Settings, notices: Sequence[str] = ()) -> Place:
    """Write the page of a quarter; it appears whole or not at all.

    Args:
        quarter: the quarter.
        settings: those of the run.
        notices: why something was not given out, one line each.

    Returns:
        Where it is.

    Raises:
        LakeProblem: the lake cannot be read, or the page not be written.
    """
    with Lake.open(settings.lake) as lake:
        facts = _facts(lake, quarter) | {"notices": notices, "places": list(_places(settings))}
    filters = {"euro": euro, "count": _count, "share": _share, "persons": _persons}
    page = template("page.html", filters=filters).render(quarter=quarter, **facts)
    path = report_path(quarter, settings)
    try:
        write_whole(path, page.encode(), durable=False)
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        kind = LakeFull if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG) else LakeProblem
        raise kind(
            f"the report {path} could not be written: {reason}.", "Free space or correct the rights, then run again."
        ) from None
    return path


def _facts(lake: Lake, quarter: Quarter) -> dict[str, Any]:
    ledger = queries.filings(lake, quarter)
    filings = [one for one in ledger if one.of != "another"]
    anomalies = queries.anomalies(lake, quarter)
    amounts = queries.amounts(lake, quarter)
    gaps = queries.gaps(lake, quarter)
    sizes = [size for size in queries.sizes(lake, quarter) if size.employers]
    totals = queries.totals(lake, quarter)
    states = {
        state: sum(one.filings for one in filings if one.state == state)
        for state in ("accepted", "refused", "not_processed")
    }
    return {
        "states": states,
        "received": sum(states.values()),
        "illegible": sum(one.filings for one in filings if one.of == "none"),
        "elsewhere": sum(one.filings for one in ledger if one.of == "another"),
        "declarations": sum(one.declarations for one in filings),
        "declarations_refused": sum(one.declarations_refused for one in filings),
        "anomalies": [(one, anomaly_words(one)) for one in anomalies],
        "most_filings": max((one.filings for one in anomalies), default=1),
        "amounts": [(one, amount_words(one)) for one in amounts],
        "differing": sum(one.differing for one in amounts),
        "compared": sum(one.rows - one.not_computable for one in amounts),
        "entries": queries.entries(lake, quarter),
        "gaps": gaps,
        "gaps_of_classes": gaps_of_classes(lake, quarter),
        "sizes_unknown": sizes_unknown(lake, quarter),
        "given": queries.given(lake, quarter),
        "sizes": [(_size_words(size), size) for size in sizes],
        "totals": totals,
        "checks": list(_checks(states, filings, amounts, totals)),
        "state": queries.state(lake, quarter),
        "law": laws_known(lake).get(quarter.code, "-"),
        "versions": [(name, importlib.metadata.version(name)) for name in _PACKAGES]
        + [("Python", platform.python_version())],
        "figures": _figures(states, amounts, sizes),
    }


def _figures(
    states: dict[str, int],
    amounts: Sequence[queries.Amounts],
    sizes: Sequence[queries.Size],
) -> dict[str, Markup]:
    words = {"accepted": "accepted", "refused": "refused", "not_processed": "not processed"}
    kinds = {"accepted": "good", "refused": "bad", "not_processed": "aside"}
    apart = [one for one in amounts if one.difference]
    return {
        "received": figures.stacked(
            "Filings by verdict", [(kinds[state], words[state], number) for state, number in states.items() if number]
        ),
        "amounts": figures.beside(
            "Declared and computed amounts, by contribution and deduction",
            [
                (one.label, amount_words(one), one.declared, one.computed if one.covered or one.computed else None)
                for one in sorted(amounts, key=lambda one: (one.kind, -one.declared, one.label))
            ],
        ),
        "differences": figures.around_zero(
            "Computed less declared, by contribution and deduction",
            [(one.label, amount_words(one), one.difference) for one in apart],
        )
        if apart
        else Markup(""),
        "gaps": figures.bars(
            "Amounts declared that could not be computed, by code",
            [
                (
                    one.label,
                    one.declared - one.covered,
                    f"{euro(one.declared - one.covered)} €, rows: {one.not_computable:,}",
                )
                for one in sorted(amounts, key=lambda one: one.covered - one.declared)
                if one.not_computable
            ],
            "aside",
        ),
        "sizes": figures.bars(
            "Employers by number of workers",
            [
                (
                    _size_words(size),
                    size.employers,
                    f"employers: {size.employers:,}, workers: {_persons(size.persons)}",
                )
                for size in sizes
            ],
        ),
    }


def _checks(
    states: dict[str, int],
    filings: Iterable[queries.Filings],
    amounts: Iterable[queries.Amounts],
    totals: queries.Totals,
) -> Iterable[tuple[str, str, str, bool]]:
    """What must be equal on two ways through the tables: words, one side, other side, whether they are."""
    by_state = sum(states.values())
    counted = sum(one.filings for one in filings)
    yield "Filings: received = accepted + refused + not processed", f"{counted:,}", f"{by_state:,}", counted == by_state
    declared = sum(one.declared for one in amounts if one.kind == "contribution")
    yield (
        "Contributions declared: by row = by declaration",
        euro(declared),
        euro(totals.declared),
        declared == totals.declared,
    )
    computed = sum(one.computed for one in amounts if one.kind == "contribution")
    yield (
        "Contributions computed: by row = by declaration",
        euro(computed),
        euro(totals.computed),
        computed == totals.computed,
    )
    reduced = sum(one.declared for one in amounts if one.kind == "deduction")
    yield (
        "Reductions declared: by row = by declaration",
        euro(reduced),
        euro(totals.deductions),
        reduced == totals.deductions,
    )


def _places(settings: Settings) -> Iterable[tuple[str, str]]:
    yield "The lake: all tables", settings.lake
    yield "The filings as received", settings.received
    for words, name in (("What was given out", "extracts"), ("Answers to the senders", "answers")):
        if (settings.out / name).is_dir():
            yield words, str(settings.out / name)


def _size_words(size: queries.Size) -> str:
    if size.most is None:
        return f"{size.least:,} workers and more"
    return f"{size.least:,} to {size.most:,} workers"


def _count(number: int) -> str:
    return f"{number:,}"


def _persons(number: int) -> str:
    """A number of persons, or of what stands for one; a small one is not told."""
    return f"fewer than {queries.FEW_PERSONS}" if 0 < number < queries.FEW_PERSONS else _count(number)


def _share(part: int, whole: int) -> str:
    """A share in percent with one decimal, cut and not rounded up: 100.0 % means all."""
    per_mille = part * 1000 // whole if whole else 0
    return f"{per_mille // 10}.{per_mille % 10} %"
