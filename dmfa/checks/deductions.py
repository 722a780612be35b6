"""Reductions against annex 4: which codes there are, at which level, and which zones and details they need.

The annex is known to 2022/2; later, only what it never had is counted, as not verifiable.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import polars as pl

from dmfa.checks.code_lists import CodeList, holds, in_quarters, quarters_known
from dmfa.checks.code_lists import rows as rows_of
from dmfa.checks.groups import filled, first_day
from dmfa.checks.registry import rows
from dmfa.checks.relatives import above, any_below, count_below, sum_below

_LIST: Final = "deductions"
_CODE: Final = pl.col("deduction_code")
_FOR_GOOD: Final = ("3500", "3520")
"""Reductions for a week that was shortened for good (NSSO instructions, working-time reduction)."""
_LEVELS: Final = {"occupation_deduction": "occupation", "worker_deduction": "worker line"}
_DETAILS: Final = {
    "occupation_deduction": "occupation_deduction_detail",
    "worker_deduction": "deduction_detail",
}
_ZONES: Final = {
    "00088-062": ("deduction_calculation_basis", "basis"),
    "00089-062": ("deduction_amount", "amount"),
    "00090-062": ("deduction_right_starting_date", "right_start"),
    "00091-062": ("management_cost_nbr_months", "administration_months"),
    "00092-062": ("replaced_inss", "replaced_person"),
    "00093-062": ("applicant_inss", "first_person"),
}
"""Code -> column of the zone, and the column of the list that says whether a reduction has it."""


def _of_codes(code: pl.Expr, column: str, values: tuple[str, ...]) -> pl.Expr:
    """Whether every row of a reduction says the same, one of some values, in its quarter."""
    known = {}
    for quarter in quarters_known(_LIST):
        own = [row for row in rows_of(_LIST) if holds(row, quarter)]
        others = {row["code"] for row in own if row[column] not in values}
        known[quarter] = {row["code"] for row in own} - others
    return in_quarters(code, known)


@rows("00086-008", "00086-034", table=tuple(_LEVELS), code_list=_LIST)
def deduction_code() -> Mapping[str, pl.Expr]:
    """Reductions of annex 4."""
    known = CodeList(_LIST)
    return {"00086-008": known.unknown(_CODE), "00086-034": known.closed(_CODE)}


@rows("00086-064", table=tuple(_LEVELS))
def deduction_of_other_level(table: str) -> pl.Expr:
    """The reduction is asked for at the wrong level, line or occupation."""
    (other,) = {*_LEVELS.values()} - {_LEVELS[table]}
    return _of_codes(_CODE, "level", (other,))


@rows("00086-066", table=tuple(_LEVELS))
def detail_missing(table: str) -> pl.Expr:
    """The reduction needs a detail."""
    return _of_codes(_CODE, "detail", ("Y",)) & (count_below(_DETAILS[table]) == 0)


@rows("00138-082", table="occupation_deduction_detail")
def detail_of_other_deduction() -> pl.Expr:
    """The reduction has no detail."""
    return _of_codes(above("occupation_deduction", "deduction_code"), "detail", ("N",))


@rows(*_ZONES, table=tuple(_LEVELS))
def zones_of_deduction() -> Mapping[str, pl.Expr]:
    """Zones that the reduction does not have."""
    return {
        code: filled(zone)
        & (pl.col(zone) != 0 if zone.endswith("inss") else pl.lit(value=True))
        & _of_codes(_CODE, column, ("no",))
        for code, (zone, column) in _ZONES.items()
    }


@rows("00141-044", table="worker_deduction", zone="DeductionDetailAmount")
def details_of_other_sum() -> pl.Expr:
    """The amounts of the details are not the amount of the reduction."""
    amounts = pl.col("deduction_detail_amount")
    told = ~any_below("deduction_detail", amounts.is_null()) & (count_below("deduction_detail") > 0)
    return told & (sum_below("deduction_detail", amounts) != pl.col("deduction_amount"))


@rows("00138-078", "00914-062", table="occupation_deduction_detail")
def detail_of_shorter_week() -> Mapping[str, pl.Expr]:
    """A week shortened for good gives a right after the quarter in which it was, and has no day on which it expires."""
    for_good = above("occupation_deduction", "deduction_code").is_in(_FOR_GOOD)
    return {
        "00138-078": for_good & (pl.col("working_regulations_starting_date") > first_day()),
        "00914-062": for_good & filled("working_regulations_ending_date"),
    }


@rows("00138-083", table="occupation_deduction_detail")
def week_hardly_shorter() -> pl.Expr:
    """The week is not shorter than before."""
    before, after = (pl.col(f"average_working_time_{side}_reduction") for side in ("before", "after"))
    return after >= before
