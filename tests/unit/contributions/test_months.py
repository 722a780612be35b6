"""The months of lines: what is known of them, what is free, and how the computation of the quarter lays it on them."""

from datetime import date

import numpy as np
import polars as pl
import pytest

from contributions.months import of_lines, working_days
from dmfa.quarter import Quarter

QUARTER = Quarter(2026, 3)


def months_of(*occupations, lines=None, quarter=QUARTER):
    """Months of occupations given as (from, to, wage, time) with perhaps more; one line unless told."""
    rows = []
    for from_, to, wage, time, *more in occupations:
        row = {"occupation_starting_date": from_, "occupation_ending_date": to, "month_wages_cents": wage}
        row |= {
            "paid_time": time,
            "system": 500,
            "in_hours": False,
            "open_wages_cents": 0,
            "excluding_remunerations": 0,
        }
        rows.append(row | (more[0] if more else {}))
    kinds = {"occupation_starting_date": pl.Date, "occupation_ending_date": pl.Date, "in_hours": pl.Boolean}
    frame = pl.DataFrame(rows, schema_overrides=kinds)
    line = np.array(lines or [0] * len(rows))
    return of_lines(frame, line, int(line.max()) + 1, quarter)


@pytest.mark.parametrize(
    ("quarter", "five", "six"),
    [(Quarter(2026, 3), (23, 21, 22), (27, 26, 26)), (Quarter(2024, 1), (23, 21, 21), (27, 25, 26))],
)
def test_working_days_of_each_month(quarter, five, six):
    assert working_days(quarter, 5) == five
    assert working_days(quarter, 6) == six


def test_an_occupation_of_one_month_is_known_and_any_other_is_free():
    found = months_of((date(2026, 8, 3), date(2026, 8, 28), 200_000, 2_000), (None, date(2026, 8, 2), 230_100, 2_200))
    assert found.wage.tolist() == [[230_100, 200_000, 0]]
    assert found.all_known.tolist() == [True]
    found = months_of((None, None, 900_000, 6_600))
    assert (found.free_wage.tolist(), found.free_time.tolist()) == ([900_000], [6_600])
    assert found.room.tolist() == [[2_300, 2_100, 2_200]]
    assert found.all_known.tolist() == [False]


def test_three_full_months_have_a_third_each_and_broken_ones_by_their_fraction():
    wage, time = months_of((None, None, 900_000, 6_600)).spread()
    assert (wage.tolist(), time.tolist()) == ([[300_000] * 3], [[2_300, 2_100, 2_200]])
    # From 17 July on: 11 of 23 days, then 21 and 22: fractions 11/23, 1 and 1 of 2 + 11/23 = 57/23.
    wage, time = months_of((date(2026, 7, 17), None, 570_000, 5_400)).spread()
    assert (wage.tolist(), time.tolist()) == ([[110_000, 230_000, 230_000]], [[1_100, 2_100, 2_200]])


def test_absence_lies_on_all_days_alike():
    # 33 of 66 days: half of each month's days, to the hundredth.
    wage, time = months_of((None, None, 300_000, 3_300)).spread()
    assert (wage.tolist(), time.tolist()) == ([[100_000] * 3], [[1_150, 1_050, 1_100]])


def test_what_rounding_leaves_goes_to_the_months_in_their_order():
    wage, _ = months_of((None, None, 100, 6_600)).spread()
    assert wage.tolist() == [[33, 34, 33]]


def test_time_beyond_the_days_counts_as_full_time():
    found = months_of((None, None, 900_000, 7_000))
    assert found.free_time.tolist() == [6_600]


def test_hours_are_fifths_of_the_weekly_hours():
    hours = {"system": 3_800, "in_hours": True}
    found = months_of((None, None, 450_000, 25_080, hours))
    assert (found.full / found.week_length).tolist() == [[17_480, 15_960, 16_720]]
    assert found.spread()[1].tolist() == [[8_740, 7_980, 8_360]]


def test_a_weekend_between_two_months_alone_tells_no_month():
    # 1 and 2 August 2026 are a Saturday and a Sunday, 31 July is a Friday.
    alone = months_of((date(2026, 8, 1), date(2026, 8, 2), 10_000, 100))
    assert (alone.wage.tolist(), alone.doubts["without_full_month"].tolist()) == ([[0, 10_000, 0]], [0])
    # 31 May 2026 is a Sunday, and so is 30 May a Saturday: in the second quarter they lie in May.
    between = months_of((date(2026, 1, 31), date(2026, 2, 1), 10_000, 100), quarter=Quarter(2026, 1))
    assert between.doubts["without_full_month"].tolist() == [1]


def test_days_outside_the_quarter_tell_no_month():
    found = months_of((date(2026, 3, 1), date(2026, 4, 30), 10_000, 100))
    assert found.doubts["without_full_month"].tolist() == [1]


def test_lines_are_kept_apart():
    found = months_of((None, None, 900_000, 6_600), (date(2026, 9, 1), None, 200_000, 2_200), lines=[1, 0])
    assert found.wage.tolist() == [[0, 0, 200_000], [0, 0, 0]]
    assert found.free_wage.tolist() == [0, 900_000]
