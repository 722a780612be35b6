"""Rows of the result frames: the columns promised, with the declared amount beside them."""

from __future__ import annotations

import polars as pl

from contributions import inputs, reasons
from contributions.columns import NOT_COMPUTABLE
from contributions.inputs import Tables
from contributions.law import Law
from contributions.rules.registry import Level


def finished(frame: pl.DataFrame, schema: pl.Schema) -> pl.DataFrame:
    """The columns of a result frame with declared_cents beside them; what the rows do not have is null.

    Args:
        frame: rows with declared_cents and any of the columns.
        schema: the columns and types of the result frame.
    """
    return frame.select(
        *(
            (pl.col(name) if name in frame.columns else pl.lit(None)).cast(kind).alias(name)
            for name, kind in schema.items()
        ),
        "declared_cents",
    )


def not_in_version(frame: pl.DataFrame, schema: pl.Schema, table: str, amount: str) -> pl.DataFrame:
    """Declared rows of a block whose rule is not in this version.

    Args:
        frame: rows of the block, with those of their line or declaration.
        schema: the columns and types of the result frame.
        table: name of the declared table.
        amount: its column with the declared amount.
    """
    return finished(
        frame.with_columns(
            declared_table=pl.lit(table),
            declared_ordinal=pl.col(f"{table}_ordinal"),
            declared_cents=pl.col(amount),
            status=pl.lit(NOT_COMPUTABLE),
            reason=pl.lit(reasons.RULE_NOT_IN_VERSION),
        ),
        schema,
    )


def with_totals(frame: pl.DataFrame, rules: Law, level: Level, keys: list[str], tables: Tables) -> pl.DataFrame:
    """Add the totals of a level: sums over each table below it, zero where it has no rows there.

    Args:
        frame: one row per line or occupation.
        rules: the law of the quarter.
        level: which of the two it is.
        keys: the columns that identify a row.
        tables: the declared tables, and under `contribution` the declared contributions with the code of their line.
    """
    for name in rules.tables(level):
        rows = tables[name] if name == "contribution" else inputs.read(tables, name)
        sums = rows.group_by(keys).agg(rules.totals(level, name))
        found = [column for column in sums.columns if column not in keys]
        unknown = [column for column in found if ("", column) not in rules.pieces]
        frame = frame.join(sums, on=keys, how="left", maintain_order="left").with_columns(
            pl.col([column for column in found if column not in unknown]).fill_null(0)
        )
    return frame
