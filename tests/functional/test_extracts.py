"""Extracts from a lake to the recipient's folder, through the Python API."""

import errno
import hashlib
import json
import shutil
from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq
import pytest
from filelock import FileLock
from lxml import etree

from dmfa.errors import LakeProblem, NotAuthorised, WrongUsage
from dmfa.extracts import EXTRACTS, authorisation_rows, deliver_all, load, permits, recorder
from dmfa.extracts.declarations import declaration
from dmfa.extracts.parquet import ParquetFiles
from dmfa.extracts.selection import Extract, attestations
from dmfa.extracts.shape import Shape
from dmfa.lake import EXCHANGE, Lake, history_tables
from dmfa.reading.pool import run_pool
from dmfa.schema import home, lake_tables, snake_case
from tests.unit.extracts.material import (
    CANARY,
    DAY,
    NARROW,
    QUARTER,
    RUN,
    Invention,
    bytes_in,
    given,
    invented,
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


def frames_of_quarter() -> dict[str, pl.DataFrame]:
    return {name: frame.filter(pl.col("quarter") == QUARTER.code) for name, frame in invented().items()}


def as_text(value: object, number: str) -> str | None:
    """A cell as it is given out, by rules of the test's own."""
    if value is None:
        return None
    return str(value).rjust(DIGITS.get(number, 0), "0")


def read(lake: Path, table: str) -> list[dict]:
    with Lake.open(lake) as opened:
        return opened.arrow(f"SELECT * FROM lake.exchange.{table}").to_pylist()


def snapshot(lake: Path) -> int:
    with Lake.open(lake) as opened:
        return opened.snapshot_id()


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
    assert read(lake, "log") == read(lake, "delivery") == []


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


def test_the_log_has_a_row_for_every_person_delivered(lake, tmp_path, out):
    delivery = given(lake, permit_of(tmp_path, blocks=NARROW), out)
    log = read(lake, "log")
    people = pl.read_parquet(delivery.folder / "natural_person.parquet")
    assert [entry["id"] for entry in log] == list(range(9))
    assert Counter((f"{entry['inss']:011d}", entry["attestation"], entry["version"]) for entry in log) == Counter(
        people.select("inss", "attestation", "version").iter_rows()
    )
    (constant,) = {
        tuple(value for name, value in entry.items() if name not in ("id", "inss", "attestation", "version"))
        for entry in log
    }
    assert constant == (
        "run-1",
        datetime(2026, 11, 22, 9, 30),
        "attestation",
        "all-of-it",
        "supplier",
        "some-fund",
        20263,
        "EmployerDeclaration,NaturalPerson,WorkerRecord,Occupation,Remun,UsingEmployer",
        "2026-3/attestation/some-fund",
        delivery.ticket,
        "given",
        None,
        0,
        None,
    )


def test_the_lake_keeps_a_row_for_every_file_delivered(lake, tmp_path, out):
    delivery = given(lake, permit_of(tmp_path, blocks=NARROW), out)
    kept = {entry["file"]: entry for entry in read(lake, "delivery")}
    assert kept.keys() == {f"2026-3/attestation/some-fund/{name}" for name in delivery.manifest["files"]}
    amounts = sum(frames_of_quarter()["remun"]["remun_amount"].drop_nulls())
    remun = kept["2026-3/attestation/some-fund/remun.parquet"]
    assert remun["sha256"] == delivery.manifest["files"]["remun.parquet"]["sha256"]
    assert json.loads(remun["control_totals"]) == {"remun_amount": amounts}
    xml = kept["2026-3/attestation/some-fund/attestation.xml"]
    assert xml["rows"] == 9
    assert json.loads(xml["control_totals"]) == {"remun": {"remun_amount": amounts}}


def test_a_second_run_changes_nothing(lake, tmp_path, out):
    permit = permit_of(tmp_path)
    first = given(lake, permit, out)
    before, at = bytes_in(out), snapshot(lake)
    later = replace(RUN, id="run-2", at=datetime(2026, 12, 1, tzinfo=UTC), snapshot=99)
    second = given(lake, permit, out, run=later)
    assert (first.changed, second.changed) == (True, False)
    assert second.ticket == first.ticket
    assert second.attestations == 9
    assert bytes_in(out) == before
    assert snapshot(lake) == at


def test_the_same_data_gives_the_same_bytes_elsewhere(lake, tmp_path, out):
    permit = permit_of(tmp_path)
    given(lake, permit, out, shard=1)
    given(lake, permit, tmp_path / "other", shard=10)
    assert bytes_in(out) == bytes_in(tmp_path / "other")


def test_new_data_is_delivered_anew_and_logged_again(lake, tmp_path, out):
    permit = permit_of(tmp_path, blocks=NARROW)
    first = given(lake, permit, out)
    with Lake.open(lake, write=True, wait_seconds=0) as opened, opened.transaction() as publication:
        frames = Invention(2).declaration(8, persons=1).frames()
        for spec in history_tables():
            publication.append(spec, frames[spec.name])
    second = given(lake, permit, out)
    assert second.changed
    assert second.ticket != first.ticket
    assert second.attestations == 10
    assert Counter(entry["ticket"] for entry in read(lake, "log")) == {first.ticket: 9, second.ticket: 10}
    assert pl.read_parquet(second.folder / "natural_person.parquet").height == 10
    assert sorted(path.name for path in second.folder.parent.iterdir()) == [
        ".some-fund.lock",
        "some-fund",
        "some-fund.1",
    ]


def test_a_new_authorisation_is_delivered_anew(lake, tmp_path, out):
    first = given(lake, permit_of(tmp_path), out)
    second = given(lake, permit_of(tmp_path, blocks=NARROW), out)
    assert second.changed
    assert second.ticket != first.ticket
    assert len(list(second.folder.glob("*.parquet"))) == len(NARROW)


def test_a_spoiled_delivery_is_mended_without_a_second_log(lake, tmp_path, out):
    permit = permit_of(tmp_path)
    first = given(lake, permit, out)
    before = bytes_in(out)
    (first.folder / "remun.parquet").write_bytes(b"spoiled")
    second = given(lake, permit, out)
    assert second.changed
    assert bytes_in(out) == before
    assert len(read(lake, "log")) == 9


@pytest.mark.parametrize(
    "failure", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt()], ids=["full disk", "stopped"]
)
@pytest.mark.parametrize("before", [True, False], ids=["over an old delivery", "first delivery"])
def test_a_break_in_mid_delivery_leaves_what_was_there(lake, tmp_path, out, monkeypatch, failure, before):
    permit = permit_of(tmp_path)
    if before:
        given(lake, permit_of(tmp_path, blocks=NARROW), out)
    kept, logged = bytes_in(out), read(lake, "log")
    write, calls = ParquetFiles.write, []

    def break_off(self, tables):
        calls.append(1)
        write(self, tables)
        if len(calls) == 2:
            raise failure

    monkeypatch.setattr(ParquetFiles, "write", break_off)
    with pytest.raises((LakeProblem, KeyboardInterrupt)) as caught:
        given(lake, permit, out, shard=1)
    assert {name: data for name, data in bytes_in(out).items() if not name.endswith(".lock")} == {
        name: data for name, data in kept.items() if not name.endswith(".lock")
    }
    assert not list(out.rglob("*.partial"))
    assert read(lake, "log") == logged
    if isinstance(failure, OSError):
        assert "could not be written: no space left on device" in str(caught.value)
        assert caught.value.exit_code == 13


