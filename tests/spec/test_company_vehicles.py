"""Company vehicles, case by case: fuel, emission, day of order, and each year's index, minimum and multiplier."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from contributions import compute, reasons
from dmfa.quarter import Quarter
from tests.declared import Declarations
from tests.spec.test_structural_reduction import hundredths

KEYS = {"name", "kind", "source", "quarter", "vehicles", "calculation", "declared", "outcome", "result", "reason"}
CASES = yaml.safe_load((Path(__file__).parent / "cases" / "company_vehicles.yaml").read_text(encoding="utf-8"))


def test_cases_are_written_as_they_are_meant() -> None:
    for case in CASES:
        assert set(case) <= KEYS, case
        assert case["kind"] in ("published", "derived")
    assert len({case["name"] for case in CASES}) == len(CASES)


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_case(case: dict[str, Any]) -> None:
    declared = Declarations()
    employer = declared.employer(Quarter.parse(case["quarter"]).code)
    for told in case["vehicles"]:
        employer.vehicle(
            eco=told.get("eco", 0),
            fuel=told.get("fuel"),
            co2_grams_per_km=told.get("grams"),
            ordered_on=told.get("ordered"),
            months=told.get("months"),
        )
    employer.unrelated("000", "862", hundredths(case.get("declared", case["result"])) or 0)
    result = compute(declared.tables())
    (row,) = result.contribution.to_dicts()
    assert (row["amount_cents"], row["reason"]) == (hundredths(case["result"]), case.get("reason"))
    usual = "not computable" if case["result"] is None else "equal"
    assert result.difference["outcome"].to_list() == [case.get("outcome", usual)]


def test_vehicles_of_other_declarations_are_no_part_of_it() -> None:
    declared = Declarations()
    for months in (1, 3):
        employer = declared.employer()
        employer.vehicle(fuel="electric", ordered_on=CASES[0]["vehicles"][0]["ordered"], months=months)
        employer.unrelated("000", "862", 0)
    assert compute(declared.tables()).contribution["amount_cents"].to_list() == [3_393, 3 * 3_393]


def test_of_several_classes_each_part_is_open() -> None:
    declared = Declarations()
    employer = declared.employer()
    employer.vehicle(fuel="electric", ordered_on=CASES[0]["vehicles"][0]["ordered"], months=1)
    employer.unrelated("000", "862", 3_393)
    employer.unrelated("010", "862", 3_393)
    assert compute(declared.tables()).contribution["reason"].to_list() == [reasons.VEHICLES_NOT_TOLD] * 2
