"""Reductions of personal contributions, deductions of a worker line: 0001, then 0601, then 0610; 0611 and 2001 beside.

Only what is declared is worked out: a right that nobody uses is not told. Lines without such a deduction cost nothing.
Where the months of a line are known its amount is exact; else it is the computation of the quarter, between the bounds
of all ways in which the quarter can lie on its months (`contributions.months`, `contributions.spreads`).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
import polars as pl

from contributions import months as working_months
from contributions import spreads
from contributions.after_bonus import OF_WAGES, Shared, amount_key, of_code, trust_of, with_line
from contributions.algebra import UNIT
from contributions.arrays import numbers
from contributions.bearing import bearing
from contributions.inputs import Declared
from contributions.judging import judged, settled, staged
from contributions.law import Law
from contributions.months import DOUBTS, Months
from contributions.parameters import ParameterUnknown
from contributions.places import filled, rows_at, taken
from contributions.rows import first_of, with_totals
from contributions.rules.personal_reductions import (
    CARE_PENSIONERS,
    FIRST_WORKER,
    RESTRUCTURING,
    SPORT_BONUS,
)
from contributions.rules.work_bonus import FOLDER, OF_MONTHS, PERSONAL, WORK_BONUS
from contributions.spreads import Table
from dmfa.identifiers import insz_birth_date_expr

CODES: Final = (WORK_BONUS, RESTRUCTURING, SPORT_BONUS, CARE_PENSIONERS, FIRST_WORKER)
"""Deduction codes in the order in which they take from the personal contributions."""

LIMITS: Final = ("lower_limit", "middle_limit", "upper_limit")
MONTH_BONUS: Final = "month_bonus_cents"
EMPTY: Final = Table((1,), (0,))
"""Table of a month that no line concerned has."""

_ORDER: Final = "worker_contribution_ordinal"
_OF_OCCUPATIONS: Final = (
    "worker_record",
    "paid_time",
    "system",
    "in_hours",
    "excluding_remunerations",
    "occupation_starting_date",
    "occupation_ending_date",
)


@dataclass(frozen=True, slots=True)
class Personal:
    """The reductions of personal contributions that are declared.

    Attributes:
        deductions: one row for each, with `row`, its place in worker_deduction, `own_line`, that of its line below,
            the pieces of its calculation, amount_cents, lowest_cents and highest_cents (null where the amount is
            exact), trust, status, reason and refusal.
        lines: one row for each line that has any: every piece that they share, and the work bonus.
        months: three rows for each of those lines, the first months of all of them first.
    """

    deductions: pl.DataFrame
    lines: pl.DataFrame
    months: pl.DataFrame


def reductions(
    contributions: pl.DataFrame, occupations: pl.DataFrame, lines: pl.DataFrame, declared: Declared, rules: Law
) -> Personal:
    """Every declared reduction of personal contributions with every piece of its calculation.

    Args:
        contributions: declared contributions of worker lines, with `rate_row`.
        occupations: occupations with the pieces of their working time.
        lines: the worker lines with their totals and pieces.
        declared: the declared tables.
        rules: the law of their quarter.
    """
    every = declared.placed("worker_deduction")
    place = every["deduction_code"].is_in(CODES).arg_true()
    if place.is_empty():
        return Personal(pl.DataFrame(), pl.DataFrame(), pl.DataFrame())
    rows = rows_at(every, place).hstack([place.alias("row")])
    record = rows["worker_record"].drop_nulls().unique(maintain_order=True)
    own_line = pl.int_range(len(record), dtype=pl.UInt32, eager=True)
    of_record = filled(None, pl.UInt32(), lines.height).scatter(record, own_line)
    rows = rows.hstack([taken(of_record, rows["worker_record"]).alias("own_line")])
    known = _known_months(occupations, of_record, len(record), declared, rules)
    own = _ordinary(contributions, lines, record, of_record, rules)
    own = own.hstack([pl.Series(name, known.doubts[name]) for name in DOUBTS])
    free = {"free_wage_cents": known.free_wage, "free_open_wage_cents": known.free_open_wage}
    own = own.with_columns(pl.Series(name, lies) for name, lies in ({**free, "free_time": known.free_time}).items())
    codes = set(rows["deduction_code"].unique())
    own = own.hstack([_birth_years(lines, record, SPORT_BONUS in codes)])
    months = _month_rows(known, own, codes, rules)
    own = _work_bonus(own, months, known, rules)
    shared = Shared(rows, own, months, known, rules)
    found = [_of_bonus(rows, own) if code == WORK_BONUS else of_code(code, shared) for code in CODES if code in codes]
    deductions = pl.concat(found, how="diagonal_relaxed") if len(found) > 1 else found[0]
    return Personal(settled(deductions), own, months)


def _ordinary(
    contributions: pl.DataFrame, lines: pl.DataFrame, record: pl.Series, of_record: pl.Series, rules: Law
) -> pl.DataFrame:
    """One row per line: its ordinary contribution, with the personal rate and whether the line pays on 108 %."""
    place = taken(of_record, contributions["worker_record"])
    some = place.is_not_null().arg_true()
    names = ["worker_record", "contribution_worker_code", "basis_cents", "amount_cents", "reason", "rate_row"]
    found = contributions[[*names, _ORDER]][some].hstack([place[some].alias("own_line")])
    found = found.filter(pl.col("contribution_worker_code") == lines["worker_code"][found["worker_record"]])
    found = first_of("own_line", found, _ORDER)
    rates = bearing(rules).rates
    known = pl.concat([rates, rates.clear(1)]).select("rate_personal", "rate_trust")
    told = found.hstack(rows_at(known, found["rate_row"].clip(upper_bound=rates.height))).select(
        "own_line",
        has_ordinary=pl.lit(True),
        personal_rate=pl.when(pl.col("reason").is_null()).then("rate_personal"),
        personal_trust=pl.when(pl.col("reason").is_null()).then("rate_trust"),
        # What is not owed computes to nothing, and so does its personal part.
        ordinary_basis_cents=pl.when(pl.col("amount_cents") == 0).then(0).otherwise("basis_cents"),
        ordinary_reason=pl.col("reason").cast(pl.String),
        rate_row="rate_row",
    )
    own = pl.DataFrame(
        [
            pl.int_range(len(record), dtype=pl.UInt32, eager=True).alias("own_line"),
            record.alias("worker_record"),
            (lines["line_share"][record] > UNIT).fill_null(False).alias("pays_on_108"),
        ]
    )
    return own.join(told, on="own_line", how="left", maintain_order="left").with_columns(
        pl.col("has_ordinary").fill_null(False)
    )


def _birth_years(lines: pl.DataFrame, record: pl.Series, wanted: bool) -> pl.Series:
    """Year of birth of each line's person by the person's number, where it is wanted; else null."""
    if wanted:
        number = lines["inss"][record].to_frame()
        return number.select(birth_year=insz_birth_date_expr(pl.col("inss")).dt.year().cast(pl.Int64))["birth_year"]
    return filled(None, pl.Int64(), len(record), "birth_year")


def _known_months(
    occupations: pl.DataFrame, of_record: pl.Series, height: int, declared: Declared, rules: Law
) -> Months:
    """What is known of the months of the lines concerned."""
    line = taken(of_record, occupations["worker_record"])
    some = line.is_not_null().arg_true()
    number = pl.int_range(len(some), dtype=pl.UInt32, eager=True)
    of_occupation = filled(None, pl.UInt32(), occupations.height).scatter(some, number)
    remun = declared.placed("remun")
    place = taken(of_occupation, remun["occupation"])
    paid = place.is_not_null().arg_true()
    pay = remun[["remun_code", "remun_amount"]][paid].hstack([place[paid].alias("occupation")])
    own = with_totals(occupations[list(_OF_OCCUPATIONS)][some], rules, "occupation", {"remun": pay}, PERSONAL)
    wages = own.select(pl.col("month_wages_cents", "open_wages_cents").fill_null(0))
    return working_months.of_lines(own.with_columns(wages), numbers(line[some]), height, rules.quarter)


def _month_rows(known: Months, own: pl.DataFrame, codes: set[str], rules: Law) -> pl.DataFrame:
    """The months of the lines by the computation of the quarter, with the pieces of every reduction declared."""
    wage, time = known.spread()
    height = own.height
    rows = pl.DataFrame(
        {
            "worker_record": np.tile(np.arange(height, dtype=np.uint32), 3),
            "month_wage_cents": wage.T.ravel(),
            "month_time": time.T.ravel(),
            "full_month": known.full.T.ravel(),
            "week_length": np.tile(known.week_length, 3),
            "known_wage_cents": known.wage.T.ravel(),
            "known_time": known.time.T.ravel(),
        }
    ).hstack([pl.concat([own[name]] * 3, rechunk=True) for name in ("pays_on_108", "birth_year")])
    for scope in (PERSONAL, *(f"{PERSONAL}/{code}" for code in OF_WAGES if code in codes)):
        rows = staged(rows, rules, "month", scope)
    parts: list[pl.DataFrame] = []
    for scope, many in _alike(rules):
        start = sum(part.height for part in parts)
        parts.append(staged(rows[start : start + many * height], rules, "month", scope))
    return pl.concat(parts, rechunk=True)


@lru_cache(maxsize=64)
def _alike(rules: Law) -> list[tuple[str, int]]:
    """The scope of the first of each run of months that have the same figures, and how many months it has."""
    found: list[tuple[str, int]] = []
    before = None
    for scope in OF_MONTHS:
        figures = {name: piece.figures for (where, name), piece in rules.pieces.items() if where == scope}
        found = [*found[:-1], (found[-1][0], found[-1][1] + 1)] if figures == before else [*found, (scope, 1)]
        before = figures
    return found


def _work_bonus(own: pl.DataFrame, months: pl.DataFrame, known: Months, rules: Law) -> pl.DataFrame:
    """The lines with the pieces that all reductions share, and the work bonus as if each declared it."""
    own = with_totals(own, rules, "line", {"month": months}, PERSONAL).with_columns(
        reason=pl.coalesce("ordinary_reason", pl.lit(rules.missing.get(("", "paid_time")), dtype=pl.String)),
        refusal=pl.lit(None, dtype=pl.String),
    )
    own = judged(staged(own, rules, "line", PERSONAL), PERSONAL, amount_key(WORK_BONUS, rules), rules)
    unknown = [rules.missing[one, MONTH_BONUS] for one in OF_MONTHS if (one, MONTH_BONUS) in rules.missing]
    without = pl.col("refusal").is_null() & pl.col("reason").is_null() & (pl.col("months_without_figures") > 0)
    own = own.with_columns(
        pl.when(~without).then("amount_cents").alias("bonus_cents"),
        bonus_reason=pl.when(without).then(pl.lit(unknown[0] if unknown else None)).otherwise("reason"),
        trust=trust_of(rules, PERSONAL, *OF_MONTHS),
    ).drop("amount_cents")
    least, most = _bonus_bounds(own, known, rules)
    return own.with_columns(bonus_lowest_cents=least, bonus_highest_cents=most)


def _bonus_bounds(own: pl.DataFrame, known: Months, rules: Law) -> tuple[pl.Series, pl.Series]:
    """Least and most work bonus of each line, null where it is exact or not computable."""
    wanted = (own["bonus_cents"].is_not_null() & own["refusal"].is_null()).to_numpy() & ~known.all_known
    manual = own["pays_on_108"].to_numpy()
    tables = bonus_tables(rules)
    groups = [(wanted & (manual == at_108), tables[at_108], tables[at_108]) for at_108 in (False, True)]
    return spreads.between(known, groups, own["personal_contributions_cents"])


@lru_cache(maxsize=64)
def bonus_tables(rules: Law) -> dict[bool, list[Table]]:
    """The work bonus of a full month at each limit, by month of the quarter; True for those who pay on 108 %."""
    return {at_108: [_table(rules, scope, at_108) for scope in OF_MONTHS] for at_108 in (False, True)}


def _table(rules: Law, scope: str, pays_on_108: bool) -> Table:
    if (scope, MONTH_BONUS) not in rules.pieces:
        return EMPTY
    limits = []
    for name in LIMITS:
        try:
            limits.append(rules.parameters(scope).number(f"{FOLDER}/{name}"))
        except ParameterUnknown:
            continue
    full = {"month_time": 100, "full_month": 500, "week_length": 5, "pays_on_108": pays_on_108}
    rows = pl.DataFrame({"month_wage_cents": limits}).with_columns(**{k: pl.lit(v) for k, v in full.items()})
    for part in (PERSONAL, scope):
        rows = staged(rows, rules, "month", part)
    return Table(tuple(limits), tuple(rows[MONTH_BONUS].to_list()))


def _of_bonus(rows: pl.DataFrame, own: pl.DataFrame) -> pl.DataFrame:
    """The declared work bonuses with their results."""
    found = with_line(rows.filter(pl.col("deduction_code") == WORK_BONUS), own)
    return found.with_columns(
        amount_cents="bonus_cents",
        reason="bonus_reason",
        lowest_cents="bonus_lowest_cents",
        highest_cents="bonus_highest_cents",
    )