def test_a_record_that_fails_delivers_nothing(lake, tmp_path, out):
    def fail(_):
        raise LakeProblem("the lake is full")

    with pytest.raises(LakeProblem, match="the lake is full"):
        given(lake, permit_of(tmp_path), out, record=fail)
    assert sorted(path.name for path in out.rglob("*") if path.is_file()) == [".rows.lock", ".some-fund.lock"]


def test_a_break_between_record_and_delivery_is_finished_by_the_next_run(lake, tmp_path, out, monkeypatch):
    permit = permit_of(tmp_path, blocks=NARROW)
    with monkeypatch.context() as patch:
        patch.setattr("dmfa.extracts.plan.put_in_place", lambda *_: (_ for _ in ()).throw(OSError(errno.EIO, "x")))
        with pytest.raises(LakeProblem):
            given(lake, permit, out)
    assert len(read(lake, "log")) == 9
    delivery = given(lake, permit, out)
    assert delivery.changed
    assert {entry["ticket"] for entry in read(lake, "log")} == {delivery.ticket}
    assert len(read(lake, "log")) == 9


def test_what_a_killed_run_left_is_cleared(lake, tmp_path, out):
    permit = permit_of(tmp_path, blocks=NARROW)
    folder = given(lake, permit, out).folder
    before = bytes_in(folder)
    shutil.copytree(folder, folder.with_name(".some-fund.partial"))
    folder.rename(folder.with_name(".some-fund.old"))
    assert not given(lake, permit, out).changed
    assert bytes_in(folder) == before
    assert sorted(path.name for path in folder.parent.iterdir()) == [".some-fund.lock", "some-fund"]


