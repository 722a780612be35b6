"""The law's rounding on exact fractions, apart from the one on integers that it testifies about."""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple


class Ratio(NamedTuple):
    """A fraction as two whole numbers: what is multiplied a million times has no need to be brought to lowest terms."""

    numerator: int
    denominator: int

    @classmethod
    def of(cls, value: Fraction) -> Ratio:
        """The same value."""
        return cls(value.numerator, value.denominator)

    def part(self, whole: int) -> int:
        """This part of a whole number from zero up, half up.

        Examples:
            >>> Ratio(3807, 10_000).part(972_000), Ratio(1, 2).part(5)
            (370040, 3)
        """
        return (2 * whole * self.numerator + self.denominator) // (2 * self.denominator)


def quotient(dividend: int, divisor: int) -> int:
    """The nearest whole number to a division of whole numbers from zero up, halves upwards.

    Examples:
        >>> quotient(5, 2), quotient(249, 100)
        (3, 2)
    """
    return (2 * dividend + divisor) // (2 * divisor)


def half_up(value: Fraction) -> int:
    """The nearest whole number to a fraction from zero up, halves upwards.

    Examples:
        >>> half_up(Fraction(5, 2)), half_up(Fraction(249, 100))
        (3, 2)
    """
    return quotient(value.numerator, value.denominator)


def whole_cents(euros: Fraction) -> int:
    """An amount of euros in cents.

    Raises:
        ValueError: it is no whole number of cents.
    """
    cents = euros * 100
    if cents.denominator != 1:
        raise ValueError(f"{euros} euros are no whole number of cents")
    return cents.numerator
