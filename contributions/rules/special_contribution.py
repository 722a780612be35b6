"""Special social security contribution, code 856: by the wage of the quarter and the household, which is not declared.

The wage of the quarter says which bracket holds, the wage of each month how much is due in it, and the household which
scale. The declaration tells the first alone, so that the law gives a range: from the household and months that owe
least to those that owe most. Where both ends are one, the amount is certain; else a declared amount within the range is
lawful, and one outside it is no household's.
Source: law of 30 March 1994, art. 106-112; scales of 1994 and of 1 April 2022 as told by social secretariats.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from contributions import reasons
from contributions.algebra import UNIT, Columns, above, at_least, at_most, ratio, share, within_zone
from contributions.parameters import Parameters
from contributions.rules.registry import contribution, not_computable, quantity, total

HOUSEHOLD: Final = "household"
"""Kind of basis: the wage of the person with one employer."""

FOLDER: Final = "special_contribution"
ROUNDING: Final = "rounding/contribution"


@total(level="person", of="line", scopes=(HOUSEHOLD,))
def household_wage_cents(o: Columns, p: Parameters) -> pl.Expr:
    """Wage of the quarter with this employer, in cents: that of all the person's lines, manual lines at 108 %."""
    return ratio(within_zone(o.ordinary_wage_cents) * o.line_share, UNIT, p, ROUNDING)


@total(level="person", of="line", scopes=(HOUSEHOLD,))
def lines_of_open_wage(o: Columns, p: Parameters) -> pl.Expr:
    """How many lines with a wage do not say whether it counts at 100 or 108 %, or have one beyond every zone."""
    return ((o.ordinary_wage_cents > 0) & (within_zone(o.ordinary_wage_cents) * o.line_share).is_null()).cast(pl.Int64)


@quantity(level="contribution", scopes=(HOUSEHOLD,))
def basis_cents(o: Columns, p: Parameters) -> pl.Expr:
    """The wage that the brackets are for, in cents; null where it is more than zone 00084 holds."""
    return within_zone(o.household_wage_cents)


@quantity(level="contribution", scopes=(HOUSEHOLD,))
def lowest_cents(o: Columns, p: Parameters) -> pl.Expr:
    """Least that any household owes on such a wage, in cents, however it is spread over the months.

    A single person owes least, and least of all where two months stay just below the percentage bracket and the third
    takes the rest, or where one month takes all, for which a third of the least maximum is due.
    """
    from_, to = p.number(f"{FOLDER}/month_from"), p.number(f"{FOLDER}/month_to")
    percent = p.number(f"{FOLDER}/single/percent")
    within = share(at_most(above(o.basis_cents, 3 * from_), to - from_), percent, p, ROUNDING)
    beyond = above(o.basis_cents, 2 * from_ + to) * p.number(f"{FOLDER}/upper_percent")
    least_of_all = p.number(f"{FOLDER}/spouse_with_income/maximum") // 3
    return (
        pl.when(o.basis_cents < p.number(f"{FOLDER}/percent_from"))
        .then(0)
        .when(o.basis_cents <= p.number(f"{FOLDER}/percent_to"))
        .then(within)
        .otherwise(at_most(ratio((to - from_) * percent + beyond, UNIT, p, ROUNDING), least_of_all))
        .cast(pl.Int64)
    )


def _highest(o: Columns, p: Parameters, upper: pl.Expr) -> pl.Expr:
    """Most that any household owes: the brackets below the highest one, in which it is told."""
    from_, to = p.number(f"{FOLDER}/month_from"), p.number(f"{FOLDER}/month_to")
    low = p.number(f"{FOLDER}/spouse_with_income/low_amount")
    part = at_least(above(o.basis_cents, 3 * from_), 2 * (to - from_))
    within = share(part, p.number(f"{FOLDER}/spouse_with_income/percent"), p, ROUNDING)
    return (
        pl.when(o.basis_cents < p.number(f"{FOLDER}/free_below"))
        .then(0)
        .when(o.basis_cents < p.number(f"{FOLDER}/percent_from"))
        .then(low)
        .when(o.basis_cents <= p.number(f"{FOLDER}/percent_to"))
        .then(at_least(within, low))
        .otherwise(at_most(upper, p.number(f"{FOLDER}/single/maximum")))
        .cast(pl.Int64)
    )


