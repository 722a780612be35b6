"""Names of answers: unique, sorted by sequence, told apart by environment and part."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dmfa.answers.names import answer_name, environment_of, number_of, sender_of, sequence

LAST = 99_999 + 26 * 36**4
NUMBERS = st.one_of(st.integers(1, LAST), st.integers(99_990, 100_100))


@given(NUMBERS, NUMBERS)
def test_sequences_sort_as_their_numbers_and_can_be_read_back(one: int, other: int) -> None:
    assert (sequence(one) < sequence(other)) == (one < other)
    assert number_of(sequence(one)) == one
    assert len(sequence(one)) == 5


def test_there_are_no_more_sequences_than_signs() -> None:
    assert sequence(LAST) == "ZZZZZ"
    for number in (0, LAST + 1):
        with pytest.raises(ValueError, match="no sequence"):
            sequence(number)


def test_a_name_tells_kind_day_sequence_environment_and_part() -> None:
    day = date(2026, 11, 22)
    assert answer_name("ACRF", day, 1, "R") == "FO.ACRF.999999.20261122.00001.R.1.1"
    assert answer_name("NOTI", day, 123_456, "T", part=2, parts=10) == "FO.NOTI.999999.20261122.A0I3K.T.10.2"


@pytest.mark.parametrize(
    ("name", "sender", "environment"),
    [
        ("FI.DMFA.700001.20261003.00001.R.1.1", "700001", "R"),
        ("box/FI.DMWA.123456.20261003.A0B1C.S.4.3", "123456", "S"),
        ("FI.DMFA.700001.20261003.00001.T", "700001", "T"),
        ("FI.DMFA.85210100257.xml", None, "R"),
        ("85210100257.xml", None, "R"),
        ("FI.DMFA.700001.20261003.00001.X.1.1", None, "R"),
    ],
)
def test_sender_and_environment_come_from_an_official_name_alone(
    name: str, sender: str | None, environment: str
) -> None:
    assert (sender_of(name), environment_of(name)) == (sender, environment)
