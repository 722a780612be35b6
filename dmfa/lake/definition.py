"""How the tables and views of a lake are made."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pyarrow as pa

from dmfa.lake.location import CATALOG, name, text
from dmfa.lake.spec import CANCELLED, TableSpec
from dmfa.lake.tables import REPLACED

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_SQL_TYPES = {
    pa.int8(): "TINYINT",
    pa.int16(): "SMALLINT",
    pa.int32(): "INTEGER",
    pa.int64(): "BIGINT",
    pa.bool_(): "BOOLEAN",
    pa.date32(): "DATE",
    pa.timestamp("us"): "TIMESTAMP",
    pa.string(): "VARCHAR",
    pa.list_(pa.string()): "VARCHAR[]",
}


def sql_type(type_: pa.DataType) -> str:
    """DuckDB's name of an Arrow type that the lake uses."""
    return _SQL_TYPES[type_]


def create_table(connection: DuckDBPyConnection, spec: TableSpec) -> None:
    """Make a table, and its view of what is in force if it has one."""
    columns = ", ".join(f"{name(field.name)} {sql_type(field.type)}" for field in spec.arrow)
    connection.execute(f"CREATE TABLE {_table(spec)} ({columns})")
    if spec.partitioned:
        connection.execute(f"ALTER TABLE {_table(spec)} SET PARTITIONED BY (quarter)")
    if spec.comment:
        connection.execute(f"COMMENT ON TABLE {_table(spec)} IS {text(spec.comment)}")
    for column in spec.arrow.names:
        _comment(connection, spec, column)
    if spec.in_force:
        create_view(connection, spec.name, spec.arrow.names, spec.comment)


def add_columns(connection: DuckDBPyConnection, spec: TableSpec, standing: Sequence[str]) -> None:
    """Add the columns that a table lacks, and show them in its view.

    Args:
        connection: with the lake attached for writing.
        spec: the table.
        standing: names of the columns that it has.
    """
    added = [field for field in spec.arrow if field.name not in standing]
    for field in added:
        connection.execute(f"ALTER TABLE {_table(spec)} ADD COLUMN {name(field.name)} {sql_type(field.type)}")
        _comment(connection, spec, field.name)
    if added and spec.in_force:
        create_view(connection, spec.name, [*standing, *(field.name for field in added)], spec.comment)


def create_view(connection: DuckDBPyConnection, table: str, columns: Sequence[str], comment: str) -> None:
    """Make the view of the rows of a history table that are in force, or make it anew.

    A row is in force unless it says that its unit is cancelled, or a later row of its unit has replaced it. What is
    replaced is little: the rows of a quarter are read as they lie, past a small hash table.

    Args:
        connection: with the lake attached for writing.
        table: name of the table.
        columns: its columns, ordinals in order.
        comment: what a row of it is.
    """
    from dmfa.schema import unit_of  # only who makes a lake's tables needs it

    unit, own = unit_of(columns)
    same = " AND ".join(f"r.{name(column)} = h.{name(column)}" for column in ("quarter", "declaration_id", "version"))
    view = name(CATALOG, "authentic", table)
    connection.execute(
        f"""
        CREATE OR REPLACE VIEW {view} AS SELECT {", ".join(f"h.{name(column)}" for column in columns)}
        FROM {name(CATALOG, "history", table)} h ANTI JOIN {_table(REPLACED)} r
            ON {same} AND r.unit = {text(unit)} AND r.ordinal = {f"h.{name(own)}" if own else 0}
        WHERE h.status <> {CANCELLED}
        """
    )
    connection.execute(f"COMMENT ON VIEW {view} IS {text(f'In force: {comment}')}")


def _comment(connection: DuckDBPyConnection, spec: TableSpec, column: str) -> None:
    if words := spec.comments.get(column):
        connection.execute(f"COMMENT ON COLUMN {_table(spec)}.{name(column)} IS {text(words)}")


def _table(spec: TableSpec) -> str:
    return name(CATALOG, spec.schema, spec.name)
