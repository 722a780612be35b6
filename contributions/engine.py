"""Runs the law over frames: declared tables in, computed frames out.

Each quarter is computed under its own law. A parameter or rate that is unknown, or not trusted enough, is met once per
rule and quarter; the lines concerned say so. Nothing here touches a file of declarations, a lake or a flow.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import polars as pl

from contributions import accounts, inputs, reasons, reductions
from contributions.columns import BASIS, COMPUTED, CONTRIBUTION, DEDUCTION, NOT_COMPUTABLE, SCHEMAS
from contributions.inputs import LINE, OCCUPATION, Tables
from contributions.law import Law, law
from contributions.rates import (
    OTHER_CLASS,
    contribution_rates,
    known_classes,
    structural_classes,
    structural_exceptions,
)
from contributions.rules.registry import Level
from dmfa.quarter import Quarter


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
    """
    quarters = sorted(inputs.declarations(tables)["quarter"].unique().to_list())
    parts = [
        _of_quarter(
            tables if len(quarters) == 1 else inputs.of_quarter(tables, quarter), law(Quarter.from_code(quarter), trust)
        )
        for quarter in quarters
    ]
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
    lines = _with_totals(lines, rules, "line", LINE, {**tables, "contribution": declared})
    for stage in rules.stages("line"):
        lines = lines.with_columns(stage)
    detailed = _contributions(declared.drop("employer_class", "worker_code"), lines, rules)
    contribution = pl.concat([_finished(detailed, CONTRIBUTION), *_other_blocks(tables, lines)])
    deduction = pl.concat([_structural(tables, lines, rules), *_other_deductions(tables, lines)])
    difference = accounts.differences(contribution, deduction)
    return Computed(
        basis=_basis(detailed, lines),
        contribution=contribution.select(*CONTRIBUTION),
        deduction=deduction.select(*DEDUCTION),
        difference=difference,
        employer_account=accounts.employer_accounts(inputs.declarations(tables), difference),
    )


def _with_totals(frame: pl.DataFrame, rules: Law, level: Level, keys: list[str], tables: Tables) -> pl.DataFrame:
    """Add the totals of a level: sums over each table below it, zero where it has no rows there."""
    for name in rules.tables(level):
        rows = tables[name] if name == "contribution" else inputs.read(tables, name)
        sums = rows.group_by(keys).agg(rules.totals(level, name))
        found = [column for column in sums.columns if column not in keys]
        unknown = [column for column in found if ("", column) not in rules.pieces]
        frame = frame.join(sums, on=keys, how="left", maintain_order="left").with_columns(
            pl.col([column for column in found if column not in unknown]).fill_null(0)
        )
    return frame


def _contributions(declared: pl.DataFrame, lines: pl.DataFrame, rules: Law) -> pl.DataFrame:
    """Each declared contribution with its basis, rate, amount, status and reason."""
    rates = contribution_rates(rules.quarter, rules.asked)
    class_key = pl.when(pl.col("employer_class").is_in(known_classes())).then("employer_class")
    frame = (
        declared.join(lines.drop("natural_person_ordinal"), on=LINE, how="left", maintain_order="left")
        .with_columns(class_key=class_key.otherwise(pl.lit(OTHER_CLASS)))
        .join(
            rates.rename({"employer_class": "class_key"}),
            on=["class_key", "contribution_worker_code", "contribution_type"],
            how="left",
            maintain_order="left",
        )
        .lazy()
    )
    for stage in rules.stages("contribution"):
        frame = frame.with_columns(stage)
    kinds = [scope for (scope, _), rule in rules.rules.items() if rule.kind == "contribution"]
    amounts, trusts, lacking = [], [], []
    for kind in kinds:
        here = pl.col("basis_kind") == kind
        piece = rules.pieces.get((kind, "amount_cents"))
        if piece is None:
            lacking.append(pl.when(here).then(pl.lit(rules.missing[(kind, "amount_cents")])))
        else:
            amounts.append(pl.when(here).then(piece.expression))
            trusts.append(pl.when(here).then(pl.max_horizontal("rate_trust", pl.lit(piece.trust))))
    conditions = [rule for rule in rules.of_subject("contribution") if ("", rule.name) in rules.pieces]
    nothing = pl.lit(None, dtype=pl.String)
    reason = pl.coalesce(
        pl.when(pl.col("basis_kind").is_null()).then(pl.lit(reasons.NO_RATE)),
        pl.when(~pl.col("basis_kind").is_in(kinds)).then(pl.lit(reasons.BASIS_NOT_IN_VERSION)),
        "rate_reason",
        *lacking,
        *(pl.when(rules.pieces[("", rule.name)].expression).then(pl.lit(rule.reason)) for rule in conditions),
        nothing,
    )
    known_kind = pl.col("basis_kind").is_in(kinds)
    return (
        frame.with_columns(
            amount_cents=pl.coalesce(*amounts, pl.lit(None, dtype=pl.Int64)),
            trust=pl.coalesce(*trusts, nothing),
            reason=reason,
        )
        .with_columns(
            basis_cents=pl.when(known_kind).then("basis_cents"),
            declared_cents="contribution_amount",
            declared_table=pl.lit("worker_contribution"),
            declared_ordinal="worker_contribution_ordinal",
        )
        .with_columns(_where_computed("amount_cents", "trust", "rate_source"))
        .with_columns(_status())
        .collect()
    )


