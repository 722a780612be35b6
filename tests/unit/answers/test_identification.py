"""The identifiers of an accepted declaration: valid, in the order of the declaration, the same each time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest
from lxml import etree

from dmfa.answers import ANSWER_SCHEMA, identifications
from dmfa.answers.zones import IDENTIFICATION, zones_of
from dmfa.reading.batch import Batch, Settings, read_batch
from dmfa.reading.source import Found
from tests.making import Maker, to_bytes
from tests.unit.answers.probing import FILING, FORM, parsed

INSIDE = {
    "NaturalPerson": "IDNaturalPerson",
    "WorkerRecord": "IDWorkerRecord",
    "Occupation": "IDOccupation",
    "ContributionUnrelatedToNP": "IDContUnrelatedToNP",
    "CompanyVehicle": "CompanyVehicleID",
}


@pytest.fixture(scope="module")
def batch(tmp_path_factory: pytest.TempPathFactory) -> tuple[etree._Element, Batch]:
    root = Maker("20224", 3).filing(forms=2, persons=6)
    for element in root.iter("NaturalPersonUserReference", "LicensePlate"):
        element.text = "<&> é"
    for element in root.iter("OccupationUserReference"):
        element.text = "x" * 20
    path: Path = tmp_path_factory.mktemp("identification") / "a.xml"
    path.write_bytes(to_bytes(root))
    read = read_batch([Found("a.xml", path, size=path.stat().st_size)], Settings.of())
    assert read.anomalies.is_empty()
    return root, read


def told(batch: Batch, **form: Any) -> pl.DataFrame:
    forms = batch.shredded.forms.with_columns(ticket=pl.format("TICKET{}", "form_index"))
    forms = forms.with_columns(**{name: pl.lit(value) for name, value in form.items()})
    filings = batch.filing_frame().with_columns(received_at=pl.lit(FILING["received_at"]))
    return identifications(filings, forms, batch.shredded.tables)


def test_one_for_each_declaration_without_a_result(batch: tuple[etree._Element, Batch]) -> None:
    found = told(batch[1])
    assert found.schema == ANSWER_SCHEMA
    assert found["kind"].to_list() == ["DMPI", "DMPI"]
    assert found["result"].null_count() == 2
    assert found.equals(told(batch[1]))


def test_every_block_that_can_be_corrected_is_there_in_its_order(batch: tuple[etree._Element, Batch]) -> None:
    root, read = batch
    for form, content in zip(root, told(read)["content"], strict=True):
        answer = parsed(content)
        for declared, identified in INSIDE.items():
            labels = set(zones_of(IDENTIFICATION, identified)) & {zone.tag for zone in form.iter()}
            expected = [[_zones(block, labels)] for block in form.iter(declared)]
            assert [[_zones(block, labels)] for block in answer.iter(identified)] == expected
        assert answer.findtext(".//EmployerDeclarationPID") is not None


def _zones(block: etree._Element, labels: set[str]) -> dict[str, str]:
    """Zones of a block with their values, numbers without the zeros before them; those without one left out."""
    found = {zone.tag: (zone.text or "").strip() for zone in block if zone.tag in labels}
    return {tag: text.lstrip("0") or "0" for tag, text in found.items() if text}


def test_a_person_has_one_identifier_and_one_in_each_declaration(batch: tuple[etree._Element, Batch]) -> None:
    persons: dict[str, set[str]] = {}
    declared: list[str] = []
    for content in told(batch[1])["content"]:
        for person in parsed(content).iter("IDNaturalPerson"):
            persons.setdefault(person.findtext("INSS", ""), set()).add(person.findtext("NaturalPersonPID", ""))
            declared.append(person.findtext("DeclNaturalPersonPID", ""))
    assert all(len(numbers) == 1 for numbers in persons.values())
    assert len(set(declared)) == len(declared) == 12


@pytest.mark.parametrize(
    ("origin", "number", "theirs"),
    [(1, "Q3 & <ours>", True), (1, "x" * 21, False), (2, "OTHER", False), (None, None, False)],
)
def test_the_references(
    batch: tuple[etree._Element, Batch], origin: int | None, number: str | None, theirs: bool
) -> None:
    content = told(batch[1], reference_origin=origin, reference_nbr=number)["content"][0]
    references = [tuple(zone.text for zone in one) for one in parsed(content).iter("Reference")]
    assert [one[:2] for one in references] == [("1", "2"), ("3", "2"), ("3", "1")][: 3 if theirs else 2]
    assert references[1][2] == "TICKET0"
    assert not theirs or references[2][2] == number
    assert references[0][2] != FORM["ticket"]


def test_nothing_accepted_nothing_told(batch: tuple[etree._Element, Batch]) -> None:
    _, read = batch
    empty = {name: table.clear() for name, table in read.shredded.tables.items()}
    filings = read.filing_frame().with_columns(received_at=pl.lit(FILING["received_at"]))
    forms = read.shredded.forms.with_columns(ticket=pl.lit("TICKET"))
    assert identifications(filings, forms, empty).is_empty()
