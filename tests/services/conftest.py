"""Servers for all tests of a session: PostgreSQL, S3, a Dask cluster of two workers, Prefect with a worker."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.conftest import ROOT, SAMPLES, TODAY, dmfa_process
from tests.services import servers


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that the user who runs PostgreSQL may enter."""
    folder = tmp_path_factory.mktemp("servers")
    for path in (folder, *folder.parents[:2]):
        path.chmod(path.stat().st_mode | 0o055)
    return folder


def _inside(home: Path, name: str) -> Path:
    folder = home / name
    folder.mkdir()
    return folder


@pytest.fixture(scope="session")
def postgres(home: Path) -> Iterator[servers.Postgres]:
    with servers.postgres(_inside(home, "postgres")) as server:
        yield server


@pytest.fixture(scope="session")
def store(home: Path) -> Iterator[servers.Store]:
    """The S3-compatible server, with the sample filings in a bucket."""
    with servers.store(_inside(home, "store")) as server:
        files: Any = server.files()
        for bucket in ("inbox", "lakes", "out"):
            files.mkdir(bucket)
        files.put(f"{SAMPLES / 'inbox'}/", "inbox/", recursive=True)
        yield server


@pytest.fixture(scope="session")
def cluster(home: Path, store: servers.Store) -> Iterator[servers.Dask]:
    with servers.dask(_inside(home, "dask"), store.environment) as cluster:
        yield cluster


@dataclass(frozen=True)
class Beyond:
    """Everything beyond one machine, and the command line that uses it."""

    postgres: servers.Postgres
    store: servers.Store
    folder: Path
    numbers: Iterator[int] = field(default_factory=count)

    @property
    def environment(self) -> dict[str, str]:
        return {**self.store.environment, "PGPASSWORD": servers.PASSWORD}

    def lake(self) -> str:
        """A lake that is not there yet, in a database of its own."""
        name = f"lake_{next(self.numbers)}"
        self.postgres.run("postgres", f"CREATE DATABASE {name}")
        return f"postgres:{self.postgres.words(name)};data=s3://lakes/{name}"

    def dmfa(self, *words: object, **environment: str) -> subprocess.CompletedProcess[str]:
        """`dmfa` in an empty folder, with the keys of database and store in its environment."""
        return dmfa_process(*words, cwd=self.folder, **{**self.environment, **environment})

    def rows(self, lake: str, sql: str) -> list[dict[str, str]]:
        done = self.dmfa("sql", sql, "--lake", lake, "--format", "csv")
        assert done.returncode == 0, done.stderr
        return list(csv.DictReader(io.StringIO(done.stdout)))

    def snapshots(self, lake: str) -> str:
        """What a catalog holds, as long as nobody writes to it."""
        database = lake.partition("dbname=")[2].partition(";")[0]
        return self.postgres.run(database, "SELECT count(*), max(snapshot_id) FROM ducklake_snapshot")


@pytest.fixture(scope="session")
def beyond(home: Path, postgres: servers.Postgres, store: servers.Store) -> Beyond:
    return Beyond(postgres, store, _inside(home, "driver"))


@dataclass(frozen=True)
class Prefect:
    """A Prefect server with the deployments of prefect.yaml, and a worker in a folder of its own."""

    folder: Path
    environment: dict[str, str]

    @property
    def url(self) -> str:
        return self.environment["PREFECT_API_URL"]

    @property
    def lake(self) -> Path:
        return self.folder / "lake"

    @property
    def named(self) -> dict[str, str]:
        """What a command is told that shall use this server."""
        return {name: self.environment[name] for name in ("PREFECT_API_URL", "PREFECT_HOME")}

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
        done = dmfa_process("sql", sql, "--lake", self.lake, "--format", "csv")
        assert done.returncode == 0, done.stderr
        return list(csv.DictReader(io.StringIO(done.stdout)))


@pytest.fixture(scope="session")
def server(home: Path) -> Iterator[Prefect]:
    """One server and one worker, with their logs kept as fully as Prefect can."""
    folder, port = _inside(home, "prefect"), servers.free_port()
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("DMFA_", "PREFECT_"))}
    server = Prefect(
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
    serve = server.command("server", "start", "--host", "127.0.0.1", "--port", port)
    work = server.command("worker", "start", "--pool", "dmfa", "--type", "process", "--install-policy", "never")
    with servers.running(serve, folder, server.environment) as process:
        servers.wait_until(lambda: servers.answers(f"{server.url}/health"), process)
        made = server.prefect("work-pool", "create", "dmfa", "--type", "process")
        assert made.returncode == 0, made.stderr
        deployed = server.prefect("deploy", "--all", "--prefect-file", ROOT / "prefect.yaml")
        assert deployed.returncode == 0, deployed.stdout + deployed.stderr
        with servers.running(work, folder, server.environment):
            yield server
