"""The account of a declaration as a ledger: what its original owes, then by how much each correction changes that.

Every row of a computation belongs to a person of the declaration, or to what it says of no person. No rule reads
across that border: the working time that is added up is that of one person, and the vehicles, the contributions
unrelated to a person and the compensation are the declaration's own. What the law knows of an employer (its size, the
quarters of a right that are used up) comes from other declarations, beside the tables. So a correction changes the
amounts of the units that it touches alone, and the sums of a ledger are the account of the state in force.

What is booked, to the debit or the credit of the employer, is the change of what is declared: that is what the employer
owes as long as nobody corrects it. The change of the computed amounts stands beside it.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from contributions import outcomes
from contributions.accounts import account

UNIT: Final = ("declaration_id", "natural_person_ordinal")
"""What is computed by itself: a person of a declaration; null for what belongs to no person."""

BEFORE: Final = 0
"""Stands for the version of a state before the first one that is told."""

COMPENSATION: Final = "declared_compensation_cents"

_DIFFERING: Final = (outcomes.DIFFERS, outcomes.MISSING, outcomes.SUPERFLUOUS)


def _sums() -> dict[str, pl.Expr]:
    declared = pl.col("declared_table").is_not_null()
    known = pl.col("outcome") != outcomes.NOT_COMPUTED
    cents = pl.col("declared_cents").fill_null(0)
    # An amount within its bounds counts as declared, and what is not declared counts as a difference alone.
    computed = (
        pl.when(pl.col("outcome") == outcomes.WITHIN).then(cents).otherwise(pl.col("computed_cents").fill_null(0))
    )
    found: dict[str, pl.Expr] = {}
    for kind in ("contribution", "deduction"):
        own = pl.col("kind") == kind
        found |= {
            f"{kind}s": (own & declared).cast(pl.Int64),
            f"{kind}s_not_computable": (own & declared & ~known).cast(pl.Int64),
            f"declared_{kind}_cents": pl.when(own).then(cents),
            f"covered_{kind}_cents": pl.when(own & known).then(cents),
            f"computed_{kind}_cents": pl.when(own & declared).then(computed),
        }
    return found | {"differences": pl.col("outcome").is_in(_DIFFERING).cast(pl.Int64)}


_SUMS: Final = _sums()
SUMS: Final = (*_SUMS, COMPENSATION)
"""The columns of EMPLOYER_ACCOUNT that are sums over the rows of a unit, or of its compensation."""


def totals(difference: pl.DataFrame) -> pl.DataFrame:
    """What the rows of each unit add to the account of its declaration.

    Args:
        difference: rows of DIFFERENCE, whole units; of a computation or of the lake.

    Returns:
        One row per unit that has rows: UNIT and SUMS without the compensation.
    """
    return difference.group_by(UNIT).agg(value.sum().alias(name) for name, value in _SUMS.items())


def state(units: pl.DataFrame, difference: pl.DataFrame, compensation: pl.DataFrame) -> pl.DataFrame:
    """The totals of some units at the version that stands beside them.

    Args:
        units: UNIT and version.
        difference: rows of DIFFERENCE of these units at that version.
        compensation: declaration_id and COMPENSATION of their declarations, which belongs to no person.

    Returns:
        One row per unit: UNIT, version and SUMS.
    """
    own = units.select(*UNIT, "version").join(totals(difference), on=UNIT, how="left", nulls_equal=True)
    of_none = own.join(compensation.select("declaration_id", own=COMPENSATION), on="declaration_id", how="left")
    unit_of_none = pl.col(UNIT[1]).is_null()
    return of_none.with_columns(
        *(pl.col(name).fill_null(0) for name in _SUMS),
        pl.when(unit_of_none).then(pl.col("own").fill_null(0)).otherwise(0).alias(COMPENSATION),
    ).drop("own")


def entries(touched: pl.DataFrame, states: pl.DataFrame, made: pl.DataFrame) -> pl.DataFrame:
    """The entries of corrections: by how much each one changes the account of its declaration.

    Args:
        touched: UNIT and version: each version of a declaration with each unit that it touches.
        states: UNIT, version and SUMS: the totals of these units at these versions, and before the first of them; a
            unit that has no rows there may be absent.
        made: declaration_id, filing_id, version, entry, quarter and noss_registration_nbr of each version.

    Returns:
        A frame of EMPLOYER_ACCOUNT, a row for each version, in the order of `made`. The net amount that a declaration
        declares in one sum is never declared anew.
    """
    keys = [*UNIT, "version"]
    version = pl.lit(BEFORE, dtype=pl.Int16).alias("version")
    every = pl.concat([touched.select(keys), touched.select(*UNIT, version)]).unique()
    known = every.join(states.select(*keys, *SUMS), on=keys, how="left", nulls_equal=True)
    at = known.with_columns(pl.col(SUMS).fill_null(0)).sort(keys)
    # The first row of each unit is the state before; what stands above that is of another unit.
    changes = at.with_columns(pl.col(SUMS) - pl.col(SUMS).shift(1))
    of_version = (
        changes.filter(pl.col("version") != BEFORE).group_by("declaration_id", "version").agg(pl.col(SUMS).sum())
    )
    told = made.join(of_version, on=["declaration_id", "version"], how="left", maintain_order="left")
    return account(told.with_columns(pl.col(SUMS).fill_null(0), declared_net_cents=pl.lit(0, dtype=pl.Int64)))


def original(in_force: pl.DataFrame, later: pl.DataFrame, first: pl.DataFrame) -> pl.DataFrame:
    """The entries of originals: the account of the state in force less what corrections have changed.

    Args:
        in_force: a frame of EMPLOYER_ACCOUNT, one row for each declaration in force.
        later: the entries of its corrections.
        first: filing_id, version, entry, quarter and noss_registration_nbr of the original of each declaration of
            `later`, with declared_net_cents.

    Returns:
        A frame of EMPLOYER_ACCOUNT, one row for each of `first`, in its order.
    """
    of_corrections = later.group_by("declaration_id").agg(-pl.col(SUMS).sum())
    stands = in_force.select("declaration_id", *SUMS)
    sums = pl.concat([stands, of_corrections.select(stands.columns)]).group_by("declaration_id").agg(pl.col(SUMS).sum())
    told = first.join(sums, on="declaration_id", how="left", maintain_order="left")
    return account(told.with_columns(pl.col(SUMS).fill_null(0)))
