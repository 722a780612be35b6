"""Which rate a class, contribution code and type has in a quarter.

The employer class itself is looked up first, then its group, then the private sector, then all; the first level that
has a row for code, type and quarter decides, even if that row may not compute.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import polars as pl

from contributions import reasons
from contributions.rates import seed
from contributions.trust import COMPUTING, Trust
from dmfa.quarter import Quarter

OTHER_CLASS: Final = "*"
"""Stands for every employer class that the seed tables do not name: only rates for all apply to it."""


@lru_cache(maxsize=1)
def known_classes() -> tuple[str, ...]:
    """The employer classes that the seed tables name."""
    return tuple(seed.table("category_groups")["employer_class"])


@lru_cache(maxsize=64)
def contribution_rates(quarter: Quarter, asked: Trust = "B") -> pl.DataFrame:
    """Every rate of a quarter, resolved to single employer classes.

    Args:
        quarter: the declaration's own quarter.
        asked: lowest trust that may compute, A or B.

    Returns:
        One row per (employer_class, contribution_worker_code, contribution_type), with basis_kind; rate_share, the
        share of the wage that is its basis, and rate, both in ten-thousandths (null where open); rate_source;
        rate_trust; rate_personal, rate_base and rate_moderation in ten-thousandths where they are told apart;
        rate_words, where it was read; rate_reason, null where the rate may compute. OTHER_CLASS stands for classes not
        named.
    """
    rows = seed.in_force(seed.table("contribution_rates"), quarter)
    found = (
        _levels(quarter)
        .join(rows, on="employer_group", how="inner")
        .sort("level")
        .unique(["employer_class", "contribution_code", "contribution_type"], keep="first", maintain_order=True)
    )
    trust = pl.max_horizontal("trust", "level_trust")
    reason = (
        pl.when(~trust.is_in([level for level in COMPUTING if level <= asked]))
        .then(pl.lit(reasons.RATE_BELOW_TRUST))
        .when(pl.col("total").is_null())
        .then(pl.lit(reasons.RATE_INCOMPLETE))
    )
    interval = pl.concat_str("from_quarter", pl.lit("-"), "to_quarter")
    return found.select(
        "employer_class",
        contribution_worker_code="contribution_code",
        contribution_type=pl.col("contribution_type").cast(pl.Int64),
        basis_kind="basis_kind",
        rate_share=seed.ten_thousandths(pl.col("basis_percent")),
        rate=seed.ten_thousandths(pl.col("total")),
        rate_source=pl.concat_str(pl.lit("seed "), "employer_group", pl.lit(" "), interval),
        rate_trust=trust,
        rate_personal=seed.ten_thousandths(pl.col("personal")),
        rate_base=seed.ten_thousandths(pl.col("base")),
        rate_moderation=seed.ten_thousandths(pl.col("moderation")),
        rate_words="source",
        rate_reason=reason,
    )


def _levels(quarter: Quarter) -> pl.DataFrame:
    """Class -> the levels of its look-up, each with the trust that the class belongs to it.

    A group was read in 2026/3 and is assumed to hold since 2022/1: before 2026/3 its trust A counts as B.
    """
    groups = seed.table("category_groups")
    group_trust = pl.col("trust") if quarter == seed.LAST else pl.col("trust").replace("A", "B")
    certain = pl.lit("A").alias("level_trust")
    own = groups.select(
        "employer_class",
        pl.lit(0).alias("level"),
        ("class_" + pl.col("employer_class")).alias("employer_group"),
        certain,
    )
    group = groups.select(
        "employer_class", pl.lit(1).alias("level"), "employer_group", group_trust.alias("level_trust")
    )
    private = groups.filter(pl.col("sector") == "private").select(
        "employer_class", pl.lit(2).alias("level"), pl.lit("private").alias("employer_group"), certain
    )
    named = pl.concat([groups.select("employer_class"), pl.DataFrame({"employer_class": [OTHER_CLASS]})])
    every = named.select("employer_class", pl.lit(3).alias("level"), pl.lit("all").alias("employer_group"), certain)
    return pl.concat([own, group, private, every])
