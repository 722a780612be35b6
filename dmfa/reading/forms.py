"""The forms table: what the envelope of each declaration says, also of one that is refused."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl
from lxml import etree

from dmfa.reading.cells import typed
from dmfa.reading.keys import declaration_id
from dmfa.reading.parsing import forms_and_persons
from dmfa.reading.plan import Plan
from dmfa.reading.shredder import FORM_KEY_TYPES, form_types
from dmfa.schema import FORM

_LONGEST_CODE = 5


class FormRows:
    """Collects the envelopes of declarations, row by row.

    Args:
        plan: what the forms table holds.
        strict: whether a cell that does not fit raises `CellUnfit`; else, as for invalid filings, it becomes null.
    """

    def __init__(self, plan: Plan, *, strict: bool = True) -> None:
        self._plan = plan
        self._strict = strict
        self._keys: list[tuple[int, int, int, int | None]] = []
        self._cells: list[list[str | None]] = []
        self._paths = [
            *(f"{plan.message.top}/{cell.label}" for cell in plan.head),
            *(f"{block}/{cell.label}" if block else cell.label for block, cell in plan.form),
        ]

    def add(self, form: etree._Element, filing_id: int, sha256: str, index: int) -> tuple[int, int | None]:
        """Take one Form.

        Returns:
            Key and quarter of its declaration; the quarter is None where it is missing or not a number.
        """
        key = declaration_id(sha256, index)
        quarter = quarter_code(form.findtext(f"{self._plan.message.top}/Quarter"))
        self._keys.append((key, filing_id, index, quarter))
        self._cells.append([form.findtext(path) for path in self._paths])
        return key, quarter

    def frame(self) -> pl.DataFrame:
        """The rows taken so far."""
        types = form_types(self._plan)
        if not self._keys:
            return pl.DataFrame(schema=types)
        columns = [
            pl.Series(name, values, dtype=FORM_KEY_TYPES[name])
            for name, values in zip(FORM_KEY_TYPES, zip(*self._keys, strict=True), strict=True)
        ]
        cells = (*self._plan.head, *(cell for _, cell in self._plan.form))
        for cell, texts in zip(cells, zip(*self._cells, strict=True), strict=True):
            columns.append(typed(cell, texts, strict=self._strict))
        return pl.DataFrame(columns)


def quarter_code(text: str | None) -> int | None:
    """The quarter as it stands in zone 00013, None if it is missing or no number of five digits.

    Examples:
        >>> quarter_code(" +20263 "), quarter_code("2026/3"), quarter_code(None)
        (20263, None, None)
    """
    digits = (text or "").strip(" \t\r\n").removeprefix("+").lstrip("0")
    plain = digits.isascii() and digits.isdigit() and len(digits) <= _LONGEST_CODE
    return int(digits) if plain else None


def forms_of(root: etree._Element) -> Iterator[tuple[int, etree._Element]]:
    """Every Form of a filing with its index."""
    return enumerate(root.iterfind(FORM))


def forms_of_giant(data: bytes) -> Iterator[tuple[int, etree._Element]]:
    """Every Form of a giant with its index; the persons in it are empty."""
    return enumerate(element for element in forms_and_persons(data) if element.tag == FORM)
