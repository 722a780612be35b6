"""Contributions with a basis of their own, case by case: every kind, and every change of a figure since 2022."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from contributions import compute
from dmfa.quarter import Quarter
from tests.declared import Declarations, Employer
from tests.spec.test_structural_reduction import hundredths

KEYS = {"name", "kind", "source", "quarter", "class", "code", "remuneration", "block", "rows"}
ROW = {"code", "type", "basis", "declared", "hours", "result", "outcome", "calculation", "reason"}
CASES = yaml.safe_load((Path(__file__).parent / "cases" / "special_contributions.yaml").read_text(encoding="utf-8"))


def test_cases_are_written_as_they_are_meant() -> None:
    for case in CASES:
        assert set(case) <= KEYS, case
        assert case["kind"] in ("published", "hand-made", "derived")
        assert all(set(row) <= ROW for row in case["rows"]), case
    assert len({case["name"] for case in CASES}) == len(CASES)


def declare(case: dict[str, Any], employer: Employer) -> None:
    """Put the rows of a case where their block stands."""
    block = case.get("block", "worker_contribution")
    if block == "contribution_unrelated_to_np":
        for row in case["rows"]:
            employer.unrelated(case["class"], row["code"], _declared(row), hundredths(row.get("basis")))
        return
    line = employer.person().line(case["class"], case["code"])
    if "remuneration" in case:
        occupation = line.occupation()
        for code, amount in case["remuneration"].items():
            occupation.remun(code, hundredths(amount) or 0)
    for row in case["rows"]:
        basis = hundredths(row.get("basis"))
        if block == "student_contribution":
            line.student(basis, _declared(row), row.get("hours"))
        elif block == "dismissed_statutory_worker_contribution":
            line.dismissed(basis, _declared(row))
        elif block == "early_retirement_contribution":
            line.early_retired(_declared(row))
        elif block == "compl_indemnity_contribution":
            line.complement(row["code"], row["type"], _declared(row))
        else:
            line.contribution(row["code"], row["type"], basis, _declared(row))


def _declared(row: dict[str, Any]) -> int:
    return hundredths(row.get("declared", row["result"])) or 0


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_case(case: dict[str, Any]) -> None:
    declared = Declarations()
    declare(case, declared.employer(Quarter.parse(case["quarter"]).code))
    result = compute(declared.tables())
    found = result.contribution.sort("declared_ordinal").to_dicts()
    for row, told in zip(case["rows"], found, strict=True):
        assert (told["amount_cents"], told["reason"]) == (hundredths(row["result"]), row.get("reason")), row
        assert told["contribution_worker_code"] == row.get("code", case.get("code"))
    outcomes = result.difference.sort("declared_ordinal")["outcome"].to_list()
    usual = ("equal", "not computable")
    assert outcomes == [row.get("outcome", usual[row["result"] is None]) for row in case["rows"]]
