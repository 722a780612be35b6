"""Target-group reductions case by case, as a specialist of social law would check them."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from contributions import compute
from contributions.parameters import load
from dmfa.quarter import Quarter
from tests.declared import Declarations, Line, insz_of

CASES = yaml.safe_load((Path(__file__).parent / "cases" / "target_groups.yaml").read_text(encoding="utf-8"))
_OPTIONAL = {"line", "born", "declared_structural", "reason", "refusal", "reservation"}


def hundredths(text: object) -> int | None:
    return None if text is None else int(Decimal(str(text)) * 100)


def unit_of(name: str | None) -> int | None:
    return None if name is None else int(load()[f"target_groups/establishments/{name}"].values[0].text or 0)


def add(line: Line, told: dict[str, Any], structural: str | None) -> None:
    contract = told.get("contract")
    occupation = line.occupation(
        contract_type=int(contract is not None),
        mean_working_hours=hundredths(contract[0]) if contract else None,
        ref_mean_working_hours=hundredths(contract[1]) if contract else None,
        working_days_system=hundredths(told.get("system", "5")),
        joint_commission_nbr=told.get("committee"),
        local_unit_id=unit_of(told.get("unit")),
    )
    occupation.remun("001", hundredths(told["wage"]) or 0)
    occupation.service("001", hundredths(told.get("days", "0")) or 0, hundredths(told.get("hours")))
    if structural is not None:
        occupation.deduction("3000", hundredths(structural))
    occupation.deduction(told["code"], 0, start=told.get("start"))
    if "shortened" in told:
        since, before, after = told["shortened"]
        occupation.detail(since, hundredths(before), hundredths(after))


def test_cases_are_written_as_they_are_meant() -> None:
    needed = {"name", "kind", "source", "quarter", "occupations", "calculation", "result"}
    for case in CASES:
        assert needed <= set(case) <= needed | _OPTIONAL, case
        assert case["kind"] in ("published", "hand-made", "derived")
    assert len({case["name"] for case in CASES}) == len(CASES)


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_case(case: dict[str, Any]) -> None:
    declared = Declarations()
    own = case.get("line", {"class": "000", "code": "495"})
    person = declared.employer(Quarter.parse(case["quarter"]).code).person(insz_of(case.get("born", date(1980, 1, 1))))
    line = person.line(own["class"], own["code"])
    line.contribution(own["code"], int(own["code"][0] == "0"), None, 0)
    for told in case["occupations"]:
        add(line, told, case.get("declared_structural"))
    rows = compute(declared.tables()).deduction.filter(deduction_code=case["occupations"][0]["code"])
    assert rows["amount_cents"].to_list() == [hundredths(amount) for amount in case["result"]]
    for name in ("reason", "refusal", "reservation"):
        assert set(rows[name]) == {case.get(name)}, name


def test_a_second_worker_brings_13750_over_thirteen_quarters() -> None:
    """Published by liberform.be: 13,750 euro in all."""
    codes = ["3324"] * 5 + ["3325"] * 4 + ["3326"] * 4
    quarter, total = Quarter(2022, 1), 0
    for code in codes:
        declared = Declarations()
        line = declared.employer(quarter.code).person().line("000", "495")
        line.contribution("495", 0, None, 0)
        occupation = line.occupation().remun("001", 1_500_000).service("001", 6_500)
        occupation.deduction(code, 0, start=date(2022, 1, 3))
        (amount,) = compute(declared.tables()).deduction.filter(deduction_code=code)["amount_cents"]
        total += amount
        quarter = quarter.next
    assert total == 1_375_000
