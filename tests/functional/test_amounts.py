"""What the sample quarters show of the law: outcomes of every kind, reasons of the list, bases beside declared."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from contributions import reasons
from contributions.outcomes import ALL as OUTCOMES
from contributions.outcomes import WITHIN
from tests.conftest import SampleRun, dmfa


def query(lake: Path, sql: str) -> list[dict[str, str]]:
    done = dmfa("sql", sql, "--lake", lake, "--format", "csv")
    assert done.returncode == 0, done.stderr
    return list(csv.DictReader(io.StringIO(done.stdout)))


def test_outcomes_of_every_kind_occur(sample_run: SampleRun) -> None:
    rows = query(sample_run.lake, "SELECT DISTINCT outcome FROM computed.difference")
    # The work bonuses of the samples are those of plain months, so that none lies within its bounds alone.
    assert {row["outcome"] for row in rows} == set(OUTCOMES) - {WITHIN}


def test_every_line_that_is_not_computable_says_why(sample_run: SampleRun) -> None:
    for table in ("contribution", "deduction"):
        rows = query(
            sample_run.lake,
            f"SELECT status, reason, amount_cents IS NULL AS without, trust FROM computed.{table} GROUP BY ALL",
        )
        assert {row["status"] for row in rows} == {"computed", "not computable"}
        for row in rows:
            computed = row["status"] == "computed"
            assert (row["reason"] == "") == computed
            assert (row["without"] == "False") == computed
            assert computed or row["reason"] in reasons.ALL
            assert (row["trust"] in ("A", "B")) == computed


def test_bases_stand_beside_the_declared_ones(sample_run: SampleRun) -> None:
    rows = query(
        sample_run.lake,
        "SELECT outcome, count(*) AS many, bool_and(declared_lowest_cents = basis_cents) AS same FROM computed.basis"
        " GROUP BY 1",
    )
    found = {row["outcome"]: row for row in rows}
    assert int(found["equal"]["many"]) > 100
    assert found["equal"]["same"] == "True"


def test_trust_a_computes_less_and_by_official_figures_alone(own_run: SampleRun) -> None:
    count = "SELECT count(*) FILTER (trust = 'A') AS a, count(*) FILTER (trust = 'B') AS b FROM computed.contribution"
    count += " WHERE quarter = 20263"
    (before,) = query(own_run.lake, count)
    assert int(before["a"]) > 0
    assert int(before["b"]) > 0
    done = dmfa("compute", "2026/3", "--trust", "A", "--lake", own_run.lake)
    assert done.returncode == 0, done.stderr
    assert query(own_run.lake, count) == [{"a": before["a"], "b": "0"}]
    done = dmfa("compute", "2026/3", "--lake", own_run.lake)
    assert done.returncode == 0, done.stderr
    assert query(own_run.lake, count) == [before]
