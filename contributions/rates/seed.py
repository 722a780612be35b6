"""The seed tables: facts gathered from public sources, each row with source and trust.

contribution_rates.csv: one row per code, type, group and interval of quarters (both ends belong to it), no overlaps.
category_groups.csv: employer class -> sector (annex 27), group, structural category, ceiling rate as read in 2026/3.
structural_exceptions.csv: worker codes of single classes with their own category and ceiling.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final

import polars as pl

from dmfa.quarter import Quarter

FOLDER: Final = Path(__file__).parent / "seed"
FIRST: Final = Quarter(2022, 1)
LAST: Final = Quarter(2026, 3)
"""The quarters that the seed tables cover."""


@cache
def table(name: str) -> pl.DataFrame:
    """One seed table, every column as text, empty as null; read once per process."""
    return pl.read_csv(FOLDER / f"{name}.csv", infer_schema=False)


def in_force(rows: pl.DataFrame, quarter: Quarter) -> pl.DataFrame:
    """The rows whose interval holds a quarter; quarters compare as text, since all are written yyyy/q."""
    return rows.filter(pl.col("from_quarter") <= str(quarter), pl.col("to_quarter") >= str(quarter))


def ten_thousandths(percent: pl.Expr) -> pl.Expr:
    """A percentage as text, with at most two decimals, as exact ten-thousandths: '38.07' -> 3807."""
    parts = percent.str.split_exact(".", 1).struct
    whole = parts.field("field_0").cast(pl.Int64)
    decimals = parts.field("field_1").fill_null("").str.pad_end(2, "0").cast(pl.Int64)
    return whole * 100 + decimals
