"""Declared beside computed: the outcome of each row, and the totals of each declaration."""

from __future__ import annotations

from typing import Final, Literal

import polars as pl

from contributions.columns import DIFFERENCE, EMPLOYER_ACCOUNT
from contributions.places import filled, runs, sums_of_runs
from contributions.rows import by_name, finished

EQUAL: Final = "equal"
ROUNDING: Final = "rounding"
DIFFERS: Final = "differs"
MISSING: Final = "missing"
SUPERFLUOUS: Final = "superfluous"
NOT_COMPUTED: Final = "not computable"

# Those that count as a difference stand side by side.
OUTCOMES: Final = (EQUAL, ROUNDING, DIFFERS, MISSING, SUPERFLUOUS, NOT_COMPUTED)
_OUTCOMES: Final = pl.Series(OUTCOMES)
_FIRST_DIFFERING, _LAST_DIFFERING = OUTCOMES.index(DIFFERS), OUTCOMES.index(SUPERFLUOUS)

Kind = Literal["contribution", "deduction"]
_KINDS: Final[tuple[Kind, ...]] = ("contribution", "deduction")
_TOTALS: Final = (
    ("", "s"),
    ("", "s_not_computable"),
    ("", "_differences"),
    ("declared_", "_cents"),
    ("computed_", "_cents"),
    ("missed_", "_cents"),
)
"""What is counted and summed of each kind: the name begins and ends so."""


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
    return pl.lit(OUTCOMES.index(name), dtype=pl.UInt32)


_DECLARED, _COMPUTED = pl.col("declared_cents"), pl.col("amount_cents")
_OTHER: Final = (_DECLARED.ne_missing(_COMPUTED) | _COMPUTED.is_null()).arg_true()
_OUTCOME: Final = outcome(_DECLARED, _COMPUTED)


def differences(rows: pl.DataFrame, kind: Kind) -> tuple[pl.DataFrame, list[pl.DataFrame]]:
    """One row per contribution or deduction, declared against computed.

    Args:
        rows: a frame of CONTRIBUTION, or of DEDUCTION, with declared_cents beside it.
        kind: which of the two it is.

    Returns:
        A frame of DIFFERENCE; and frames of counts and sums to be added up by declaration.
    """
    own = by_name(rows)
    number, other = _outcomes(rows[["declared_cents", "amount_cents"]])
    code, type_ = (
        ("contribution_worker_code", "contribution_type") if kind == "contribution" else ("deduction_code", "")
    )
    told = {
        "kind": filled(kind, pl.String(), rows.height),
        "code": own[code],
        "computed_cents": own["amount_cents"],
        "outcome": _OUTCOMES[number],
        **({"type": own[type_]} if type_ else {}),
    }
    return finished(own | told, DIFFERENCE, rows.height), _totals(rows, number[other], other, kind)


def _outcomes(pairs: pl.DataFrame) -> tuple[pl.Series, pl.Series]:
    """The outcome of each row as a number, and which rows are other than equal: they alone are compared further."""
    other = pairs.select(_OTHER).to_series()
    equal = filled(OUTCOMES.index(EQUAL), pl.UInt32(), pairs.height)
    return equal.scatter(other, pairs[other].select(_OUTCOME).to_series()), other


def _totals(rows: pl.DataFrame, number: pl.Series, other: pl.Series, kind: Kind) -> list[pl.DataFrame]:
    """Counts and sums of all rows by declaration, and what the rows other than equal add to them.

    Those other rows are few; what is not declared is among them, and is taken off the counts and sums again.
    """
    ids, many = runs(rows["declaration_id"])
    cents = sums_of_runs(rows[["declared_cents", "amount_cents"]], many)
    sums = [
        ids.alias("declaration_id"),
        many.cast(pl.Int64).alias(f"{kind}s"),
        cents["declared_cents"].alias(f"declared_{kind}_cents"),
        cents["amount_cents"].alias(f"computed_{kind}_cents"),
    ]
    others = rows[["declaration_id", "declared_table", "declared_cents", "amount_cents"]][other]
    return [pl.DataFrame(sums), others.hstack([number.alias("number")]).select("declaration_id", *_OTHERS[kind])]


def _of_others(kind: Kind) -> list[pl.Expr]:
    undeclared = pl.col("declared_table").is_null()
    missed = pl.col("amount_cents").is_null() & ~undeclared
    differs = pl.col("number").is_between(_FIRST_DIFFERING, _LAST_DIFFERING)
    return [
        (-undeclared.cast(pl.Int64)).alias(f"{kind}s"),
        pl.when(undeclared).then(-pl.col("amount_cents")).alias(f"computed_{kind}_cents"),
        missed.cast(pl.Int64).alias(f"{kind}s_not_computable"),
        pl.when(missed).then("declared_cents").alias(f"missed_{kind}_cents"),
        differs.cast(pl.Int64).alias(f"{kind}_differences"),
    ]


_OTHERS: Final = {kind: _of_others(kind) for kind in _KINDS}
"""Kind -> what a row other than equal adds to the counts and sums."""


def employer_accounts(declarations: pl.DataFrame, totals: list[pl.DataFrame]) -> pl.DataFrame:
    """One row per declaration: totals declared and computed, and what the computation covers.

    Args:
        declarations: one row per declaration with filing, version, quarter, employer, net_owed_amount and
            declared_compensation_cents.
        totals: those of all differences of the same declarations.

    Returns:
        A frame of EMPLOYER_ACCOUNT. Deductions that are computed but not declared count as a difference alone.
    """
    sums = pl.concat(totals, how="diagonal", rechunk=True).group_by("declaration_id").agg(pl.all().sum())
    known = [pl.col(name).fill_null(0) for name in _NAMES if name in sums.columns]
    none = [pl.lit(0, dtype=pl.Int64).alias(name) for name in _NAMES if name not in sums.columns]
    account = declarations.join(sums, on="declaration_id", how="left", maintain_order="left")
    return account.with_columns(*known, *none).select(_ACCOUNT)


_NAMES: Final = [f"{name}{kind}{end}" for kind in _KINDS for name, end in _TOTALS]


def _account() -> list[pl.Expr]:
    summed = (
        pl.col("declared_contribution_cents")
        - pl.col("declared_deduction_cents")
        - pl.col("declared_compensation_cents")
    )
    covered = {kind: pl.col(f"declared_{kind}_cents") - pl.col(f"missed_{kind}_cents") for kind in _KINDS}
    replaced = (pl.col("computed_contribution_cents") - covered["contribution"]) - (
        pl.col("computed_deduction_cents") - covered["deduction"]
    )
    own = {
        "covered_contribution_cents": covered["contribution"],
        "covered_deduction_cents": covered["deduction"],
        "declared_net_cents": pl.col("net_owed_amount"),
        "summed_net_cents": summed,
        "computed_net_cents": summed + replaced,
        "differences": pl.col("contribution_differences") + pl.col("deduction_differences"),
    }
    return [own.get(name, pl.col(name)).alias(name) for name in EMPLOYER_ACCOUNT]


_ACCOUNT: Final = _account()
