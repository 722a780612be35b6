"""`dmfa synth` as a user types it, and what a receiver makes of the quarters that it invents."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from dmfa.quarter import Quarter
from dmfa.synth import FAULTS, Options, make_quarter
from flows.cli import main
from tests.conftest import dmfa

NEWEST = Quarter(2026, 3)
Rows = dict[str, dict[str, Any]]
# On 22 November 2026 older quarters are past limitation, which is a warning.
PRESCRIBED_BEFORE = Quarter(2023, 4)


def told(folder: Path) -> Rows:
    return {row["file"]: row for row in pl.read_parquet(folder / "truth" / "filings.parquet").to_dicts()}


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Rows:
    """Every quarter without faults, and one filing of each fault, judged at once."""
    folder = tmp_path_factory.mktemp("invented")
    quarter = Quarter(2022, 1)
    while quarter <= NEWEST:
        make_quarter(quarter, 16, 8, folder / str(quarter.code), Options(largest=12))
        quarter = quarter.next
    for name in FAULTS:
        # Few employers have what these need: an agency worker, or somebody whose work another took over.
        many = 60 if name in ("user_check_digits", "substitute_check_digits", "reduction_superfluous") else 2
        options = Options(largest=12, faulty_per_million=1_000_000, faults=(name,))
        make_quarter(NEWEST, many, 9, folder / name, options)
    done = dmfa("validate", folder, "--json")
    assert done.returncode == 1, done.stderr
    answers = {answer["file"]: answer for answer in map(json.loads, done.stdout.splitlines())}
    rows = {f"{place.name}/{file}": row for place in folder.iterdir() for file, row in told(place).items()}
    assert answers.keys() == rows.keys()
    return {file: {**answer, "told": rows[file]} for file, answer in answers.items()}


def test_lawful_declarations_of_every_quarter_have_no_anomaly(judged: Rows) -> None:
    lawful = {name: answer for name, answer in judged.items() if answer["told"]["fault"] is None}
    assert {Quarter.from_code(int(name[:5])) for name in lawful if name[0] == "2"} >= {Quarter(2022, 1), NEWEST}
    for name, answer in lawful.items():
        assert answer["verdict"] == "accepted", name
        quarter = Quarter.parse(str(answer["quarter"]))
        codes = [one["code"] for one in answer["anomalies"]]
        assert codes == (["00013-313"] if quarter < PRESCRIBED_BEFORE else []), name


def test_every_fault_gives_its_code(judged: Rows) -> None:
    seen = set()
    for name, answer in judged.items():
        fault, row = answer["told"]["fault"], answer["told"]
        if fault is None:
            continue
        seen.add(fault)
        assert answer["verdict"] == row["verdict"], name
        assert answer["well_formed"] == row["well_formed"], name
        assert answer["schema_valid"] == row["schema_valid"], name
        assert set((row["codes"] or "").split()) <= {one["code"] for one in answer["anomalies"]}, name
    assert seen == set(FAULTS)


@pytest.fixture(scope="module")
def country(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, subprocess.CompletedProcess[str]]:
    folder = tmp_path_factory.mktemp("country")
    words = "--employers 40 --seed 7 --largest 10 --faults 0.3 --duplicates 0.5 --corrections 0.6 --archives 9"
    return folder, dmfa("synth", "2026/3", *words.split(), "--processes", "1", "--out", folder / "quarter")


def test_it_says_what_there_is(country: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    folder, done = country
    assert (done.returncode, done.stderr) == (0, "")
    rows = list(told(folder / "quarter").values())
    shown = [line.split() for line in done.stdout.splitlines() if line.strip()]
    assert ["filings", str(len(rows))] in shown
    assert ["to", "be", "refused", str(sum(row["verdict"] == "refused" for row in rows))] in shown
    for fault in {row["fault"] for row in rows} - {None}:
        assert any(line[:2] == [fault, str(sum(row["fault"] == fault for row in rows))] for line in shown)
    assert f"what must come of it: {folder / 'quarter' / 'truth'}" in done.stdout


def test_ingest_makes_of_it_what_the_truth_says(country: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    """Verdicts, repetitions, corrections, rows and amounts: all of it comes back out of the lake."""
    folder, _ = country
    done = dmfa("ingest", folder / "quarter", "--lake", folder / "lake", "--out", folder / "out")
    assert done.returncode == 1, done.stderr
    expected = {str(row["sha256"]): str(row["verdict"]) for row in told(folder / "quarter").values()}
    truth = folder / "quarter" / "truth"
    accepted = pl.read_parquet(truth / "declarations.parquet").filter(pl.col("verdict") == "accepted")
    kept = pl.col("file").is_in(accepted["file"].to_list())
    rows = pl.read_parquet(truth / "rows.parquet").filter(kept)
    sums = dict(rows.group_by("table").agg(pl.col("rows").sum()).iter_rows())
    amounts = pl.read_parquet(truth / "amounts.parquet").filter(kept)
    declared = amounts.filter(pl.col("declared_cents").is_not_null(), pl.col("kind") != "compensation")
    cents = {
        (kind, code): total
        for kind, code, total in declared.group_by("kind", "code").agg(pl.col("declared_cents").sum()).iter_rows()
    }
    tables = ("worker_record", "service", "remun", "worker_contribution", "using_employer", "address")
    counts = [f"SELECT 'rows' AS a, '{name}' AS b, count(*)::VARCHAR AS c FROM history.{name}" for name in tables]
    states = "SELECT 'state' AS a, sha256 AS b, state AS c FROM received.filing"
    money = (
        "SELECT kind AS a, code AS b, sum(declared_cents)::BIGINT::VARCHAR AS c FROM computed.difference"
        " WHERE declared_cents IS NOT NULL GROUP BY ALL"
    )
    asked = dmfa("sql", " UNION ALL ".join([states, money, *counts]), "--lake", folder / "lake", "--format", "csv")
    assert asked.returncode == 0, asked.stderr
    found = list(csv.DictReader(io.StringIO(asked.stdout)))
    assert {row["b"]: row["c"] for row in found if row["a"] == "state"} == expected
    assert {row["b"]: int(row["c"]) for row in found if row["a"] == "rows"} == {
        name: sums.get(name, 0) for name in tables
    }
    in_lake = {(row["a"], row["b"]): int(row["c"]) for row in found if row["a"] in ("contribution", "deduction")}
    assert in_lake == cents


@pytest.fixture
def inside(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[object]:
    """Run the command line in this process."""

    def run(*words: object) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["dmfa", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            main()
        return int(ended.value.code or 0), capsys.readouterr().err

    yield run


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("2026/5",), 2, "is not a quarter"),
        (("2021/4",), 11, "there is no schema for 2021/4"),
        (("2029/1",), 11, "no contribution rate is confirmed for 2029/1"),
        (("2026/3", "--fault", "gremlins"), 2, "there is no fault named gremlins"),
        (("2026/3", "--faults", "two"), 2, "'two' is no share"),
        (("2026/3", "--duplicates", "1.5"), 2, "'1.5' is no share"),
        (("2026/3", "--largest", "100000"), 2, "an employer cannot have 100000 workers"),
        (("2026/3", "--employers", "500000"), 2, "cannot invent 500000 employers"),
    ],
)
def test_wrong_wishes(words: tuple[str, ...], code: int, said: str, inside, tmp_path: Path) -> None:
    employers = () if "--employers" in words else ("--employers", "1")
    ended, error = inside("synth", *words, *employers, "--out", tmp_path / "out")
    assert ended == code
    assert said in error
    assert len(error.splitlines()) <= 2
    assert not (tmp_path / "out").exists()


def test_a_folder_with_something_in_it_is_left_alone(inside, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    ended, error = inside("synth", "2026/3", "--employers", "1", "--out", tmp_path)
    assert ended == 2
    assert "is not empty" in error
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_one_fault_alone_is_in_every_filing(inside, tmp_path: Path) -> None:
    words = ("--employers", "3", "--fault", "net_wrong", "--processes", "1", "--names", "filing", "--per-folder", "2")
    assert inside("synth", "2026/3", *words, "--out", tmp_path / "out") == (0, "")
    rows = told(tmp_path / "out")
    assert [row["codes"] for row in rows.values()] == ["00015-007"] * 3
    assert [name[:8] for name in sorted(rows)] == ["0000/FI.", "0000/FI.", "0001/FI."]
