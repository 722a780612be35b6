"""A quarter is read as people and as declarations write it."""

from datetime import date

import pytest

from dmfa.quarter import Quarter


def test_both_written_forms_are_one_quarter() -> None:
    assert Quarter.parse("2026/3") == Quarter.parse("20263") == Quarter.from_code(20263) == Quarter(2026, 3)


@pytest.mark.parametrize("text", ["2026/5", "2026/0", "2026-3", "26/3", "2026", "", "2026/33", "quarter"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="write it as 2026/3"):
        Quarter.parse(text)


def test_first_and_last_day() -> None:
    assert (Quarter(2024, 1).first_day, Quarter(2024, 1).last_day) == (date(2024, 1, 1), date(2024, 3, 31))
    assert (Quarter(2026, 4).first_day, Quarter(2026, 4).last_day) == (date(2026, 10, 1), date(2026, 12, 31))


def test_every_day_of_a_year_lies_in_its_quarter() -> None:
    for ordinal in range(date(2024, 1, 1).toordinal(), date(2025, 1, 1).toordinal()):
        day = date.fromordinal(ordinal)
        quarter = Quarter.of(day)
        assert quarter.first_day <= day <= quarter.last_day


def test_quarters_order_by_time() -> None:
    assert Quarter(2022, 4) < Quarter(2022, 4).next == Quarter(2023, 1)
