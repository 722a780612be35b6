"""Runs the law over frames: declared tables in, computed frames out.

Each quarter is computed under its own law. A parameter or rate that is unknown, or not trusted enough, is met once per
rule and quarter; the lines concerned say so. Nothing here touches a file of declarations, a lake or a flow.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import polars as pl

from contributions import (
    accounts,
    amounts,
    blocks,
    deductions,
    inputs,
    owing,
    personal,
    special,
    target_groups,
    wage_limit,
)
from contributions.columns import CONTRIBUTION, DEDUCTION, SCHEMAS
from contributions.inputs import Declared, Tables
from contributions.law import Law, law
from contributions.parameters import Reading
from contributions.personal import Personal
from contributions.places import rows_at
from contributions.reference import NOTHING, Reference, References
from contributions.rows import with_totals
from contributions.special import Special
from contributions.trust import COMPUTING
from dmfa.errors import DmfaError
from dmfa.quarter import Quarter


class ComputationFailed(DmfaError):
    """The tables handed over are not those that a computation reads."""


@dataclass(frozen=True, slots=True)
class Computed:
    """The results of a computation; columns.py describes every column.

    Attributes:
        basis: basis of each worker line, beside the basis declared.
        contribution: each declared contribution, computed anew.
        deduction: each deduction, computed anew.
        difference: declared against computed.
        employer_account: totals of each declaration.
    """

    basis: pl.DataFrame
    contribution: pl.DataFrame
    deduction: pl.DataFrame
    difference: pl.DataFrame
    employer_account: pl.DataFrame

    def frames(self) -> dict[str, pl.DataFrame]:
        """The frames by the name of their table in the lake."""
        return {name: getattr(self, name) for name in SCHEMAS}


@dataclass(frozen=True, slots=True)
class WorkedOut:
    """All that a quarter's law says about declared tables, piece by piece.

    Attributes:
        declarations: what `inputs.declarations` returns.
        lines: worker lines with their totals and pieces.
        contributions, levies: what `amounts.contributions` returns; what is not owed computes to zero.
        missing: what `owing.missing_rows` returns.
        blocks: what `blocks.of_quarter` returns, with its amounts.
        specials: contributions of special kinds with every piece of their calculation; part 0 is that of worker lines,
            those from 1 are the blocks.
        occupations: what `deductions.structural` returns.
        limited: what `wage_limit.reductions` returns.
        personal: what `personal.reductions` returns.
        target_groups: what `target_groups.target_groups` returns.
    """

    declarations: pl.DataFrame
    lines: pl.DataFrame
    contributions: pl.DataFrame
    levies: pl.DataFrame
    missing: pl.DataFrame
    blocks: list[pl.DataFrame]
    specials: list[Special]
    occupations: pl.DataFrame
    limited: pl.DataFrame
    personal: Personal
    target_groups: pl.DataFrame


def compute(
    tables: Tables,
    *,
    trust: Literal["A", "B"] = "B",
    structural_2025_2: Reading = "",
    references: References | None = None,
) -> Computed:
    """Compute contributions, reductions and differences of whole declarations.

    Args:
        tables: the declared tables by name (employer_declaration, natural_person, worker_record, ...) with their
            columns as in the lake; a table or column that is absent counts as not declared. Every declaration is whole;
            quarters may differ.
        trust: lowest trust of a figure that may compute: B takes A and B, A takes A alone.
        structural_2025_2: which of two conflicting sources is followed for the structural reduction of 2025/2;
            without a choice it is not computable.
        references: official rate files and employers of the quarters for which there are any.

    Returns:
        Five frames, the rows of each in the order of the declared rows.

    Raises:
        ValueError: another trust than A or B, or a quarter that is none.
        ComputationFailed: a column holds what its zone cannot hold; the message quotes no value.
    """
    if trust not in COMPUTING:
        raise ValueError(f"trust {trust!r} never computes; ask for A or B")
    try:
        return _compute(tables, trust, structural_2025_2, references or {})
    except pl.exceptions.PolarsError as fault:
        kind = type(fault).__name__
    raise ComputationFailed(
        f"contributions could not be computed: the declared tables have an unexpected shape ({kind}).",
        "Check that they are tables of this lake, written by this version.",
    )


def _compute(tables: Tables, trust: Literal["A", "B"], reading: Reading, references: References) -> Computed:
    quarters = sorted(inputs.read(tables, "employer_declaration")["quarter"].unique().to_list())
    parts = []
    for quarter in quarters:
        own = tables if len(quarters) == 1 else inputs.of_quarter(tables, quarter)
        known = references.get(quarter, NOTHING)
        parts.append(_of_quarter(own, law(Quarter.from_code(quarter), trust, reading, known.book), known))
    return Computed(
        **{
            name: pl.concat([getattr(part, name) for part in parts]) if parts else pl.DataFrame(schema=schema)
            for name, schema in SCHEMAS.items()
        }
    )


def _of_quarter(tables: Tables, rules: Law, reference: Reference) -> Computed:
    declared = Declared(tables)
    found = worked_out(declared, rules, reference)
    contribution, deduction = rows_of(found, declared)
    of_contributions, in_contributions = accounts.differences(contribution, "contribution", declared)
    of_deductions, in_deductions = accounts.differences(deduction, "deduction", declared)
    return Computed(
        basis=special.with_bases(
            amounts.basis(found.contributions, found.levies, found.lines), found.specials, found.lines
        ),
        contribution=contribution[list(CONTRIBUTION)],
        deduction=deduction[list(DEDUCTION)],
        difference=pl.concat([of_contributions, of_deductions]),
        employer_account=accounts.employer_accounts(found.declarations, [*in_contributions, *in_deductions]),
    )


def rows_of(found: WorkedOut, declared: Declared) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Contributions and deductions of what is worked out: CONTRIBUTION and DEDUCTION with declared_cents beside them.

    Under any law of the quarter the rows that answer declared ones stand in the same order.
    """
    contribution = pl.concat(
        [
            amounts.contribution_rows(found.contributions, found.lines),
            *([] if found.missing.is_empty() else [found.missing]),
            *(blocks.contribution_rows(rows, found.lines) for rows in found.blocks),
        ]
    )
    deduction = pl.concat(
        [
            *deductions.structural_rows(found.occupations, declared, found.lines),
            *deductions.other_deductions(
                declared,
                found.lines,
                {
                    "occupation_deduction": [found.target_groups],
                    "worker_deduction": [target_groups.misplaced(declared), found.limited, found.personal.deductions],
                },
            ),
        ]
    )
    return contribution, deduction


