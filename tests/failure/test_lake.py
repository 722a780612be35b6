"""The lake when something goes wrong: a killed writer, two writers, a newer or damaged lake, no room, no rights."""

import errno
import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from dmfa.errors import LakeProblem, WrongUsage
from dmfa.lake import Lake, TableSpec, keep_bytes, run_query, staged
from dmfa.lake.border import engine
from dmfa.lake.catalog import FORMAT
from tests.unit.lake.material import BASIS, count, new_lake, parquet_files, rows, sha, stage, writer

ROOT = Path(__file__).parents[2]

KILLED = """
import os, signal, sys
from pathlib import Path
from tests.unit.lake.material import rows, specs, stage, writer
from dmfa.lake import ItemWriter, Lake

def die():
    os.kill(os.getpid(), signal.SIGKILL)

folder, when = Path(sys.argv[1]), sys.argv[2]
if when == "writing":
    work = ItemWriter(folder, "cut", specs())
    for key, frame in rows(2).items():
        work.append(key, frame)
    die()
manifest = stage(folder, 2)
if when == "staged":
    die()
with writer(folder) as lake:
    if when == "registered":
        with lake.transaction() as publication:
            publication.add([manifest])
            die()
    import dmfa.lake.publication
    dmfa.lake.publication.Publication.tidy = lambda self: die()
    lake.publish([manifest])
"""


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    folder = new_lake(tmp_path_factory.mktemp("undisturbed"))
    with writer(folder) as lake:
        lake.publish([stage(folder, 1), stage(folder, 2)])
    return folder


def table(folder, name="natural_person"):
    with Lake.open(folder) as lake:
        frame = lake.frames("authentic", [name])[name]
        return frame.sort(frame.columns).rows()


@pytest.mark.parametrize("when", ["writing", "staged", "registered", "committed"])
def test_a_killed_writer_leaves_the_old_state_or_the_whole_new_one(folder, undisturbed, when):
    before = table(folder)
    child = subprocess.run([sys.executable, "-c", KILLED, str(folder), when], cwd=ROOT, check=False)
    assert child.returncode == -signal.SIGKILL
    published = when == "committed"
    assert (table(folder) == before) is not published
    assert count(folder) == 1 + published
    # A rerun sweeps, takes over what was finished, does the rest, and ends where an undisturbed run ends.
    with writer(folder) as lake:
        lake.sweep()
        waiting = staged(folder)
        assert bool(waiting) is (when in ("staged", "registered"))
        assert bool(lake.publish(waiting).items) is (when in ("staged", "registered"))
        if not lake.known([sha(2)]):
            lake.publish([stage(folder, 2)])
        assert lake.sweep() == 0
    for name in ("natural_person", "employer_declaration"):
        assert table(folder, name) == table(undisturbed, name)
    assert len(parquet_files(folder)) == 2 * len(rows(1))


def test_a_lake_whose_making_was_cut_off_is_made(tmp_path):
    for rest in ("catalog.sqlite.new", "catalog.sqlite.new-wal"):
        (tmp_path / rest).write_text("cut off")
    with pytest.raises(LakeProblem, match="there is no lake"):
        Lake.open(tmp_path)
    with Lake.open(tmp_path, write=True, create=True) as lake:
        lake.publish([stage(tmp_path, 1)])
    assert count(tmp_path) == 1
    assert list(tmp_path.glob("catalog.sqlite.new*")) == []


def test_a_second_writer_is_told(folder):
    with writer(folder), pytest.raises(LakeProblem, match="is in use") as told:
        writer(folder)
    assert told.value.exit_code == 13
    assert "DMFA_LAKE_WAIT" in told.value.todo
    with writer(folder) as lake:
        assert lake.known([sha(1)]) == {sha(1)}


def test_how_long_a_second_writer_waits_is_a_setting(folder, monkeypatch):
    monkeypatch.setenv("DMFA_LAKE_WAIT", "0")
    with writer(folder), pytest.raises(LakeProblem, match="is in use"):
        Lake.open(folder, write=True)
    monkeypatch.setenv("DMFA_LAKE_WAIT", "soon")
    with pytest.raises(WrongUsage, match="not a number of seconds"):
        Lake.open(folder, write=True)


