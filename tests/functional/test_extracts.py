"""What extracts hold: cells of the lake, and nothing that the permit does not list; through the Python API."""

import hashlib
import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq
import pytest
from lxml import etree

from dmfa.errors import LakeProblem, NotAuthorised, WrongUsage
from dmfa.extracts import EXTRACTS, load, permits
from dmfa.extracts.authorisations import FLAG_COLUMNS, FLAG_TABLE
from dmfa.extracts.declarations import declaration
from dmfa.extracts.selection import Extract, attestations
from dmfa.extracts.shape import Shape
from dmfa.lake import Lake
from dmfa.schema import home, lake_tables, snake_case
from tests.unit.extracts.material import (
    CANARY,
    DAY,
    NARROW,
    exchanged,
    frames_of_quarter,
    given,
    new_lake,
    permit_of,
    register,
    row,
)

SAMPLES = Path(__file__).parents[2] / "data" / "samples" / "authorisations.yaml"
DIGITS = {"00024": 11, "00092": 11, "00093": 11, "00749": 11, "00011": 9, "00014": 10, "00131": 10, "00042": 10}


@pytest.fixture
def lake(tmp_path):
    return new_lake(tmp_path)


@pytest.fixture
def out(tmp_path):
    return tmp_path / "out"


def as_text(value: object, number: str) -> str | None:
    """A cell as it is given out, by rules of the test's own."""
    if value is None:
        return None
    return str(value).rjust(DIGITS.get(number, 0), "0")


def test_parquet_holds_the_cells_of_the_lake(lake, tmp_path, out):
    delivery = given(lake, permit_of(tmp_path), out)
    for table in lake_tables():
        path = delivery.folder / f"{table.name}.parquet"
        zones = [column for column in table.columns if column.zone]
        if "natural_person_ordinal" not in table.arrow_schema.names:
            continue
        source = frames_of_quarter()[table.name].select(column.name for column in zones)
        expected = Counter(
            tuple(as_text(cell, column.zone.number) for cell, column in zip(cells, zones, strict=True))
            for cells in source.iter_rows()
        )
        found = pl.read_parquet(path).select(column.name for column in zones)
        assert Counter(tuple(None if c is None else str(c) for c in cells) for cells in found.iter_rows()) == expected


def test_xml_holds_the_cells_of_the_lake_and_is_valid(lake, tmp_path, out):
    delivery = given(lake, permit_of(tmp_path), out)
    root = etree.parse(delivery.folder / "attestation.xml").getroot()
    etree.XMLSchema(etree.parse(home() / "DmfAAttestation_1.xsd")).assertValid(root)
    for table in lake_tables():
        zones = [column for column in table.columns if column.zone]
        if "natural_person_ordinal" not in table.arrow_schema.names:
            continue
        source = frames_of_quarter()[table.name]
        expected = Counter(
            tuple(as_text(cell, column.zone.number) for cell, column in zip(cells, zones, strict=True))
            for cells in source.select(column.name for column in zones).iter_rows()
        )
        found = Counter(
            tuple(node.findtext(column.zone.name) for column in zones) for node in root.iter(table.block.name)
        )
        assert found == expected


def test_xml_nests_as_parquet_joins(lake, tmp_path, out):
    folder = given(lake, permit_of(tmp_path), out).folder
    root = etree.parse(folder / "attestation.xml").getroot()
    people = pl.read_parquet(folder / "natural_person.parquet")
    assert [int(node.findtext("number")) for node in root.iter("attestation")] == people["attestation"].to_list()
    assert [node.text for node in root.iterfind(".//NaturalPerson/INSS")] == people["inss"].to_list()
    remun = pl.read_parquet(folder / "remun.parquet")
    for attestation in root.iter("attestation"):
        inside = remun.filter(pl.col("attestation") == int(attestation.findtext("number")))
        for number, occupation in enumerate(attestation.iter("Occupation")):
            amounts = inside.filter(pl.col("occupation_ordinal") == number)["remun_amount"].to_list()
            nodes = occupation.findall("Remun")
            assert [node.findtext("RemunAmount") for node in nodes] == [a if a is None else str(a) for a in amounts]


