"""Contributions of worker lines: their basis, rate and amount; and the blocks that bear contributions of their own."""

from __future__ import annotations

import polars as pl

from contributions import accounts, inputs, reasons
from contributions.columns import BASIS, COMPUTED, CONTRIBUTION, NOT_COMPUTABLE
from contributions.inputs import LINE, Tables
from contributions.law import Law
from contributions.rates import OTHER_CLASS, contribution_rates, known_classes
from contributions.rows import not_in_version


def contributions(declared: pl.DataFrame, lines: pl.DataFrame, rules: Law) -> pl.DataFrame:
    """Each declared contribution with its basis, rate, amount, status and reason.

    Args:
        declared: rows of worker_contribution.
        lines: the worker lines with their totals and pieces.
        rules: the law of their quarter.

    Returns:
        The rows in their order, with every piece of the calculation.
    """
    rates = contribution_rates(rules.quarter, rules.asked)
    class_key = pl.when(pl.col("employer_class").is_in(known_classes())).then("employer_class")
    frame = (
        declared.join(lines.drop("natural_person_ordinal"), on=LINE, how="left", maintain_order="left")
        .with_columns(class_key=class_key.otherwise(pl.lit(OTHER_CLASS)))
        .join(
            rates.rename({"employer_class": "class_key"}),
            on=["class_key", "contribution_worker_code", "contribution_type"],
            how="left",
            maintain_order="left",
        )
        .lazy()
    )
    for stage in rules.stages("contribution"):
        frame = frame.with_columns(stage)
    kinds = [scope for (scope, _), rule in rules.rules.items() if rule.kind == "contribution"]
    amounts, trusts, lacking = [], [], []
    for kind in kinds:
        here = pl.col("basis_kind") == kind
        piece = rules.pieces.get((kind, "amount_cents"))
        if piece is None:
            lacking.append(pl.when(here).then(pl.lit(rules.missing[(kind, "amount_cents")])))
        else:
            amounts.append(pl.when(here).then(piece.expression))
            trusts.append(pl.when(here).then(pl.max_horizontal("rate_trust", pl.lit(piece.trust))))
    conditions = [rule for rule in rules.of_subject("contribution") if ("", rule.name) in rules.pieces]
    nothing = pl.lit(None, dtype=pl.String)
    reason = pl.coalesce(
        pl.when(pl.col("basis_kind").is_null()).then(pl.lit(reasons.NO_RATE)),
        pl.when(~pl.col("basis_kind").is_in(kinds)).then(pl.lit(reasons.BASIS_NOT_IN_VERSION)),
        "rate_reason",
        *lacking,
        *(pl.when(rules.pieces[("", rule.name)].expression).then(pl.lit(rule.reason)) for rule in conditions),
        nothing,
    )
    known_kind = pl.col("basis_kind").is_in(kinds)
    return (
        frame.with_columns(
            amount_cents=pl.coalesce(*amounts, pl.lit(None, dtype=pl.Int64)),
            trust=pl.coalesce(*trusts, nothing),
            reason=reason,
        )
        .with_columns(
            basis_cents=pl.when(known_kind).then("basis_cents"),
            declared_cents="contribution_amount",
            declared_table=pl.lit("worker_contribution"),
            declared_ordinal="worker_contribution_ordinal",
        )
        .with_columns(_where_computed("amount_cents", "trust", "rate_source"))
        .with_columns(_status())
        .collect()
    )


def _where_computed(*names: str) -> list[pl.Expr]:
    return [pl.when(pl.col("reason").is_null()).then(pl.col(name)).alias(name) for name in names]


def _status() -> pl.Expr:
    computed = pl.col("reason").is_null()
    return pl.when(computed).then(pl.lit(COMPUTED)).otherwise(pl.lit(NOT_COMPUTABLE)).alias("status")


def basis(contributions: pl.DataFrame, lines: pl.DataFrame) -> pl.DataFrame:
    """One row per worker line and share of the wage on which it declares contributions.

    Args:
        contributions: what `contributions` returns.
        lines: the worker lines with their totals.

    Returns:
        A frame of BASIS; its outcome compares the basis with the lowest and highest one declared.
    """
    declared = pl.col("contribution_calculation_basis")
    distance = pl.max_horizontal(
        (pl.col("declared_lowest_cents") - pl.col("basis_cents")).abs(),
        (pl.col("declared_highest_cents") - pl.col("basis_cents")).abs(),
    )
    return (
        contributions.select("line_row", "contribution_share", "basis_cents", "contribution_calculation_basis")
        .drop_nulls("basis_cents")
        .group_by("line_row", "contribution_share")
        .agg(
            pl.col("basis_cents").first(),
            contributions=pl.len().cast(pl.Int64),
            declared_lowest_cents=declared.min(),
            declared_highest_cents=declared.max(),
        )
        .sort("line_row", "contribution_share")
        .join(lines, on="line_row", how="left", maintain_order="left")
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


def other_blocks(tables: Tables, lines: pl.DataFrame) -> list[pl.DataFrame]:
    """Contributions that stand in blocks of their own; theirs is the code of the line where the block has none.

    Returns:
        Frames of CONTRIBUTION with declared_cents beside it, one for each block that has rows.
    """
    found = []
    own = lines.drop("natural_person_ordinal")
    for table, amount in inputs.LINE_BLOCKS.items():
        rows = inputs.read(tables, table)
        if not rows.is_empty():
            joined = rows.join(own, on=LINE, how="left", maintain_order="left")
            if "contribution_worker_code" not in joined.columns:
                joined = joined.with_columns(contribution_worker_code="worker_code")
            found.append(not_in_version(joined, CONTRIBUTION, table, amount))
    unrelated = "contribution_unrelated_to_np"
    rows = inputs.read(tables, unrelated)
    if not rows.is_empty():
        joined = rows.join(inputs.declarations(tables), on="declaration_id", how="left", maintain_order="left").rename(
            {"unrelated_employer_class": "employer_class", "unrelated_worker_code": "contribution_worker_code"}
        )
        found.append(not_in_version(joined, CONTRIBUTION, unrelated, "unrelated_amount"))
    return found
