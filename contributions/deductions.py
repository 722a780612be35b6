"""Deductions: each one declared, and each structural reduction that is due without being declared."""

from __future__ import annotations

import polars as pl

from contributions import inputs, reductions
from contributions.columns import DEDUCTION
from contributions.inputs import LINE, OCCUPATION, Tables
from contributions.law import Law
from contributions.rates import structural_classes, structural_exceptions
from contributions.rows import finished, not_in_version, with_totals


def structural(tables: Tables, lines: pl.DataFrame, rules: Law) -> pl.DataFrame:
    """Structural reductions: each one declared, and each one not declared that computes to an amount.

    A reduction that is not declared is told only where the occupation declares none that excludes it (codes 1xxx, the
    reductions of single employers).

    Args:
        tables: the declared tables.
        lines: the worker lines with their totals and pieces.
        rules: the law of their quarter.

    Returns:
        A frame of DEDUCTION with declared_cents beside it.
    """
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
        .pipe(_marked, "agency", agency)
        .pipe(_marked, "specific", specific)
    )
    result = reductions.structural(with_totals(frame, rules, "occupation", OCCUPATION, tables), rules)
    is_declared = pl.col("declared_ordinal").is_not_null()
    wanted = is_declared | ((pl.col("amount_cents") > 0) & ~pl.col("specific"))
    once = result.filter(wanted.fill_null(False)).with_columns(
        deduction_code=pl.lit(reductions.STRUCTURAL),
        declared_table=pl.when(is_declared).then(pl.lit("occupation_deduction")),
        declared_cents=pl.when(is_declared).then(pl.col("declared_cents").fill_null(0)),
    )
    found = finished(once, DEDUCTION)
    return found if declared.height == first.height else pl.concat([found, _repeated(declared, once)])


def _marked(occupations: pl.DataFrame, name: str, among: pl.DataFrame) -> pl.DataFrame:
    """Add a column that tells whether an occupation is among others."""
    if among.is_empty():
        return occupations.with_columns(pl.lit(False).alias(name))
    marks = among.with_columns(pl.lit(True).alias(name))
    return occupations.join(marks, on=OCCUPATION, how="left", maintain_order="left").with_columns(
        pl.col(name).fill_null(False)
    )


def _repeated(declared: pl.DataFrame, once: pl.DataFrame) -> pl.DataFrame:
    """A reduction declared again on the same occupation: nothing more is due where the first one could be computed."""
    again = declared.join(once, on=[*OCCUPATION], how="inner", suffix="_of_first", maintain_order="left").filter(
        pl.col("occupation_deduction_ordinal") != pl.col("declared_ordinal")
    )
    return finished(
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


def other_deductions(tables: Tables, lines: pl.DataFrame) -> list[pl.DataFrame]:
    """Every declared deduction whose rule is not in this version.

    Returns:
        Frames of DEDUCTION with declared_cents beside it, one for each table that has rows.
    """
    found = []
    own = lines.drop("natural_person_ordinal")
    rows = inputs.read(tables, "occupation_deduction").filter(pl.col("deduction_code") != reductions.STRUCTURAL)
    if not rows.is_empty():
        numbers = inputs.read(tables, "occupation").select(*OCCUPATION, "occupation_sequence_nbr")
        joined = rows.join(own, on=LINE, how="left", maintain_order="left").join(
            numbers, on=OCCUPATION, how="left", maintain_order="left"
        )
        found.append(not_in_version(joined, DEDUCTION, "occupation_deduction", "deduction_amount"))
    rows = inputs.read(tables, "worker_deduction")
    if not rows.is_empty():
        joined = rows.join(own, on=LINE, how="left", maintain_order="left")
        found.append(not_in_version(joined, DEDUCTION, "worker_deduction", "deduction_amount"))
    return found
