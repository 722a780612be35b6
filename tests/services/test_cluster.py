"""The quarter on a cluster, its catalog in PostgreSQL, its files in S3: the results are those of one machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from dmfa.lake import Lake
from tests.conftest import ROOT, SAMPLES, TODAY, SampleRun, dmfa
from tests.keeping import WHEN, content
from tests.services import servers
from tests.services.conftest import Beyond, Prefect

pytestmark = pytest.mark.services

REFUSED = 1
BY_RUN = frozenset({"processed_at", "reached_at", "at", "run_id"})
"""Columns that tell when a run worked, and from which of its lake's states."""


@dataclass(frozen=True)
class Run:
    lake: str
    out: str
    done: subprocess.CompletedProcess[str]


def run_on(beyond: Beyond, cluster: servers.Dask, lake: str, out: str, **environment: str) -> Run:
    """The sample quarter on a cluster, in small shares."""
    words = ["run", "2026/3", "--inbox", "s3://inbox", "--authorisations", SAMPLES / "authorisations.yaml"]
    words += [] if "PREFECT_API_URL" in environment else ["--no-prefect"]
    return done_on(beyond, cluster, words, lake, out, **environment)


def done_on(
    beyond: Beyond, cluster: servers.Dask, verb: Sequence[object], lake: str, out: str, **environment: str
) -> Run:
    """A verb on a cluster, in small shares."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("DMFA_", "PREFECT_"))}
    told = {**clean, **beyond.environment, "PYTHONPATH": str(ROOT), "DMFA_RECEIVED_ON": TODAY, **environment}
    words = [*verb, "--lake", lake, "--out", out, "--runner", "dask", "--scheduler", cluster.address]
    done = subprocess.run(
        [sys.executable, ROOT / "tests" / "services" / "shares.py", *map(str, words)],
        cwd=beyond.folder,
        env=told,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    return Run(lake, out, done)


@pytest.fixture(scope="module")
def run(beyond: Beyond, cluster: servers.Dask, server: Prefect) -> Run:
    """The samples on the cluster, as a Prefect flow whose shares are tasks."""
    return run_on(beyond, cluster, beyond.lake(), "s3://out/run", **server.named)


@pytest.fixture
def keys(beyond: Beyond, monkeypatch: pytest.MonkeyPatch) -> None:
    """The keys of database and store for this very process."""
    for name, value in beyond.environment.items():
        monkeypatch.setenv(name, value)


def files(store: servers.Store, folder: str) -> dict[str, bytes]:
    """Every file below a folder of the store, by its path in it."""
    client: Any = store.files()
    found: Mapping[str, bytes] = client.cat(client.find(folder))
    return {path.removeprefix(f"{folder}/"): data for path, data in found.items()}


def same(lake: str, other: Path) -> bool:
    """Whether two lakes hold the same, but for what tells when and where it was made."""
    (one, delivered), (two, given) = (
        (
            content(which, without=BY_RUN),
            # The digest of an XML file, which says when it was sent.
            content(which, tables={"exchange.delivery"}, without=BY_RUN | {"sha256"}),
        )
        for which in (lake, other)
    )
    differing = [name for name in one.keys() | two.keys() if one.get(name) != two.get(name)]
    # Links digest the log with its times and runs.
    return (
        set(differing) <= {"exchange.delivery", "exchange.chain"}
        and delivered == given
        and one["exchange.log"][0] > 500
    )


def control(done: subprocess.CompletedProcess[str]) -> str:
    return next(line for line in done.stdout.splitlines() if line.startswith("control: "))


def test_the_run_ends_as_on_one_machine(run: Run, sample_run: SampleRun) -> None:
    assert (run.done.returncode, run.done.stderr) == (REFUSED, "")
    assert control(run.done) == control(sample_run.done)


def test_the_lake_holds_the_same(run: Run, sample_run: SampleRun, keys: None) -> None:
    assert same(run.lake, sample_run.lake)


def test_the_answers_are_the_same_byte_for_byte(run: Run, sample_run: SampleRun, store: servers.Store) -> None:
    here = {path.name: path.read_bytes() for path in (sample_run.out / "answers").iterdir()}
    assert len(here) > 200
    assert files(store, "out/run/answers") == here


def test_the_deliveries_are_the_same(run: Run, sample_run: SampleRun, store: servers.Store) -> None:
    there = files(store, "out/run/extracts")
    folder = sample_run.out / "extracts"
    here = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    here = {name for name in here if "/." not in name and not name.startswith(".")}
    assert set(there) == here
    manifests = [name for name in here if name.endswith("manifest.json")]
    assert {name.split("/")[1] for name in manifests} >= {"attestation", "pensions", "statistics"}
    for name in manifests:
        theirs, ours = json.loads(there[name]), json.loads((folder / name).read_bytes())
        for fact in ("state", "ticket", "tables", "attestations", "authorisation"):
            assert theirs[fact] == ours[fact], (name, fact)
    parquet = [name for name in here if name.endswith(".parquet")]
    assert all(there[name] == (folder / name).read_bytes() for name in parquet)


def test_every_share_is_a_task_on_the_server(run: Run, server: Prefect) -> None:
    names = [row["name"].rpartition("-")[0] for row in server.rows("task_runs", limit=200)]
    assert names.count("process") > 2
    assert names.count("receive some") > 2
    assert {"ingest", "compute", "extract"} <= set(names)


def test_both_workers_worked_in_their_own_folders_and_left_nothing_there(run: Run, cluster: servers.Dask) -> None:
    for worker in cluster.workers:
        said = worker.log.read_text()
        assert "Finished in state Completed" in said
        left = [path for path in worker.log.parent.rglob("*") if path.is_file() and path.suffix in {".parquet", ".zst"}]
        assert left == []


def test_corrections_are_applied_on_the_cluster_as_on_one_machine(
    beyond: Beyond, cluster: servers.Dask, store: servers.Store, keys: None, tmp_path: Path
) -> None:
    client: Any = store.files()
    later = sorted((SAMPLES / "later").glob("FI.DMWA.*"))
    for path in later:
        client.put(str(path), f"out/later/{path.name}")
    words = ("ingest", "s3://inbox", "s3://out/later")
    run = done_on(beyond, cluster, words, beyond.lake(), "s3://out/corrected")
    here = dmfa("ingest", SAMPLES / "inbox", *later, "--lake", tmp_path / "lake", "--out", tmp_path / "out")
    assert (run.done.returncode, run.done.stderr) == (here.returncode, "")
    assert content(run.lake, without=WHEN) == content(tmp_path / "lake")
    with Lake.open(run.lake) as lake:
        states = lake.arrow("SELECT state FROM lake.received.correction ORDER BY 1").column(0).to_pylist()
    assert states == ["applied", "refused", "waiting"]
    answers = {path.name: path.read_bytes() for path in (tmp_path / "out" / "answers").iterdir()}
    assert files(store, "out/corrected/answers") == answers
    assert {name.partition("/")[0] for name in files(store, run.lake.partition("s3://")[2])} == {"data", "received"}


def test_nothing_is_left_on_the_way(run: Run, store: servers.Store, keys: None) -> None:
    folder = run.lake.partition("s3://")[2]
    found = files(store, folder)
    assert {name.partition("/")[0] for name in found} == {"data", "received"}
    with Lake.open(run.lake, write=True) as lake:
        assert lake.sweep() == 0


def test_no_secret_and_no_person_stands_in_a_log_or_catalog(
    run: Run, beyond: Beyond, cluster: servers.Dask, server: Prefect
) -> None:
    persons = beyond.rows(run.lake, "SELECT DISTINCT inss FROM authentic.natural_person WHERE inss IS NOT NULL")
    assert len(persons) > 300
    said = "".join(path.read_text() for path in cluster.folder.rglob("*.log")) + run.done.stdout + run.done.stderr
    database = run.lake.partition("dbname=")[2].partition(";")[0]
    dumped = subprocess.run(
        [
            beyond.postgres.binaries / "pg_dump",
            *f"-h {servers.HOST} -U dmfa -p {beyond.postgres.port}".split(),
            database,
        ],
        env={**os.environ, "PGPASSWORD": servers.PASSWORD},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert "ducklake_data_file" in dumped
    kept = b"".join(path.read_bytes() for path in Path(server.environment["PREFECT_HOME"]).glob("*.db*"))
    assert b"s3://out/run" in kept
    for text in (said, dumped, kept.decode("latin-1")):
        assert servers.PASSWORD not in text
        assert servers.SECRET not in text
        numbers = {f"{int(row['inss']):011d}" for row in persons}
        # The least and the greatest value of a column stand in every catalog.
        assert sum(number in text for number in numbers) <= (200 if text is dumped else 0)


def test_a_second_run_changes_nothing(run: Run, beyond: Beyond, cluster: servers.Dask) -> None:
    before = beyond.snapshots(run.lake)
    again = run_on(beyond, cluster, run.lake, run.out)
    assert (again.done.returncode, again.done.stderr) == (0, "")
    assert beyond.snapshots(run.lake) == before


def test_a_worker_killed_in_the_middle_changes_nothing(
    beyond: Beyond, store: servers.Store, sample_run: SampleRun, server: Prefect, home: Path, keys: None
) -> None:
    """Its share is done by another worker, in the same task of the same run."""
    folder = home / "killed"
    folder.mkdir()
    with servers.dask(folder, store.environment, workers=1) as cluster:
        cluster.environment["DYING"] = "killed"
        dying = cluster.add("--no-nanny", "--preload", ROOT / "tests" / "services" / "dying.py")
        cluster.wait_for_workers(2)
        run = run_on(beyond, cluster, beyond.lake(), "s3://out/killed", **server.named)
        assert dying.popen.wait(10) != 0
    assert (run.done.returncode, run.done.stderr) == (REFUSED, "")
    assert control(run.done) == control(sample_run.done)
    assert same(run.lake, sample_run.lake)
    # What the worker left half-done belongs to nothing, and the next writer sweeps it out.
    with Lake.open(run.lake, write=True) as lake:
        assert lake.sweep() == 5
        assert lake.sweep() == 0


def test_the_lake_is_asked_as_it_was(run: Run, beyond: Beyond) -> None:
    sql = "SELECT count(*) AS n FROM authentic.employer_declaration"
    (now,) = beyond.rows(run.lake, sql)
    assert int(now["n"]) > 100
    database = run.lake.partition("dbname=")[2].partition(";")[0]
    made = beyond.postgres.run(database, "SELECT min(snapshot_time)::text FROM ducklake_snapshot WHERE snapshot_id > 0")
    done = beyond.dmfa("sql", sql, "--lake", run.lake, "--as-of", made[3:-4], "--format", "csv")
    assert (done.returncode, done.stdout.split()) == (0, ["n", "0"]), done.stderr


def test_a_second_writer_waits_and_is_told(run: Run, beyond: Beyond, keys: None) -> None:
    with Lake.open(run.lake, write=True):
        done = beyond.dmfa("maintain", "--lake", run.lake, DMFA_LAKE_WAIT="1")
    assert done.returncode == 13
    assert "is in use: another program is writing to it" in done.stderr
    assert beyond.dmfa("maintain", "--lake", run.lake, DMFA_LAKE_WAIT="1").returncode == 0
