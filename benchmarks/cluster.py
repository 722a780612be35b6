"""Beyond one machine: what a commit costs per file by kind of catalog, and what the cluster adds to the sample quarter.

Servers are those of the tests, on this machine: `make test-services` installs them. A store on loopback has no way to
go, so its rows show the work of the programs alone.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from time import perf_counter

import pyarrow as pa

from dmfa.lake import RECEIVED, ItemWriter, Lake, history_tables

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.services import servers  # noqa: E402 - found by the line before

SAMPLES = ROOT / "data" / "samples"
TABLES = 24
FILES = (10, 50)


@contextmanager
def all_servers(folder: Path) -> Iterator[tuple[servers.Postgres, servers.Store, servers.Dask]]:
    """The servers, with their keys in the environment of this process."""
    parts = {name: folder / name for name in ("postgres", "store", "dask")}
    for part in parts.values():
        part.mkdir()
    with ExitStack() as stack:
        postgres = stack.enter_context(servers.postgres(parts["postgres"]))
        store = stack.enter_context(servers.store(parts["store"]))
        os.environ.update(store.environment, PGPASSWORD=servers.PASSWORD)
        files = store.files()
        for bucket in ("inbox", "lake", "out"):
            files.mkdir(bucket)
        files.put(f"{SAMPLES / 'inbox'}/", "inbox/", recursive=True)
        yield postgres, store, stack.enter_context(servers.dask(parts["dask"], store.environment))


def commit(lake: str, files: int) -> tuple[float, float]:
    """Seconds to stage so many items with one file for each of 24 tables, and to publish them in one transaction."""
    specs = (RECEIVED[0], *history_tables()[: TABLES - 1])
    with Lake.open(lake, write=True, create=True) as opened:
        begun = perf_counter()
        items = []
        for number in range(files):
            digest = hashlib.sha256(f"{files} {number}".encode()).hexdigest()
            with ItemWriter(lake, digest[:32], specs) as writer:
                for spec in specs:
                    writer.append(spec.key, row(spec.arrow, digest, number))
                items.append(writer.close([digest]))
        staged = perf_counter()
        opened.publish(items)
        return staged - begun, perf_counter() - staged


def row(schema: pa.Schema, digest: str, number: int) -> pa.Table:
    """One row of a table, with its keys alone."""
    keys = {"sha256": digest, "filing_id": number, "declaration_id": number, "quarter": 20263}
    return pa.table({name: pa.array([keys[name]], schema.field(name).type) for name in schema.names if name in keys})


def run(*words: object) -> float:
    """Seconds of a run of the sample quarter."""
    command = [sys.executable, "-c", "from flows.cli import main; main()", "run", "2026/3", "--no-prefect"]
    command += ["--authorisations", str(SAMPLES / "authorisations.yaml"), *map(str, words)]
    begun = perf_counter()
    done = subprocess.run(
        command, env={**os.environ, "DMFA_RECEIVED_ON": "2026-11-22"}, capture_output=True, check=False
    )
    if done.returncode != 1:  # the samples hold faulty filings
        raise RuntimeError(done.stderr.decode())
    return perf_counter() - begun


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="runs of the sample quarter; the best counts")
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        with all_servers(folder) as (postgres, _, dask):

            def database(kind: str) -> str:
                postgres.run("postgres", f"CREATE DATABASE {kind}")
                return f"postgres:{postgres.words(kind)}"

            print("| catalog, data | files | staging, s | commit, s | ms a file |\n| --- | --- | --- | --- | --- |")
            for files in FILES:
                lakes = {
                    "SQLite, disk": str(folder / f"lake{files}"),
                    "PostgreSQL, disk": f"{database(f'disk{files}')};data={folder}/data{files}",
                    "PostgreSQL, S3": f"{database(f'store{files}')};data=s3://lake/{files}",
                }
                for kind, lake in lakes.items():
                    staging, took = commit(lake, files)
                    many = files * TABLES
                    print(f"| {kind} | {TABLES} x {files} | {staging:.1f} | {took:.2f} | {1000 * took / many:.1f} |")
            print("\n| sample quarter | s |\n| --- | --- |")
            cluster = ("--runner", "dask", "--scheduler", dask.address)
            for kind in ("local", "disk", "store"):
                best = min(
                    _samples(kind, folder / f"{kind}{number}", database, cluster, number) for number in range(rounds)
                )
                print(f"| {_KINDS[kind]} | {best:.1f} |")


_KINDS = {
    "local": "this machine, SQLite, disk",
    "disk": "Dask, two workers, PostgreSQL, disk",
    "store": "Dask, two workers, PostgreSQL, inbox, lake and results in S3",
}


def _samples(kind: str, folder: Path, database, cluster: tuple[str, ...], number: int) -> float:
    inbox = SAMPLES / "inbox"
    if kind == "local":
        return run("--lake", folder / "lake", "--inbox", inbox, "--out", folder / "out")
    catalog = database(f"run_{kind}{number}")
    if kind == "disk":
        return run("--lake", f"{catalog};data={folder}", "--inbox", inbox, "--out", folder / "out", *cluster)
    where = f"run{number}"
    return run(
        "--lake", f"{catalog};data=s3://lake/{where}", "--inbox", "s3://inbox", "--out", f"s3://out/{where}", *cluster
    )


if __name__ == "__main__":
    main()
