"""Which rate a class, contribution code and type has in a quarter.

The official file of the quarter comes first: where it has rates of a class and code, it alone tells them, and of which
types there are any. Among the seed rates the employer class itself is
looked up first, then its group, then the private sector, then all; the first level that has a row for code, type and
quarter decides, even if that row may not compute.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import polars as pl

from contributions import reasons
from contributions.rates import seed
from contributions.rates.book import RateBook
from contributions.rates.changed import FLAT, changed_rates
from contributions.simulation.changes import Changes
from contributions.trust import COMPUTING, Trust
from dmfa.quarter import Quarter

OTHER_CLASS: Final = "*"
"""Stands for every employer class that neither the seed tables nor the official file name: rates for all apply."""

UNKNOWN: Final = "unknown"
"""Kind of basis of an official rate whose code and type the seed tables do not have."""

_KEY: Final = ("employer_class", "contribution_worker_code", "contribution_type")


@lru_cache(maxsize=1)
def known_classes() -> tuple[str, ...]:
    """The employer classes that the seed tables name."""
    return tuple(seed.table("category_groups")["employer_class"])


@lru_cache(maxsize=64)
def contribution_rates(
    quarter: Quarter, asked: Trust = "B", book: RateBook | None = None, changes: Changes | None = None
) -> pl.DataFrame:
    """Every rate of a quarter, resolved to single employer classes.

    Args:
        quarter: the declaration's own quarter.
        asked: lowest trust that may compute, A or B.
        book: the official files of the quarter; a class and code that they have is not looked up among the seed rates.
        changes: what a simulation puts in the place of rates, whatever their source.

    Returns:
        One row per (employer_class, contribution_worker_code, contribution_type), with basis_kind; rate_share, the
        share of the wage that is its basis, and rate, both in ten-thousandths (null where open); rate_source;
        rate_trust; rate_personal, rate_base and rate_moderation in ten-thousandths where they are told apart;
        rate_words, where it was read; rate_reason, null where the rate may compute. OTHER_CLASS stands for classes not
        named.
    """
    computing = [level for level in COMPUTING if level <= asked]
    further = () if book is None else tuple(book.contribution_rate["employer_class"].unique().sort())
    rows = seed.in_force(seed.table("contribution_rates"), quarter)
    found = (
        _levels(quarter, further)
        .join(rows, on="employer_group", how="inner")
        .sort("level")
        .unique(["employer_class", "contribution_code", "contribution_type"], keep="first", maintain_order=True)
    )
    trust = pl.max_horizontal("trust", "level_trust")
    interval = pl.concat_str("from_quarter", pl.lit("-"), "to_quarter")
    of_seed = found.select(
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
    )
    if book is not None and book.contribution_rate.height:
        own = _official(quarter, book)
        of_seed = pl.concat([own, of_seed.join(own, on=_KEY[:2], how="anti", maintain_order="left")])
    if changes is not None:
        of_seed = changed_rates(of_seed, changes)
    reason = (
        pl.when(~pl.col("rate_trust").is_in(computing))
        .then(pl.lit(reasons.RATE_BELOW_TRUST))
        .when(pl.col("rate").is_null())
        .then(pl.lit(reasons.RATE_INCOMPLETE))
    )
    return of_seed.with_columns(rate_reason=reason)


def _official(quarter: Quarter, book: RateBook) -> pl.DataFrame:
    """The rates of the official file, with the basis that the seed tables know for their code and type."""
    source = book.source("contribution_rate")
    if source is None:
        return pl.DataFrame()
    # A code may stand there for worker lines and for block 90002; that of the lines comes first.
    first = pl.col("code_element").replace_strict(
        {"ContributionWorkerCode": 0, "WorkerCode": 1, "UnrelatedWorkerCode": 2}, return_dtype=pl.Int8
    )
    rows = book.contribution_rate.sort(first, maintain_order=True).unique(_KEY, keep="first", maintain_order=True)
    classes = tuple(rows["employer_class"].unique().sort())
    known = rows.join(_bases(quarter, classes), on=_KEY, how="left", maintain_order="left")
    kind = pl.col("basis_kind").fill_null(UNKNOWN)
    flat = pl.col("flat") & kind.is_in(["ordinary", "line", UNKNOWN])
    return known.select(
        *_KEY,
        basis_kind=pl.when(flat).then(pl.lit(FLAT)).otherwise(kind),
        rate_share=seed.ten_thousandths(pl.col("basis_percent")),
        rate="total_rate",
        rate_source=pl.lit(source.words),
        rate_trust=pl.lit(source.trust),
        rate_personal="personal_rate",
        rate_base="employer_rate",
        rate_moderation="moderation_rate",
        rate_words=pl.lit(f"SHA-256 {source.sha256}"),
    )


def _bases(quarter: Quarter, classes: tuple[str, ...]) -> pl.DataFrame:
    """Kind and share of the basis of each class, code and type, which the official file does not tell.

    They are the same in all quarters that the seed tables have, so that any quarter's row tells them. Where the class
    has none, that of the code and type in other classes counts if they all agree, Fedris classes apart, whose
    contributions are levied on indemnities; else that of the supplementary code, if all its types agree.
    """
    rows = seed.table("contribution_rates")
    told = ["basis_kind", "basis_percent"]
    code = pl.col("contribution_code")
    renamed = {"contribution_code": "contribution_worker_code"}
    own = (
        _levels(quarter, classes)
        .join(rows, on="employer_group", how="inner")
        .sort("level", maintain_order=True)
        .unique(["employer_class", "contribution_code", "contribution_type"], keep="first", maintain_order=True)
        .select("employer_class", "contribution_code", "contribution_type", *told)
    )
    common = rows.filter(pl.col("employer_group") != "fedris")
    of_type = _agreed(common, ["contribution_code", "contribution_type"], told)
    of_code = _agreed(common.filter(code.str.contains("^[28]")), ["contribution_code"], told)
    every = pl.DataFrame({"employer_class": classes}, schema={"employer_class": pl.String})
    types = pl.DataFrame({"contribution_type": [str(number) for number in range(10)]})
    found = pl.concat(
        [
            own,
            every.join(of_type, how="cross").select(own.columns),
            every.join(of_code.join(types, how="cross"), how="cross").select(own.columns),
        ]
    ).unique(["employer_class", "contribution_code", "contribution_type"], keep="first", maintain_order=True)
    return found.rename(renamed).with_columns(pl.col("contribution_type").cast(pl.Int64))


def _agreed(rows: pl.DataFrame, keys: list[str], told: list[str]) -> pl.DataFrame:
    """What all rows of a key say alike."""
    return rows.select(*keys, *told).unique(maintain_order=True).unique(keys, keep="none", maintain_order=True)


def _levels(quarter: Quarter, further: tuple[str, ...] = ()) -> pl.DataFrame:
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
    others = [name for name in further if name not in set(known_classes())]
    named = pl.concat([groups.select("employer_class"), pl.DataFrame({"employer_class": [*others, OTHER_CLASS]})])
    every = named.select("employer_class", pl.lit(3).alias("level"), pl.lit("all").alias("employer_group"), certain)
    return pl.concat([own, group, private, every])
