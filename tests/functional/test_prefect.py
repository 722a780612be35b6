"""The flows on a real Prefect server: deploy, trigger, watch, run one flow again; nothing personal in its database."""

from __future__ import annotations

import csv
import io
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from dmfa.lake import Lake
from tests.conftest import ROOT, SAMPLES, TODAY, dmfa

pytestmark = pytest.mark.prefect

DEPLOYMENTS = ("quarter", "ingest", "compute", "extract")


@dataclass(frozen=True)
class Server:
    """A server with the deployments of prefect.yaml, and a worker in a folder of its own."""

    folder: Path
    environment: dict[str, str]

    @property
    def url(self) -> str:
        return self.environment["PREFECT_API_URL"]

    @property
    def lake(self) -> Path:
        return self.folder / "lake"

    def command(self, *words: object) -> list[str]:
        return [sys.executable, "-m", "prefect", *map(str, words)]

    def prefect(self, *words: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*words),
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )

    def trigger(self, deployment: str, **parameters: object) -> str:
        """Run a deployment, wait for its end, return its state's name and message."""
        words = [word for name, value in parameters.items() for word in ("--param", f"{name}={json.dumps(value)}")]
        self.prefect("deployment", "run", f"{deployment}/{deployment}", *words, "--watch")
        run = self.rows("flow_runs", sort="EXPECTED_START_TIME_DESC", limit=1)[0]
        return f"{run['state']['name']}: {run['state']['message'] or ''}"

    def rows(self, what: str, **query: object) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = httpx.post(f"{self.url}/{what}/filter", json=query, timeout=60).json()
        return found

    def query(self, sql: str) -> list[dict[str, str]]:
        done = dmfa("sql", sql, "--lake", self.lake, "--format", "csv")
        assert done.returncode == 0, done.stderr
        return list(csv.DictReader(io.StringIO(done.stdout)))


