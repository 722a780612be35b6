"""Extracts that may not or cannot be given: how each ends, that nothing is half published, and that it is logged."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from dmfa.errors import NotAuthorised
from dmfa.extracts.shape import Shape
from dmfa.lake import Lake
from dmfa.quarter import Quarter
from flows.settings import Settings
from flows.stages import whole
from flows.stages.extract import run
from tests.conftest import ROOT, SAMPLES, TODAY, SampleRun, dmfa

REGISTER = SAMPLES / "authorisations.yaml"
QUARTER = Quarter(2026, 3)
PERSON = "85210100257"


def rows() -> list[dict[str, Any]]:
    """The first rows of the samples: blocks as declared, for five recipients."""
    found: list[dict[str, Any]] = yaml.safe_load(REGISTER.read_text())
    return found[:5]


def register(folder: Path, found: list[dict[str, Any]]) -> Path:
    file = folder / "register.yaml"
    file.write_text(yaml.safe_dump(found, sort_keys=False))
    return file


def words(verb: str, own: SampleRun, file: Path, *more: object) -> list[object]:
    """A verb over a lake that holds the sample quarter, into a folder of its own."""
    inbox = ["--no-prefect", "--inbox", SAMPLES / "inbox"] if verb == "run" else []
    return [verb, "2026/3", "--lake", own.lake, "--out", own.folder / "new", "--authorisations", file, *inbox, *more]


def published(own: SampleRun) -> dict[str, str]:
    """Deliveries in place by folder, each with the digest of its manifest; fails on anything half done."""
    given = own.folder / "new" / "extracts"
    assert not [path for path in given.rglob(".*") if path.suffix != ".lock"]
    found = {}
    for file in given.rglob("manifest.json"):
        manifest = json.loads(file.read_text())
        assert {path.name for path in file.parent.iterdir()} == {"manifest.json", *manifest["files"]}
        for name, facts in manifest["files"].items():
            assert hashlib.sha256((file.parent / name).read_bytes()).hexdigest() == facts["sha256"]
        found[file.parent.name] = hashlib.sha256(file.read_bytes()).hexdigest()
    assert {path.parent.name for path in given.rglob("*") if path.is_file() and path.suffix != ".lock"} == set(found)
    return found


def manifests(own: SampleRun) -> list[dict[str, Any]]:
    return [json.loads(path.read_text()) for path in (own.folder / "new").rglob("manifest.json")]


def log(own: SampleRun, result: str) -> list[dict[str, str]]:
    sql = f"""SELECT * FROM exchange.log WHERE result = '{result}' ORDER BY "at", run_id, id"""
    done = dmfa("sql", sql, "--lake", own.lake, "--format", "csv")
    assert done.returncode == 0, done.stderr
    return list(csv.DictReader(io.StringIO(done.stdout)))


def told(done: subprocess.CompletedProcess[str], code: int, *said: str) -> None:
    assert done.returncode == code, done.stdout + done.stderr
    assert len(done.stderr.rstrip().splitlines()) == 2
    assert done.stderr.startswith("dmfa: ")
    for text in said:
        assert text in done.stderr


@pytest.mark.parametrize(
    ("name", "shown", "extract", "reason"),
    [
        ("example-study", "example-study", "attestation", "authorisation example-study-2025 expired on 2025-12-31"),
        ("example-later", "example-later", "pensions", "authorisation example-later is not valid before 2027-01-01"),
        ("no-such-fund", "no-such-fund", "", "no row names it"),
        (PERSON, "a name that nothing can have", "", "no row names it"),
        (f"fund-{PERSON}", "a name that nothing can have", "", "no row names it"),
    ],
    ids=["expired", "not yet valid", "unknown recipient", "a person's number", "a name with a person's number"],
)
def test_r4_r11_what_is_asked_for_by_name_in_vain_is_refused_and_logged(
    own_run: SampleRun, name: str, shown: str, extract: str, reason: str
) -> None:
    later = next(row for row in rows() if row["extract"] == "pensions")
    recipient = {**later["recipient"], "name": "example-later"}
    more = {**later, "id": "example-later", "recipient": recipient, "valid_from": date(2027, 1, 1)}
    file = register(own_run.folder, [*rows(), more])
    before = log(own_run, "refused")
    for times in (1, 2):
        done = dmfa(*words("extract", own_run, file, "--to", name, "--to", "example-career-fund"))
        told(done, 12, f"no valid authorisation for {shown}: {reason}.")
        assert PERSON not in done.stdout + done.stderr
        new = log(own_run, "refused")[len(before) :]
        assert len(new) == times
    assert {(row["flow"], row["recipient"], row["reason"]) for row in new} == {(extract, shown, reason)}
    assert len({row["ticket"] for row in new}) == 2
    for row in new:
        assert not row["inss"] + row["attestation"] + row["version"] + row["file"]
        assert (row["quarter"], row["result"]) == ("20263", "refused")
        assert row["at"]
    assert not (own_run.folder / "new").exists()


def test_a_row_that_is_missing_gives_nothing(own_run: SampleRun) -> None:
    file = register(own_run.folder, [row for row in rows() if row["extract"] != "pensions"])
    told(dmfa(*words("extract", own_run, file, "--to", "pensions")), 12, "no valid authorisation for pensions")
    assert not (own_run.folder / "new").exists()
    assert log(own_run, "refused")[-1]["recipient"] == "pensions"
    done = dmfa(*words("run", own_run, file))
    assert done.returncode == 0, done.stderr
    assert published(own_run).keys() == {"example-career-fund", "example-benefit-fund"}


def test_r8_expired_rows_give_nothing_in_a_run_and_say_why(own_run: SampleRun) -> None:
    file = register(own_run.folder, [{**row, "valid_to": date(2026, 11, 21)} for row in rows()])
    given = len(log(own_run, "given"))
    for verb in ("run", "extract"):
        done = dmfa(*words(verb, own_run, file))
        assert (done.returncode, done.stderr) == (0, "")
        for row in rows():
            reason = f"authorisation {row['id']} expired on 2026-11-21"
            assert f"{row['extract']} is not given to {row['recipient']['name']}: {reason}" in done.stdout
    assert published(own_run) == {}
    assert len(log(own_run, "given")) == given
    logged = [row["authorisation"] for row in log(own_run, "refused") if row["reason"].endswith("2026-11-21")]
    assert sorted(logged) == sorted(row["id"] for row in rows())


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda text: text.replace("blocks:", "blocks: {", 1), "line "),
        (lambda text: text.replace("valid_from: 2024-01-01", "valid_from: soon", 1), "valid_from is not a day"),
        (lambda text: text.replace("[RemunCode, ", "[RemunCode, RemunSecret, ", 1), "Remun has no zone RemunSecret"),
        (lambda text: text.replace("    NaturalPerson: [INSS]\n", "", 1), "but not the blocks around"),
        (
            lambda text: text.replace("extract: pensions", "extract: attestation\n  extract: pensions", 1),
            "stands twice",
        ),
    ],
    ids=["no YAML", "no day", "no such zone", "no block around", "a key twice"],
)
def test_a_broken_register_ends_with_two_before_anything_is_done(own_run: SampleRun, spoil: Any, said: str) -> None:
    file = own_run.folder / "register.yaml"
    file.write_text(spoil(REGISTER.read_text()))
    with Lake.open(own_run.lake) as lake:
        before = lake.snapshot_id()
    told(dmfa(*words("extract", own_run, file)), 2, said, str(file))
    told(dmfa(*words("run", own_run, file, "--inbox", SAMPLES / "later")), 2, said, str(file))
    with Lake.open(own_run.lake) as lake:
        assert lake.snapshot_id() == before
    assert not (own_run.folder / "new").exists()


def test_a_register_that_is_not_there_ends_with_two_before_anything_is_done(tmp_path: Path) -> None:
    done = dmfa("run", "2026/3", "--no-prefect", "--inbox", SAMPLES / "inbox", "--authorisations", "none", cwd=tmp_path)
    told(done, 2, "none cannot be read")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("stage", ["extract", "run"])
def test_r5_r6_a_column_too_many_gives_nothing_to_anybody(
    own_run: SampleRun, monkeypatch: pytest.MonkeyPatch, stage: str
) -> None:
    """An extract that takes more than its row lists: the check stands apart from whoever makes the tables."""
    settings = Settings(
        lake=str(own_run.lake),
        out=own_run.folder / "new",
        inbox=SAMPLES / "inbox",
        authorisations=REGISTER,
        received_on=date.fromisoformat(TODAY),
    )
    shape = Shape.of
    narrow, wide = rows()[1], rows()[0]

    def too_much(permit: Any, blocks: tuple[str, ...], xsd: Path | None = None) -> Shape:
        made = shape(permit, blocks, xsd)
        if permit.authorisation.id != narrow["id"]:
            return made
        more = {**permit.authorisation.blocks, "Remun": tuple(wide["blocks"]["Remun"])}
        object.__setattr__(permit.authorisation, "blocks", more)
        try:
            return shape(permit, blocks, xsd)
        finally:
            object.__setattr__(permit.authorisation, "blocks", {name: more[name] for name in narrow["blocks"]})

    monkeypatch.setattr(Shape, "of", too_much)
    given = len(log(own_run, "given"))
    with pytest.raises(NotAuthorised, match=r"does not list .*remun\.remun_amount") as caught:
        run(QUARTER, settings) if stage == "extract" else whole.run_quarter(QUARTER, settings)
    assert caught.value.exit_code == 12
    assert not (own_run.folder / "new" / "extracts").exists()
    assert len(log(own_run, "given")) == given
    last = next(row for row in log(own_run, "refused") if "remun_amount" in row["reason"])
    assert (last["flow"], last["recipient"], last["authorisation"], last["inss"]) == (
        "attestation",
        "example-benefit-fund",
        "example-employment",
        "",
    )


LITTLE_ROOM = """
import resource, sys
from dmfa.extracts.xml import XmlFile
from flows.cli import main

