"""Rows of the result frames: the columns promised, with the declared amount beside them; and totals below a row."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import polars as pl

from contributions import reasons
from contributions.columns import NOT_COMPUTABLE, REASON, STATUS
from contributions.law import Law
from contributions.places import filled, sums
from contributions.rules.registry import Level


def by_name(*parts: pl.DataFrame | Iterable[pl.Series]) -> dict[str, pl.Series]:
    """Columns of frames by their names; the first of a name counts."""
    found: dict[str, pl.Series] = {}
    for part in reversed(parts):
        columns = part.get_columns() if isinstance(part, pl.DataFrame) else part
        found.update((column.name, column) for column in columns)
    return found


def finished(columns: Mapping[str, pl.Series], schema: Mapping[str, pl.DataType], height: int) -> pl.DataFrame:
    """The columns of a result frame in their order and types; what the rows do not have is null.

    Args:
        columns: any of the columns, and others, by name.
        schema: the columns and types of the result frame.
        height: number of rows.
    """
    found = []
    for name, kind in schema.items():
        column = columns.get(name)
        if column is None:
            found.append(filled(None, kind, height, name))
        else:
            own = column if column.dtype == kind else column.cast(kind)
            found.append(own if own.name == name else own.alias(name))
    return pl.DataFrame(found)


def result(columns: Mapping[str, pl.Series], schema: pl.Schema, height: int) -> pl.DataFrame:
    """The same with declared_cents beside them."""
    return finished(columns, {**schema, "declared_cents": pl.Int64()}, height)


def not_in_version(columns: Mapping[str, pl.Series], schema: pl.Schema) -> pl.DataFrame:
    """Declared rows of a block whose rule is not in this version, with declared_cents beside them.

    Args:
        columns: declared_table, declared_ordinal, declared_cents and any other columns, by name.
        schema: the columns and types of the result frame.
    """
    height = len(columns["declared_cents"])
    told = {
        "status": filled(NOT_COMPUTABLE, STATUS, height),
        "reason": filled(reasons.RULE_NOT_IN_VERSION, REASON, height),
    }
    return result({**columns, **told}, schema, height)


def first_of(key: str, rows: pl.DataFrame, order: str) -> pl.DataFrame:
    """The first row of each key in the order of a column; hardly any key has two, and rows come in any order."""
    once = rows.unique(key, keep="first", maintain_order=True)
    return once if once.height == rows.height else rows.sort(order).unique(key, keep="first", maintain_order=True)


PLACE: Final = {
    "declaration": "employer_declaration",
    "person": "person_row",
    "line": "worker_record",
    "occupation": "occupation",
}
"""Level -> the column that holds the place of its rows in the tables below it."""


def with_totals(
    frame: pl.DataFrame, rules: Law, level: Level, below: Mapping[str, pl.DataFrame], scope: str = ""
) -> pl.DataFrame:
    """Add the totals of a level: sums over each table below it, zero where it has no rows there, null if unknown.

    Args:
        frame: one row per line, occupation, ...
        rules: the law of the quarter.
        level: which of them it is.
        below: the rows of each table that totals of the level read, with their place in the frame.
        scope: parameter folder or kind of basis that the totals are for.
    """
    found = [filled(None, pl.Int64(), frame.height, name) for name in rules.totals_missing(level, scope)]
    for name in rules.tables(level, scope):
        terms = rules.totals(level, name, scope)
        if terms:
            added = below[name].select(terms)
            found.extend(sums(added, below[name][PLACE[level]], frame.height))
    return frame.hstack(found)
