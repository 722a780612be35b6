"""Contributions of special kinds, which have a basis of their own: worked out apart, on the few rows that have them.

Lines that have none of them pay nothing for it: no column is made and no table is read.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
import polars as pl

from contributions.amounts import BASIS_OUTCOME
from contributions.arrays import numbers
from contributions.bearing import bearing
from contributions.columns import BASIS, BASIS_KIND
from contributions.inputs import OF_LINE, Declared
from contributions.law import Law
from contributions.places import columns_at, filled, kept, rows_at, taken
from contributions.rows import PLACE, by_name, finished, with_totals
from contributions.rules.registry import Level

RESULT: Final = ("basis_cents", "amount_cents", "trust", "rate_source", "status", "reason")
"""What a row gets where its kind is worked out."""

_READ: Final = {
    "rate_row": pl.UInt32(),
    "worker_record": pl.UInt32(),
    "employer_declaration": pl.UInt32(),
    "declaration_id": pl.Int64(),
    "contribution_type": pl.Int64(),
    "declared_basis_cents": pl.Int64(),
    "declared_cents": pl.Int64(),
    "student_hours_nbr": pl.Int64(),
}
"""Columns that rules of special kinds read of a declared row, beside those of its line."""


@dataclass(frozen=True, slots=True)
class Special:
    """The rows of one kind, of whatever block.

    Attributes:
        kind: kind of basis.
        rows: every piece of the calculation, with `part`, the number of their frame, `row`, their row in it,
            basis_cents, amount_cents and text_row, their row among the texts.
    """

    kind: str
    rows: pl.DataFrame


def of_lines(contributions: pl.DataFrame, levies: pl.DataFrame) -> pl.DataFrame | None:
    """The contributions of worker lines that are of a special kind, as `worked_out` takes them; None without any.

    Args:
        contributions: what `amounts.contributions` returns.
        levies: what it returns beside them.
    """
    if not levies["special"].max():
        return None
    row = taken(levies["special"], contributions["levy"]).cast(pl.Boolean).arg_true()
    names = [
        name for name in (*_READ, "contribution_calculation_basis", "contribution_amount") if name in contributions
    ]
    own = by_name(columns_at(contributions, names, row))
    own["declared_basis_cents"] = own["contribution_calculation_basis"]
    own["declared_cents"] = own["contribution_amount"]
    return finished({**own, "row": row}, {"row": pl.UInt32(), **_READ}, len(row))


def of_block(rows: pl.DataFrame, rules: Law) -> pl.DataFrame:
    """The rows of a block that are of a special kind, as `worked_out` takes them.

    Args:
        rows: with `rate_row`, declared_basis_cents, declared_cents and what else _READ names and they have.
        rules: the law of their quarter.
    """
    row = taken(bearing(rules).special, rows["rate_row"]).cast(pl.Boolean).arg_true()
    own = by_name(columns_at(rows, [name for name in _READ if name in rows.columns], row))
    return finished({**own, "row": row}, {"row": pl.UInt32(), **_READ}, len(row))


def worked_out(parts: list[pl.DataFrame | None], lines: pl.DataFrame, declared: Declared, rules: Law) -> list[Special]:
    """Work out rows by their kinds.

    Args:
        parts: what `of_lines` and `of_block` return, a frame for each block.
        lines: the worker lines with their totals and pieces.
        declared: the declared tables.
        rules: the law of their quarter.
    """
    given = [
        part.hstack([filled(number, pl.UInt8(), part.height, "part")])
        for number, part in enumerate(parts)
        if part is not None and part.height
    ]
    if not given:
        return []
    few = pl.concat(given, rechunk=True) if len(given) > 1 else given[0]
    rates = bearing(rules)
    number = numbers(
        kept(taken(rates.special, few["rate_row"]), taken(rates.worked_out, few["rate_row"]).is_not_null())
    )
    return [
        Special(rates.kinds[one - 1], _of_kind(rates.kinds[one - 1], rows_at(few, row), lines, declared, rules))
        for one in sorted(set(number.tolist()) - {0})
        if len(row := pl.Series(np.flatnonzero(number == one)))
    ]


def _of_kind(kind: str, rows: pl.DataFrame, lines: pl.DataFrame, declared: Declared, rules: Law) -> pl.DataFrame:
    """Every piece of the calculation of rows of one kind, their amount and their row among the texts."""
    rates = bearing(rules)
    frame = rows.hstack([taken(rates.rates["rate"], rows["rate_row"]).alias("rate")])
    for level, totals in _TOTALS.items():
        if rules.tables(level, kind):
            frame = totals(frame, kind, lines, declared, rules)
    reads = rules.reads("contribution", kind)
    names = [name for name in lines.columns if name in reads and name not in frame.columns]
    frame = frame.hstack(columns_at(lines, names, frame["worker_record"]))
    for stage in rules.stages("contribution", kind):
        frame = frame.with_columns(stage)
    told = frame.select(_amount_and_case(rules, kind))
    case = told["case"]
    worked_out = taken(rates.worked_out, frame["rate_row"])
    return frame.hstack(
        [
            kept(told["amount_cents"], case.is_null()).alias("amount_cents"),
            case.zip_with(case.is_not_null(), worked_out).alias("text_row"),
        ]
    )


@lru_cache(maxsize=1024)
def _amount_and_case(rules: Law, kind: str) -> list[pl.Expr]:
    """The amount of a kind, and the row of the first condition that keeps from one."""
    rates = bearing(rules)
    cases = [
        pl.when(rules.pieces[key].expression).then(pl.lit(rates.conditions[key], dtype=pl.UInt32))
        for key in rules.conditions("contribution", kind)
    ]
    case = pl.coalesce(*cases, pl.lit(None, dtype=pl.UInt32)).alias("case")
    return [rules.pieces[kind, "amount_cents"].expression.alias("amount_cents"), case]


def _of_line(frame: pl.DataFrame, kind: str, lines: pl.DataFrame, declared: Declared, rules: Law) -> pl.DataFrame:
    """Totals over the remuneration of the lines concerned alone."""
    concerned = filled(False, pl.Boolean(), lines.height).scatter(frame["worker_record"].drop_nulls().unique(), True)
    remun = declared.placed("remun")
    own = rows_at(remun, taken(concerned, remun["worker_record"]).arg_true())
    empty = pl.DataFrame([concerned.alias("concerned")])
    totals = with_totals(empty, rules, "line", {"remun": own}, kind).drop("concerned")
    return frame.hstack(rows_at(totals, frame["worker_record"]).get_columns())


def _of_person(frame: pl.DataFrame, kind: str, lines: pl.DataFrame, _: Declared, rules: Law) -> pl.DataFrame:
    """Totals over all lines of the persons concerned."""
    person = taken(lines["person"], frame["worker_record"])
    once = person.unique(maintain_order=True).to_frame().with_row_index(PLACE["person"])
    own = lines.join(once, on="person", how="inner", maintain_order="left")
    totals = with_totals(once, rules, "person", {"line": own}, kind)
    place = person.to_frame().join(once, on="person", how="left", maintain_order="left")[PLACE["person"]]
    return frame.hstack(rows_at(totals.drop("person", PLACE["person"]), place).get_columns())


def _of_declaration(frame: pl.DataFrame, kind: str, _: pl.DataFrame, declared: Declared, rules: Law) -> pl.DataFrame:
    """Totals over the company vehicles of each declaration."""
    level: Level = "declaration"
    vehicles = declared.placed("company_vehicle")
    if vehicles["fuel"].null_count() == vehicles.height:
        # Nothing is known of any of them, as in all that declarations alone tell.
        return frame.hstack([filled(0, pl.Int64(), frame.height, name) for name in rules.total_names(level, kind)])
    for stage in rules.stages("vehicle"):
        vehicles = vehicles.with_columns(stage)
    every = declared.rows("employer_declaration").select("declaration_id")
    totals = with_totals(every, rules, level, {"company_vehicle": vehicles}, kind).drop("declaration_id")
    return frame.hstack(rows_at(totals, frame["employer_declaration"]).get_columns())


_TOTALS: Final[dict[Level, Callable[[pl.DataFrame, str, pl.DataFrame, Declared, Law], pl.DataFrame]]] = {
    "line": _of_line,
    "person": _of_person,
    "declaration": _of_declaration,
}
"""Level of the totals that a kind reads -> what adds them to its rows."""


def with_results(rows: pl.DataFrame, found: list[Special], part: int, rules: Law) -> pl.DataFrame:
    """The rows of a frame with the results of special kinds in their place.

    Args:
        rows: with the columns of RESULT.
        found: what `worked_out` returns.
        part: the number of the frame there.
        rules: the law of the quarter.
    """
    kinds = [few for one in found if (few := _of_part(one.rows, part)).height]
    if not kinds:
        return rows
    every = pl.concat(kinds, rechunk=True) if len(kinds) > 1 else kinds[0]
    own = by_name(every, bearing(rules).texts[every["text_row"]])
    changed = {name: rows[name].clone().scatter(every["row"], own[name]) for name in RESULT}
    return pl.DataFrame([changed.get(column.name, column) for column in rows])


def _of_part(rows: pl.DataFrame, part: int) -> pl.DataFrame:
    """What one frame has of the rows of a kind; mostly all are of one frame."""
    here = rows["part"].to_numpy() == part
    told = rows[_OF_RESULT]
    return told if here.all() else rows_at(told, pl.Series(np.flatnonzero(here)))


_OF_RESULT: Final = ["row", "basis_cents", "amount_cents", "text_row"]


_BASES: Final = {"flexi": "flexi_wage_cents", "mobility": "mobility_budget_cents"}
"""Kind whose basis the remuneration tells -> the wage that it is computed from."""


def with_bases(basis: pl.DataFrame, found: list[Special], lines: pl.DataFrame) -> pl.DataFrame:
    """A frame of BASIS, and the bases of special kinds that the remuneration tells, a row per line."""
    made = [basis]
    for special in found:
        if special.kind not in _BASES:
            continue
        own = special.rows.filter(pl.col("basis_cents").is_not_null()).group_by("worker_record", maintain_order=True)
        declared = pl.col("declared_basis_cents")
        told = own.agg(
            pl.col(_BASES[special.kind]).first().alias("wage_cents"),
            pl.col("basis_cents").first(),
            contributions=pl.len().cast(pl.Int64),
            declared_lowest_cents=declared.min(),
            declared_highest_cents=declared.max(),
        )
        keys = ("declaration_id", "natural_person_ordinal", "worker_record_ordinal", *OF_LINE)
        columns = by_name(told, columns_at(lines, keys, told["worker_record"]))
        columns |= {
            "basis_kind": filled(special.kind, BASIS_KIND, told.height),
            "share_percent": filled(100, pl.Int64(), told.height),
            "outcome": told.select(BASIS_OUTCOME).to_series(),
        }
        made.append(finished(columns, BASIS, told.height))
    return pl.concat(made) if len(made) > 1 else basis
