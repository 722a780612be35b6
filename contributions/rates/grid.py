"""Rows of a small table found by several keys at once: every key is numbered, and one array tells the row."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import polars as pl


class Grid:
    """Where each combination of keys stands in a table.

    Args:
        table: at most one row for each combination.
        keys: its key columns, text or small integers from 0.
        rows: the row that stands for each row of the table.
        otherwise: row that stands for combinations that the table does not hold; null for none.
    """

    def __init__(self, table: pl.DataFrame, keys: Sequence[str], rows: pl.Series, otherwise: int | None = None) -> None:
        self._keys: dict[str, pl.Enum | int] = {}
        for key in keys:
            values = table[key].unique().sort().to_list()
            number = table[key].dtype.is_integer()
            self._keys[key] = (values[-1] + 1 if values else 0) if number else pl.Enum(values)
        self._otherwise = otherwise
        # A number more than the values known stands for all others.
        sizes = [(kind if isinstance(kind, int) else len(kind.categories)) + 1 for kind in self._keys.values()]
        self._steps = {key: prod(sizes[place + 1 :]) for place, key in enumerate(keys)}
        self._cells = pl.Series([otherwise], dtype=pl.UInt32).new_from_index(0, prod(sizes))
        if table.height:
            cells = sum((self.numbers(table[key], key) for key in keys[1:]), self.numbers(table[keys[0]], keys[0]))
            self._cells = self._cells.scatter(cells, rows)

    def numbers(self, column: pl.Series, key: str, otherwise: str | None = None) -> pl.Series:
        """What each value of a key adds to the number of its combination (UInt32).

        Args:
            column: values of the key.
            key: its name.
            otherwise: a value of a text key that stands for all that the table does not know.
        """
        kind = self._keys[key]
        if isinstance(kind, int):
            number = _small(column, kind)
        else:
            number = column.cast(kind, strict=False).to_physical().cast(pl.UInt32)
            if number.null_count():
                known = kind.categories.to_list()
                number = number.fill_null(known.index(otherwise) if otherwise in known else len(known))
        return number * self._steps[key]

    def rows(self, numbers: pl.Series) -> pl.Series:
        """The row of each combination.

        Args:
            numbers: the sum of `numbers` of every key; null where nothing belongs to a key.
        """
        row = self._cells[numbers]
        return row.fill_null(self._otherwise) if self._otherwise is not None and numbers.null_count() else row


def _small(column: pl.Series, many: int) -> pl.Series:
    """Integers below a number as they are, and that number for all others and null."""
    if len(column) and not column.null_count() and column.min() >= 0 and column.max() < many:  # type: ignore[operator]
        return column.cast(pl.UInt32, wrap_numerical=True)
    known = column.is_between(0, many - 1) & column.is_not_null()
    return column.zip_with(known, pl.Series([many], dtype=column.dtype).new_from_index(0, len(column))).cast(pl.UInt32)
