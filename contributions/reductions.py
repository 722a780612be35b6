"""Reductions per occupation: the rules of a code run over a batch of occupations."""

from __future__ import annotations

from typing import Final

import polars as pl

from contributions import reasons
from contributions.columns import COMPUTED, NOT_COMPUTABLE
from contributions.law import Law
from contributions.trust import lowest

STRUCTURAL: Final = "3000"
SCOPE: Final = "structural_scope"
"""Column that names the parameter folder of an occupation's structural category."""

_ALTERNATIVES: Final = ("fund_premium_wage_cents", "agency_premium_wage_cents")


def structural(occupations: pl.DataFrame, law: Law) -> pl.DataFrame:
    """The structural reduction of every occupation.

    Where a fund may pay the end-of-year premium, which the declaration does not tell, the law has two amounts: the
    declared one is taken if it is one of the two, and else neither.

    Args:
        occupations: one row per occupation with its totals, `declared_cents` of code 3000 (null if not declared) and
            the scope column; whole persons.
        law: the law of their quarter.

    Returns:
        The same rows with every piece of the calculation, amount_cents, trust, status and reason.
    """
    plain = _evaluate(occupations, law)
    for name in _ALTERNATIVES:
        if ("", name) in law.pieces:
            plain = _either(plain, _evaluate(plain.with_columns(wage_cents=pl.coalesce(name, "wage_cents")), law))
    computed = pl.col("reason").is_null()
    return plain.with_columns(
        amount_cents=pl.when(computed).then("amount_cents"),
        trust=pl.when(computed).then("trust"),
        status=pl.when(computed).then(pl.lit(COMPUTED)).otherwise(pl.lit(NOT_COMPUTABLE)),
    )


def _either(plain: pl.DataFrame, other: pl.DataFrame) -> pl.DataFrame:
    """Rows of the first calculation, or of the second where the declared amount is the second's."""
    amounts = plain.select("declared_cents", "reason", one="amount_cents", two=other["amount_cents"]).select(
        differ=pl.col("reason").is_null() & pl.col("one").ne_missing(pl.col("two")),
        first=((pl.col("declared_cents") - pl.col("one")).abs() <= 1).fill_null(False),
        second=((pl.col("declared_cents") - pl.col("two")).abs() <= 1).fill_null(False),
    )
    told = amounts.with_columns(
        other=pl.col("differ") & ~pl.col("first") & pl.col("second"),
        neither=pl.col("differ") & ~pl.col("first") & ~pl.col("second"),
    )
    taken = [
        plain.with_row_index("row").with_columns(neither=told["neither"]).filter(~told["other"]),
        other.with_row_index("row").with_columns(neither=told["neither"]).filter(told["other"]),
    ]
    reason = pl.when("neither").then(pl.lit(reasons.PREMIUM_NOT_DECLARED)).otherwise("reason")
    return pl.concat(taken, how="diagonal").sort("row").with_columns(reason=reason).drop("row", "neither")


def _evaluate(occupations: pl.DataFrame, law: Law) -> pl.DataFrame:
    """Amount, trust and reason of each row, in the order of the rows."""
    frame = occupations.lazy()
    for stage in law.stages("occupation"):
        frame = frame.with_columns(stage)
    conditions = law.of_subject(STRUCTURAL)
    lacking = [law.missing[("", rule.name)] for rule in conditions if ("", rule.name) in law.missing]
    if lacking:
        return frame.with_columns(
            amount_cents=pl.lit(None, dtype=pl.Int64), trust=pl.lit(None, dtype=pl.String), reason=pl.lit(lacking[0])
        ).collect()
    zero = pl.any_horizontal(
        law.pieces[("", rule.name)].expression.fill_null(False) for rule in conditions if rule.kind == "nothing due"
    )
    reason = pl.coalesce(
        pl.when(law.pieces[("", rule.name)].expression).then(pl.lit(rule.reason))
        for rule in conditions
        if rule.kind == "not computable"
    )
    own_trust = lowest(*(law.pieces[("", rule.name)].trust for rule in conditions))
    judged = frame.with_columns(nothing_due=zero, reason=reason).with_row_index("row").collect()
    none = judged.filter("nothing_due").with_columns(
        amount_cents=pl.lit(0, dtype=pl.Int64), trust=pl.lit(own_trust), reason=pl.lit(None, dtype=pl.String)
    )
    unclear = judged.filter(~pl.col("nothing_due") & pl.col("reason").is_not_null()).with_columns(
        amount_cents=pl.lit(None, dtype=pl.Int64), trust=pl.lit(None, dtype=pl.String)
    )
    rest = judged.filter(~pl.col("nothing_due") & pl.col("reason").is_null())
    parts = [none, unclear, *(_scoped(part, str(scope), law) for (scope,), part in rest.group_by(SCOPE))]
    return pl.concat(parts, how="diagonal").sort("row").drop("row", "nothing_due")


def _scoped(occupations: pl.DataFrame, scope: str, law: Law) -> pl.DataFrame:
    """The occupations of one structural category."""
    key = (scope, "structural_reduction")
    if key not in law.pieces:
        reason = law.missing.get(key, reasons.PARAMETER_UNKNOWN)
        return occupations.with_columns(
            amount_cents=pl.lit(None, dtype=pl.Int64), trust=pl.lit(None, dtype=pl.String), reason=pl.lit(reason)
        )
    frame = occupations.lazy()
    for stage in law.stages("occupation", scope):
        frame = frame.with_columns(stage)
    piece = law.pieces[key]
    return frame.with_columns(
        piece.expression.alias("amount_cents"), trust=pl.max_horizontal(pl.lit(piece.trust), "category_trust")
    ).collect()
