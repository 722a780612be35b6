"""Where rows stand: the row of a table to which each row of another belongs, so that columns are looked up, not joined.

An ordinal is the number of a block in its declaration, from 0, in document order. A table that holds its declarations
one after the other and each of them in that order, without a gap, answers by addition alone; any other is searched.
Everything here works on single columns and whole arrays: a selection costs more than the arithmetic over a small batch.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

import numpy as np
import polars as pl

from contributions.arrays import Holds, Numbers, Small, firsts, lengths, numbers

NO_ID: Final = -1
"""Stands for no declaration_id, which has 63 bits and is never negative."""


class Places:
    """The rows of some tables by declaration and ordinal.

    Args:
        declarations: one row per declaration_id.
        tables: further tables by name, with declaration_id and their ordinal, `<name>_ordinal`.

    Raises:
        polars.exceptions.ComputeError: a declaration stands there twice.
    """

    def __init__(self, declarations: pl.DataFrame, tables: Mapping[str, pl.DataFrame]) -> None:
        ids = declarations["declaration_id"]
        if ids.n_unique() < len(ids):
            raise pl.exceptions.ComputeError("a declaration stands twice among the declarations")
        self._ids = numbers(ids, NO_ID)
        self._order = np.argsort(self._ids)
        self._sorted = self._ids[self._order]
        self._known = [(self._ids, np.arange(len(ids)))]
        self._blocks: dict[str, tuple[Small, Small]] = {}
        self._searched: dict[str, pl.DataFrame] = {}
        for name, table in tables.items():
            found = self._in_order(table, f"{name}_ordinal")
            if found is None:
                self._searched[name] = table.select("declaration_id", f"{name}_ordinal").with_row_index(name)
            else:
                self._blocks[name] = found

    def of(self, rows: pl.DataFrame, *names: str) -> pl.DataFrame:
        """The places of what each row belongs to, null where there is none.

        Args:
            rows: rows with declaration_id and, for each table asked for, its ordinal.
            names: names of tables; `employer_declaration` is the first argument of this class.

        Returns:
            A column for each name.

        Raises:
            polars.exceptions.ComputeError: a table holds a block twice.
        """
        ids = numbers(rows["declaration_id"], NO_ID)
        first = firsts(ids)
        many = lengths(first, len(ids))
        own = self.declarations(ids[first])
        found = []
        for name in names:
            if name == "employer_declaration":
                declaration = np.repeat(own, many)
                place = _column(declaration.astype(np.uint32), declaration >= 0)
            elif name in self._searched:
                place = self._search(rows, name)
            else:
                start, height = (np.repeat(one[own], many) for one in self._blocks[name])
                number = unsigned(rows[f"{name}_ordinal"])
                place = _column(start + number, number < height)
            found.append(place.alias(name))
        return pl.DataFrame(found)

    def declarations(self, ids: Numbers) -> Numbers:
        """The row of each declaration_id among the declarations, -1 where it is none of them.

        Many tables hold rows of the very same declarations, which are therefore looked up once.
        """
        for known, own in self._known:
            if np.array_equal(ids, known):
                return own
        if not len(self._ids):
            return np.full(len(ids), -1)
        own = self._order.take(np.searchsorted(self._sorted, ids), mode="clip")
        own = np.where(self._ids[own] == ids, own, -1)
        self._known.append((ids, own))
        return own

    def _in_order(self, table: pl.DataFrame, ordinal: str) -> tuple[Small, Small] | None:
        """First row and number of rows of each declaration; None if the rows do not stand in their order.

        One number more, the last of each, stands for no declaration.
        """
        ids = numbers(table["declaration_id"], NO_ID)
        first = firsts(ids)
        many = lengths(first, len(ids))
        counted = np.arange(table.height, dtype=np.uint32) - np.repeat(first.astype(np.uint32), many)
        if not np.array_equal(counted, unsigned(table[ordinal])):
            return None
        own = self.declarations(ids[first])
        if not (own[1:] > own[:-1]).all() and len(np.unique(ids[first])) < len(first):
            return None
        start, height = np.zeros((2, len(self._ids) + 1), np.uint32)
        start[own], height[own] = first, many
        start[-1] = height[-1] = 0
        return start, height

    def _search(self, rows: pl.DataFrame, name: str) -> pl.Series:
        keys = ["declaration_id", f"{name}_ordinal"]
        table = self._searched[name]
        return rows.select(keys).join(table, on=keys, how="left", maintain_order="left", validate="m:1")[name]


def _column(places: Small, holds: Holds) -> pl.Series:
    """Places as a column, null where something does not hold."""
    column = pl.Series(places)
    return column if holds.all() else kept(column, pl.Series(holds))


def unsigned(column: pl.Series) -> Small:
    """Integers as UInt32; a negative one, and null, becomes larger than any number of rows."""
    return numbers(column, -1).astype(np.uint32)


def filled(value: Any, kind: pl.DataType, height: int, name: str = "") -> pl.Series:
    """A column that holds one value throughout, cut from the longest one so far, which is kept and never written to."""
    longest = _FILLED.get((value, kind))
    if longest is None or len(longest) < height:
        longest = _FILLED[value, kind] = pl.Series([value], dtype=kind).new_from_index(0, height)
    return longest.head(height).alias(name)


_FILLED: Final[dict[tuple[Any, pl.DataType], pl.Series]] = {}
"""Value and type -> the longest column of it; values are the few constants of this package."""


def kept(values: pl.Series, holds: pl.Series) -> pl.Series:
    """The values where something holds, null elsewhere; where that is null, it does not hold."""
    if holds.all(ignore_nulls=False):
        return values
    return values.zip_with(holds & holds.is_not_null(), filled(None, values.dtype, len(values)))


def taken(values: pl.Series, places: pl.Series) -> pl.Series:
    """The value at each place; null where there is no place."""
    return values[places] if len(values) else filled(None, values.dtype, len(places), values.name)


def rows_at(rows: pl.DataFrame, places: pl.Series) -> pl.DataFrame:
    """The row at each place; nulls where there is no place."""
    return rows[places] if rows.height else pl.DataFrame([taken(column, places) for column in rows])


def columns_at(rows: pl.DataFrame, names: Iterable[str], places: pl.Series) -> list[pl.Series]:
    """Some columns of the row at each place; nulls where there is no place."""
    wanted = list(names)
    return rows_at(rows[wanted], places).get_columns() if wanted else []


def spread(rows: pl.DataFrame, places: pl.Series, height: int) -> pl.DataFrame:
    """A frame of some height that holds each row at its place, and nulls elsewhere; each place at most once."""
    index = filled(None, pl.UInt32(), height)
    return rows_at(rows, index.scatter(places, pl.int_range(rows.height, dtype=pl.UInt32, eager=True)))


def sums(rows: pl.DataFrame, places: pl.Series, height: int) -> list[pl.Series]:
    """Sums of columns over the rows of each place; zero where a place has no rows.

    Exact while a sum stays below 2**63, which takes 9e7 of the largest amounts.

    Args:
        rows: Int64 columns.
        places: the place of each row, null for none.
        height: number of places.

    Returns:
        The columns, each of that height.
    """
    if places.null_count():
        known = places.is_not_null()
        rows, places = rows.filter(known), places.filter(known)
    place = places.to_numpy().astype(np.int64)
    return [pl.Series(column.name, _added(numbers(column), place, height)) for column in rows]


def _added(values: Numbers, place: Numbers, height: int) -> Numbers:
    """Values added up by place."""
    found = np.zeros(height, np.int64)
    np.add.at(found, place, values)
    return found
