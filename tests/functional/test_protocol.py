"""The exchange as it is: signed, unsigned and altered filings of all kinds at once, from the command line."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest
from lxml import etree

from dmfa.lake import Lake
from dmfa.schema import home
from dmfa.states import NEXT
from tests.authority import holder, trust_folder
from tests.conftest import SAMPLES, SampleRun, dmfa

INBOX = SAMPLES / "inbox"
ROOT = holder("Authority", authority=True)
SENDERS = {sender: holder(sender, ROOT) for sender in ("700001", "700002")}


def rows(lake: Path, sql: str) -> list[dict[str, Any]]:
    with Lake.open(lake) as opened:
        found: list[dict[str, Any]] = opened.arrow(sql).to_pylist()
    return found


@dataclass
class Sent:
    """A folder of transmissions and what has to become of each."""

    inbox: Path
    well: list[str] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    waiting: list[str] = field(default_factory=list)
    cancelled: list[str] = field(default_factory=list)
    tests: list[str] = field(default_factory=list)
    plain: list[str] = field(default_factory=list)

    def send(self, source: Path, number: int) -> None:
        """Send a sample by its sender's rules, or against them."""
        name, data = source.name, source.read_bytes()
        key = name.removeprefix("FI.").removesuffix(".1.1")
        own = SENDERS.get(name.split(".")[2])
        signed = {"FI": data, "FS": own.sign(data) if own else b""}
        at = f"{name}"
        match number % 14 if own else -1:
            case -1:  # a sender nobody knows
                signed["FS"] = SENDERS["700001"].sign(data)
                self.refused[at] = "ACRF-125"
            case 1:  # one byte altered on the way
                signed["FI"] = data[:-1] + bytes([data[-1] ^ 1]) if data else b"\n"
                self.refused[at] = "ACRF-125"
            case 2:
                del signed["FS"]
                self.refused[at] = "ACRF-122"
            case 3:
                signed["FS"] = b"\x00\xff no base64"
                self.refused[at] = "ACRF-125"
            case 4:
                self.waiting.append(at)
            case 5:
                (self.inbox / f"TD.{key}.1").touch()
                self.cancelled.append(at)
            case 6:
                key = key[:-1] + "T"
                self.tests.append(at)
            case _:
                self.well.append(at)
        for kind, content in signed.items():
            (self.inbox / f"{kind}.{key}.1.1").write_bytes(content)
        if at not in self.waiting:
            (self.inbox / f"GO.{key}.1").touch()


@dataclass(frozen=True)
class Run:
    folder: Path
    sent: Sent
    done: CompletedProcess[str]

    @property
    def lake(self) -> Path:
        return self.folder / "lake"

    def again(self, **environment: str) -> CompletedProcess[str]:
        return ingest(self.folder, **environment)


def ingest(folder: Path, **environment: str) -> CompletedProcess[str]:
    told = {"DMFA_SIGNATURE": "require", "DMFA_CERTIFICATES": str(folder / "trust"), "DMFA_PID": "1"}
    return dmfa("ingest", folder / "inbox", cwd=folder, **{**told, **environment})


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("protocol")
    sent = Sent(folder / "inbox")
    sent.inbox.mkdir()
    trust_folder(folder / "trust", [ROOT], SENDERS.items())
    named = [path for path in sorted(INBOX.iterdir()) if path.name.startswith("FI.")]
    for number, path in enumerate(named):
        sent.send(path, number)
    for path in [path for path in sorted(INBOX.iterdir()) if path.suffix == ".xml"][:3]:
        shutil.copy(path, sent.inbox)
        sent.plain.append(path.name)
    (sent.inbox / "FI.nonsense").write_bytes(b"<a/>")
    return Run(folder, sent, ingest(folder))


def test_what_is_signed_well_has_the_verdict_that_it_has_without_a_protocol(run: Run, sample_run: SampleRun) -> None:
    sql = "SELECT name, state, reason, sha256 FROM lake.received.filing"
    plain = {row["name"]: row for row in rows(sample_run.lake, sql)}
    found = {row["name"]: row for row in rows(run.lake, sql)}
    # Which of two originals came first depends on what else came.
    comparable = [name for name in run.sent.well if "90007-006" not in (plain[name]["reason"] or "")]
    assert len(comparable) > 15
    assert {plain[name]["state"] for name in comparable} == {"accepted", "refused"}
    for name in comparable:
        # What cannot be read at all is refused for that, not for its signature.
        assert found[name] == plain[name]


def test_each_fault_refuses_its_own_filing_and_stops_no_other(run: Run) -> None:
    assert run.done.returncode == 1, run.done.stderr
    assert Counter(run.sent.refused.values()).keys() == {"ACRF-122", "ACRF-125"}
    reasons = {row["name"]: row["reason"] for row in rows(run.lake, "SELECT name, reason FROM lake.received.filing")}
    unread = {"empty", "doctype", "not_well_formed", "encoding"}
    for name, code in run.sent.refused.items():
        assert reasons[name] == code or reasons[name] in unread, name
    assert Counter(reasons[name] for name in run.sent.refused)["ACRF-125"] > 10
    assert [reasons[name] for name in run.sent.plain] == ["ACRF-122"] * 3
    assert reasons["FI.nonsense"] == "name"
    expected = {*run.sent.well, *run.sent.refused, *run.sent.plain, "FI.nonsense"}
    assert reasons.keys() == expected


