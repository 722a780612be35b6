"""Other reductions of personal contributions: 0601 after a restructuring, 0610 for paid sportspeople, 0611, 2001.

They come after the work bonus and take at most what it leaves of the personal contributions: 0001, then 0601, then
0610. No source confirms the order of the last two, so that neither is computed where both stand on a line.
Source: royal decree of 17 January 2000; NSSO instructions, reductions of personal contributions; annex 4.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from contributions import reasons, refusals
from contributions.algebra import Columns, at_least, at_most, ratio, share
from contributions.parameters import Parameters
from contributions.rules.registry import not_computable, nothing_due, quantity, reduction, total
from contributions.rules.work_bonus import PERSONAL, ROUNDING
from dmfa.quarter import Quarter

RESTRUCTURING: Final = "0601"
SPORT_BONUS: Final = "0610"
CARE_PENSIONERS: Final = "0611"
FIRST_WORKER: Final = "2001"

OF_RESTRUCTURING: Final = f"{PERSONAL}/{RESTRUCTURING}"
OF_SPORT: Final = f"{PERSONAL}/{SPORT_BONUS}"
OF_CARE: Final = f"{PERSONAL}/{CARE_PENSIONERS}"
OF_FIRST_WORKER: Final = f"{PERSONAL}/{FIRST_WORKER}"

FOLLOWING_QUARTERS: Final = 2
"""The right to 0601 lasts to the end of the second quarter after the one in which it began."""

ADULT_YEAR: Final = 19
"""From the year of this birthday on the sport bonus is the higher one."""


def quarter_number(quarter: Quarter) -> int:
    """A quarter as quarters since the year 0."""
    return quarter.year * 4 + quarter.number - 1


@quantity(level="month", scopes=(OF_RESTRUCTURING,))
def restructuring_month_cents(o: Columns, p: Parameters) -> pl.Expr:
    """Reduction of a month, in cents; null where S lies between the limits of the two ages.

    On which day the age counts no source confirms.
    """
    part = ratio(o.month_fraction_pct * p.number("restructuring/month_amount"), 100, p, ROUNDING)
    return (
        pl.when((o.month_time == 0) | (o.reference_wage_cents > p.number("restructuring/limit_from_30")))
        .then(0)
        .when(o.reference_wage_cents <= p.number("restructuring/limit_under_30"))
        .then(part)
        .cast(pl.Int64)
    )


@total(level="line", of="month", scopes=(OF_RESTRUCTURING,))
def restructuring_of_months_cents(m: Columns, p: Parameters) -> pl.Expr:
    """Reduction of all months of the quarter, in cents."""
    return m.restructuring_month_cents


@total(level="line", of="month", scopes=(OF_RESTRUCTURING,))
def months_of_open_age(m: Columns, p: Parameters) -> pl.Expr:
    """How many months have a reference wage between the limits of the two ages."""
    return m.restructuring_month_cents.is_null().cast(pl.Int64)


@reduction(RESTRUCTURING, level="deduction", scopes=(OF_RESTRUCTURING,))
def restructuring_reduction_cents(o: Columns, p: Parameters) -> pl.Expr:
    """Reduction after a restructuring, in cents: its months, at most what the work bonus leaves."""
    return at_most(o.restructuring_of_months_cents, o.left_cents)


@nothing_due(RESTRUCTURING, level="deduction", reason=refusals.OUTSIDE_PERIOD, scopes=(OF_RESTRUCTURING,))
def right_begins_later(o: Columns, p: Parameters) -> pl.Expr:
    """The right begins after the quarter."""
    return o.right_began > quarter_number(p.quarter)


@not_computable(RESTRUCTURING, level="deduction", reason=reasons.START_NOT_DECLARED, scopes=(OF_RESTRUCTURING,))
def start_is_not_declared(o: Columns, p: Parameters) -> pl.Expr:
    """The right has no first day."""
    return o.right_began.is_null()


@not_computable(RESTRUCTURING, level="deduction", reason=reasons.RIGHT_NOT_DECLARED, scopes=(OF_RESTRUCTURING,))
def right_may_have_ended(o: Columns, p: Parameters) -> pl.Expr:
    """The right began more than two quarters ago: the worker's card, which nobody declares, tells whether it lasts."""
    return o.right_began + FOLLOWING_QUARTERS < quarter_number(p.quarter)