write, left = XmlFile.write, [int(sys.argv.pop(1))]

def run_short(self, tables):
    left[0] -= 1
    if left[0] == 0:
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, resource.RLIM_INFINITY))
    write(self, tables)

XmlFile.write = run_short
main()
"""
"""The command line; no file may be larger than 20 kB from the moment on at which the n-th XML file begins."""


@pytest.mark.parametrize("verb", ["extract", "run"])
@pytest.mark.parametrize(
    ("number", "before"),
    [(1, set()), (2, {"example-career-fund", "example-benefit-fund"})],
    ids=["in the first delivery", "in a later one"],
)
def test_a_full_disk_in_mid_delivery(own_run: SampleRun, verb: str, number: int, before: set[str]) -> None:
    # Another purpose, so that none of it was given before.
    file = register(own_run.folder, [{**row, "purpose": "To be given on a full disk"} for row in rows()])
    given = len(log(own_run, "given"))
    clean = {name: value for name, value in os.environ.items() if not name.startswith("DMFA_")}
    done = subprocess.run(
        [sys.executable, "-c", LITTLE_ROOM, str(number), *map(str, words(verb, own_run, file))],
        env={**clean, "PYTHONPATH": str(ROOT), "DMFA_RECEIVED_ON": TODAY, "DMFA_WORKERS": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    told(done, 13, "could not be written: ", "What stood there before still does")
    standing = published(own_run)
    assert standing.keys() == before
    logged = log(own_run, "given")[given:]
    assert {row["recipient"] for row in logged} == set(standing)
    done = dmfa(*words(verb, own_run, file))
    assert (done.returncode, done.stderr) == (0, "")
    everything = published(own_run)
    assert everything.keys() == {"example-career-fund", "example-benefit-fund", "example-pension-service"}
    assert standing.items() <= everything.items()
    rows_given = sum(manifest["attestations"] for manifest in manifests(own_run))
    assert len(log(own_run, "given")) - given == rows_given > 0
