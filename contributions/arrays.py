"""Whole columns as NumPy arrays: runs of neighbours, their sums, and codes of three digits as numbers.

Nothing here ever makes a float: NumPy has no integer that is null, so that nulls are replaced before a column becomes
an array, and an array becomes a column with nulls by what holds for its rows.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

Numbers = npt.NDArray[np.int64]
Small = npt.NDArray[np.uint32]
Holds = npt.NDArray[np.bool_]

CODES: Final = 1 << 12
"""Above the number of every code of three digits, four bits for each of them."""

_NEWEST: Final = pl.CompatLevel.newest()
_AT_ONCE: Final = 1 << 14
"""Codes read at once: few enough to stay near the processor."""

_THREE_DIGITS: Final = np.uint64(0x00303030_00000003)
_VALUES: Final = 0x000F0F0F_00000000
_FOUR_BITS_EACH: Final = np.uint64(1 | 1 << 12 | 1 << 24)
_LAST_BITS: Final = np.uint64(CODES - 1)


def numbers(column: pl.Series, none: int = 0) -> npt.NDArray[np.signedinteger]:
    """An integer column as an array, a view where it has no nulls.

    Args:
        column: integers.
        none: what stands for null.
    """
    if column.n_chunks() > 1:
        column = column.rechunk()
    return (column.fill_null(none) if column.null_count() else column).to_numpy()


def firsts(*keys: npt.NDArray[np.integer]) -> Numbers:
    """The first row of each run of neighbours that have the same keys."""
    height = len(keys[0])
    new = np.ones(height, np.bool_)
    np.not_equal(keys[0][1:], keys[0][:-1], out=new[1:])
    for key in keys[1:]:
        new[1:] |= key[1:] != key[:-1]
    return np.flatnonzero(new)


def lengths(first: Numbers, height: int) -> Numbers:
    """How many rows each run has.

    Args:
        first: the first row of each run.
        height: number of rows in all.
    """
    many = np.empty_like(first)
    many[:-1] = first[1:]
    many[-1:] = height
    return many - first


def sums_of_runs(values: Numbers, first: Numbers) -> Numbers:
    """Sum over each run; exact while it stays below 2**63, which takes 9e7 of the largest amounts.

    Args:
        values: a number for each row.
        first: the first row of each run, ascending from 0.
    """
    return np.add.reduceat(values, first) if len(first) else np.zeros(0, np.int64)


def three_digits(column: pl.Series) -> npt.NDArray[np.uint16] | None:
    """Codes as numbers below CODES, a different one for each: what three digits are, four bits a digit.

    Arrow keeps a short text in the column itself: four bytes with its length, then the text. A code of three digits is
    therefore one word of eight bytes.

    Args:
        column: String.

    Returns:
        None if anything in the column, null too, cannot be three digits. A character from ":" to "?" passes for a digit
        but makes a number that no code has.
    """
    if column.null_count():
        return None
    array = column.to_arrow(compat_level=_NEWEST)
    if not len(array):
        return np.zeros(0, np.uint16)
    words = np.frombuffer(array.buffers()[1], np.uint64, 2 * len(array), 16 * array.offset)[::2]
    found = np.empty(len(words), np.uint16)
    for start in range(0, len(words), _AT_ONCE):
        part = words[start : start + _AT_ONCE] ^ _THREE_DIGITS
        if int(np.bitwise_or.reduce(part)) & ~_VALUES:
            return None
        # The product has the last digit in its bits from 16 on, before it the middle one, then the first.
        found[start : start + _AT_ONCE] = ((part >> np.uint64(32)) * _FOUR_BITS_EACH) >> np.uint64(16) & _LAST_BITS
    return found


def number_of(code: str) -> int | None:
    """The same number of one code, None if it has not three digits."""
    return int(code, 16) if len(code) == 3 and code.isascii() and code.isdigit() else None
