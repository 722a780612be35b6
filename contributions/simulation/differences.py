"""What changed figures change in a quarter, in words: each beside what the law has."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import polars as pl

from contributions.parameters import MONTHS, Parameter, ParameterUnknown, load
from contributions.rates import OTHER_CLASS, contribution_rates, structural_classes, structural_exceptions
from contributions.reference import NOTHING, Reference
from contributions.simulation.changes import Changes
from contributions.trust import Trust
from dmfa.quarter import Quarter

NONE: Final = "-"
"""Stands for no figure."""

_KEY: Final = ("employer_class", "contribution_worker_code", "contribution_type")
_SHARES: Final = ("rate", "rate_personal", "rate_base", "rate_moderation")


@dataclass(frozen=True, slots=True)
class Difference:
    """A figure that is another one in the quarter.

    Attributes:
        what: what it is.
        unit: of the figure.
        before, after: the figure in words, by the law and by the changes; NONE where there is none.
    """

    what: str
    unit: str
    before: str
    after: str


def differences(
    changes: Changes, quarter: Quarter, trust: Trust, reference: Reference = NOTHING
) -> tuple[Difference, ...]:
    """Every figure that the changes make another one in a quarter; none where they change nothing in it."""
    return (
        *_of_parameters(changes, quarter),
        *_of_rates(changes, quarter, trust, reference),
        *_of_categories(changes, quarter, trust, reference),
    )


def _of_parameters(changes: Changes, quarter: Quarter) -> Iterator[Difference]:
    for parameter in changes.parameters:
        before, after = (_figure(one, quarter) for one in (load()[parameter.name], parameter))
        if before != after:
            yield Difference(parameter.name, parameter.unit, before, after)


def _figure(parameter: Parameter, quarter: Quarter) -> str:
    """The figure of a quarter; where it changes from month to month, that of each."""
    months = range(len(MONTHS)) if parameter.monthly else (None,)
    told = []
    for month in months:
        try:
            told.append(parameter.in_force(quarter, month).text or NONE)
        except ParameterUnknown:
            told.append(NONE)
    return told[0] if len(set(told)) == 1 else " / ".join(told)


def _of_rates(changes: Changes, quarter: Quarter, trust: Trust, reference: Reference) -> Iterator[Difference]:
    """Rates that differ; those that are alike in several classes as one."""
    if not changes.rates:
        return
    before, after = (
        contribution_rates(quarter, trust, reference.book, changed).select(*_KEY, told=_rate_words())
        for changed in (None, changes)
    )
    both = before.join(after, on=_KEY, suffix="_after", maintain_order="left").filter(
        pl.col("told") != pl.col("told_after")
    )
    by = ["contribution_worker_code", "contribution_type", "told", "told_after"]
    for code, type_, old, new, classes in (
        both.group_by(by, maintain_order=True).agg(pl.col("employer_class").sort()).sort(by).iter_rows()
    ):
        yield Difference(f"rate {code}/{type_}, {_classes_words(classes)}", "percent", old, new)


def _classes_words(classes: list[str]) -> str:
    named = [one for one in classes if one != OTHER_CLASS]
    if len(named) == 1 and len(classes) == 1:
        return f"employer class {named[0]}"
    return f"{len(named)} employer classes" + (" and all that are not named" if len(named) < len(classes) else "")


def _rate_words() -> pl.Expr:
    """The rate and its shares: 38.07 (13.07 + 19.88 + 5.12)."""
    total, *shares = (_percent(pl.col(name)) for name in _SHARES)
    return pl.concat_str(
        total.fill_null(NONE),
        pl.concat_str(pl.lit(" ("), pl.concat_str(shares, separator=" + "), pl.lit(")")).fill_null(""),
    )


def _percent(ten_thousandths: pl.Expr) -> pl.Expr:
    return pl.concat_str(
        (ten_thousandths // 100).cast(pl.String), pl.lit("."), (ten_thousandths % 100).cast(pl.String).str.zfill(2)
    )


def _of_categories(changes: Changes, quarter: Quarter, trust: Trust, reference: Reference) -> Iterator[Difference]:
    if not changes.categories:
        return
    before, after = (_categories(quarter, trust, reference, changed) for changed in (None, changes))
    both = after.join(
        before, on=["employer_class", "worker_code"], how="left", suffix="_before", maintain_order="left"
    ).filter(pl.col("told").ne_missing(pl.col("told_before")))
    for employer_class, code, new, old in both.select(
        "employer_class", "worker_code", "told", "told_before"
    ).iter_rows():
        own = f", worker code {code}" if code else ""
        yield Difference(f"structural category and ceiling, class {employer_class}{own}", "percent", old or NONE, new)


def _categories(quarter: Quarter, trust: Trust, reference: Reference, changes: Changes | None) -> pl.DataFrame:
    """employer_class, worker_code (empty for the class) and told: category and ceiling in words."""
    frames = {
        "class": structural_classes(quarter, trust, changes).with_columns(worker_code=pl.lit("")),
        "own": structural_exceptions(quarter, trust, reference.book, changes),
    }
    return pl.concat(
        rows.select(
            "employer_class",
            "worker_code",
            told=pl.concat_str(
                pl.col(f"{prefix}_category").fill_null(NONE),
                pl.lit(", "),
                _percent(pl.col(f"{prefix}_ceiling")).fill_null(NONE),
            ),
        )
        for prefix, rows in frames.items()
    ).sort("employer_class", "worker_code")
