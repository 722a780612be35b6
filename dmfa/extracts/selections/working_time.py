"""What several selections share: which codes of pay and of working time count where, and their sums.

Source: annex 7 (remuneration) and annex 8 (working time) of the glossary. Which of them bear ordinary contributions is
told by the NSSO; that holidays, leave and bad weather count as paid, and 010 and 011 as sickness, is chosen here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import polars as pl

from dmfa.extracts.persons import Frames

BEARING: Final = ("001", "002", "003", "004", "005", "006", "007", "009", "051", "061", "062", "065", "066")
"""Remuneration codes that bear ordinary contributions."""

PAID: Final = ("001", "002", "003", "004", "005", "012", "013", "014", "015")
"""Codes of paid work, holidays and paid leave."""

SICK: Final = ("010", "011", "050", "051", "052", "053", "060", "061")
"""Codes of sickness, maternity and birth, accident at work, occupational disease."""

PERSON: Final = ["declaration_id", "natural_person_ordinal"]
LINE: Final = [*PERSON, "worker_record_ordinal"]
OCCUPATION: Final = [*LINE, "occupation_ordinal"]


def occupations(frames: Frames) -> pl.DataFrame:
    """One row per occupation, with the zones read of the blocks around it."""
    return frames["occupation"].join(lines(frames), on=LINE, how="inner")


def lines(frames: Frames) -> pl.DataFrame:
    """One row per worker line, with the zones read of the person and the employer."""
    persons = frames["natural_person"].drop("version", "status")
    found = frames["worker_record"].join(persons, on=PERSON, how="inner")
    return found.join(frames["employer_declaration"], on=PERSON[0], how="inner")


def situation(occupation: pl.DataFrame) -> pl.DataFrame:
    """The number of each occupation in its attestation, from 0: declaration_id, occupation_ordinal, situation.

    The ordinals of the lake count over the whole declaration, and tell how many workers an employer has.
    """
    own = pl.col("occupation_ordinal")
    return occupation.select(
        PERSON[0], "occupation_ordinal", (own.rank("ordinal").over(PERSON) - 1).cast(pl.Int64).alias("situation")
    )


def pay(frames: Frames, by: Sequence[str], codes: Sequence[str] = BEARING) -> pl.DataFrame:
    """Sum of the pay under some codes, as `pay` in cents."""
    counted = frames["remun"].filter(pl.col("remun_code").is_in(codes))
    return counted.group_by(by).agg(pl.col("remun_amount").sum().alias("pay"))


def time(frames: Frames, by: Sequence[str], prefix: str, codes: Sequence[str] | None = None) -> pl.DataFrame:
    """Sum of days and hours, as `<prefix>days` and `<prefix>hours` in hundredths.

    Args:
        frames: tables of the lake.
        by: keys to sum by.
        prefix: of the columns made.
        codes: the codes that count; those neither paid nor of sickness if None.
    """
    of_code = pl.col("service_code").is_in(codes if codes is not None else (*PAID, *SICK))
    counted = frames["service"].filter(of_code if codes is not None else ~of_code)
    return counted.group_by(by).agg(
        pl.col("service_nbr_days").sum().alias(f"{prefix}days"),
        pl.col("service_nbr_hours").sum().alias(f"{prefix}hours"),
    )


def with_sums(rows: pl.DataFrame, on: Sequence[str], *sums: pl.DataFrame) -> pl.DataFrame:
    """Rows with their sums beside them, 0 where there is nothing to sum."""
    for one in sums:
        made = [name for name in one.columns if name not in on]
        rows = rows.join(one, on=on, how="left").with_columns(pl.col(made).fill_null(0))
    return rows
