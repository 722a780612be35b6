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

    Attributes:
        height: rows of the table.
    """

    def __init__(self, table: pl.DataFrame, keys: Sequence[str]) -> None:
        self.height = table.height
        self._keys: dict[str, pl.Enum | int] = {}
        for key in keys:
            values = table[key].unique().sort().to_list()
            number = table[key].dtype.is_integer()
            self._keys[key] = (values[-1] + 1 if values else 0) if number else pl.Enum(values)
        cells = pl.Series([None], dtype=pl.UInt32).new_from_index(0, max(prod(self._sizes()), 1))
        if table.height:
            own = pl.int_range(table.height, dtype=pl.UInt32, eager=True)
            cells = cells.scatter(self.numbers(table, *keys).select(self._cell(keys)).to_series(), own)
        self._cells = cells

    def numbers(self, frame: pl.DataFrame, *keys: str, otherwise: str | None = None) -> pl.DataFrame:
        """The number of each value of some keys (Int64), null where the table does not know it.

        Args:
            frame: holds the keys.
            keys: some of the keys.
            otherwise: a value of a text key whose number stands for all that the table does not know.
        """
        return frame.select(self._number(key, otherwise) for key in keys)

    def rows(self, numbers: pl.DataFrame, otherwise: int | None = None) -> pl.Series:
        """The row of each combination of numbers.

        Args:
            numbers: columns of `numbers` for every key.
            otherwise: row that stands for combinations that the table does not hold; null if not given.
        """
        row = pl.lit(self._cells).gather(self._cell(list(self._keys)))
        if otherwise is not None:
            row = row.fill_null(pl.lit(otherwise, dtype=pl.UInt32))
        return numbers.select(row.alias("row")).to_series()

    def _sizes(self) -> list[int]:
        return [kind if isinstance(kind, int) else len(kind.categories) for kind in self._keys.values()]

    def _number(self, key: str, otherwise: str | None) -> pl.Expr:
        kind, column = self._keys[key], pl.col(key)
        if isinstance(kind, int):
            return pl.when((column >= 0) & (column < kind)).then(column)
        number = column.cast(kind, strict=False).to_physical().cast(pl.Int64)
        known = kind.categories.to_list()
        return number.fill_null(known.index(otherwise)) if otherwise in known else number

    def _cell(self, keys: Sequence[str]) -> pl.Expr:
        cell = pl.col(keys[0])
        for key, size in zip(keys[1:], self._sizes()[1:], strict=True):
            cell = cell * size + pl.col(key)
        return cell.cast(pl.UInt32)
