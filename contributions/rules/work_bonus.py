"""Work bonus, deduction 0001: personal contributions that low wages do not owe, a month at a time.

S = W x full month / time, the wage of a month made full-time and whole; R by a table of the month; P = R x fraction,
the time of the month over a full month, two decimals, at most 1. S, R and P are rounded to the cent. The bonus of the
quarter is the sum of P over its months, at most the personal contributions of the line. Who pays on 108 % of the wage
has amounts of 108 %; the limits are for the wage at 100 %.
Source: law of 20 December 1999, art. 2; royal decree of 17 January 2000; NSSO instructions, work bonus.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from contributions import reasons, refusals
from contributions.algebra import UNIT, Columns, above, at_least, at_most, ratio, share
from contributions.parameters import MONTHS, Parameters
from contributions.rules.registry import not_computable, nothing_due, quantity, reduction, total

WORK_BONUS: Final = "0001"
PERSONAL: Final = "personal"
"""Scope of what all reductions of personal contributions share."""

OF_MONTHS: Final = tuple(f"{PERSONAL}/{month}" for month in MONTHS)
"""Scopes of the months of the quarter."""

FOLDER: Final = "work_bonus"
ROUNDING: Final = "rounding/reduction"
TWO_BRACKETS: Final = "2023/3"
TWO_COMPONENTS: Final = "2024/2"

LARGEST_WAGE: Final = 10**9
"""Ten million euro, in cents: no line has such a wage in a quarter, and products stay exact below it."""

LARGEST_TIME: Final = 10**6
"""A thousand days or ten thousand hours, in hundredths."""


@total(level="occupation", of="remun", scopes=(PERSONAL,))
def month_wages_cents(r: Columns, p: Parameters) -> pl.Expr:
    """Wage of the occupation's months at 100 %, in cents."""
    return pl.when(r.remun_code.is_in(p.codes(f"{FOLDER}/wage_codes"))).then(r.remun_amount)


@total(level="occupation", of="remun", scopes=(PERSONAL,))
def open_wages_cents(r: Columns, p: Parameters) -> pl.Expr:
    """Pay of which no source tells whether it belongs to the wage of a month (premiums and the like), in cents."""
    return pl.when(r.remun_code.is_in(p.codes(f"{FOLDER}/open_wage_codes"))).then(r.remun_amount)


@quantity(level="month", scopes=(PERSONAL,))
def reference_wage_cents(o: Columns, p: Parameters) -> pl.Expr:
    """S: wage of the month for a full month of full time, in cents; null without paid time.

    A full month is full_month / week_length, in hundredths of a day or hour. Bound: W <= 1e9, full_month <= 1e4 x 27.
    """
    return ratio(o.month_wage_cents * o.full_month, o.week_length * o.month_time, p, ROUNDING)


@quantity(level="month", scopes=(PERSONAL,))
def month_fraction_pct(o: Columns, p: Parameters) -> pl.Expr:
    """Part of a full month that is worked, in hundredths, two decimals, at most 1."""
    return at_most(ratio(o.month_time * o.week_length * 100, o.full_month, p, "rounding/factor"), 100)


def _figure(o: Columns, p: Parameters, name: str) -> pl.Expr:
    """A figure by the share of the wage on which the line pays."""
    of_share = {at: p.number(f"{FOLDER}/{at}/{name}") for at in ("at_100", "at_108")}
    return pl.when(o.pays_on_108).then(of_share["at_108"]).otherwise(of_share["at_100"]).cast(pl.Int64)


def _limit(p: Parameters, name: str) -> int:
    return p.number(f"{FOLDER}/{name}_limit")


def _sloping(o: Columns, p: Parameters, part: str, begins: str, ends: str) -> pl.Expr:
    """One part of R, in cents: maximum - slope x (S - limit)+, nothing from where it ends."""
    over = above(o.reference_wage_cents, _limit(p, begins))
    left = ratio(_figure(o, p, f"{part}_maximum") * UNIT - over * _figure(o, p, f"{part}_slope"), UNIT, p, ROUNDING)
    ended = o.reference_wage_cents >= _limit(p, ends)
    return pl.when(ended).then(0).when(~ended).then(at_least(left, 0)).cast(pl.Int64)


