"""Which contributions belong to a worker code of an employer class, and which of them every line owes.

The official file of the quarter tells it, else the seed table, which has three classes of 2026/3. No official legend of
the owedness codes is at hand: what is due on every line, or from an employer of some size or purpose, is named in the
seed table `due` with the code that it needs; everything else may be due, and is never called missing.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from contributions.arrays import CODES, number_of
from contributions.rates import seed
from contributions.rates.book import RateBook
from contributions.rates.grid import Grid
from contributions.trust import COMPUTING, Trust
from dmfa.quarter import Quarter

Bits = npt.NDArray[np.uint32]

APPRENTICES: Final = ("035", "439")
"""Worker codes of apprentices: of those above 18 nothing with owedness code 1 is due, and no line tells an age."""

_OWN: Final = np.uint32(1 << 31)
"""Bit of the line's own worker code as a contribution."""

_ORDINARY: Final = "^[0456]"
"""Worker codes whose own contribution stands in block 90001; those of the others have blocks of their own."""


@dataclass(frozen=True, slots=True, eq=False)
class Owed:
    """Who owes what in a quarter, as arrays.

    Attributes:
        grid: tells the row of an employer class and worker code; the last row where the table does not have both.
        column: number of a contribution code -> its column in `possible`; the last one is that of all other codes.
        width: number of columns.
        possible: row x width + column -> whether the contribution belongs to the worker code; always in the last row.
        bit: number of a contribution code -> its bit in `due`, 0 for what is never called missing.
        due: row -> bits of what every line owes.
        of_importance, of_commerce, of_others: row -> bits of what is due from importance class 3 on, from employers
            with the FFE code C, and with B.
        codes: the contribution code of each bit, from the lowest.
        trusts: the trust in it that each of them is due.
        source: where it was read.
        trust: trust in it.
    """

    grid: Grid
    column: npt.NDArray[np.uint32]
    width: int
    possible: npt.NDArray[np.bool_]
    bit: Bits
    due: Bits
    of_importance: Bits
    of_commerce: Bits
    of_others: Bits
    codes: tuple[str, ...]
    trusts: tuple[Trust, ...]
    source: str
    trust: Trust

    @property
    def stranger(self) -> int:
        """What the grid makes of an employer class that it does not know."""
        number: int = self.grid.numbers(pl.Series([""]), "employer_class")[0]
        return number

    @property
    def unknown(self) -> int:
        """The last row, of which nothing is known."""
        return len(self.due) - 1

    @property
    def own(self) -> np.uint32:
        """The bit of the line's own worker code."""
        return _OWN


@lru_cache(maxsize=64)
def owedness(quarter: Quarter, asked: Trust = "B", book: RateBook | None = None) -> Owed | None:
    """Who owes what in a quarter; None where nothing that may be used is known of it.

    Args:
        quarter: the declaration's own quarter.
        asked: lowest trust that may be used, A or B.
        book: the official files of the quarter; its combinations take the place of the seed table.
    """
    rows, words, trust = _combinations(quarter, book)
    if rows.is_empty() or trust > asked:
        return None
    pairs = rows.select("employer_class", "worker_code").unique(maintain_order=True).with_row_index("row")
    placed = rows.join(pairs, on=["employer_class", "worker_code"], maintain_order="left")
    names = placed["contribution_worker_code"].unique().sort()
    numbers = np.array([number_of(name) or 0 for name in names], np.uint32)
    column = np.full(CODES, len(names), np.uint32)
    column[numbers] = np.arange(len(names), dtype=np.uint32)
    possible = np.zeros((pairs.height + 1, len(names) + 1), np.bool_)
    possible[pairs.height] = True
    of_names = names.to_frame("contribution_worker_code").with_row_index("column")
    cells = placed.join(of_names, on="contribution_worker_code", maintain_order="left")
    possible[cells["row"].to_numpy(), cells["column"].to_numpy()] = True
    conditions = _conditions(asked)
    once = conditions.unique("contribution_worker_code", keep="first").sort("contribution_worker_code")
    codes, trusts = tuple(once["contribution_worker_code"]), tuple(once["trust"])
    bit = np.zeros(CODES, np.uint32)
    for place, name in enumerate(codes):
        bit[number_of(name) or 0] = np.uint32(1 << place)
    keys = ["contribution_worker_code", "owedness_code"]
    of_age = ~(pl.col("worker_code").is_in(APPRENTICES) & (pl.col("owedness_code") == 1))
    due = placed.join(conditions, on=keys, how="inner", suffix="_of_due").filter(of_age)
    ordinary = pairs.select(pl.col("worker_code").str.contains(_ORDINARY)).to_series().to_numpy()
    every = _bits(due, "", bit, pairs.height)
    every[:-1] |= np.where(ordinary, _OWN, np.uint32(0))
    return Owed(
        grid=Grid(pairs, ("employer_class", "worker_code"), pairs["row"], otherwise=pairs.height),
        column=column,
        width=possible.shape[1],
        possible=possible.ravel(),
        bit=bit,
        due=every,
        of_importance=_bits(due, "importance", bit, pairs.height),
        of_commerce=_bits(due, "ffe=C", bit, pairs.height),
        of_others=_bits(due, "ffe=B", bit, pairs.height),
        codes=codes,
        trusts=tuple(max(trust, level) for level in trusts),
        source=words,
        trust=trust,
    )


