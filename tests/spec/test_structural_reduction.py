"""The structural reduction case by case, as a specialist of social law would check it."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from contributions import compute
from dmfa.quarter import Quarter
from tests.declared import Declarations, Line

CASES = yaml.safe_load((Path(__file__).parent / "cases" / "structural_reduction.yaml").read_text(encoding="utf-8"))


def hundredths(text: str | float | None) -> int | None:
    return None if text is None else int(Decimal(str(text)) * 100)


def _occupation(line: Line, told: dict[str, Any], declared: str | None) -> None:
    contract = told.get("contract")
    occupation = line.occupation(
        contract_type=int(contract is not None),
        mean_working_hours=hundredths(contract[0]) if contract else None,
        ref_mean_working_hours=hundredths(contract[1]) if contract else None,
    )
    occupation.remun("001", hundredths(told["wage"]) or 0)
    for code, amount in told.get("also", {}).items():
        occupation.remun(code, hundredths(amount) or 0)
    services = told.get("services") or {"001": [told.get("days", "0"), told.get("hours")]}
    for code, (days, hours) in services.items():
        occupation.service(code, hundredths(days) or 0, hundredths(hours))
    if told.get("agency"):
        occupation.user()
    occupation.deduction("3000", hundredths(declared))


def test_cases_are_written_as_they_are_meant() -> None:
    needed = {"name", "kind", "source", "quarter", "line", "occupations", "calculation", "result"}
    for case in CASES:
        assert needed <= set(case) <= needed | {"declared", "reason", "reading"}, case
        assert case["kind"] in ("published", "hand-made", "derived")
    assert len({case["name"] for case in CASES}) == len(CASES)


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_case(case: dict[str, Any]) -> None:
    declared = Declarations()
    code = case["line"]["code"]
    line = declared.employer(Quarter.parse(case["quarter"]).code).person().line(case["line"]["class"], code)
    line.contribution(code, int(code[0] == "0"), None, 0)
    for told, amount in zip(case["occupations"], case.get("declared", case["result"]), strict=True):
        _occupation(line, told, amount)
    result = compute(declared.tables(), structural_2025_2=case.get("reading", ""))
    rows = result.deduction.sort("occupation_ordinal")
    assert rows["amount_cents"].to_list() == [hundredths(amount) for amount in case["result"]]
    assert set(rows["reason"]) == {case.get("reason")}