def _of_month(o: Columns, p: Parameters, full: pl.Expr) -> pl.Expr:
    """P: an amount of a full month by the part that is worked, in cents; nothing without paid time."""
    part = ratio(full * o.month_fraction_pct, 100, p, ROUNDING)
    return pl.when(o.month_time == 0).then(0).otherwise(part).cast(pl.Int64)


@quantity(level="month", name="full_bonus_cents", scopes=OF_MONTHS, until="2023/2")
def full_bonus_of_one_slope_cents(o: Columns, p: Parameters) -> pl.Expr:
    """R: maximum - slope x (S - lower limit)+, nothing from the upper limit on, in cents."""
    return _sloping(o, p, "single", "lower", "upper")


@quantity(level="month", name="full_bonus_cents", scopes=OF_MONTHS, since=TWO_BRACKETS, until="2024/1")
def full_bonus_of_two_brackets_cents(o: Columns, p: Parameters) -> pl.Expr:
    """R: up to the middle limit by the first bracket, above it by the second one, in cents."""
    low = o.reference_wage_cents <= _limit(p, "middle")
    second = _sloping(o, p, "high", "lower", "upper")
    return pl.when(low).then(_sloping(o, p, "low", "lower", "upper")).when(~low).then(second)


@quantity(level="month", name="month_bonus_cents", scopes=OF_MONTHS, until="2024/1")
def bonus_of_month_cents(o: Columns, p: Parameters) -> pl.Expr:
    """P: bonus of the month, in cents."""
    return _of_month(o, p, o.full_bonus_cents)


@quantity(level="month", scopes=OF_MONTHS, since=TWO_COMPONENTS)
def full_a_cents(o: Columns, p: Parameters) -> pl.Expr:
    """Component A of R: maximum - slope x (S - middle limit)+, nothing from the upper limit on, in cents."""
    return _sloping(o, p, "a", "middle", "upper")


@quantity(level="month", scopes=OF_MONTHS, since=TWO_COMPONENTS)
def full_b_cents(o: Columns, p: Parameters) -> pl.Expr:
    """Component B of R, for low wages: maximum - slope x (S - lower limit)+, nothing from the middle limit on."""
    return _sloping(o, p, "b", "lower", "middle")


@quantity(level="month", scopes=OF_MONTHS, since=TWO_COMPONENTS)
def month_a_cents(o: Columns, p: Parameters) -> pl.Expr:
    """Component A of the month, in cents."""
    return _of_month(o, p, o.full_a_cents)


@quantity(level="month", scopes=OF_MONTHS, since=TWO_COMPONENTS)
def month_b_cents(o: Columns, p: Parameters) -> pl.Expr:
    """Component B of the month, in cents."""
    return _of_month(o, p, o.full_b_cents)


@quantity(level="month", name="month_bonus_cents", scopes=OF_MONTHS, since=TWO_COMPONENTS)
def bonus_of_two_components_cents(o: Columns, p: Parameters) -> pl.Expr:
    """P: bonus of the month, both components, in cents."""
    return o.month_a_cents + o.month_b_cents


@total(level="line", of="month", scopes=(PERSONAL,), until="2024/1")
def bonus_of_months_cents(m: Columns, p: Parameters) -> pl.Expr:
    """Bonus of all months of the quarter, in cents."""
    return m.month_bonus_cents


@total(level="line", of="month", scopes=(PERSONAL,))
def months_without_figures(m: Columns, p: Parameters) -> pl.Expr:
    """How many months with paid time have no table of trust A or B."""
    return ((m.month_time > 0) & m.month_bonus_cents.is_null()).cast(pl.Int64)


@total(level="line", of="month", scopes=(PERSONAL,), since=TWO_COMPONENTS)
def a_of_months_cents(m: Columns, p: Parameters) -> pl.Expr:
    """Component A of all months, in cents."""
    return m.month_a_cents


@total(level="line", of="month", scopes=(PERSONAL,), since=TWO_COMPONENTS)
def b_of_months_cents(m: Columns, p: Parameters) -> pl.Expr:
    """Component B of all months, in cents."""
    return m.month_b_cents


@quantity(level="line", scopes=(PERSONAL,))
def personal_contributions_cents(o: Columns, p: Parameters) -> pl.Expr:
    """Personal contributions of the line, in cents: basis x personal rate of its ordinary contribution."""
    return share(o.ordinary_basis_cents, o.personal_rate, p, "rounding/contribution")


