"""The authentic rows that extracts are made of, taken out of the lake once for all of a run.

Reading a shard of declarations straight from the lake costs a scan of the whole quarter, for each shard and each
recipient. So every table is read once and put into files by shard, which the processes that write deliveries read.

    OUT/extracts/.rows/<table>/shard=0/*.parquet        removed at the end, or by the next run if this one is killed
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, cast

import polars as pl
import pyarrow as pa

from dmfa.address import Place, source
from dmfa.errors import LakeFull
from dmfa.extracts.placing import alone, border, cleared, listed
from dmfa.extracts.shape import person_tables
from dmfa.quarter import Quarter

Wanted = Mapping[str, Sequence[str]]
"""Tables of the lake, to their columns."""

ID_BITS = 63
"""Bits of a declaration_id, a digest: declarations fall evenly into shards by its first bits."""

FOLDER = ".rows"
_PRIVATE = 0o700
_PERSONS = "SELECT count(*) FROM lake.authentic.natural_person WHERE quarter = ?"


class ReadableLake(Protocol):
    """What an open lake offers to a delivery."""

    def arrow(self, sql: str, values: Sequence[object] | None = None) -> pa.Table:
        """The result of a query."""


@dataclass(frozen=True)
class Rows:
    """Rows of a quarter in shards, on disk; it travels to worker processes as it is.

    Attributes:
        folder: where they lie.
        shards: numbers of the shards that have any, in the order of their declarations.
        persons: persons in all of them.
        empty: each table without a row, for a shard that has none of it.
    """

    folder: Place
    shards: tuple[int, ...]
    persons: int
    empty: Mapping[str, pl.DataFrame] = field(repr=False)

    def frames(self, shard: int, wanted: Wanted) -> dict[str, pl.DataFrame]:
        """Some columns of some tables of one shard; rows in any order."""
        frames = {}
        for table, columns in wanted.items():
            files = [cast("Path", source(file)) for file in listed(self.folder / table / f"shard={shard}")]
            frames[table] = (
                pl.read_parquet(files, columns=list(columns), hive_partitioning=False).select(columns)
                if files
                else self.empty[table].select(columns)
            )
        return frames


@contextmanager
def taken(
    lake: ReadableLake, quarter: Quarter, wanted: Wanted, place: Place, *, limit: int, xsd: Path | None = None
) -> Iterator[Rows]:
    """Take rows out of a lake for as long as the block lasts.

    Args:
        lake: the lake; only its authentic tables are read, which hold accepted declarations alone.
        quarter: the quarter.
        wanted: all tables and columns that will be asked for.
        place: folder of the deliveries, on whose disk there must be room.
        limit: persons in a shard, roughly: a declaration is never cut.
        xsd: folder with further releases.

    Raises:
        LakeBusy: another run does the same in that place.
        LakeProblem: the lake cannot be read, or the disk is full.
    """
    folder = place / FOLDER
    with border(folder), alone(place / FOLDER.removeprefix(".")):
        cleared(folder)
        folder.mkdir(mode=_PRIVATE)
        try:
            persons = lake.arrow(_PERSONS, [quarter.code]).column(0)[0].as_py()
            shift = ID_BITS - (persons // limit).bit_length()
            for table, columns in wanted.items():
                _take(lake, quarter, table, columns, shift=shift, folder=folder)
            numbers = {int(shard.name.partition("=")[2]) for table in wanted for shard in listed(folder / table)}
            empty = {
                table.name: table.arrow_schema.empty_table() for table in person_tables(xsd) if table.name in wanted
            }
            frames = {table: pl.DataFrame(rows).select(wanted[table]) for table, rows in empty.items()}
            yield Rows(folder, tuple(sorted(numbers)), persons, frames)
        finally:
            cleared(folder)


def union(wanted: Iterable[Wanted]) -> dict[str, tuple[str, ...]]:
    """Tables and columns of several wishes."""
    found: dict[str, tuple[str, ...]] = {}
    for one in wanted:
        for table, columns in one.items():
            found[table] = tuple(dict.fromkeys((*found.get(table, ()), *columns)))
    return found


def _take(
    lake: ReadableLake, quarter: Quarter, table: str, columns: Sequence[str], *, shift: int, folder: Place
) -> None:
    names = ", ".join(f'"{column}"' for column in columns)
    into = str(folder / table).replace("'", "''")
    sql = (
        f'COPY (SELECT {names}, declaration_id >> {shift} AS shard FROM lake.authentic."{table}" WHERE quarter = ?)'  # noqa: S608
        f" TO '{into}' (FORMAT parquet, PARTITION_BY (shard), COMPRESSION lz4)"
    )
    try:
        lake.arrow(sql, [quarter.code])
    except LakeFull:
        # The lake is only read here: it is this folder that has no room.
        raise LakeFull(
            f"the deliveries in {folder.parent} could not be written: no space left on device.",
            "What stood there before still does. Free some space, then run again.",
        ) from None
