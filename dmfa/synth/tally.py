"""A count of what is written into an invented declaration."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True)
class Tally:
    """What was written: rows per table, and sums per table and column of amounts, days and hours."""

    rows: Counter[str] = field(default_factory=Counter)
    sums: Counter[tuple[str, str]] = field(default_factory=Counter)

    def count(self, table: str, rows: int) -> None:
        """Count rows alone."""
        if rows:
            self.rows[table] += rows

    def sum(self, table: str, column: str, values: list[int]) -> None:
        """Add the values of a column, where it has any."""
        if values:
            self.sums[table, column] += sum(values)

    def add(self, table: str, **values: int | None) -> None:
        """Count one row and its sums."""
        self.rows[table] += 1
        for column, value in values.items():
            if value is not None:
                self.sums[table, column] += value
