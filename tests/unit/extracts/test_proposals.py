"""Values that recipients propose: what a zone may hold is judged by its XSD, and no value is told."""

from __future__ import annotations

from datetime import date

import pytest

from dmfa.errors import WrongUsage
from dmfa.extracts.proposals import ELSEWHERE, _schema, given, table_of, value_of
from dmfa.extracts.shape import person_tables, zones_of

QUARTER = 20263


@pytest.mark.parametrize(
    ("place", "text", "value"),
    [
        ("Remun/RemunAmount", "1750000", 1_750_000),
        ("Remun/RemunCode", "003", "003"),
        ("Occupation/OccupationStartingDate", "2026-07-01", date(2026, 7, 1)),
        ("Occupation/OccupationStartingDate", "", None),
        ("Occupation/LocalUnitID", "2000000141", 2_000_000_141),
        ("Occupation/JointCommissionNbr", "140.03", "140.03"),
        ("Occupation/ReorganisationMeasure", "001", "001"),
        ("UsingEmployer/UsingEmployerCompanyID", "0449888671", 449_888_671),
        ("UsingEmployer/INSS", "05123112338", 5_123_112_338),
        ("SecondPillarInformation/ReferenceYearMonth", "1997-10", "1997-10"),
        ("Address/City", "Gent & Zn <1>", "Gent & Zn <1>"),
    ],
)
def test_a_value_is_read_as_it_is_given_out(place: str, text: str, value: object) -> None:
    block, zone = place.split("/")
    assert value_of(block, zone, text, QUARTER) == value
    assert given(zones_of(table_of(block))[zone], value) == (text or None)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("place", "text"),
    [
        ("Remun/RemunAmount", "017"),
        ("Remun/RemunAmount", "+17"),
        ("Remun/RemunAmount", "-5"),
        ("Remun/RemunAmount", "1.5"),
        ("Remun/RemunAmount", " 15"),
        ("Remun/RemunAmount", "१७"),
        ("Remun/RemunAmount", "9" * 12),
        ("Remun/RemunAmount", "9" * 400),
        ("Remun/PercentagePaid", "15001"),
        ("Remun/RemunCode", "3"),
        ("Remun/RemunCode", "0003"),
        ("Occupation/OccupationStartingDate", "2026-7-1"),
        ("Occupation/OccupationStartingDate", "20260701"),
        ("Occupation/OccupationStartingDate", "2026-02-30"),
        ("Occupation/OccupationStartingDate", "2026-07-01Z"),
        ("Occupation/JointCommissionNbr", "2000"),
        ("Occupation/ReorganisationMeasure", "009"),
        ("UsingEmployer/UsingEmployerCompanyID", "449888671"),
        ("SecondPillarInformation/ReferenceYearMonth", "1997-100"),
        ("Address/City", "G" * 41),
        ("Address/City", " Gent"),
        ("Address/City", "Ge\x01nt"),
        ("Address/City", "Gent\ud800"),
    ],
)
def test_what_a_zone_cannot_hold_is_refused_and_not_told(place: str, text: str) -> None:
    block, zone = place.split("/")
    with pytest.raises(WrongUsage) as caught:
        value_of(block, zone, text, QUARTER)
    # The same words whatever the value: none of it is in them.
    assert str(caught.value).startswith(f"the value proposed is none that {place} can hold (DmfAOriginal_20231.xsd).\n")
    assert caught.value.todo == (
        "Write it as in the files: amounts in cents, codes and numbers with their leading zeros, 2026-07-01."
    )


def test_a_zone_that_is_always_there_cannot_be_emptied() -> None:
    with pytest.raises(WrongUsage, match="Remun/RemunAmount cannot be empty"):
        value_of("Remun", "RemunAmount", "", QUARTER)


def test_the_release_of_the_quarter_says_what_there_is() -> None:
    # Zone 01254 is new in 2023/1.
    assert value_of("UsingEmployer", "DailyContractNbr", "12", QUARTER) == 12
    for place, quarter in (("UsingEmployer/DailyContractNbr", 20223), ("Remun/Nothing", QUARTER), ("No/Zone", QUARTER)):
        with pytest.raises(WrongUsage, match=f"no declaration of 20../. has {place}"):
            value_of(*place.split("/"), "12", quarter)
    with pytest.raises(WrongUsage, match="there is no block No"):
        table_of("No")


def test_every_zone_of_an_attestation_can_be_judged() -> None:
    zones = [zone for table in person_tables() for zone in zones_of(table).values()]
    assert len(zones) > 150
    for zone in zones:
        assert _schema(zone.name, zone.base, tuple(zone.facets.items())) is not None


def test_what_no_value_corrects_is_a_zone_of_an_attestation() -> None:
    known = {(table.block.name, zone) for table in person_tables() for zone in zones_of(table)}
    assert ELSEWHERE.keys() <= known
