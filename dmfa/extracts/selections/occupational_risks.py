"""Premium basis of a year: pay and working time of the quarters summed by employer, and the benefits paid."""

from __future__ import annotations

import polars as pl

from dmfa.extracts.persons import Frames
from dmfa.extracts.selections.working_time import LINE, OCCUPATION, PAID, lines, occupations, pay, time, with_sums

_YEAR = (pl.col("quarter").cast(pl.Int64) // 10).alias("year")
_ONE = pl.lit(1, pl.Int64)


def select(frames: Frames) -> Frames:
    """Pay and time by employer, class, worker code, risk and local unit; benefits by employer and nature.

    Source: questions of employers on the site of Fedris: pay and working time of the quarters are summed by year and
    employer, and sent once a year to the insurer of the year before.
    """
    sums = pay(frames, OCCUPATION), time(frames, OCCUPATION, "", PAID)
    worked = with_sums(occupations(frames), OCCUPATION, *sums)
    benefits = frames["indemnity_wapm"].join(lines(frames), on=LINE, how="inner")
    return {
        "premium_basis": worked.with_columns(_YEAR, _ONE.alias("occupations")),
        "benefits": benefits.with_columns(_YEAR, _ONE.alias("payments"), pl.col("indemnity_amount").alias("amount")),
    }