def worked_out(declared: Declared, rules: Law, reference: Reference = NOTHING) -> WorkedOut:
    """Every piece of every calculation of one quarter, which `compute` makes rows of and `explain` tells."""
    lines = inputs.lines(declared)
    remun = declared.placed("remun")
    contribution = declared.placed("worker_contribution")
    contribution = contribution.hstack(rows_at(lines[["worker_code"]], contribution["worker_record"]))
    codes = amounts.by_number(contribution, lines)
    lines = with_totals(lines, rules, "line", {"remun": remun, "contribution": codes})
    for stage in rules.stages("line"):
        lines = lines.with_columns(stage)
    occupations = with_totals(
        declared.placed("occupation"), rules, "occupation", {"remun": remun, "service": declared.placed("service")}
    )
    number = codes["contribution_worker_code"]
    contributions, levies = amounts.contributions(contribution, number, lines, rules)
    own = blocks.of_quarter(declared, lines, rules)
    few = [special.of_lines(contributions, levies), *(special.of_block(rows, rules) for rows in own)]
    specials = special.worked_out(few, lines, declared, rules)
    contributions = special.with_results(contributions, specials, 0, rules)
    owed, missing = owing.owing(contribution, number, lines, rules, reference), pl.DataFrame()
    if owed is not None:
        contributions = owing.settled(contributions, owed)
        missing = owing.missing_rows(contribution, owed, lines, rules)
    reduced = deductions.structural(occupations, declared, lines, rules)
    return WorkedOut(
        inputs.declarations(declared),
        lines,
        contributions,
        levies,
        missing,
        [special.with_results(rows, specials, part, rules) for part, rows in enumerate(own, start=1)],
        specials,
        reduced,
        wage_limit.reductions(contributions, lines, declared, rules),
        personal.reductions(contributions, reduced, lines, declared, rules),
        target_groups.target_groups(reduced, declared, lines, rules, reference),
    )
