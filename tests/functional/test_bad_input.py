"""Bad input by every road: one clear line each, the right exit code, nothing lost, the other filings done."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path

import filelock
import pytest

from dmfa.lake import Lake, received_bytes
from tests.conftest import SAMPLES, SampleRun, dmfa

GOOD = SAMPLES / "inbox" / "FI.DMFA.700001.20261003.00001.R.1.1"


def told(done, code: int, *words: str) -> None:
    """The run ended with a code and said some words in one or two lines, without a traceback."""
    assert done.returncode == code, (done.stdout, done.stderr)
    lines = done.stderr.rstrip().splitlines()
    assert 1 <= len(lines) <= 2, done.stderr
    assert lines[0].startswith("dmfa: ")
    assert "Traceback" not in done.stderr
    for word in words:
        assert word in done.stderr


BAD = {
    "empty.xml": (b"", "empty", "it is empty"),
    "truncated.xml": (GOOD.read_bytes()[:-300], "not_well_formed", "it is not well-formed XML"),
    "table.xml": (b"name;amount\nx;1\n", "not_well_formed", "it is not XML"),
    "other.xml": (b"<html><body/></html>", "not_dmfa", "root element"),
    "invalid.xml": (GOOD.read_bytes().replace(b"<Border>0", b"<Border>7"), "00040-008", "Border"),
    "doctype.xml": (
        b"<!DOCTYPE DmfAOriginal [<!ENTITY a 'b'>]>\n" + GOOD.read_bytes().split(b"?>", 1)[1],
        "doctype",
        "line 1",
    ),
}


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> SampleRun:
    """A run over one filing of each bad kind and a good one."""
    folder = tmp_path_factory.mktemp("mixed")
    inbox = folder / "inbox"
    inbox.mkdir()
    for name, (data, _, _) in BAD.items():
        (inbox / name).write_bytes(data)
    (inbox / "good.xml").write_bytes(GOOD.read_bytes())
    (inbox / "notes.txt").write_text("not a filing")
    return SampleRun(folder, dmfa("ingest", inbox, cwd=folder))


def test_one_bad_filing_never_stops_the_others(mixed: SampleRun) -> None:
    assert mixed.done.returncode == 1, mixed.done.stderr
    assert "control: 7 filings received = 1 accepted + 6 refused + 0 not processed" in mixed.done.stdout
    assert "other files, left alone" in mixed.done.stdout


@pytest.mark.parametrize("name", BAD)
def test_each_is_refused_with_its_reason_and_kept(mixed: SampleRun, name: str) -> None:
    data, code, words = BAD[name]
    (line,) = [line for line in mixed.done.stdout.splitlines() if line.strip().startswith(name)]
    assert code in line
    assert words in line
    with Lake.open(mixed.lake) as lake:
        (row,) = lake.arrow("SELECT * FROM lake.received.filing WHERE name = ?", [name]).to_pylist()
    assert row["state"] == "refused"
    assert received_bytes(mixed.lake, row["sha256"]) == data


def test_an_unreadable_file_is_told_and_the_others_are_done(tmp_path: Path) -> None:
    (tmp_path / "inbox").mkdir()
    (tmp_path / "inbox" / "good.xml").write_bytes(GOOD.read_bytes())
    (tmp_path / "inbox" / "gone.xml").symlink_to(tmp_path / "nowhere")
    done = dmfa("ingest", "inbox", cwd=tmp_path)
    told(done, 1, "gone.xml is left out")
    assert "control: 1 filings received = 1 accepted" in done.stdout


def test_nothing_readable(tmp_path: Path) -> None:
    (tmp_path / "gone.xml").symlink_to(tmp_path / "nowhere")
    told(dmfa("ingest", "gone.xml", cwd=tmp_path), 10, "nothing could be read", "gone.xml")
    assert not (tmp_path / "lake" / "catalog.sqlite").exists() or Lake.open(tmp_path / "lake").snapshot_id() <= 1


def test_no_such_path(tmp_path: Path) -> None:
    for verb in ("ingest", "validate"):
        told(dmfa(verb, "nowhere.xml", cwd=tmp_path), 10, "nowhere.xml")
    told(dmfa("run", "2026/3", "--no-prefect", cwd=tmp_path), 10, "inbox")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_without_a_filing(tmp_path: Path) -> None:
    (tmp_path / "inbox").mkdir()
    (tmp_path / "inbox" / "notes.txt").write_text("x")
    told(dmfa("run", "2026/3", "--no-prefect", cwd=tmp_path), 10, "no filing in inbox")
    assert not (tmp_path / "lake").exists()


def test_a_quarter_that_no_schema_judges(tmp_path: Path) -> None:
    for verb in ("run", "compute", "extract"):
        told(dmfa(verb, "2021/4", cwd=tmp_path), 11, "2021/4", "2022/1", "--xsd")


def test_a_quarter_that_has_not_ended(tmp_path: Path) -> None:
    told(dmfa("run", "2026/4", cwd=tmp_path), 11, "2026/4", "has not ended")


def test_what_is_no_quarter(tmp_path: Path) -> None:
    told(dmfa("run", "2026/5", cwd=tmp_path), 2, "is not a quarter", "--help")


def test_words_that_are_no_command(tmp_path: Path) -> None:
    told(dmfa("frobnicate", cwd=tmp_path), 2, "No such command", "--help")
    told(dmfa("ingest", cwd=tmp_path), 2, "PATHS", "--help")
    told(dmfa("ingest", GOOD, "--xsd", "nowhere", cwd=tmp_path), 2, "--xsd nowhere is not a folder")
    told(dmfa("ingest", GOOD, cwd=tmp_path, DMFA_CHECKS="none"), 2, "DMFA_CHECKS=none")
    told(dmfa("ingest", GOOD, cwd=tmp_path, DMFA_RECEIVED_ON="yesterday"), 2, "DMFA_RECEIVED_ON=yesterday is not a day")


def test_no_lake_yet(tmp_path: Path) -> None:
    for words in (("sql", "SELECT 1"), ("compute", "2026/3")):
        told(dmfa(*words, cwd=tmp_path), 13, "there is no lake")
    assert list(tmp_path.iterdir()) == []


def test_a_lake_in_use(own_run: SampleRun, tmp_path: Path) -> None:
    (tmp_path / "one.xml").write_bytes(GOOD.read_bytes() + b"\n")
    with filelock.FileLock(own_run.lake / "writer.lock"):
        done = dmfa("ingest", tmp_path / "one.xml", "--lake", own_run.lake, DMFA_LAKE_WAIT="0")
        told(done, 13, "is in use", "DMFA_LAKE_WAIT")
        # Readers go on meanwhile.
        assert dmfa("sql", "SELECT count(*) FROM occupation", "--lake", own_run.lake).returncode == 0
    assert dmfa("ingest", tmp_path / "one.xml", cwd=own_run.folder).returncode == 1


def test_extracts_without_authorisation(own_run: SampleRun) -> None:
    words = ("extract", "2026/3", "--lake", own_run.lake, "--out", own_run.folder / "other")
    told(dmfa(*words, "--to", "attestation"), 12, "no file of authorisations")
    register = ("--authorisations", SAMPLES / "authorisations.yaml")
    told(dmfa(*words, *register, "--to", "nobody"), 12, "nobody")
    told(dmfa(*words, *register, "--to", "example-study"), 12, "expired on 2025-12-31")
    done = dmfa(*words)
    assert done.returncode == 0
    assert done.stdout.count("\n") == 1
    assert "no extract is written" in done.stdout
    assert not (own_run.folder / "other").exists()


def test_a_query_that_may_not_run(sample_run: SampleRun) -> None:
    told(dmfa("sql", "DROP TABLE authentic.occupation", "--lake", sample_run.lake), 2, "only reads")
    told(dmfa("sql", "SELECT * FROM '/etc/passwd'", "--lake", sample_run.lake), 2, "nothing else")
    told(dmfa("sql", "SELEC", "--lake", sample_run.lake), 2, "the query is wrong")
    told(dmfa("sql", "SELECT 1", "--as-of", "soon", "--lake", sample_run.lake), 2, "is not a moment")


@pytest.mark.parametrize("verb", ["compute", "explain", "extract", "sql"])
def test_a_moment_before_the_lake_began(sample_run: SampleRun, tmp_path: Path, verb: str) -> None:
    """Nothing is wrong with the lake: the question is. The answer names the first moment that can be asked for."""
    words = {
        "compute": ("2026/3", "--out", tmp_path),
        "explain": ("2026/3", "--employer", "100006"),
        "extract": ("2026/3", "--authorisations", SAMPLES / "authorisations.yaml", "--out", tmp_path),
        "sql": ("SELECT 1",),
    }
    done = dmfa(verb, *words[verb], "--as-of", "2020-01-01", "--lake", sample_run.lake, cwd=tmp_path)
    told(done, 2, "has no state of 2020-01-01 23:59:59: its oldest is of 20", "Ask for '20")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("verb", ["compute", "explain", "extract", "sql"])
def test_a_moment_that_has_not_come(sample_run: SampleRun, tmp_path: Path, verb: str) -> None:
    words = {
        "compute": ("2026/3", "--out", tmp_path),
        "explain": ("2026/3", "--employer", "100006"),
        "extract": ("2026/3", "--authorisations", SAMPLES / "authorisations.yaml", "--out", tmp_path),
        "sql": ("SELECT 1",),
    }
    done = dmfa(verb, *words[verb], "--as-of", "2999-01-01", "--lake", sample_run.lake, cwd=tmp_path)
    told(done, 2, "--as-of names a moment that has not come", "leave --as-of out")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "words", ["compute", "compute --employer 100006", "correct", "correct --apply", "correct --json"]
)
def test_a_quarter_of_which_the_lake_holds_nothing(sample_run: SampleRun, tmp_path: Path, words: str) -> None:
    verb, *more = words.split()
    done = dmfa(verb, "2024/1", *more, "--lake", sample_run.lake, "--out", tmp_path)
    told(done, 10, "the lake holds no declaration of 2024/1; it holds some of 20", "2026/3", "Ask for one of these")
    assert (done.stdout, list(tmp_path.iterdir())) == ("", [])


def test_a_quarter_of_which_the_lake_held_nothing_then(sample_run: SampleRun, tmp_path: Path) -> None:
    today = f"{datetime.now():%Y-%m-%d}"
    done = dmfa("compute", "2024/1", "--as-of", today, "--lake", sample_run.lake, "--out", tmp_path)
    told(done, 10, f"the lake holds no declaration of 2024/1 as of {today} 23:59:59; it holds some of 20")
    assert list(tmp_path.iterdir()) == []


def test_a_lake_without_any_declaration_computes_nothing(tmp_path: Path) -> None:
    (tmp_path / "empty.xml").touch()
    assert dmfa("ingest", tmp_path / "empty.xml", cwd=tmp_path).returncode == 1
    told(dmfa("compute", "2026/3", cwd=tmp_path), 10, "the lake holds no declaration of 2026/3.", "dmfa ingest PATH")


PERSON = "77101500172"


@pytest.mark.parametrize(
    "words",
    [
        (PERSON,),
        ("explain", PERSON),
        ("explain", "2026/3", PERSON),
        ("explain", "2026/3", "--employer", "77.10.15-001.72"),
        ("history", "2026/3", "--employer", PERSON),
        ("compute", "2026/3", f"--{PERSON}"),
        ("sql", "SELECT 1", "--format", "77 10 15 001 72"),
        ("sql", "SELECT 1", "--as-of", PERSON),
        ("filings", PERSON),
        ("log", "show", "--since", PERSON),
    ],
)
def test_a_persons_number_in_the_wrong_place_is_not_repeated(sample_run: SampleRun, words: tuple[str, ...]) -> None:
    done = dmfa(*words, cwd=sample_run.folder)
    told(done, 10 if words[0] == "filings" else 2)
    assert "001" not in done.stdout + done.stderr


@pytest.mark.parametrize("number", ["abc", "0", "12345678901", "1e5", "-5"])
@pytest.mark.parametrize("verb", ["compute", "explain", "history"])
def test_what_is_no_number_of_an_employer(verb: str, number: str) -> None:
    told(dmfa(verb, "2026/3", f"--employer={number}"), 2, "it is no NSSO registration number; write its digits: 100006")


def test_the_number_of_an_employer_may_be_written_in_parts(sample_run: SampleRun) -> None:
    words = ("explain", "2026/3", "--lake", sample_run.lake, "--json", "--employer")
    with Lake.open(sample_run.lake) as lake:
        asked = "SELECT min(noss_registration_nbr) FROM lake.authentic.employer_declaration WHERE quarter = 20263"
        number = f"{lake.arrow(asked).column(0)[0].as_py():09d}"
    whole, parted = (dmfa(*words, written) for written in (number, f"{number[:7]}-{number[7:]}"))
    assert whole.returncode == parted.returncode == 0, parted.stderr
    assert whole.stdout == parted.stdout != ""


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    told(dmfa("ingest", GOOD, "--lake", tmp_path / "file" / "lake", cwd=tmp_path), 13, "file/lake")


def test_a_persons_number_is_in_no_output(sample_run: SampleRun) -> None:
    with Lake.open(sample_run.lake) as lake:
        numbers = {
            f"{number:011d}"
            for number in lake.arrow("SELECT DISTINCT inss FROM lake.authentic.natural_person")[0].to_pylist()
        }
    assert len(numbers) > 200
    done = dmfa("validate", SAMPLES / "inbox", "--json")
    outputs = [sample_run.done.stdout, sample_run.done.stderr, done.stdout, done.stderr]
    names = [os.fspath(path) for path in sample_run.folder.rglob("*")]
    manifests = [path.read_text() for path in sample_run.out.rglob("manifest.json")]
    for text in (*outputs, *names, *manifests):
        assert not any(number in text or number.lstrip("0") in text for number in numbers)
