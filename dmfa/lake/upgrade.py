"""From one format of the lake to the next, one step for each format that ever was."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from duckdb import DuckDBPyConnection

from dmfa.errors import LakeProblem
from dmfa.lake.definition import create_table, create_view
from dmfa.lake.location import CATALOG, Location, name
from dmfa.lake.tables import REPLACED

Step: TypeAlias = Callable[[DuckDBPyConnection], None]


def _tell_since_when(connection: DuckDBPyConnection) -> None:
    """Format 2 has corrections: a row of history says since when it is known, and the views leave out what is replaced.

    All that a lake of format 1 holds came with originals: it is known since their filing was received.
    """
    create_table(connection, REPLACED)
    tables = connection.execute(
        """
        SELECT t.table_name, t.comment, list(c.column_name ORDER BY c.column_index)
        FROM duckdb_tables() t JOIN duckdb_columns() c USING (database_name, schema_name, table_name)
        WHERE database_name = 'lake' AND schema_name = 'history' AND table_name <> ?
        GROUP BY ALL ORDER BY 1
        """,
        [REPLACED.name],
    ).fetchall()
    for table, comment, columns in tables:
        rows = name(CATALOG, "history", table)
        connection.execute(f"ALTER TABLE {rows} ADD COLUMN known_from TIMESTAMP")
        connection.execute(
            f"UPDATE {rows} SET known_from = f.received_at FROM lake.received.filing f"
            f" WHERE f.filing_id = {name(table)}.filing_id"
        )
        create_view(connection, table, [*columns, "known_from"], comment or "")


STEPS: Mapping[int, Step] = {1: _tell_since_when}
"""By format: what brings a lake of it to the next one. A step changes tables of the lake attached as `lake`.

Tables and columns that a format only adds need no step: whoever opens a lake for writing adds what it lacks.
"""


def upgrade(connection: DuckDBPyConnection, location: Location, found: int, wanted: int) -> None:
    """Bring a lake from its format to a newer one; called inside a transaction, so all steps appear at once.

    Args:
        connection: with the lake attached for writing.
        location: the lake.
        found: its format.
        wanted: the newer format.

    Raises:
        LakeProblem: this program has no step from one of the formats between.
    """
    for step in range(found, wanted):
        if step not in STEPS:
            raise LakeProblem(
                f"the lake {location} has format {found}, which this program cannot bring to format {wanted}.",
                "Open it once with an earlier version of dmfa, then with this one.",
            )
        STEPS[step](connection)
    connection.execute("UPDATE lake.received.meta SET value = ? WHERE key = 'format'", [str(wanted)])
