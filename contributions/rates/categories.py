"""Structural category and ceiling rate of an employer class, and the worker codes with their own."""

from __future__ import annotations

from functools import lru_cache

import polars as pl

from contributions.rates import seed
from contributions.trust import COMPUTING, Trust
from dmfa.quarter import Quarter


@lru_cache(maxsize=64)
def structural_classes(quarter: Quarter, asked: Trust = "B") -> pl.DataFrame:
    """Structural category of each employer class.

    Args:
        quarter: the declaration's own quarter.
        asked: lowest trust that may compute, A or B.

    Returns:
        One row per employer_class: class_category ('1', '2' or '3'), class_ceiling in ten-thousandths, class_trust;
        null where not confirmed. Outside the quarters of the seed tables there is no row.
    """
    rows = seed.table("category_groups")
    if not seed.FIRST <= quarter <= seed.LAST:
        rows = rows.clear()
    computing = [level for level in COMPUTING if level <= asked]
    ceiling_trust = _of_quarter(pl.col("trust"), quarter)
    category_trust = _of_quarter(pl.col("structural_trust"), quarter)
    return rows.select(
        "employer_class",
        class_category=pl.when(category_trust.is_in(computing)).then(pl.col("structural_category")),
        class_ceiling=pl.when(ceiling_trust.is_in(computing)).then(seed.ten_thousandths(pl.col("ceiling_rate"))),
        class_trust=pl.max_horizontal(ceiling_trust, category_trust),
    )


@lru_cache(maxsize=64)
def structural_exceptions(quarter: Quarter, asked: Trust = "B") -> pl.DataFrame:
    """Worker codes that have another category or ceiling than their employer class.

    Args:
        quarter: the declaration's own quarter.
        asked: lowest trust that may compute, A or B.

    Returns:
        One row per (employer_class, worker_code): own_category, own_ceiling in ten-thousandths, own_trust, and
        named_with_class (true). Category and ceiling are null where not confirmed.
    """
    rows = seed.in_force(seed.table("structural_exceptions"), quarter)
    trusted = pl.col("trust").is_in([level for level in COMPUTING if level <= asked])
    return rows.select(
        "employer_class",
        "worker_code",
        own_category=pl.when(trusted).then(pl.col("structural_category")),
        own_ceiling=pl.when(trusted).then(seed.ten_thousandths(pl.col("ceiling_rate"))),
        own_trust="trust",
        named_with_class=pl.lit(True),
    )


def _of_quarter(trust: pl.Expr, quarter: Quarter) -> pl.Expr:
    """What was read in 2026/3 officially is there A and B in the quarters before."""
    return trust if quarter == seed.LAST else trust.replace("A", "B")
