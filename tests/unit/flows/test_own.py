"""What a person reads of a declaration: values in plain words."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pytest
import yaml

from dmfa.schema import lake_tables
from flows.report import own


def zone(value: object, unit: str = "", number: str = "00000") -> dict[str, Any]:
    return {"zone": "Some", "number": number, "words": "something", "unit": unit, "value": value}


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (zone(1749900, "cent"), "17,499.00 €"),
        (zone(-5, "cent"), "-0.05 €"),
        (zone(12345, "thousandth of a euro"), "12.345 €"),
        (zone(-1, "thousandth of a euro"), "-0.001 €"),
        (zone(3800, "hundredth of an hour"), "38.00 hours"),
        (zone(500, "hundredth of a day"), "5.00 days"),
        (zone(7), "7"),
        (zone("001", number="00067"), "001 (ordinary pay)"),
        (zone("050", number="00062"), "050 (illness)"),
        (zone("495", number="00082"), "495 (Ordinary, white-collar)"),
        (zone("999", number="00067"), "999"),
    ],
)
def test_a_value(found: dict[str, Any], said: str) -> None:
    assert own.value(found) == said


def test_an_amount_computed_anew() -> None:
    row = {"computed_cents": 12345, "outcome": "equal", "reason": None}
    assert own.amount(row) == "computed anew: 123.45 €, the same as declared"
    row = {"computed_cents": None, "outcome": "not computable", "reason": "no rate known"}
    assert own.amount(row) == "computed anew: -, cannot be computed: no rate known"


def test_every_outcome_has_words() -> None:
    from contributions import outcomes

    assert own.OUTCOMES.keys() == set(outcomes.ALL)


def test_an_employer_by_its_numbers() -> None:
    zones = [{"zone": "NOSSRegistrationNbr", "value": "000100006"}, {"zone": "CompanyID", "value": "0000000000"}]
    assert own.employer({"zones": zones}) == "employer 000100006"
    zones[1]["value"] = "0449888671"
    assert own.employer({"zones": zones}) == "employer 000100006, enterprise number 0449888671"


def test_cells() -> None:
    assert own.cell("quarter", 20263) == "2026/3"
    assert own.cell("at", datetime(2026, 11, 22, 9, 30)) == "2026-11-22 09:30"
    assert own.cell("begin_date", date(2026, 1, 1)) == "2026-01-01"
    assert own.cell("end_date", None) == ""


def test_codes_are_of_zones_that_hold_codes_of_their_width() -> None:
    widths = {
        column.zone.number: column.zone.code_width for table in lake_tables() for column in table.columns if column.zone
    }
    known = yaml.safe_load((own._HERE / "codes.yaml").read_text(encoding="utf-8"))
    assert known.keys() == {"00062", "00067"}
    for number, codes in known.items():
        assert {len(code) for code in codes} == {widths[number]}
