"""Contributions of worker lines: their basis, rate and amount; and the blocks that bear contributions of their own."""

from __future__ import annotations

from typing import Final

import polars as pl

from contributions import accounts, inputs
from contributions.bearing import Bearing, bearing
from contributions.columns import BASIS, CONTRIBUTION
from contributions.inputs import OF_LINE, Declared
from contributions.law import Law
from contributions.places import rows_at, runs
from contributions.rates import OTHER_CLASS
from contributions.rows import finished, not_in_version

LARGEST_SHARE: Final = 1_000_000
"""Above every share of a wage in ten-thousandths, so that line and share make one number."""


def contributions(declared: pl.DataFrame, lines: pl.DataFrame, rules: Law) -> pl.DataFrame:
    """Each declared contribution with its basis, rate, amount, status and reason.

    Args:
        declared: rows of worker_contribution with the place of their line and its worker code.
        lines: the worker lines with their totals and pieces.
        rules: the law of their quarter.

    Returns:
        The rows in their order, with every piece of the calculation and `rate_row`, the row of their rate.
    """
    rates = bearing(rules.quarter, rules.asked, rules.reading)
    row = _rate_rows(declared, lines, rates)
    reads = rules.reads("contribution")
    of_line = [name for name in lines.columns if name in reads and name not in declared.columns]
    frame = (
        declared.hstack(rows_at(lines.select(of_line), declared["worker_record"]))
        .hstack(rows_at(rates.figures, row))
        .with_columns(row)
        .lazy()
    )
    for stage in rules.stages("contribution"):
        frame = frame.with_columns(stage)
    found = frame.with_columns(_status_row(rates, rules).alias("status_row")).collect()
    told = rates.texts[found["status_row"]]
    amounts = [pl.when(pl.lit(told[f"by_{name}"])).then(piece.expression) for name, piece in rates.pieces.items()]
    return found.with_columns(
        pl.coalesce(*amounts, pl.lit(None, dtype=pl.Int64)).alias("amount_cents"),
        pl.when("has_basis").then("basis_cents").alias("basis_cents"),
        *told[["trust", "rate_source", "status", "reason"]],
    )


def contribution_rows(detailed: pl.DataFrame, lines: pl.DataFrame) -> pl.DataFrame:
    """What `contributions` returns as a frame of CONTRIBUTION with declared_cents beside it."""
    of_line = [name for name in OF_LINE if name not in detailed.columns]
    return finished(
        detailed.hstack(rows_at(lines.select(of_line), detailed["worker_record"])).with_columns(
            declared_cents="contribution_amount",
            declared_table=pl.lit("worker_contribution"),
            declared_ordinal="worker_contribution_ordinal",
        ),
        CONTRIBUTION,
    )


def _rate_rows(declared: pl.DataFrame, lines: pl.DataFrame, rates: Bearing) -> pl.Series:
    """The row of each contribution's rate: of its employer class, code and type, or that of no rate."""
    classes = rows_at(rates.grid.numbers(lines, "employer_class", otherwise=OTHER_CLASS), declared["worker_record"])
    others = rates.grid.numbers(declared, "contribution_worker_code", "contribution_type")
    return rates.grid.rows(classes.hstack(others), otherwise=rates.without_rate).alias("rate_row")


def _status_row(rates: Bearing, rules: Law) -> pl.Expr:
    """The row that tells trust, source, status and reason: that of the rate, or of the first condition that holds."""
    cases = [
        pl.when(rules.pieces["", name].expression).then(pl.lit(row, dtype=pl.UInt32))
        for name, row in rates.conditions.items()
    ]
    return pl.coalesce(pl.when(~pl.col("computes")).then("rate_row"), *cases, "rate_row")


def basis(contributions: pl.DataFrame, lines: pl.DataFrame) -> pl.DataFrame:
    """One row per worker line and share of the wage on which it declares contributions.

    Args:
        contributions: what `contributions` returns.
        lines: the worker lines with their totals.

    Returns:
        A frame of BASIS; its outcome compares the basis with the lowest and highest one declared.
    """
    lowest, highest = pl.col("declared_lowest_cents"), pl.col("declared_highest_cents")
    computed = pl.col("basis_cents")
    distance = pl.max_horizontal((lowest - computed).abs(), (highest - computed).abs())
    found = _declared_bases(contributions)
    own = [name for name in lines.columns if name in (*BASIS, "ordinary_wage_cents")]
    return (
        found.hstack(rows_at(lines.select(own), found["worker_record"]))
        .with_columns(
            basis_kind=pl.lit("ordinary"),
            share_percent=pl.col("contribution_share") // 100,
            wage_cents="ordinary_wage_cents",
            outcome=pl.when(distance.is_null())
            .then(pl.lit(accounts.MISSING))
            .when(distance == 0)
            .then(pl.lit(accounts.EQUAL))
            .when(distance == 1)
            .then(pl.lit(accounts.ROUNDING))
            .otherwise(pl.lit(accounts.DIFFERS)),
        )
        .select(pl.col(name).cast(kind) for name, kind in BASIS.items())
    )


def _declared_bases(contributions: pl.DataFrame) -> pl.DataFrame:
    """One row per line and share, in their order: how many contributions declare a basis, the lowest and the highest.

    Neighbours of one line mostly declare one and the same basis, so they are counted together before they are sorted.
    """
    key = pl.col("worker_record").cast(pl.Int64) * LARGEST_SHARE + pl.col("contribution_share")
    rows = contributions.lazy().select(
        "basis_cents", same=pl.struct(key=key, declared="contribution_calculation_basis")
    )
    if contributions["basis_cents"].null_count():
        rows = rows.filter(pl.col("basis_cents").is_not_null())
    found = rows.collect()
    same = runs(found, "same")
    first = same["many"].cum_sum() - same["many"]
    declared = pl.col("declared")
    return (
        same.unnest("same")
        .hstack(rows_at(found[["basis_cents"]], first))
        .lazy()
        .group_by("key")
        .agg(
            pl.col("basis_cents").first(),
            contributions=pl.col("many").sum(),
            declared_lowest_cents=declared.min(),
            declared_highest_cents=declared.max(),
        )
        .sort("key")
        .with_columns(
            worker_record=(pl.col("key") // LARGEST_SHARE).cast(pl.UInt32),
            contribution_share=pl.col("key") % LARGEST_SHARE,
        )
        .collect()
    )


def other_blocks(declared: Declared, lines: pl.DataFrame) -> list[pl.DataFrame]:
    """Contributions that stand in blocks of their own; theirs is the code of the line where the block has none.

    Returns:
        Frames of CONTRIBUTION with declared_cents beside it, one for each block that has rows.
    """
    found = []
    for table, amount in inputs.LINE_BLOCKS.items():
        rows = declared.placed(table)
        if not rows.is_empty():
            joined = rows.hstack(rows_at(lines.select(OF_LINE), rows["worker_record"]))
            if "contribution_worker_code" not in joined.columns:
                joined = joined.with_columns(contribution_worker_code="worker_code")
            found.append(not_in_version(joined, CONTRIBUTION, table, amount))
    unrelated = "contribution_unrelated_to_np"
    rows = declared.placed(unrelated)
    if not rows.is_empty():
        own = declared.rows("employer_declaration").drop("declaration_id")
        joined = rows.hstack(rows_at(own, rows["employer_declaration"])).rename(
            {"unrelated_employer_class": "employer_class", "unrelated_worker_code": "contribution_worker_code"}
        )
        found.append(not_in_version(joined, CONTRIBUTION, unrelated, "unrelated_amount"))
    return found
