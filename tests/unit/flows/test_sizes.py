"""Classes of employers: too few persons are told with their neighbours, and no employer or person is lost."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from flows.report.queries import FEW_PERSONS, SIZES, Size, classes_of


def test_a_small_class_is_told_with_the_next_ones() -> None:
    found = classes_of({1: (1, 2), 10: (1, 12)})
    assert found[0] == Size(1, 19, 2, 14)
    assert [size.least for size in found] == [1, *SIZES[3:]]


def test_five_persons_stand_by_themselves() -> None:
    assert classes_of({1: (2, 5), 10: (1, 12)})[:2] == [Size(1, 4, 2, 5), Size(5, 9, 0, 0)]


@given(st.dictionaries(st.sampled_from(SIZES), st.integers(1, 3)))
def test_nothing_is_lost_and_no_class_is_small(employers: dict[int, int]) -> None:
    held = {least: (number, number * least) for least, number in employers.items()}
    found = classes_of(held)
    persons = sum(size.persons for size in found)
    assert persons == sum(number for _, number in held.values())
    assert sum(size.employers for size in found) == sum(employers.values())
    assert all(before.most == after.least - 1 for before, after in pairwise(found))
    assert found[0].least == SIZES[0]
    assert found[-1].most is None
    if persons >= FEW_PERSONS:
        assert not [size for size in found if 0 < size.persons < FEW_PERSONS]
