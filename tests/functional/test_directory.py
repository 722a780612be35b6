"""The reference directory from a file to what is given out: imports, changes, and who is in a delivery."""

from __future__ import annotations

import csv
import errno
import io
import json
import shutil
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from dmfa.errors import LakeFull, NotAuthorised, WrongUsage
from dmfa.extracts.directory import COLUMNS
from dmfa.extracts.retention import overdue
from dmfa.lake import RECEIVED, Lake
from dmfa.quarter import Quarter
from flows.settings import Settings
from flows.stages import directory, extract
from tests.conftest import SAMPLES, TODAY, SampleRun, dmfa
from tests.unit.extracts.material import CANARY, NARROW, new_lake, register, row

QUARTER, BEFORE = Quarter(2026, 3), Quarter(2026, 2)
REGISTER = SAMPLES / "authorisations.yaml"
PERSONS, CHANGES = SAMPLES / "directory" / "persons.csv", SAMPLES / "directory" / "changes.csv"
FUND = "example-family-fund"
SECOND, THIRD = 5123112338, 10100105
"""With CANARY the persons of the invented lake."""

LINES = (
    f"{CANARY},999,005,101,,2026-07-01,,2026-07-01",
    f"{SECOND},999,005,103,,2020-01-01,2026-06-30,2026-06-30",
    f"{THIRD},999,005,902,,2020-01-01,,2020-01-01",
)


