"""Answers to senders, from the command line: one per filing and declaration, valid, the same each time."""

from __future__ import annotations

import re
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from dmfa.lake import Lake
from dmfa.schema import home
from tests.conftest import SAMPLES, SampleRun, dmfa

XSI = "{http://www.w3.org/2001/XMLSchema-instance}"
XSDS = {"ACRF": "ACRF_20231.xsd", "NOTI": "NOTIFICATION_20223.xsd"}
GOOD = SAMPLES / "inbox" / "FI.DMFA.700001.20261003.00001.R.1.1"
OTHER = SAMPLES / "inbox" / "FI.DMFA.700001.20261006.00003.R.1.1"


def rows(lake: Path, sql: str) -> list[dict[str, Any]]:
    with Lake.open(lake) as opened:
        found: list[dict[str, Any]] = opened.arrow(sql).to_pylist()
    return found


def given(out: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted((out / "answers").iterdir())}


def names(out: Path, kind: str) -> list[str]:
    return [name for name in given(out) if name.startswith(f"FO.{kind}.")]


def test_every_filing_and_every_declaration_is_answered_once(sample_run: SampleRun) -> None:
    answers = rows(sample_run.lake, "SELECT * FROM lake.received.answer")
    filings = rows(sample_run.lake, "SELECT filing_id FROM lake.received.filing")
    forms = rows(sample_run.lake, "SELECT declaration_id, filing_id FROM lake.received.form")
    acknowledged = Counter(row["filing_id"] for row in answers if row["kind"] == "ACRF")
    assert acknowledged == Counter(row["filing_id"] for row in filings)
    told = Counter((row["declaration_id"], row["filing_id"]) for row in answers if row["kind"] == "NOTI")
    assert told == Counter((row["declaration_id"], row["filing_id"]) for row in forms)
    assert len(answers) == acknowledged.total() + told.total()
    assert {row["name"]: row["content"].encode() for row in answers} == given(sample_run.out)


def test_every_answer_is_valid_against_the_xsd_that_it_names(sample_run: SampleRun) -> None:
    schemas = {kind: etree.XMLSchema(etree.parse(str(home() / name))) for kind, name in XSDS.items()}
    for name, content in given(sample_run.out).items():
        kind = name.split(".")[1]
        root = etree.fromstring(content)
        assert root.get(f"{XSI}noNamespaceSchemaLocation") == XSDS[kind]
        schemas[kind].assertValid(root)


def test_a_result_is_the_verdict_on_the_ledger(sample_run: SampleRun) -> None:
    sql = """
        SELECT a.content, a.result, o.state, o.ticket, f.schema_release, f.ticket AS file_ticket, f.name
        FROM lake.received.answer a JOIN lake.received.form o USING (declaration_id)
        JOIN lake.received.filing f ON f.filing_id = a.filing_id
    """
    for row in rows(sample_run.lake, sql):
        root = etree.fromstring(row["content"].encode())
        accepted = row["state"] == "accepted"
        assert row["result"] == root.findtext(".//HandlingResult/ResultCode") == ("1" if accepted else "0")
        assert root.findtext(".//HandlingResult/Diagnosis") == (None if accepted else "3")
        blocking = [one.text for one in root.iter("AnomalyClass") if one.text == "B"]
        assert bool(blocking) != accepted
        assert root.findtext(".//HandledReference/ReferenceNbr") == row["ticket"]
        assert root.findtext(".//FileReference/ReferenceNbr") == row["file_ticket"]
        assert root.findtext(".//FileReference/FileName") == row["name"]
        if row["schema_release"]:
            assert row["schema_release"] in str(root[0].text)


def test_a_notification_tells_every_anomaly_of_its_declaration(sample_run: SampleRun) -> None:
    sql = "SELECT declaration_id, code, severity FROM lake.received.anomaly WHERE declaration_id IS NOT NULL"
    expected: dict[int, Counter[tuple[str, str]]] = {}
    for row in rows(sample_run.lake, sql):
        expected.setdefault(row["declaration_id"], Counter())[row["code"], row["severity"]] += 1
    assert any(("90007-006", "B") in codes for codes in expected.values())
    answers = rows(sample_run.lake, "SELECT declaration_id, content FROM lake.received.answer WHERE kind = 'NOTI'")
    told = {}
    for row in answers:
        reports = etree.fromstring(row["content"].encode()).iter("AnomalyReport")
        told[row["declaration_id"]] = Counter(
            (one.findtext("ErrorID"), one.findtext("AnomalyClass")) for one in reports
        )
    for declaration, codes in expected.items():
        assert codes <= told[declaration]


def test_a_value_that_the_lake_masks_is_masked_in_the_answer(sample_run: SampleRun) -> None:
    masked = 0
    for content in given(sample_run.out).values():
        for report in etree.fromstring(content).iter("AnomalyReport"):
            if report.findtext("TagName") == "INSS":
                assert report.find("Value") is None
                masked += 1
    assert masked


