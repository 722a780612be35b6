"""From one format of the lake to the next, one step for each format that ever was."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from duckdb import DuckDBPyConnection

from dmfa.errors import LakeProblem
from dmfa.lake.location import Location

Step: TypeAlias = Callable[[DuckDBPyConnection], None]

STEPS: Mapping[int, Step] = {}
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