@contextmanager
def running(command: list[str], server: Server) -> Iterator[subprocess.Popen[bytes]]:
    with (server.folder / "process.log").open("ab") as log:
        process = subprocess.Popen(command, cwd=server.folder, env=server.environment, stdout=log, stderr=log)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
    return port


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server and one worker for this module, with their logs kept as fully as Prefect can."""
    folder, port = tmp_path_factory.mktemp("prefect"), free_port()
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("DMFA_", "PREFECT_"))}
    server = Server(
        folder,
        {
            **clean,
            "PYTHONPATH": str(ROOT),
            "DO_NOT_TRACK": "1",
            "PREFECT_API_URL": f"http://127.0.0.1:{port}/api",
            "PREFECT_CLI_PROMPT": "false",
            "PREFECT_HOME": str(folder / "home"),
            "PREFECT_LOGGING_LEVEL": "DEBUG",
            "PREFECT_LOGGING_TO_API_ENABLED": "true",
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
            "PREFECT_UI_ENABLED": "false",
            "PREFECT_WORKER_QUERY_SECONDS": "1",
            "DMFA_RECEIVED_ON": TODAY,
            "DMFA_INBOX": str(SAMPLES / "inbox"),
            "DMFA_AUTHORISATIONS": str(SAMPLES / "authorisations.yaml"),
        },
    )
    worker = server.command("worker", "start", "--pool", "dmfa", "--type", "process", "--install-policy", "never")
    with running(server.command("server", "start", "--host", "127.0.0.1", "--port", port), server):
        # The transport tries again, with growing pauses, until the server listens.
        with httpx.Client(transport=httpx.HTTPTransport(retries=9), timeout=120) as client:
            assert client.get(f"{server.url}/health").json() is True
        made = server.prefect("work-pool", "create", "dmfa", "--type", "process")
        assert made.returncode == 0, made.stderr
        deployed = server.prefect("deploy", "--all", "--prefect-file", ROOT / "prefect.yaml")
        assert deployed.returncode == 0, deployed.stdout + deployed.stderr
        with running(worker, server):
            yield server


@pytest.fixture(scope="module")
def quarter(server: Server) -> str:
    """How the quarter ended, run once for all that only look at it."""
    return server.trigger("quarter", quarter="2026/3")


def test_the_deployments_stand_there_with_a_schedule_that_is_off(server: Server) -> None:
    found = {row["name"]: row for row in server.rows("deployments")}
    assert set(found) == set(DEPLOYMENTS)
    (schedule,) = found["quarter"]["schedules"]
    assert schedule["active"] is False
    assert schedule["schedule"] == {"cron": "0 6 2 2,5,8,11 *", "timezone": "Europe/Brussels", "day_or": True}
    assert all(row["schedules"] == [] for name, row in found.items() if name != "quarter")
    assert all(row["enforce_parameter_schema"] for row in found.values())


def test_the_quarter_runs_to_its_end(server: Server, quarter: str) -> None:
    assert quarter.startswith("Completed"), (quarter, (server.folder / "process.log").read_text()[-3000:])
    assert (server.folder / "out" / "report-2026-3.html").is_file()
    assert len(list((server.folder / "out").rglob("manifest.json"))) == 3
    (row,) = server.query("SELECT count(*) AS n FROM authentic.employer_declaration WHERE quarter = 20263")
    assert int(row["n"]) > 30
    assert len(server.rows("task_runs")) <= 100


def test_it_leaves_progress_anomalies_and_a_summary(server: Server, quarter: str) -> None:
    found = {row["key"]: row for row in server.rows("artifacts")}
    assert {"receiving", "reading", "extracting", "anomalies", "summary"} <= set(found)
    assert found["reading"]["data"] == 100
    table = {row["code"]: row for row in json.loads(found["anomalies"]["data"])}
    refused = server.query("SELECT DISTINCT code FROM received.anomaly WHERE quarter = 20263 AND severity = 'B'")
    assert {row["code"] for row in refused} <= set(table)
    assert "example-career-fund" in found["summary"]["data"]


def test_one_flow_runs_again_and_changes_nothing(server: Server, quarter: str) -> None:
    with Lake.open(server.lake) as lake:
        before = lake.snapshot_id()
    assert server.trigger("compute", quarter="2026/3").startswith("Completed")
    with Lake.open(server.lake) as lake:
        assert lake.snapshot_id() == before


def test_a_run_that_cannot_be_fails_at_once_with_plain_words(server: Server, quarter: str) -> None:
    ended = server.trigger("compute", quarter="2026/4")
    assert ended.startswith("Failed")
    assert "the quarter 2026/4 has not ended" in ended
    (run,) = server.rows("flow_runs", sort="EXPECTED_START_TIME_DESC", limit=1)
    assert run["run_count"] == 1
    done = server.prefect("deployment", "run", "compute/compute", "--param", 'quarter="soon"')
    assert done.returncode != 0


def test_the_command_line_runs_flows_there_and_keeps_its_exit_codes(server: Server, quarter: str) -> None:
    named = {"PREFECT_API_URL": server.url, "PREFECT_HOME": server.environment["PREFECT_HOME"]}
    runs = len(server.rows("flow_runs"))
    done = dmfa("compute", "2026/3", "--lake", server.lake, **named)
    assert (done.returncode, done.stderr) == (0, "")
    assert "the amounts in the lake were the same already" in done.stdout
    words = ("extract", "2026/3", "--to", "nobody", "--authorisations", SAMPLES / "authorisations.yaml")
    done = dmfa(*words, "--lake", server.lake, **named)
    assert done.returncode == 12
    assert len(done.stderr.splitlines()) <= 2
    # What may be a person's number is refused as well, and is told to Prefect in no parameter.
    done = dmfa(*words[:3], "85210100257", *words[4:], "--lake", server.lake, **named)
    assert done.returncode == 12
    assert len(server.rows("flow_runs")) == runs + 2
    assert "85210100257" not in done.stderr + json.dumps(server.rows("flow_runs"))
    (logged,) = server.query("SELECT count(*) AS n FROM exchange.log WHERE result = 'refused' AND inss IS NULL")
    assert int(logged["n"]) == 3


def test_no_person_stands_in_the_servers_database(server: Server, quarter: str) -> None:
    persons = server.query("SELECT DISTINCT inss FROM authentic.natural_person")
    assert len(persons) > 300
    kept = b"".join(path.read_bytes() for path in Path(server.environment["PREFECT_HOME"]).glob("*.db*"))
    # The search would find one: what the runs were told is there.
    assert b"example-career-fund" in kept
    assert b"Finished in state Completed" in kept
    for row in persons:
        assert f"{int(row['inss']):011d}".encode() not in kept
