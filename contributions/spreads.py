"""Bounds of a reduction over months: the least and the most that it can be, however a quarter lies on its months.

A month with wage w and a fraction f of full time gives g(w, f) = f x R(w / f). R is whole up to a first limit, falls in
straight pieces to zero at the last one and stays there: g falls with w, rises with f, and is linear between the rays
w = limit x f. Free wages and free time may lie on the months in any way, as long as no month holds more time than the
days on which its occupations run: the extremes over all ways are looked for.

*Wages.* For fixed fractions the sum over three months is piecewise linear in the wages, which fill a simplex. Such a
sum takes its extremes at a corner of a piece, and in a corner all months but one are at a limit (or have no free wage):
each month in turn takes the rest, and the limits of the two others are tried out. That is exact.

*Time.* Each fraction lies between the part of the free time that no other month can hold and the part that fills the
month. As g rises with f, the extremes at the least fractions bound the sum from below and those at the greatest from
above; where all time is known or fills the months, as for full-timers without absence, both are the very fractions. Two
more bounds are close where time is loose. From above: g(w, f) <= f x R(0), and so the sum is at most that of the time
filled in where a unit of it yields most. From below: R lies on or above the chord from R(0) at no wage to zero at the
last limit, so that g(w, f) >= f x R(0) - w x R(0) / limit, and the sum is at least that of the time filled in where it
yields least, less the whole wage times the steepest chord. The higher of the lower bounds and the lower of the upper
ones are taken.

*Rounding.* S, R, P and the fraction are rounded month by month: a fraction of two decimals moves P by at most
R(0) / 200 and everything else, with the few cents by which the pieces of an official table do not meet, by less than
SLACK. The bounds are widened by that, and not where all months are at a flat part of R with a whole fraction.

Wages are cents times UNIT, fractions are millionths rounded outwards: integers throughout.
"""

from __future__ import annotations

from itertools import pairwise, product
from typing import Final, NamedTuple

import numpy as np
import polars as pl

from contributions.arrays import Holds, Numbers, numbers
from contributions.months import Months
from contributions.places import kept

UNIT: Final = 1_000_000
SLACK: Final = 6 * UNIT
"""Most that rounding moves the amount of a month, the fraction apart: six cents."""

_AT_ONCE: Final = 1 << 13
"""Lines tried out together: few enough to stay near the processor."""

_BITS: Final = 24

_CHORD_WAGE: Final = 10**7
"""A hundred thousand euro in a quarter: the chord is far below zero from there on, and products stay exact below it."""


class Table(NamedTuple):
    """R of one month: limits in cents, rising, and the amount at each, in cents; zero at the last one."""

    limits: tuple[int, ...]
    amounts: tuple[int, ...]


Group = tuple[Holds, list[Table], list[Table]]
"""Which lines have the same tables, and R of each month for the least and for the most."""


def bounds(months: Months, lowest: list[Table], highest: list[Table]) -> tuple[Numbers, Numbers]:
    """The least and the most of a reduction, in cents, for lines that have the same tables.

    Args:
        months: of the lines.
        lowest: R of each month for the least amount: where the law leaves open which of two holds, the lower.
        highest: R of each month for the most.

    Returns:
        Two arrays with a number for each line, neither negative.
    """
    height = len(months.free_time)
    least, most = np.zeros(height, np.int64), np.zeros(height, np.int64)
    for start in range(0, height, _AT_ONCE):
        part = slice(start, min(start + _AT_ONCE, height))
        least[part], most[part] = _bounds(months.some(part), lowest, highest)
    return least, most


