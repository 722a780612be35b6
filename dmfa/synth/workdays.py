"""Days of a quarter, kept so that no person asks for them anew."""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from typing import NamedTuple

from dmfa.quarter import Quarter


class Bounds(NamedTuple):
    """First and last day of a quarter."""

    first: date
    last: date


@lru_cache(maxsize=1024)
def bounds(number: int) -> Bounds:
    """The days of a quarter, given as quarters since the year 0.

    Examples:
        >>> bounds(running(Quarter(2026, 3))).last
        datetime.date(2026, 9, 30)
    """
    quarter = Quarter(number // 4, number % 4 + 1)
    return Bounds(quarter.first_day, quarter.last_day)


def running(quarter: Quarter) -> int:
    """A quarter as quarters since the year 0."""
    return quarter.year * 4 + quarter.number - 1


@lru_cache(maxsize=4096)
def weekdays(first: date, last: date) -> int:
    """Mondays to Fridays from one day to another, both included.

    Examples:
        >>> weekdays(date(2026, 7, 1), date(2026, 9, 30))
        66
    """
    days = (last - first).days + 1
    if days <= 0:
        return 0
    weeks, rest = divmod(days, 7)
    return weeks * 5 + sum((first.weekday() + day) % 7 < 5 for day in range(rest))
