"""A quarter under the law and under changed figures, side by side: each amount before and after.

Both laws run over the very same rows. What comes out is no computation of the quarter: `Simulated` has no frame of a
table of the lake, and no person's number.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np
import polars as pl

from contributions.arrays import numbers
from contributions.categories import categories
from contributions.columns import KIND
from contributions.engine import ComputationFailed, WorkedOut, rows_of, worked_out
from contributions.inputs import Declared, Tables
from contributions.law import Law, law
from contributions.parameters import ParameterFault, ParameterUnknown, Reading
from contributions.places import NO_ID, filled
from contributions.rates import contribution_rates
from contributions.reference import NOTHING, Reference
from contributions.rules import all_rules
from contributions.rules.target_groups import REGIONS, TARGET_GROUPS
from contributions.simulation.changes import ChangeFault, Changes
from contributions.trust import Trust
from dmfa.quarter import Quarter

LINE: Final = pl.Schema(
    {
        "declaration": pl.UInt32(),
        "structural_category": pl.String(),
        "region": pl.String(),
        "wage_cents": pl.Int64(),
    }
)

AMOUNT: Final = pl.Schema(
    {
        "kind": KIND,
        "code": pl.String(),
        "type": pl.Int64(),
        "declaration": pl.UInt32(),
        "line": pl.UInt32(),
        "before_cents": pl.Int64(),
        "after_cents": pl.Int64(),
    }
)

_KEYS: Final = ("kind", "declaration_id", "worker_record_ordinal", "occupation_ordinal", "code", "type")
"""What tells a row that answers no declared one from the others."""


@dataclass(frozen=True, slots=True)
class Simulated:
    """One quarter of whole declarations under both laws.

    Attributes:
        changes: what the second law has changed.
        declarations: noss_registration_nbr and persons of each declaration.
        lines: a frame of LINE: the row of its declaration, structural category by the law and region of the local unit
            (null where not known), and wage at 100 % in cents.
        amounts: a frame of AMOUNT: contributions and deductions, declared ones and what is due without being declared,
            with the rows of their declaration and line (null where they belong to none), and both amounts in cents
            (null where not computable).
    """

    changes: Changes
    declarations: pl.DataFrame
    lines: pl.DataFrame
    amounts: pl.DataFrame


def verified(
    changes: Changes, quarter: Quarter, *, trust: Trust, structural_2025_2: Reading, reference: Reference = NOTHING
) -> None:
    """Check changes against what is known of their quarter.

    Raises:
        ChangeFault: a rate or an employer class is not there, a rate is changed that the law does not use, or no rule
            can be made of a figure.
    """
    own = {code: rule.function for rule in all_rules() if rule.in_force(quarter) for code in rule.codes}
    for change in changes.rates:
        if change.code in own:
            raise change.place.fault(
                f"contribution {change.code} has no rate: its figures are parameters.", "Change them under parameters."
            )
    try:
        changed = law(quarter, trust, structural_2025_2, reference.book, changes)
    except (ParameterFault, ValueError, ArithmeticError):
        raise _unfit(changes, quarter) from None
    contribution_rates(quarter, trust, reference.book, changes)
    categories(changed)


def _unfit(changes: Changes, quarter: Quarter) -> ChangeFault:
    """The fault of the first parameter of whose value no rule can be made."""
    for parameter in changes.parameters:
        try:
            law(quarter, changes=Changes(changes.name, (parameter,)))
        except (ParameterFault, ValueError, ArithmeticError):
            todo = "Give one like its own: as many codes, or as many decimals."
            return ChangeFault(f"no rule of the law can be made of the value given for {parameter.name}.", todo)
    return ChangeFault("no rule of the law can be made of some of the values given together.", "Change fewer at once.")


def simulate(
    tables: Tables,
    quarter: Quarter,
    changes: Changes,
    *,
    trust: Literal["A", "B"] = "B",
    structural_2025_2: Reading = "",
    reference: Reference = NOTHING,
) -> Simulated:
    """Compute declarations of one quarter under its law and under changed figures.

    Args:
        tables: the declared tables, as `contributions.compute` takes them, all of the quarter.
        quarter: the quarter.
        changes: what is changed.
        trust: lowest trust of a figure that may compute.
        structural_2025_2: which of two conflicting sources is followed.
        reference: official rate files and employers of the quarter.

    Raises:
        ChangeFault: as `verified`.
        ComputationFailed: a column holds what its zone cannot hold; the message quotes no value.
    """
    try:
        laws = [law(quarter, trust, structural_2025_2, reference.book, changed) for changed in (None, changes)]
        return _simulated(Declared(tables), laws, changes, reference)
    except pl.exceptions.PolarsError as fault:
        kind = type(fault).__name__
    raise ComputationFailed(
        f"the quarter could not be simulated: the declared tables have an unexpected shape ({kind}).",
        "Check that they are tables of this lake, written by this version.",
    )


def _simulated(declared: Declared, laws: list[Law], changes: Changes, reference: Reference) -> Simulated:
    before, after = (worked_out(declared, one, reference) for one in laws)
    wanted = before.occupations["wanted"] | after.occupations["wanted"]
    amounts = [_amounts(_wanting(found, wanted), declared) for found in (before, after)]
    category = categories(laws[0])
    return Simulated(
        changes,
        before.declarations[["noss_registration_nbr"]].hstack([_persons(declared, before.declarations.height)]),
        pl.DataFrame(
            [
                declared.placed("worker_record")["employer_declaration"].alias("declaration"),
                category.rows["structural_category"][category.of_lines(before.lines)],
                regions(declared, laws[0]),
                before.lines["ordinary_wage_cents"].alias("wage_cents"),
            ],
            schema=LINE,
        ),
        _placed(_beside(*amounts), declared),
    )


def regions(declared: Declared, rules: Law) -> pl.Series:
    """Region of each worker line's local unit: that of the line, else of its first occupation; null where not known.

    The number of a local unit tells a region only where it stands for one that has no number of its own.
    """
    told: dict[int, str] = {}
    for name in (*REGIONS, "abroad"):
        with suppress(ParameterUnknown):
            told |= {int(unit): name for unit in rules.parameters().codes(f"{TARGET_GROUPS}/establishments/{name}")}
    occupations = declared.placed("occupation")
    line, unit = occupations["worker_record"], occupations["local_unit_id"]
    known = (line.is_not_null() & unit.is_not_null()).reverse().arg_true()
    own = declared.rows("worker_record")["local_unit_id"]
    # Scattered from the last to the first, so that the first stays.
    first = filled(None, pl.Int64(), len(own)).scatter(line.reverse()[known], unit.reverse()[known])
    units = own.zip_with(own.is_not_null(), first)
    return units.replace_strict(told, default=None, return_dtype=pl.String).alias("region")


def _persons(declared: Declared, height: int) -> pl.Series:
    """Number of persons of each declaration."""
    own = declared.declarations(numbers(declared.rows("natural_person")["declaration_id"], NO_ID))
    counted = np.zeros(height, np.int64)
    np.add.at(counted, own[own >= 0], 1)
    return pl.Series("persons", counted)


def _wanting(found: WorkedOut, wanted: pl.Series) -> WorkedOut:
    """The same with each reduction that either law makes due: under the other one it may be zero or not computable."""
    return replace(found, occupations=found.occupations.with_columns(wanted))


def _amounts(found: WorkedOut, declared: Declared) -> pl.DataFrame:
    """Contributions and deductions: _KEYS, amount_cents, and whether they answer no declared row."""
    contribution, deduction = rows_of(found, declared)
    return pl.concat(
        [
            _told(contribution, "contribution", "contribution_worker_code", contribution["contribution_type"]),
            _told(deduction, "deduction", "deduction_code", filled(None, pl.Int64(), deduction.height)),
        ],
        rechunk=True,
    )


def _told(rows: pl.DataFrame, kind: str, code: str, type_: pl.Series) -> pl.DataFrame:
    return pl.DataFrame(
        [
            filled(kind, KIND, rows.height, "kind"),
            *rows[["declaration_id", "worker_record_ordinal", "occupation_ordinal"]],
            rows[code].alias("code"),
            type_.alias("type"),
            rows["amount_cents"],
            rows["declared_table"].is_null().alias("undeclared"),
        ]
    )


def _beside(before: pl.DataFrame, after: pl.DataFrame) -> pl.DataFrame:
    """Rows of both laws as one: _KEYS, before_cents and after_cents.

    What is due without being declared may be so under one law alone: it is zero under the other.
    """
    rows = [frame.filter(~frame["undeclared"]) if frame["undeclared"].any() else frame for frame in (before, after)]
    both = rows[0][list(_KEYS)].hstack(
        [one["amount_cents"].alias(name) for one, name in zip(rows, _CENTS, strict=True)]
    )
    further = [frame.filter(frame["undeclared"]) for frame in (before, after)]
    if all(frame.is_empty() for frame in further):
        return both
    joined = further[0].join(
        further[1], on=_KEYS, how="full", nulls_equal=True, coalesce=True, maintain_order="left_right", suffix="_after"
    )
    alone = [joined[name].is_null() for name in ("undeclared", "undeclared_after")]
    amounts = [joined["amount_cents"], joined["amount_cents_after"]]
    cents = [
        one.scatter(none.arg_true(), 0).alias(name) for one, none, name in zip(amounts, alone, _CENTS, strict=True)
    ]
    return pl.concat([both, joined[list(_KEYS)].hstack(cents)])


_CENTS: Final = ("before_cents", "after_cents")


def _placed(rows: pl.DataFrame, declared: Declared) -> pl.DataFrame:
    """Rows as a frame of AMOUNT."""
    found = declared.place(rows, "employer_declaration", "worker_record").rename(
        {"employer_declaration": "declaration", "worker_record": "line"}
    )
    return found[list(AMOUNT)]
