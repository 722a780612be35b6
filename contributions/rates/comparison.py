"""What differs between the rates, ceilings or combinations of two files, or between a file and the seed rates."""

from __future__ import annotations

from typing import Final

import polars as pl

from contributions.rates.lookup import OTHER_CLASS, contribution_rates
from contributions.rates.official import Kind
from dmfa.quarter import Quarter

KEYS: Final[dict[Kind, tuple[str, ...]]] = {
    "contribution_rate": ("contribution_worker_code", "contribution_type", "employer_class"),
    "deduction_rate": ("deduction_code", "employer_class", "worker_code"),
    "owedness": ("contribution_worker_code", "employer_class", "worker_code"),
}
_VALUES: Final[dict[Kind, tuple[str, ...]]] = {
    "contribution_rate": ("personal_rate", "employer_rate", "moderation_rate", "total_rate", "flat", "minimum_flat"),
    "deduction_rate": ("max_base_rate",),
    "owedness": ("owedness_code",),
}

NEW: Final = "new"
GONE: Final = "gone"
CHANGED: Final = "changed"


def changes(kind: Kind, before: pl.DataFrame, after: pl.DataFrame) -> pl.DataFrame:
    """Rows that are new, gone or changed.

    Args:
        kind: what the rows are.
        before: a frame of `official.SCHEMAS`.
        after: the same.

    Returns:
        The key of the kind, change, and before and after: the figures in words, null where there is no such row. A row
        for each combination, in the order of its key.
    """
    keys = list(KEYS[kind])
    old, new = (_told(kind, rows).rename({"told": name}) for rows, name in ((before, "before"), (after, "after")))
    return (
        old.join(new, on=keys, how="full", coalesce=True)
        .filter(pl.col("before").ne_missing(pl.col("after")))
        .with_columns(
            change=pl.when(pl.col("before").is_null())
            .then(pl.lit(NEW))
            .when(pl.col("after").is_null())
            .then(pl.lit(GONE))
            .otherwise(pl.lit(CHANGED))
        )
        .sort(keys)
        .select(*keys, "change", "before", "after")
    )


def _told(kind: Kind, rows: pl.DataFrame) -> pl.DataFrame:
    """Each key once with all its figures in words."""
    keys, values = list(KEYS[kind]), _VALUES[kind]
    if kind == "contribution_rate":
        shares = [percent(pl.col(name)) for name in values[:3]]
        words = pl.concat_str(
            percent(pl.col("total_rate")),
            pl.lit(" ("),
            pl.concat_str(shares, separator=" + "),
            pl.lit(")"),
            pl.when("flat").then(pl.lit(", an amount")).otherwise(pl.lit("")),
            pl.when(pl.col("minimum_flat").is_not_null())
            .then(pl.concat_str(pl.lit(", at least "), percent(pl.col("minimum_flat"))))
            .otherwise(pl.lit("")),
        )
    elif kind == "deduction_rate":
        words = percent(pl.col("max_base_rate"))
    else:
        words = pl.col("owedness_code").cast(pl.String)
    return (
        rows.select(*keys, told=words)
        .sort([*keys, "told"])
        .group_by(keys, maintain_order=True)
        .agg(pl.col("told").str.join(" "))
    )


def percent(column: pl.Expr) -> pl.Expr:
    """Ten-thousandths as a percentage with two decimals, or cents as an amount: 3807 -> 38.07."""
    size = column.abs()
    return pl.concat_str(
        pl.when(column < 0).then(pl.lit("-")).otherwise(pl.lit("")),
        (size // 100).cast(pl.String),
        pl.lit("."),
        (size % 100).cast(pl.String).str.zfill(2),
    )


def together(kind: Kind, changed: pl.DataFrame) -> pl.DataFrame:
    """Changes that are alike in several classes as one.

    Args:
        kind: what the rows are.
        changed: what `changes` returns.

    Returns:
        The code (and type), change, before, after, rows (how many), and classes: the employer classes, joined.
    """
    by = [*(name for name in KEYS[kind] if name not in ("employer_class", "worker_code")), "change", "before", "after"]
    return (
        changed.group_by(by, maintain_order=True)
        .agg(rows=pl.len(), classes=pl.col("employer_class").unique(maintain_order=True).str.join(" "))
        .sort("change", *by[:-3], maintain_order=True)
    )


def against_seed(rows: pl.DataFrame, quarter: Quarter) -> pl.DataFrame:
    """Official rates beside the seed rates of a quarter that may compute.

    Args:
        rows: a frame of `official.SCHEMAS` of contribution rates.
        quarter: whose seed rates.

    Returns:
        employer_class, contribution_worker_code, contribution_type, total_rate and rate, the seed's; either is null
        where one of the two has none. Flat rates are left out.
    """
    keys = ["employer_class", "contribution_worker_code", "contribution_type"]
    seeds = contribution_rates(quarter, "B").filter(
        pl.col("rate_reason").is_null(), pl.col("employer_class") != OTHER_CLASS
    )
    official = rows.filter(~pl.col("flat")).unique(keys, keep="first", maintain_order=True)
    return official.select(*keys, "total_rate").join(
        seeds.select(*keys, "rate"), on=keys, how="full", coalesce=True, maintain_order="left"
    )
