"""The quarter against the day of receipt."""

from __future__ import annotations

from datetime import date

import polars as pl

from dmfa.checks.registry import Context, anomaly
from dmfa.quarter import Quarter


@anomaly("00013-008", severity="B", block="EmployerDeclaration", zone="Quarter", always=True)
def quarter_not_ended(employer_declaration: pl.LazyFrame, context: Context) -> pl.LazyFrame:
    """The quarter had not ended on the day of receipt.

    It also runs among the validator's checks alone: it belongs to the choice of the release.
    A quarter before the oldest release is found in reading, since no schema can judge it.
    """
    running = Quarter.of(context.received_on)
    return employer_declaration.filter(pl.col("quarter") >= running.code).select(
        "declaration_id", block_ordinal=pl.lit(0), seen_value=pl.col("quarter").cast(pl.String)
    )


@anomaly("00013-313", severity="W", block="EmployerDeclaration", zone="Quarter")
def quarter_prescribed(employer_declaration: pl.LazyFrame, context: Context) -> pl.LazyFrame:
    """The quarter is past limitation.

    Three years, or seven, after the last day of the month that follows the quarter, the day on which it falls due. A
    warning unless the setting says to refuse: the official catalogue has B, practice accepts with a reason.

    Source: NSSO, administrative instructions, limitation.
    """
    oldest = oldest_unprescribed(context.received_on, context.limitation_years)
    return employer_declaration.filter(pl.col("quarter") < oldest.code).select(
        "declaration_id",
        block_ordinal=pl.lit(0),
        seen_value=pl.col("quarter").cast(pl.String),
        severity=pl.lit("B" if context.refuse_prescribed else "W"),
    )


def oldest_unprescribed(received_on: date, years: int) -> Quarter:
    """The oldest quarter that is not past limitation on a day.

    Args:
        received_on: the day.
        years: years of limitation.

    Examples:
        >>> str(oldest_unprescribed(date(2025, 10, 31), 3)), str(oldest_unprescribed(date(2025, 11, 1), 3))
        ('2022/3', '2022/4')
    """
    # The quarter that fell due so many years before has its own due day as last day of the limitation.
    quarter = Quarter(received_on.year - years - 1, 1)
    while quarter.limitation(years) < received_on:
        quarter = quarter.next
    return quarter