def _where_computed(*names: str) -> list[pl.Expr]:
    return [pl.when(pl.col("reason").is_null()).then(pl.col(name)).alias(name) for name in names]


def _status() -> pl.Expr:
    computed = pl.col("reason").is_null()
    return pl.when(computed).then(pl.lit(COMPUTED)).otherwise(pl.lit(NOT_COMPUTABLE)).alias("status")


def _finished(frame: pl.DataFrame, schema: pl.Schema) -> pl.DataFrame:
    """The columns of a result frame with declared_cents beside them; what the rows do not have is null."""
    return frame.select(
        *(
            (pl.col(name) if name in frame.columns else pl.lit(None)).cast(kind).alias(name)
            for name, kind in schema.items()
        ),
        "declared_cents",
    )


def _not_in_version(frame: pl.DataFrame, schema: pl.Schema, table: str, amount: str) -> pl.DataFrame:
    """Declared rows of a block whose rule is not in this version."""
    return _finished(
        frame.with_columns(
            declared_table=pl.lit(table),
            declared_ordinal=pl.col(f"{table}_ordinal"),
            declared_cents=pl.col(amount),
            status=pl.lit(NOT_COMPUTABLE),
            reason=pl.lit(reasons.RULE_NOT_IN_VERSION),
        ),
        schema,
    )


def _other_blocks(tables: Tables, lines: pl.DataFrame) -> list[pl.DataFrame]:
    """Contributions that stand in blocks of their own; theirs is the code of the line where the block has none."""
    found = []
    own = lines.drop("natural_person_ordinal")
    for table, amount in inputs.LINE_BLOCKS.items():
        rows = inputs.read(tables, table)
        if not rows.is_empty():
            joined = rows.join(own, on=LINE, how="left", maintain_order="left")
            if "contribution_worker_code" not in joined.columns:
                joined = joined.with_columns(contribution_worker_code="worker_code")
            found.append(_not_in_version(joined, CONTRIBUTION, table, amount))
    unrelated = "contribution_unrelated_to_np"
    rows = inputs.read(tables, unrelated)
    if not rows.is_empty():
        joined = rows.join(inputs.declarations(tables), on="declaration_id", how="left", maintain_order="left").rename(
            {"unrelated_employer_class": "employer_class", "unrelated_worker_code": "contribution_worker_code"}
        )
        found.append(_not_in_version(joined, CONTRIBUTION, unrelated, "unrelated_amount"))
    return found


def _structural(tables: Tables, lines: pl.DataFrame, rules: Law) -> pl.DataFrame:
    """Structural reductions: each one declared, and each one not declared that computes to an amount."""
    deductions = inputs.read(tables, "occupation_deduction")
    declared = deductions.filter(pl.col("deduction_code") == reductions.STRUCTURAL)
    first = declared.group_by(OCCUPATION).agg(
        declared_ordinal=pl.col("occupation_deduction_ordinal").min(),
        declared_cents=pl.col("deduction_amount").sort_by("occupation_deduction_ordinal").first(),
    )
    specific = deductions.filter(pl.col("deduction_code").str.starts_with("1")).select(OCCUPATION).unique()
    agency = inputs.read(tables, "using_employer").drop_nulls("occupation_ordinal").select(OCCUPATION).unique()
    frame = (
        inputs.read(tables, "occupation")
        .join(_categories(lines, rules).drop("natural_person_ordinal"), on=LINE, how="left", maintain_order="left")
        .join(first, on=OCCUPATION, how="left", maintain_order="left")
        .join(agency.with_columns(agency=pl.lit(True)), on=OCCUPATION, how="left", maintain_order="left")
        .join(specific.with_columns(specific=pl.lit(True)), on=OCCUPATION, how="left", maintain_order="left")
        .with_columns(pl.col("agency", "specific").fill_null(False))
    )
    result = reductions.structural(_with_totals(frame, rules, "occupation", OCCUPATION, tables), rules)
    is_declared = pl.col("declared_ordinal").is_not_null()
    wanted = is_declared | ((pl.col("amount_cents") > 0) & ~pl.col("specific"))
    once = result.filter(wanted.fill_null(False)).with_columns(
        deduction_code=pl.lit(reductions.STRUCTURAL),
        declared_table=pl.when(is_declared).then(pl.lit("occupation_deduction")),
        declared_cents=pl.when(is_declared).then(pl.col("declared_cents").fill_null(0)),
    )
    return pl.concat([_finished(once, DEDUCTION), _repeated(declared, once)])


