"""Runs the law over frames: declared tables in, computed frames out.

Each quarter is computed under its own law. A parameter or rate that is unknown, or not trusted enough, is met once per
rule and quarter; the lines concerned say so. Nothing here touches a file of declarations, a lake or a flow.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import polars as pl

from contributions import accounts, amounts, deductions, inputs
from contributions.columns import CONTRIBUTION, DEDUCTION, SCHEMAS
from contributions.inputs import Declared, Tables
from contributions.law import Law, law
from contributions.parameters import Reading
from contributions.places import rows_at
from contributions.rows import with_totals
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
        contributions, levies: what `amounts.contributions` returns.
        occupations: what `deductions.structural` returns.
    """

    declarations: pl.DataFrame
    lines: pl.DataFrame
    contributions: pl.DataFrame
    levies: pl.DataFrame
    occupations: pl.DataFrame


def compute(tables: Tables, *, trust: Literal["A", "B"] = "B", structural_2025_2: Reading = "") -> Computed:
    """Compute contributions, reductions and differences of whole declarations.

    Args:
        tables: the declared tables by name (employer_declaration, natural_person, worker_record, ...) with their
            columns as in the lake; a table or column that is absent counts as not declared. Every declaration is whole;
            quarters may differ.
        trust: lowest trust of a figure that may compute: B takes A and B, A takes A alone.
        structural_2025_2: which of two conflicting sources is followed for the structural reduction of 2025/2;
            without a choice it is not computable.

    Returns:
        Five frames, the rows of each in the order of the declared rows.

    Raises:
        ValueError: another trust than A or B, or a quarter that is none.
        ComputationFailed: a column holds what its zone cannot hold; the message quotes no value.
    """
    if trust not in COMPUTING:
        raise ValueError(f"trust {trust!r} never computes; ask for A or B")
    try:
        return _compute(tables, trust, structural_2025_2)
    except pl.exceptions.PolarsError as fault:
        kind = type(fault).__name__
    raise ComputationFailed(
        f"contributions could not be computed: the declared tables have an unexpected shape ({kind}).",
        "Check that they are tables of this lake, written by this version.",
    )


def _compute(tables: Tables, trust: Literal["A", "B"], reading: Reading) -> Computed:
    quarters = sorted(inputs.read(tables, "employer_declaration")["quarter"].unique().to_list())
    parts = []
    for quarter in quarters:
        own = tables if len(quarters) == 1 else inputs.of_quarter(tables, quarter)
        parts.append(_of_quarter(own, law(Quarter.from_code(quarter), trust, reading)))
    return Computed(
        **{
            name: pl.concat([getattr(part, name) for part in parts]) if parts else pl.DataFrame(schema=schema)
            for name, schema in SCHEMAS.items()
        }
    )


def _of_quarter(tables: Tables, rules: Law) -> Computed:
    declared = Declared(tables)
    found = worked_out(declared, rules)
    contribution = pl.concat(
        [amounts.contribution_rows(found.contributions, found.lines), *amounts.other_blocks(declared, found.lines)]
    )
    deduction = pl.concat(
        [
            *deductions.structural_rows(found.occupations, declared, found.lines),
            *deductions.other_deductions(declared, found.lines),
        ]
    )
    of_contributions, in_contributions = accounts.differences(contribution, "contribution", declared)
    of_deductions, in_deductions = accounts.differences(deduction, "deduction", declared)
    return Computed(
        basis=amounts.basis(found.contributions, found.levies, found.lines),
        contribution=contribution[list(CONTRIBUTION)],
        deduction=deduction[list(DEDUCTION)],
        difference=pl.concat([of_contributions, of_deductions]),
        employer_account=accounts.employer_accounts(found.declarations, [*in_contributions, *in_deductions]),
    )


def worked_out(declared: Declared, rules: Law) -> WorkedOut:
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
    return WorkedOut(
        inputs.declarations(declared),
        lines,
        *amounts.contributions(contribution, codes["contribution_worker_code"], lines, rules),
        deductions.structural(occupations, declared, lines, rules),
    )
