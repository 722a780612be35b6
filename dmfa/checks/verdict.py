"""From anomalies to verdicts: which declarations are refused, and what becomes of each filing."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

ACCEPTED = "accepted"
REFUSED = "refused"
NOT_PROCESSED = "not_processed"


@dataclass(frozen=True)
class Verdict:
    """What becomes of filings and declarations.

    Attributes:
        filings: the filings as given, with `verdict` (accepted, refused, not_processed) and `refused` (number of
            refused declarations, Int32).
        forms: the declarations as given, with `refused` (Boolean).
    """

    filings: pl.DataFrame
    forms: pl.DataFrame


def verdict(
    filings: pl.DataFrame, forms: pl.DataFrame, anomalies: pl.DataFrame, *, too_many: pl.Series | None = None
) -> Verdict:
    """Judge filings and their declarations.

    A declaration is refused if it has a B anomaly, or too many counted ones, or if its filing is refused whole:
    unreadable as XML, invalid, or with a B anomaly of its own. A filing is accepted if none of its declarations is
    refused; those that are not stay accepted in a refused filing.

    Args:
        filings: filing_id, state (judged, refused, not_processed) and declarations (number of Forms), one row each.
        forms: declaration_id and filing_id of every declaration whose Form could be read.
        anomalies: columns of `dmfa.anomaly.ANOMALY_SCHEMA`.
        too_many: declaration_id of those that have too many P anomalies, if they are counted.
    """
    blocking = anomalies.filter(pl.col("severity") == "B")
    whole = blocking.filter(pl.col("declaration_id").is_null())["filing_id"].implode()
    single = blocking["declaration_id"].drop_nulls()
    if too_many is not None:
        single = pl.concat([single, too_many.cast(pl.Int64)])
    state = filings.select(
        "filing_id",
        whole=(pl.col("state") == "refused") | pl.col("filing_id").is_in(whole),
        put_aside=pl.col("state") == NOT_PROCESSED,
    ).unique("filing_id")
    judged_forms = forms.join(state, on="filing_id", how="left").with_columns(
        refused=pl.col("whole").fill_null(value=False) | pl.col("declaration_id").is_in(single.implode())
    )
    counted = judged_forms.group_by("filing_id").agg(refused=pl.col("refused").sum().cast(pl.Int32))
    judged = (
        filings.join(state, on="filing_id", how="left")
        .join(counted, on="filing_id", how="left")
        .with_columns(
            refused=pl.when("whole").then("declarations").otherwise(pl.col("refused").fill_null(0)).cast(pl.Int32)
        )
        .with_columns(
            verdict=pl.when("put_aside")
            .then(pl.lit(NOT_PROCESSED))
            .when(pl.col("whole") | (pl.col("refused") > 0))
            .then(pl.lit(REFUSED))
            .otherwise(pl.lit(ACCEPTED))
        )
        .drop("whole", "put_aside")
    )
    return Verdict(judged, judged_forms.drop("whole", "put_aside"))
