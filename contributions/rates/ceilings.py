"""Highest rate of base contributions that a reduction may take, and who has it at all, by the official file.

A file that has rows of a reduction tells all of them: a worker code without a row has no right to it, in every employer
class that the file names. A file without any row of a reduction says nothing about it.
"""

from __future__ import annotations

from functools import lru_cache

import polars as pl

from contributions.rates.book import RateBook
from contributions.rates.grid import Grid
from contributions.trust import Trust, enough

KEYS = ("employer_class", "worker_code", "deduction_code")


def official(book: RateBook | None, asked: Trust) -> tuple[pl.DataFrame, Trust] | None:
    """Rows of the official file of ceilings and the trust in it; None where there is none that may compute."""
    source = None if book is None else book.source("deduction_rate")
    if book is None or source is None or not enough(source.trust, asked):
        return None
    return book.deduction_rate, source.trust


@lru_cache(maxsize=64)
def ceiling_grid(book: RateBook | None, asked: Trust) -> tuple[Grid, pl.DataFrame] | None:
    """Ceilings by employer class, worker code and deduction code.

    Returns:
        A grid, and a frame of its rows: official_ceiling in ten-thousandths, target_right (false where the file shows
        that there is none, null where it says nothing) and official_trust; None without such a file.
    """
    found = official(book, asked)
    if found is None:
        return None
    rows, trust = found
    every = rows.select("employer_class").unique().join(rows.select("deduction_code").unique(), how="cross")
    codes = pl.concat([rows.select("worker_code").unique(), pl.DataFrame({"worker_code": [OTHER_CODES]})])
    table = every.join(codes, how="cross").join(
        rows.select(*KEYS, official_ceiling="max_base_rate"), on=list(KEYS), how="left", maintain_order="left"
    )
    told = pl.concat(
        [
            table.select(
                "official_ceiling",
                target_right=pl.col("official_ceiling").is_not_null(),
                official_trust=pl.lit(trust),
            ),
            pl.DataFrame({"official_ceiling": [None], "target_right": [None], "official_trust": [None]}),
        ],
        how="vertical_relaxed",
    )
    index = pl.int_range(table.height, dtype=pl.UInt32, eager=True)
    return Grid(table, KEYS, index, otherwise=table.height), told


OTHER_CODES = ""
"""Stands for the worker codes that the file does not name."""
