"""Values outside their domain, where neither a pattern nor a list tells: kind 008 of single zones.

The domains are those of the NSSO's glossaries of 2022/3 and 2023/3. What the XSD demands of a value is not repeated.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import polars as pl

from dmfa.checks.groups import (
    CHILD_MINDER,
    PARLIAMENT,
    READ_TO,
    SICKNESS_OF_DISMISSED,
    THIRD_PARTY_PAYERS,
    private_classes,
)
from dmfa.checks.registry import rows
from dmfa.checks.relatives import above

_BOUNDS: Final = (
    ("00197-008", "occupation_informations", "holiday_days_number", 0, 999),
    ("01010-008", "occupation_informations", "first_week_guaranteed_salary_nbr_days", 1, 9_200),
    ("01011-008", "occupation_informations", "illness_gross_remun_amount", 1, 99_999_999_999),
    ("01195-008", "occupation", "ship_id", 1, 9_999_999),
    ("01203-008", "occupation", "subsidized_mean_working_hours", 0, 5_000),
    ("01216-008", "occupation_informations", "mobility_budget", 1, 99_999_999_999),
)
"""Code, table, column and bounds, both included, of numbers whose schema gives digits alone."""


def _outside(column: str, least: int, most: int) -> Callable[[], pl.Expr]:
    def outside() -> pl.Expr:
        """The number is outside its bounds."""
        return ~pl.col(column).is_between(least, most)

    return outside


for _code, _table, _column, _least, _most in _BOUNDS:
    rows(_code, table=_table)(_outside(_column, _least, _most))

_LINE_CLASS: Final = above("worker_record", "employer_class")
_LINE_CODE: Final = above("worker_record", "worker_code")
_PAID_BY_THIRD: Final = _LINE_CLASS.is_in(THIRD_PARTY_PAYERS)


@rows("00016-008", table="employer_declaration", since="2004/3")
def converted_to_five_days() -> pl.Expr:
    """Working time is converted to five days a week, which ended in 2004."""
    return pl.col("system5") == 1


@rows("00040-008", table="worker_record", until=READ_TO, few=True)
def border_of_no_worker() -> pl.Expr:
    """Somebody paid by a third party or sitting in a parliament is no border worker."""
    apart = pl.col("employer_class").is_in(THIRD_PARTY_PAYERS) | pl.col("worker_code").is_in(PARLIAMENT)
    return (pl.col("border") == 1) & apart


@rows("00049-008", table="occupation", until=READ_TO)
def full_week_too_long() -> pl.Expr:
    """The full week is longer than 48 hours, or not the one that this worker must have."""
    hours, status = pl.col("ref_mean_working_hours"), pl.col("worker_status")
    most = pl.when(status == "D2").then(6_000).when(status == "D1").then(5_000).otherwise(4_800)
    always_38 = _LINE_CODE.is_in((*PARLIAMENT, CHILD_MINDER))
    return (hours > most) | (always_38 & (hours != 3_800))


@rows("00050-008", table="occupation", until=READ_TO)
def part_time_of_nobody() -> pl.Expr:
    """A contract paid by a third party, or a seat in a parliament, is declared full-time."""
    return (pl.col("contract_type") == 1) & (_PAID_BY_THIRD | _LINE_CODE.is_in(PARLIAMENT))


@rows("00051-008", table="reorg_measure_information")
def combination_within_combination() -> pl.Expr:
    """599 stands for several measures at once and is none of them."""
    return pl.col("reorganisation_measure") == "599"


@rows("00055-008", table="occupation", since="2019/4", until=READ_TO)
def apprenticeship_of_old() -> pl.Expr:
    """Since 2019/4 there is one kind of apprenticeship, 1."""
    return pl.col("apprenticeship") != 1


@rows("00070-008", table="remun", until=READ_TO)
def pay_of_nothing() -> pl.Expr:
    """Only the rest of a mobility budget may be zero."""
    return (pl.col("remun_amount") == 0) & (pl.col("remun_code") != "029")


@rows("00073-008", table="dismissed_statutory_worker_contribution", until=READ_TO)
def too_many_reference_days() -> pl.Expr:
    """Sickness insurance of dismissed statutory staff is asked for 312 days at most."""
    return (pl.col("ref_nbr_days") > 312) & (_LINE_CODE == SICKNESS_OF_DISMISSED)


@rows("00145-008", table="indemnity_wapm")
def no_degree_of_incapacity() -> pl.Expr:
    """The degree of incapacity lies between 0,01 and 100,00 percent."""
    degree = pl.col("incapacity_degree").str.replace(",", "", literal=True).cast(pl.Int64, strict=False)
    return ~degree.is_between(1, 10_000)


@rows("00228-008", table="complementary_indemnity", until=READ_TO)
def activity_of_private_employer() -> pl.Expr:
    """Only local authorities tell the activity; it is 00000 for all others."""
    return (pl.col("activity_code") != "00000") & _LINE_CLASS.is_in(private_classes())


@rows("01158-008", table="student_contribution", since="2022/1", until="2024/4")
def student_hours_too_high() -> pl.Expr:
    """The hours are more than a student may work in a year: 475, and 600 in 2023 and 2024."""
    # Glossaries of 2022/3 and 2023/2; of the years from 2025 on no figure is confirmed.
    return pl.col("student_hours_nbr") > pl.when(pl.col("quarter") < 20231).then(475).otherwise(600)


@rows("01250-008", table="employer_compensation", since="2023/1", until="2023/4")
def compensation_of_other_quarter() -> pl.Expr:
    """Compensation 01 belongs to the first two quarters of 2023, and 02 to the two after."""
    first, quarter = pl.col("compensation_code") == "01", pl.col("quarter")
    return pl.when(first).then(quarter > 20232).otherwise(~quarter.is_between(20233, 20234))
