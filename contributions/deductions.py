"""Deductions: each one declared, and each structural reduction that is due without being declared."""

from __future__ import annotations

from functools import lru_cache

import polars as pl

from contributions import reductions
from contributions.columns import DEDUCTION
from contributions.inputs import OF_LINE, Declared
from contributions.law import Law
from contributions.places import rows_at, spread
from contributions.rates import structural_classes, structural_exceptions
from contributions.rates.grid import Grid
from contributions.rows import finished, not_in_version
from contributions.trust import Trust
from dmfa.quarter import Quarter


def structural(occupations: pl.DataFrame, declared: Declared, lines: pl.DataFrame, rules: Law) -> pl.DataFrame:
    """The structural reduction of every occupation, declared or not, with every piece of its calculation.

    Args:
        occupations: rows of occupation with their totals and the place of their line.
        declared: the declared tables.
        lines: the worker lines with their totals and pieces.
        rules: the law of their quarter.

    Returns:
        The occupations in their order, with declared_ordinal, declared_cents (null where not declared), `wanted` (it is
        declared, or computes to an amount that is due), amount_cents, trust, status and reason. A reduction that is not
        declared is due only where the occupation declares none that excludes it (codes 1xxx, the reductions of single
        employers).
    """
    deductions = declared.placed("occupation_deduction")
    structural = deductions.filter(pl.col("deduction_code") == reductions.STRUCTURAL)
    specific = deductions.filter(pl.col("deduction_code").str.starts_with("1"))
    reads = rules.reads("occupation")
    of_line = [name for name in lines.columns if name in reads and name not in occupations.columns]
    height = occupations.height
    result = reductions.structural(
        occupations.hstack(rows_at(lines.select(of_line), occupations["worker_record"]))
        .hstack(rows_at(_category(lines, rules), occupations["worker_record"]))
        .hstack(_first(structural, height))
        .hstack([_marked(declared.placed("using_employer"), height, "agency"), _marked(specific, height, "specific")]),
        rules,
    )
    due = (pl.col("amount_cents") > 0) & ~pl.col("specific")
    return result.with_columns(wanted=pl.col("declared_ordinal").is_not_null() | due.fill_null(False))


def structural_rows(detailed: pl.DataFrame, declared: Declared, lines: pl.DataFrame) -> list[pl.DataFrame]:
    """What `structural` returns as frames of DEDUCTION with declared_cents beside it, where it is wanted."""
    wanted = [name for name in detailed.columns if name in (*DEDUCTION, "declared_cents", "worker_record")]
    once = rows_at(detailed[wanted], detailed["wanted"].arg_true())
    of_line = [name for name in OF_LINE if name not in once.columns]
    once = once.hstack(rows_at(lines.select(of_line), once["worker_record"])).with_columns(
        deduction_code=pl.lit(reductions.STRUCTURAL),
        declared_table=pl.when(pl.col("declared_ordinal").is_not_null()).then(pl.lit("occupation_deduction")),
    )
    found = finished(once, DEDUCTION)
    every = declared.rows("occupation_deduction").filter(pl.col("deduction_code") == reductions.STRUCTURAL)
    return [found] if every.height == once["declared_ordinal"].count() else [found, _repeated(every, once)]


def _first(structural: pl.DataFrame, height: int) -> pl.DataFrame:
    """Ordinal and amount of the first structural reduction that each occupation declares, null where it has none."""
    first = structural.select(
        "occupation",
        declared_ordinal="occupation_deduction_ordinal",
        declared_cents=pl.col("deduction_amount").fill_null(0),
    ).drop_nulls("occupation")
    if first["occupation"].n_unique() < first.height:
        first = first.sort("occupation", "declared_ordinal").unique("occupation", keep="first")
    return spread(first, first["occupation"], height).drop("occupation")


def _marked(rows: pl.DataFrame, height: int, name: str) -> pl.Series:
    """Whether each occupation is among those to which some rows belong."""
    none = pl.Series(name, [False]).new_from_index(0, height)
    return none.scatter(rows["occupation"].drop_nulls(), True)


def _repeated(declared: pl.DataFrame, once: pl.DataFrame) -> pl.DataFrame:
    """A reduction declared again on the same occupation: nothing more is due where the first one could be computed."""
    keys = ["declaration_id", "occupation_ordinal"]
    again = declared.join(once, on=keys, how="inner", suffix="_of_first", maintain_order="left").filter(
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


@lru_cache(maxsize=64)
def _categories(quarter: Quarter, asked: Trust) -> tuple[Grid, Grid, pl.DataFrame]:
    """Grids over employer classes, and over those with a worker code, and the rows that both lead to.

    The rows: structural_category, structural_scope, ceiling_rate in ten-thousandths, category_trust, named_with_class;
    first those of the classes, then those of single worker codes, then one of nulls for all other classes.
    """
    classes, codes = structural_classes(quarter, asked), structural_exceptions(quarter, asked)
    rows = pl.concat(
        [
            classes.select(
                structural_category="class_category", ceiling_rate="class_ceiling", category_trust="class_trust"
            ),
            codes.select(
                "named_with_class",
                structural_category="own_category",
                ceiling_rate="own_ceiling",
                category_trust="own_trust",
            ),
            pl.DataFrame({"structural_category": [None]}, schema={"structural_category": pl.String}),
        ],
        how="diagonal",
    ).with_columns(structural_scope=pl.lit("structural_reduction/category_") + pl.col("structural_category"))
    return Grid(classes, ["employer_class"]), Grid(codes, ["employer_class", "worker_code"]), rows


def _category(lines: pl.DataFrame, rules: Law) -> pl.DataFrame:
    """Structural category, ceiling rate and their trust of each worker line."""
    classes, codes, rows = _categories(rules.quarter, rules.asked)
    of_class = classes.rows(classes.numbers(lines, "employer_class"), otherwise=rows.height - 1)
    of_code = codes.rows(codes.numbers(lines, "employer_class", "worker_code"))
    found = pl.select(pl.coalesce(pl.lit(of_code) + classes.height, pl.lit(of_class))).to_series()
    return rows[found]


def other_deductions(declared: Declared, lines: pl.DataFrame) -> list[pl.DataFrame]:
    """Every declared deduction whose rule is not in this version.

    Returns:
        Frames of DEDUCTION with declared_cents beside it, one for each table that has rows.
    """
    found = []
    rows = declared.placed("occupation_deduction").filter(pl.col("deduction_code") != reductions.STRUCTURAL)
    if not rows.is_empty():
        number = rows_at(declared.rows("occupation")[["occupation_sequence_nbr"]], rows["occupation"])
        joined = rows.hstack(number).hstack(rows_at(lines.select(OF_LINE), rows["worker_record"]))
        found.append(not_in_version(joined, DEDUCTION, "occupation_deduction", "deduction_amount"))
    rows = declared.placed("worker_deduction")
    if not rows.is_empty():
        joined = rows.hstack(rows_at(lines.select(OF_LINE), rows["worker_record"]))
        found.append(not_in_version(joined, DEDUCTION, "worker_deduction", "deduction_amount"))
    return found
