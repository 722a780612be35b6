"""Working time of an occupation for the reductions: the factor that makes a wage full-time, and mu.

Days for full-timers declared in days alone, hours for all others. Time and systems are in hundredths, as declared.
Source: royal decree of 16 May 2003, art. 2; NSSO instructions, structural reduction.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from contributions.algebra import Columns, ratio
from contributions.parameters import Parameters
from contributions.rules.registry import quantity, total

WEEKS: Final = 13
"""Weeks of a quarter in the formulas of the law."""


def _of_codes(s: Columns, codes: list[str], value: pl.Expr) -> pl.Expr:
    return pl.when(s.service_code.is_in(codes)).then(value)


@total(level="occupation", of="service")
def paid_days(s: Columns, p: Parameters) -> pl.Expr:
    """J: days behind the reference wage."""
    return _of_codes(s, p.codes("structural_reduction/paid_time_codes"), s.service_nbr_days)


@total(level="occupation", of="service")
def paid_hours(s: Columns, p: Parameters) -> pl.Expr:
    """H: hours behind the reference wage."""
    return _of_codes(s, p.codes("structural_reduction/paid_time_codes"), s.service_nbr_hours)


@total(level="occupation", of="service")
def counted_days(s: Columns, p: Parameters) -> pl.Expr:
    """X: days that count for mu."""
    return _of_codes(s, p.codes("structural_reduction/counted_time_codes"), s.service_nbr_days)


@total(level="occupation", of="service")
def counted_hours(s: Columns, p: Parameters) -> pl.Expr:
    """Z: hours that count for mu."""
    return _of_codes(s, p.codes("structural_reduction/counted_time_codes"), s.service_nbr_hours)


@total(level="occupation", of="service")
def services_with_hours(s: Columns, p: Parameters) -> pl.Expr:
    """How many counted services are declared in hours too."""
    codes = p.codes("structural_reduction/counted_time_codes")
    return _of_codes(s, codes, s.service_nbr_hours.is_not_null().cast(pl.Int64))


@total(level="occupation", of="service")
def services_without_hours(s: Columns, p: Parameters) -> pl.Expr:
    """How many counted services are declared in days alone."""
    codes = p.codes("structural_reduction/counted_time_codes")
    return _of_codes(s, codes, s.service_nbr_hours.is_null().cast(pl.Int64))


@quantity(level="occupation")
def in_hours(o: Columns, p: Parameters) -> pl.Expr:
    """Whether hours count: part-time contracts, and whoever declares hours. Null where the contract is not told."""
    return (o.contract_type == 1) | (o.services_with_hours > 0)


@quantity(level="occupation")
def system(o: Columns, p: Parameters) -> pl.Expr:
    """D, the days a week of the working system, or U, the weekly hours of the reference person."""
    return pl.when(o.in_hours).then(o.ref_mean_working_hours).when(~o.in_hours).then(o.working_days_system)


@quantity(level="occupation")
def paid_time(o: Columns, p: Parameters) -> pl.Expr:
    """J or H; null where hours count and a service has none."""
    complete = o.in_hours & (o.services_without_hours == 0)
    return pl.when(complete).then(o.paid_hours).when(~o.in_hours).then(o.paid_days)


@quantity(level="occupation")
def counted_time(o: Columns, p: Parameters) -> pl.Expr:
    """X or Z; null where hours count and a service has none."""
    complete = o.in_hours & (o.services_without_hours == 0)
    return pl.when(complete).then(o.counted_hours).when(~o.in_hours).then(o.counted_days)


@quantity(level="occupation")
def factor_pct(o: Columns, p: Parameters) -> pl.Expr:
    """13 x D / J or 13 x U / H, in hundredths, rounded to two decimals; null without paid time."""
    return ratio(WEEKS * o.system * 100, o.paid_time, p, "rounding/factor")


@quantity(level="occupation")
def mu_pct(o: Columns, p: Parameters) -> pl.Expr:
    """Fraction mu = X / (13 x D) or Z / (13 x U), in hundredths, rounded to two decimals; zero without counted time."""
    fraction = ratio(o.counted_time * 100, WEEKS * o.system, p, "rounding/factor")
    return pl.when(o.counted_time == 0).then(0).otherwise(fraction).cast(pl.Int64)


@quantity(level="occupation")
def mu_glob_pct(o: Columns, p: Parameters) -> pl.Expr:
    """Sum mu(glob) of mu over all the person's occupations with this employer; null where one of them is unknown."""
    every = o.mu_pct.null_count() == 0
    return pl.when(every).then(o.mu_pct.sum()).over(o.person)


@quantity(level="occupation")
def half_time(o: Columns, p: Parameters) -> pl.Expr:
    """Whether the contract is for at least half of full time (zones 00048 and 00049); null where that is not told."""
    return (o.contract_type == 0) | (2 * o.mean_working_hours >= o.ref_mean_working_hours)
