"""R22: the order of rows under codes tells nothing of the order in which declarations lie."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from dmfa.extracts import EXTRACTS, deliver_all, load, permits
from dmfa.extracts.keys import Key
from dmfa.extracts.ordering import Ordering
from dmfa.extracts.pseudonyms import Pseudonyms
from dmfa.extracts.shape import Shape
from dmfa.lake import Lake
from tests.unit.extracts.institutions import filled, whole_row
from tests.unit.extracts.material import DAY, QUARTER, RUN, register

CODES = Pseudonyms(Key("panel", "1", QUARTER, bytes(range(32))))


def shape_of(folder: Path, *tables: str) -> Shape:
    row = whole_row("labour-market")
    row["answer"] = {name: columns for name, columns in row["answer"].items() if name in tables}
    (permit,) = permits(load(register(folder, row)), DAY)
    return EXTRACTS["labour-market"].shape(permit, coding=CODES)


@pytest.mark.parametrize("several", [True, False])
def test_rows_of_all_shards_come_in_the_order_of_their_codes(tmp_path: Path, several: bool) -> None:
    shape = shape_of(tmp_path, "dmfa")
    (part,) = shape.parts
    empty = pl.DataFrame(part.arrow_schema.empty_table())
    employers = pl.Series("employer", range(1, 2_001), dtype=pl.Int64)
    rows = pl.DataFrame(
        {"employer": CODES("employer", employers), "worker_code": pl.Series(["015"]).new_from_index(0, 2_000)}
    )
    rows = pl.concat([empty, rows, rows.clear(1)], how="diagonal")
    ordering = Ordering(shape, tmp_path / "ordered", several=several)
    for start in range(0, rows.height, 700):
        assert ordering.passed({"dmfa": rows.slice(start, 700)})["dmfa"].is_empty()
    pieces = [tables["dmfa"] for tables in ordering.rest({"dmfa": empty})]
    made = pl.concat(pieces)
    assert made.columns == list(part.columns)
    assert made["employer"].to_list() == [None, *sorted(rows["employer"].drop_nulls())]
    assert made.equals(rows.sort("employer"), null_equal=True)
    if several:
        assert len(pieces) > 100
        assert max(piece.height for piece in pieces) < 100, "a part of it is in memory at a time"


def test_what_has_no_codes_passes(tmp_path: Path) -> None:
    shape = replace(shape_of(tmp_path, "dmfa"), coding=None)
    tables = {"dmfa": pl.DataFrame({"person": ["b", "a"]})}
    ordering = Ordering(shape, tmp_path / "ordered", several=True)
    assert ordering.passed(tables)["dmfa"]["person"].to_list() == ["b", "a"]
    assert list(ordering.rest({})) == []


def test_the_shards_leave_no_trace_under_codes(tmp_path: Path) -> None:
    filled(tmp_path / "lake")
    row = whole_row("labour-market", format=["parquet"])
    row["answer"] = {"dmfa": row["answer"]["dmfa"]}
    allowed = permits(load(register(tmp_path, row)), DAY)
    found = []
    with Lake.open(tmp_path / "lake", write=True) as lake:
        for shard in (8, 50_000):
            done = deliver_all(
                lake, QUARTER, allowed, tmp_path / str(shard), RUN, record=lambda _: None, shard=shard,
                codings={"row-labour-market": CODES},
            )  # fmt: skip
            ((_, delivery),) = done
            folder = Path(str(delivery.folder))
            found.append({path.name: path.read_bytes() for path in folder.glob("*.parquet")})
            assert not list((tmp_path / str(shard) / "extracts").glob(".rows"))
            coded = pl.read_parquet(folder / "dmfa.parquet")["employer"].drop_nulls()
            assert coded.is_sorted()
            assert coded.len() > 5
    assert found[0] == found[1]
