"""Rows of the result frames: the columns promised, with the declared amount beside them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import polars as pl

from contributions import reasons
from contributions.columns import NOT_COMPUTABLE
from contributions.law import Law
from contributions.places import spread, summed
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


PLACE: Final = {"line": "worker_record", "occupation": "occupation"}
"""Level -> the column that holds the place of its rows in the tables below it."""


def with_totals(frame: pl.DataFrame, rules: Law, level: Level, below: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """Add the totals of a level: sums over each table below it, zero where it has no rows there.

    Args:
        frame: one row per line or occupation.
        rules: the law of the quarter.
        level: which of the two it is.
        below: the rows of each table that totals of the level read, with their place in the frame.
    """
    for name in rules.tables(level):
        terms = rules.totals(level, name)
        # Most contributions add nothing to a total, and a sum over rows costs more than a look at them.
        adds = pl.any_horizontal(pl.col(*terms) != 0) & pl.col("place").is_not_null()
        rows = below[name].lazy().select(pl.col(PLACE[level]).alias("place"), **terms).filter(adds).collect()
        sums = summed(rows, "place")
        known = [total for total in terms if ("", total) in rules.pieces]
        frame = frame.hstack(spread(sums[list(terms)], sums["place"], frame.height)).with_columns(
            pl.col(known).fill_null(0)
        )
    return frame
