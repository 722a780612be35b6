"""Rules run over rows: the pieces stage by stage, and the conditions that keep from an amount or make it zero."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import polars as pl

from contributions import reasons, refusals
from contributions.columns import COMPUTED, NOT_COMPUTABLE
from contributions.law import Key, Law
from contributions.rules.registry import Kind, Level


def staged(frame: pl.DataFrame, rules: Law, level: Level, scope: str) -> pl.DataFrame:
    """A frame with the quantities of a level and scope, each stage with those that it reads before it."""
    for stage in rules.stages(level, scope):
        frame = frame.with_columns(stage)
    return frame


def _keys(rules: Law, kind: Kind, subject: str, scope: str) -> list[Key]:
    return [
        key
        for key, rule in rules.rules.items()
        if (rule.kind, rule.subject, key[0]) == (kind, subject, scope) and key in rules.pieces
    ]


def judged(frame: pl.DataFrame, subject: str, key: Key, rules: Law) -> pl.DataFrame:
    """Add amount_cents, reason and refusal by the conditions of a subject and the rule of its amount.

    Args:
        frame: with every piece that they read, and `reason` and `refusal` as far as they are known.
        subject: of the conditions, in the scope of the rule.
        key: scope and name of the rule.
        rules: the law of the quarter.
    """
    refusal, reason, amount = _expressions(rules, subject, key)
    told = frame.with_columns(refusal, reason)
    return told.with_columns(
        reason=pl.when(pl.col("refusal").is_null()).then("reason"),
        amount_cents=pl.when(pl.col("refusal").is_not_null())
        .then(0)
        .when(pl.col("reason").is_null())
        .then(amount)
        .cast(pl.Int64),
    )


@lru_cache(maxsize=1024)
def _expressions(rules: Law, subject: str, key: Key) -> tuple[pl.Expr, pl.Expr, pl.Expr]:
    """Refusal, reason and amount, put together once for a law."""
    scope = key[0]
    refused, doubtful = (
        [
            pl.when(rules.pieces[one].expression).then(pl.lit(rules.rules[one].reason))
            for one in _keys(rules, kind, subject, scope)
        ]
        for kind in _KINDS
    )
    lacking = next((reason for (where, _), reason in rules.missing.items() if where == scope), None)
    return (
        pl.coalesce("refusal", *refused).alias("refusal"),
        pl.coalesce("reason", pl.lit(lacking, dtype=pl.String), *doubtful).alias("reason"),
        rules.pieces[key].expression if key in rules.pieces else pl.lit(None, dtype=pl.Int64),
    )


_KINDS: Final[tuple[Kind, Kind]] = ("nothing due", "not computable")


def settled(deductions: pl.DataFrame) -> pl.DataFrame:
    """Deductions of worker lines in their order, with status; of a code that stands on a line before nothing is due.

    Args:
        deductions: rows of worker_deduction with `row`, amount_cents, reason, refusal and trust, and perhaps
            lowest_cents and highest_cents.
    """
    # Tables come in any order: which is the first is a matter of the declaration.
    earlier = pl.int_range(pl.len()).over("worker_record", "deduction_code", order_by="worker_deduction_ordinal")
    again = (earlier > 0) & pl.col("worker_record").is_not_null()
    repeated = again & pl.col("reason").is_null()
    names = ("lowest_cents", "highest_cents")
    missing = [pl.lit(None, dtype=pl.Int64).alias(name) for name in names if name not in deductions.columns]
    nowhere = pl.when(pl.col("amount_cents").is_null()).then(pl.lit(reasons.LINE_SHARE_UNKNOWN))
    return (
        deductions.with_columns(missing)
        .with_columns(
            pl.when(repeated).then(0).otherwise("amount_cents").alias("amount_cents"),
            pl.when(repeated).then(pl.lit(refusals.DECLARED_BEFORE)).otherwise("refusal").alias("refusal"),
            *(pl.when(~repeated & pl.col("amount_cents").is_not_null()).then(name).alias(name) for name in names),
            reason=pl.coalesce("reason", nowhere),
        )
        .with_columns(
            trust=pl.when(pl.col("reason").is_null()).then("trust"),
            status=pl.when(pl.col("reason").is_null()).then(pl.lit(COMPUTED)).otherwise(pl.lit(NOT_COMPUTABLE)),
        )
        .sort("row")
    )
