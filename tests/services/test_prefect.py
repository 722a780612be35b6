"""The flows on a real Prefect server: deploy, trigger, watch, run one flow again; nothing personal in its database."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dmfa.lake import Lake
from tests.conftest import SAMPLES, SampleRun, dmfa_process
from tests.services.conftest import Prefect

pytestmark = pytest.mark.services

DEPLOYMENTS = ("quarter", "ingest", "compute", "extract")


@pytest.fixture(scope="module")
def quarter(server: Prefect) -> str:
    """How the quarter ended, run once for all that only look at it."""
    return server.trigger("quarter", quarter="2026/3")


def test_the_deployments_stand_there_with_a_schedule_that_is_off(server: Prefect) -> None:
    found = {row["name"]: row for row in server.rows("deployments")}
    assert set(found) == set(DEPLOYMENTS)
    (schedule,) = found["quarter"]["schedules"]
    assert schedule["active"] is False
    assert schedule["schedule"] == {"cron": "0 6 2 2,5,8,11 *", "timezone": "Europe/Brussels", "day_or": True}
    assert all(row["schedules"] == [] for name, row in found.items() if name != "quarter")
    assert all(row["enforce_parameter_schema"] for row in found.values())


def test_the_quarter_runs_to_its_end(server: Prefect, quarter: str, sample_run: SampleRun) -> None:
    logs = "".join(path.read_text()[-3000:] for path in server.folder.glob("*.log"))
    assert quarter.startswith("Completed"), (quarter, logs)
    assert (server.folder / "out" / "report-2026-3.html").is_file()
    given, here = (
        sorted(path.parent.name for path in out.rglob("manifest.json"))
        for out in (server.folder / "out", sample_run.out)
    )
    assert given == here
    (row,) = server.query("SELECT count(*) AS n FROM authentic.employer_declaration WHERE quarter = 20263")
    assert int(row["n"]) > 30
    assert len(server.rows("task_runs")) <= 100


def test_it_leaves_progress_anomalies_and_a_summary(server: Prefect, quarter: str) -> None:
    found = {row["key"]: row for row in server.rows("artifacts")}
    assert {"receiving", "reading", "extracting-2026-3", "anomalies", "summary"} <= set(found)
    assert found["reading"]["data"] == 100
    table = {row["code"]: row for row in json.loads(found["anomalies"]["data"])}
    refused = server.query("SELECT DISTINCT code FROM received.anomaly WHERE quarter = 20263 AND severity = 'B'")
    assert {row["code"] for row in refused} <= set(table)
    assert "example-career-fund" in found["summary"]["data"]


def test_one_flow_runs_again_and_changes_nothing(server: Prefect, quarter: str) -> None:
    with Lake.open(server.lake) as lake:
        before = lake.snapshot_id()
    assert server.trigger("compute", quarter="2026/3").startswith("Completed")
    with Lake.open(server.lake) as lake:
        assert lake.snapshot_id() == before


def test_a_run_that_cannot_be_fails_at_once_with_plain_words(server: Prefect, quarter: str) -> None:
    ended = server.trigger("compute", quarter="2026/4")
    assert ended.startswith("Failed")
    assert "the quarter 2026/4 has not ended" in ended
    (run,) = server.rows("flow_runs", sort="EXPECTED_START_TIME_DESC", limit=1)
    assert run["run_count"] == 1
    done = server.prefect("deployment", "run", "compute/compute", "--param", 'quarter="soon"')
    assert done.returncode != 0


def test_the_command_line_runs_flows_there_and_keeps_its_exit_codes(server: Prefect, quarter: str) -> None:
    runs = len(server.rows("flow_runs"))
    refused = "SELECT count(*) AS n FROM exchange.log WHERE result = 'refused' AND inss IS NULL"
    (before,) = server.query(refused)
    done = dmfa_process("compute", "2026/3", "--lake", server.lake, **server.named)
    assert (done.returncode, done.stderr) == (0, "")
    assert "the amounts in the lake were the same already" in done.stdout
    words = ("extract", "2026/3", "--to", "nobody", "--authorisations", SAMPLES / "authorisations.yaml")
    done = dmfa_process(*words, "--lake", server.lake, **server.named)
    assert done.returncode == 12
    assert len(done.stderr.splitlines()) <= 2
    # What may be a person's number is refused as well, and is told to Prefect in no parameter.
    done = dmfa_process(*words[:3], "85210100257", *words[4:], "--lake", server.lake, **server.named)
    assert done.returncode == 12
    assert len(server.rows("flow_runs")) == runs + 2
    assert "85210100257" not in done.stderr + json.dumps(server.rows("flow_runs"))
    (after,) = server.query(refused)
    # Both were refused, and that is logged; a name that may be a person's number is not.
    assert int(after["n"]) == int(before["n"]) + 2
    named = server.query("SELECT count(*) AS n FROM exchange.log AS l WHERE to_json(l)::VARCHAR LIKE '%85210100257%'")
    assert named == [{"n": "0"}]


def test_no_person_stands_in_the_servers_database(server: Prefect, quarter: str) -> None:
    persons = server.query("SELECT DISTINCT inss FROM authentic.natural_person")
    assert len(persons) > 300
    kept = b"".join(path.read_bytes() for path in Path(server.environment["PREFECT_HOME"]).glob("*.db*"))
    # The search would find one: what the runs were told is there.
    assert b"example-career-fund" in kept
    assert b"Finished in state Completed" in kept
    for row in persons:
        assert f"{int(row['inss']):011d}".encode() not in kept
