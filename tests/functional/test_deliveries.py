"""Deliveries of extracts: what is recorded of them, when they are made anew, and what a break leaves."""

import errno
import json
import shutil
from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path

import polars as pl
import pytest
from filelock import FileLock

from dmfa.errors import LakeProblem
from dmfa.extracts import authorisation_rows, deliver_all, load, permits, recorder
from dmfa.extracts.parquet import ParquetFiles
from dmfa.lake import EXCHANGE, Lake, history_tables
from dmfa.reading.pool import run_pool
from tests.unit.extracts.material import (
    DAY,
    NARROW,
    QUARTER,
    RUN,
    Invention,
    bytes_in,
    exchanged,
    frames_of_quarter,
    given,
    new_lake,
    permit_of,
)

SAMPLES = Path(__file__).parents[2] / "data" / "samples" / "authorisations.yaml"


@pytest.fixture
def lake(tmp_path):
    return new_lake(tmp_path)


@pytest.fixture
def out(tmp_path):
    return tmp_path / "out"


def snapshot(lake: Path) -> int:
    with Lake.open(lake) as opened:
        return opened.snapshot_id()


def test_the_log_has_a_row_for_every_person_delivered(lake, tmp_path, out):
    delivery = given(lake, permit_of(tmp_path, blocks=NARROW), out)
    log = exchanged(lake, "log")
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
    kept = {entry["file"]: entry for entry in exchanged(lake, "delivery")}
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
    assert Counter(entry["ticket"] for entry in exchanged(lake, "log")) == {first.ticket: 9, second.ticket: 10}
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
    assert len(list(second.folder.glob("*.parquet"))) == len([*NARROW, "quality_flag"])


def test_a_spoiled_delivery_is_mended_without_a_second_log(lake, tmp_path, out):
    permit = permit_of(tmp_path)
    first = given(lake, permit, out)
    before = bytes_in(out)
    (first.folder / "remun.parquet").write_bytes(b"spoiled")
    second = given(lake, permit, out)
    assert second.changed
    assert bytes_in(out) == before
    assert len(exchanged(lake, "log")) == 9


@pytest.mark.parametrize(
    "failure", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt()], ids=["full disk", "stopped"]
)
@pytest.mark.parametrize("before", [True, False], ids=["over an old delivery", "first delivery"])
def test_a_break_in_mid_delivery_leaves_what_was_there(lake, tmp_path, out, monkeypatch, failure, before):
    permit = permit_of(tmp_path)
    if before:
        given(lake, permit_of(tmp_path, blocks=NARROW), out)
    kept, logged = bytes_in(out), exchanged(lake, "log")
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
    assert exchanged(lake, "log") == logged
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
    assert len(exchanged(lake, "log")) == 9
    delivery = given(lake, permit, out)
    assert delivery.changed
    assert {entry["ticket"] for entry in exchanged(lake, "log")} == {delivery.ticket}
    assert len(exchanged(lake, "log")) == 9


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
    assert len(exchanged(lake, "log")) == 9


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


def test_r4_the_register_is_kept_in_the_lake(lake):
    spec = next(spec for spec in EXCHANGE if spec.name == "authorisation")
    with Lake.open(lake, write=True, wait_seconds=0) as opened:
        assert opened.replace(spec, authorisation_rows(load(SAMPLES)))
        assert not opened.replace(spec, authorisation_rows(load(SAMPLES)))
    kept = {entry["authorisation"]: entry for entry in exchanged(lake, "authorisation")}
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
    assert len(exchanged(lake, "log")) == sum(delivery.attestations for delivery in done.values())
