"""Annual holidays of manual workers, artists and apprentices: their occupations, time, pay, and what does not agree."""

from __future__ import annotations

from typing import Final

import polars as pl

from dmfa.extracts.persons import Frames
from dmfa.extracts.selections.working_time import BEARING, OCCUPATION, PAID, occupations, situation
from dmfa.money import half_up_expr

PERCENT: Final = 108
"""Share of the pay that is the basis under the private holiday scheme: NSSO, contributions on manual workers' pay."""

LEGAL: Final = "002"
ORDINARY: Final = "001"
SEVERANCE: Final = "003"
SINGLE_HOLIDAY_PAY: Final = ("007", "011", "012")
"""Leaving holiday pay, which an employer pays to white-collar workers alone."""

MOST_WEEKS: Final = 14
"""Weeks that a quarter can touch."""
LEGAL_WEEKS: Final = 4
PART_TIME: Final = 1
_ON: Final = ["declaration_id", "occupation_ordinal"]


def select(frames: Frames) -> Frames:
    """Occupations with their working time and pay by code, and findings.

    Source: NSSO instructions, annual holidays; annex 40 of the glossary, reasons 30 to 43, by which findings are named.
    """
    places = situation(frames["occupation"])
    jobs = occupations(frames).join(places, on=_ON, how="inner")
    amount = pl.col("remun_amount")
    basis = pl.when(pl.col("remun_code").is_in(BEARING)).then(half_up_expr(amount * PERCENT, 100))
    return {
        "occupation": jobs,
        "service": frames["service"].join(places, on=_ON, how="inner"),
        "remun": frames["remun"].join(places, on=_ON, how="inner").with_columns(basis.alias("basis")),
        "finding": findings(jobs, frames["service"], frames["remun"]),
    }


def findings(jobs: pl.DataFrame, service: pl.DataFrame, remun: pl.DataFrame) -> pl.DataFrame:
    """What does not agree: the keys of an occupation, its situation, and the finding in words.

    Args:
        jobs: occupations with quarter and situation.
        service: their working time.
        remun: their pay.
    """
    days, code, pay = pl.col("service_nbr_days"), pl.col("service_code"), pl.col("remun_code")
    time = service.group_by(OCCUPATION).agg(
        days.sum().alias("days"),
        days.filter(code == LEGAL).sum().alias("legal_days"),
        (code.is_in(PAID)).any().alias("has_paid_time"),
    )
    paid = remun.group_by(OCCUPATION).agg(
        pl.col("remun_amount").filter(pay == ORDINARY).sum().alias("ordinary"),
        pay.is_in(SINGLE_HOLIDAY_PAY).any().alias("single_holiday_pay"),
        (pay == SEVERANCE).any().alias("severance"),
        pay.is_in([ORDINARY]).any().alias("has_ordinary"),
    )
    whole = jobs.join(time, on=OCCUPATION, how="left").join(paid, on=OCCUPATION, how="left")
    found = [
        whole.filter(wrong.fill_null(value=False)).select(*OCCUPATION[:2], "situation", pl.lit(words).alias("rule"))
        for words, wrong in CHECKS.items()
    ]
    return pl.concat(found)


def _first_day() -> pl.Expr:
    code = pl.col("quarter")
    return pl.date(code // 10, 3 * (code % 10) - 2, 1)


_WEEK: Final = pl.col("working_days_system")
_HOURS, _REFERENCE = pl.col("mean_working_hours"), pl.col("ref_mean_working_hours")
_STARTS, _ENDS = pl.col("occupation_starting_date"), pl.col("occupation_ending_date")

CHECKS: Final[dict[str, pl.Expr]] = {
    "more legal holidays than four weeks": pl.col("legal_days") > LEGAL_WEEKS * _WEEK,
    "no regime of working days": _WEEK.is_null() | (_WEEK <= 0),
    "more days than the quarter has": pl.col("days") > MOST_WEEKS * _WEEK,
    "full time with fewer hours than the reference": (pl.col("contract_type") != PART_TIME)
    & (_HOURS < _REFERENCE)
    & pl.col("reorganisation_measure").is_null(),
    "part time without hours": (pl.col("contract_type") == PART_TIME) & (_HOURS.is_null() | _REFERENCE.is_null()),
    "more hours than the reference": _HOURS > _REFERENCE,
    "single holiday pay of an employer": pl.col("single_holiday_pay"),
    "ordinary pay without paid time": (pl.col("ordinary") > 0) & ~pl.col("has_paid_time").fill_null(value=False),
    "dates outside the quarter": (_ENDS < _STARTS)
    | (_first_day() > _ENDS)
    | (_first_day().dt.offset_by("3mo") <= _STARTS),
    "severance pay beside ordinary pay": pl.col("severance") & pl.col("has_ordinary"),
}
"""By the words of a finding: when an occupation has it. A cancelled occupation is no longer in the tables."""