def test_a_file_that_could_not_be_received_is_told_why(sample_run: SampleRun) -> None:
    sql = """
        SELECT f.reason, a.content, f.state, (SELECT count(*) FROM lake.received.form o WHERE o.filing_id = f.filing_id)
            AS forms
        FROM lake.received.answer a JOIN lake.received.filing f USING (filing_id) WHERE a.kind = 'ACRF'
    """
    codes = {}
    for row in rows(sample_run.lake, sql):
        root = etree.fromstring(row["content"].encode())
        negative = row["state"] == "refused" and not row["forms"]
        assert root.findtext(".//ResultCode") == ("0" if negative else "1")
        assert len(list(root.iter("ErrorID"))) == negative
        if negative:
            codes[row["reason"]] = root.findtext(".//ErrorID")
    assert codes["doctype"] == codes["not_well_formed"] == "ACRF-135"
    assert codes["empty"] == "ACRF-134"
    assert codes["not_dmfa"] == "90169-089"


def test_no_name_holds_a_persons_number(sample_run: SampleRun) -> None:
    pattern = re.compile(r"FO\.(ACRF|NOTI)\.999999\.20261122\.[0-9]{5}\.[RTS]\.[0-9]+\.[0-9]+")
    assert all(pattern.fullmatch(name) for name in given(sample_run.out))


def test_a_second_run_writes_nothing_and_puts_back_what_is_missing(own_run: SampleRun) -> None:
    before = given(own_run.out)
    written = {path.name: path.stat().st_mtime_ns for path in (own_run.out / "answers").iterdir()}
    gone = [sorted(before)[0], sorted(before)[-1]]
    for name in gone:
        (own_run.out / "answers" / name).unlink()
    done = dmfa("ingest", SAMPLES / "inbox", cwd=own_run.folder)
    assert done.returncode == 0, done.stderr
    assert given(own_run.out) == before
    for path in (own_run.out / "answers").iterdir():
        assert (path.stat().st_mtime_ns == written[path.name]) == (path.name not in gone)


def test_the_same_filings_get_the_same_bytes_and_sequences_count_on(tmp_path: Path) -> None:
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder in folders:
        folder.mkdir()
        assert dmfa("ingest", GOOD, cwd=folder).returncode == 0
        assert dmfa("ingest", OTHER, cwd=folder).returncode == 0
    one, two = (given(folder / "out") for folder in folders)
    assert one == two
    assert list(one) == [
        "FO.ACRF.999999.20261122.00001.R.1.1",
        "FO.ACRF.999999.20261122.00002.R.1.1",
        "FO.NOTI.999999.20261122.00001.R.1.1",
        "FO.NOTI.999999.20261122.00002.R.1.1",
    ]
    later = dmfa("ingest", SAMPLES / "inbox", cwd=folders[0], DMFA_RECEIVED_ON="2026-11-23")
    assert later.returncode == 1
    assert "FO.ACRF.999999.20261123.00001.R.1.1" in given(folders[0] / "out")
    assert one.items() <= given(folders[0] / "out").items()


def test_the_declarations_of_a_file_are_parts_of_one_sequence(sample_run: SampleRun) -> None:
    parts: dict[str, set[tuple[str, str]]] = {}
    for name in names(sample_run.out, "NOTI"):
        *start, _, many, part = name.split(".")
        parts.setdefault(start[4], set()).add((many, part))
    assert any(len(found) > 1 for found in parts.values())
    for found in parts.values():
        assert found == {(str(len(found)), str(part + 1)) for part in range(len(found))}
    sequences = [name.split(".")[4] for name in names(sample_run.out, "ACRF")]
    assert sequences == [f"{number + 1:05d}" for number in range(len(sequences))]


def test_answers_of_another_lake_do_not_stay(tmp_path: Path) -> None:
    assert dmfa("ingest", OTHER, cwd=tmp_path).returncode == 0
    shutil.rmtree(tmp_path / "lake")
    assert dmfa("ingest", GOOD, cwd=tmp_path).returncode == 0
    (name,) = names(tmp_path / "out", "ACRF")
    assert GOOD.name.encode() in given(tmp_path / "out")[name]


@pytest.mark.parametrize("verb", ["validate", "ingest"])
def test_only_what_is_received_is_answered(verb: str, tmp_path: Path) -> None:
    assert dmfa(verb, GOOD, cwd=tmp_path).returncode == 0
    assert (tmp_path / "out").exists() == (verb == "ingest")


def test_a_folder_that_cannot_be_written_leaves_the_lake_whole(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("in the way")
    done = dmfa("ingest", GOOD, cwd=tmp_path)
    assert done.returncode == 13
    assert "the answers could not be written to out/answers" in done.stderr
    assert len(rows(tmp_path / "lake", "SELECT name FROM lake.received.answer")) == 2
    (tmp_path / "out").unlink()
    assert dmfa("ingest", GOOD, cwd=tmp_path).returncode == 0
    assert len(given(tmp_path / "out")) == 2
