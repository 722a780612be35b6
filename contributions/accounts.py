"""Declared beside computed: the outcome of each row, and the totals of each declaration."""

from __future__ import annotations

from typing import Final, Literal

import numpy as np
import numpy.typing as npt
import polars as pl

from contributions import entries, outcomes
from contributions.arrays import Holds, Numbers, firsts, lengths, numbers, sums_of_runs
from contributions.columns import DIFFERENCE, EMPLOYER_ACCOUNT, ENTRY, KIND, OUTCOME
from contributions.inputs import Declared
from contributions.places import NO_ID, filled
from contributions.rows import by_name, finished

_OUTCOMES: Final = pl.Series(outcomes.ALL, dtype=OUTCOME)
_EQUAL, _WITHIN, _FIRST_DIFFERING, _LAST_DIFFERING, _NOT_COMPUTED = (
    outcomes.ALL.index(outcome)
    for outcome in (outcomes.EQUAL, outcomes.WITHIN, outcomes.DIFFERS, outcomes.SUPERFLUOUS, outcomes.NOT_COMPUTED)
)

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


UNDECLARED, UNKNOWN = -(2**63), -(2**63) + 1
"""Stand for null among amounts; no amount is so low, and neither is the other."""

Added = tuple[Numbers, dict[str, Numbers]]
"""Row of a declaration, and what is added to its counts and sums; once or more for each declaration, -1 for none."""


def differences(rows: pl.DataFrame, kind: Kind, declared: Declared) -> tuple[pl.DataFrame, list[Added]]:
    """One row per contribution or deduction, declared against computed.

    Args:
        rows: a frame of CONTRIBUTION, or of DEDUCTION, with declared_cents beside it.
        kind: which of the two it is.
        declared: the declared tables.

    Returns:
        A frame of DIFFERENCE; and what its rows add to the accounts of the declarations.
    """
    own = by_name(rows)
    cents, computed = numbers(own["declared_cents"], UNDECLARED), numbers(own["amount_cents"], UNKNOWN)
    # Those other than equal are few, and they alone are compared further.
    other = np.flatnonzero(cents != computed)
    number = np.full(rows.height, _EQUAL, np.uint32)
    bounds = _bounds(own, other) if kind == "deduction" else None
    number[other] = compared(cents[other], computed[other], bounds)
    code, type_ = (
        ("contribution_worker_code", "contribution_type") if kind == "contribution" else ("deduction_code", "")
    )
    told = {
        "kind": filled(kind, KIND, rows.height),
        "code": own[code],
        "computed_cents": own["amount_cents"],
        "outcome": _OUTCOMES[pl.Series(number)],
        **({"type": own[type_]} if type_ else {}),
    }
    ids = numbers(own["declaration_id"], NO_ID)
    first = firsts(ids)
    place, many = declared.declarations(ids[first]), lengths(first, len(ids))
    every = {
        f"{kind}s": many,
        f"declared_{kind}_cents": sums_of_runs(_without(cents, other, UNDECLARED), first),
        f"computed_{kind}_cents": sums_of_runs(_without(computed, other, UNKNOWN), first),
    }
    table = own["declared_table"]
    undeclared = table[other].is_null().to_numpy() if table.null_count() else np.zeros(len(other), np.bool_)
    few = _of_others(cents[other], computed[other], number[other], undeclared, kind)
    return finished(own | told, DIFFERENCE, rows.height), [(place, every), (np.repeat(place, many)[other], few)]


def _without(cents: Numbers, other: Numbers, none: int) -> Numbers:
    """Amounts with zero for what stands for none, which only some other rows hold."""
    rows = other[cents[other] == none]
    if not len(rows):
        return cents
    found = cents.copy()
    found[rows] = 0
    return found


def _bounds(own: dict[str, pl.Series], other: Numbers) -> tuple[Numbers, Numbers] | None:
    """Least and most of the computed amounts of some rows, where any amount has bounds; no amount lies within none."""
    lowest, highest = own["lowest_cents"], own["highest_cents"]
    if lowest.null_count() == len(lowest):
        return None
    return numbers(lowest, -UNDECLARED - 1)[other], numbers(highest, UNDECLARED)[other]


