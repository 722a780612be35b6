"""One person's number through a whole run: it stands in the data given to those who may have it, nowhere else."""

from __future__ import annotations

import csv
import io
import re
import subprocess
from pathlib import Path

import polars as pl
import pytest
import yaml

from dmfa.quarter import Quarter
from dmfa.synth import Options, make_quarter
from tests.conftest import SAMPLES, dmfa, dmfa_process

CANARY = b"85210100257"
WRONG = b"85210100258"
"""The same person with check digits that are wrong: it may be told as little."""

_INSS = re.compile(rb"<INSS>\d{11}</INSS>")
_ITS_PLACE = re.compile(r"lake/.*|out/answers/.*")
"""The lake, searched table by table below; answers, which give the sender the keys of what is wrong."""

_GIVEN = re.compile(r"out/extracts/2026-3/(?P<delivery>[a-z-]+/[a-z-]+)/[a-z_-]+\.(xml|parquet)")

_PERSON = re.compile(rb"<NaturalPerson>.*?</NaturalPerson>", re.DOTALL)


def listing() -> set[str]:
    """The deliveries whose authorisation lists the person's number, as extract/recipient."""
    rows = yaml.safe_load((SAMPLES / "authorisations.yaml").read_text(encoding="utf-8"))
    return {
        f"{row['extract']}/{row['recipient']['name']}"
        for row in rows
        if "INSS" in row["blocks"].get("NaturalPerson", ())
        and ("answer" not in row or any("inss" in columns for columns in row["answer"].values()))
    }


def may_hold(name: str) -> bool:
    """Whether a file is a place for the number of a person."""
    given = _GIVEN.fullmatch(name)
    return given["delivery"] in listing() if given else _ITS_PLACE.fullmatch(name) is not None


def marked(declaration: bytes, number: bytes = CANARY) -> bytes:
    """The first person of a declaration under another number."""
    made, found = _INSS.subn(b"<INSS>" + number + b"</INSS>", declaration, count=1)
    assert found == 1
    return made


def faulty(declaration: bytes) -> dict[str, bytes]:
    """Filings that are refused for something in the person, whose number stands in every one."""
    made = marked(declaration)
    person = _PERSON.search(made)
    assert person is not None
    return {
        "twice.xml": made.replace(person[0], person[0] * 2, 1),
        "check-digits.xml": marked(declaration, WRONG),
        "no-number.xml": re.sub(rb"<RemunAmount>\d+", b"<RemunAmount>" + CANARY + b"x", made, count=1),
        "no-zone.xml": made.replace(b"</INSS>", b"</INSS><Secret>" + CANARY + b"</Secret>", 1),
        "cut.xml": made[: made.index(CANARY) + len(CANARY) + 3],
        "doctype.xml": b"<!DOCTYPE a [<!ENTITY a '" + CANARY + b"'>]>" + made.split(b"?>", 1)[1],
        "other.xml": b"<a><INSS>" + CANARY + b"</INSS></a>",
    }


@pytest.fixture(scope="module")
def inbox(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Declarations of a few employers, in each of which the canary works, and all faulty ones of another."""
    folder = tmp_path_factory.mktemp("canary") / "inbox"
    make_quarter(Quarter(2026, 3), 6, 11, folder, Options(largest=6))
    first, *others = sorted(folder.glob("*.xml"))
    for path in others:
        path.write_bytes(marked(path.read_bytes()))
    for name, data in faulty(first.read_bytes()).items():
        (folder / name).write_bytes(data)
    first.unlink()
    return folder


def holding(folder: Path, number: bytes) -> list[str]:
    """Files that hold a number, in their bytes or their names."""
    return sorted(
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if number.decode() in path.name or (path.is_file() and number in path.read_bytes())
    )


@pytest.mark.parametrize(
    "words",
    [["--no-prefect"], ["--no-prefect", "--debug"], pytest.param(["--debug"], marks=pytest.mark.services)],
    ids=["functions", "functions, verbose", "flow, verbose"],
)
def test_the_canary_is_told_by_nobody(inbox: Path, tmp_path: Path, words: list[str]) -> None:
    register = ("--authorisations", SAMPLES / "authorisations.yaml")
    named = {"PREFECT_HOME": str(tmp_path / "prefect"), "PREFECT_LOGGING_LEVEL": "DEBUG"}
    said: list[subprocess.CompletedProcess[str]] = [
        dmfa_process("run", "2026/3", "--report", "--inbox", inbox, *register, *words, cwd=tmp_path, **named),
        dmfa("extract", "2026/3", *register, "--to", CANARY.decode(), cwd=tmp_path),
        dmfa("validate", inbox, "--json", cwd=tmp_path),
        dmfa("filings", "--json", cwd=tmp_path),
        dmfa("doctor", cwd=tmp_path),
    ]
    assert [done.returncode for done in said] == [1, 12, 1, 0, 0], [done.stderr for done in said]
    assert "control: 12 filings received = 5 accepted + 7 refused" in said[0].stdout
    for number in (CANARY, WRONG):
        for done in said:
            assert number.decode() not in done.stdout + done.stderr
        held = holding(tmp_path, number)
        assert not [name for name in held if not may_hold(name)]
    given = sorted((tmp_path / "out" / "extracts" / "2026-3").rglob("*.parquet"))
    told = {path.parent.relative_to(tmp_path / "out" / "extracts" / "2026-3").as_posix(): path for path in given}
    assert {*told} - listing()
    for path in given:
        if not may_hold(path.relative_to(tmp_path).as_posix()):
            cells = pl.read_parquet(path).select(pl.all().cast(pl.String, strict=False))
            assert not [name for name in cells.columns if CANARY.decode() in cells[name].to_list()], path
    # The search would find it.
    assert [name for name in holding(tmp_path, CANARY) if name.endswith("pensions.xml")]
    assert (tmp_path / "out" / "report-2026-3.html").is_file()
    assert (tmp_path / "prefect").is_dir() is ("--no-prefect" not in words)


def test_no_table_of_the_lake_tells_it_beside_the_data(inbox: Path, tmp_path: Path) -> None:
    register = ("--authorisations", SAMPLES / "authorisations.yaml")
    assert dmfa("run", "2026/3", "--no-prefect", "--inbox", inbox, *register, cwd=tmp_path).returncode == 1
    computed = {f"computed.{name}" for name in ("basis", "contribution", "deduction", "difference")}
    allowed = {"exchange.log", "received.answer", *computed}

    def ask(sql: str) -> list[dict[str, str]]:
        done = dmfa("sql", sql, "--format", "csv", cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        return list(csv.DictReader(io.StringIO(done.stdout)))

    tables = ask(
        "SELECT table_schema || '.' || table_name AS name FROM information_schema.tables"
        " WHERE table_catalog = 'lake' AND table_schema NOT IN ('history', 'authentic')"
    )
    union = " UNION ALL ".join(
        f"SELECT '{row['name']}' AS name, count(*) AS n FROM {row['name']} AS t"
        f" WHERE to_json(t)::VARCHAR LIKE '%{CANARY.decode()}%' OR to_json(t)::VARCHAR LIKE '%{WRONG.decode()}%'"
        for row in tables
    )
    held = {row["name"] for row in ask(union) if int(row["n"])}
    assert "exchange.log" in held
    assert held <= allowed