@not_computable(RESTRUCTURING, level="deduction", reason=reasons.RIGHT_NOT_DECLARED, scopes=(OF_RESTRUCTURING,))
def right_begins_inside(o: Columns, p: Parameters) -> pl.Expr:
    """The right begins inside the quarter, after the first day of work: what of the first month counts is open."""
    return (o.right_began == quarter_number(p.quarter)) & ~o.right_from_first_day


@not_computable(RESTRUCTURING, level="deduction", reason=reasons.RIGHT_NOT_DECLARED, scopes=(OF_RESTRUCTURING,))
def age_decides(o: Columns, p: Parameters) -> pl.Expr:
    """A month's reference wage lies between the limits of the two ages."""
    return o.months_of_open_age > 0


@quantity(level="month", scopes=(OF_SPORT,))
def sport_month_cents(o: Columns, p: Parameters) -> pl.Expr:
    """Fixed part of the sport bonus in a month, in cents: by the year of birth; null where that is not known."""
    full = (
        pl.when(p.quarter.year - o.birth_year >= ADULT_YEAR)
        .then(p.number("sport_bonus/from_19"))
        .when(p.quarter.year - o.birth_year < ADULT_YEAR)
        .then(p.number("sport_bonus/under_19"))
        .cast(pl.Int64)
    )
    return ratio(o.month_fraction_pct * full, 100, p, ROUNDING)


@total(level="line", of="month", scopes=(OF_SPORT,))
def sport_of_months_cents(m: Columns, p: Parameters) -> pl.Expr:
    """Fixed part of the sport bonus in all months, in cents."""
    return m.sport_month_cents


@quantity(level="deduction", scopes=(OF_SPORT,))
def sport_fixed_cents(o: Columns, p: Parameters) -> pl.Expr:
    """Fixed part of the sport bonus, in cents: its months, at most what the reductions before it leave."""
    return at_most(o.sport_of_months_cents, o.left_cents)


@quantity(level="deduction", scopes=(OF_SPORT,))
def sport_share_cents(o: Columns, p: Parameters) -> pl.Expr:
    """Part of the personal contributions still left that the sport bonus takes too, in cents."""
    return share(at_least(o.left_cents - o.sport_fixed_cents, 0), p.number("sport_bonus/remaining_share"), p, ROUNDING)


@reduction(SPORT_BONUS, level="deduction", scopes=(OF_SPORT,))
def sport_bonus_cents(o: Columns, p: Parameters) -> pl.Expr:
    """Sport bonus, in cents: the fixed part and the share of what is left."""
    return o.sport_fixed_cents + o.sport_share_cents


@not_computable(SPORT_BONUS, level="deduction", reason=reasons.AGE_UNKNOWN, scopes=(OF_SPORT,))
def birth_is_not_known(o: Columns, p: Parameters) -> pl.Expr:
    """The person's number does not tell the year of birth."""
    return o.birth_year.is_null()


@nothing_due(CARE_PENSIONERS, level="deduction", reason=refusals.NOT_IN_FORCE, scopes=(OF_CARE,))
def outside_the_measure(o: Columns, p: Parameters) -> pl.Expr:
    """The measure held in 2022/3 and 2022/4 alone (annex 4, version 2022/2)."""
    return pl.lit(not Quarter(2022, 3) <= p.quarter <= Quarter(2022, 4))


@not_computable(CARE_PENSIONERS, level="deduction", reason=reasons.AMOUNT_UNCONFIRMED, scopes=(OF_CARE,))
def care_amount_is_not_confirmed(o: Columns, p: Parameters) -> pl.Expr:
    """No source confirms the amount of pensioners in care."""
    return pl.lit(True)


@reduction(FIRST_WORKER, level="deduction", scopes=(OF_FIRST_WORKER,))
def first_worker_administration_cents(o: Columns, p: Parameters) -> pl.Expr:
    """Administration of the first worker: it may name no amount (annex 4); its lump sum is paid outside DmfA."""
    return pl.lit(0, dtype=pl.Int64)
