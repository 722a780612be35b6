"""IDFLUX: the number that holds and the one before, each in its own situation."""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl
import pytest

from dmfa.answers import ANSWER_SCHEMA
from dmfa.answers.replacement import replacements
from tests.unit.answers.probing import RECEIVED, parsed

ROW: dict[str, Any] = {
    "kind": "inss",
    "old": 9013185392,
    "new": 5123112338,
    "effective": date(2026, 10, 1),
    "reason": "90",
    "noss_registration_nbr": 100006,
    "company_id": 404455666,
}


def written(*rows: dict[str, Any]) -> list[Any]:
    found = replacements(7, "a" * 64, RECEIVED, pl.DataFrame(rows))
    assert found.schema == ANSWER_SCHEMA
    assert found.select("filing_id", "declaration_id", "kind").unique().rows() == [(7, None, "IDFL")]
    return [parsed(content) for content in found["content"]]


@pytest.mark.parametrize(
    ("change", "label", "valid", "outdated"),
    [
        ({}, "INSS", "05123112338", "09013185392"),
        (
            {"kind": "noss_registration_nbr", "old": 100006, "new": 199999934, "reason": "92"},
            "NOSSRegistrationNbr",
            "199999934",
            "100006",
        ),
    ],
)
def test_each_number_stands_in_its_situation(change: dict[str, Any], label: str, valid: str, outdated: str) -> None:
    (root,) = written({**ROW, **change})
    situations = {
        tag: [(zone.tag, zone.text) for zone in root.find(f".//{tag}")]
        for tag in ("ValidSituation", "OutdatedSituation")
    }
    assert situations == {"ValidSituation": [(label, valid)], "OutdatedSituation": [(label, outdated)]}
    assert root.findtext(".//EffectiveStartingDate") == "2026-10-01"
    assert root.findtext(".//JustificationCode") == ({**ROW, **change})["reason"]


@pytest.mark.parametrize(
    ("employer", "zones"),
    [
        ({}, [("NOSSRegistrationNbr", "100006"), ("CompanyID", "0404455666")]),
        ({"noss_registration_nbr": 0}, [("CompanyID", "0404455666")]),
        ({"company_id": None}, [("NOSSRegistrationNbr", "100006"), ("CompanyID", "0")]),
    ],
)
def test_the_employer_is_named(employer: dict[str, Any], zones: list[tuple[str, str]]) -> None:
    (root,) = written({**ROW, **employer})
    assert [(zone.tag, zone.text) for zone in root.find(".//EmployerId")] == zones


def test_each_message_has_a_ticket_of_its_own_and_always_the_same() -> None:
    tickets = [root.findtext(".//ReferenceNbr") for root in written(ROW, ROW)]
    assert len(set(tickets)) == 2
    assert [root.findtext(".//ReferenceNbr") for root in written(ROW, ROW)] == tickets
