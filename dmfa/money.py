"""Amounts in integer cents and the one exact rounding that law prescribes: half up, away from zero."""

from __future__ import annotations

import polars as pl


def half_up(numerator: int, denominator: int) -> int:
    """The integer nearest to a fraction, halves away from zero.

    Args:
        numerator: any integer.
        denominator: a positive integer.

    Examples:
        >>> half_up(5, 2), half_up(-5, 2), half_up(4, 3)
        (3, -3, 1)
    """
    sign = -1 if numerator < 0 else 1
    return sign * ((2 * abs(numerator) + denominator) // (2 * denominator))


def half_up_expr(numerator: pl.Expr, denominator: pl.Expr | int) -> pl.Expr:
    """The same rounding over Int64 columns, exact as long as 2 x numerator stays below 2**63.

    Args:
        numerator: Int64 expression.
        denominator: positive Int64 expression or integer.

    Returns:
        Int64 expression; null where either side is null.
    """
    bottom = pl.lit(denominator, dtype=pl.Int64) if isinstance(denominator, int) else denominator
    magnitude = (2 * numerator.abs() + bottom) // (2 * bottom)
    return pl.when(numerator < 0).then(-magnitude).otherwise(magnitude)


def euro(cents: int) -> str:
    """Cents as people read them.

    Examples:
        >>> euro(123456789), euro(-5)
        ('1,234,567.89', '-0.05')
    """
    whole, rest = divmod(abs(cents), 100)
    return f"{'-' if cents < 0 else ''}{whole:,}.{rest:02d}"
