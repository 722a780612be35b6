"""Differences between declared and computed amounts as anomalies, and the declarations that have too many of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import polars as pl

from contributions import refusals
from dmfa.anomaly import ANOMALY_SCHEMA

_ZONES = {
    "worker_contribution": ("ContributionAmount", "00085-044", "P"),
    "compl_indemnity_contribution": ("ContributionAmount", "00085-044", "P"),
    "student_contribution": ("StudentContributionAmount", "00077-044", "P"),
    "dismissed_statutory_worker_contribution": ("GrossRefRemunContributionAmount", "00072-044", "P"),
    "contribution_unrelated_to_np": ("UnrelatedAmount", "00022-044", "P"),
    "occupation_deduction": ("DeductionAmount", "00089-044", "NP"),
    "worker_deduction": ("DeductionAmount", "00089-044", "NP"),
}
"""Table -> zone of its amount, and the official code and severity of a difference there."""


def differing(difference: pl.DataFrame, blocks: Mapping[str, str]) -> pl.DataFrame:
    """The anomalies with number 044: an amount computed anew is not the one declared.

    A difference of one cent is rounding and never an anomaly. Neither amount is quoted: they tell a person's wage, and
    stand in computed.difference.

    Args:
        difference: rows of computed.difference.
        blocks: name of a table to the label of its block.

    Returns:
        Columns of `dmfa.anomaly.ANOMALY_SCHEMA`; path and line are null, the block's ordinal tells the place.
    """
    rows = difference.filter(
        pl.col("outcome") == "differs", pl.col("declared_table").is_in(list(_ZONES)), pl.col("declared_ordinal") >= 0
    )
    table = pl.col("declared_table")

    def told(position: int) -> pl.Expr:
        return table.replace_strict({name: words[position] for name, words in _ZONES.items()}, return_dtype=pl.String)

    what = pl.when(pl.col("type").is_null()).then("code").otherwise(pl.format("{} type {}", "code", "type"))
    found = {
        "block": table.replace_strict({name: blocks[name] for name in _ZONES if name in blocks}, default=None),
        "block_ordinal": pl.col("declared_ordinal"),
        "zone": told(0),
        "code": told(1),
        "severity": told(2),
        "message": pl.format("the amount declared for {} {} is not the one computed anew", "kind", what),
    }
    known = {"filing_id": pl.col("filing_id"), "declaration_id": pl.col("declaration_id"), **found}
    return rows.select(known.get(name, pl.lit(None)).cast(kind).alias(name) for name, kind in ANOMALY_SCHEMA.items())


_REFUSED: Final = {
    refusals.OTHER_REGION: "00086-475",
    refusals.ABROAD: "00086-474",
    refusals.NOT_FOR_EMPLOYER: "00086-050",
    refusals.NOT_FOR_WORKER: "00086-085",
    refusals.NOT_FOR_CONTRACT: "00086-403",
    refusals.NO_COUNTED_TIME: "00086-058",
    refusals.MU_TOO_LOW: "00086-076",
    refusals.AGE: "00086-077",
    refusals.REFERENCE_WAGE: "00086-261",
    refusals.OUTSIDE_PERIOD: "00086-078",
    refusals.QUARTERS_USED: "00086-201",
    refusals.WORKING_TIME: "00086-080",
    refusals.NOT_IN_FORCE: "00089-044",
    refusals.EXCLUDING_PAY: "00089-044",
    refusals.ANOTHER_CHOSEN: "00089-044",
}
"""Why nothing is due of a declared reduction -> the official code of it; the checks tell those that are not here."""


def refused(deduction: pl.DataFrame, blocks: Mapping[str, str]) -> pl.DataFrame:
    """The anomalies of declared reductions to which there is no right.

    Args:
        deduction: rows of computed.deduction.
        blocks: name of a table to the label of its block.

    Returns:
        As `differing` does.
    """
    rows = deduction.filter(pl.col("refusal").cast(pl.String).is_in(list(_REFUSED)), pl.col("declared_ordinal") >= 0)
    table, why = (pl.col(name).cast(pl.String) for name in ("declared_table", "refusal"))
    code = why.replace_strict(_REFUSED, return_dtype=pl.String)
    found = {
        "filing_id": pl.col("filing_id"),
        "declaration_id": pl.col("declaration_id"),
        "block": table.replace_strict({name: blocks[name] for name in _ZONES if name in blocks}, default=None),
        "block_ordinal": pl.col("declared_ordinal"),
        "zone": pl.when(code.str.starts_with("00086"))
        .then(pl.lit("DeductionCode"))
        .otherwise(pl.lit("DeductionAmount")),
        "code": code,
        "severity": pl.lit("NP"),
        "message": pl.format("nothing is due of deduction {}: {}", "deduction_code", why),
    }
    return rows.select(found.get(name, pl.lit(None)).cast(kind).alias(name) for name, kind in ANOMALY_SCHEMA.items())


def too_many(anomalies: pl.DataFrame, contributions: pl.DataFrame, threshold: int | None) -> pl.Series:
    """The declarations whose P anomalies are more than so many percent of their contributions.

    The official threshold, and what it is a percentage of, are not public.

    Args:
        anomalies: columns of `dmfa.anomaly.ANOMALY_SCHEMA`.
        contributions: the declared table worker_contribution.
        threshold: percent; None refuses nothing.

    Returns:
        Their declaration_id.
    """
    if threshold is None:
        return pl.Series("declaration_id", [], dtype=pl.Int64)
    counted = anomalies.filter(pl.col("severity") == "P").group_by("declaration_id").agg(counted=pl.len())
    declared = contributions.group_by("declaration_id").agg(declared=pl.len())
    both = (
        counted.drop_nulls()
        .join(declared, on="declaration_id", how="left")
        .with_columns(pl.col("declared").fill_null(0))
    )
    return both.filter(pl.col("counted") * 100 > pl.col("declared") * threshold)["declaration_id"].sort()
