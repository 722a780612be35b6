"""Rows of a small table found by several keys at once: every key is numbered, and one array tells the row."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np
import polars as pl

from contributions.arrays import CODES, Small, number_of, numbers, three_digits


class Grid:
    """Where each combination of keys stands in a table.

    Args:
        table: at most one row for each combination.
        keys: its key columns, text or small integers from 0.
        rows: the row that stands for each row of the table.
        otherwise: row that stands for combinations that the table does not hold; null for none.
    """

    def __init__(self, table: pl.DataFrame, keys: Sequence[str], rows: pl.Series, otherwise: int | None = None) -> None:
        self._keys: dict[str, list[str] | int] = {}
        for key in keys:
            values = table[key].unique().sort().to_list()
            number = table[key].dtype.is_integer()
            self._keys[key] = (values[-1] + 1 if values else 0) if number else values
        self._otherwise = otherwise
        # A number more than the values known stands for all others.
        sizes = [(kind if isinstance(kind, int) else len(kind)) + 1 for kind in self._keys.values()]
        self._steps = {key: prod(sizes[place + 1 :]) for place, key in enumerate(keys)}
        self._of_codes: dict[tuple[str, str | None], Small] = {}
        self._cells = pl.Series([otherwise], dtype=pl.UInt32).new_from_index(0, prod(sizes))
        if table.height:
            cells = sum((self.numbers(table[key], key) for key in keys[1:]), self.numbers(table[keys[0]], keys[0]))
            self._cells = self._cells.scatter(cells, rows)

    def numbers(self, column: pl.Series, key: str, otherwise: str | None = None) -> pl.Series:
        """What each value of a key adds to the number of its combination (UInt32).

        Args:
            column: values of the key, or what `contributions.arrays.three_digits` makes of a text key (UInt16).
            key: its name.
            otherwise: a value of a text key that stands for all that the table does not know.
        """
        known = self._keys[key]
        if isinstance(known, int):
            # As unsigned numbers, those below zero are above all others.
            value = numbers(column, -1).astype(np.int64, copy=False).view(np.uint64)
            return pl.Series(np.minimum(value, np.uint64(known)).astype(np.uint32) * np.uint32(self._steps[key]))
        code = column.to_numpy() if column.dtype == pl.UInt16 else three_digits(column)
        if code is not None:
            return pl.Series(self._added_by_codes(key, otherwise).take(code, mode="clip"))
        kind = pl.Enum(known)
        return self._added(column.cast(kind, strict=False).to_physical().cast(pl.UInt32), key, otherwise)

    def _added_by_codes(self, key: str, otherwise: str | None) -> Small:
        """Number of a code of three digits -> what it adds; put together once."""
        found = self._of_codes.get((key, otherwise))
        if found is None:
            known = self._keys[key]
            places = {} if isinstance(known, int) else {number_of(code): place for place, code in enumerate(known)}
            place = pl.Series([places.get(code) for code in range(CODES)], dtype=pl.UInt32)
            found = self._of_codes[key, otherwise] = self._added(place, key, otherwise).to_numpy()
        return found

    def _added(self, place: pl.Series, key: str, otherwise: str | None) -> pl.Series:
        """What values of a text key add, by their place among those known; null for all others."""
        known = self._keys[key]
        if place.null_count() and not isinstance(known, int):
            place = place.fill_null(known.index(otherwise) if otherwise in known else len(known))
        return place * self._steps[key]

    def rows(self, numbers: pl.Series) -> pl.Series:
        """The row of each combination.

        Args:
            numbers: the sum of `numbers` of every key; null where nothing belongs to a key.
        """
        row = self._cells[numbers]
        return row.fill_null(self._otherwise) if self._otherwise is not None and numbers.null_count() else row
