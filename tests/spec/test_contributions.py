"""Contributions case by case: each change of rate since 2022, with its hand calculation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from contributions import compute
from dmfa.quarter import Quarter
from tests.declared import Declarations
from tests.spec.test_structural_reduction import hundredths

KNOWN = {"code", "type", "basis", "declared", "result", "outcome", "calculation", "reason"}
CASES = yaml.safe_load((Path(__file__).parent / "cases" / "contributions.yaml").read_text(encoding="utf-8"))


def test_cases_are_written_as_they_are_meant() -> None:
    for case in CASES:
        assert set(case) == {"name", "kind", "source", "quarter", "line", "contributions"}, case
        assert case["kind"] in ("published", "hand-made", "derived")
        assert all(set(item) <= KNOWN for item in case["contributions"]), case
    assert len({case["name"] for case in CASES}) == len(CASES)


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_case(case: dict[str, Any]) -> None:
    declared = Declarations()
    told = case["line"]
    line = declared.employer(Quarter.parse(case["quarter"]).code).person().line(told["class"], told["code"])
    line.occupation().remun("001", hundredths(told["wage"]) or 0)
    own = [item for item in case["contributions"] if item["code"] == told["code"]]
    for item in case["contributions"]:
        amount = hundredths(item.get("declared", item["result"])) or 0
        line.contribution(item["code"], item["type"], hundredths(item["basis"]), amount)
    assert own or told["code"][0] != "0"
    result = compute(declared.tables())
    rows = result.contribution.sort("declared_ordinal").to_dicts()
    for item, row in zip(case["contributions"], rows, strict=True):
        assert row["basis_cents"] == hundredths(item["basis"]), item
        assert row["amount_cents"] == hundredths(item["result"]), item
        assert row["reason"] == item.get("reason"), item
    outcomes = result.difference.sort("declared_ordinal")["outcome"].to_list()
    usual = [
        item.get("outcome", "not computable" if item["result"] is None else "equal") for item in case["contributions"]
    ]
    assert outcomes == usual
