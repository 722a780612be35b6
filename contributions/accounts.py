"""Declared beside computed: the outcome of each row, and the totals of each declaration."""

from __future__ import annotations

from typing import Final

import polars as pl

from contributions.columns import DIFFERENCE, EMPLOYER_ACCOUNT
from contributions.inputs import DECLARATION

EQUAL: Final = "equal"
ROUNDING: Final = "rounding"
DIFFERS: Final = "differs"
MISSING: Final = "missing"
SUPERFLUOUS: Final = "superfluous"
NOT_COMPUTED: Final = "not computable"

OUTCOMES: Final = (EQUAL, ROUNDING, DIFFERS, MISSING, SUPERFLUOUS, NOT_COMPUTED)


def outcome(declared: pl.Expr, computed: pl.Expr) -> pl.Expr:
    """How a declared amount compares with the computed one, both in cents.

    A computed amount of null is "not computable", a declared one of null "missing". One cent is rounding, since no
    official sentence says how contribution amounts are rounded.
    """
    distance = (declared - computed).abs()
    return (
        pl.when(computed.is_null())
        .then(pl.lit(NOT_COMPUTED))
        .when(declared.is_null())
        .then(pl.lit(MISSING))
        .when(distance == 0)
        .then(pl.lit(EQUAL))
        .when(distance == 1)
        .then(pl.lit(ROUNDING))
        .when(computed == 0)
        .then(pl.lit(SUPERFLUOUS))
        .otherwise(pl.lit(DIFFERS))
    )


def differences(contributions: pl.DataFrame, deductions: pl.DataFrame) -> pl.DataFrame:
    """One row per contribution and deduction, declared against computed.

    Args:
        contributions: rows of CONTRIBUTION with declared_cents beside them.
        deductions: rows of DEDUCTION with declared_cents beside them.

    Returns:
        A frame of DIFFERENCE.
    """
    both = pl.concat(
        [
            contributions.select(
                pl.all().exclude("contribution_worker_code", "contribution_type", "amount_cents"),
                kind=pl.lit("contribution"),
                code="contribution_worker_code",
                type="contribution_type",
                computed_cents="amount_cents",
                occupation_sequence_nbr=pl.lit(None, dtype=pl.Int64),
            ).select(*(name for name in DIFFERENCE if name != "outcome")),
            deductions.select(
                pl.all().exclude("deduction_code", "amount_cents"),
                kind=pl.lit("deduction"),
                code="deduction_code",
                type=pl.lit(None, dtype=pl.Int64),
                computed_cents="amount_cents",
            ).select(*(name for name in DIFFERENCE if name != "outcome")),
        ]
    )
    return both.with_columns(outcome=outcome(pl.col("declared_cents"), pl.col("computed_cents"))).select(*DIFFERENCE)


def employer_accounts(declarations: pl.DataFrame, difference: pl.DataFrame) -> pl.DataFrame:
    """One row per declaration: totals declared and computed, and what the computation covers.

    Args:
        declarations: one row per declaration with filing, version, quarter, employer, net_owed_amount and
            declared_compensation_cents.
        difference: a frame of DIFFERENCE of the same declarations.

    Returns:
        A frame of EMPLOYER_ACCOUNT. Deductions that are computed but not declared count as a difference alone.
    """
    computed = pl.col("computed_cents").is_not_null()
    declared = pl.col("declared_table").is_not_null()
    covered = difference.select(
        "declaration_id",
        "kind",
        "declared_cents",
        declared=declared.cast(pl.Int64),
        missed=(declared & ~computed).cast(pl.Int64),
        covered_cents=pl.when(declared & computed).then("declared_cents"),
        computed_cents=pl.when(declared).then("computed_cents"),
        differs=pl.col("outcome").is_in([DIFFERS, MISSING, SUPERFLUOUS]).cast(pl.Int64),
    )
    account = declarations
    for kind in ("contribution", "deduction"):
        totals = (
            covered.filter(pl.col("kind") == kind)
            .group_by(DECLARATION)
            .agg(
                pl.col("declared").sum().alias(f"{kind}s"),
                pl.col("missed").sum().alias(f"{kind}s_not_computable"),
                pl.col("declared_cents").sum().alias(f"declared_{kind}_cents"),
                pl.col("covered_cents").sum().alias(f"covered_{kind}_cents"),
                pl.col("computed_cents").sum().alias(f"computed_{kind}_cents"),
                pl.col("differs").sum().alias(f"{kind}_differences"),
            )
        )
        account = account.join(totals, on=DECLARATION, how="left", maintain_order="left").with_columns(
            pl.col([name for name in totals.columns if name not in DECLARATION]).fill_null(0)
        )
    summed = (
        pl.col("declared_contribution_cents")
        - pl.col("declared_deduction_cents")
        - pl.col("declared_compensation_cents")
    )
    replaced = (pl.col("computed_contribution_cents") - pl.col("covered_contribution_cents")) - (
        pl.col("computed_deduction_cents") - pl.col("covered_deduction_cents")
    )
    return account.with_columns(
        declared_net_cents="net_owed_amount",
        summed_net_cents=summed,
        computed_net_cents=summed + replaced,
        differences=pl.col("contribution_differences") + pl.col("deduction_differences"),
    ).select(*EMPLOYER_ACCOUNT)
