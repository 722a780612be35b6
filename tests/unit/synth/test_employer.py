"""Invented employers: numbers, sizes and staff."""

from __future__ import annotations

from itertools import pairwise
from statistics import mean, median

import pytest

from dmfa.quarter import Quarter
from dmfa.synth.employer import MOST_EMPLOYERS, employer, size, staff, usual_size
from dmfa.synth.people import LARGEST_STAFF, Person
from dmfa.synth.trades import TRADES

QUARTER = Quarter(2026, 3)


def test_numbers_have_right_check_digits_and_no_two_employers_share_one() -> None:
    many = [employer(9, index) for index in range(2_000)]
    for who in many:
        noss, enterprise = f"{who.noss_registration_nbr:09d}", f"{who.company_id:010d}"
        assert int(noss[7:]) == 96 - int(noss[:7] + "00") % 97
        assert int(noss) <= 199_999_934
        assert int(enterprise[8:]) == 97 - int(enterprise[:8]) % 97
        assert enterprise[0] == "1"
        for unit in who.local_units:
            assert "2" <= str(unit)[0] <= "8"
            assert unit % 100 == 97 - unit // 100 % 97
    assert len({who.noss_registration_nbr for who in many}) == 2_000
    assert len({who.company_id for who in many}) == 2_000
    units = [unit for who in many for unit in who.local_units]
    assert len(set(units)) == len(units)


def test_sizes_of_a_national_quarter_have_a_heavy_tail() -> None:
    """Of 240,000 employers half have at most three workers, the mean is 17, and some have more than 10,000."""
    sizes = [usual_size(7, index) for index in range(240_000)]
    assert median(sizes) == 3
    assert 16 < mean(sizes) < 18.5
    assert 3 <= sum(one > 10_000 for one in sizes) <= 20
    assert 100 < sum(one > 1_000 for one in sizes) < 250
    assert max(sizes) <= LARGEST_STAFF
    # The few large ones have a good part of all workers.
    assert 0.08 < sum(one for one in sizes if one > 1_000) / sum(sizes) < 0.30


def test_sizes_grow_with_the_draw_up_to_the_cap() -> None:
    """The power law goes on where the lognormal law ends, at 1,000 workers."""
    sizes = [size(1 - 0.97**step, LARGEST_STAFF) for step in range(900)]
    assert sizes == sorted(sizes)
    steps = [after / before for before, after in pairwise(sizes) if before > 500]
    assert max(steps) < 1.06
    assert max(size(draw / 1000, 40) for draw in range(1000)) == 40


def test_the_same_seed_gives_the_same_employer_and_another_seed_another() -> None:
    assert employer(1, 5) == employer(1, 5)
    assert employer(1, 5).noss_registration_nbr != employer(2, 5).noss_registration_nbr
    assert employer(1, 5, cap=2).noss_registration_nbr == employer(1, 5).noss_registration_nbr


def workforce(quarter: Quarter) -> dict[int, list[Person]]:
    return {index: list(staff(1, employer(1, index, 300), quarter)) for index in range(400)}


def test_staff_of_two_quarters() -> None:
    """Nobody comes or goes without a day: who is new was hired in the quarter, who is missing left before it."""
    before, now = workforce(Quarter(2026, 2)), workforce(QUARTER)
    first, last = Quarter(2026, 2).last_day, QUARTER.first_day
    stayed = joined = gone = 0
    for index, people in now.items():
        # A second job is counted where the main job is: its holder may change without a day.
        old = {one.insz: one for one in before[index] if one.kind != "flexi"}
        new = {one.insz: one for one in people if one.kind != "flexi"}
        stayed += len(old.keys() & new.keys())
        joined += len(new.keys() - old.keys())
        gone += len(old.keys() - new.keys())
        assert all(new[one].hired >= last for one in new.keys() - old.keys())
        assert all(old[one].left <= first for one in old.keys() - new.keys())
        assert all(old[one].hired == new[one].hired for one in old.keys() & new.keys())
        assert people
    assert 0.02 < joined / (stayed + joined) < 0.12
    assert 0.02 < gone / (stayed + gone) < 0.12


def test_staff_of_a_quarter_differs_a_little_from_the_usual() -> None:
    now = workforce(QUARTER)
    usual = sum(employer(1, index, 300).usual_size for index in now)
    assert 0.9 < sum(map(len, now.values())) / usual < 1
    assert all(one.hired <= min(one.left, QUARTER.last_day) for people in now.values() for one in people)
    assert all(one.left >= QUARTER.first_day for people in now.values() for one in people)


def test_so_many_as_asked_for_without_vacancies() -> None:
    assert len(list(staff(1, employer(1, 5), QUARTER, 70))) == 70


def test_some_flexi_jobbers_have_their_main_job_at_the_next_employer() -> None:
    now = workforce(QUARTER)
    shared = 0
    for index, people in now.items():
        numbers = [one.insz for one in people]
        assert len(numbers) == len(set(numbers))
        elsewhere = {one.insz for one in now[index ^ 1] if one.kind != "flexi"}
        shared += sum(one.insz in elsewhere for one in people if one.kind == "flexi")
        assert not elsewhere & {one.insz for one in people if one.kind != "flexi"}
    assert shared > 5


def test_shares_add_up() -> None:
    assert sum(trade.per_thousand for trade in TRADES) == 1000
    assert all(sum(share for _, share in trade.staff) == 1000 for trade in TRADES)


def test_an_index_out_of_range_is_refused() -> None:
    with pytest.raises(ValueError, match="at most"):
        employer(1, MOST_EMPLOYERS)
