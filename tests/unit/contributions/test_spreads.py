"""Bounds of a reduction over months: hand-made extremes, and every way of a coarse grid."""

from fractions import Fraction
from itertools import pairwise, product

import numpy as np
import pytest

from contributions.law import law
from contributions.months import Months
from contributions.personal import bonus_tables
from contributions.spreads import SLACK, UNIT, Table, bounds
from dmfa.quarter import Quarter

QUARTERS = [Quarter(year, number) for year in range(2022, 2027) for number in (1, 2, 3, 4)][:-1]
SLOPE = Table((100_000, 200_000), (20_000, 0))


def months(wage=(0, 0, 0), time=(0, 0, 0), free_wage=0, free_time=0, room=(2_000, 2_000, 2_000), open_wage=0):
    """One line whose full months have twenty days."""
    array = np.array
    return Months(
        wage=array([wage]),
        open_wage=array([(0, 0, 0)]),
        time=array([time]),
        free_wage=array([free_wage]),
        free_open_wage=array([open_wage]),
        free_time=array([free_time]),
        room=array([room]),
        parts=array([room]) * 5,
        full=array([[10_000] * 3]),
        week_length=array([5]),
        doubts={},
    )


def found(told, table=SLOPE):
    low, high = bounds(told, [table] * 3, [table] * 3)
    return int(low[0]), int(high[0])


@pytest.mark.parametrize("quarter", QUARTERS, ids=str)
def test_tables_fall_to_zero_and_lie_above_their_chord(quarter):
    for tables in bonus_tables(law(quarter)).values():
        for limits, amounts in tables:
            assert list(limits) == sorted(set(limits))
            assert list(amounts) == sorted(amounts, reverse=True)
            assert amounts[-1] == 0
            chord = [amounts[0] * (limits[-1] - limit) for limit in limits]
            assert all(amount * limits[-1] >= one for amount, one in zip(amounts, chord, strict=True))


def test_full_months_are_exact_but_for_the_rounding():
    # 300,000 on three full months. Most: 100,000 in each, three whole amounts. Least: 200,000 leave nothing in one
    # month, and 100,000 or less the whole amount in the two others.
    low, high = found(months(free_wage=300_000, free_time=6_000))
    slack = 3 * SLACK // UNIT
    assert (low, high) == (40_000 - slack, 60_000 + slack)


def test_below_the_first_limit_nothing_can_vary():
    assert found(months(free_wage=100_000, free_time=6_000)) == (60_000, 60_000)


def test_known_wages_stay_in_their_month():
    # The first month has 200,000 for certain, the others share 100,000: both have the whole amount.
    told = months((200_000, 0, 0), (2_000, 0, 0), 100_000, 4_000, (0, 2_000, 2_000))
    assert found(told) == (40_000, 40_000)


def test_pay_that_may_count_or_not_widens_the_bounds():
    told = months((100_000, 0, 0), (2_000, 0, 0), 0, 0, (2_000, 0, 0), 50_000)
    slack, (low, high) = SLACK // UNIT, found(told)
    # A hundredth of a cent that a straight line lacks is a cent here.
    assert (low, high) == (10_000 - slack - 1, 20_000 + slack)


def test_free_time_has_the_chord_below_and_the_filled_months_above():
    # Half of the time of three months and 150,000: from below 1.5 x 20,000 - 150,000 x 20,000 / 200,000.
    low, high = found(months(free_wage=150_000, free_time=3_000))
    slack = 3 * (SLACK // UNIT + 20_000 // 200)
    assert (low, high) == (15_000 - slack, 30_000 + slack)


def test_without_time_there_is_nothing():
    assert found(months(free_wage=150_000)) == (0, 0)


def of_a_full_month(wage, table):
    """R between the limits of a table."""
    limits, amounts = (0, *table.limits), (table.amounts[0], *table.amounts)
    for (from_, before), (to, after) in pairwise(zip(limits, amounts, strict=True)):
        if wage <= to:
            return before + Fraction(after - before) * (wage - from_) / (to - from_)
    return 0


@pytest.mark.parametrize("quarter", [Quarter(2022, 3), Quarter(2023, 4), Quarter(2025, 1), Quarter(2026, 3)], ids=str)
@pytest.mark.parametrize("wage", [500_000, 690_000, 800_000, 900_000, 1_200_000])
def test_extremes_of_full_months_are_those_of_a_grid_with_every_corner(quarter, wage):
    tables = bonus_tables(law(quarter))[False]
    low, high = bounds(months(free_wage=wage, free_time=6_000), tables, tables)
    limits = {limit for table in tables for limit in (0, *table.limits)}
    rest = {wage - one - two for one, two in product(limits, repeat=2)}
    points = [point for point in {*limits, *rest, *range(0, wage, 90_000)} if 0 <= point <= wage]
    given = [{point: of_a_full_month(point, table) for point in points} for table in tables[:2]]
    ways = [
        given[0][one] + given[1][two] + of_a_full_month(wage - one - two, tables[2])
        for one, two in product(points, repeat=2)
        if one + two <= wage
    ]
    assert min(ways) - 20 <= low[0] <= min(ways)
    assert max(ways) <= high[0] <= max(ways) + 20
