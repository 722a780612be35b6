"""Frames out of the lake."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import cast

import polars as pl
import pyarrow as pa
from duckdb import DuckDBPyConnection

from dmfa.errors import WrongUsage
from dmfa.lake.border import engine
from dmfa.lake.location import CATALOG, NUMBERS, Location, listed, name


def arrow(
    connection: DuckDBPyConnection, location: Location, sql: str, values: Sequence[object] | None = None
) -> pa.Table:
    """The result of a query of our own as an Arrow table.

    Raises:
        LakeProblem: the lake cannot be read.
    """
    with engine(location, "reading"):
        return connection.execute(sql, values).to_arrow_table()


def frames(
    connection: DuckDBPyConnection,
    location: Location,
    schema: str,
    tables: Iterable[str],
    *,
    quarter: int | None = None,
    declaration_ids: Collection[int] | None = None,
    employer: int | None = None,
) -> dict[str, pl.DataFrame]:
    """Whole tables, or their rows of a quarter, of some declarations, of an employer.

    Args:
        connection: with the lake attached.
        location: the lake.
        schema: e.g. `authentic`.
        tables: names of tables with a declaration_id, where rows are chosen by declaration or employer.
        quarter: e.g. 20263.
        declaration_ids: only these declarations.
        employer: NSSO registration number; only its declarations in force.

    Returns:
        One frame per table, by name; the order of rows is not fixed.

    Raises:
        WrongUsage: the lake has no such table.
        LakeProblem: the lake cannot be read.
    """
    conditions, values = ["true"], list[object]()
    if quarter is not None:
        conditions.append("quarter = ?")
        values.append(quarter)
    if declaration_ids is not None:
        conditions.append(f"declaration_id IN {NUMBERS}")
        values.append(listed(sorted(declaration_ids)))
    if employer is not None:
        conditions.append(
            "declaration_id IN"
            " (SELECT declaration_id FROM lake.authentic.employer_declaration WHERE noss_registration_nbr = ?)"
        )
        values.append(employer)
    where = " AND ".join(conditions)
    found = {}
    with engine(location, "reading"):
        wanted = list(tables)
        _must_stand(connection, schema, wanted)
        for table in wanted:
            sql = f"SELECT * FROM {name(CATALOG, schema, table)} WHERE {where}"
            found[table] = cast("pl.DataFrame", pl.from_arrow(connection.execute(sql, values).to_arrow_table()))
    return found


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
