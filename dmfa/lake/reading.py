"""Frames out of the lake."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TypeAlias, cast

import polars as pl
import pyarrow as pa
from duckdb import DuckDBPyConnection

from dmfa.errors import WrongUsage
from dmfa.lake.border import engine
from dmfa.lake.location import CATALOG, NUMBERS, Location, listed, name
from dmfa.lake.spec import CANCELLED
from dmfa.lake.tables import REPLACED

Rows: TypeAlias = pa.Table | pl.DataFrame

_PERSON = "natural_person_ordinal"
"""Column with the place of a person in the declaration."""


def arrow(
    connection: DuckDBPyConnection,
    location: Location,
    sql: str,
    values: Sequence[object] | None = None,
    beside: Mapping[str, Rows] | None = None,
) -> pa.Table:
    """The result of a query of our own as an Arrow table.

    Args:
        connection: with the lake attached.
        location: the lake.
        sql: the query.
        values: its parameters; one that is a list of many values is slow.
        beside: rows in memory, by the name under which the query reads them.

    Raises:
        LakeProblem: the lake cannot be read.
    """
    with engine(location, "reading"), visible(connection, beside or {}):
        return connection.execute(sql, values).to_arrow_table()


@contextmanager
def visible(connection: DuckDBPyConnection, rows: Mapping[str, Rows]) -> Iterator[None]:
    """Rows in memory, for SQL to read under a name while this lasts."""
    try:
        for alias, own in rows.items():
            connection.register(alias, own.to_arrow() if isinstance(own, pl.DataFrame) else own)
        yield
    finally:
        for alias in rows:
            connection.unregister(alias)


def frames(
    connection: DuckDBPyConnection,
    location: Location,
    schema: str,
    tables: Iterable[str],
    *,
    quarter: int | tuple[int, int] | None = None,
    declaration_ids: Collection[int] | None = None,
    employer: int | None = None,
    persons: Collection[int] | None = None,
) -> dict[str, pl.DataFrame]:
    """Whole tables, or their rows of a quarter, of some declarations, of an employer.

    Args:
        connection: with the lake attached.
        location: the lake.
        schema: e.g. `authentic`.
        tables: names of tables with a declaration_id, where rows are chosen by declaration or employer.
        quarter: e.g. 20263; or the first and the last of several.
        declaration_ids: only these declarations.
        employer: NSSO registration number; only its declarations in force.
        persons: places of persons in their declarations; a table that says nothing of persons keeps its rows.

    Returns:
        One frame per table, by name; the order of rows is not fixed.

    Raises:
        WrongUsage: the lake has no such table.
        LakeProblem: the lake cannot be read.
    """
    first, last = quarter if isinstance(quarter, tuple) else (quarter, quarter)
    conditions, values = ["true"], list[object]()
    if quarter is not None:
        conditions.append("quarter BETWEEN ? AND ?")
        values += (first, last)
    if declaration_ids is not None:
        conditions.append(f"declaration_id IN {NUMBERS}")
        values.append(listed(sorted(declaration_ids)))
    if employer is not None:
        conditions.append(
            "declaration_id IN"
            " (SELECT declaration_id FROM lake.authentic.employer_declaration WHERE noss_registration_nbr = ?)"
        )
        values.append(employer)
    found = {}
    with engine(location, "reading"):
        wanted = list(tables)
        _must_stand(connection, schema, wanted)
        if schema == "authentic" and _never_corrected(connection, first, last):
            schema = "history"
            conditions.append(f"status <> {CANCELLED}")
        where = " AND ".join(conditions)
        of_persons = _of_persons(connection, schema) if persons is not None else frozenset()
        for table in wanted:
            sql, own = f"SELECT * FROM {name(CATALOG, schema, table)} WHERE {where}", list(values)
            if persons is not None and table in of_persons:
                sql += f" AND {_PERSON} IN {NUMBERS}"
                own.append(listed(sorted(persons)))
            found[table] = cast("pl.DataFrame", pl.from_arrow(connection.execute(sql, own).to_arrow_table()))
    return found


def _never_corrected(connection: DuckDBPyConnection, first: int | None, last: int | None) -> bool:
    """Whether no row of some quarters was ever replaced: then the history itself is in force.

    Each view asks that for itself, row by row, which for twenty small tables takes longer than all the rest.
    """
    if not connection.execute(_HAS_REPLACED, [REPLACED.name]).fetchall():
        return False  # a state of before there were corrections
    rows = connection.execute(
        "SELECT 1 FROM lake.history.replaced WHERE $1 IS NULL OR quarter BETWEEN $1 AND $2 LIMIT 1", [first, last]
    )
    return not rows.fetchall()


_HAS_REPLACED = (
    "SELECT 1 FROM duckdb_tables() WHERE database_name = 'lake' AND schema_name = 'history' AND table_name = ?"
)


def _of_persons(connection: DuckDBPyConnection, schema: str) -> frozenset[str]:
    """The tables whose rows belong to a person of a declaration."""
    rows = connection.execute(
        "SELECT table_name FROM duckdb_columns() WHERE database_name = 'lake' AND schema_name = ? AND column_name = ?",
        [schema, _PERSON],
    ).fetchall()
    return frozenset(table for (table,) in rows)


def _must_stand(connection: DuckDBPyConnection, schema: str, tables: list[str]) -> None:
    rows = connection.execute(
        "SELECT DISTINCT table_name FROM duckdb_columns() WHERE database_name = 'lake' AND schema_name = ?", [schema]
    ).fetchall()
    missing = sorted(set(tables) - {table for (table,) in rows})
    if missing:
        raise WrongUsage(
            f"the lake has no table {', '.join(f'{schema}.{table}' for table in missing)}.",
            "`dmfa sql 'SHOW ALL TABLES'` lists those it has.",
        )
