"""The authentic rows that extracts are made of, taken out of the lake once for all of a run.

Reading a shard of declarations straight from the lake costs a scan of the whole quarter, for each shard and each
recipient. So every table is read once and put into files by shard, which the processes that write deliveries read.

    OUT/extracts/.rows/<table>/shard=0/*.parquet        removed at the end, or by the next run if this one is killed
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, cast

import polars as pl
import pyarrow as pa

from dmfa.address import Place, source
from dmfa.errors import LakeFull
from dmfa.extracts.authorisations import Inscription
from dmfa.extracts.extract import OF_YEAR
from dmfa.extracts.open_anomalies import COLUMNS, open_anomalies
from dmfa.extracts.persons import PERSON_KEY, PERSON_TABLE, persons_with_a_line
from dmfa.extracts.placing import alone, border, cleared, listed
from dmfa.lake import EXCHANGE
from dmfa.lake.definition import sql_type
from dmfa.quarter import Quarter
from dmfa.schema import lake_tables

Wanted = Mapping[str, Sequence[str]]
"""Tables of the lake, to their columns: `occupation` of schema authentic, `computed.contribution` of another; with
OF_YEAR behind it, its rows of all quarters of the year up to the one asked for."""

ID_BITS = 63
"""Bits of a declaration_id, a digest: declarations fall evenly into shards by its first bits."""

FOLDER = ".rows"
_ANOMALIES = "anomalies"
_PRIVATE = 0o700
_OF_OCCUPATIONS = """
    (SELECT o.declaration_id, o.quarter, o.occupation_ordinal, l.* FROM lake.authentic.occupation o
    JOIN {} l USING (local_unit_id))
"""
"""A table of local units as it is asked for: what it says of each occupation's, by declaration."""

_STANDS = "SELECT 1 FROM duckdb_tables() WHERE database_name = 'lake' AND schema_name = 'exchange' AND table_name = ?"

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
        inscriptions: the lines of the directory that were asked for.
        flagged: whether any anomaly is open in what was asked for.
    """

    folder: Place
    shards: tuple[int, ...]
    persons: int
    empty: Mapping[str, pl.DataFrame] = field(repr=False)
    inscriptions: tuple[Inscription, ...] = ()
    flagged: bool = False

    def frames(self, shard: int, wanted: Wanted) -> dict[str, pl.DataFrame]:
        """Some columns of some tables of one shard; rows in any order."""
        return {table: self._frame(shard, table, table, columns) for table, columns in wanted.items()}

    def with_a_line(self, shard: int, inscription: Inscription) -> pl.DataFrame:
        """The persons of one shard who have a line in the directory: declaration_id, natural_person_ordinal."""
        folder = _with_a_line(self.inscriptions.index(inscription))
        return self._frame(shard, folder, PERSON_TABLE, PERSON_KEY)

    def anomalies(self, shard: int) -> pl.DataFrame | None:
        """The anomalies that are open in one shard, columns of `open_anomalies.COLUMNS`; None if there are none."""
        files = self._files(shard, _ANOMALIES) if self.flagged else []
        return pl.read_parquet(files, columns=list(COLUMNS), hive_partitioning=False) if files else None

    def _files(self, shard: int, folder: str) -> list[Path]:
        return [cast("Path", source(file)) for file in listed(self.folder / folder / f"shard={shard}")]

    def _frame(self, shard: int, folder: str, table: str, columns: Sequence[str]) -> pl.DataFrame:
        files = self._files(shard, folder)
        if not files:
            return self.empty[table].select(columns)
        return pl.read_parquet(files, columns=list(columns), hive_partitioning=False).select(columns)


@contextmanager
def taken(
    lake: ReadableLake,
    quarter: Quarter,
    wanted: Wanted,
    place: Place,
    *,
    limit: int,
    inscriptions: Iterable[Inscription] = (),
    flagged: Collection[str] = (),
    xsd: Path | None = None,
) -> Iterator[Rows]:
    """Take rows out of a lake for as long as the block lasts.

    Args:
        lake: the lake; only its authentic tables are read, which hold accepted declarations alone.
        quarter: the quarter.
        wanted: all tables and columns that will be asked for.
        place: folder of the deliveries, on whose disk there must be room.
        limit: persons in a shard, roughly: a declaration is never cut.
        inscriptions: the lines of the directory that will be asked for.
        flagged: tables of the blocks whose open anomalies will be asked for.
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
                _take(lake, *source_of(lake, table, quarter), columns, shift=shift, folder=folder / table)
            lines = tuple(dict.fromkeys(inscriptions))
            for number, inscription in enumerate(lines):
                persons_of = persons_with_a_line(inscription, quarter)
                _take(lake, *persons_of, PERSON_KEY, shift=shift, folder=folder / _with_a_line(number))
            standing = open_anomalies(lake, quarter, tables=flagged, xsd=xsd) if flagged else None
            if standing is not None:
                _take(lake, *standing, COLUMNS, shift=shift, folder=folder / _ANOMALIES)
            numbers = {int(shard.name.partition("=")[2]) for table in wanted for shard in listed(folder / table)}
            empty = {table: _empty(lake, table, quarter, columns, xsd) for table, columns in wanted.items()}
            yield Rows(folder, tuple(sorted(numbers)), persons, empty, lines, standing is not None)
        finally:
            cleared(folder)