def compared(
    declared: Numbers, computed: Numbers, bounds: tuple[Numbers, Numbers] | None = None
) -> npt.NDArray[np.uint32]:
    """How declared amounts compare with the computed ones, as places in the list of outcomes.

    A declared amount that is none is "missing", a computed one that is not known "not computable". One cent is
    rounding, since no official sentence says how contribution amounts are rounded. Where the quarter does not tell the
    months, every amount within the bounds is as lawful as the computed one.

    Args:
        declared: in cents, UNDECLARED for none.
        computed: in cents, UNKNOWN for none.
        bounds: least and most of each computed amount, in cents.
    """
    distance = np.abs(declared - computed)
    cases = {
        outcomes.MISSING: declared == UNDECLARED,
        outcomes.NOT_COMPUTED: computed == UNKNOWN,
        outcomes.EQUAL: distance == 0,
        outcomes.ROUNDING: distance == 1,
        **({outcomes.WITHIN: (bounds[0] <= declared) & (declared <= bounds[1])} if bounds else {}),
        outcomes.SUPERFLUOUS: computed == 0,
    }
    numbers_of = [np.uint32(outcomes.ALL.index(name)) for name in cases]
    return np.select(list(cases.values()), numbers_of, np.uint32(_FIRST_DIFFERING))


def _of_others(
    cents: Numbers, computed: Numbers, number: npt.NDArray[np.uint32], undeclared: Holds, kind: Kind
) -> dict[str, Numbers]:
    """What rows other than equal add to counts and sums; those not declared are taken off them again.

    An amount within its bounds counts as declared: no month tells another one.
    """
    missed = (number == _NOT_COMPUTED) & ~undeclared
    return {
        f"{kind}s": -undeclared.astype(np.int64),
        f"computed_{kind}_cents": np.where(number == _WITHIN, cents - computed, 0)
        - np.where(undeclared & (computed != UNKNOWN), computed, 0),
        f"{kind}s_not_computable": missed.astype(np.int64),
        f"missed_{kind}_cents": np.where(missed & (cents != UNDECLARED), cents, 0),
        f"{kind}_differences": ((number >= _FIRST_DIFFERING) & (number <= _LAST_DIFFERING)).astype(np.int64),
    }


def employer_accounts(declarations: pl.DataFrame, totals: list[Added]) -> pl.DataFrame:
    """One row per declaration: totals declared and computed, and what the computation covers.

    Args:
        declarations: one row per declaration with filing, version, quarter, employer, net_owed_amount and
            declared_compensation_cents.
        totals: those of all differences of the same declarations.

    Returns:
        A frame of EMPLOYER_ACCOUNT. Deductions that are computed but not declared count as a difference alone.
    """
    # The last number, one more than there are declarations, takes what belongs to none.
    sums = {name: np.zeros(declarations.height + 1, np.int64) for name in _NAMES}
    for place, added in totals:
        for name, values in added.items():
            np.add.at(sums[name], place, values)
    covered = {
        f"covered_{kind}_cents": sums[f"declared_{kind}_cents"] - sums[f"missed_{kind}_cents"] for kind in _KINDS
    }
    differences = sums["contribution_differences"] + sums["deduction_differences"]
    own = [pl.Series(name, values[:-1]) for name, values in {**sums, **covered, "differences": differences}.items()]
    return account(
        declarations.hstack(own).with_columns(
            entry=pl.lit(entries.ORIGINAL, dtype=ENTRY), declared_net_cents="net_owed_amount"
        )
    )


_NAMES: Final = [f"{name}{kind}{end}" for kind in _KINDS for name, end in _TOTALS]


def account(rows: pl.DataFrame) -> pl.DataFrame:
    """Totals as a frame of EMPLOYER_ACCOUNT: with what they leave to pay, and to which side that is booked.

    Args:
        rows: all columns of EMPLOYER_ACCOUNT but those that follow from others.
    """
    return rows.select(_ACCOUNT)


def _account() -> list[pl.Expr]:
    summed = (
        pl.col("declared_contribution_cents")
        - pl.col("declared_deduction_cents")
        - pl.col("declared_compensation_cents")
    )
    replaced = (pl.col("computed_contribution_cents") - pl.col("covered_contribution_cents")) - (
        pl.col("computed_deduction_cents") - pl.col("covered_deduction_cents")
    )
    own = {
        "summed_net_cents": summed,
        "computed_net_cents": summed + replaced,
        "debit_cents": summed.clip(lower_bound=0),
        "credit_cents": (-summed).clip(lower_bound=0),
    }
    return [own.get(name, pl.col(name)).cast(kind).alias(name) for name, kind in EMPLOYER_ACCOUNT.items()]


_ACCOUNT: Final = _account()
