"""Every code, type and group of employer classes in every quarter, on one wage: its rate in exact fractions."""

from __future__ import annotations

from fractions import Fraction
from functools import cache

import pytest

from contributions import compute
from tests.declared import Declarations
from tests.oracle import _csv, rate
from tests.oracle_special import BLOCKS, cent

WAGE = 912_345
"""In cents: no rate of two decimals gives a round amount of it."""
QUARTERS = [year * 10 + number for year in range(2022, 2027) for number in (1, 2, 3, 4)][:-1]
OTHERS = ("856", "862")
"""Codes whose figures are parameters: other tests have them."""


@cache
def combinations() -> tuple[tuple[str, str, int], ...]:
    """One employer class for each level that a rate is written for, with code and type."""
    first: dict[str, str] = {"all": "999", "private": "000"}
    for row in _csv("category_groups"):
        first.setdefault(row["employer_group"], row["employer_class"])
        first[f"class_{row['employer_class']}"] = row["employer_class"]
    found = {
        (first[row["employer_group"]], row["contribution_code"], int(row["contribution_type"]))
        for row in _csv("contribution_rates")
        if row["employer_group"] in first and row["contribution_code"] not in OTHERS
    }
    return tuple(sorted(found))


def test_all_that_has_a_rate_is_there() -> None:
    assert len(combinations()) > 240


@pytest.mark.parametrize("quarter", QUARTERS)
def test_every_rate_in_a_quarter(quarter: int) -> None:
    declared = Declarations()
    employer = declared.employer(quarter)
    expected = []
    for employer_class, code, kind in combinations():
        found = rate(employer_class, code, kind, quarter)
        own = code[0] in "04" and code not in ("050", "450")
        line = employer.person().line(employer_class, code if own else "495")
        line.occupation().remun("001", WAGE).remun("022", WAGE).remun("029", WAGE)
        line.contribution(code, kind, WAGE, 0)
        if found is None or found["trust"] == "C" or not found["total"]:
            expected.append(None)
            continue
        special = found["basis_kind"] not in ("ordinary", "line")
        if special and found["basis_kind"] not in BLOCKS["worker_contribution"]:
            expected.append(None)
            continue
        share = int(found["basis_percent"] or 100) if not special else 100
        if not special and not found["basis_percent"] and own and code[0] == "0":
            share = 108 if kind == 1 else 100
        amount = cent(cent(Fraction(WAGE * share, 100)) * Fraction(found["total"]) / 100)
        expected.append(amount)
    amounts = compute(declared.tables()).contribution["amount_cents"].to_list()
    told = zip(combinations(), amounts, expected, strict=True)
    assert [one for one in told if one[1] != one[2]] == []
