"""Sums over shards: what is known only at the end, and what is never told."""

from __future__ import annotations

import polars as pl
import pytest

from dmfa.extracts.extract import Selected
from dmfa.extracts.groups import Gathering
from dmfa.extracts.own import OwnColumn, OwnTable
from dmfa.extracts.shape import Part, Shape

COLUMNS = (OwnColumn("zone", words="Zone"), OwnColumn("pay", words="Pay", unit="cent"))
KEYS = {"attestation": pl.Int64, "version": pl.Int16, "status": pl.Int8, "inss": pl.Int64}

CASES = [
    # attestation, person, zone, pay
    (1, 10, 1, 5),
    (2, 10, 1, 7),
    (3, 11, 1, None),
    (4, 12, 2, 100),
    (4, 12, 2, 100),
    (5, 12, 2, 100),
    (6, 13, None, None),
    (7, 14, None, None),
]


def shape(*columns: OwnColumn) -> Shape:
    own = OwnTable("sums", "Sums", columns, by=("zone",), keyed=False)
    table = own.of_columns(tuple(column.name for column in columns))
    return Shape((Part(table, (), (), table.block.zones, own),), ())


def shards(size: int) -> list[Selected]:
    """The cases in shards of some of them."""
    rows = pl.DataFrame(
        [{"attestation": a, "version": 1, "status": 0, "inss": p, "zone": z, "pay": pay} for a, p, z, pay in CASES],
        schema={**KEYS, "zone": pl.Int64, "pay": pl.Int64},
    )
    parts = [rows.slice(first, size) for first in range(0, rows.height, size)]
    return [Selected(part.select(*KEYS).unique(maintain_order=True), {"sums": part}) for part in parts]


def gathered(of: Shape, size: int) -> tuple[list[Selected], Selected]:
    gathering = Gathering(of)
    assert gathering.rest() is None
    passed = [gathering.passed(shard) for shard in shards(size)]
    rest = gathering.rest()
    assert rest is not None
    return passed, rest


@pytest.mark.parametrize("size", [1, 3, 100])
def test_sums_are_those_of_all_shards_and_what_is_not_known_is_not_nought(size: int) -> None:
    passed, rest = gathered(shape(*COLUMNS), size)
    assert rest.tables["sums"].rows() == [(None, None), (1, 12), (2, 300)]
    assert rest.persons.is_empty()
    assert [one.persons.height for one in passed] == [one.persons.height for one in shards(size)]
    assert all(one.tables["sums"].is_empty() for one in passed)


def test_without_the_column_to_sum_by_no_row_of_one_person_comes_out() -> None:
    passed, rest = gathered(shape(COLUMNS[1]), 2)
    assert rest.tables["sums"].rows() == [(312,)]
    assert all(one.tables["sums"].is_empty() for one in passed)


def test_a_table_without_sums_passes_as_it_is() -> None:
    own = OwnTable("rows", "Rows", COLUMNS[1:])
    table = own.of_columns(("pay",))
    gathering = Gathering(Shape((Part(table, (), (), table.block.zones, own),), ()))
    (selected,) = shards(100)
    assert gathering.passed(selected) is selected
    assert gathering.rest() is None
