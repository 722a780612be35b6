"""A work bonus as a terminal and a page tell it: its bounds, and every month by its name."""

from __future__ import annotations

import json
from typing import Any

import pytest

from contributions.explain import explain
from dmfa.quarter import Quarter
from flows.report.explained import page
from flows.stages.explain import details, title, words
from tests.declared import Declarations


@pytest.fixture(scope="module")
def bonus() -> dict[str, Any]:
    declared = Declarations()
    line = declared.employer().person().line("000", "015")
    line.occupation().remun("001", 900_000).service("001", 6_600)
    line.contribution("015", 1, None, 0)
    line.deduction("0001", 40_000)
    return list(explain(declared.tables()))[-1]


def lines_of(node: dict[str, Any]) -> list[str]:
    return [words(node), *details(node), *(line for below in node.get("from", ()) for line in lines_of(below))]


def test_its_title_tells_the_bounds(bonus: dict[str, Any]) -> None:
    # 116.31 + 116.31 + 119.38; the bounds by hand are 316.08 and 646.98, widened for rounding.
    told = title(bonus)
    assert "declared 400.00, computed 352.00 (from 315.9" in told
    assert "to 647.1" in told
    assert told.endswith(": within bounds, trust B")


def test_each_month_is_told_with_its_limits_and_amounts(bonus: dict[str, Any]) -> None:
    told = "\n".join(lines_of(bonus["tree"]))
    for month, amount in (("2026/07", "116.31"), ("2026/08", "116.31"), ("2026/09", "119.38")):
        assert f"month_a_cents of {month} = {amount}" in told
    assert "work_bonus/at_108/a_slope 0.2958 since 2026-09-01, trust B" in told
    assert "personal_rate = 13.07 %" in told
    assert "row: remun_code 001, remun_amount 9,000.00" in told


def test_a_page_and_json_hold_the_same(bonus: dict[str, Any]) -> None:
    text = "".join(page(Quarter(2026, 3), [bonus], title, words, details))
    assert "month_a_cents of 2026/09 = 119.38" in text
    assert json.loads(json.dumps(bonus))["highest_cents"] == bonus["highest_cents"]
