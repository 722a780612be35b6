"""Wage limit of the basic employer contribution, deduction 1360 of a worker line: nothing is due above it.

The contribution itself stays at its rate; what it takes above the limit is given back as a deduction. The effect on
wage moderation is not confirmed, and the sources give the base rate alone.
Source: law of 29 June 1981, art. 38; royal decree of 2 July 2025; deduction rates of the NSSO, 2026/3.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from contributions import reasons
from contributions.algebra import UNIT, Columns, above, share
from contributions.parameters import Parameters
from contributions.rules.registry import not_computable, quantity, reduction, total

WAGE_LIMIT: Final = "1360"
LIMIT: Final = "basic_contribution/quarterly_wage_limit"


@total(level="line", of="remun", scopes=(WAGE_LIMIT,), since="2025/3")
def remuneration_not_for_work(r: Columns, p: Parameters) -> pl.Expr:
    """How many rows carry remuneration that is not for work of the quarter: dismissal, leaving holiday pay."""
    return r.remun_code.is_in(p.codes("basic_contribution/remuneration_not_for_work")).cast(pl.Int64)


@quantity(level="line", scopes=(WAGE_LIMIT,), since="2025/3")
def may_exceed_the_limit(o: Columns, p: Parameters) -> pl.Expr:
    """Whether the wage is above the limit at 100 or at 108 %; null where it is beyond every zone."""
    wage = pl.when(o.ordinary_wage_cents <= 10**13).then(o.ordinary_wage_cents)
    return wage * p.number("basis/holiday_scheme") > p.number(LIMIT) * UNIT


@reduction(WAGE_LIMIT, level="line", scopes=(WAGE_LIMIT,), since="2025/3")
def above_the_limit_cents(o: Columns, p: Parameters) -> pl.Expr:
    """Reduction, in cents: (wage of the line - limit)+ x base rate of its ordinary contribution, half up.

    Reads ordinary_wage_cents and base_rate, in ten-thousandths.
    """
    return share(above(o.ordinary_wage_cents, p.number(LIMIT)), o.base_rate.fill_null(0), p, "rounding/reduction")


@not_computable(WAGE_LIMIT, level="line", reason=reasons.OUT_OF_BOUNDS, scopes=(WAGE_LIMIT,), since="2025/3")
def line_wage_is_out_of_bounds(o: Columns, p: Parameters) -> pl.Expr:
    """The wage is more than any line can have."""
    return o.may_exceed_the_limit.is_null()


@not_computable(WAGE_LIMIT, level="line", reason=reasons.LIMIT_SHARE_OPEN, scopes=(WAGE_LIMIT,), since="2025/3")
def share_of_the_limit_is_open(o: Columns, p: Parameters) -> pl.Expr:
    """Whether the limit is compared with the wage at 100 or at 108 % is not confirmed."""
    return o.may_exceed_the_limit & (o.line_share.fill_null(0) != p.number("basis/full_wage"))


@not_computable(WAGE_LIMIT, level="line", reason=reasons.RIGHT_NOT_DECLARED, scopes=(WAGE_LIMIT,), since="2025/3")
def wage_is_not_all_for_work(o: Columns, p: Parameters) -> pl.Expr:
    """Which part of the wage is for work of the quarter is open."""
    return o.may_exceed_the_limit & (o.remuneration_not_for_work > 0)


@not_computable(WAGE_LIMIT, level="line", reason=reasons.RATE_INCOMPLETE, scopes=(WAGE_LIMIT,), since="2025/3")
def base_rate_is_open(o: Columns, p: Parameters) -> pl.Expr:
    """The line has no ordinary contribution whose base rate is known."""
    return o.may_exceed_the_limit & o.base_rate.is_null()
