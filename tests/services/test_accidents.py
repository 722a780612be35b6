"""What goes wrong beyond one machine: each is one clear error, and the lake is as it was."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from dmfa.errors import LakeFull, LakeProblem
from dmfa.lake import Lake, Location, catalog, staged
from flows.stages.reference import REFERENCE
from flows.stages.tables import COMPUTED
from tests.conftest import ROOT, SAMPLES
from tests.services import servers
from tests.services.conftest import Beyond
from tests.services.test_store import shut
from tests.unit.lake.material import count, stage

pytestmark = pytest.mark.services

ONE = "s3://inbox/FI.DMFA.700001.20261003.00001.R.1.1"


@pytest.fixture
def lake(beyond: Beyond, monkeypatch: pytest.MonkeyPatch) -> str:
    """A lake with one item in it, reached from this very process."""
    for name, value in beyond.environment.items():
        monkeypatch.setenv(name, value)
    lake = beyond.lake()
    with Lake.open(lake, write=True, create=True, extra_tables=(*COMPUTED, *REFERENCE)) as opened:
        opened.publish([stage(lake, 1)])
    return lake


def told(done: subprocess.CompletedProcess[str], code: int, words: str) -> None:
    """Check that a command ended with an exit code and one clear error."""
    assert (done.returncode, done.stdout) == (code, ""), done.stderr
    assert words in done.stderr
    assert 1 <= len(done.stderr.splitlines()) <= 2
    assert servers.PASSWORD not in done.stderr
    assert servers.SECRET not in done.stderr


def writer(lake: str) -> Lake:
    return Lake.open(lake, write=True, extra_tables=(*COMPUTED, *REFERENCE), wait_seconds=0)


def database(lake: str) -> str:
    return lake.partition("dbname=")[2].partition(";")[0]


def test_no_scheduler(beyond: Beyond, lake: str) -> None:
    before = beyond.snapshots(lake)
    words = ("ingest", ONE, "--lake", lake, "--out", "s3://out/no", "--runner", "dask", "--scheduler")
    nobody = f"tcp://{servers.HOST}:{servers.free_port()}"
    told(beyond.dmfa(*words, nobody, DMFA_CLUSTER_WAIT="2"), 2, f"no Dask scheduler answers at {nobody}")
    told(beyond.dmfa(*words[:-1]), 2, "none is named")
    assert beyond.snapshots(lake) == before


def test_workers_out_of_memory_and_a_scheduler_without_any(beyond: Beyond, lake: str, home: Path) -> None:
    """The memory is taken for real; Dask's own guard kills the worker, again and again."""
    before = beyond.snapshots(lake)
    folder = home / "memory"
    folder.mkdir()
    environment = {**beyond.store.environment, "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "1"}
    with servers.dask(folder, environment, workers=0) as cluster:
        words = (
            "ingest",
            ONE,
            "--lake",
            lake,
            "--out",
            "s3://out/no",
            "--runner",
            "dask",
            "--scheduler",
            cluster.address,
        )
        told(beyond.dmfa(*words, DMFA_CLUSTER_WAIT="2"), 2, "has no worker")
        cluster.environment["DYING"] = "memory"
        cluster.add("--memory-limit", "900MB", "--preload", ROOT / "tests" / "services" / "dying.py")
        told(beyond.dmfa(*words), 14, "out of memory")
    assert beyond.snapshots(lake) == before


def test_a_bucket_without_permission(beyond: Beyond, lake: str) -> None:
    before, closed = beyond.snapshots(lake), shut(beyond.store)
    told(beyond.dmfa("ingest", f"s3://{closed}/x.xml", "--lake", lake, "--out", "s3://out/no"), 10, "access denied")
    elsewhere = f"{beyond.lake().partition(';')[0]};data=s3://{closed}/lake"
    told(beyond.dmfa("ingest", ONE, "--lake", elsewhere, "--out", "s3://out/no"), 13, f"s3://{closed}/lake")
    told(beyond.dmfa("ingest", ONE, "--lake", lake, "--out", f"s3://{closed}/out"), 13, "access denied")
    # The answers are what could not be written; the filing itself is in, and a second run puts them there.
    assert beyond.snapshots(lake) != before
    assert beyond.dmfa("ingest", ONE, "--lake", lake, "--out", "s3://out/yes").returncode == 0


def test_a_bucket_an_inbox_or_an_address_that_is_not_there(beyond: Beyond, lake: str) -> None:
    before = beyond.snapshots(lake)
    told(beyond.dmfa("ingest", "s3://inbox/nothing", "--lake", lake, "--out", "s3://out/no"), 10, "there is no")
    told(beyond.dmfa("ingest", "nowhere://x/y", "--lake", lake, "--out", "s3://out/no"), 2, "nowhere://")
    elsewhere = f"{beyond.lake().partition(';')[0]};data=s3://no-such-bucket/lake"
    told(beyond.dmfa("ingest", ONE, "--lake", elsewhere, "--out", "s3://out/no"), 13, "s3://no-such-bucket/lake")
    assert beyond.snapshots(lake) == before


def test_a_catalog_that_cannot_be_reached(beyond: Beyond, lake: str) -> None:
    told(beyond.dmfa("filings", "--lake", lake.replace("dbname=", "dbname=no_")), 13, "has no such database or user")
    port = f"port={beyond.postgres.port}"
    told(beyond.dmfa("filings", "--lake", lake.replace(port, f"port={servers.free_port()}")), 13, "cannot be reached")
    told(beyond.dmfa("filings", "--lake", lake, PGPASSWORD="wrong"), 13, "refuses this user or its password")
    told(beyond.dmfa("filings", "--lake", lake.replace(" user=", " password=wrong user=")), 2, "PGPASSWORD")
    empty = beyond.lake()
    told(beyond.dmfa("filings", "--lake", empty), 13, "there is no lake")


def test_a_catalog_of_another_version(beyond: Beyond, lake: str) -> None:
    with writer(lake) as opened, opened.transaction():
        opened._connection.execute("UPDATE lake.received.meta SET value = '99' WHERE key = 'format'")
    before = beyond.snapshots(lake)
    told(beyond.dmfa("ingest", ONE, "--lake", lake, "--out", "s3://out/no"), 13, "format 99")
    beyond.postgres.run(database(lake), "UPDATE ducklake_metadata SET value = '99.0' WHERE key = 'version'")
    told(beyond.dmfa("ingest", ONE, "--lake", lake, "--out", "s3://out/no"), 13, "another version")
    assert beyond.snapshots(lake) == before


def test_a_catalog_that_was_only_begun_is_begun_anew(beyond: Beyond, lake: str) -> None:
    other = beyond.lake()
    connection = catalog.connect(Location.of(other))
    connection.execute(Location.of(other).attach(read_only=False, create=True))
    connection.close()
    told(beyond.dmfa("filings", "--lake", other), 13, "there is no lake")
    done = beyond.dmfa("ingest", ONE, "--lake", other, "--out", "s3://out/begun")
    assert (done.returncode, done.stderr) == (0, "")


def test_a_staged_file_that_vanishes(beyond: Beyond, lake: str) -> None:
    item = stage(lake, 2)
    assert [one.item_id for one in staged(lake)] == [item.item_id]
    before = beyond.snapshots(lake)
    (Location.of(lake).data / item.files[0].path).unlink()
    assert staged(lake) == []  # the next run does it again
    with writer(lake) as opened, pytest.raises(LakeProblem, match="is not there") as problem:
        opened.publish([item])
    assert len(str(problem.value).splitlines()) == 2
    assert beyond.snapshots(lake) == before
    assert count(lake) == 1
    with writer(lake) as opened:
        assert opened.publish([stage(lake, 2)]).items == (item.item_id,)


def test_a_disk_of_the_catalog_that_fills(beyond: Beyond, lake: str) -> None:
    """A table of the catalog cannot grow in the middle of the commit; PostgreSQL's own log of 16 MB can."""
    item = stage(lake, 2)
    before = beyond.snapshots(lake)
    large = """
        INSERT INTO ducklake_file_column_stats (data_file_id, table_id, column_id, max_value)
        SELECT -1, -1, number, repeat('x', 8000) FROM generate_series(1, 2200) number
    """
    plain = "ALTER TABLE ducklake_file_column_stats ALTER max_value SET STORAGE PLAIN"
    packed = "VACUUM FULL ducklake_file_column_stats"  # no page is left that was only reserved
    asked = "SELECT pg_relation_size('ducklake_file_column_stats')"
    size = beyond.postgres.run(database(lake), plain, large, packed, asked)
    many = int(size.strip("[](),"))
    assert many > 16 << 20
    with beyond.postgres.full_beyond(many), writer(lake) as opened, pytest.raises(LakeFull, match="is full"):
        opened.publish([item])
    assert beyond.snapshots(lake) == before
    with writer(lake) as opened:
        assert opened.publish(staged(lake)).items == (item.item_id,)


def test_a_connection_that_breaks_before_the_commit_publishes_nothing(beyond: Beyond, lake: str) -> None:
    before = beyond.snapshots(lake)
    stop = """
        SELECT pg_terminate_backend(pid) FROM pg_locks JOIN pg_stat_activity USING (pid)
        WHERE locktype = 'advisory' AND datname = current_database()
    """
    with (
        writer(lake) as opened,
        pytest.raises(LakeProblem, match="broke"),
        opened.transaction() as publication,
    ):
        publication.add([stage(lake, 2)])
        beyond.postgres.run(database(lake), stop)
    assert beyond.snapshots(lake) == before


def test_no_key_at_all(beyond: Beyond, lake: str) -> None:
    client: Any = beyond.store.files()
    assert client.exists(str(SAMPLES)) is False
    keyless = {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_EC2_METADATA_DISABLED": "true"}
    told(beyond.dmfa("ingest", ONE, "--lake", lake, "--out", "s3://out/no", **keyless), 10, "there are keys")
