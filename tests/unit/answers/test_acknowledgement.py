"""ACRF: positive, negative with its code, valid whatever the name."""

from __future__ import annotations

import pytest

from dmfa.answers.acknowledgement import acknowledgement
from tests.unit.answers.probing import RECEIVED, parsed


def test_a_file_that_could_be_received() -> None:
    root = parsed(acknowledgement("sub/wages & <co>.xml", "LVPK24SEJJTVP", RECEIVED))
    assert [(zone.tag, zone.text) for zone in root.iter() if not len(zone)] == [
        ("Identification", "ACRF001"),
        ("FormCreationDate", "2026-10-31"),
        ("FormCreationHour", "12:30:05.000"),
        ("AttestationStatus", "0"),
        ("TypeForm", "FA"),
        ("FileName", "sub/wages & <co>.xml"),
        ("ReferenceOrigin", "2"),
        ("ReferenceNbr", "LVPK24SEJJTVP"),
        ("ResultCode", "1"),
    ]


@pytest.mark.parametrize(
    ("refusal", "code"),
    [
        ("empty", "ACRF-134"),
        ("encoding", "ACRF-138"),
        ("too_large", "ACRF-184"),
        ("not_dmfa", "90169-089"),
        ("doctype", "ACRF-135"),
        ("not_well_formed", "ACRF-135"),
        ("bad_archive", "ACRF-135"),
        ("bad_gzip", "ACRF-135"),
        ("90059-001", "ACRF-135"),
        ("ACRF-125", "ACRF-125"),
    ],
)
def test_a_file_that_could_not(refusal: str, code: str) -> None:
    root = parsed(acknowledgement("a.xml", "LVPK24SEJJTVP", RECEIVED, refusal, "why -- so ---"))
    assert root.findtext(".//ResultCode") == "0"
    assert [error.text for error in root.iter("ErrorID")] == [code]
    assert root[0].text == " why  so  "


def test_a_name_that_is_none_of_the_exchange_has_no_code() -> None:
    root = parsed(acknowledgement("FI.a", "LVPK24SEJJTVP", RECEIVED, "name", "why"))
    assert root.findtext(".//ResultCode") == "0"
    assert root.find(".//ErrorID") is None
