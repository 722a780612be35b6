"""What stands above and below a row: columns of other blocks, named in an expression and put beside the row's own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np
import polars as pl

_BELOW: dict[tuple[str, bool, bytes], str] = {}
_ASKED: dict[str, _Asked] = {}
TOP = "employer_declaration"


def above(table: str, column: str) -> pl.Expr:
    """A column of the block of another table above the row."""
    return pl.col(_above(table, column))


def any_below(table: str, condition: pl.Expr) -> pl.Expr:
    """Whether a block of another table below the row, at any depth, meets a condition.

    Args:
        table: name of the table below.
        condition: over its own columns, and those `above` it.
    """
    return _below(table, condition, of_any=True)


def sum_below(table: str, value: pl.Expr) -> pl.Expr:
    """The sum of a whole number over the blocks of another table below the row, at any depth; null counts as 0.

    Args:
        table: name of the table below.
        value: over its own columns, and those `above` it.
    """
    return _below(table, value, of_any=False)


def count_below(table: str) -> pl.Expr:
    """How many blocks of another table are below the row, at any depth."""
    return _below(table, pl.col("declaration_id").is_not_null().cast(pl.Int64), of_any=False)


class _Asked(NamedTuple):
    """What is asked of the blocks of a table below: whether any meets a condition, or the sum of a value."""

    table: str
    value: pl.Expr
    of_any: bool


def _below(table: str, value: pl.Expr, *, of_any: bool) -> pl.Expr:
    name = _BELOW.setdefault((table, of_any, value.meta.serialize()), f"{table}:{len(_BELOW)}")
    _ASKED[name] = _Asked(table, value, of_any)
    return pl.col(name)


def _above(table: str, column: str) -> str:
    return f"{table}.{column}"


class Relatives:
    """The tables of some declarations, and the ways from row to row between them.

    Args:
        tables: by name, as shredding gives them: the rows of a declaration together and in document order, so that an
            ordinal is a row's place among them.
    """

    def __init__(self, tables: Mapping[str, pl.DataFrame]) -> None:
        self._tables = tables
        self._starts: dict[str, dict[int, int]] = {}
        self._places: dict[tuple[str, str], pl.Series] = {}
        self._columns = {name: frozenset(table.columns) for name, table in tables.items()}
        self._filled: dict[tuple[str, str], bool] = {}

    def knows(self, table: str, name: str) -> bool:
        """Whether a row of a table has a column, of its own or of a relative."""
        if name in _ASKED:
            other, value, _ = _ASKED[name]
            own = self._is_above(table, other)
            return own and all(self.knows(other, root) for root in value.meta.root_names())
        other, dot, column = name.rpartition(".")
        if not dot:
            return name in self._columns[table]
        return self._is_above(other, table) and column in self._columns[other]

    def filled(self, table: str, column: str) -> bool:
        """Whether any row of a table has a value in a column."""
        known = self._filled.get((table, column))
        if known is None:
            frame = self._tables[table]
            known = self._filled[table, column] = frame[column].null_count() < frame.height
        return known

    def beside(self, table: str, names: Iterable[str]) -> pl.DataFrame:
        """A table with columns of relatives; all must be known."""
        frame = self._tables[table]
        further = [name for name in dict.fromkeys(names) if name not in self._columns[table]]
        columns = [self._of_above(table, name) for name in further if name not in _ASKED]
        columns += self._of_below(table, [name for name in further if name in _ASKED])
        return frame.hstack(columns) if columns else frame

    def _of_above(self, table: str, name: str) -> pl.Series:
        other, _, column = name.rpartition(".")
        return self._tables[other][column][self._place(table, other)].alias(name)

    def _of_below(self, table: str, names: Iterable[str]) -> list[pl.Series]:
        asked: dict[str, list[str]] = {}
        for name in names:
            asked.setdefault(_ASKED[name].table, []).append(name)
        found = []
        height = self._tables[table].height
        for other, own in asked.items():
            roots = [root for name in own for root in _ASKED[name].value.meta.root_names()]
            asked_of = [_ASKED[name] for name in own]
            values = self.beside(other, roots).select(
                one.value.fill_null(value=False if one.of_any else 0).alias(name)
                for name, one in zip(own, asked_of, strict=True)
            )
            place = self._place(other, table)
            if place.null_count():
                # One that stands under another block is below no row of this table.
                values, place = values.filter(place.is_not_null()), place.drop_nulls()
            places = place.to_numpy()
            begins = _begins(places)
            for name, one in zip(own, asked_of, strict=True):
                told: np.ndarray[tuple[int], np.dtype[np.generic]] = np.zeros(
                    height, np.bool_ if one.of_any else np.int64
                )
                if one.of_any:
                    told[places[values[name].to_numpy()]] = True
                elif len(places):
                    # The blocks below one row follow each other.
                    told[places[begins]] = np.add.reduceat(values[name].to_numpy(), begins)
                found.append(pl.Series(name, told))
        return found

    def _is_above(self, table: str, other: str) -> bool:
        """Whether blocks of a table may stand above those of another, and both are known."""
        both = table in self._columns and other in self._columns
        return both and (table == TOP or f"{table}_ordinal" in self._columns[other])

    def _place(self, table: str, other: str) -> pl.Series:
        """The row of a table above for each row of a table; null where it stands under another block."""
        known = self._places.get((table, other))
        if known is None:
            frame = self._tables[table]
            begins = self._start(table)
            starts = self._start(other)
            # A declaration without the other block has rows without its ordinal alone: any start will do.
            first = np.array([starts.get(one, 0) for one in begins], np.int64)
            first = np.repeat(first, np.diff([*begins.values(), frame.height]))
            known = pl.Series("place", first)
            if other != TOP:
                known = known + frame[f"{other}_ordinal"]
            self._places[table, other] = known
        return known

    def _start(self, table: str) -> dict[int, int]:
        """By declaration, its first row in a table."""
        known = self._starts.get(table)
        if known is None:
            identities = self._tables[table]["declaration_id"].to_numpy()
            begins = _begins(identities)
            known = self._starts[table] = dict(zip(identities[begins].tolist(), begins.tolist(), strict=True))
        return known


def _begins(identities: np.ndarray[tuple[int], np.dtype[np.int64]]) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Where another declaration begins."""
    changes = np.flatnonzero(identities[1:] != identities[:-1]) + 1
    return np.concatenate([np.zeros(min(1, len(identities)), np.int64), changes])
