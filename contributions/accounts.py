"""Declared beside computed: the outcome of each row, and the totals of each declaration."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Literal

import polars as pl

from contributions.columns import DIFFERENCE, EMPLOYER_ACCOUNT

EQUAL: Final = "equal"
ROUNDING: Final = "rounding"
DIFFERS: Final = "differs"
MISSING: Final = "missing"
SUPERFLUOUS: Final = "superfluous"
NOT_COMPUTED: Final = "not computable"

OUTCOMES: Final = (EQUAL, ROUNDING, DIFFERS, MISSING, SUPERFLUOUS, NOT_COMPUTED)
_OF_KIND: Final = {
    "contribution": {
        "code": pl.col("contribution_worker_code"),
        "type": pl.col("contribution_type"),
        "occupation_sequence_nbr": pl.lit(None),
    },
    "deduction": {"code": pl.col("deduction_code"), "type": pl.lit(None)},
}
"""Kind of a difference -> its columns that have another name there, or none."""


def outcome(declared: pl.Expr, computed: pl.Expr) -> pl.Expr:
    """How a declared amount compares with the computed one, both in cents: a number, the place in OUTCOMES.

    A computed amount of null is "not computable", a declared one of null "missing". One cent is rounding, since no
    official sentence says how contribution amounts are rounded.
    """
    distance = (declared - computed).abs()
    return (
        pl.when(computed.is_null())
        .then(_number(NOT_COMPUTED))
        .when(declared.is_null())
        .then(_number(MISSING))
        .when(distance == 0)
        .then(_number(EQUAL))
        .when(distance == 1)
        .then(_number(ROUNDING))
        .when(computed == 0)
        .then(_number(SUPERFLUOUS))
        .otherwise(_number(DIFFERS))
    )


def _number(name: str) -> pl.Expr:
    return pl.lit(OUTCOMES.index(name), dtype=pl.UInt8)


def differences(parts: Iterable[pl.DataFrame], kind: Literal["contribution", "deduction"]) -> pl.DataFrame:
    """One row per contribution or deduction, declared against computed.

    Args:
        parts: frames of CONTRIBUTION, or of DEDUCTION, with declared_cents beside them.
        kind: which of the two they are.

    Returns:
        A frame of DIFFERENCE.
    """
    told = pl.lit(pl.Series(OUTCOMES)).gather(outcome(pl.col("declared_cents"), pl.col("amount_cents")))
    own = {"kind": pl.lit(kind), "computed_cents": pl.col("amount_cents"), "outcome": told, **_OF_KIND[kind]}
    return pl.concat(
        part.select(own.get(name, pl.col(name)).cast(type_).alias(name) for name, type_ in DIFFERENCE.items())
        for part in parts
    )


def employer_accounts(
    declarations: pl.DataFrame, of_contributions: pl.DataFrame, of_deductions: pl.DataFrame
) -> pl.DataFrame:
    """One row per declaration: totals declared and computed, and what the computation covers.

    Args:
        declarations: one row per declaration with filing, version, quarter, employer, net_owed_amount and
            declared_compensation_cents.
        of_contributions: a frame of DIFFERENCE with the contributions of the same declarations.
        of_deductions: one with their deductions.

    Returns:
        A frame of EMPLOYER_ACCOUNT. Deductions that are computed but not declared count as a difference alone.
    """
    account = declarations
    for kind, difference in (("contribution", of_contributions), ("deduction", of_deductions)):
        totals = _totals(difference, kind)
        account = account.join(totals, on="declaration_id", how="left", maintain_order="left").with_columns(
            pl.col([name for name in totals.columns if name != "declaration_id"]).fill_null(0)
        )
    summed = (
        pl.col("declared_contribution_cents")
        - pl.col("declared_deduction_cents")
        - pl.col("declared_compensation_cents")
    )
    covered = {kind: pl.col(f"declared_{kind}_cents") - pl.col(f"missed_{kind}_cents") for kind in _OF_KIND}
    replaced = (pl.col("computed_contribution_cents") - covered["contribution"]) - (
        pl.col("computed_deduction_cents") - covered["deduction"]
    )
    return account.with_columns(
        covered_contribution_cents=covered["contribution"],
        covered_deduction_cents=covered["deduction"],
        declared_net_cents="net_owed_amount",
        summed_net_cents=summed,
        computed_net_cents=summed + replaced,
        differences=pl.col("contribution_differences") + pl.col("deduction_differences"),
    ).select(*EMPLOYER_ACCOUNT)


def _totals(difference: pl.DataFrame, kind: str) -> pl.DataFrame:
    """Counts and sums of the differences of one kind by declaration.

    Most rows are computed and equal, so that what is missed and what differs is counted among the few others alone.
    """
    one = pl.lit(1, dtype=pl.Int64)
    rows = difference[["declaration_id", "declared_table", "declared_cents", "computed_cents", "outcome"]]
    declared = rows.filter(pl.col("declared_table").is_not_null()) if difference["declared_table"].has_nulls() else rows
    parts = [
        declared.select(
            "declaration_id",
            one.alias(f"{kind}s"),
            pl.col("declared_cents").alias(f"declared_{kind}_cents"),
            pl.col("computed_cents").alias(f"computed_{kind}_cents"),
        ),
        declared.filter(pl.col("computed_cents").is_null()).select(
            "declaration_id",
            one.alias(f"{kind}s_not_computable"),
            pl.col("declared_cents").alias(f"missed_{kind}_cents"),
        ),
        rows.filter(pl.col("outcome").is_in([DIFFERS, MISSING, SUPERFLUOUS])).select(
            "declaration_id", one.alias(f"{kind}_differences")
        ),
    ]
    first, *others = (part.group_by("declaration_id").agg(pl.all().sum()) for part in parts)
    for other in others:
        first = first.join(other, on="declaration_id", how="full", coalesce=True)
    return first
