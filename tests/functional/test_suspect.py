"""`dmfa suspect` as people use it: R17, from a report to its decision, and no person's number in a list."""

from __future__ import annotations

import io
import json
import shutil
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from dmfa.errors import WrongUsage
from dmfa.extracts.suspicions import put
from dmfa.lake import Lake
from flows.cli import cli
from flows.stages.suspect import read
from tests.conftest import SampleRun


@pytest.fixture(scope="module")
def lake(sample_run: SampleRun, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A copy of the lake of the sample run, to which these tests only add."""
    return str(shutil.copytree(sample_run.lake, tmp_path_factory.mktemp("suspect") / "lake"))


@pytest.fixture(scope="module")
def doubt(lake: str) -> dict[str, Any]:
    """A report of the number of a person, as the career fund received it."""
    sql = "SELECT attestation, inss FROM lake.exchange.log WHERE recipient = 'example-career-fund' ORDER BY 1 LIMIT 1"
    with Lake.open(lake) as opened:
        (row,) = opened.arrow(sql).to_pylist()
    return {
        "recipient": "example-career-fund",
        "attestation": row["attestation"],
        "block": "NaturalPerson",
        "zone": "INSS",
        "seen": f"{row['inss']:011d}",
        "proposed": "77101500172",
        "reason": "90",
        "explanation": "The number was replaced",
    }


def dmfa(lake: str, *words: object) -> None:
    assert cli.main(["suspect", *map(str, words), "--lake", lake], standalone_mode=False) == 0


def written(folder: Path, report: object) -> Path:
    file = folder / "report.yaml"
    file.write_text(yaml.safe_dump(report, sort_keys=False), encoding="utf-8")
    return file


def test_r17_from_report_to_decision(
    lake: str, doubt: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = written(tmp_path, doubt)
    dmfa(lake, "report", file)
    said = capsys.readouterr().out
    ticket = said.split()[2].rstrip(":")
    assert said.splitlines()[0] == f"suspected error {ticket}: reported"
    assert "no proposed value corrects NaturalPerson/INSS" in said
    assert len(ticket) == 13
    dmfa(lake, "report", file)
    assert capsys.readouterr().out == said
    with pytest.raises(WrongUsage, match="is reported: it cannot become accepted"):
        dmfa(lake, "settle", ticket, "accepted")
    dmfa(lake, "settle", ticket, "taken-up")
    # A byte of the command line that is no text.
    with pytest.raises(WrongUsage, match="the motive holds signs that cannot be written"):
        dmfa(lake, "settle", ticket, "rejected", "--motive", "wrong\udcff")
    dmfa(lake, "settle", ticket, "accepted", "--motive", "replaced in the register")
    said_next = " ".join(capsys.readouterr().out.split())
    assert (
        f"suspected error {ticket}: accepted it waits for its employer's correction, which will be given to"
        in said_next
    )
    # A number of a person is corrected by no value that is proposed.
    assert (
        "no proposed value corrects NaturalPerson/INSS. A number that was replaced comes with `dmfa reference"
        in said_next
    )
    with pytest.raises(WrongUsage, match="NaturalPerson/INSS still holds what was received"):
        dmfa(lake, "settle", ticket, "corrected")
    dmfa(lake, "list", "--state", "taken-up", "--json")
    assert capsys.readouterr().out == ""
    dmfa(lake, "list", "--json")
    (told,) = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert (told["ticket"], told["state"]) == (ticket, "accepted")
    assert [step["state"] for step in told["steps"]] == ["reported", "taken up", "accepted"]
    assert set(told["to_be_told"]) >= {"example-career-fund", "example-pension-service"}
    dmfa(lake, "list")
    table = capsys.readouterr().out
    assert table.endswith("suspected errors: 1\n")
    for number in (doubt["seen"], doubt["proposed"]):
        assert number not in json.dumps(told)
        assert number not in table
        assert number not in said


def test_a_zone_to_be_emptied_is_not_told_like_one_of_which_nothing_is_proposed(
    lake: str, capsys: pytest.CaptureFixture[str]
) -> None:
    at = datetime(2026, 11, 22, 9, 30)
    told = {"attestation": 1, "version": 1, "quarter": 20263, "zone_path": "Remun[0]/RemunCode", "seen_value": "003"}
    told |= {"recipient": "example-fund", "reason_code": "05", "state": "taken up", "opened_at": at, "step": 0}
    with Lake.open(lake, write=True) as opened, opened.transaction() as publication:
        for ticket, proposed in (("TO-EMPTY", ""), ("NOT-KNOWN", None)):
            put(publication, {**told, "ticket": ticket, "suggested_value": proposed, "reached_at": at})
    dmfa(lake, "list", "--state", "taken-up")
    lines = capsys.readouterr().out.splitlines()
    shown = {ticket: "(empty)" in line for line in lines for ticket in ("TO-EMPTY", "NOT-KNOWN") if ticket in line}
    assert shown == {"TO-EMPTY": True, "NOT-KNOWN": False}


def test_json_is_read_too_and_from_standard_input(
    doubt: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    doubt = {**doubt, "explanation": "The number was replaced,\nas the letter tells"}
    file = tmp_path / "report.json"
    file.write_text(json.dumps(doubt), encoding="utf-8")
    monkeypatch.setattr("sys.stdin", io.StringIO(json.dumps(doubt)))
    assert read(file) == read(Path("-")) == read(written(tmp_path, doubt))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"secret": "85210100257"}, "has a key that no report has"),
        ({"recipient": None}, "does not say recipient"),
        ({"recipient": "fund-85210100257"}, "recipient is not the name of an institution"),
        ({"attestation": "12"}, "attestation is not a whole number"),
        ({"attestation": -1}, "attestation is not a whole number"),
        ({"ordinal": True}, "ordinal is not a whole number"),
        ({"seen": 85210100257}, "seen is not a text"),
        ({"reason": "5"}, "reason is not a code of two digits"),
        ({"block": "Remun/85210100257"}, "block is not an official label"),
        ({"zone": "85210100257"}, "zone is not an official label"),
        ({"proposed": "85210100257\ud800"}, "holds signs that cannot be written"),
        # A terminal would obey them wherever the report is told.
        ({"explanation": "85210100257\x1b[8m"}, "holds signs that cannot be written"),
        ({"explanation": "85210100257\x9b8m"}, "holds signs that cannot be written"),
    ],
)
def test_a_report_that_is_none_is_told_without_a_value(
    doubt: dict[str, Any], tmp_path: Path, change: dict[str, Any], said: str
) -> None:
    with pytest.raises(WrongUsage, match=said) as caught:
        read(written(tmp_path, {**doubt, **change}))
    assert "85210100257" not in str(caught.value)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "is not a report"),
        (b"- 85210100257", "is not a report"),
        (b"recipient: [85210100257", "line"),
        (b"seen: x\nseen: y\n", "a key stands twice"),
        (b"seen: \xff", "is not text in UTF-8"),
        (b"seen: \x00", "is not text in UTF-8"),
        (b"seen: *85210100257", "line 1: "),
        (b"seen: !85210100257 x", "line 1: "),
    ],
)
def test_a_file_that_is_no_report(tmp_path: Path, data: bytes, said: str) -> None:
    file = tmp_path / "report.yaml"
    file.write_bytes(data)
    with pytest.raises(WrongUsage, match=said) as caught:
        read(file)
    assert "85210100257" not in str(caught.value)
    with pytest.raises(WrongUsage, match="cannot be read: is a directory"):
        read(tmp_path)
