"""Rows of the lake by their keys, however many these are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, cast

import polars as pl
from duckdb import DuckDBPyConnection

from dmfa.lake.border import engine
from dmfa.lake.location import CATALOG, Location, name
from dmfa.lake.reading import visible
from dmfa.lake.scanning import Added, Scanner, chosen

_KEYS: Final = "wanted_keys"
_QUARTER: Final = "quarter"


class Keyed:
    """Reads rows of the tables of a schema; made by `Lake.keyed`.

    Args:
        connection: with the lake attached; in a transaction, what that has added is read too.
        location: the lake.
        schema: e.g. `history`: every version of what is asked for, in force or not.
        added: files that the running transaction has added.
    """

    def __init__(self, connection: DuckDBPyConnection, location: Location, schema: str, added: Added) -> None:
        self._connection, self._location, self._schema = connection, location, schema
        self._scanner = Scanner(connection, location, schema, added)

    def rows(self, table: str, columns: Sequence[str] | None, keys: pl.DataFrame) -> pl.DataFrame:
        """Rows of a table.

        Args:
            table: its name.
            columns: those wanted; None for all.
            keys: the rows wanted are those whose values in all its columns stand in one of its rows.

        Raises:
            LakeProblem: the lake cannot be read.
        """
        scanned = self._scanned(table, keys)
        if scanned is not None:
            return self._scanner.collect([scanned if columns is None else scanned.select(columns)])[0]
        wanted = ", ".join(f"h.{name(column)}" for column in columns) if columns else "h.*"
        return self._read(f"SELECT {wanted} FROM {self._of(table, keys)}", keys)

    def highest(self, columns: Mapping[str, str], keys: pl.DataFrame) -> dict[str, pl.DataFrame]:
        """Highest value of a column of some tables by declaration, over rows as above.

        Args:
            columns: table -> the column.
            keys: as above.

        Returns:
            By table, declaration_id and highest.

        Raises:
            LakeProblem: the lake cannot be read.
        """
        scanned = {table: self._scanned(table, keys) for table in columns}
        straight = {
            table: rows.group_by("declaration_id").agg(highest=pl.col(columns[table]).max())
            for table, rows in scanned.items()
            if rows is not None
        }
        found = dict(zip(straight, self._scanner.collect(straight.values()), strict=True))
        for table in columns.keys() - found.keys():
            value = f"max(h.{name(columns[table])}) AS highest"
            sql = f"SELECT h.declaration_id, {value} FROM {self._of(table, keys)} GROUP BY ALL"
            found[table] = self._read(sql, keys)
        return found

    def _scanned(self, table: str, keys: pl.DataFrame) -> pl.LazyFrame | None:
        """The rows that agree with a key, straight from the files where that can be."""
        rows = self._scanner.scan(table)
        return None if rows is None else chosen(rows, keys)

    def _of(self, table: str, keys: pl.DataFrame) -> str:
        """The rows of a table that agree with a key; only files of the keys' quarters are opened."""
        quarters = keys[_QUARTER].unique().sort().to_list() if _QUARTER in keys.columns else None
        # One quarter is said once for all rows: a join on one column less.
        compared = [column for column in keys.columns if column != _QUARTER or len(quarters or ()) > 1]
        same = " AND ".join(f"k.{name(column)} = h.{name(column)}" for column in compared)
        rows = name(CATALOG, self._schema, table) + " h"
        rows += f" SEMI JOIN {_KEYS} k ON {same}" if compared else ""
        if quarters is None:
            return rows
        return f"{rows} WHERE h.quarter IN ({', '.join(map(str, map(int, quarters))) or 'NULL'})"

    def _read(self, sql: str, keys: pl.DataFrame) -> pl.DataFrame:
        with engine(self._location, "reading"), visible(self._connection, {_KEYS: keys}):
            return cast("pl.DataFrame", pl.from_arrow(self._connection.execute(sql).to_arrow_table()))
