"""All rows of some persons of some declarations, and of what is of no person: of every version."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, cast

import polars as pl
from duckdb import DuckDBPyConnection

from dmfa.lake.border import engine
from dmfa.lake.histories import PERSON, TOP, Histories
from dmfa.lake.location import CATALOG, Location, name
from dmfa.lake.reading import visible
from dmfa.lake.scanning import Added, Scanner, chosen
from dmfa.lake.tables import REPLACED

_UNITS: Final = "wanted_units"


def histories(
    connection: DuckDBPyConnection,
    location: Location,
    quarter: int,
    units: pl.DataFrame,
    tables: Mapping[str, Sequence[str]] | None = None,
    *,
    added: Added,
) -> Histories:
    """All rows of some units.

    Args:
        connection: with the lake attached.
        location: the lake.
        quarter: the quarter of all declarations, e.g. 20263.
        units: declaration_id and natural_person_ordinal (null for what belongs to no person).
        tables: names of tables, each with the columns wanted beside keys; one that the lake lacks is left out. None
            for all.
        added: files that the running transaction has added.

    Raises:
        LakeProblem: the lake cannot be read.
    """
    wanted = units.select("declaration_id", PERSON).unique()
    of_persons, of_none = wanted.drop_nulls(), wanted.filter(pl.col(PERSON).is_null()).select("declaration_id")
    scanner = Scanner(connection, location, "history", added)
    found, straight = {}, {}
    with engine(location, "reading"), visible(connection, {_UNITS: wanted}):
        for table in (scanner.tables.keys() - {REPLACED.name}) & (scanner.tables if tables is None else tables).keys():
            standing = list(scanner.tables[table])
            keys = wanted.select("declaration_id").unique() if table == TOP else of_none
            keys = of_persons if PERSON in standing else keys
            if keys.is_empty():
                continue
            kept = _kept(standing, None if tables is None else tables[table])
            rows = scanner.scan(table, [quarter])
            if rows is not None:
                straight[table] = chosen(rows, keys).select(kept)
            else:
                own = connection.execute(_query(table, standing, kept), [quarter]).to_arrow_table()
                found[table] = cast("pl.DataFrame", pl.from_arrow(own))
        found |= zip(straight, scanner.collect(straight.values()), strict=True)
        ended = connection.execute(
            f"""
            SELECT r.declaration_id, r.unit, r.ordinal, r.version, r.ended_by FROM lake.history.{REPLACED.name} r
            WHERE r.quarter = ? AND r.declaration_id IN (SELECT declaration_id FROM {_UNITS})
            """,
            [quarter],
        ).to_arrow_table()
    return Histories(found, cast("pl.DataFrame", pl.from_arrow(ended)))


def _kept(standing: Sequence[str], columns: Sequence[str] | None) -> list[str]:
    """Of the columns of a table those wanted, and its keys."""
    keys = ("declaration_id", "version", "status")
    return [
        column
        for column in standing
        if columns is None or column in columns or column in keys or column.endswith("_ordinal")
    ]


def _query(table: str, standing: Sequence[str], kept: Sequence[str]) -> str:
    """The rows of one table, told by DuckDB."""
    if PERSON in standing:
        same = f"w.declaration_id = h.declaration_id AND w.{PERSON} = h.{PERSON}"
    else:
        same = "w.declaration_id = h.declaration_id" + ("" if table == TOP else f" AND w.{PERSON} IS NULL")
    return f"""
        SELECT {", ".join(f"h.{name(column)}" for column in kept)}
        FROM {name(CATALOG, "history", table)} h SEMI JOIN {_UNITS} w ON {same}
        WHERE h.quarter = ?
        """
