"""`dmfa explain` over the sample quarter, and what the setting on P anomalies does, as a user types them."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pytest

from tests.conftest import ROOT, SAMPLES, SampleRun, dmfa

STRANGER = "77101500172"


def query(lake: Path, sql: str) -> list[dict[str, str]]:
    done = dmfa("sql", sql, "--lake", lake, "--format", "csv")
    assert done.returncode == 0, done.stderr
    return list(csv.DictReader(io.StringIO(done.stdout)))


def somebody(lake: Path) -> dict[str, str]:
    """A person of 2026/3 with a structural reduction, and how many amounts are computed for them."""
    sql = """
        SELECT lpad(inss::VARCHAR, 11, '0') AS inss, noss_registration_nbr AS employer,
               count(*) FILTER (kind = 'contribution' AND declared_table = 'worker_contribution') AS contributions,
               count(*) FILTER (code = '3000') AS reductions
        FROM computed.difference WHERE quarter = 20263 GROUP BY ALL HAVING reductions = 1 ORDER BY 1 LIMIT 1
    """
    return query(lake, sql)[0]


def test_a_person_is_explained_as_json_without_the_number(sample_run: SampleRun) -> None:
    person = somebody(sample_run.lake)
    done = dmfa("explain", "2026/3", "--inss", person["inss"], "--lake", sample_run.lake, "--json")
    assert done.returncode == 0, done.stderr
    assert person["inss"].lstrip("0") not in done.stdout
    amounts = [json.loads(line) for line in done.stdout.splitlines()]
    kinds = [amount["kind"] for amount in amounts]
    assert kinds.count("contribution") >= int(person["contributions"])
    assert kinds.count("deduction") >= 1
    rows = query(
        sample_run.lake,
        f"SELECT code, declared_cents, computed_cents FROM computed.difference WHERE quarter = 20263 AND inss = "
        f"{int(person['inss'])} AND (declared_table = 'worker_contribution' OR code = '3000')",
    )
    told = sorted((one["code"], str(one["declared_cents"]), str(one["computed_cents"] or "")) for one in amounts)
    assert told == sorted((row["code"], row["declared_cents"], row["computed_cents"]) for row in rows)


def test_an_employer_is_explained_as_a_page(sample_run: SampleRun) -> None:
    employer = somebody(sample_run.lake)["employer"]
    done = dmfa("explain", "2026/3", "--employer", employer, "--lake", sample_run.lake, "--html")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("<!DOCTYPE html>") and done.stdout.rstrip().endswith("</html>")
    assert done.stdout.count("<summary>2026/3 person ") > 5
    both = dmfa("explain", "2026/3", "--employer", employer, "--lake", sample_run.lake, "--html", "--json")
    assert (both.returncode, both.stdout) == (2, "")


def test_a_pipe_gets_plain_lines_from_a_number_on_standard_input(sample_run: SampleRun) -> None:
    person = somebody(sample_run.lake)
    done = subprocess.run(
        [sys.executable, "-c", "from flows.cli import main; main()", "explain", "2026/3", "--inss", "-"],
        input=f"{person['inss'][:6]}-{person['inss'][6:9]}.{person['inss'][9:]}\n",
        env={"PATH": "", "PYTHONPATH": str(ROOT), "DMFA_RECEIVED_ON": "2026-11-22", "DMFA_LAKE": str(sample_run.lake)},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert "\x1b" not in done.stdout
    assert person["inss"].lstrip("0") not in done.stdout
    first, second = done.stdout.splitlines()[:2]
    assert first.startswith("2026/3 person ")
    assert second.startswith("  amount_cents = ")
    for words in ("personal 13.07 %", "rounding/contribution half up to the cent since 2022-01-01", "row: remun_code"):
        assert words in done.stdout


def test_an_employer_is_explained_person_by_person(sample_run: SampleRun) -> None:
    employer = somebody(sample_run.lake)["employer"]
    done = dmfa("explain", "2026/3", "--employer", employer, "--lake", sample_run.lake, "--json")
    assert done.returncode == 0, done.stderr
    rows = query(
        sample_run.lake,
        f"SELECT count(*) AS many FROM computed.difference WHERE quarter = 20263 AND noss_registration_nbr = {employer}"
        " AND (declared_table = 'worker_contribution' OR code = '3000')",
    )
    assert len(done.stdout.splitlines()) == int(rows[0]["many"])


def test_who_has_no_declaration_of_that_employer_or_none_yet_is_told_as_that(sample_run: SampleRun) -> None:
    words = ("explain", "2026/3", "--lake", sample_run.lake, "--inss", STRANGER)
    today = f"{datetime.now():%Y-%m-%d}"
    done = dmfa(*words, "--employer", "107654321", "--as-of", today)
    assert done.returncode == 2
    said = f"the person has no accepted declaration of this employer in 2026/3 as of {today} 23:59:59"
    assert said in done.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--inss", STRANGER), "the person has no accepted declaration in 2026/3"),
        (("--inss", "77101500173"), "--inss is not the number of a person"),
        (("--inss", "secret"), "--inss is not the number of a person"),
        (("--employer", "107654321"), "the employer has no accepted declaration in 2026/3"),
        ((), "explain needs a person or an employer"),
    ],
)
def test_who_is_not_there_ends_with_two_and_is_not_repeated(
    sample_run: SampleRun, words: tuple[str, ...], said: str
) -> None:
    done = dmfa("explain", "2026/3", *words, "--lake", sample_run.lake)
    assert done.returncode == 2
    assert said in done.stderr
    assert done.stdout == ""
    for number in words[1:]:
        assert number not in done.stderr


def test_a_difference_is_an_anomaly_of_the_ledger_and_refuses_only_if_told(
    sample_run: SampleRun, tmp_path: Path
) -> None:
    sql = (
        "SELECT f.name, a.code, a.severity, a.zone, d.state FROM received.anomaly a JOIN received.filing f"
        " ON f.sha256 = a.filing_sha256 JOIN received.form d USING (declaration_id)"
        " WHERE a.code IN ('00085-044', '00089-044') ORDER BY ALL"
    )
    rows = query(sample_run.lake, sql)
    assert {(row["code"], row["severity"], row["zone"]) for row in rows} >= {("00085-044", "P", "ContributionAmount")}
    assert {row["state"] for row in rows} == {"accepted"}
    name = next(row["name"] for row in rows if row["severity"] == "P")
    lake, out = tmp_path / "lake", tmp_path / "out"
    done = dmfa("ingest", SAMPLES / "inbox" / name, "--lake", lake, "--out", out, DMFA_P_THRESHOLD="0")
    assert done.returncode == 1, done.stderr
    assert "00085-044" in done.stdout
    assert {row["state"] for row in query(lake, sql)} == {"refused"}
    assert query(lake, "SELECT count(*) AS many FROM computed.difference") == [{"many": "0"}]
    answers = [path.read_text(encoding="utf-8") for path in out.rglob("*NOTI*") if path.is_file()]
    assert answers
    assert all("<Diagnosis>4</Diagnosis>" in answer for answer in answers)
