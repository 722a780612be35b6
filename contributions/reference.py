"""What the reference tables of a lake say about a quarter, beside the figures of this package."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

import polars as pl

from contributions.arrays import numbers
from contributions.rates.book import RateBook

EMPLOYERS: Final = pl.Schema({"noss_registration_nbr": pl.Int64(), "importance": pl.Int64(), "ffe": pl.String()})
"""One row per employer: importance class 1 to 9 and FFE code (C, B, N, O), each null where it is not known."""

USED: Final = pl.Schema(
    {
        "noss_registration_nbr": pl.Int64(),
        "deduction_code": pl.String(),
        "inss": pl.Int64(),
        "right_start": pl.Date(),
        "quarters": pl.Int64(),
    }
)
"""One row per right to a reduction that has no quarters left: whose it is, when it starts (zone 00090), and in how many
earlier quarters it was declared; inss is null where the right is the employer's, whoever the worker is."""

FFE: Final = {"C": 0, "B": 1, "N": 2, "O": 3}
"""Codes of the closing fund -> a number of them: commercial, not commercial, without contribution."""


def no_employers() -> pl.DataFrame:
    """Nothing known of any employer."""
    return pl.DataFrame(schema=EMPLOYERS)


def nothing_used() -> pl.DataFrame:
    """No right is known to have no quarters left."""
    return pl.DataFrame(schema=USED)


@dataclass(frozen=True, eq=False)
class Reference:
    """Official files, employers and earlier declarations as far as one quarter needs them.

    Attributes:
        book: the official rate files; None where there are none.
        employers: a frame of EMPLOYERS, each employer once.
        used: a frame of USED; a right that is not in it may have quarters left, or its history is not known.
    """

    book: RateBook | None = None
    employers: pl.DataFrame = field(default_factory=no_employers)
    used: pl.DataFrame = field(default_factory=nothing_used)

    @cached_property
    def digest(self) -> str:
        """SHA-256 over all that is known; empty where nothing is."""
        if self.book is None and self.employers.is_empty() and self.used.is_empty():
            return ""
        told = hashlib.sha256((self.book.digest if self.book else "").encode())
        employers = self.employers.sort("noss_registration_nbr").with_columns(
            pl.col("ffe").replace_strict(FFE, default=-1, return_dtype=pl.Int64)
        )
        for column in employers:
            told.update(numbers(column, -1).tobytes())
        used = self.used.sort(self.used.columns, nulls_last=True)
        for column in used.with_columns(pl.col("deduction_code", "right_start").cast(pl.String)):
            # Every column is text or integers; the lengths tell one column from the next.
            told.update(f"{used.height} {column.to_list()}".encode())
        return told.hexdigest()


References = Mapping[int, Reference]
"""By quarter in its official form, e.g. 20263."""

NOTHING: Final = Reference()
