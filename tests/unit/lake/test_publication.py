from datetime import UTC, datetime

import polars as pl
import pyarrow as pa
import pytest
from polars.testing import assert_frame_equal

from dmfa.errors import LakeProblem, WrongUsage
from dmfa.lake import EXCHANGE, ItemWriter, Lake, staged
from tests.unit.lake.material import (
    BASIS,
    QUARTER,
    RATE,
    count,
    new_lake,
    parquet_files,
    rows,
    sha,
    specs,
    stage,
    writer,
)

LOG = next(spec for spec in EXCHANGE if spec.name == "log")
AUTHORISATION = next(spec for spec in EXCHANGE if spec.name == "authorisation")


@pytest.fixture
def folder(tmp_path):
    return new_lake(tmp_path)


def basis(*amounts, quarter=QUARTER, declaration=1):
    return pl.DataFrame(
        {
            "declaration_id": declaration,
            "quarter": quarter,
            "code": "010",
            "basis_cents": pl.Series(amounts, dtype=pl.Int64),
        }
    )


def amounts(lake, **chosen):
    return sorted(lake.frames("computed", ["basis"], **chosen)["basis"]["basis_cents"].to_list())


def test_what_was_written_is_read_back_equal(folder):
    with writer(folder) as lake:
        done = lake.publish([stage(folder, 1, 2), stage(folder, 3)])
    assert len(done.items) == 2
    assert done.left_out == ()
    with Lake.open(folder) as lake:
        for key in rows(1):
            schema, _, table = key.partition(".")
            found = lake.frames(schema, [table])[table]
            given = pl.concat([rows(number)[key] for number in (1, 2, 3)], how="vertical_relaxed")
            given = pl.concat([found.clear(), given.cast({c: found.schema[c] for c in given.columns})], how="diagonal")
            assert_frame_equal(found, given, check_row_order=False)
            spec = next(spec for spec in specs() if spec.key == key)
            assert lake.arrow(f"SELECT * FROM lake.{key} LIMIT 0").schema.equals(spec.arrow)


def test_publishing_leaves_no_manifest_and_keeps_the_comments(folder):
    with writer(folder) as lake:
        lake.publish([stage(folder, 1)])
        comment = lake.arrow(
            "SELECT comment FROM duckdb_columns() WHERE schema_name = 'history' AND table_name = 'natural_person'"
            " AND column_name = 'inss'"
        ).column(0)[0]
    assert comment.as_py().startswith("00024")
    assert staged(folder) == []


def test_a_filing_on_the_ledger_is_never_doubled(folder):
    with writer(folder) as lake:
        lake.publish([stage(folder, 1, 2)])
        before, files = lake.snapshot_id(), parquet_files(folder)
        done = lake.publish([stage(folder, 2, 3)])
        assert done.items == ()
        assert len(done.left_out) == 1
        assert lake.snapshot_id() == before
    assert count(folder) == 2
    assert count(folder, "history.natural_person") == 6
    assert parquet_files(folder) == files
    assert staged(folder) == []


def test_two_items_with_the_same_filing_count_once(folder):
    with writer(folder) as lake:
        done = lake.publish([stage(folder, 1, 2), stage(folder, 2)])
    assert (len(done.items), len(done.left_out)) == (1, 1)
    assert count(folder) == 2


def test_a_manifest_left_behind_by_a_killed_run_keeps_its_published_files(folder):
    manifest = stage(folder, 1)
    left_behind = (folder / "staging" / f"{manifest.item_id}.json").read_bytes()
    with writer(folder) as lake:
        lake.publish([manifest])
    (folder / "staging" / f"{manifest.item_id}.json").write_bytes(left_behind)
    with writer(folder) as lake:
        assert lake.publish(staged(folder)).items == ()
    assert staged(folder) == []
    assert count(folder, "history.natural_person") == 3


def test_nothing_new_makes_no_new_state(folder):
    with writer(folder) as lake:
        before = lake.snapshot_id()
        assert lake.publish([]).items == ()
        with lake.transaction():
            pass
        assert lake.snapshot_id() == before


def test_an_item_without_its_ledger_row_is_not_published(folder):
    with ItemWriter(folder, "item", specs()) as work:
        work.append("history.natural_person", rows(1)["history.natural_person"])
        manifest = work.close([sha(1)])
    with writer(folder) as lake:
        with pytest.raises(LakeProblem, match="one ledger row for each"):
            lake.publish([manifest])
        assert lake.snapshot_id() == 1
    assert count(folder, "history.natural_person") == 0


