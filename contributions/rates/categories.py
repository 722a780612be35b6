"""Structural category and ceiling rate of an employer class, and the worker codes with their own.

The official file of a quarter tells the ceiling of each worker code; the category is in no official file.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import polars as pl

from contributions.rates import seed
from contributions.rates.book import RateBook
from contributions.rates.changed import changed_classes, changed_exceptions
from contributions.simulation.changes import Changes
from contributions.trust import COMPUTING, Trust
from dmfa.quarter import Quarter

STRUCTURAL: Final = "3000"


@lru_cache(maxsize=64)
def structural_classes(quarter: Quarter, asked: Trust = "B", changes: Changes | None = None) -> pl.DataFrame:
    """Structural category of each employer class.

    Args:
        quarter: the declaration's own quarter.
        asked: lowest trust that may compute, A or B.
        changes: what a simulation puts in the place of categories and ceilings.

    Returns:
        One row per employer_class: class_category ('1', '2' or '3'), class_ceiling in ten-thousandths, class_trust of
        both, class_category_trust; null where not confirmed. Outside the quarters of the seed tables there is no row.
    """
    rows = seed.table("category_groups")
    if not seed.FIRST <= quarter <= seed.LAST:
        rows = rows.clear()
    computing = [level for level in COMPUTING if level <= asked]
    ceiling_trust = _of_quarter(pl.col("trust"), quarter)
    category_trust = _of_quarter(pl.col("structural_trust"), quarter)
    found = rows.select(
        "employer_class",
        class_category=pl.when(category_trust.is_in(computing)).then(pl.col("structural_category")),
        class_ceiling=pl.when(ceiling_trust.is_in(computing)).then(seed.ten_thousandths(pl.col("ceiling_rate"))),
        class_trust=pl.max_horizontal(ceiling_trust, category_trust),
        class_category_trust=category_trust,
    )
    return changed_classes(found, changes) if changes is not None else found


@lru_cache(maxsize=64)
def structural_exceptions(
    quarter: Quarter, asked: Trust = "B", book: RateBook | None = None, changes: Changes | None = None
) -> pl.DataFrame:
    """Worker codes that have another category or ceiling than their employer class.

    Args:
        quarter: the declaration's own quarter.
        asked: lowest trust that may compute, A or B.
        book: the official files of the quarter; a ceiling of theirs comes before that of the seed tables.
        changes: what a simulation puts in the place of categories and ceilings, whatever their source.

    Returns:
        One row per (employer_class, worker_code): own_category, own_ceiling in ten-thousandths, own_trust, and
        named_with_class: true where the seed tables name the code, else null. Category and ceiling are null where not
        confirmed.
    """
    rows = seed.in_force(seed.table("structural_exceptions"), quarter)
    computing = [level for level in COMPUTING if level <= asked]
    trusted = pl.col("trust").is_in(computing)
    of_seed = rows.select(
        "employer_class",
        "worker_code",
        own_category=pl.when(trusted).then(pl.col("structural_category")),
        own_ceiling=pl.when(trusted).then(seed.ten_thousandths(pl.col("ceiling_rate"))),
        own_trust="trust",
        named_with_class=pl.lit(True),
    )
    source = None if book is None else book.source("deduction_rate")
    if book is not None and source is not None and source.trust in computing:
        of_seed = _with_official(of_seed, structural_classes(quarter, asked), book, source.trust)
    if changes is None:
        return of_seed
    return changed_exceptions(of_seed, structural_classes(quarter, asked, changes), changes)


def _with_official(of_seed: pl.DataFrame, classes: pl.DataFrame, book: RateBook, trust: Trust) -> pl.DataFrame:
    """Ceilings of the official file, each with the category that the seed tables know for class or worker code.

    The trust of both together is the lower of the two.
    """
    ceilings = book.deduction_rate.filter(pl.col("deduction_code") == STRUCTURAL)
    keys = ["employer_class", "worker_code"]
    found = (
        ceilings.select(*keys, official="max_base_rate")
        .join(of_seed, on=keys, how="full", coalesce=True, maintain_order="left")
        .join(classes, on="employer_class", how="left", maintain_order="left")
        .with_columns(named=pl.col("named_with_class").fill_null(False))
    )
    category = pl.when("named").then("own_category").otherwise("class_category")
    known = found.select(
        *keys,
        own_category=category,
        own_ceiling=pl.coalesce("official", pl.when("named").then("own_ceiling").otherwise("class_ceiling")),
        own_trust=pl.when("named").then("own_trust").otherwise(pl.col("class_category_trust")),
        named_with_class="named_with_class",
        official=pl.col("official").is_not_null(),
    ).with_columns(
        own_trust=pl.when("official").then(pl.max_horizontal("own_trust", pl.lit(trust))).otherwise("own_trust")
    )
    return known.drop("official")


def _of_quarter(trust: pl.Expr, quarter: Quarter) -> pl.Expr:
    """What was read in 2026/3 officially is there A and B in the quarters before."""
    return trust if quarter == seed.LAST else trust.replace("A", "B")