def test_r6_nothing_but_the_listed_zones_is_given(lake, tmp_path, out):
    folder = given(lake, permit_of(tmp_path, blocks=NARROW), out).folder
    listed = {snake_case(block): {snake_case(zone) for zone in zones} for block, zones in NARROW.items()}
    listed |= {FLAG_TABLE: set(FLAG_COLUMNS)}
    assert {path.stem for path in folder.glob("*.parquet")} == listed.keys()
    keys = {"attestation", "version", "status", *(f"{table}_ordinal" for table in listed)}
    for path in folder.glob("*.parquet"):
        columns = set(pq.read_schema(path).names)
        assert columns - keys == listed[path.stem]
    for attestation in etree.parse(folder / "attestation.xml").getroot().iter("attestation"):
        for node in attestation.iterfind("EmployerDeclaration"):
            for child in node.iterdescendants():
                parent = child.getparent().tag
                assert child.tag in NARROW or child.tag in NARROW[parent]


def test_r5_an_extract_that_ignores_the_permit_writes_nothing(lake, tmp_path, out, monkeypatch):
    """The writers' check stands alone: it holds even when the producer gives too much."""
    everything = EXTRACTS["attestation"].shape(permit_of(tmp_path))
    monkeypatch.setattr(Shape, "of", lambda *_: everything)
    with pytest.raises(NotAuthorised, match="does not list"):
        given(lake, permit_of(tmp_path, blocks=NARROW), out)
    assert not out.exists()
    assert exchanged(lake, "log") == exchanged(lake, "delivery") == []


def test_the_manifest_tells_rows_sums_and_digests(lake, tmp_path, out):
    permit = permit_of(tmp_path, blocks={**NARROW, "EmployerDeclaration": ["Quarter"]})
    delivery = given(lake, permit, out)
    manifest = json.loads((delivery.folder / "manifest.json").read_bytes())
    assert manifest == delivery.manifest
    remun = frames_of_quarter()["remun"]
    assert manifest["tables"]["remun"] == {
        "rows": remun.height,
        "totals": {"remun_amount": sum(remun["remun_amount"].drop_nulls())},
    }
    assert manifest["tables"]["natural_person"] == {"rows": 9, "totals": {}}
    assert manifest["attestations"] == 9
    assert (manifest["authorisation"], manifest["deliberation"], manifest["snapshot"]) == ("all-of-it", "example", 7)
    assert manifest["quarter"] == "2026/3"
    assert manifest["versions"]["structure"] == "DmfAOriginal_20231.xsd"
    files = {path.name for path in delivery.folder.iterdir()} - {"manifest.json"}
    assert manifest["files"].keys() == files
    for name, facts in manifest["files"].items():
        data = (delivery.folder / name).read_bytes()
        assert facts == {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}


def test_one_format_alone(lake, tmp_path, out):
    folder = given(lake, permit_of(tmp_path, blocks=NARROW, format=["xml"]), out).folder
    assert {path.name for path in folder.iterdir()} == {"attestation.xml", "manifest.json"}


def test_a_quarter_without_declarations_gives_an_empty_extract(tmp_path, out):
    with Lake.open(tmp_path / "empty", write=True, create=True):
        pass
    delivery = given(tmp_path / "empty", permit_of(tmp_path), out)
    assert delivery.attestations == 0
    assert pl.read_parquet(delivery.folder / "remun.parquet").is_empty()
    root = etree.parse(delivery.folder / "attestation.xml").getroot()
    etree.XMLSchema(etree.parse(home() / "DmfAAttestation_1.xsd")).assertValid(root)
    assert root.find("attestation") is None


def test_no_persons_number_stands_outside_the_data(lake, tmp_path, out, monkeypatch):
    delivery = given(lake, permit_of(tmp_path), out)
    assert CANARY in {row["inss"] for row in exchanged(lake, "log")}
    places = [path.as_posix() for path in out.rglob("*")]
    said = [*places, (delivery.folder / "manifest.json").read_text(), repr(delivery)]

    def quote(frames, *_):
        raise pl.exceptions.ComputeError(f"conversion failed for {frames['natural_person']['inss'].to_list()}")

    monkeypatch.setitem(EXTRACTS, "attestation", replace(EXTRACTS["attestation"], select=quote))
    with pytest.raises(LakeProblem) as caught:
        given(lake, permit_of(tmp_path, blocks=NARROW), out)
    said.append(str(caught.value))
    assert "ComputeError" in said[-1]
    assert caught.value.__suppress_context__
    assert not [text for text in said if str(CANARY) in text]