def test_only_the_files_of_the_quarter_are_read(folder):
    with writer(folder) as lake:
        lake.publish(
            [stage(folder, 1, quarter=20262), stage(folder, 2, quarter=20263), stage(folder, 3, quarter=20264)]
        )
        plan = lake.arrow("EXPLAIN ANALYZE SELECT * FROM lake.history.natural_person WHERE quarter = 20263").column(1)[
            0
        ]
    assert "Total Files Read: 1" in plan.as_py()


def test_a_quarter_is_replaced_and_others_stay(folder):
    with writer(folder) as lake:
        assert lake.replace(BASIS, basis(1, 2, 3), quarter=QUARTER)
        assert lake.replace(BASIS, basis(9, quarter=20262), quarter=20262)
        assert lake.replace(BASIS, basis(4, 5), quarter=QUARTER)
        assert amounts(lake) == [4, 5, 9]
        assert lake.replace(BASIS, basis(), quarter=QUARTER)
        assert amounts(lake) == [9]


def test_equal_rows_in_another_order_write_nothing(folder):
    with writer(folder) as lake:
        lake.replace(BASIS, basis(1, 2, 2, None), quarter=QUARTER)
        before, files = lake.snapshot_id(), parquet_files(folder)
        assert not lake.replace(BASIS, basis(2, None, 1, 2), quarter=QUARTER)
        assert (lake.snapshot_id(), parquet_files(folder)) == (before, files)
        assert lake.replace(BASIS, basis(2, None, 1, 1), quarter=QUARTER)
        assert lake.snapshot_id() == before + 1


def test_only_the_given_declarations_are_replaced(folder):
    with writer(folder) as lake:
        lake.replace(BASIS, pl.concat([basis(1, declaration=1), basis(2, declaration=2)]), quarter=QUARTER)
        assert lake.replace(BASIS, basis(7, 8, declaration=2), quarter=QUARTER, declaration_ids=[2])
        assert amounts(lake) == [1, 7, 8]
        assert amounts(lake, declaration_ids=[2]) == [7, 8]
        assert not lake.replace(BASIS, basis(8, 7, declaration=2), quarter=QUARTER, declaration_ids=[2])


def test_only_the_given_units_are_replaced_null_among_them(folder):
    one, two, three = basis(1), basis(2, declaration=2), basis(3, declaration=None)
    units = pl.DataFrame({"declaration_id": [2, None]}, schema={"declaration_id": pl.Int64})
    with writer(folder) as lake:
        lake.replace(BASIS, pl.concat([one, two, three.cast(one.schema)]))
        with lake.transaction() as publication:
            assert publication.replace(BASIS, basis(5, declaration=2), quarter=QUARTER, units=units)
        assert amounts(lake) == [1, 5]
        with lake.transaction() as publication, pytest.raises(ValueError, match="outside"):
            publication.replace(BASIS, basis(6), quarter=QUARTER, units=units)


def test_rows_added_beside_files_hide_none_of_them(folder):
    filing = next(spec for spec in specs() if spec.key == "received.filing")
    query = "SELECT count(*) FROM lake.received.filing WHERE kind < 'E'"
    with writer(folder) as lake:
        lake.publish([stage(folder, 1)])
        before = lake.arrow(query).column(0)[0].as_py()
        with lake.transaction() as publication:
            publication.append(filing, pl.DataFrame({"filing_id": [9], "sha256": ["f" * 64], "kind": ["ZZ"]}))
        assert lake.arrow(query).column(0)[0].as_py() == before == 1


def test_a_table_without_quarters_is_replaced_whole(folder):
    with writer(folder) as lake:
        assert lake.replace(RATE, pa.table({"code": ["1", "2"], "rate_bp": [1, 2]}))
        assert lake.replace(RATE, pa.table({"code": ["2"]}))
        assert lake.frames("reference", ["rate"])["rate"].rows() == [("2", None)]


@pytest.mark.parametrize("chosen", [{"quarter": 20262}, {"declaration_ids": [2]}])
def test_rows_outside_what_they_replace_are_refused(folder, chosen):
    with writer(folder) as lake:
        with pytest.raises(ValueError, match="lie outside"):
            lake.replace(BASIS, basis(1), **chosen)
        assert amounts(lake) == []


def test_staged_files_replace_without_a_copy(folder):
    def staged_basis(item, *values):
        with ItemWriter(folder, item, [BASIS]) as work:
            work.append(BASIS.key, basis(*values))
            return work.close([]).files

    with writer(folder) as lake:
        first = staged_basis("a", 1, 2)
        assert lake.replace(BASIS, first, quarter=QUARTER)
        assert parquet_files(folder) == {file.path for file in first}
        assert not lake.replace(BASIS, staged_basis("b", 2, 1), quarter=QUARTER)
        assert parquet_files(folder) == {file.path for file in first}
        assert lake.replace(BASIS, [], quarter=QUARTER)
        assert amounts(lake) == []
        assert not lake.replace(BASIS, [], quarter=QUARTER)


