"""The effect of a simulation as one page, and on a terminal: total, by group, by code, and how many gain or lose."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import polars as pl
from markupsafe import Markup

from dmfa.money import euro
from flows import console
from flows.report import figures
from flows.report.queries import FEW_PERSONS
from flows.report.template import template
from flows.report.words import code_words
from flows.stages.simulate_sums import LEFT_OUT, employers

if TYPE_CHECKING:
    from flows.stages.simulate import Simulation

_HERE: Final = Path(__file__).parent

SIDES: Final = ("less is owed", "more is owed")

STEPS: Final = (100, 1_000, 10_000, 100_000)
"""Euro between which gains and losses of employers are counted."""

NOT_TOLD: Final = f"groups of fewer than {FEW_PERSONS} lines"

REGION: Final = (
    "Region: of a local unit whose number stands for a region; no other number tells one, and no register of local "
    "units is kept here."
)

GROUPS: Final = {
    "structural category": "Structural category of the worker line, by the law",
    "size": "Size of the employer",
    "region": "Region of the local unit",
    "wage decile": "Wage of the worker line, in tenths of all lines",
}

Row = dict[str, Any]


def page(result: Simulation) -> str:
    """The page; it needs no network and no script."""
    filters = {"euro": euro, "signed": signed, "count": "{:,}".format}
    groups = [(name, words, few_together(_rows(result, name))) for name, words in GROUPS.items()]
    codes = changed_codes(result)
    return template("simulated.html", filters=filters, functions={"label": label}).render(
        result=result,
        total=_rows(result, "total")[0],
        groups=[(name, words, rows, _figure(words, rows)) for name, words, rows in groups],
        codes=codes,
        figure=_figure_of_codes(codes),
        outcomes=outcomes(result),
        steps=_steps(result),
        left_out=left_out(result),
        region=REGION,
    )


def show(result: Simulation) -> None:
    """Print the effect."""
    total = _rows(result, "total")[0]
    console.table(
        f"Changed in {result.quarter} by {result.file}",
        ("figure", "unit", "law", "simulation"),
        ((one.what, one.unit, one.before, one.after) for one in result.differences),
        right=(2, 3),
    )
    if not result.differences:
        console.say(f"{result.file} changes no figure of {result.quarter}: the effect is zero")
    console.table(
        "Effect, in euro: what is owed in addition",
        ("", "before", "after", "effect"),
        (
            (words, *(euro(total[f"{name}_{when}_cents"]) for when in ("before", "after")), signed(change))
            for words, name, change in (
                ("contributions", "contributions", _change(total, "contributions")),
                ("reductions", "reductions", _change(total, "reductions")),
                ("net", "net", total["effect_cents"]),
            )
        ),
        right=(1, 2, 3),
    )
    for name, words in GROUPS.items():
        _show_group(words, few_together(_rows(result, name)))
    console.say(REGION)
    console.table(
        "Codes whose sum changes, in euro",
        ("code", "what it is", "before", "after", "change"),
        (
            (one["key"], one["words"], euro(one["before"]), euro(one["after"]), signed(one["change"]))
            for one in changed_codes(result)
        ),
        right=(2, 3, 4),
    )
    _show_left_out(result)
    told = outcomes(result)
    console.say(f"employers: {told['loss']:,} owe more, {told['gain']:,} owe less, {told['none']:,} the same")
    console.say(f"kept in {result.folder}")


def _show_group(words: str, rows: Sequence[Row]) -> None:
    console.table(
        words,
        ("group", "lines", "net before", "net after", "effect"),
        (
            (
                label(row),
                f"{row['lines']:,}",
                *(euro(row[f"net_{when}_cents"]) for when in ("before", "after")),
                signed(row["effect_cents"]),
            )
            for row in rows
        ),
        right=(1, 2, 3, 4),
    )


def _show_left_out(result: Simulation) -> None:
    rows = left_out(result)
    if not rows:
        return
    console.table(
        "Not covered by the effect: amounts not computable",
        ("code", "what it is", "amounts", "by the law", "by the simulation", "by neither"),
        ((one["key"], one["words"], *(f"{one[name]:,}" for name in ("rows", *LEFT_OUT))) for one in rows[:20]),
        right=(2, 3, 4, 5),
    )
    if len(rows) > 20:
        console.say(f"... and {len(rows) - 20:,} more codes: see effect.parquet")


def signed(cents: int) -> str:
    """An amount with its sign.

    Examples:
        >>> signed(-5), signed(0), signed(150)
        ('-0.05', '0.00', '+1.50')
    """
    return f"{'+' if cents > 0 else ''}{euro(cents)}"


def label(row: Row) -> str:
    """A group in words."""
    if row["grouping"] == "wage decile" and row["up_to_euro"] is not None:
        return f"{row['key']}: up to {row['up_to_euro']:,} €"
    return str(row["key"])


def few_together(rows: Sequence[Row]) -> list[Row]:
    """Groups with those of fewer than five lines told as one, which has five if there are so many at all."""
    few = [row for row in rows if 0 < row["lines"] < FEW_PERSONS]
    rest = [row for row in rows if not 0 < row["lines"] < FEW_PERSONS]
    while few and sum(row["lines"] for row in few) < FEW_PERSONS and any(row["lines"] for row in rest):
        smallest = min((row for row in rest if row["lines"]), key=lambda row: row["lines"])
        rest.remove(smallest)
        few.append(smallest)
    if not few:
        return rest
    added = {
        name: sum(row[name] for row in few)
        for name, value in few[0].items()
        if name not in ("grouping", "key", "up_to_euro")
    }
    name = NOT_TOLD if len(few) > 1 else few[0]["key"]
    return [*rest, {"grouping": few[0]["grouping"], "key": name, "up_to_euro": None, **added}]


def changed_codes(result: Simulation) -> list[Row]:
    """Contributions and deductions whose sum changes."""
    found = []
    for kind, name in (("contribution", "contributions"), ("deduction", "reductions")):
        for row in _rows(result, kind):
            change = _change(row, name)
            if change:
                found.append(
                    {
                        "kind": kind,
                        "key": row["key"],
                        "words": code_words(kind, row["key"].partition("/")[0]),
                        "before": row[f"{name}_before_cents"],
                        "after": row[f"{name}_after_cents"],
                        "change": change,
                    }
                )
    return found


def left_out(result: Simulation) -> list[Row]:
    """Codes of which amounts are left out since they are not computable, most first."""
    rows = result.sums.codes.filter(pl.col("left_out") > 0).sort(
        "left_out", "kind", "code", "type", descending=[True, False, False, False]
    )
    return [
        {
            **row,
            "key": row["code"] if row["type"] is None else f"{row['code']}/{row['type']}",
            "words": code_words(row["kind"], row["code"]),
        }
        for row in rows.iter_rows(named=True)
    ]


def outcomes(result: Simulation) -> dict[str, int]:
    """How many employers gain, lose, and neither."""
    found = dict(employers(result.sums)["outcome"].value_counts().iter_rows())
    return {name: found.get(name, 0) for name in ("gain", "loss", "none")}


def _rows(result: Simulation, grouping: str) -> list[Row]:
    return list(result.effect.filter(pl.col("grouping") == grouping).iter_rows(named=True))


def _change(row: Row, name: str) -> int:
    change: int = row[f"{name}_after_cents"] - row[f"{name}_before_cents"]
    return change


def _figure(words: str, rows: Sequence[Row]) -> Markup:
    told = [("", label(row), row["effect_cents"]) for row in rows if row["effect_cents"]]
    return figures.around_zero(f"Effect: {words}", told, SIDES) if told else Markup("")


def _figure_of_codes(codes: Sequence[Row]) -> Markup:
    """What each code adds to what is owed: more of a reduction is less."""
    if not codes:
        return Markup("")
    told = [
        (one["key"], one["words"], one["change"] if one["kind"] == "contribution" else -one["change"]) for one in codes
    ]
    return figures.around_zero("Effect by code", told, SIDES)


def _steps(result: Simulation) -> Markup:
    """Employers by what they gain or lose."""
    effect = employers(result.sums)["effect_cents"]
    bounds = [step * 100 for step in (0, *STEPS)]
    rows = []
    for sign, words in ((-1, "less"), (1, "more")):
        own = effect * sign
        for low, high in (*pairwise(bounds), (bounds[-1], None)):
            held = own > low if high is None else (own > low) & (own <= high)
            told = f"over {low // 100:,} €" if high is None else f"up to {high // 100:,} €"
            many = int(held.sum())
            if many:
                rows.append((f"{words}, {told}", many, f"employers: {many:,}"))
    return figures.bars("Employers by what they owe more or less", rows, "computed") if rows else Markup("")