@pytest.fixture(scope="module")
def samples(sample_run: SampleRun, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The sample quarter with the directory of the samples, imported as a user does it, and given to the fund."""
    folder = tmp_path_factory.mktemp("directory")
    shutil.copytree(sample_run.lake, folder / "lake")
    done = dmfa("reference", "import", "persons", PERSONS, "--authorisations", REGISTER, cwd=folder)
    assert (done.returncode, done.stderr) == (0, "")
    (folder / "said").write_text(done.stdout, encoding="utf-8")
    settings = Settings.gather(
        {"DMFA_RECEIVED_ON": TODAY}, lake=folder / "lake", out=folder / "out", authorisations=REGISTER
    )
    found = extract.run(QUARTER, settings, names=[FUND])
    (folder / "notices").write_text("\n".join(found.notices), encoding="utf-8")
    return settings


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A small lake with a directory, under one authorisation that asks for it; no test changes it."""
    folder = tmp_path_factory.mktemp("standing")
    filing = next(spec for spec in RECEIVED if spec.name == "filing")
    with Lake.open(new_lake(folder), write=True) as lake, lake.transaction() as publication:
        publication.append(filing, pl.DataFrame({"filing_id": [1], "processed_at": [datetime(2026, 11, 20)]}))
    asked_for = {"sector": "999", "institution_type": "005", "qualities": ["101", "103"]}
    recipient = {"name": FUND, "title": "Invented", "sector": "999", "institution": "005"}
    more = {"blocks": NARROW, "format": ["parquet"], "valid_to": None, "recipient": recipient}
    file = register(folder, row(id="example-family", directory=asked_for, **more))
    given_to = {"lake": folder / "lake", "out": folder / "out", "authorisations": file}
    settings = Settings.gather({"DMFA_RECEIVED_ON": TODAY}, **given_to)
    directory.run(lines_file(folder, *LINES), "persons", settings)
    return settings


@pytest.fixture
def own(standing: Settings, tmp_path: Path) -> Settings:
    """A copy of it that a test may change."""
    shutil.copytree(standing.lake, tmp_path / "lake")
    return replace(standing, lake=str(tmp_path / "lake"), out=tmp_path / "out")


def asked(settings: Settings, sql: str) -> list[dict[str, Any]]:
    with Lake.open(settings.lake) as lake:
        return lake.arrow(sql).to_pylist()


def state(settings: Settings) -> int:
    with Lake.open(settings.lake) as lake:
        return lake.snapshot_id()


def place(settings: Settings, quarter: Quarter = QUARTER) -> Path:
    return Path(str(settings.out), "extracts", f"{quarter.year}-{quarter.number}", "attestation", FUND)


def manifest(settings: Settings, quarter: Quarter = QUARTER) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((place(settings, quarter) / "manifest.json").read_bytes())
    return found


def known() -> set[int]:
    """Persons that the fund of the samples has a line of on a day of the quarter, by single days."""
    whole = {QUARTER.first_day + timedelta(days=n) for n in range((QUARTER.last_day - QUARTER.first_day).days + 1)}
    found = set()
    for one in csv.DictReader(io.StringIO(PERSONS.read_text())):
        begin, end = date.fromisoformat(one["begin_date"]), date.fromisoformat(one["end_date"] or "9999-12-31")
        ours = (one["sector"], one["institution_type"]) == ("999", "005") and one["quality"] in ("101", "103")
        if ours and any(begin <= day <= end for day in whole):
            found.add(int(one["inss"]))
    return found


def declared(settings: Settings, quarter: Quarter = QUARTER) -> list[int]:
    sql = f"SELECT inss FROM lake.authentic.natural_person WHERE quarter = {quarter.code}"
    return [one["inss"] for one in asked(settings, sql)]


def given(settings: Settings, quarter: Quarter = QUARTER) -> list[int]:
    """Persons in the delivery in place, as the log has them."""
    ticket = manifest(settings, quarter)["ticket"]
    sql = f"SELECT inss FROM lake.exchange.log WHERE result = 'given' AND ticket = '{ticket}'"
    return [one["inss"] for one in asked(settings, sql)]


def lines_file(folder: Path, *rows: str, changes: bool = False) -> Path:
    file = folder / ("changes.csv" if changes else "lines.csv")
    columns = ("operation", *COLUMNS) if changes else COLUMNS
    file.write_text("\n".join([",".join(columns), *rows]) + "\n", encoding="utf-8")
    return file


def test_the_import_tells_what_it_did(samples: Settings) -> None:
    said = (Path(samples.lake).parent / "said").read_text()
    rows = len(PERSONS.read_text().splitlines()) - 1
    assert said == f"control: {rows} lines read, of sector 999; new in the lake; lake\n"
    (one,) = asked(samples, "SELECT operation, effect, inss, sector, place, file FROM lake.exchange.directory_change")
    assert list(one.values()) == ["import", None, None, "999", rows, "persons.csv"]


def test_r1_r7_the_fund_gets_the_persons_that_it_has_a_line_of_and_nobody_else(samples: Settings) -> None:
    expected = sorted(inss for inss in declared(samples) if inss in known())
    assert 5 < len(expected) < len(declared(samples))
    assert sorted(given(samples)) == expected
    people = pl.read_parquet(place(samples) / "natural_person.parquet")
    assert sorted(map(int, people["inss"])) == expected


def test_r3_r10_whoever_has_no_line_is_counted_in_manifest_notice_and_log(samples: Settings) -> None:
    persons = declared(samples)
    missing = sum(inss not in known() for inss in persons)
    told = {"sector": "999", "qualities": ["101", "103"], "institution_type": "005", "not_integrated": missing}
    assert manifest(samples)["directory"] == told
    assert manifest(samples)["attestations"] + missing == len(persons)
    notices = (Path(samples.lake).parent / "notices").read_text()
    assert f"attestation for {FUND} leaves out {missing} attestations: not integrated" in notices
    (one,) = asked(samples, "SELECT * FROM lake.exchange.log WHERE result = 'not integrated'")
    assert one["reason"] == f"{missing} attestations of persons without a line in the directory"
    assert (one["recipient"], one["inss"], one["attestation"]) == (FUND, None, None)
    assert one["ticket"] == manifest(samples)["ticket"]
    assert len(given(samples)) == manifest(samples)["attestations"]


def test_the_samples_hold_changes_that_fit(samples: Settings, tmp_path: Path) -> None:
    shutil.copytree(samples.lake, tmp_path / "lake")
    found = directory.run(CHANGES, "person-changes", replace(samples, lake=str(tmp_path / "lake")))
    assert (found.read, found.sectors, found.changed) == (5, ("999",), True)


def test_changes_are_kept_as_versions_and_the_delivery_follows_them(own: Settings, tmp_path: Path) -> None:
    assert not directory.run(lines_file(tmp_path, *reversed(LINES)), "persons", own).changed
    rows = (
        f"de-integrate,{CANARY},999,005,,,2026-07-01,2026-09-30,2026-11-19",
        f"change,{SECOND},999,005,103,,2020-01-01,2026-07-01,2026-11-18",
    )
    file = lines_file(tmp_path, *rows, changes=True)
    found = directory.run(file, "person-changes", own)
    assert (found.read, found.sectors, found.changed) == (2, ("999",), True)
    told = '"number", applied_on, operation, effect, inss, sector, institution_type, begin_date, end_date, changed_on'
    sql = f"SELECT {told}, file, place FROM lake.exchange.directory_change ORDER BY number"
    today, first = date.fromisoformat(TODAY), date(2020, 1, 1)
    lost, longer = date(2026, 11, 19), date(2026, 11, 18)
    who = ("999", "005")
    assert [tuple(one.values()) for one in asked(own, sql)] == [
        (0, today, "import", None, None, "999", None, None, None, None, "lines.csv", 3),
        (1, today, "de-integrate", "ended", CANARY, *who, date(2026, 7, 1), None, lost, "changes.csv", 2),
        (2, today, "de-integrate", "began", CANARY, *who, date(2026, 10, 1), None, lost, "changes.csv", 2),
        (3, today, "change", "ended", SECOND, *who, first, date(2026, 6, 30), longer, "changes.csv", 3),
        (4, today, "change", "began", SECOND, *who, first, date(2026, 7, 1), longer, "changes.csv", 3),
    ]
    extract.run(QUARTER, own)
    assert set(given(own)) == {SECOND}
    at = state(own)
    assert not directory.run(file, "person-changes", own).changed
    assert not any(delivery.changed for delivery in extract.run(QUARTER, own).deliveries)
    assert state(own) == at


def test_r15_a_late_inscription_opens_the_quarters_of_its_period_only(own: Settings, tmp_path: Path) -> None:
    (person, *_) = (inss for inss in declared(own, BEFORE) if inss != SECOND)
    admitted = f"integrate,{person},999,005,103,,2026-05-15,2026-06-30,2026-11-20"
    directory.run(lines_file(tmp_path, admitted, changes=True), "person-changes", own)
    for quarter in (BEFORE, QUARTER):
        extract.run(quarter, own)
    assert set(given(own, BEFORE)) == {SECOND, person} & set(declared(own, BEFORE))
    assert set(given(own)) == {CANARY}


def line(begin: str, end: str, sector: str = "999") -> str:
    return f"{CANARY},{sector},5,101,,{begin},{end},2024-01-01"


def test_a_broken_directory_is_refused_whole(standing: Settings, tmp_path: Path) -> None:
    """Two periods that share one day, among others that follow on one another."""
    right = f"{SECOND},999,5,101,,2024-01-01,2024-06-30,2024-01-01"
    after = f"{SECOND},999,5,101,,2024-07-01,,2024-07-01"
    rows = (right, line("2024-01-01", "2024-06-30"), after, line("2024-06-30", ""))
    before, files = state(standing), sorted(Path(standing.lake).rglob("*.parquet"))
    with pytest.raises(WrongUsage, match="lines 3, 5: ") as caught:
        directory.run(lines_file(tmp_path, *rows), "persons", standing)
    assert str(CANARY) not in str(caught.value)
    assert state(standing) == before
    assert sorted(Path(standing.lake).rglob("*.parquet")) == files


def test_a_full_disk_takes_nothing(standing: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("pyarrow.parquet.ParquetWriter.write_table", fail)
    before, files = state(standing), sorted(Path(standing.lake).rglob("*.parquet"))
    with pytest.raises(LakeFull, match=r"the disk of the lake .* is full"):
        directory.run(lines_file(tmp_path, line("2024-01-01", "")), "persons", standing)
    assert state(standing) == before
    assert sorted(Path(standing.lake).rglob("*.parquet")) == files


def test_a_file_takes_the_place_of_what_stands_of_its_sectors_alone(own: Settings, tmp_path: Path) -> None:
    """And periods that follow on one another share no day."""
    rows = (line("2024-01-01", "2024-06-30", "018"), line("2024-07-01", "", "018"))
    found = directory.run(lines_file(tmp_path, *rows), "persons", own)
    assert (found.read, found.sectors, found.changed) == (2, ("018",), True)
    directory.run(lines_file(tmp_path, line("2024-01-01", "")), "persons", own)
    count = "SELECT sector, count(*) AS n FROM lake.exchange.directory GROUP BY sector ORDER BY sector"
    assert [tuple(one.values()) for one in asked(own, count)] == [("018", 2), ("999", 1)]


def test_a_change_that_does_not_fit_changes_nothing(standing: Settings, tmp_path: Path) -> None:
    before = state(standing)
    right = f"integrate,{CANARY},999,005,103,,2026-01-01,,2026-01-01"
    with pytest.raises(WrongUsage, match="line 3: its period shares a day"):
        directory.run(lines_file(tmp_path, right, right, changes=True), "person-changes", standing)
    assert state(standing) == before


def test_a_sector_that_only_the_register_names_is_not_known_without_it(standing: Settings, tmp_path: Path) -> None:
    with pytest.raises(WrongUsage, match=r"line 2: sector .* file of authorisations names \(--authorisations FILE\)"):
        directory.run(lines_file(tmp_path, *LINES), "persons", replace(standing, authorisations=None))


def test_r4_without_a_directory_a_row_that_asks_for_it_gives_nothing(sample_run: SampleRun, own: Settings) -> None:
    reason = "authorisation example-family asks for persons of sector 999, type 005, in the directory, which holds none"
    assert f"attestation is not given to {FUND}: {reason}" in sample_run.done.stdout
    assert not (sample_run.out / "extracts" / "2026-3" / "attestation" / FUND).exists()
    with Lake.open(own.lake, write=True) as lake:
        lake.arrow("DELETE FROM lake.exchange.directory")
    with pytest.raises(NotAuthorised, match=reason) as caught:
        extract.run(QUARTER, own, names=[FUND])
    assert caught.value.exit_code == 12
    assert not Path(str(own.out)).exists()
    refused = asked(own, f"SELECT reason FROM lake.exchange.log WHERE recipient = '{FUND}'")
    assert [one["reason"] for one in refused] == [reason]


def test_what_was_kept_long_enough_is_removed_logged_and_not_given_again(own: Settings) -> None:
    extract.run(QUARTER, own)
    kept = date.fromisoformat(manifest(own)["keep_until"])
    assert kept == date(2031, 11, 20)
    assert overdue(own.out, kept) == []
    after = replace(own, received_on=kept + timedelta(days=1))
    notices = extract.run(QUARTER, after).notices
    said = "authorisation example-family let it be kept until 2031-11-20"
    assert notices == (
        f"attestation of 2026/3 for {FUND} is removed: {said}",
        f"attestation is not given to {FUND}: removed: {said}",
    )
    assert not place(own).exists()
    removed = f"SELECT * FROM lake.exchange.log WHERE result = 'removed' AND recipient = '{FUND}'"
    (one,) = asked(own, removed)
    assert (one["reason"], one["file"], one["inss"]) == (said, f"2026-3/attestation/{FUND}", None)
    with pytest.raises(NotAuthorised, match="is not given again"):
        extract.run(QUARTER, after, names=[FUND])
    assert not place(own).exists()
    assert asked(own, removed) == [one]