def test_an_old_delivery_beside_the_new_one_is_cleared(lake, tmp_path, out):
    permit = permit_of(tmp_path, blocks=NARROW)
    folder = given(lake, permit, out).folder
    shutil.copytree(folder, folder.with_name(".some-fund.old"))
    assert not given(lake, permit, out).changed
    assert sorted(path.name for path in folder.parent.iterdir()) == [".some-fund.lock", "some-fund"]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"state": '])
def test_a_manifest_that_cannot_be_read_is_written_anew(lake, tmp_path, out, text):
    permit = permit_of(tmp_path, blocks=NARROW)
    folder = given(lake, permit, out).folder
    before = bytes_in(folder)
    (folder / "manifest.json").write_text(text)
    assert given(lake, permit, out).changed
    assert bytes_in(folder) == before
    assert len(read(lake, "log")) == 9


def test_a_delivery_that_cannot_be_moved_in_leaves_the_old_one(lake, tmp_path, out, monkeypatch):
    folder = given(lake, permit_of(tmp_path, blocks=NARROW), out).folder
    before = bytes_in(folder)
    rename = Path.rename

    def fail(path, target):
        if path.name.endswith(".partial"):
            raise OSError(errno.EACCES, "Permission denied")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", fail)
    with pytest.raises(LakeProblem, match="could not be written: permission denied"):
        given(lake, permit_of(tmp_path), out)
    assert bytes_in(folder) == before
    assert sorted(path.name for path in folder.parent.iterdir()) == [".some-fund.lock", "some-fund"]


def test_two_runs_do_not_write_one_delivery(lake, tmp_path, out):
    place = out / "extracts" / "2026-3" / "attestation"
    place.mkdir(parents=True)
    with FileLock(place / ".some-fund.lock"), pytest.raises(LakeProblem, match="being written by another run"):
        given(lake, permit_of(tmp_path), out)


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
    assert CANARY in {row["inss"] for row in read(lake, "log")}
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
    assert sorted(entry["id"] for entry in read(lake, "log")) == list(range(sum(m.attestations for m in made.values())))
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


def test_r4_the_register_is_kept_in_the_lake(lake):
    spec = next(spec for spec in EXCHANGE if spec.name == "authorisation")
    with Lake.open(lake, write=True, wait_seconds=0) as opened:
        assert opened.replace(spec, authorisation_rows(load(SAMPLES)))
        assert not opened.replace(spec, authorisation_rows(load(SAMPLES)))
    kept = {entry["authorisation"]: entry for entry in read(lake, "authorisation")}
    assert kept.keys() == {row.id for row in load(SAMPLES)}
    asked = {"sector": "999", "qualities": ["101", "103"], "institution_type": "005"}
    assert json.loads(kept["example-family"]["directory"]) == asked
    assert kept["example-career"]["directory"] is None
    study = kept["example-study-2025"]
    assert (study["valid_to"], study["fictitious"]) == (date(2025, 12, 31), True)
    assert "service.service_nbr_days" in study["zones"]


def test_prolonging_an_authorisation_delivers_nothing_anew(lake, tmp_path, out):
    given(lake, permit_of(tmp_path), out)
    assert not given(lake, permit_of(tmp_path, valid_to=None), out).changed


def test_processes_of_their_own_write_the_same_bytes(lake, tmp_path, out):
    """And the log and the record stay with the one that holds the lake."""
    names = ["example-career-fund", "pensions", "holidays", "occupational-risks", "statistics"]
    allowed = permits(load(SAMPLES), DAY, names)
    with Lake.open(lake, write=True, wait_seconds=0) as opened:
        pool, record = partial(run_pool, workers=2), recorder(opened)
        done = dict(deliver_all(opened, QUARTER, allowed, out, RUN, record=record, pool=pool, shard=2))
    assert [done[position].authorisation for position in sorted(done)] == [one.authorisation for one in allowed]
    for permit in allowed:
        given(lake, permit, tmp_path / "other")
    assert bytes_in(out) == bytes_in(tmp_path / "other")
    assert len(read(lake, "log")) == sum(delivery.attestations for delivery in done.values())


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
