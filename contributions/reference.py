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

FFE: Final = {"C": 0, "B": 1, "N": 2, "O": 3}
"""Codes of the closing fund -> a number of them: commercial, not commercial, without contribution."""


def no_employers() -> pl.DataFrame:
    """Nothing known of any employer."""
    return pl.DataFrame(schema=EMPLOYERS)


@dataclass(frozen=True, eq=False)
class Reference:
    """Official files and employers of one quarter.

    Attributes:
        book: the official rate files; None where there are none.
        employers: a frame of EMPLOYERS, each employer once.
    """

    book: RateBook | None = None
    employers: pl.DataFrame = field(default_factory=no_employers)

    @cached_property
    def digest(self) -> str:
        """SHA-256 over all that is known; empty where nothing is."""
        if self.book is None and self.employers.is_empty():
            return ""
        told = hashlib.sha256((self.book.digest if self.book else "").encode())
        employers = self.employers.sort("noss_registration_nbr").with_columns(
            pl.col("ffe").replace_strict(FFE, default=-1, return_dtype=pl.Int64)
        )
        for column in employers:
            told.update(numbers(column, -1).tobytes())
        return told.hexdigest()


References = Mapping[int, Reference]
"""By quarter in its official form, e.g. 20263."""

NOTHING: Final = Reference()