def _combinations(quarter: Quarter, book: RateBook | None) -> tuple[pl.DataFrame, str, Trust]:
    """Class, worker code, contribution code and owedness code; where they were read, and the trust in it."""
    source = None if book is None else book.source("owedness")
    if book is not None and source is not None:
        return book.owedness, source.words, source.trust
    rows = seed.in_force(seed.table("owedness"), quarter).select(
        "employer_class",
        "worker_code",
        contribution_worker_code="contribution_code",
        owedness_code=pl.col("owedness_code").cast(pl.Int64),
        trust="trust",
    )
    return rows, f"seed owedness {quarter}", rows["trust"].max() or "C"  # type: ignore[return-value]


def _conditions(asked: Trust) -> pl.DataFrame:
    computing = [level for level in COMPUTING if level <= asked]
    rows = seed.table("due").filter(pl.col("trust").is_in(computing))
    return rows.select(
        contribution_worker_code="contribution_code",
        owedness_code=pl.col("owedness_code").cast(pl.Int64),
        condition=pl.col("condition").fill_null(""),
        trust="trust",
    )


def _bits(due: pl.DataFrame, condition: str, bit: Bits, height: int) -> Bits:
    """The bits of what is due under a condition, by row; none in the last one."""
    rows = due.filter(pl.col("condition") == condition)
    found = np.zeros(height + 1, np.uint32)
    numbers = np.array([number_of(name) or 0 for name in rows["contribution_worker_code"]], np.uint32)
    np.bitwise_or.at(found, rows["row"].to_numpy(), bit[numbers])
    return found


@dataclass(frozen=True, slots=True, eq=False)
class Sizes:
    """Importance classes to which contribution types are bound (annex 3).

    Attributes:
        grid: tells the row of an employer class, contribution code and type; null where no size is named.
        least, most: the importance classes of each row.
        sized: number of a contribution code -> whether any type of it is bound to a size.
    """

    grid: Grid
    least: npt.NDArray[np.int64]
    most: npt.NDArray[np.int64]
    sized: npt.NDArray[np.bool_]


ANY_CLASS: Final = "*"
"""Stands for the employer classes that the table of sizes does not name."""


@lru_cache(maxsize=1)
def sizes() -> Sizes:
    """The importance classes that a contribution type needs."""
    rows = seed.table("size_conditions").select(
        "employer_class",
        "contribution_code",
        *(pl.col(name).cast(pl.Int64) for name in ("contribution_type", "least_importance", "most_importance")),
    )
    # A class that is named for one code is not named for the others, to which the rows for any class apply.
    classes = pl.DataFrame({"employer_class": rows["employer_class"].unique().sort()})
    of_any = rows.filter(pl.col("employer_class") == ANY_CLASS).drop("employer_class")
    keys = ["employer_class", "contribution_code", "contribution_type"]
    table = pl.concat([rows, classes.join(of_any, how="cross").select(rows.columns)]).unique(
        keys, keep="first", maintain_order=True
    )
    sized = np.zeros(CODES, np.bool_)
    sized[[number_of(code) or 0 for code in rows["contribution_code"]]] = True
    return Sizes(
        Grid(table, keys, pl.int_range(table.height, dtype=pl.UInt32, eager=True)),
        table["least_importance"].to_numpy(),
        table["most_importance"].to_numpy(),
        sized,
    )


def bound_to_size() -> list[tuple[str, str, int]]:
    """Contribution code, employer class (or ANY_CLASS) and type of what is bound to a size of the employer."""
    rows = seed.table("size_conditions").select("contribution_code", "employer_class", "contribution_type")
    return [(code, employer_class, int(type_)) for code, employer_class, type_ in rows.iter_rows()]
