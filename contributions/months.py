"""The months of worker lines: which wage and paid time is known to be of which month, and what is free among several.

A declaration tells wage and time of each occupation for the quarter. The working days of a month are its Mondays to
Fridays, or Mondays to Saturdays where the week has six days; a full month has them all, in hours so many fifths of the
weekly hours of the reference person. An occupation with working days in one month alone has wage and time in that
month: they are known. Those of any other occupation are free: they lie in the months in which it has working days, in
parts that nobody tells, save that no month holds more time than these days.

Time is in hundredths of a day or an hour, as declared, wages in cents; every array has a row per line and a column per
month. Nothing here is a float.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from contributions.arrays import Holds, Numbers, numbers
from contributions.rules.work_bonus import LARGEST_TIME, LARGEST_WAGE
from dmfa.quarter import Quarter

FIVE_DAYS, SIX_DAYS = 500, 600
"""Working systems (zone 00047) whose full month is known, in hundredths of a day a week."""

_WEEKMASKS: Final = {5: "1111100", 6: "1111110"}

DOUBTS: Final = ("dismissals", "without_hours", "without_system", "without_full_month", "without_time", "beyond")
"""Counts, per line, of what keeps from telling its months."""


@dataclass(frozen=True, slots=True)
class Months:
    """What is known of the months of some lines.

    Attributes:
        wage, open_wage, time: of each month, where known; open wages may belong to the month's wage or not.
        free_wage, free_open_wage, free_time: of each line, free to lie in any month with room.
        room: of each month: most of the free time that it can hold; 0 where no free occupation runs.
        parts: of each month: the same in `week_length`-ths, without rounding.
        full: of each month: full time, in `week_length`-ths of hundredths.
        week_length: of each line: 5 or 6.
        doubts: name of DOUBTS -> its count of each line.
    """

    wage: Numbers
    open_wage: Numbers
    time: Numbers
    free_wage: Numbers
    free_open_wage: Numbers
    free_time: Numbers
    room: Numbers
    parts: Numbers
    full: Numbers
    week_length: Numbers
    doubts: dict[str, Numbers]

    @property
    def runs(self) -> Holds:
        """Whether a free occupation runs in the month."""
        held: Holds = self.parts > 0
        return held

    @property
    def all_known(self) -> Holds:
        """Of each line: whether nothing is free or open."""
        free = self.free_wage + self.free_open_wage + self.free_time + self.open_wage.sum(axis=1)
        known: Holds = free == 0
        return known

    def spread(self) -> tuple[Numbers, Numbers]:
        """Wage and time of each month by the computation of the quarter; open wages left out.

        Free time lies in the months in proportion to the days on which its occupations run, to the hundredth. Free
        wages lie in proportion to that time over a full month, to the cent: whoever works three full months has a
        third in each. What rounding leaves goes to the months in their order.
        """
        free_time = _shares(self.free_time, self.parts)
        full = self.full // np.gcd.reduce(self.full, axis=1, keepdims=True).clip(min=1)
        others = np.stack([full[:, 1] * full[:, 2], full[:, 0] * full[:, 2], full[:, 0] * full[:, 1]], axis=1)
        return self.wage + _shares(self.free_wage, free_time * others), self.time + free_time

    def some(self, rows: Numbers | slice) -> Months:
        """The same for some of the lines."""
        arrays = {one.name: getattr(self, one.name)[rows] for one in fields(self) if one.name != "doubts"}
        return Months(**arrays, doubts={name: one[rows] for name, one in self.doubts.items()})


def _shares(whole: Numbers, weights: Numbers) -> Numbers:
    """A whole number of each line in parts by weights, rounded half up one after the other, so that they add up to it.

    Bound: a wage of 1e9 cents and weights of 1e5 x 27 x 27: 3 x 2 x 7e16 = 4e17 < 9.2e18.
    """
    up_to = np.cumsum(weights, axis=1)
    total = up_to[:, -1:]
    ends = (2 * whole[:, None] * up_to + total) // (2 * total).clip(min=1)
    return np.diff(np.where(total > 0, ends, 0), axis=1, prepend=0)


@lru_cache(maxsize=64)
def _first_days(quarter: Quarter) -> npt.NDArray[np.datetime64]:
    """The first days of the three months and of the one after them."""
    first = np.datetime64(quarter.first_day, "M")
    days: npt.NDArray[np.datetime64] = (first + np.arange(4)).astype("datetime64[D]")
    return days


@lru_cache(maxsize=64)
def working_days(quarter: Quarter, week_length: int) -> tuple[int, int, int]:
    """Days of work in each month of a quarter, for a week of five or six days.

    Examples:
        >>> working_days(Quarter(2026, 3), 5), working_days(Quarter(2026, 3), 6)
        ((23, 21, 22), (27, 26, 26))
    """
    first = _first_days(quarter)
    one, two, three = np.busday_count(first[:-1], first[1:], weekmask=_WEEKMASKS[week_length]).tolist()
    return one, two, three


def of_lines(occupations: pl.DataFrame, line: Numbers, height: int, quarter: Quarter) -> Months:
    """The months of some lines.

    Args:
        occupations: their occupations with month_wages_cents, open_wages_cents, paid_time, system, in_hours,
            excluding_remunerations and the days on which they begin and end.
        line: the row of the line of each.
        height: number of lines.
        quarter: the quarter.
    """
    in_hours = pl.col("in_hours").cast(pl.Boolean)
    found = occupations.select(
        pl.col("month_wages_cents", "open_wages_cents"),
        pl.col("paid_time").fill_null(0),
        hours=in_hours.fill_null(False),
        system=pl.when(pl.col("system") > 0).then("system").otherwise(0),
        dismissals=pl.col("excluding_remunerations") > 0,
        without_hours=pl.col("paid_time").is_null() & in_hours,
        without_system=in_hours.is_null() | (pl.col("system").fill_null(0) == 0),
        empty=(pl.col("month_wages_cents") == 0) & (pl.col("open_wages_cents") == 0) & (pl.col("paid_time") == 0),
    ).fill_null(False)
    # An occupation without wage and time says nothing of the months.
    counts = ~found["empty"].to_numpy()
    if not counts.all():
        found, line, occupations = found.filter(counts), line[counts], occupations.filter(counts)
    wage, open_wage, time, system = (
        numbers(found[name]) for name in ("month_wages_cents", "open_wages_cents", "paid_time", "system")
    )
    hours = found["hours"].to_numpy()
    week_length = np.where(hours | (system != SIX_DAYS), 5, 6)
    runs, days = _running(occupations, week_length, quarter)
    one_month = (runs.sum(axis=1) == 1)[:, None]
    system_of_line, week_of_line, differing = _one_system(system, hours, line, height)
    untold = ~hours & (system != FIVE_DAYS) & (system != SIX_DAYS) | (days.sum(axis=1) == 0) & ~one_month[:, 0]
    doubts = {
        **{name: _summed(found[name].to_numpy().astype(np.int64), line, height) for name in DOUBTS[:3]},
        "without_full_month": _summed((untold | differing).astype(np.int64), line, height),
        "without_time": _summed(((wage > 0) & (time == 0)).astype(np.int64), line, height),
    }
    here = runs * one_month
    free = ~one_month[:, 0]
    in_months = [_summed(value[:, None] * here, line, height) for value in (wage, open_wage, time)]
    of_line = [_summed(value * free, line, height) for value in (wage, open_wage, time)]
    full_days = np.stack([np.array(working_days(quarter, each)) for each in (5, 6)])[week_of_line - 5]
    running = np.minimum(_summed(days * free[:, None], line, height), full_days)
    all_parts = running * system_of_line[:, None]
    room = -(-all_parts // week_of_line[:, None])
    # Time beyond the days on which the occupation runs counts as full time.
    free_time = np.minimum(of_line[2], room.sum(axis=1))
    wages = in_months[0].sum(axis=1) + in_months[1].sum(axis=1) + of_line[0] + of_line[1]
    negative = _summed(((wage < 0) | (open_wage < 0) | (time < 0)).astype(np.int64), line, height) > 0
    too_much = negative | (wages > LARGEST_WAGE) | (in_months[2].sum(axis=1) + of_line[2] > LARGEST_TIME)
    doubts["beyond"] = too_much.astype(np.int64)
    return Months(
        wage=in_months[0],
        open_wage=in_months[1],
        time=in_months[2],
        free_wage=np.minimum(of_line[0], LARGEST_WAGE),
        free_open_wage=np.minimum(of_line[1], LARGEST_WAGE),
        free_time=free_time,
        room=room,
        parts=all_parts,
        full=full_days * system_of_line[:, None],
        week_length=week_of_line,
        doubts=doubts,
    )


def _running(occupations: pl.DataFrame, week_length: Numbers, quarter: Quarter) -> tuple[Numbers, Numbers]:
    """In which months each occupation runs (1 or 0), and on how many of their working days; without dates, in all.

    One without any working day runs in the months of its days.
    """
    edges = _first_days(quarter)
    begin = _days(occupations["occupation_starting_date"], edges[0])
    end = _days(occupations["occupation_ending_date"], edges[-1] - 1)
    if (begin <= edges[0]).all() and (end >= edges[-1] - 1).all() and (week_length == 5).all():
        runs = np.ones((len(begin), 3), np.int64)
        return runs, runs * np.array(working_days(quarter, 5))
    from_ = np.maximum(begin[:, None], edges[:-1])
    to = np.minimum(end[:, None] + 1, edges[1:])
    days = np.where(
        (week_length == 5)[:, None],
        np.busday_count(from_, np.maximum(from_, to), weekmask=_WEEKMASKS[5]),
        np.busday_count(from_, np.maximum(from_, to), weekmask=_WEEKMASKS[6]),
    )
    runs = np.where(days.sum(axis=1, keepdims=True) > 0, days > 0, from_ < to).astype(np.int64)
    return runs, days


def _days(column: pl.Series, none: np.datetime64) -> npt.NDArray[np.datetime64]:
    """Days as an array."""
    days = numbers(column.cast(pl.Int32), int(none.astype(np.int64)))
    return days.astype(np.int64).astype("datetime64[D]")


def _one_system(system: Numbers, hours: Holds, line: Numbers, height: int) -> tuple[Numbers, Numbers, Holds]:
    """System and days of the week of each line, those of its last occupation, and which occupations have another."""
    kind = system * 2 + hours
    of_line = np.full(height, FIVE_DAYS * 2, np.int64)
    of_line[line] = kind
    week = np.where((of_line & 1 == 1) | (of_line >> 1 != SIX_DAYS), 5, 6)
    return of_line >> 1, week, of_line[line] != kind


def _summed(values: Numbers, line: Numbers, height: int) -> Numbers:
    """Sums over the occupations of each line."""
    found = np.zeros((height, *values.shape[1:]), np.int64)
    np.add.at(found, line, values)
    return found
