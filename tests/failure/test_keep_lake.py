"""A lake over the years: an older format, damaged or amended work, maintenance."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from dmfa.errors import LakeProblem
from dmfa.lake import REPLACED, ItemWriter, Lake, Maintained, staged, staged_rows
from dmfa.lake.catalog import FORMAT
from tests.unit.lake.material import QUARTER, count, parquet_files, rows, specs, stage, writer


def older(folder):
    """A made-up lake of format 0: the ledger's state has another name there."""
    with writer(folder) as lake:
        lake.arrow("ALTER TABLE lake.received.filing RENAME COLUMN state TO verdict")
        lake.arrow("UPDATE lake.received.meta SET value = '0' WHERE key = 'format'")


def first_step(connection):
    connection.execute("ALTER TABLE lake.received.filing RENAME COLUMN verdict TO state")


def second_step(connection):
    connection.execute("UPDATE lake.received.filing SET reason = 'second step' WHERE state = 'accepted'")


def test_a_lake_of_an_older_format_is_brought_to_todays_by_its_writer(folder, monkeypatch):
    older(folder)
    with Lake.open(folder, as_of=datetime.now(UTC)) as lake:
        assert "verdict" in lake.frames("received", ["filing"])["filing"].columns  # an older state, as it was then
    with pytest.raises(LakeProblem, match=f"has format 0; this program reads format {FORMAT}") as told:
        Lake.open(folder)
    assert "dmfa maintain" in told.value.todo
    monkeypatch.setattr("dmfa.lake.catalog.FORMAT", 2)
    monkeypatch.setattr("dmfa.lake.upgrade.STEPS", {0: first_step, 1: second_step})
    with writer(folder) as lake:
        assert lake.arrow("SELECT state, reason FROM lake.received.filing").to_pylist() == [
            {"state": "accepted", "reason": "second step"}
        ]
        lake.publish([stage(folder, 2)])
    with Lake.open(folder) as lake:
        assert lake.arrow("SELECT value FROM lake.received.meta WHERE key = 'format'").column(0)[0].as_py() == "2"
    assert count(folder) == 2


def test_a_step_that_fails_leaves_the_lake_in_its_format(folder, monkeypatch):
    older(folder)
    monkeypatch.setattr("dmfa.lake.catalog.FORMAT", 2)
    monkeypatch.setattr("dmfa.lake.upgrade.STEPS", {0: first_step})
    with pytest.raises(LakeProblem, match="has format 0, which this program cannot bring to format 2"):
        writer(folder)
    monkeypatch.setattr("dmfa.lake.upgrade.STEPS", {0: first_step, 1: lambda connection: connection.execute("NO SQL")})
    with pytest.raises(LakeProblem, match="upgrading the lake"):
        writer(folder)
    with Lake.open(folder, as_of=datetime.now(UTC)) as lake:
        assert "verdict" in lake.frames("received", ["filing"])["filing"].columns


def of_format_1(folder):
    """The lake as it would have been made before there were corrections."""
    with writer(folder) as lake, lake.transaction() as publication:
        execute = publication._connection.execute
        execute("DROP TABLE lake.history.replaced")
        for (table,) in execute("SELECT table_name FROM duckdb_tables() WHERE schema_name = 'history'").fetchall():
            execute(f"ALTER TABLE lake.history.{table} DROP COLUMN known_from")
            execute(f"CREATE OR REPLACE VIEW lake.authentic.{table} AS SELECT * FROM lake.history.{table}")
        execute("DROP TABLE lake.received.correction")
        execute("UPDATE lake.received.meta SET value = '1' WHERE key = 'format'")


def test_a_lake_from_before_there_were_corrections(folder):
    of_format_1(folder)
    with writer(folder) as lake:
        persons = lake.arrow("SELECT inss, known_from FROM lake.authentic.natural_person ORDER BY 1").to_pylist()
        received = lake.arrow("SELECT received_at FROM lake.received.filing").column(0)[0].as_py()
        assert [row["known_from"] for row in persons] == [received] * 3
        # What comes from now on has its columns in another order than the lake's own, and is in force until replaced.
        lake.publish([stage(folder, 2)])
        ended = {"quarter": QUARTER, "declaration_id": 20, "unit": "natural_person", "ordinal": 1, "version": 1}
        with lake.transaction() as publication:
            publication.append_parts(REPLACED, [pl.DataFrame([ended])])
        left = lake.arrow("SELECT natural_person_ordinal FROM lake.authentic.natural_person WHERE declaration_id = 20")
        assert sorted(left.column(0).to_pylist()) == [0, 2]
        assert lake.arrow("SELECT count(*) FROM lake.received.correction").column(0).to_pylist() == [0]


def test_finished_work_that_is_damaged_is_told(folder):
    manifest = stage(folder, 2)
    assert staged_rows(folder, manifest, "received.filing", ["name"]).to_dicts() == [{"name": "2.xml"}]
    assert staged_rows(folder, manifest, "received.anomaly") is None
    path = folder / "data" / manifest.of("received.filing")[0].path
    path.write_bytes(b"x" * path.stat().st_size)
    with pytest.raises(LakeProblem, match=r"is damaged: a file of received\.filing cannot be read"):
        staged_rows(folder, manifest, "received.filing")


def test_an_item_in_another_form_takes_the_place_of_the_one_that_was_staged(folder):
    manifest = stage(folder, 2)
    with ItemWriter(folder, manifest.item_id, specs()) as work:
        work.append("history.natural_person", rows(2, persons=1)["history.natural_person"])
        written = work.close(())
    kept = [file for file in manifest.files if file.key != "history.natural_person"]
    with writer(folder) as lake:
        with lake.transaction() as publication:
            publication.add([replace(manifest, files=(*kept, *written.files))], in_place_of=[manifest])
            assert staged(folder) == [manifest]
        assert staged(folder) == []
        assert lake.sweep() == 0
    assert count(folder, "history.natural_person") == 3 + 1
    assert len(parquet_files(folder)) == 2 * len(rows(1))


def test_maintenance_merges_and_forgets(folder):
    with writer(folder) as lake:
        for number in (2, 3):
            lake.publish([stage(folder, number)])
        values = rows(1)["history.natural_person"].with_columns(inss=None)
        spec = next(spec for spec in specs() if spec.key == "history.natural_person")
        lake.replace(spec, values, declaration_ids=[10])
        before = lake.frames("history", ["natural_person"])["natural_person"]
        done = lake.maintain(grace=timedelta())
        assert (done.before, done.states, done.received) == (10, 0, 0)
        assert done.after < done.before
        # Every state can still be asked for, so the files of the deleted rows stay.
        assert lake.as_of(datetime.now(UTC)).frames("history", ["natural_person"])["natural_person"].height == 9
        done = lake.maintain(states_before=datetime.now(UTC), grace=timedelta())
        assert done.states > 3
        assert done.removed > 0
        after = lake.frames("history", ["natural_person"])["natural_person"]
        assert_frame_equal(after, before, check_row_order=False)
        assert lake.maintain(grace=timedelta()) == Maintained(done.after, done.after, 0, 0, 0)
    assert len(parquet_files(folder)) < done.after
    with pytest.raises(LakeProblem, match="open for reading only"), Lake.open(folder) as reader:
        reader.maintain()
