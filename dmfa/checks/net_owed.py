"""The net amount owed against the amounts that make it up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import polars as pl

from dmfa.checks.registry import anomaly

OWED = (
    "contribution_amount",
    "unrelated_amount",
    "student_contribution_amount",
    "early_retirement_contribution_amount",
    "gross_ref_remun_contribution_amount",
)
"""Columns that add to the net amount, in whatever table they stand."""

GRANTED = ("deduction_amount", "compensation_amount")
"""Columns that reduce it."""


@anomaly("00015-007", severity="B", block="EmployerDeclaration", zone="NetOwedAmount", always=True)
def net_owed_differs(employer_declaration: pl.LazyFrame, tables: Mapping[str, pl.DataFrame]) -> pl.LazyFrame:
    """The net amount owed is not the sum of the amounts declared.

    Sum of the contributions minus the sum of the deductions and compensations, by name of the zone wherever it stands,
    in cents; empty counts as 0; no tolerance. Each declaration stands alone.

    Source: the NSSO's validator, step 4; catalogue of anomalies, zone 00015.
    """
    top = employer_declaration.select(
        "declaration_id", declared=pl.col("net_owed_amount").fill_null(0), seen=pl.col("net_owed_amount")
    )
    return (
        top.join(net_amounts(tables), on="declaration_id", how="left")
        .with_columns(pl.col("net_cents").fill_null(0))
        .filter(pl.col("declared") != pl.col("net_cents"))
        .select(
            "declaration_id",
            block_ordinal=pl.lit(0),
            seen_value=pl.col("seen").cast(pl.String),
            message=pl.format("declared net amount owed {}, sum of the amounts {} (in cents)", "declared", "net_cents"),
        )
    )


def net_amounts(tables: Mapping[str, pl.DataFrame]) -> pl.LazyFrame:
    """The net amount of each declaration that has any amount: declaration_id, net_cents (Int64)."""
    parts = [pl.LazyFrame(schema={"declaration_id": pl.Int64, "net_cents": pl.Int64})]
    for table in tables.values():
        terms = [*_terms(table.columns, OWED, 1), *_terms(table.columns, GRANTED, -1)]
        if terms:
            parts.append(table.lazy().select("declaration_id", net_cents=pl.sum_horizontal(terms)))
    return pl.concat(parts).group_by("declaration_id").agg(pl.col("net_cents").sum())


def _terms(names: Iterable[str], wanted: tuple[str, ...], sign: int) -> list[pl.Expr]:
    return [sign * pl.col(name).fill_null(0) for name in names if name in wanted]
