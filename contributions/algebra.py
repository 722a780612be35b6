"""Scales, limits and shares over integer columns: the words from which the rules are composed.

Amounts are Int64 cents, fractions Int64 ten-thousandths. Each function says the bound under which it is exact.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from contributions.parameters import Parameters
from dmfa.money import half_up_expr

UNIT: Final = 10_000
"""Ten-thousandths in one: the scale of fractions, factors and percentages."""

LARGEST_AMOUNT: Final = 99_999_999_999
"""Largest amount that a zone holds, in cents (zones 00070, 00084, 00085): below 1e11."""

_ROUNDING: Final = {"half up to the cent": half_up_expr, "half up to two decimals": half_up_expr}


class Columns:
    """The columns of one level, written as attributes: `o.wage_cents` is `pl.col("wage_cents")`."""

    def __getattr__(self, name: str) -> pl.Expr:
        return pl.col(name)


def ratio(top: pl.Expr, bottom: pl.Expr | int, p: Parameters, rounding: str) -> pl.Expr:
    """A quotient rounded as a dated rule says; exact while 2 x top stays below 2**63.

    Null where the bottom is zero, so that no division by zero ever yields an amount.

    Args:
        top: Int64 expression.
        bottom: non-negative Int64 expression, or a positive integer.
        p: the law of the quarter.
        rounding: name of the rounding rule, e.g. `rounding/contribution`.
    """
    rule = _ROUNDING[p.method(rounding)]
    if isinstance(bottom, int):
        return rule(top, bottom)
    return rule(top, pl.when(bottom > 0).then(bottom))


def share(amount: pl.Expr, fraction: pl.Expr | int, p: Parameters, rounding: str) -> pl.Expr:
    """A fraction in ten-thousandths of an amount in cents, rounded.

    Exact for amounts up to 1e13 cents and fractions up to 10 (1e5 ten-thousandths): 2 x 1e13 x 1e5 = 2e18 < 9.2e18.
    """
    return ratio(amount * fraction, UNIT, p, rounding)


def above(amount: pl.Expr, limit: int) -> pl.Expr:
    """The part of an amount above a limit, never negative: (amount - limit)+; null stays null."""
    return (amount - limit).clip(lower_bound=0)


def below(amount: pl.Expr, limit: int) -> pl.Expr:
    """What an amount lacks to a limit, never negative: (limit - amount)+; null stays null."""
    return (limit - amount).clip(lower_bound=0)


def at_most(amount: pl.Expr, limit: pl.Expr | int) -> pl.Expr:
    """The amount, or the limit where that is lower; null where either is null."""
    bound = pl.lit(limit, dtype=pl.Int64) if isinstance(limit, int) else limit
    return pl.when(amount <= bound).then(amount).when(amount > bound).then(bound)


def at_least(amount: pl.Expr, limit: pl.Expr | int) -> pl.Expr:
    """The amount, or the limit where that is higher; null where either is null."""
    bound = pl.lit(limit, dtype=pl.Int64) if isinstance(limit, int) else limit
    return pl.when(amount >= bound).then(amount).when(amount < bound).then(bound)


def within_zone(amount: pl.Expr) -> pl.Expr:
    """The amount, or null where it is more than an amount zone can hold."""
    return pl.when(amount <= LARGEST_AMOUNT).then(amount)