def state_of(lake: ReadableLake, quarter: Quarter, wanted: Wanted) -> dict[str, list[object]]:
    """Number and digest of the rows that are not of the quarter's declarations themselves, by table.

    The state of a quarter's declarations tells all that a delivery made of them follows from; what was computed, and
    other quarters, may change without them.
    """
    found: dict[str, list[object]] = {}
    for table, columns in wanted.items():
        name = table.removesuffix(OF_YEAR)
        if "." in name or (table != name and name == PERSON_TABLE):
            rows, values = source_of(lake, table, quarter)
            asked = [*columns, *(["quarter"] if table != name else [])]
            names = ", ".join(f'"{column}"' for column in dict.fromkeys(asked))
            sql = f"SELECT count(*), CAST(sum(hash({names})::HUGEINT) AS VARCHAR) FROM {rows}"  # noqa: S608
            found[table] = [column[0].as_py() for column in lake.arrow(sql, values).columns]
    return found


def union(wanted: Iterable[Wanted]) -> dict[str, tuple[str, ...]]:
    """Tables and columns of several wishes."""
    found: dict[str, tuple[str, ...]] = {}
    for one in wanted:
        for table, columns in one.items():
            found[table] = tuple(dict.fromkeys((*found.get(table, ()), *columns)))
    return found


def source_of(lake: ReadableLake, table: str, quarter: Quarter) -> tuple[str, list[object]]:
    """What follows FROM in a query for the rows of a table, and its values."""
    name = table.removesuffix(OF_YEAR)
    schema, _, name = name.rpartition(".")
    first = quarter.code - quarter.number + 1 if table.endswith(OF_YEAR) else quarter.code
    rows = f'lake."{schema or "authentic"}"."{name}"'
    if schema == "exchange":
        rows = _OF_OCCUPATIONS.format(_of_exchange(lake, name))
    return f"{rows} WHERE quarter BETWEEN ? AND ?", [first, quarter.code]


def _of_exchange(lake: ReadableLake, table: str) -> str:
    """A table of schema exchange as it follows FROM; a state of before the table was added held nothing of it."""
    if lake.arrow(_STANDS, [table]).num_rows:
        return f'lake.exchange."{table}"'
    (spec,) = (spec for spec in EXCHANGE if spec.name == table)
    columns = ", ".join(f'NULL::{sql_type(field.type)} AS "{field.name}"' for field in spec.arrow)
    return f"(SELECT {columns} WHERE false)"


def _empty(lake: ReadableLake, table: str, quarter: Quarter, columns: Sequence[str], xsd: Path | None) -> pl.DataFrame:
    """A table without a row: those of declarations as the XSDs tell them, any other as the lake does."""
    name = table.removesuffix(OF_YEAR)
    for known in lake_tables(xsd):
        if known.name == name:
            return pl.DataFrame(known.arrow_schema.empty_table()).select(columns)
    rows, values = source_of(lake, table, quarter)
    names = ", ".join(f'"{column}"' for column in columns)
    return pl.DataFrame(lake.arrow(f"SELECT {names} FROM {rows} LIMIT 0", values))  # noqa: S608


def _take(
    lake: ReadableLake, rows: str, values: list[object], columns: Sequence[str], *, shift: int, folder: Place
) -> None:
    """Put columns of some rows, as they follow FROM in a query, into files by shard."""
    names = ", ".join(f'"{column}"' for column in columns)
    into = str(folder).replace("'", "''")
    sql = (
        f"COPY (SELECT {names}, declaration_id >> {shift} AS shard FROM {rows})"  # noqa: S608
        f" TO '{into}' (FORMAT parquet, PARTITION_BY (shard), COMPRESSION lz4)"
    )
    try:
        lake.arrow(sql, values)
    except LakeFull:
        # The lake is only read here: it is this folder that has no room.
        raise LakeFull(
            f"the deliveries in {folder.parent.parent} could not be written: no space left on device.",
            "What stood there before still does. Free some space, then run again.",
        ) from None


def _with_a_line(number: int) -> str:
    """Folder of the persons with a line, by the number of what was asked for."""
    return f"with-a-line-{number}"
