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
from contributions.inputs import LINE, Tables
from contributions.law import Law, law
from contributions.rows import finished, with_totals
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


def compute(tables: Tables, *, trust: Literal["A", "B"] = "B") -> Computed:
    """Compute contributions, reductions and differences of whole declarations.

    Args:
        tables: the declared tables by name (employer_declaration, natural_person, worker_record, ...) with their
            columns as in the lake; a table or column that is absent counts as not declared. Every declaration is whole;
            quarters may differ.
        trust: lowest trust of a figure that may compute: B takes A and B, A takes A alone.

    Returns:
        Five frames, the rows of each in the order of the declared rows.

    Raises:
        ValueError: another trust than A or B, or a quarter that is none.
        ComputationFailed: a column holds what its zone cannot hold; the message quotes no value.
    """
    if trust not in COMPUTING:
        raise ValueError(f"trust {trust!r} never computes; ask for A or B")
    try:
        return _compute(tables, trust)
    except pl.exceptions.PolarsError as fault:
        kind = type(fault).__name__
    raise ComputationFailed(
        f"contributions could not be computed: the declared tables have an unexpected shape ({kind}).",
        "Check that they are tables of this lake, written by this version.",
    )


def _compute(tables: Tables, trust: Literal["A", "B"]) -> Computed:
    quarters = sorted(inputs.declarations(tables)["quarter"].unique().to_list())
    parts = []
    for quarter in quarters:
        own = tables if len(quarters) == 1 else inputs.of_quarter(tables, quarter)
        parts.append(_of_quarter(own, law(Quarter.from_code(quarter), trust)))
    return Computed(
        **{
            name: pl.concat([getattr(part, name) for part in parts]) if parts else pl.DataFrame(schema=schema)
            for name, schema in SCHEMAS.items()
        }
    )


def _of_quarter(tables: Tables, rules: Law) -> Computed:
    lines = inputs.lines(tables)
    declared = inputs.read(tables, "worker_contribution").join(
        lines.select(*LINE, "employer_class", "worker_code"), on=LINE, how="left", maintain_order="left"
    )
    lines = with_totals(lines, rules, "line", LINE, {**tables, "contribution": declared})
    for stage in rules.stages("line"):
        lines = lines.with_columns(stage)
    detailed = amounts.contributions(declared.drop("employer_class", "worker_code"), lines, rules)
    contribution = pl.concat([finished(detailed, CONTRIBUTION), *amounts.other_blocks(tables, lines)])
    deduction = pl.concat([deductions.structural(tables, lines, rules), *deductions.other_deductions(tables, lines)])
    difference = accounts.differences(contribution, deduction)
    return Computed(
        basis=amounts.basis(detailed, lines),
        contribution=contribution.select(*CONTRIBUTION),
        deduction=deduction.select(*DEDUCTION),
        difference=difference,
        employer_account=accounts.employer_accounts(inputs.declarations(tables), difference),
    )
