"""Columns of declared text turned into typed columns, exactly and whole columns at a time.

Before its type is looked at, a cell loses the white space around it, and an empty one becomes null. An XSD integer may
carry a sign and leading zeros: '+0', '0007'. A code becomes text again, padded to its width: '15' and '00015' are both
'015'.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from dmfa.reading.plan import Cell

POLARS_TYPES = {"integer": pl.Int64, "code": pl.String, "date": pl.Date, "text": pl.String}
_WHITE = " \t\r\n"


class CellUnfit(Exception):
    """A valid cell that its column can not hold, such as an integer past 64 bits.

    Attributes:
        label: XML label of the zone.
    """

    def __init__(self, label: str) -> None:
        super().__init__(label)
        self.label = label


def typed(cell: Cell, declared: Sequence[str | None] | pl.Series, *, strict: bool = True) -> pl.Series:
    """Type one column.

    Args:
        cell: what the column holds.
        declared: the text of each cell, null where the zone is absent; a series holds String.
        strict: whether a cell that does not fit raises; else it becomes null.

    Returns:
        Int64 for an integer, Date for a date, String for codes and text.

    Raises:
        CellUnfit: a cell does not fit its column.
    """
    text = declared.alias(cell.column) if isinstance(declared, pl.Series) else _texts(cell, declared)
    if text.null_count() == len(text):
        return blank(cell, len(text))
    if cell.kind == "text":
        return _clean(text)
    result = _convert(cell.kind, text)
    if result.null_count() != text.null_count():
        text = _clean(text)
        result = _convert(cell.kind, text.str.strip_prefix("+") if cell.kind != "date" else text.str.slice(0, 10))
        if strict and result.null_count() != text.null_count():
            raise CellUnfit(cell.label)
    return result.cast(pl.String).str.zfill(cell.width) if cell.kind == "code" else result


def blank(cell: Cell, rows: int) -> pl.Series:
    """A column of nothing."""
    return pl.Series(cell.column, [None], dtype=POLARS_TYPES[cell.kind]).new_from_index(0, rows)


def _texts(cell: Cell, declared: Sequence[str | None]) -> pl.Series:
    return pl.Series(cell.column, declared, dtype=pl.String)


def _convert(kind: str, text: pl.Series) -> pl.Series:
    if kind == "date":
        return text.str.to_date("%Y-%m-%d", strict=False)
    return text.cast(pl.Int64, strict=False)


def _clean(text: pl.Series) -> pl.Series:
    stripped = text.str.strip_chars(_WHITE)
    return stripped.set(stripped == "", None) if (stripped == "").any() else stripped