@reduction(WORK_BONUS, level="line", scopes=(PERSONAL,), until="2024/1")
def work_bonus_cents(o: Columns, p: Parameters) -> pl.Expr:
    """Work bonus of the line, in cents: the sum of its months, at most the personal contributions."""
    return at_most(o.bonus_of_months_cents, o.personal_contributions_cents)


@quantity(level="line", scopes=(PERSONAL,), since=TWO_COMPONENTS)
def bonus_b_cents(o: Columns, p: Parameters) -> pl.Expr:
    """Component B that is left, in cents: what is above the personal contributions is cut on it first, then on A."""
    cut = at_least(o.a_of_months_cents + o.b_of_months_cents - o.personal_contributions_cents, 0)
    return at_least(o.b_of_months_cents - cut, 0)


@quantity(level="line", scopes=(PERSONAL,), since=TWO_COMPONENTS)
def bonus_a_cents(o: Columns, p: Parameters) -> pl.Expr:
    """Component A that is left, in cents: that of all months, at most what component B leaves of the contributions."""
    return at_most(o.a_of_months_cents, o.personal_contributions_cents - o.bonus_b_cents)


@reduction(WORK_BONUS, level="line", scopes=(PERSONAL,), since=TWO_COMPONENTS)
def work_bonus_of_two_components_cents(o: Columns, p: Parameters) -> pl.Expr:
    """Work bonus of the line, in cents: what is left of its components."""
    return o.bonus_a_cents + o.bonus_b_cents


@nothing_due(PERSONAL, level="line", reason=refusals.NO_PERSONAL_CONTRIBUTION, scopes=(PERSONAL,))
def owes_another_personal_rate(o: Columns, p: Parameters) -> pl.Expr:
    """The ordinary contribution of the line has another personal rate than 13.07 %."""
    return o.personal_rate != p.number(f"{FOLDER}/personal_rate")


@not_computable(PERSONAL, level="line", reason=reasons.LINE_SHARE_UNKNOWN, scopes=(PERSONAL,))
def ordinary_contribution_is_not_declared(o: Columns, p: Parameters) -> pl.Expr:
    """The line declares no ordinary contribution of its own."""
    return ~o.has_ordinary


@not_computable(PERSONAL, level="line", reason=reasons.RATE_INCOMPLETE, scopes=(PERSONAL,))
def personal_rate_is_not_known(o: Columns, p: Parameters) -> pl.Expr:
    """The rate of the ordinary contribution does not tell its personal part."""
    return o.personal_rate.is_null()


@not_computable(PERSONAL, level="line", reason=reasons.RIGHT_NOT_DECLARED, scopes=(PERSONAL,))
def dismissal_stands_among_the_months(o: Columns, p: Parameters) -> pl.Expr:
    """Pay and time of a dismissal are not those of months of work, and no source tells how they count."""
    return o.dismissals > 0


@not_computable(PERSONAL, level="line", reason=reasons.SERVICES_INCOMPLETE, scopes=(PERSONAL,))
def hours_are_incomplete(o: Columns, p: Parameters) -> pl.Expr:
    """Hours count, and a service is declared in days alone."""
    return o.without_hours > 0


@not_computable(PERSONAL, level="line", reason=reasons.WORKING_TIME_UNKNOWN, scopes=(PERSONAL,))
def system_is_not_declared(o: Columns, p: Parameters) -> pl.Expr:
    """No kind of contract, or no days or hours of a full-time week."""
    return o.without_system > 0


@not_computable(PERSONAL, level="line", reason=reasons.MONTHS_UNKNOWN, scopes=(PERSONAL,))
def full_month_is_not_known(o: Columns, p: Parameters) -> pl.Expr:
    """Days of another week than one of five or six days, several systems on one line, or days outside the quarter."""
    return o.without_full_month > 0


@not_computable(PERSONAL, level="line", reason=reasons.NO_PAID_TIME, scopes=(PERSONAL,))
def wage_without_time(o: Columns, p: Parameters) -> pl.Expr:
    """An occupation has a wage and no paid time behind it."""
    return o.without_time > 0


@not_computable(PERSONAL, level="line", reason=reasons.OUT_OF_BOUNDS, scopes=(PERSONAL,))
def beyond_any_line(o: Columns, p: Parameters) -> pl.Expr:
    """Wage or working time beyond what a line can have, or below zero."""
    return o.beyond > 0