def test_an_error_while_opening_lets_the_writers_place_go(folder, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr("dmfa.lake.catalog.FORMAT", 0)
        with pytest.raises(LakeProblem):
            writer(folder)
    with writer(folder):
        pass


def test_readers_see_the_old_state_until_the_new_one_is_whole(folder):
    before = table(folder)
    with Lake.open(folder) as reader, writer(folder) as lake:
        with lake.transaction() as publication:
            publication.add([stage(folder, 2)])
            assert reader.known([sha(1), sha(2)]) == {sha(1)}
            assert table(folder) == before
            with run_query(folder, "SELECT count(*) FROM natural_person") as answer:
                assert answer.table().column(0)[0].as_py() == 3
        assert reader.known([sha(1), sha(2)]) == {sha(1), sha(2)}
        assert reader.snapshot_id() == lake.snapshot_id()
    assert len(table(folder)) == 6


def test_a_lake_of_a_newer_program(folder):
    with writer(folder) as lake:
        lake.arrow(f"UPDATE lake.received.meta SET value = '{FORMAT + 1}' WHERE key = 'format'")
    told_so = f"has format {FORMAT + 1}; this program knows formats up to {FORMAT}"
    for open_it in (lambda: Lake.open(folder), lambda: writer(folder), lambda: run_query(folder, "SELECT 1")):
        with pytest.raises(LakeProblem, match=told_so) as told:
            open_it()
        assert "newer version" in told.value.todo


def spoilt(kind):
    def text(catalog):
        catalog.write_text("this is no database\n" * 400)

    def half(catalog):
        catalog.write_bytes(catalog.read_bytes()[: catalog.stat().st_size // 2])

    def zeros(catalog):
        catalog.write_bytes(b"\0" * 8192)

    def empty(catalog):
        catalog.write_bytes(b"")

    def other(catalog):
        catalog.unlink()
        with sqlite3.connect(catalog) as database:
            database.execute("CREATE TABLE t (a)")
        database.close()

    def without_a_table(catalog):
        with sqlite3.connect(catalog) as database:
            database.execute("DROP TABLE ducklake_column")
        database.close()

    return locals()[kind]


@pytest.mark.parametrize("kind", ["text", "half", "zeros", "empty", "other", "without_a_table"])
def test_a_damaged_catalog_is_told_and_not_touched(folder, kind):
    catalog = folder / "catalog.sqlite"
    for rest in folder.glob("catalog.sqlite-*"):
        rest.unlink()
    spoilt(kind)(catalog)
    before, files = catalog.read_bytes(), parquet_files(folder)
    for open_it in (Lake.open, writer):
        with pytest.raises(LakeProblem, match="the lake") as told:
            open_it(folder)
        assert told.value.exit_code == 13
        assert "backup" in told.value.todo
    assert catalog.read_bytes() == before
    assert parquet_files(folder) == files


def test_a_parquet_file_that_is_gone(folder):
    for path in (folder / "data" / "history" / "natural_person").rglob("*.parquet"):
        path.unlink()
    with Lake.open(folder) as lake, pytest.raises(LakeProblem, match="reading the lake"):
        lake.frames("authentic", ["natural_person"])
    with pytest.raises(LakeProblem, match="reading the lake"), run_query(folder, "FROM natural_person") as answer:
        answer.table()


def test_a_staged_file_that_is_gone_publishes_nothing(folder):
    manifest = stage(folder, 2)
    (folder / "data" / manifest.files[-1].path).unlink()
    with writer(folder) as lake:
        before = lake.snapshot_id()
        with pytest.raises(LakeProblem, match="is not there"):
            lake.publish([manifest])
        assert lake.snapshot_id() == before
        assert lake.known([sha(2)]) == set()
        assert len(lake.publish([stage(folder, 2)]).items) == 1


@pytest.mark.parametrize("write", [False, True])
def test_no_lake_there(tmp_path, write):
    with pytest.raises(LakeProblem, match="there is no lake at") as told:
        Lake.open(tmp_path / "none", write=write)
    assert "dmfa ingest" in told.value.todo
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written():
    # Nobody, not even root, can make a folder there.
    with pytest.raises(LakeProblem, match="opening the lake /proc/lake failed"):
        Lake.open("/proc/lake", write=True, create=True)


def test_a_file_where_the_lake_should_be(tmp_path):
    (tmp_path / "lake").write_text("x")
    with pytest.raises(LakeProblem, match="opening the lake"):
        Lake.open(tmp_path / "lake", write=True, create=True)
    with pytest.raises(LakeProblem, match="there is no lake"):
        Lake.open(tmp_path / "lake")


@pytest.mark.parametrize("name", ["", "a[1]", "a*", "postgres:dbname=lake", "s3://bucket/lake"])
def test_a_name_that_is_no_folder_for_a_lake(name):
    with pytest.raises(WrongUsage):
        Lake.open(name)


def test_an_extension_that_cannot_be_loaded(folder, monkeypatch):
    monkeypatch.setattr("dmfa.lake.catalog._packaged", lambda extension: folder / "catalog.sqlite")
    with pytest.raises(LakeProblem, match="loading DuckDB's extensions"):
        Lake.open(folder)


def test_a_column_that_stands_with_another_type(folder):
    other = TableSpec(BASIS.schema, BASIS.name, pa.schema([("code", pa.int64())]))
    with pytest.raises(LakeProblem, match=r"computed\.basis\.code is VARCHAR in the lake, BIGINT here"):
        Lake.open(folder, write=True, extra_tables=[other])
    with writer(folder):
        pass


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("IO Error: Could not write file: No space left on device", "is full"),
        ("Failed to execute query: database or disk is full", "is full"),
        ("Failed to commit: database is locked", "is in use"),
        ("Failed to probe DuckLake metadata: unable to open database file", "cannot be opened"),
        ("Failed to probe DuckLake metadata: attempt to write a readonly database", "cannot be opened for writing"),
        ("Conversion Error: 77101500172", "publishing to the lake"),
    ],
)
def test_what_the_engine_says_is_told_in_plain_words(tmp_path, said, told):
    with pytest.raises(LakeProblem, match=told) as problem, engine(tmp_path, "publishing to"):
        raise duckdb.Error(said)
    assert "77101500172" not in str(problem.value)
    assert problem.value.__suppress_context__


def test_a_disk_that_fills_up_while_staging_loses_nothing(folder, monkeypatch):
    def full(number):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(LakeProblem, match="is full"):
            stage(folder, 2)
    assert staged(folder) == []
    assert count(folder) == 1
    with writer(folder) as lake:
        assert lake.sweep() == 0
        assert len(lake.publish([stage(folder, 2)]).items) == 1


def test_a_disk_that_fills_up_while_keeping_what_was_received(folder, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("dmfa.lake.files._write", full)
        with pytest.raises(LakeProblem, match="is full"):
            keep_bytes(folder, sha(1), b"x")
    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(LakeProblem, match="is full"):
        stage(folder, 2)
    assert list((folder / "staging").iterdir()) == []
    assert list((folder / "received").iterdir()) == []
