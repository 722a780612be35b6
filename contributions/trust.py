"""Trust in a figure: A read officially, B one good secondary source or arithmetic from A, C the rest."""

from __future__ import annotations

from typing import Final, Literal

Trust = Literal["A", "B", "C"]
"""Letters order as trust does: A before B before C."""

COMPUTING: Final = ("A", "B")
"""Levels that a caller may ask for; a figure of trust C never computes."""


def lowest(*levels: Trust) -> Trust:
    """The trust of a result that rests on several figures.

    Examples:
        >>> lowest("A", "B"), lowest()
        ('B', 'A')
    """
    return max(levels, default="A")


def enough(level: Trust, asked: Trust) -> bool:
    """Whether a figure may compute when the caller asks for at least `asked`.

    Examples:
        >>> enough("A", "B"), enough("B", "A"), enough("C", "B")
        (True, False, False)
    """
    return level <= asked and level in COMPUTING
