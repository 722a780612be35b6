"""The work bonus once more, in plain Python and fractions; as `tests.oracle`, on its own.

An occupation is (first day, last day, system, hours, wage, time): the system in days a week or weekly hours of full
time, `hours` whether time is in hours, the wage in cents and the time in days or hours as fractions.
"""

from __future__ import annotations

from datetime import date, timedelta
from fractions import Fraction
from functools import cache
from itertools import pairwise
from math import floor
from typing import NamedTuple

import yaml

from tests.oracle import FACTS, cent, two_decimals

Month = tuple[int, Fraction]
"""Wage of a month in cents, and its time."""


class Occupation(NamedTuple):
    """One occupation of a line in a quarter."""

    first: date
    last: date
    system: Fraction
    hours: bool
    wage: int
    time: Fraction


@cache
def _file(name: str) -> dict[date, dict[str, str]]:
    path = FACTS / "parameters" / "work_bonus" / f"{name}.yaml"
    found: dict[date, dict[str, str]] = yaml.safe_load(path.read_text(encoding="utf-8"))["values"]
    return found


@cache
def figure(name: str, day: date) -> Fraction | None:
    """A figure of a day in cents or as it stands, None where there is none of trust A or B."""
    held = None
    for since, entry in _file(name).items():
        if since <= day:
            held = entry
    if held is None or held["value"] is None or held["trust"] == "C":
        return None
    return Fraction(held["value"]) * (1 if name.endswith("slope") else 100)


@cache
def months_of(quarter: int) -> tuple[tuple[date, date], ...]:
    """First and last day of each month of a quarter."""
    first = [date(quarter // 10, 3 * (quarter % 10) - 2 + k, 1) for k in range(3)]
    after = date(first[2].year + first[2].month // 12, first[2].month % 12 + 1, 1)
    return tuple(zip(first, [day - timedelta(1) for day in (*first[1:], after)], strict=True))


@cache
def working_days(first: date, last: date, week: int) -> int:
    """Days of work from one day to another, in a week of five or six days."""
    days = (first + timedelta(number) for number in range((last - first).days + 1))
    return sum(day.weekday() < week for day in days)


def full_month(quarter: int, month: int, one: Occupation) -> Fraction:
    """Days or hours of a full month."""
    return _share_of_days(quarter, month, one, *months_of(quarter)[month])


def _share_of_days(quarter: int, month: int, one: Occupation, first: date, last: date) -> Fraction:
    if one.hours:
        return one.system * working_days(first, last, 5) / 5
    return Fraction(working_days(first, last, int(one.system)))


def room(quarter: int, month: int, one: Occupation) -> Fraction:
    """Most time that an occupation can have in a month."""
    first, last = months_of(quarter)[month]
    return _share_of_days(quarter, month, one, max(first, one.first), min(last, one.last))


def runs(quarter: int, month: int, one: Occupation) -> bool:
    """Whether an occupation runs in a month: has working days there, or any day where it has no working day at all."""
    first, last = months_of(quarter)[month]
    if any(room(quarter, each, one) for each in range(3)):
        return room(quarter, month, one) > 0
    return one.first <= last and one.last >= first


def full_parts(quarter: int, month: int, at: str, wage: int) -> tuple[int, int] | None:
    """Components A and B of a full month in cents, A alone where there is one; None without figures."""
    day = months_of(quarter)[month][0]
    lower, middle, upper = (figure(f"{name}_limit", day) for name in ("lower", "middle", "upper"))
    if lower is None or upper is None:
        return None

    def part(name: str, begins: Fraction, ends: Fraction) -> int:
        most, slope = figure(f"{at}/{name}_maximum", day), figure(f"{at}/{name}_slope", day)
        assert most is not None and slope is not None
        return 0 if wage >= ends else max(0, cent(most - slope * max(Fraction(0), wage - begins)))

    if quarter < 20233:
        return part("single", lower, upper), 0
    assert middle is not None
    if quarter < 20242:
        return part("low" if wage <= middle else "high", lower, upper), 0
    return part("a", middle, upper), part("b", lower, middle)


def month_parts(quarter: int, month: int, at: str, told: Month, full: Fraction) -> tuple[int, int] | None:
    """Components of a month with some wage and time."""
    wage, time = told
    if time == 0:
        return 0, 0
    parts = full_parts(quarter, month, at, cent(wage * full / time))
    if parts is None:
        return None
    fraction = min(two_decimals(time / full), Fraction(1))
    return cent(parts[0] * fraction), cent(parts[1] * fraction)


def of_months(quarter: int, at: str, months: list[Month], full: list[Fraction]) -> int | None:
    """The bonus of a quarter whose months are told, in cents; None without figures."""
    parts = [month_parts(quarter, k, at, months[k], full[k]) for k in range(3)]
    return None if None in parts else sum(sum(one) for one in parts if one)


def spread(quarter: int, occupations: list[Occupation]) -> list[Month]:
    """The months by the computation of the quarter."""
    wages, times = [0, 0, 0], [Fraction(0)] * 3
    free = [one for one in occupations if sum(runs(quarter, k, one) for k in range(3)) > 1]
    for one in occupations:
        if one not in free:
            month = next(k for k in range(3) if runs(quarter, k, one))
            wages[month] += one.wage
            times[month] += one.time
    if free:
        full = [full_month(quarter, k, free[0]) for k in range(3)]
        share = full[0] / working_days(*months_of(quarter)[0], 6 if free[0].system == 6 and not free[0].hours else 5)
        days = [min(sum((room(quarter, k, one) for one in free), Fraction(0)), full[k]) / share for k in range(3)]
        most = sum(Fraction(-floor(-days[k] * share * 100), 100) for k in range(3))
        time = min(sum((one.time for one in free), Fraction(0)), most)
        own = [Fraction(one, 100) for one in _in_parts(time * 100, days)]
        for k in range(3):
            times[k] += own[k]
        for k, wage in enumerate(_in_parts(sum(one.wage for one in free), [own[k] / full[k] for k in range(3)])):
            wages[k] += wage
    return list(zip(wages, times, strict=True))


def _in_parts(whole: Fraction | int, weights: list[Fraction]) -> list[int]:
    """A whole number in parts by weights, each end rounded half up."""
    total, found, up_to = sum(weights), [0], Fraction(0)
    for weight in weights:
        up_to += weight
        found.append(cent(Fraction(whole) * up_to / total) if total else 0)
    return [after - before for before, after in pairwise(found)]
