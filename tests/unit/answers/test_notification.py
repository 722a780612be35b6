"""NOTI: what is written, and that it is valid whatever was declared."""

from __future__ import annotations

from typing import Any

import pytest
from lxml import etree

from dmfa.answers.notification import (
    ACCEPTED,
    REFUSED,
    Envelope,
    Report,
    anomaly_report,
    employer_keys,
    notification,
    refused,
)
from tests.unit.answers.probing import FILING, FORM, RECEIVED, parsed

REPORT = Report(
    "00042-004", "B", "Check digits are wrong", "LocalUnitID", "7203496844", 55, "/DmfAOriginal/Form[1]/x",
    "<Quarter>20263</Quarter>\n<INSS>09013185392</INSS>\n",
)  # fmt: skip


def envelope(name: str = FILING["name"]) -> Envelope:
    return Envelope.of(name, FILING["ticket"], RECEIVED, FILING["schema_release"])


def write(form: dict[str, Any] = FORM, *reports: Report, result: str = ACCEPTED, name: str = FILING["name"]) -> str:
    return notification(envelope(name), form, FORM["ticket"], map(anomaly_report, reports), result)


def leaves(element: etree._Element) -> list[tuple[str, str | None]]:
    return [(zone.tag, zone.text) for zone in element.iter() if not len(zone)]


def test_an_accepted_declaration() -> None:
    root = parsed(write())
    assert root[0].text == " judged by DmfAOriginal_20231.xsd "
    assert leaves(root[1]) == [
        ("Identification", "NOTI001"),
        ("FormCreationDate", "2026-10-31"),
        ("FormCreationHour", "12:30:05.000"),
        ("AttestationStatus", "0"),
        ("TypeForm", "FA"),
        ("FileName", "FI.DMFA.700001.20261030.00001.R.1.1"),
        ("ReferenceOrigin", "2"),
        ("ReferenceNbr", "LVPK24SEJJTVP"),
        ("SenderId", "700001"),
        ("Identification", "DMFA"),
        ("FormCreationDate", "2026-10-30"),
        ("FormCreationHour", "08:00:00.000"),
        ("AttestationStatus", "0"),
        ("TypeForm", "SU"),
        ("ReferenceType", "1"),
        ("ReferenceOrigin", "1"),
        ("ReferenceNbr", "Q3 & <ours>"),
        ("NOSSRegistrationNbr", "100006"),
        ("CompanyID", "0404455666"),
        ("Quarter", "20263"),
        ("ReferenceType", "1"),
        ("ReferenceOrigin", "2"),
        ("ReferenceNbr", "ZPXCBWVJIX55X"),
        ("ResultCode", "1"),
    ]


def test_a_refused_declaration_with_its_anomalies() -> None:
    warning = REPORT._replace(severity="W", value=None, line=None, place=None, keys="")
    root = parsed(write(FORM, REPORT, warning, result=REFUSED))
    result = root.find(".//HandlingResult")
    assert result is not None
    assert leaves(result) == [
        ("ResultCode", "0"),
        ("Diagnosis", "3"),
        ("ErrorID", "00042-004"),
        ("TagName", "LocalUnitID"),
        ("Value", "7203496844"),
        ("AnomalyClass", "B"),
        ("AnomalyLabel", "Check digits are wrong"),
        ("LineNbr", "55"),
        ("Location", "/DmfAOriginal/Form[1]/x"),
        ("Quarter", "20263"),
        ("INSS", "09013185392"),
        ("ErrorID", "00042-004"),
        ("TagName", "LocalUnitID"),
        ("AnomalyClass", "W"),
        ("AnomalyLabel", "Check digits are wrong"),
    ]


def test_a_declaration_that_is_refused_later_says_the_same_as_one_refused_at_once() -> None:
    late = refused(write(), [anomaly_report(REPORT)])
    assert late == write(FORM, REPORT, result=REFUSED)
    warned = REPORT._replace(severity="W")
    assert refused(write(FORM, warned), [anomaly_report(REPORT)]) == write(FORM, REPORT, warned, result=REFUSED)


@pytest.mark.parametrize(
    "change",
    [
        dict.fromkeys(FORM),
        {"quarter": 12345, "company_id": 12},
        {"noss_registration_nbr": 10**12},
        {"company_id": None},
        {"reference_nbr": "x" * 65, "identification": "TOO LONG"},
        {"reference_type": None},
        {"attestation_status": 12, "type_form": "XX", "form_creation_hour": "late"},
    ],
)
def test_whatever_was_declared_the_answer_is_valid(change: dict[str, Any]) -> None:
    root = parsed(write({**FORM, **change}))
    assert root.findtext(".//HandledReference/ReferenceNbr") == FORM["ticket"]


def test_an_employer_without_an_enterprise_number_has_0() -> None:
    root = parsed(write({**FORM, "company_id": None}))
    assert root.findtext(".//EmployerId/CompanyID") == "0"
    told = "<Quarter>20263</Quarter>\n<NOSSRegistrationNbr>100006</NOSSRegistrationNbr>\n"
    assert employer_keys({**FORM, "company_id": None}) == told


@pytest.mark.parametrize(
    ("name", "shown"),
    [("folder/a.xml", "folder/a.xml"), (f"{'x' * 60}/a.xml", "a.xml"), ("x" * 65, None)],
)
def test_a_long_file_name_is_shortened_or_left_out(name: str, shown: str | None) -> None:
    assert parsed(write(name=name)).findtext(".//FileName") == shown


@pytest.mark.parametrize("code", ["unfit", "146", "00042-004-1"])
def test_a_refusal_without_an_official_code_cannot_be_processed(code: str) -> None:
    root = parsed(write(FORM, REPORT._replace(code=code), result=REFUSED))
    assert root.findtext(".//ErrorID") == "90059-163"


def test_a_long_place_loses_its_first_steps_and_a_long_text_its_end() -> None:
    place = "/DmfAOriginal/Form[1]" + "/Occupation[12]" * 20
    root = parsed(write(FORM, REPORT._replace(place=place, words="w" * 600), result=REFUSED))
    shown = root.findtext(".//Location")
    assert shown is not None and 180 < len(shown) <= 200
    assert shown.startswith("//Occupation[12]/") and place.endswith(shown[1:])
    assert root.findtext(".//AnomalyLabel") == "w" * 500
    endless = REPORT._replace(place="/" + "x" * 300)
    assert parsed(write(FORM, endless, result=REFUSED)).find(".//Location") is None
