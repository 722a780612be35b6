"""The work bonus that the invented payroll declares is the one that the engine computes of the same declaration."""

from __future__ import annotations

from datetime import date
from fractions import Fraction

import polars as pl
import pytest

from contributions import compute
from dmfa.quarter import Quarter
from dmfa.synth.bonus import work_bonus
from dmfa.synth.declaration import Contribution, Line, Occupation, Remun, Service
from dmfa.synth.lawful import unconfirmed
from dmfa.synth.workdays import bounds, running, weekdays
from tests.declared import Declarations

WAGES = range(400_002, 1_100_000, 33_333)
PERSONAL = Fraction(1307, 10_000)


@pytest.mark.parametrize("quarter", ["2024/2", "2025/1", "2026/1", "2026/3"])
@pytest.mark.parametrize("code", ["015", "495"])
def test_plain_months_have_the_same_bonus(quarter: str, code: str) -> None:
    own = Quarter.parse(quarter)
    days = 100 * weekdays(*bounds(running(own)))
    declared, expected = Declarations(), []
    for wage in WAGES:
        worked = Occupation(
            1, date(2019, 3, 1), None, "200", 500, False, 3800, None, 7, [Service(1, days)], [Remun(1, wage)]
        )
        basis = wage * 108 // 100 if code == "015" else wage
        contribution = Contribution(code, int(code == "015"), basis, 0, unconfirmed())
        bonus = work_bonus(Line("000", code, [worked], contributions=[contribution]), own, PERSONAL)
        line = declared.employer(own.code).person().line("000", code)
        line.occupation(occupation_starting_date=worked.start).remun("001", wage).service("001", days)
        line.contribution(code, int(code == "015"), basis, 0)
        line.deduction("0001", bonus.amount if bonus else 0)
        expected.append(bonus.amount if bonus else 0)
    result = compute(declared.tables())
    found = result.deduction.filter(pl.col("deduction_code") == "0001")
    assert found["amount_cents"].to_list() == expected
    assert len(set(expected)) > 10
    outcomes = result.difference.filter(pl.col("code") == "0001")["outcome"]
    assert set(outcomes) == {"equal"}
