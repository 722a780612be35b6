"""Reductions per occupation: the rules of a code run over a batch of occupations."""

from __future__ import annotations

from typing import Final

import polars as pl

from contributions import reasons
from contributions.columns import COMPUTED, NOT_COMPUTABLE
from contributions.law import Law
from contributions.places import rows_at, spread
from contributions.trust import Trust, lowest

STRUCTURAL: Final = "3000"
SCOPE: Final = "structural_scope"
"""Column that names the parameter folder of an occupation's structural category."""

ALTERNATIVES: Final = ("fund_premium_wage_cents", "agency_premium_wage_cents")
"""Wages that take the place of W where a fund pays the end-of-year premium."""


def structural(occupations: pl.DataFrame, law: Law) -> pl.DataFrame:
    """The structural reduction of every occupation.

    Where a fund may pay the end-of-year premium, which the declaration does not tell, the law has two amounts: the
    declared one is taken if it is one of the two, and else neither.

    Args:
        occupations: one row per occupation with its totals, `declared_cents` of code 3000 (null if not declared), the
            scope column and `category_trust`; whole persons.
        law: the law of their quarter.

    Returns:
        The same rows with every piece of the calculation, amount_cents, trust, status and reason.
    """
    plain = _evaluate(occupations, law)
    for name in ALTERNATIVES:
        if ("", name) in law.pieces:
            wage = plain.select(pl.coalesce(name, "wage_cents").alias("wage_cents")).to_series()
            plain = _either(plain, _evaluate(occupations.with_columns(wage), law))
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
    told = amounts.select(
        other=pl.col("differ") & ~pl.col("first") & pl.col("second"),
        neither=pl.col("differ") & ~pl.col("first") & ~pl.col("second"),
    )
    changed = [name for name in plain.columns if not plain[name].equals(other[name], null_equal=True)]
    return plain.with_columns(
        pl.when(told["other"]).then(other[name]).otherwise(plain[name]).alias(name) for name in changed
    ).with_columns(reason=pl.when(told["neither"]).then(pl.lit(reasons.PREMIUM_NOT_DECLARED)).otherwise("reason"))


def _evaluate(occupations: pl.DataFrame, law: Law) -> pl.DataFrame:
    """Amount, trust and reason of each row, in the order of the rows."""
    frame = occupations.lazy()
    for stage in law.stages("occupation"):
        frame = frame.with_columns(stage)
    conditions = law.of_subject(STRUCTURAL)
    lacking = [law.missing["", rule.name] for rule in conditions if ("", rule.name) in law.missing]
    if lacking:
        return frame.with_columns(
            amount_cents=pl.lit(None, dtype=pl.Int64), trust=pl.lit(None, dtype=pl.String), reason=pl.lit(lacking[0])
        ).collect()
    zero = [law.pieces["", rule.name].expression for rule in conditions if rule.kind == "nothing due"]
    unclear = [rule for rule in conditions if rule.kind == "not computable"]
    due_nothing = pl.any_horizontal(one.fill_null(False) for one in zero)
    holds = [due_nothing, *(law.pieces["", rule.name].expression for rule in unclear)]
    cases = [pl.when(one).then(pl.lit(number, dtype=pl.UInt8)) for number, one in enumerate(holds)]
    judged = frame.with_columns(case=pl.coalesce(cases)).collect()
    return _with_amounts(judged, pl.Series([None, *(rule.reason for rule in unclear)]), law)


def _with_amounts(judged: pl.DataFrame, reason: pl.Series, law: Law) -> pl.DataFrame:
    """Add amount, trust and reason: case 0 is due nothing, a higher case has a reason, the rest its category's amount.

    Args:
        judged: occupations with every piece that all categories share, and their `case`.
        reason: the reason of each case.
        law: the law of the quarter.
    """
    scopes, trusts, lacking = _scopes(law)
    scope = judged[SCOPE].replace_strict(list(scopes), list(scopes.values()), default=None, return_dtype=pl.UInt8)
    number = pl.select(pl.when(judged["case"].is_null()).then(scope)).to_series()
    parts = [_scoped(judged, number == wanted, name, law) for name, wanted in scopes.items() if not lacking[wanted]]
    found = pl.concat([part for part in parts if part is not None] or [_NOTHING], how="diagonal")
    own_trust = lowest(*(law.pieces["", rule.name].trust for rule in law.of_subject(STRUCTURAL)))
    of_scope = pl.DataFrame(
        {"trust": trusts, "lacking": lacking}, schema=dict.fromkeys(("trust", "lacking"), pl.String)
    )
    due_nothing = pl.col("case") == 0
    return (
        judged.hstack(spread(found, found["row"], judged.height).drop("row"))
        .with_columns(
            pl.coalesce(reason.gather(judged["case"]), of_scope["lacking"].gather(number)).alias("reason"),
            of_scope["trust"].gather(number).alias("trust"),
        )
        .with_columns(
            amount_cents=pl.when(due_nothing).then(pl.lit(0, dtype=pl.Int64)).otherwise("amount_cents"),
            trust=pl.when(due_nothing).then(pl.lit(own_trust)).otherwise(pl.max_horizontal("trust", "category_trust")),
        )
    )


_NOTHING: Final = pl.DataFrame(schema={"row": pl.UInt32, "amount_cents": pl.Int64})


def _scopes(law: Law) -> tuple[dict[str, int], list[Trust | None], list[str | None]]:
    """Number of each category's folder, and by number its trust, and the reason why it has no amount."""
    names = sorted({scope for scope, name in law.rules if name == "structural_reduction"})
    keys = [(name, "structural_reduction") for name in names]
    trusts = [law.pieces[key].trust if key in law.pieces else None for key in keys]
    lacking = [None if key in law.pieces else law.missing.get(key, reasons.PARAMETER_UNKNOWN) for key in keys]
    return {name: number for number, name in enumerate(names)}, trusts, lacking


def _scoped(judged: pl.DataFrame, chosen: pl.Series, scope: str, law: Law) -> pl.DataFrame | None:
    """The pieces of one category for its own occupations, and their row; None where there is none of them."""
    rows = chosen.arg_true()
    if rows.is_empty():
        return None
    piece = law.pieces[scope, "structural_reduction"]
    read = law.reads("occupation")
    frame = rows_at(judged.select(name for name in judged.columns if name in read), rows).with_columns(row=rows).lazy()
    given = frame.collect_schema().names()
    for stage in law.stages("occupation", scope):
        frame = frame.with_columns(stage)
    return frame.with_columns(piece.expression.alias("amount_cents")).drop(given[:-1]).collect()
