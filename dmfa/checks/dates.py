"""Dates against each other, against the quarter, and against what stands above them: kinds 008, 014, 034, 414."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Final

import polars as pl

from dmfa.checks.groups import (
    CAREER_BREAK,
    DISMISSED,
    DISMISSED_WITH_INDEMNITY,
    ENDING_CONTRACT,
    FEDRIS_CLASSES,
    PARLIAMENT,
    READ_TO,
    SEVERANCE,
    SICKNESS_OF_DISMISSED,
    STUDENTS,
    THIRD_PARTY_PAYERS,
    WITHOUT_WORK,
    first_day,
    last_day,
    surely,
    year,
)
from dmfa.checks.registry import rows
from dmfa.checks.relatives import above, any_below

_START, _END = pl.col("occupation_starting_date"), pl.col("occupation_ending_date")
_LINE_STARTS = above("worker_record", "noss_quarter_starting_date")
_LINE_ENDS = above("worker_record", "noss_quarter_ending_date")
_CAPELO_BEGAN: Final = date(2011, 1, 1)
_ACTIVATION_BEGAN: Final = date(2017, 9, 28)
_CENTURY: Final = 100


def _keeps_calendar_quarter() -> pl.Expr:
    """Whether a worker line must have the quarter of the calendar."""
    codes = (*STUDENTS, *WITHOUT_WORK, *PARLIAMENT)
    classes = (*FEDRIS_CLASSES, *THIRD_PARTY_PAYERS)
    return pl.col("worker_code").is_in(codes) | pl.col("employer_class").is_in(classes)


@rows("00038-008", "00038-034", table="worker_record", few=True)
def quarter_starts() -> Mapping[str, pl.Expr]:
    """The payroll's quarter starts in the year declared, the first on 1 January, and for some with the calendar's."""
    start = pl.col("noss_quarter_starting_date")
    in_year = start.dt.year() == year()
    strict = _keeps_calendar_quarter() | (pl.col("quarter") % 10 == 1)
    return {"00038-008": ~in_year, "00038-034": in_year & strict & (start != first_day())}


@rows("00039-008", "00039-014", "00039-034", table="worker_record", few=True)
def quarter_ends() -> Mapping[str, pl.Expr]:
    """The payroll's quarter ends in the year declared, on 31 December in the last, and for some with the calendar's."""
    end = pl.col("noss_quarter_ending_date")
    in_year = end.dt.year() == year()
    strict = _keeps_calendar_quarter() | (pl.col("quarter") % 10 == 4)
    ordered = end >= pl.col("noss_quarter_starting_date")
    return {
        "00039-008": ~in_year,
        "00039-014": ~ordered,
        "00039-034": in_year & ordered & strict & (end != last_day()),
    }


def _ends_contract() -> pl.Expr:
    """Whether the occupation may be the time that an indemnity for the end of a contract covers."""
    return any_below("remun", pl.col("remun_code").is_in(ENDING_CONTRACT))


def _of_severance() -> pl.Expr:
    return any_below("remun", pl.col("remun_code") == SEVERANCE)


@rows("00044-008", table="occupation")
def starts_outside() -> pl.Expr:
    """The occupation starts after the year declared or a century before; one of severance pay before the quarter."""
    start_year = _START.dt.year()
    volunteer = surely(pl.col("worker_status").is_in(("B", "VA")))
    usual = ~start_year.is_between(year() - _CENTURY, year()) | volunteer & ~_START.is_between(_LINE_STARTS, _LINE_ENDS)
    return pl.when(_of_severance()).then(_START < _LINE_STARTS).otherwise(usual & ~_ends_contract())


@rows("00045-008", table="occupation")
def ends_outside() -> pl.Expr:
    """The occupation ends outside the quarter; one of severance pay in another year than it starts."""
    usual = ~_END.is_between(_LINE_STARTS, _LINE_ENDS)
    severed = (_END.dt.year() != _START.dt.year()) | (_END < _LINE_STARTS)
    # One that ends before it starts is told as such.
    return (
        pl.when(_of_severance())
        .then(severed & (_END >= _START))
        .otherwise(usual & ~_ends_contract() & ~surely(_END < _START))
    )


@rows("00045-014", table="occupation")
def ends_before_it_starts() -> pl.Expr:
    """The occupation ends before it starts."""
    return _END < _START


@rows("00017-008", table="employer_declaration")
def holidays_start_outside() -> pl.Expr:
    """The holidays of manual workers start between 1 May and 31 December of the next year."""
    return ~pl.col("holiday_starting_date").is_between(pl.date(year() + 1, 5, 1), pl.date(year() + 1, 12, 31))


@rows("00127-008", "00129-008", "00129-014", table="dismissed_statutory_worker_contribution")
def subjection_outside() -> Mapping[str, pl.Expr]:
    """Dismissed staff are subject since the quarter, or four (sickness) or eight (unemployment) before, until in it."""
    start, end = pl.col("subjection_starting_date"), pl.col("subjection_ending_date")
    of_sickness = above("worker_record", "worker_code") == SICKNESS_OF_DISMISSED
    earliest = pl.when(of_sickness).then(first_day().dt.offset_by("-12mo")).otherwise(first_day().dt.offset_by("-24mo"))
    day_before = first_day().dt.offset_by("-1d")
    return {
        "00127-008": ~start.is_between(earliest, last_day()) & above("worker_record", "worker_code").is_in(DISMISSED),
        "00129-008": ~end.is_between(day_before, last_day()) & (end >= start),
        "00129-014": end < start,
    }


@rows("00073-021", table="dismissed_statutory_worker_contribution")
def more_days_than_period() -> pl.Expr:
    """The reference days are more than the period of subjection has."""
    period = pl.col("subjection_ending_date") - pl.col("subjection_starting_date")
    return (pl.col("ref_nbr_days") > period.dt.total_days() + 1) & (period.dt.total_days() >= 0)


@rows("00728-008", table="occupation_informations")
def illness_outside() -> pl.Expr:
    """The day on which an illness has lasted six months lies in the last hundred years."""
    return ~pl.col("six_months_illness_date").dt.year().is_between(year() - _CENTURY, year())


@rows("01148-008", table="occupation_informations", since="2021/1")
def maribel_post_outside() -> pl.Expr:
    """A new post of the social Maribel is granted between 1 January 2020 and the end of the quarter."""
    return ~pl.col("new_maribel_employment_date").is_between(date(2020, 1, 1), last_day())


@rows("01191-008", "01192-008", table="activation_information")
def exemption_outside() -> Mapping[str, pl.Expr]:
    """A worker is exempt from work since 28 September 2017 or later, and trained since then or later."""
    exempt, trained = pl.col("service_exemption_start_date"), pl.col("training_situation_start_date")
    return {
        "01191-008": exempt < _ACTIVATION_BEGAN,
        "01192-008": (trained < _ACTIVATION_BEGAN) | (trained < exempt) & (exempt >= _ACTIVATION_BEGAN),
    }


@rows("00896-008", table="worker_contribution")
def first_hiring_outside() -> pl.Expr:
    """The first hiring lies after the quarter."""
    return pl.col("first_hiring_date") > last_day()


@rows("00823-008", "00951-008", "00953-008", "00954-008", table="complementary_indemnity")
def indemnity_dates_outside() -> Mapping[str, pl.Expr]:
    """Notice comes before the first indemnity, recognition by the end of the quarter, and its end after its start."""
    first, notice = pl.col("first_compl_indemnity_date"), pl.col("notice_date")
    start, end = pl.col("acknowledgement_start_date"), pl.col("acknowledgement_end_date")
    code = above("worker_record", "worker_code")
    return {
        "00823-008": code.is_in((DISMISSED_WITH_INDEMNITY, CAREER_BREAK)) & (first < date(2006, 1, 1)),
        "00951-008": notice >= first,
        "00953-008": ~start.is_between(date(1990, 1, 1), last_day()),
        "00954-008": end <= start,
    }


_PERIODS: Final = {
    2: (date(2010, 4, 1), date(2009, 10, 16)),
    3: (date(2012, 4, 1), date(2011, 11, 29)),
    4: (date(2016, 1, 1), date(2015, 10, 11)),
    5: (date(2017, 1, 1), date(2016, 11, 1)),
}
"""Period code -> first day of the first indemnity, and first day of the notice, from which it holds (zone 01129)."""


@rows("01129-372", "01129-375", table="compl_indemnity_contribution", until=READ_TO)
def period_too_late() -> Mapping[str, pl.Expr]:
    """The period code stands for a first indemnity, and a notice, not before a day."""
    code = pl.col("indemnity_contribution_period_code")
    granted = code.replace_strict({one: days[0] for one, days in _PERIODS.items()}, default=None, return_dtype=pl.Date)
    noticed = code.replace_strict({one: days[1] for one, days in _PERIODS.items()}, default=None, return_dtype=pl.Date)
    notice = above("complementary_indemnity", "notice_date")
    of_notice = above("worker_record", "worker_code") != CAREER_BREAK
    return {
        "01129-372": above("complementary_indemnity", "first_compl_indemnity_date") < granted,
        "01129-375": (notice < noticed) & of_notice,
    }


@rows("00090-008", table=("occupation_deduction", "worker_deduction"))
def right_after_quarter() -> pl.Expr:
    """The right to the reduction starts after the quarter."""
    return pl.col("deduction_right_starting_date") > last_day()


@rows("00143-008", table=("occupation_deduction_detail", "deduction_detail"))
def shorter_week_after_quarter() -> pl.Expr:
    """The shorter working time starts after the quarter."""
    return pl.col("working_regulations_starting_date") > last_day()


def _not_within(start: pl.Expr) -> pl.Expr:
    return ~start.is_between(_CAPELO_BEGAN, last_day())


def _period(start: str, end: str, parent_start: pl.Expr, parent_end: pl.Expr) -> tuple[pl.Expr, pl.Expr, pl.Expr]:
    """Of a period: whether it ends after the one above (or the quarter), before its start, before the start above."""
    starts, ends = pl.col(start), pl.col(end)
    ordered = ~surely(ends < starts)
    early = (ends < parent_start) & ordered
    return (ends > pl.coalesce(parent_end, last_day())) & ordered, ends < starts, early


@rows("00964-008", "00965-008", "00965-014", "00965-414", table="occupation_public_service_data")
def public_service_outside() -> Mapping[str, pl.Expr]:
    """Public service data lie between 2011 and the end of the quarter, and within their occupation."""
    occupation = above("occupation", "occupation_starting_date"), above("occupation", "occupation_ending_date")
    late, reversed_, early = _period("occupation_psd_start_date", "occupation_psd_end_date", *occupation)
    begins = _not_within(pl.col("occupation_psd_start_date"))
    return {"00964-008": begins, "00965-008": late, "00965-014": reversed_, "00965-414": early}


@rows("00970-008", "00971-008", "00971-014", "00971-414", table="scale_salary")
def scale_outside() -> Mapping[str, pl.Expr]:
    """A scale of pay lies between 2011 and the end of the quarter, and within the public service data."""
    parent = "occupation_public_service_data"
    data = above(parent, "occupation_psd_start_date"), above(parent, "occupation_psd_end_date")
    late, reversed_, early = _period("scale_salary_start_date", "scale_salary_end_date", *data)
    begins = _not_within(pl.col("scale_salary_start_date"))
    return {"00970-008": begins, "00971-008": late, "00971-014": reversed_, "00971-414": early}


@rows("00978-008", "00979-008", "00979-014", "00979-414", table="additional_scale_salary")
def supplement_outside() -> Mapping[str, pl.Expr]:
    """A supplement lies between 2011 and the end of the quarter, and within its scale of pay."""
    scale = above("scale_salary", "scale_salary_start_date"), above("scale_salary", "scale_salary_end_date")
    late, reversed_, early = _period("additional_scale_salary_start_date", "additional_scale_salary_end_date", *scale)
    begins = _not_within(pl.col("additional_scale_salary_start_date"))
    return {"00978-008": begins, "00979-008": late, "00979-014": reversed_, "00979-414": early}


@rows("00972-008", table="scale_salary")
def seniority_outside() -> pl.Expr:
    """Seniority counts from a month of the last hundred years, or is told not to apply."""
    text = pl.col("pecuniary_seniority_start_date")
    month = text.str.replace("-", "", literal=True).cast(pl.Int32, strict=False)
    last = year() * 100 + pl.col("quarter") % 10 * 3
    return ~month.is_between((year() - _CENTURY) * 100 + 1, last) & (text != "9999-12")


@rows("01219-003", "01219-008", table="second_pillar_information")
def reference_month_outside() -> Mapping[str, pl.Expr]:
    """The month of reference is a month, and one of the quarter."""
    text = pl.col("reference_year_month")
    shaped = text.str.contains(r"^\d{4}-(0[1-9]|1[0-2])$")
    month = text.str.replace("-", "", literal=True).cast(pl.Int32, strict=False)
    last = year() * 100 + pl.col("quarter") % 10 * 3
    return {"01219-003": ~shaped, "01219-008": shaped & ~month.is_between(last - 2, last)}