def between(known: Months, groups: list[Group], most_of_all: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Bounds of each line, at most a further amount; null where both are the same, and for lines of no group."""
    height = len(most_of_all)
    least, most = np.zeros(height, np.int64), np.zeros(height, np.int64)
    ceiling = numbers(most_of_all)
    for holds, low, high in groups:
        rows = np.flatnonzero(holds)
        if len(rows):
            found = bounds(known.some(rows), low, high)
            least[rows], most[rows] = (np.minimum(one, ceiling[rows]) for one in found)
    differ = pl.Series(least != most)
    return kept(pl.Series(least), differ), kept(pl.Series(most), differ)


def _bounds(months: Months, lowest: list[Table], highest: list[Table]) -> tuple[Numbers, Numbers]:
    little, much = _time(months)
    low, high = (
        (little * months.week_length[:, None] * UNIT // months.full.clip(min=1)).clip(max=UNIT),
        (-(-much * months.week_length[:, None] * UNIT // months.full.clip(min=1))).clip(max=UNIT),
    )
    runs = months.runs
    all_wages = months.wage + months.open_wage
    least = _extreme(_Wages(all_wages, months.free_wage + months.free_open_wage, runs), low, lowest, np.minimum)
    most = _extreme(_Wages(months.wage, months.free_wage, runs), high, highest, np.maximum)
    loose = np.flatnonzero((low != high).any(axis=1))
    if len(loose):
        some = months.some(loose)
        wages = all_wages[loose].sum(axis=1) + (some.free_wage + some.free_open_wage)
        least[loose] = np.maximum(least[loose], _chord(some, little[loose], much[loose], wages, lowest))
        filled = _filled(some, little[loose], much[loose], highest, 1)
        most[loose] = np.minimum(most[loose], filled)
    partial = (high > 0) & ((low != UNIT) | (high != UNIT))
    slack = (high > 0).sum(axis=1) * SLACK + (partial * [table.amounts[0] * (UNIT // 200) for table in highest]).sum(1)
    slack[(least == most) & ~partial.any(axis=1)] = 0
    return ((least - slack) // UNIT).clip(min=0), -(-(most + slack) // UNIT)


def _time(months: Months) -> tuple[Numbers, Numbers]:
    """Least and most time of each month."""
    free = months.free_time[:, None]
    elsewhere = months.room.sum(axis=1, keepdims=True) - months.room
    return months.time + (free - elsewhere).clip(min=0), months.time + np.minimum(months.room, free)


class _Wages(NamedTuple):
    """Known wages of each month, the free wage of each line, in cents, and whether a month can have some of it."""

    known: Numbers
    free: Numbers
    runs: Holds


class _Month:
    """The amount g of one month for fixed fractions: the whole amount less what each straight piece has fallen.

    A fall is so many times 2**-24 for each unit of the wage, rounded up, and no amount is below the last one: flat
    parts are exact, and a straight line is off by less than a hundredth of a cent. Bound: a piece is at most 1e5 cents
    x UNIT wide; 1e11 units times a fall of 1 / 2 are 1e18, and a step of a cent falls by far less than 9e18 / 1e6.
    """

    def __init__(self, fraction: Numbers, table: Table) -> None:
        limits, amounts = table
        self.rays = [limit * fraction for limit in limits]
        self._whole, self._last = amounts[0] * fraction, amounts[-1] * fraction
        self._pieces = [
            (self.rays[place], (to - from_) * fraction, -((after - before << _BITS) // (to - from_)))
            for place, ((from_, before), (to, after)) in enumerate(pairwise(zip(limits, amounts, strict=True)))
        ]

    def amount(self, wage: Numbers) -> Numbers:
        """The amount for wages in cents x UNIT."""
        found = self._whole
        for start, width, fall in self._pieces:
            found = found - (np.minimum(np.maximum(wage - start, 0), width) * fall >> _BITS)
        return np.maximum(found, self._last)


def _extreme(wages: _Wages, fraction: Numbers, tables: list[Table], better: np.ufunc) -> Numbers:
    """The extreme over all ways to lay the free wage on the months, for fixed fractions.

    Of the limits, the first cannot make the least amount, nor the last one the most: below the first and above the last
    nothing changes, so that another month may as well have more, or less, of the wage.

    Args:
        wages: of the lines.
        fraction: of each month.
        tables: R of each month.
        better: np.minimum or np.maximum.
    """
    base, left, runs = wages.known * UNIT, wages.free * UNIT, wages.runs
    least = better is np.minimum
    months = [_Month(fraction[:, place], table) for place, table in enumerate(tables)]
    corners: list[list[tuple[Numbers, Numbers]]] = []
    for place, month in enumerate(months):
        own, can = base[:, place], runs[:, place]
        rays = month.rays[1:] if least else month.rays[:-1]
        points = [own, *(np.where(can, np.maximum(own, ray), own) for ray in rays)]
        corners.append([(each - own, month.amount(each)) for each in points])
    worst = np.iinfo(np.int64).max if least else -1
    found: Numbers = np.full(len(left), worst)
    for rest, month in enumerate(months):
        one, two = (place for place in range(3) if place != rest)
        holds = runs[:, rest] | (left == 0)
        for (first, amount), (second, other) in product(corners[one], corners[two]):
            over = left - first - second
            value = month.amount(base[:, rest] + over) + amount + other
            found = better(found, np.where(holds & (over >= 0), value, worst))
    return found


def _filled(months: Months, little: Numbers, much: Numbers, tables: list[Table], sign: int) -> Numbers:
    """The whole amount of all time, filled in where a unit of it yields most (sign 1) or least (-1), cents x UNIT."""
    time, left = little.copy(), months.time.sum(axis=1) + months.free_time - little.sum(axis=1)
    yields = np.stack([table.amounts[0] * UNIT // months.full[:, k].clip(min=1) for k, table in enumerate(tables)], 1)
    for month in np.argsort(-sign * yields, axis=1, kind="stable").T:
        rows = np.arange(len(left))
        added = np.minimum(left, much[rows, month] - little[rows, month])
        time[rows, month] += added
        left = left - added
    numerator = time * months.week_length[:, None] * UNIT
    full = months.full.clip(min=1)
    fraction = (-(-numerator // full) if sign > 0 else numerator // full).clip(max=UNIT)
    found: Numbers = (fraction * [table.amounts[0] for table in tables]).sum(axis=1)
    return found


def _chord(months: Months, little: Numbers, much: Numbers, wages: Numbers, tables: list[Table]) -> Numbers:
    """The bound from below by the chord of R, in cents x UNIT."""
    paid = np.minimum(wages, _CHORD_WAGE) * UNIT
    steepest = np.max([-(-paid * table.amounts[0] // table.limits[-1]) for table in tables], axis=0)
    found: Numbers = _filled(months, little, much, tables, -1) - steepest
    return found.clip(min=0)