def test_the_sample_authorisations_deliver(lake, out):
    rows = load(SAMPLES)
    made = {}
    for permit in permits(rows, DAY, ["example-career-fund", "example-benefit-fund", "example-pension-service"]):
        made[permit.authorisation.recipient.name] = given(lake, permit, out)
    assert made.keys() == {"example-career-fund", "example-benefit-fund", "example-pension-service"}
    assert sorted(entry["id"] for entry in exchanged(lake, "log")) == list(
        range(sum(m.attestations for m in made.values()))
    )
    assert made["example-career-fund"].attestations == 9
    career = etree.parse(made["example-career-fund"].folder / "attestation.xml").getroot()
    etree.XMLSchema(etree.parse(home() / "DmfAAttestation_1.xsd")).assertValid(career)
    pensions = made["example-pension-service"]
    assert (pensions.extract, pensions.attestations) == ("pensions", 9)
    pay = pl.read_parquet(pensions.folder / "remun.parquet")
    assert pay["remun_amount"].sum() == frames_of_quarter()["remun"]["remun_amount"].sum() > 0
    assert not {"indemnity_wapm", "student_contribution"} & {path.stem for path in pensions.folder.iterdir()}
    lines = frames_of_quarter()["worker_record"].filter(pl.col("worker_code").is_in(["015", "495"]))
    persons = lines.select("declaration_id", "natural_person_ordinal").n_unique()
    assert 0 < persons < 9
    assert made["example-benefit-fund"].attestations == persons
    given_lines = pl.read_parquet(made["example-benefit-fund"].folder / "worker_record.parquet")
    assert sorted(given_lines["worker_code"]) == sorted(lines["worker_code"])


def test_pensions_hold_the_career_alone(lake, tmp_path, out):
    listed = {**NARROW, "Service": ["ServiceNbrDays"]}
    del listed["UsingEmployer"]
    delivery = given(lake, permit_of(tmp_path, extract="pensions", blocks=listed), out)
    assert delivery.place == "2026-3/pensions/some-fund"
    root = etree.parse(delivery.folder / "pensions.xml").getroot()
    etree.XMLSchema(etree.parse(home() / "DmfAAttestation_1.xsd")).assertValid(root)
    assert pl.read_parquet(delivery.folder / "service.parquet").height == frames_of_quarter()["service"].height
    with pytest.raises(WrongUsage, match="lists UsingEmployer, which extract pensions does not hold"):
        given(lake, permit_of(tmp_path, extract="pensions", blocks=NARROW), out)


def test_another_extract_is_one_more_declaration(lake, tmp_path, out, monkeypatch):
    blocks = ("EmployerDeclaration", "NaturalPerson", "WorkerRecord", "Occupation", "Remun")
    said = {"words": "Pay of a person", "why": "Tests", "mode": "raw", "blocks": dict.fromkeys(blocks, "all")}
    monkeypatch.setitem(EXTRACTS, "pay", Extract("pay", select=attestations, **declaration("pay", said)))
    listed = {block: NARROW[block] for block in blocks}
    (permit,) = permits(load(register(tmp_path, row(extract="pay", blocks=listed))), DAY)
    delivery = given(lake, permit, out)
    assert delivery.place == "2026-3/pay/some-fund"
    assert (delivery.folder / "pay.xml").exists()
    assert delivery.attestations == 9


def test_r21_a_zone_has_the_same_value_in_every_extract_that_holds_it(lake, tmp_path, out):
    """Facts are said once; recipients differ by what is left out alone."""
    listed = {block: zones for block, zones in NARROW.items() if block != "UsingEmployer"}
    wide = given(lake, permit_of(tmp_path), out)
    institution = {"name": "other-fund", "title": "Invented", "sector": "999", "institution": "2"}
    narrow = given(lake, permit_of(tmp_path, id="other", extract="pensions", blocks=listed, recipient=institution), out)
    for table in ("natural_person", "worker_record", "occupation", "remun"):
        found = pl.read_parquet(narrow.folder / f"{table}.parquet")
        assert found.height > 0
        assert found.equals(pl.read_parquet(wide.folder / f"{table}.parquet").select(found.columns))
