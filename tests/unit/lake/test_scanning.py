"""Rows straight from the files: the same as those that DuckDB tells."""

from contextlib import contextmanager
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq
import pytest

from dmfa.errors import LakeProblem
from dmfa.lake import Lake
from dmfa.lake.location import Location
from dmfa.lake.scanning import Scanner, chosen
from dmfa.lake.writing import ItemWriter
from tests.unit.lake.material import new_lake, specs, stage, writer

KEYS = ["declaration_id", "worker_record_ordinal"]


def services(declaration, *ordinals, quarter=20263):
    row = {"declaration_id": declaration, "quarter": quarter, "filing_id": 1, "version": 1, "status": 0}
    return pl.DataFrame([{**row, "worker_record_ordinal": own, "service_ordinal": own} for own in ordinals])


@contextmanager
def adding(lake, rows):
    """In a transaction of its own, which ends after what is done inside."""
    with ItemWriter(lake.location, "services", specs()) as work:
        work.append("history.service", rows)
        files = work.close(()).files
    with lake.transaction() as publication:
        publication.append_files(files)
        yield


@pytest.fixture
def lake(tmp_path):
    """A declaration of each of two quarters."""
    folder = new_lake(tmp_path / "lake")
    with writer(folder) as lake:
        lake.publish([stage(folder, 1), stage(folder, 3, quarter=20262)])
        with adding(lake, services(10, 0, 1, 2)):
            pass
        with adding(lake, services(30, 0, 1, quarter=20262)):
            pass
        yield lake


def found(lake, keys, quarters=None, added=None):
    scanner = Scanner(lake._connection, lake.location, "history", added or {})
    rows = scanner.scan("service", quarters)
    return sorted(scanner.collect([chosen(rows, keys).select(KEYS)])[0].rows())


def test_the_rows_are_those_of_a_join(lake):
    keys = pl.DataFrame({"declaration_id": [10, 10, 30, 99], "worker_record_ordinal": [2, 0, 1, 0]})
    told = lake.arrow(
        "SELECT declaration_id, worker_record_ordinal FROM lake.history.service SEMI JOIN keys"
        " USING (declaration_id, worker_record_ordinal) ORDER BY ALL",
        None,
        {"keys": keys},
    )
    assert found(lake, keys) == [tuple(row.values()) for row in told.to_pylist()] == [(10, 0), (10, 2), (30, 1)]
    assert found(lake, keys, [20262]) == [(30, 1)]


def test_keys_of_the_same_sum_are_told_apart(lake):
    # 10 and 0 have the sum of the declaration below, whose line would make up for the difference.
    keys = pl.DataFrame({"declaration_id": [10 - 2_654_435_761], "worker_record_ordinal": [1]})
    assert found(lake, keys) == []
    assert found(lake, keys.with_columns(declaration_id=10)) == [(10, 1)]


def test_null_is_the_like_of_nothing(lake):
    keys = pl.DataFrame({"declaration_id": [10, 10], "worker_record_ordinal": [None, 1]})
    assert found(lake, keys) == [(10, 1)]
    assert found(lake, keys.select("declaration_id").clear()) == []


def test_a_transaction_reads_what_it_has_added_and_others_do_not(lake):
    keys = pl.DataFrame({"declaration_id": [50]})
    with adding(lake, services(50, 0)):
        assert lake.keyed("history").rows("service", KEYS, keys).rows() == [(50, 0)]
        with Lake.open(lake.location) as other:
            assert other.keyed("history").rows("service", KEYS, keys).rows() == []
    assert lake.keyed("history").rows("service", KEYS, keys).rows() == [(50, 0)]


def test_a_file_from_before_a_column_was_added_has_it_null(lake, tmp_path):
    scanner = Scanner(lake._connection, lake.location, "history", {})
    (whole,) = scanner.collect([chosen(scanner.scan("service"), pl.DataFrame({"declaration_id": [10]}))])
    old = tmp_path / "old.parquet"
    pq.write_table(whole.drop("status").with_columns(declaration_id=pl.lit(70, pl.Int64)).to_arrow(), old)
    scanner = Scanner(lake._connection, lake.location, "history", {("history", "service"): [str(old)]})
    (rows,) = scanner.collect([chosen(scanner.scan("service"), pl.DataFrame({"declaration_id": [70]}))])
    assert rows["status"].to_list() == [None] * 3
    assert rows.schema == whole.schema


def test_a_state_of_before_has_the_files_of_then(lake):
    before = lake.arrow("SELECT max(snapshot_time) AS at FROM ducklake_snapshots('lake')").column(0)[0].as_py()
    with adding(lake, services(60, 0)):
        pass
    keys = pl.DataFrame({"declaration_id": [10, 60]})
    with Lake.open(lake.location, as_of=before) as then:
        assert found(then, keys) == [(10, 0), (10, 1), (10, 2)]
    assert (60, 0) in found(lake, keys)


def test_only_tables_to_which_rows_are_only_added_are_read_so(lake):
    assert Scanner(lake._connection, lake.location, "received", {}).scan("filing") is None
    assert Scanner(lake._connection, lake.location, "history", {}).scan("nothing") is None


@pytest.mark.parametrize("done", ["DELETE FROM {} WHERE service_ordinal = 1", "UPDATE {} SET known_from = now()"])
def test_what_an_upgrade_took_away_is_not_read(lake, done):
    """Bringing a lake to a newer format may change rows of history: then DuckDB tells which are left."""
    lake._connection.execute(done.format("lake.history.service"))
    keys = pl.DataFrame({"declaration_id": [10, 30]})
    told = lake.arrow(
        "SELECT declaration_id, worker_record_ordinal FROM lake.history.service WHERE declaration_id IN (10, 30)"
    )
    rows = sorted(lake.keyed("history").rows("service", KEYS, keys).rows())
    assert rows == sorted(tuple(row.values()) for row in told.to_pylist())
    assert len(rows) == (3 if "DELETE" in done else 5)
    assert Scanner(lake._connection, lake.location, "history", {}).scan("service") is None or "UPDATE" in done


def test_merged_files_are_read_in_place_of_those_that_they_hold(lake):
    keys = pl.DataFrame({"declaration_id": [10]})
    for ordinal in (3, 4):
        with adding(lake, services(10, ordinal)):
            pass
    lake.maintain()
    assert found(lake, keys) == [(10, own) for own in range(5)]


@pytest.mark.parametrize("harm", ["gone", "damaged"])
def test_a_file_that_cannot_be_read_is_told_without_its_content(lake, harm):
    for path in Path(str(Location.of(lake.location).data)).rglob("service/**/*.parquet"):
        if harm == "gone":
            path.unlink()
        else:
            path.write_bytes(b"PAR1 12345678901 PAR1")
    with pytest.raises(LakeProblem) as told:
        found(lake, pl.DataFrame({"declaration_id": [10]}))
    assert "12345678901" not in str(told.value)
    assert str(lake.location) in str(told.value)


def test_a_column_of_a_kind_that_is_not_known_is_left_to_the_engine(lake):
    scanner = Scanner(lake._connection, lake.location, "history", {})
    scanner.tables["service"]["odd"] = "HUGEINT"
    assert scanner.scan("service") is None