def _repeated(declared: pl.DataFrame, once: pl.DataFrame) -> pl.DataFrame:
    """A reduction declared again on the same occupation: nothing more is due where the first one could be computed."""
    again = declared.join(once, on=[*OCCUPATION], how="inner", suffix="_of_first", maintain_order="left").filter(
        pl.col("occupation_deduction_ordinal") != pl.col("declared_ordinal")
    )
    return _finished(
        again.with_columns(
            declared_ordinal="occupation_deduction_ordinal",
            declared_cents=pl.col("deduction_amount").fill_null(0),
            amount_cents=pl.when(pl.col("amount_cents").is_not_null()).then(0).cast(pl.Int64),
        ),
        DEDUCTION,
    )


def _categories(lines: pl.DataFrame, rules: Law) -> pl.DataFrame:
    """Add structural category, ceiling rate and their trust to worker lines."""
    classes = structural_classes(rules.quarter, rules.asked)
    exceptions = structural_exceptions(rules.quarter, rules.asked)
    named = pl.col("named_with_class").is_not_null()
    category = pl.when(named).then("own_category").otherwise("class_category")
    return (
        lines.join(classes, on="employer_class", how="left", maintain_order="left")
        .join(exceptions, on=["employer_class", "worker_code"], how="left", maintain_order="left")
        .with_columns(
            structural_category=category,
            structural_scope=pl.lit("structural_reduction/category_") + category,
            ceiling_rate=pl.when(named).then("own_ceiling").otherwise("class_ceiling"),
            category_trust=pl.when(named).then("own_trust").otherwise("class_trust"),
        )
    )


def _other_deductions(tables: Tables, lines: pl.DataFrame) -> list[pl.DataFrame]:
    """Every declared deduction whose rule is not in this version."""
    found = []
    own = lines.drop("natural_person_ordinal")
    rows = inputs.read(tables, "occupation_deduction").filter(pl.col("deduction_code") != reductions.STRUCTURAL)
    if not rows.is_empty():
        numbers = inputs.read(tables, "occupation").select(*OCCUPATION, "occupation_sequence_nbr")
        joined = rows.join(own, on=LINE, how="left", maintain_order="left").join(
            numbers, on=OCCUPATION, how="left", maintain_order="left"
        )
        found.append(_not_in_version(joined, DEDUCTION, "occupation_deduction", "deduction_amount"))
    rows = inputs.read(tables, "worker_deduction")
    if not rows.is_empty():
        joined = rows.join(own, on=LINE, how="left", maintain_order="left")
        found.append(_not_in_version(joined, DEDUCTION, "worker_deduction", "deduction_amount"))
    return found


def _basis(contributions: pl.DataFrame, lines: pl.DataFrame) -> pl.DataFrame:
    """One row per worker line and share of the wage on which it declares contributions."""
    declared = pl.col("contribution_calculation_basis")
    distance = pl.max_horizontal(
        (pl.col("declared_lowest_cents") - pl.col("basis_cents")).abs(),
        (pl.col("declared_highest_cents") - pl.col("basis_cents")).abs(),
    )
    return (
        contributions.filter(pl.col("basis_cents").is_not_null())
        .group_by("line_row", "contribution_share")
        .agg(
            pl.col("basis_cents").first(),
            contributions=pl.len().cast(pl.Int64),
            declared_lowest_cents=declared.min(),
            declared_highest_cents=declared.max(),
        )
        .sort("line_row", "contribution_share")
        .join(lines, on="line_row", how="left", maintain_order="left")
        .with_columns(
            basis_kind=pl.lit("ordinary"),
            share_percent=pl.col("contribution_share") // 100,
            wage_cents="ordinary_wage_cents",
            outcome=pl.when(distance.is_null())
            .then(pl.lit(accounts.MISSING))
            .when(distance == 0)
            .then(pl.lit(accounts.EQUAL))
            .when(distance == 1)
            .then(pl.lit(accounts.ROUNDING))
            .otherwise(pl.lit(accounts.DIFFERS)),
        )
        .select(pl.col(name).cast(kind) for name, kind in BASIS.items())
    )
