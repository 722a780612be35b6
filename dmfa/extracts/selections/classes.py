"""Wide classes in place of exact values: age, sex, pay, activity, region, kind of worker, size of the employer.

What is not declared, or cannot be told from what is, is `unknown`. Research data must be widened to classes; their
bounds are chosen here. Sources: royal decree of 3 April 1984 (what a person's number tells); annex 1 of the glossary
(fictitious numbers of local units); annex 3 (worker codes 0xx, 4xx and 6xx).
"""

from __future__ import annotations

from typing import Final

import polars as pl

from dmfa.extracts.persons import Frames
from dmfa.extracts.selections.working_time import OCCUPATION, PAID
from dmfa.identifiers import insz_birth_date_expr, insz_sex_expr
from dmfa.money import half_up_expr

UNKNOWN: Final = "unknown"
PLACES: Final = "exchange.local_unit"
"""Region and activity of each occupation's local unit, as far as the lake knows the unit."""

_AGES: Final = range(20, 66, 5)
_PAY_STEP: Final = 1_500
_PAY_TOP: Final = 21_000
_CENTS: Final = 100
_SIZES: Final = (1, 5, 10, 20, 50, 100, 200, 500, 1000)
_WEEKS: Final = 13
_WHOLE: Final = 10_000
_PART_TIME: Final = 1

_KINDS: Final = {"0": "manual", "4": "white-collar", "6": "civil servant"}
_FICTITIOUS: Final = {
    8999999993: "abroad",
    8999999104: "Flanders",
    8999999203: "Brussels",
    8999999302: "Wallonia",
    8999999401: "German-speaking Community",
}
"""Those that say where; the two others stand for a number that is awaited, or for none."""

REGIONS: Final = tuple(_FICTITIOUS.values())


def last_day() -> pl.Expr:
    """Last day of the quarter of a row."""
    code = pl.col("quarter")
    return pl.date(code // 10, 3 * (code % 10) - 2, 1).dt.offset_by("3mo").dt.offset_by("-1d")


def at_the_end() -> pl.Expr:
    """Whether an occupation is in force on the last day of its quarter."""
    starts, ends = pl.col("occupation_starting_date"), pl.col("occupation_ending_date")
    return (starts <= last_day()).fill_null(value=True) & (ends >= last_day()).fill_null(value=True)


def age_class() -> pl.Expr:
    """Age in full years on the last day of the quarter, by five years; from the number of the person."""
    born, day = insz_birth_date_expr(pl.col("inss")), last_day()
    birthday = born.dt.month().cast(pl.Int32) * 100 + born.dt.day()
    age = (
        day.dt.year() - born.dt.year() - (birthday > day.dt.month().cast(pl.Int32) * 100 + day.dt.day()).cast(pl.Int32)
    )
    words = pl.lit(f"under {_AGES[0]}")
    for first in _AGES:
        told = f"{first}-{first + 4}" if first != _AGES[-1] else f"{first} and over"
        words = pl.when(age >= first).then(pl.lit(told)).otherwise(words)
    return pl.when(age >= 0).then(words).otherwise(pl.lit(UNKNOWN))


def sex() -> pl.Expr:
    """Sex, from the number of the person."""
    return insz_sex_expr(pl.col("inss")).fill_null(UNKNOWN)


def wage_class() -> pl.Expr:
    """Pay of the quarter (column `pay`, in cents) by 1,500 euro."""
    euro = pl.col("pay") // _CENTS
    first = euro // _PAY_STEP * _PAY_STEP
    band = pl.format("{}-{}", first, first + _PAY_STEP - 1)
    return (
        pl.when(pl.col("pay") <= 0)
        .then(pl.lit("none"))
        .when(euro >= _PAY_TOP)
        .then(pl.lit(f"{_PAY_TOP} and over"))
        .otherwise(band)
    )


def nace_division(nace: str = "nace") -> pl.Expr:
    """First two digits of the activity: as declared, else that of the local unit (five digits, in a column)."""
    declared = pl.when(~pl.col("activity_code").str.starts_with("00")).then(pl.col("activity_code"))
    return pl.coalesce(declared, pl.col(nace)).str.slice(0, 2).fill_null(UNKNOWN)


def region(known: str = "region_known") -> pl.Expr:
    """Region of the local unit: that of a fictitious number, else of the reference tables (in a column)."""
    number = pl.col("local_unit_id")
    told = number.replace_strict(_FICTITIOUS, default=None, return_dtype=pl.String)
    return pl.coalesce(told, pl.col(known), pl.lit(UNKNOWN))


def worker_status() -> pl.Expr:
    """Manual, white-collar, civil servant or other, by the first digit of the worker code."""
    kind = pl.col("worker_code").str.slice(0, 1)
    words = kind.replace_strict(_KINDS, default="other", return_dtype=pl.String)
    return pl.when(kind.is_null()).then(pl.lit(UNKNOWN)).otherwise(words)


def size_class(persons: pl.Expr) -> pl.Expr:
    """Class of an employer by its number of persons."""
    words = pl.lit("0")
    for first, after in zip(_SIZES, (*_SIZES[1:], None), strict=True):
        told = f"{first}-{after - 1}" if after else f"{first} and over"
        words = pl.when(persons >= first).then(pl.lit(told)).otherwise(words)
    return words


def with_places(occupations: pl.DataFrame, frames: Frames) -> pl.DataFrame:
    """Occupations with region and division of activity of their local units."""
    known = frames[PLACES].select(*_PLACE, pl.col("region").alias("region_known"), "nace")
    return occupations.join(known, on=list(_PLACE), how="left").with_columns(
        region=region(), nace_division=nace_division()
    )


_PLACE: Final = ("declaration_id", "occupation_ordinal")


def with_volume(occupations: pl.DataFrame, frames: Frames) -> pl.DataFrame:
    """Occupations with their volume of work: full-time equivalents over the quarter, in ten-thousandths.

    Paid days in those of a full-time week over thirteen weeks; of part-time work, paid hours in those of the reference
    person over thirteen weeks. Null where the week, or the hours, are not declared. Nought without paid time.

    Source: fraction mu of the royal decree of 16 May 2003, as it is for reductions; that paid work, holidays and leave
    count and nothing else (codes of PAID) is chosen here.
    """
    paid = frames["service"].filter(pl.col("service_code").is_in(PAID))
    time = paid.group_by(OCCUPATION).agg(
        pl.col("service_nbr_days").sum().alias("paid_days"),
        pl.when(pl.col("service_nbr_hours").is_not_null().all())
        .then(pl.col("service_nbr_hours").sum())
        .alias("paid_hours"),
        pl.lit(1).first().alias("has_time"),
    )
    part_time = pl.col("contract_type") == _PART_TIME
    week = pl.when(part_time).then("ref_mean_working_hours").otherwise("working_days_system")
    done = pl.when(part_time).then("paid_hours").otherwise("paid_days")
    volume = half_up_expr(_WHOLE * done, _WEEKS * pl.when(week > 0).then(week))
    fte = pl.when(pl.col("has_time").is_null()).then(pl.lit(0, pl.Int64)).otherwise(volume).alias("fte")
    return (
        occupations.join(time, on=OCCUPATION, how="left").with_columns(fte).drop("paid_days", "paid_hours", "has_time")
    )