def test_an_item_without_filings_is_never_published(folder):
    with ItemWriter(folder, "item", [BASIS]) as work:
        work.append(BASIS.key, basis(1, 2))
        manifest = work.close([])
    assert staged(folder) == []
    with writer(folder) as lake:
        lake.replace(BASIS, manifest.files, quarter=QUARTER)
        assert lake.publish([manifest]).left_out == ("item",)
        assert amounts(lake) == [1, 2]


def test_rows_can_be_read_while_a_transaction_runs(folder):
    with writer(folder) as lake:
        with lake.transaction() as publication:
            publication.replace(BASIS, basis(1), quarter=QUARTER)
            assert amounts(lake) == [1]
            publication.replace(BASIS, basis(2), quarter=QUARTER)
        assert amounts(lake) == [2]


def test_several_tables_change_at_once_or_not_at_all(folder):
    with writer(folder) as lake:
        before = lake.snapshot_id()
        with lake.transaction() as publication:
            publication.add([stage(folder, 1)])
            publication.replace(BASIS, basis(1), quarter=QUARTER)
            publication.append(LOG, pl.DataFrame({"id": [1], "quarter": [QUARTER], "inss": [77_000_000_000]}))
            publication.append(LOG, LOG.arrow.empty_table())
        assert lake.snapshot_id() == before + 1
        with pytest.raises(RuntimeError), lake.transaction() as publication:
            publication.add([stage(folder, 2)])
            publication.replace(BASIS, basis(2), quarter=QUARTER)
            raise RuntimeError
        assert lake.snapshot_id() == before + 1
        assert amounts(lake) == [1]
        assert [manifest.inputs for manifest in staged(folder)] == [(sha(2),)]
        assert lake.publish(staged(folder)).left_out == ()
    assert count(folder) == 2
    assert count(folder, "exchange.log") == 1


def test_a_list_of_zones_is_kept_as_a_list(folder):
    zones = [["natural_person.inss", "occupation.joint_commission_nbr"]]
    with writer(folder) as lake:
        lake.replace(AUTHORISATION, pl.DataFrame({"authorisation": ["A1"], "zones": zones, "fictitious": [True]}))
        assert lake.frames("exchange", ["authorisation"])["authorisation"]["zones"].to_list() == zones


def test_what_a_killed_run_left_is_swept(folder):
    with writer(folder) as lake:
        lake.publish([stage(folder, 1)])
        lake.replace(BASIS, basis(1), quarter=QUARTER)
        lake.replace(BASIS, basis(2), quarter=QUARTER)
        waiting, files = stage(folder, 2), parquet_files(folder)
        cut = ItemWriter(folder, "cut", specs())
        cut.append("received.filing", rows(3)["received.filing"])
        (folder / "staging" / "x.json.ab.part").write_bytes(b"{")
        (folder / "received" / "y.part").write_bytes(b"")
        assert lake.sweep() == 3
        assert parquet_files(folder) == files
        assert staged(folder) == [waiting]
        assert lake.sweep() == 0
        assert len(lake.publish(staged(folder)).items) == 1
    cut.abort()


def test_the_lake_as_it_stood(folder):
    with writer(folder) as lake:
        lake.publish([stage(folder, 1)])
        after_first = lake.arrow("SELECT max(snapshot_time) FROM ducklake_snapshots('lake')").column(0)[0].as_py()
        lake.publish([stage(folder, 2)])
        with lake.as_of(after_first) as then:
            assert then.known([sha(1), sha(2)]) == {sha(1)}
            assert then.frames("authentic", ["natural_person"])["natural_person"].height == 3
        with pytest.raises(WrongUsage, match="no state of 2020-01-01"):
            lake.as_of(datetime(2020, 1, 1, tzinfo=UTC))


def test_a_reader_cannot_write(folder):
    with Lake.open(folder) as lake:
        for change in (lambda: lake.publish([]), lambda: lake.replace(RATE, []), lake.sweep):
            with pytest.raises(LakeProblem, match="open for reading only"):
                change()


def test_a_moved_lake_is_the_same_lake(folder, tmp_path):
    with writer(folder) as lake:
        lake.publish([stage(folder, 1)])
    moved = folder.rename(tmp_path / "it's elsewhere")
    with writer(moved) as lake:
        lake.publish([stage(moved, 2)])
    assert count(moved, "history.natural_person") == 6