def _of_spouses(o: Columns, p: Parameters) -> pl.Expr:
    """What a household with a spouse owes above the percentage bracket where one month takes all."""
    part = share(_above_month(o, p), p.number(f"{FOLDER}/upper_percent"), p, ROUNDING)
    return p.number(f"{FOLDER}/spouse_with_income/upper_amount") + part


def _above_month(o: Columns, p: Parameters) -> pl.Expr:
    return above(o.basis_cents, p.number(f"{FOLDER}/month_to"))


@quantity(level="contribution", name="highest_cents", scopes=(HOUSEHOLD,), until="2022/1")
def highest_on_one_scale_cents(o: Columns, p: Parameters) -> pl.Expr:
    """Most that any household owes on such a wage, in cents: in the highest bracket the same percentage for all."""
    return _highest(o, p, _of_spouses(o, p))


@quantity(level="contribution", name="highest_cents", scopes=(HOUSEHOLD,), since="2022/2")
def highest_of_two_scales_cents(o: Columns, p: Parameters) -> pl.Expr:
    """Most that any household owes on such a wage, in cents: by the scale of spouses or by that of single persons.

    The scale of single persons has three steps; no euro of a month above the percentage bracket bears more than the
    chord from there to the beginning of the last step. Bound: 2 x 1e11 x 4e7 = 8e18 < 9.2e18.
    """
    from_, to = p.number(f"{FOLDER}/month_from"), p.number(f"{FOLDER}/month_to")
    last_step = p.number(f"{FOLDER}/single/third_step_from")
    rise = p.number(f"{FOLDER}/single/third_step_amount") * UNIT - (to - from_) * p.number(f"{FOLDER}/single/percent")
    chord = ratio(_above_month(o, p) * rise, UNIT * (last_step - to), p, ROUNDING)
    return _highest(o, p, at_least(_of_spouses(o, p), p.number(f"{FOLDER}/single/upper_amount") + chord))


@quantity(level="contribution", scopes=(HOUSEHOLD,))
def owed_by_some_household(o: Columns, p: Parameters) -> pl.Expr:
    """Whether some household owes the declared amount: within the range, a cent of rounding at either end.

    In the lowest bracket there are two amounts alone: that of a spouse with income, and nothing.
    """
    two_amounts = (o.basis_cents < p.number(f"{FOLDER}/percent_from")) & (o.highest_cents > 0)
    return (
        pl.when(two_amounts)
        .then((o.declared_cents == 0) | (o.declared_cents == o.highest_cents))
        .otherwise(o.declared_cents.is_between(o.lowest_cents - 1, o.highest_cents + 1))
    )


@contribution(HOUSEHOLD, codes=("856",))
def special_contribution(o: Columns, p: Parameters) -> pl.Expr:
    """Special contribution, in cents: the only lawful amount, or the declared one if some household owes it."""
    return (
        pl.when(o.lowest_cents == o.highest_cents)
        .then(o.lowest_cents)
        .when(o.owed_by_some_household)
        .then(o.declared_cents)
    )


@not_computable("contribution", level="contribution", reason=reasons.LINE_SHARE_UNKNOWN, scopes=(HOUSEHOLD,))
def wage_of_the_person_is_open(o: Columns, p: Parameters) -> pl.Expr:
    """A line of the person does not say whether its wage counts at 100 or 108 %."""
    return o.lines_of_open_wage > 0


@not_computable("contribution", level="contribution", reason=reasons.OUT_OF_BOUNDS, scopes=(HOUSEHOLD,))
def wage_of_the_person_is_out_of_bounds(o: Columns, p: Parameters) -> pl.Expr:
    """The wage is more than zone 00084 holds."""
    return o.basis_cents.is_null()


@not_computable("contribution", level="contribution", reason=reasons.NO_HOUSEHOLD, scopes=(HOUSEHOLD,))
def no_household_owes_it(o: Columns, p: Parameters) -> pl.Expr:
    """The range has two ends, and the declared amount lies outside it."""
    return (o.lowest_cents != o.highest_cents) & ~o.owed_by_some_household.fill_null(False)
