"""Where rows stand: the row of a table to which each row of another belongs, so that columns are looked up, not joined.

An ordinal is the number of a block in its declaration, from 0, in document order. A table that holds its declarations
one after the other and each of them in that order, without a gap, answers by addition alone; any other is searched.
Everything here works on single columns: a selection costs more than the arithmetic over a small batch.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, Final

import polars as pl


class Places:
    """The rows of some tables by declaration and ordinal.

    Args:
        declarations: one row per declaration_id.
        tables: further tables by name, with declaration_id and their ordinal, `<name>_ordinal`.

    Raises:
        polars.exceptions.ComputeError: a declaration stands there twice.
    """

    def __init__(self, declarations: pl.DataFrame, tables: Mapping[str, pl.DataFrame]) -> None:
        self._ids = declarations["declaration_id"]
        if self._ids.n_unique() < len(self._ids):
            raise pl.exceptions.ComputeError("a declaration stands twice among the declarations")
        self._order = self._ids.arg_sort()
        self._sorted = self._ids[self._order]
        self._known = [(self._ids, pl.int_range(len(self._ids), dtype=pl.UInt32, eager=True))]
        self._blocks: dict[str, tuple[pl.Series, pl.Series]] = {}
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
        ids = rows["declaration_id"]
        own, run = self._numbers(runs(ids)[0]), ids.rle_id()
        found = []
        for name in names:
            if name == "employer_declaration":
                place = own[run]
            elif name in self._searched:
                place = self._search(rows, name)
            else:
                start, many = self._blocks[name]
                place = _place(rows[f"{name}_ordinal"], taken(start, own)[run], taken(many, own)[run])
            found.append(place.alias(name))
        return pl.DataFrame(found)

    def _in_order(self, table: pl.DataFrame, ordinal: str) -> tuple[pl.Series, pl.Series] | None:
        """First row and number of rows of each declaration; None if the rows do not stand in their order."""
        ids, many = runs(table["declaration_id"])
        start = many.cum_sum() - many
        counted = pl.int_range(table.height, dtype=pl.UInt32, eager=True) - start[table["declaration_id"].rle_id()]
        if not counted.equals(unsigned(table[ordinal])) or ids.n_unique() < len(ids):
            return None
        own = self._numbers(ids)
        if own.null_count():
            known = own.is_not_null()
            own, start, many = own.filter(known), start.filter(known), many.filter(known)
        none = filled(0, pl.UInt32(), len(self._ids))
        return none.clone().scatter(own, start), none.scatter(own, many)

    def _numbers(self, ids: pl.Series) -> pl.Series:
        """The row of each declaration_id among the declarations, null where it is none of them.

        Many tables hold rows of the very same declarations, which are therefore looked up once.
        """
        for known, own in self._known:
            if ids.equals(known):
                return own
        after_last = self._sorted.search_sorted(ids, side="right")
        own = taken(self._order, after_last.zip_with(after_last > 0, filled(1, pl.UInt32(), len(ids))) - 1)
        own = kept(own, taken(self._ids, own) == ids)
        self._known.append((ids, own))
        return own

    def _search(self, rows: pl.DataFrame, name: str) -> pl.Series:
        keys = ["declaration_id", f"{name}_ordinal"]
        table = self._searched[name]
        return rows.select(keys).join(table, on=keys, how="left", maintain_order="left", validate="m:1")[name]


def _place(ordinal: pl.Series, start: pl.Series, many: pl.Series) -> pl.Series:
    """Where a block with some ordinal stands; none where its declaration has not so many."""
    number = unsigned(ordinal)
    return kept(start + number, number < many)


def unsigned(column: pl.Series) -> pl.Series:
    """Integers as UInt32; a negative one becomes larger than any number of rows."""
    return column.cast(pl.UInt32, wrap_numerical=True)


def runs(keys: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Neighbours of one key, taken together: the key, and how many they are."""
    found = keys.rle().struct.unnest()
    return found["value"], found["len"]


def filled(value: Any, kind: pl.DataType, height: int, name: str = "") -> pl.Series:
    """A column that holds one value throughout."""
    return _one(value, kind, name).new_from_index(0, height)


@lru_cache(maxsize=256)
def _one(value: Any, kind: pl.DataType, name: str) -> pl.Series:
    return pl.Series(name, [value], dtype=kind)


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


_RUNNING: Final = pl.all().fill_null(0).cum_sum(reverse=True)
_STEPS: Final = pl.all() - pl.all().shift(-1, fill_value=0)


def sums_of_runs(rows: pl.DataFrame, many: pl.Series) -> pl.DataFrame:
    """Sums over neighbours, by differences of running sums.

    Exact while a whole column sums up to less than 2**63, which takes 9e7 of the largest amounts.

    Args:
        rows: Int64 columns.
        many: how many rows belong to each sum.
    """
    # From the end on, a running sum takes Polars less time than from the start on.
    return rows.select(_RUNNING)[many.cum_sum() - many].select(_STEPS)


def sums(rows: pl.DataFrame, places: pl.Series, height: int) -> pl.DataFrame:
    """Sums of columns over the rows of each place, in a frame of some height; zero where a place has no rows.

    Args:
        rows: Int64 columns.
        places: the place of each row, null for none.
        height: number of places.
    """
    if places.null_count():
        known = places.is_not_null()
        rows, places = rows.filter(known), places.filter(known)
    place, many = runs(places)
    in_order = place.is_sorted()
    if not in_order and place.n_unique() < len(place):
        found = rows.hstack([places.alias("")]).group_by("").agg(pl.all().sum())
        place, found = found[""], found.drop("")
    elif len(place) == rows.height:
        found = rows.select(pl.all().fill_null(0))
    else:
        found = sums_of_runs(rows, many)
    if len(place) == height and in_order:
        return found
    none = pl.DataFrame([filled(0, pl.Int64(), 1, name) for name in rows.columns])
    index = filled(found.height, pl.UInt32(), height)
    own = pl.int_range(found.height, dtype=pl.UInt32, eager=True)
    return pl.concat([found, none], rechunk=True)[index.scatter(place, own)]
