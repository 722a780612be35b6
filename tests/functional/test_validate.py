"""`dmfa validate`: a table for people, JSON for programs, nothing kept."""

from __future__ import annotations

import json
from pathlib import Path

from lxml import etree

from tests.conftest import SAMPLES, dmfa
from tests.correcting import CHANGE, Correction
from tests.correcting import zone as edited

EXPECTED = json.loads((SAMPLES / "expected.json").read_text())


def test_json_has_one_object_per_filing_with_its_verdict() -> None:
    done = dmfa("validate", SAMPLES / "inbox", "--json")
    assert done.returncode == 1, done.stderr
    answers = {answer["file"]: answer for answer in map(json.loads, done.stdout.splitlines())}
    assert list(answers) == sorted(answers)
    for truth in EXPECTED["filings"]:
        answer = answers[truth["file"]]
        if "90007-006" in truth["codes"]:
            continue  # only the lake knows what came first
        assert answer["verdict"] == truth["verdict"], truth["file"]
        for name in ("well_formed", "schema_valid", "quarter", "schema"):
            # What its maker does not foretell, such as the quarter of a file that stops in the middle, may be anything.
            assert name not in truth or answer[name] == truth[name], (truth["file"], name)
        found = {anomaly["code"] for anomaly in answer["anomalies"] if anomaly["severity"] == "B"}
        assert set(truth["codes"]) <= found
        assert bool(found) == (truth["verdict"] == "refused")
        assert list(answer) == [
            "file", "verdict", "well_formed", "schema_valid", "quarter", "schema", "declarations", "refused", "persons",
            "anomalies", "warnings",
        ]  # fmt: skip


def test_path_and_line_lead_to_the_place() -> None:
    done = dmfa("validate", SAMPLES / "inbox", "--json")
    led = 0
    for answer in map(json.loads, done.stdout.splitlines()):
        for anomaly in answer["anomalies"]:
            assert list(anomaly) == ["code", "severity", "zone", "block", "path", "line", "message", "seen_value"]
            if anomaly["path"]:
                root = etree.parse(str(SAMPLES / "inbox" / answer["file"]))
                (element,) = root.xpath(anomaly["path"])
                assert element.sourceline == anomaly["line"]
                # What is missing has no place but its neighbour's, and what no schema knows has no zone.
                nameless = anomaly["code"].endswith(("-001", "-146"))
                assert element.tag in {anomaly["zone"], anomaly["block"]} or nameless
                led += 1
    assert led > 5


def test_a_table_and_a_control_line_for_people() -> None:
    done = dmfa("validate", SAMPLES / "inbox")
    assert done.returncode == 1
    assert "declared net amount owed" in done.stdout
    last = done.stdout.rstrip().splitlines()[-1]
    once = {"accepted": 0, "refused": 0, "not_processed": 0}
    for truth in EXPECTED["filings"]:
        once["accepted" if "90007-006" in truth["codes"] else truth["verdict"]] += 1
    total = sum(once.values())
    assert last.startswith(
        f"control: {total} filings = {once['accepted']} accepted + {once['refused']} refused + {once['not_processed']}"
    )


def test_a_correction_has_a_verdict_and_the_places_of_what_is_wrong(tmp_path: Path) -> None:
    original = (SAMPLES / "inbox" / "FI.DMFA.700001.20261003.00001.R.1.1").read_bytes()
    good = Correction(original).line(0, 0, CHANGE, edited("WorkerCode", "015"))
    bad = Correction(original).line(0, 0, CHANGE)
    (tmp_path / "good").write_bytes(good.data())
    spoiled = bad.data().replace(b"<UpdateAction>1<", b"<UpdateAction>3<", 1)
    (tmp_path / "wrong").write_bytes(spoiled)
    (tmp_path / "cut").write_bytes(spoiled[:-30])
    done = dmfa("validate", tmp_path / "good", tmp_path / "wrong", tmp_path / "cut", "--json")
    assert done.returncode == 1, done.stderr
    answers = {answer["file"]: answer for answer in map(json.loads, done.stdout.splitlines())}
    assert {name: answer["verdict"] for name, answer in answers.items()} == {
        "cut": "refused", "good": "accepted", "wrong": "refused",
    }  # fmt: skip
    assert answers["good"]["anomalies"] == []
    assert (answers["good"]["declarations"], answers["good"]["persons"]) == (1, 1)
    (anomaly,) = answers["wrong"]["anomalies"]
    assert (anomaly["code"], anomaly["block"], anomaly["zone"], anomaly["seen_value"]) == (
        "00618-174", "WorkerRecordUpdateAction", "UpdateAction", "3",
    )  # fmt: skip
    (element,) = etree.fromstring(spoiled).xpath(anomaly["path"])
    assert (element.tag, element.sourceline) == ("UpdateAction", anomaly["line"])


def test_nothing_is_kept(tmp_path: Path) -> None:
    good = SAMPLES / "inbox" / "FI.DMFA.700001.20261003.00001.R.1.1"
    done = dmfa("validate", good, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert list(tmp_path.iterdir()) == []


def test_wrong_check_digits_can_be_warnings() -> None:
    names = [truth["file"] for truth in EXPECTED["filings"] if truth["codes"] == ["00024-004"]]
    path = SAMPLES / "inbox" / names[0]
    assert dmfa("validate", path).returncode == 1
    done = dmfa("validate", path, "--lenient-identifiers", "--json")
    assert done.returncode == 0
    (anomaly,) = json.loads(done.stdout)["anomalies"]
    assert (anomaly["code"], anomaly["severity"]) == ("00024-004", "W")


def test_the_validators_checks_alone() -> None:
    for truth in EXPECTED["filings"]:
        if truth["codes"] == ["00015-007"]:
            path = SAMPLES / "inbox" / truth["file"]
            assert dmfa("validate", path, DMFA_CHECKS="validator").returncode == 1
            return
    raise AssertionError("no such sample")


def test_anomalies_are_told_in_the_language_asked_for_and_nobody_is_shown() -> None:
    name = next(truth["file"] for truth in EXPECTED["filings"] if truth["codes"] == ["00024-004"])
    done = dmfa("validate", SAMPLES / "inbox" / name, "--lang", "nl")
    assert done.returncode == 1
    (line,) = [line for line in done.stdout.splitlines() if "00024-004" in line]
    assert "NaturalPerson/INSS" in line
    assert "(not shown)" in line
    assert "heeft foute controlecijfers" in line
    root = etree.parse(str(SAMPLES / "inbox" / name))
    assert not [number.text for number in root.iter("INSS") if str(number.text) in done.stdout]


def test_a_code_is_explained_without_any_filing() -> None:
    done = dmfa("validate", "--explain", "00297-008", "--lang", "fr")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0] == "00297-008: TypeForm n'est pas une des valeurs admises."
    assert "the XSD tells it: enumeration" in done.stdout
    nothing = dmfa("validate")
    assert nothing.returncode == 2
    assert "--explain" in nothing.stderr
