"""Rows by their keys straight from the Parquet files of a table, for tables to which rows are only added.

Polars looks at the key of a row first and decodes the rest only where a row is wanted: about four times as fast as a
join in DuckDB, which decodes every column of every row. Which files a table has is DuckLake's to say.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TypeAlias

import polars as pl
from duckdb import DuckDBPyConnection

from dmfa.errors import LakeProblem
from dmfa.lake.border import disk, engine
from dmfa.lake.location import CATALOG, Location

Added: TypeAlias = Mapping[tuple[str, str], Sequence[str]]
"""Paths of files by schema and table."""

_TYPES: Final[Mapping[str, pl.DataType]] = {
    "BIGINT": pl.Int64(),
    "INTEGER": pl.Int32(),
    "SMALLINT": pl.Int16(),
    "TINYINT": pl.Int8(),
    "BOOLEAN": pl.Boolean(),
    "VARCHAR": pl.String(),
    "DATE": pl.Date(),
    "TIMESTAMP": pl.Datetime("us"),
}
"""Type of a column as DuckDB names it -> as Polars does."""

GROWING: Final = frozenset({"history"})
"""Schemas from whose tables no run deletes anything; only a new format of the lake may have changed rows of theirs."""

_FILES: Final = """
SELECT t.table_name, s.path || t.path || f.path,
    EXISTS (
        FROM __ducklake_metadata_lake.ducklake_delete_file d
        WHERE d.data_file_id = f.data_file_id AND d.begin_snapshot <= n.id
            AND (d.end_snapshot IS NULL OR d.end_snapshot > n.id)
    )
FROM __ducklake_metadata_lake.ducklake_data_file f
JOIN __ducklake_metadata_lake.ducklake_table t USING (table_id)
JOIN __ducklake_metadata_lake.ducklake_schema s USING (schema_id)
CROSS JOIN ducklake_current_snapshot('lake') n
WHERE s.schema_name = ? AND f.begin_snapshot <= n.id AND (f.end_snapshot IS NULL OR f.end_snapshot > n.id)
    AND t.begin_snapshot <= n.id AND (t.end_snapshot IS NULL OR t.end_snapshot > n.id)
"""
"""The files of all tables of a schema, in the state that is read, and whether rows of theirs were deleted since; asked
table by table they take five times as long."""

_QUARTER: Final = "quarter"
_MIXED: Final = (1, 2_654_435_761, 40_503, 97, 31)
"""Numbers by which the columns of a key are told apart in a sum."""


class Scanner:
    """The files of the tables of a schema, as one state of the lake has them.

    Args:
        connection: with the lake attached.
        location: the lake.
        schema: e.g. `history`.
        added: files by schema and table that the running transaction has added: DuckLake tells them after it only.

    Attributes:
        tables: the columns of every table, in order, with their types.

    Raises:
        LakeProblem: the lake cannot be read.
    """

    def __init__(self, connection: DuckDBPyConnection, location: Location, schema: str, added: Added) -> None:
        self._connection, self._location, self._schema, self._added = connection, location, schema, added
        with engine(location, "reading"):
            rows = connection.execute(
                "SELECT table_name, column_name, data_type FROM duckdb_columns()"
                " WHERE database_name = ? AND schema_name = ? ORDER BY table_name, column_index",
                [CATALOG, schema],
            ).fetchall()
            self._readable = isinstance(location.folder, Path) and schema in GROWING
            files = connection.execute(_FILES, [schema]).fetchall() if self._readable else []
        self.tables: dict[str, dict[str, str]] = {}
        for table, column, kind in rows:
            self.tables.setdefault(table, {})[column] = kind
        self._files: dict[str, list[str]] = {}
        for table, path, _ in files:
            self._files.setdefault(table, []).append(str(location.data / path))
        self._changed = {table for table, _, deleted in files if deleted}

    def scan(self, table: str, quarters: Collection[int] | None = None) -> pl.LazyFrame | None:
        """The rows of a table, to be chosen from; None if only DuckDB can tell them.

        That is so in a store, where many small reads cost more than what they spare, and where rows are deleted.

        Args:
            table: its name.
            quarters: only rows of these, e.g. 20263.

        Raises:
            LakeProblem: the lake cannot be read.
        """
        types = {column: _TYPES.get(kind) for column, kind in self.tables.get(table, {}).items()}
        known = {column: kind for column, kind in types.items() if kind is not None}
        if not self._readable or table in self._changed or not known or len(known) < len(types):
            return None
        paths = [*self._files.get(table, ()), *self._added.get((self._schema, table), ())]
        if not paths:
            return pl.LazyFrame(schema=known)
        rows = pl.scan_parquet(
            paths,
            schema=known,
            missing_columns="insert",  # what a later release has added
            extra_columns="ignore",
            hive_partitioning=False,
            glob=False,
        )
        return rows if quarters is None else rows.filter(pl.col(_QUARTER).is_in(list(quarters)))

    def collect(self, rows: Iterable[pl.LazyFrame]) -> list[pl.DataFrame]:
        """What was chosen of the rows of some tables; all are read at the same time.

        Raises:
            LakeProblem: a file is gone, or damaged.
        """
        with self._border():
            return pl.collect_all(rows)

    @contextmanager
    def _border(self) -> Iterator[None]:
        with disk(self._location, "reading"):
            try:
                yield
            except pl.exceptions.PolarsError as trouble:
                # What Polars says may quote a value.
                raise LakeProblem(
                    f"reading the lake {self._location} failed ({type(trouble).__name__}).",
                    "Run `dmfa doctor` to look at the lake.",
                ) from None


def chosen(rows: pl.LazyFrame, keys: pl.DataFrame) -> pl.LazyFrame:
    """The rows whose values in all columns of some keys stand in one of their rows; null is the like of nothing.

    Args:
        rows: rows, of which the columns of the keys are whole numbers.
        keys: the keys.
    """
    asked = keys.drop_nulls().unique()
    for column in keys.columns[1:] if asked.height else ():
        # What is the same in all of them, as their quarter most often, is said once.
        if asked[column].n_unique() == 1:
            rows = rows.filter(pl.col(column) == asked[column][0])
            asked = asked.drop(column)
    if len(asked.columns) == 1:
        return rows.filter(pl.col(asked.columns).is_in(asked.to_series().implode()))
    # One number that most often tells a key, since a row is chosen by what is said of it alone, not by a join.
    places = zip(asked.columns, _MIXED, strict=False)
    told = pl.sum_horizontal(pl.col(column).cast(pl.Int64) * place for column, place in places)
    return rows.filter(told.is_in(asked.select(told).to_series().implode())).join(
        asked.lazy(), on=asked.columns, how="semi"
    )
