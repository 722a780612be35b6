"""Invented employers: numbers, sizes and staff."""

from __future__ import annotations

from statistics import mean, median

import pytest

from dmfa.quarter import Quarter
from dmfa.synth.employer import MOST_EMPLOYERS, TRADES, employer, size, staff, staff_size

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


def test_half_of_the_employers_have_three_workers_and_few_have_most() -> None:
    sizes = [size((step + 0.5) / 100_000, 60_000) for step in range(100_000)]
    assert median(sizes) == 3
    assert 15 < mean(sizes) < 19
    assert max(sizes) > 5_000
    assert max(size(draw / 1000, 40) for draw in range(1000)) == 40


def test_the_same_seed_gives_the_same_employer_and_another_seed_another() -> None:
    assert employer(1, 5) == employer(1, 5)
    assert employer(1, 5).noss_registration_nbr != employer(2, 5).noss_registration_nbr


def test_staff_is_mostly_the_same_in_the_next_quarter() -> None:
    who = employer(1, 5, trade="general", exact_size=100)
    now, before = list(staff(1, who, QUARTER)), list(staff(1, who, Quarter(2026, 2)))
    shared = {one.insz for one in now} & {one.insz for one in before}
    assert 90 <= staff_size(1, who, QUARTER) <= 110
    assert len(shared) > 0.7 * min(len(now), len(before))


def test_shares_add_up() -> None:
    assert sum(trade.per_thousand for trade in TRADES) == 1000
    assert all(sum(share for _, share in trade.staff) == 1000 for trade in TRADES)


def test_an_index_out_of_range_is_refused() -> None:
    with pytest.raises(ValueError, match="at most"):
        employer(1, MOST_EMPLOYERS)