def test_what_waits_is_cancelled_or_is_a_test_is_told_and_not_on_the_ledger(run: Run) -> None:
    assert f"waiting: {run.sent.waiting[0]} is taken in once its go file (GO)" in run.done.stdout
    assert f"cancelled: {run.sent.cancelled[0]} is cancelled (TD)" in run.done.stdout
    assert f"{len(run.sent.tests)} filings of environment T left aside" in run.done.stdout


def test_a_refusal_at_reception_is_acknowledged_with_its_code(run: Run) -> None:
    sql = "SELECT f.name, f.reason, a.content FROM lake.received.filing f JOIN lake.received.answer a USING (filing_id)"
    told = [row for row in rows(run.lake, sql) if (row["reason"] or "").startswith("ACRF-")]
    assert {row["reason"] for row in told} == {"ACRF-122", "ACRF-125"}
    for row in told:
        answer = etree.fromstring(row["content"].encode())
        assert (answer.tag, answer.findtext(".//ResultCode")) == ("ACRF", "0")
        assert answer.findtext(".//ErrorID") == row["reason"]
        assert answer.findtext(".//FileName") == row["name"]


def test_every_step_is_one_that_may_follow(run: Run) -> None:
    sql = "SELECT filing_id, declaration_id, step, state, ticket FROM lake.received.filing_state"
    steps = rows(run.lake, sql)
    whole = {(row["filing_id"], row["step"]): row["state"] for row in steps if row["declaration_id"] is None}
    for row in steps:
        assert row["step"] == 0 or row["state"] in NEXT[whole[row["filing_id"], row["step"] - 1]]
    verdicts = {row["declaration_id"]: row["state"] for row in steps if row["declaration_id"] is not None}
    forms = rows(run.lake, "SELECT declaration_id, state, ticket FROM lake.received.form")
    assert {row["declaration_id"]: row["state"] for row in forms} == {
        key: state.removesuffix("_open") for key, state in verdicts.items()
    }
    done = dmfa("filings", forms[0]["ticket"], "--json", cwd=run.folder)
    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row["state"] for row in told[:2]] == ["received", "acknowledged"]
    assert forms[0]["ticket"] in {row["ticket"] for row in told}


def test_every_accepted_declaration_has_its_identifiers_and_no_other(run: Run) -> None:
    sql = """
        SELECT o.state, a.content FROM lake.received.form o
        LEFT JOIN lake.received.answer a ON a.declaration_id = o.declaration_id AND a.kind = 'DMPI'
    """
    schema = etree.XMLSchema(etree.parse(str(home() / "DmfAPID_20224.xsd")))
    numbers = []
    for row in rows(run.lake, sql):
        assert (row["content"] is not None) == (row["state"] == "accepted")
        if row["content"]:
            answer = etree.fromstring(row["content"].encode())
            schema.assertValid(answer)
            numbers.append(answer.findtext(".//EmployerDeclarationPID"))
    assert len(set(numbers)) == len(numbers) > 8


def test_a_second_run_changes_nothing_until_what_was_missing_is_there(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    shutil.copytree(run.folder, folder)
    names = "SELECT name, state, reason FROM lake.received.filing ORDER BY ALL"
    before = rows(folder / "lake", names)
    altered, waiting = next(n for n, code in run.sent.refused.items() if code == "ACRF-122"), run.sent.waiting[0]
    key = waiting.removeprefix("FI.").removesuffix(".1.1")
    (folder / "inbox" / f"GO.{key}.1").touch()
    own = SENDERS[altered.split(".")[2]]
    data = (folder / "inbox" / altered).read_bytes()
    (folder / "inbox" / altered.replace("FI.", "FS.")).write_bytes(own.sign(data))
    ingest(folder)
    after = rows(folder / "lake", names)
    assert sorted(row["name"] for row in after if row not in before) == sorted({altered, waiting})
    assert all(row["reason"] not in {"ACRF-122", "ACRF-125"} for row in after if row not in before)


def test_tests_have_a_lake_of_their_own_and_are_given_to_nobody(run: Run) -> None:
    told = {"DMFA_ENVIRONMENT": "T", "DMFA_LAKE": "tests", "DMFA_OUT": "tests-out", "DMFA_SIGNATURE": "off"}
    words = ("run", "2026/3", "--no-prefect", "--inbox", run.sent.inbox)
    done = dmfa(*words, "--authorisations", SAMPLES / "authorisations.yaml", cwd=run.folder, **told)
    assert done.returncode in {0, 1}, done.stderr
    names = {row["name"] for row in rows(run.folder / "tests", "SELECT name FROM lake.received.filing")}
    assert names == {*(name.replace(".R.1.1", ".T.1.1") for name in run.sent.tests), *run.sent.plain, "FI.nonsense"}
    answers = {path.name.split(".")[5] for path in (run.folder / "tests-out" / "answers").iterdir()}
    assert answers == {"T"}
    assert "no extract is written: the lake holds tests (environment T)" in done.stdout
    assert not (run.folder / "tests-out" / "extracts").exists()


def test_production_and_tests_never_share_a_lake(run: Run) -> None:
    done = run.again(DMFA_ENVIRONMENT="T")
    assert done.returncode == 13
    assert "is of environment R; this run is of environment T" in done.stderr
    for wrong, word in (("gone", "is not a folder"), ("inbox", "no certificate is in")):
        done = run.again(DMFA_CERTIFICATES=str(run.folder / wrong))
        assert done.returncode == 2
        assert word in done.stderr
