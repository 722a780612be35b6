import polars as pl
import pytest

from dmfa.errors import LakeBusy, LakeFull
from dmfa.extracts.placing import alone
from dmfa.extracts.rows import state_of, taken, union
from dmfa.lake import Lake
from tests.unit.extracts.material import QUARTER, Invention, fill, invented, new_lake

WANTED = {
    "natural_person": ("declaration_id", "natural_person_ordinal", "inss"),
    "remun": ("declaration_id", "remun_ordinal", "remun_amount"),
}


@pytest.fixture
def lake(tmp_path):
    with Lake.open(new_lake(tmp_path)) as opened:
        yield opened


@pytest.fixture
def place(tmp_path):
    made = tmp_path / "it's out"
    made.mkdir()
    return made


@pytest.mark.parametrize(("limit", "shards"), [(1, 3), (5, 2), (100, 1)])
def test_every_row_lies_in_one_shard_and_no_declaration_is_cut(lake, place, limit, shards):
    with taken(lake, QUARTER, WANTED, place, limit=limit) as rows:
        assert rows.persons == 9
        found = [rows.frames(shard, WANTED) for shard in rows.shards]
    assert len(found) == shards
    for name, columns in WANTED.items():
        source = invented()[name].filter(pl.col("quarter") == QUARTER.code).select(columns)
        assert pl.concat([frames[name] for frames in found]).sort(pl.all()).equals(source.sort(pl.all()))
    first = [frames["natural_person"]["declaration_id"].min() for frames in found]
    last = [frames["natural_person"]["declaration_id"].max() for frames in found]
    assert all(before < after for before, after in zip(last[:-1], first[1:], strict=True))


def test_a_shard_without_rows_of_a_table_has_the_table_still(lake, place):
    with taken(lake, QUARTER, {**WANTED, "indemnity_wapm": ("declaration_id",)}, place, limit=1) as rows:
        for shard in range(16):
            frame = rows.frames(shard, WANTED)["remun"]
            assert dict(frame.schema) == {
                "declaration_id": pl.Int64,
                "remun_ordinal": pl.Int32,
                "remun_amount": pl.Int64,
            }


@pytest.mark.parametrize("failure", [None, RuntimeError("x"), KeyboardInterrupt()])
def test_nothing_of_them_is_left(lake, place, failure):
    (place / ".rows" / "remun").mkdir(parents=True)
    (place / ".rows" / "remun" / "of-a-killed-run.parquet").write_bytes(b"x")
    try:
        with taken(lake, QUARTER, WANTED, place, limit=1) as rows:
            assert (place / ".rows").stat().st_mode & 0o077 == 0
            assert not list(rows.folder.rglob("of-a-killed-run.parquet"))
            if failure:
                raise failure
    except (RuntimeError, KeyboardInterrupt) as error:
        assert error is failure
    assert [path.name for path in place.iterdir()] == [".rows.lock"]


def test_two_runs_do_not_take_rows_into_one_place(lake, place):
    with alone(place / "rows"), pytest.raises(LakeBusy), taken(lake, QUARTER, WANTED, place, limit=1):
        pass


def test_a_full_disk_is_told_of_the_place_and_not_of_the_lake(lake, place, monkeypatch):
    arrow = lake.arrow

    def full(sql, values=None):
        if sql.startswith("COPY"):
            raise LakeFull("the disk of the lake is full.")
        return arrow(sql, values)

    monkeypatch.setattr(lake, "arrow", full)
    with pytest.raises(LakeFull) as caught, taken(lake, QUARTER, WANTED, place, limit=1):
        pass
    assert str(place) in caught.value.what
    assert "no space left" in caught.value.what
    assert not (place / ".rows").exists()


def test_several_wishes_together():
    assert union([{"a": ("x", "y")}, {"a": ("z", "x"), "b": ("x",)}]) == {"a": ("x", "y", "z"), "b": ("x",)}
    assert union([]) == {}


def test_rows_of_the_year_are_those_of_its_quarters_up_to_the_one_asked_for(lake, place):
    wanted = {"natural_person": ("declaration_id",), "natural_person@year": ("declaration_id",)}
    with taken(lake, QUARTER, wanted, place, limit=100) as rows:
        frames = [rows.frames(shard, wanted) for shard in rows.shards]
    quarter, year = (pl.concat([one[name] for one in frames])["declaration_id"] for name in wanted)
    assert set(year) - set(quarter) == {6}
    assert set(quarter) == {5, 9 * 10**17, 7 * 10**18}
    with taken(lake, QUARTER.before, wanted, place, limit=100) as rows:
        frames = [rows.frames(shard, wanted) for shard in rows.shards]
    assert {number for one in frames for number in one["natural_person@year"]["declaration_id"]} == {6}


def test_the_state_tells_of_other_quarters_where_they_are_read(tmp_path):
    of_quarter = {"natural_person": ("declaration_id", "version"), "remun": ("declaration_id",)}
    of_year = {f"{name}@year": columns for name, columns in of_quarter.items()}
    found = []
    with Lake.open(new_lake(tmp_path), write=True) as lake:
        for number in (None, 4):
            if number:
                fill(lake, Invention(3).declaration(number, QUARTER.before.before, persons=1).frames())
            found.append(state_of(lake, QUARTER, of_year))
            assert state_of(lake, QUARTER, of_quarter) == {}
    before, after = found
    assert before.keys() == after.keys() == {"natural_person@year"}
    assert [row[0] for row in (before["natural_person@year"], after["natural_person@year"])] == [12, 13]
    assert before != after


def test_a_state_of_before_local_units_were_known_has_none(tmp_path, place):
    """A table that this program adds is not in the states of before: they held nothing of it."""
    folder = new_lake(tmp_path)
    with Lake.open(folder, write=True) as lake:
        lake._connection.execute("DROP TABLE lake.exchange.local_unit")
        (moment,) = lake.arrow("SELECT max(snapshot_time) FROM ducklake_snapshots('lake')").column(0).to_pylist()
    with Lake.open(folder, write=True):
        pass  # which adds the table
    wanted = {**WANTED, "exchange.local_unit": ("declaration_id", "occupation_ordinal", "region", "nace")}
    with Lake.open(folder, as_of=moment) as then, Lake.open(folder) as now:
        assert then.snapshot_id() < now.snapshot_id()
        assert state_of(then, QUARTER, wanted) == state_of(now, QUARTER, wanted)
        found = []
        for lake in (then, now):
            with taken(lake, QUARTER, wanted, place, limit=100) as rows:
                (shard,) = rows.shards
                found.append(rows.frames(shard, wanted))
    assert found[0]["natural_person"].height == 9
    assert dict(found[0]["exchange.local_unit"].schema) == dict(found[1]["exchange.local_unit"].schema)
    assert found[0]["exchange.local_unit"].is_empty()
