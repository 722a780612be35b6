"""Reductions of personal contributions case by case, as a specialist of social law would check them."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml

from contributions import compute
from contributions.judging import staged
from contributions.law import law
from contributions.rules.work_bonus import OF_MONTHS, PERSONAL
from dmfa.quarter import Quarter
from tests.declared import Declarations

FOLDER = Path(__file__).parent / "cases"
CASES = yaml.safe_load((FOLDER / "work_bonus.yaml").read_text(encoding="utf-8"))
MONTHS = yaml.safe_load((FOLDER / "work_bonus_months.yaml").read_text(encoding="utf-8"))


def hundredths(text: str | None) -> int | None:
    return None if text is None else int(Decimal(str(text)) * 100)


def declare(case: dict[str, Any]) -> Declarations:
    declared = Declarations()
    code = case["line"]["code"]
    line = declared.employer(Quarter.parse(case["quarter"]).code).person().line(case["line"]["class"], code)
    for told in case["occupations"]:
        contract = told.get("contract")
        occupation = line.occupation(
            occupation_starting_date=told.get("from"),
            occupation_ending_date=told.get("to"),
            working_days_system=told.get("week", 5) * 100,
            contract_type=int(contract is not None),
            mean_working_hours=contract[0] * 100 if contract else None,
            ref_mean_working_hours=contract[1] * 100 if contract else None,
        )
        occupation.remun("001", hundredths(told["wage"]) or 0)
        for other, amount in told.get("also", {}).items():
            occupation.remun(other, hundredths(amount) or 0)
        occupation.service("001", hundredths(told.get("days", "0")) or 0, hundredths(told.get("hours")))
    line.contribution(code, int(code[0] == "0"), None, 0)
    for one in case["deductions"]:
        line.deduction(one["code"], hundredths(one["result"]), one.get("since"))
    return declared


def test_cases_are_written_as_they_are_meant() -> None:
    needed = {"name", "kind", "source", "quarter", "line", "occupations", "calculation", "deductions"}
    for case in CASES:
        assert set(case) == needed, case
        assert case["kind"] in ("published", "hand-made", "derived")
    assert len({case["name"] for case in CASES}) == len(CASES)


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_case(case: dict[str, Any]) -> None:
    result = compute(declare(case).tables())
    of_lines = pl.col("declared_table") == "worker_deduction"
    rows = result.deduction.filter(of_lines).to_dicts()
    outcomes = result.difference.filter(of_lines, pl.col("kind") == "deduction")["outcome"]
    for told, row, outcome in zip(case["deductions"], rows, outcomes, strict=True):
        assert row["deduction_code"] == told["code"]
        assert row["amount_cents"] == hundredths(told["result"])
        assert row["reason"] == told.get("reason")
        assert outcome == ("not computable" if told["result"] is None else "equal")
        if "between" in told:
            least, most = (hundredths(amount) or 0 for amount in told["between"])
            assert 0 <= least - row["lowest_cents"] <= 20
            assert 0 <= row["highest_cents"] - most <= 20


@pytest.mark.parametrize("row", MONTHS, ids=[f"{row['months']} {row['who']} {row['wage']}" for row in MONTHS])
def test_a_full_month_in_the_first_and_the_last_month_of_each_row(row: dict[str, Any]) -> None:
    for month in row["months"].split():
        year, number = map(int, month.split("-"))
        rules, scope = law(Quarter(year, (number + 2) // 3)), OF_MONTHS[(number - 1) % 3]
        told = {"month_wage_cents": hundredths(row["wage"]), "month_time": 2_000, "full_month": 10_000}
        told |= {"week_length": 5, "pays_on_108": row["who"] == "manual"}
        frame = staged(staged(pl.DataFrame(told), rules, "month", PERSONAL), rules, "month", scope)
        assert frame["month_bonus_cents"].to_list() == [hundredths(row["result"])]


def test_every_month_of_the_table_has_a_row() -> None:
    ends = [row["months"].split() for row in MONTHS]
    assert min(end[0] for end in ends) == "2022-01"
    assert max(end[-1] for end in ends) == "2026-09"
    starts = sorted({end[0] for end in ends})
    lasts = sorted({end[-1] for end in ends})
    following = [f"{int(m[:4]) + (m[5:] == '12')}-{int(m[5:]) % 12 + 1:02d}" for m in lasts[:-1]]
    assert following == starts[1:]
