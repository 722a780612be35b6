"""The law's rounding on exact fractions, apart from the one on integers that it testifies about."""

from __future__ import annotations

from fractions import Fraction


def half_up(value: Fraction) -> int:
    """The nearest whole number to a fraction from zero up, halves upwards.

    Examples:
        >>> half_up(Fraction(5, 2)), half_up(Fraction(249, 100))
        (3, 2)
    """
    return (2 * value.numerator + value.denominator) // (2 * value.denominator)


def hundredths(value: Fraction) -> Fraction:
    """A fraction rounded half up to two decimals.

    Examples:
        >>> hundredths(Fraction(65, 66))
        Fraction(49, 50)
    """
    return Fraction(half_up(value * 100), 100)
