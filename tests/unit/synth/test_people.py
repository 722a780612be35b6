"""Invented persons: numbers, stability, and ages that suit what they do."""

from __future__ import annotations

from datetime import date

import pytest

from dmfa.quarter import Quarter
from dmfa.synth.people import LARGEST_STAFF, Kind, insz, person

QUARTER = Quarter(2026, 3)


def check_digits_right(text: str, born: date) -> bool:
    """The published rule, on the eleven digits as text."""
    nine = text[:9] if born.year < 2000 else "2" + text[:9]
    return int(text[9:]) == 97 - int(nine) % 97


@pytest.mark.parametrize(
    ("born", "serial", "bis", "expected"),
    [
        # Published or worked by hand: 771015001 leaves 25 by 97, so 72; 2000101001 leaves 92, so 05.
        (date(1977, 10, 15), 1, 0, "77101500172"),
        (date(2000, 1, 1), 1, 0, "00010100105"),
        (date(2005, 12, 31), 123, 0, "05123112338"),
        (date(1985, 1, 1), 2, 20, "85210100257"),
        (date(1985, 1, 1), 2, 40, "85410100203"),
    ],
)
def test_insz_has_the_right_check_digits(born: date, serial: int, bis: int, expected: str) -> None:
    assert f"{insz(born, serial, bis):011d}" == expected


def test_all_persons_of_an_employer_differ_and_are_right() -> None:
    people = [person(3, 17, slot, "white_collar", QUARTER) for slot in range(3_000)]
    assert len({one.insz for one in people}) == 3_000
    assert all(check_digits_right(f"{one.insz:011d}", one.born) for one in people)
    assert {one.born.year >= 2000 for one in people} == {True, False}
    assert any(int(f"{one.insz:011d}"[2:4]) > 12 for one in people), "no bis number among them"


def test_a_slot_keeps_its_person_until_the_next_one_takes_over() -> None:
    quarters = [Quarter(2022, 1)]
    while quarters[-1] < QUARTER:
        quarters.append(quarters[-1].next)
    changes = 0
    for slot in range(40):
        filled = [person(1, 2, slot, "manual", quarter) for quarter in quarters]
        for before, after, quarter in zip(filled, filled[1:], quarters[1:], strict=False):
            if before.insz == after.insz:
                assert before == after
            else:
                changes += 1
                assert before.left < quarter.first_day <= after.hired
        for one, quarter in zip(filled, quarters, strict=True):
            assert one.hired <= quarter.last_day
            assert one.left >= quarter.first_day
    assert 0 < changes < 40 * len(quarters) // 4


@pytest.mark.parametrize(
    ("kind", "youngest", "oldest"),
    [("student", 16, 25), ("apprentice", 15, 18), ("supplemented", 55, 66), ("manual", 19, 66), ("statutory", 19, 66)],
)
def test_ages_suit_the_kind(kind: Kind, youngest: int, oldest: int) -> None:
    for slot in range(300):
        one = person(5, 1, slot, kind, QUARTER)
        assert youngest <= QUARTER.year - one.born.year <= oldest


def test_a_slot_out_of_range_is_refused() -> None:
    with pytest.raises(ValueError, match="at most"):
        person(1, 1, LARGEST_STAFF, "manual", QUARTER)
