"""The official code lists and how far each is known.

lists/ holds them with the quarters in which each code holds. After its last known quarter a list still says what was
open then and what has been read of it since; of any other code it can tell nothing, so that no check is sure of it.
A code is unknown if a list never had it, and closed if it had it, but not in the quarter declared.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from importlib.resources import files

import polars as pl

from dmfa.quarter import Quarter

KNOWN_TO = {
    "employer_classes": 20221,
    "worker_codes": 20222,
    "contribution_types": 20223,
    "deductions": 20222,
    "service_codes": 20222,
    "worker_statuses": 20223,
    "worker_codes_of_classes": 20232,
}
"""List -> last quarter of which it is known, yyyyq: that of the version read of annexes 27, 2, 3, 4, 8 and 21."""

OLDEST = 20221
"""Oldest quarter that a schema at hand can judge."""

Row = Mapping[str, str]


@cache
def rows(name: str) -> tuple[Row, ...]:
    """The rows of a list, as they stand in lists/."""
    text = (files("dmfa.checks") / "lists" / f"{name}.csv").read_text(encoding="utf-8")
    return tuple(csv.DictReader(text.splitlines()))


def holds(row: Row, quarter: int) -> bool:
    """Whether a row holds in a quarter, given as yyyyq."""
    return Quarter.parse(row["from"]).code <= quarter <= Quarter.parse(row["to"]).code


def quarters_known(name: str) -> tuple[int, ...]:
    """The quarters of a list that can be judged, oldest first."""
    quarter, found = Quarter.from_code(OLDEST), []
    while quarter.code <= KNOWN_TO[name]:
        found.append(quarter.code)
        quarter = quarter.next
    return tuple(found)


def codes(name: str, quarter: int, wanted: Callable[[Row], bool] = lambda _: True) -> frozenset[str]:
    """The codes of a list in a quarter.

    Args:
        name: of the list.
        quarter: yyyyq.
        wanted: which rows count.
    """
    return frozenset(row["code"] for row in rows(name) if wanted(row) and holds(row, quarter))


class CodeList:
    """A list, or some rows of it, as expressions over a column of codes.

    Args:
        name: of the list.
        wanted: which of its rows count.
    """

    def __init__(self, name: str, wanted: Callable[[Row], bool] = lambda _: True) -> None:
        own = [row for row in rows(name) if wanted(row)]
        self._known_to = KNOWN_TO[name]
        self._ever = {row["code"] for row in own if Quarter.parse(row["from"]).code <= self._known_to}
        last = {row["code"] for row in own if holds(row, self._known_to)}
        self._accepted_since = last | {row["code"] for row in own if Quarter.parse(row["from"]).code > self._known_to}
        self._closed = {
            quarter: self._ever - {row["code"] for row in own if holds(row, quarter)}
            for quarter in quarters_known(name)
        }

    def unknown(self, code: pl.Expr) -> pl.Expr:
        """Whether the list never had a code; null where the list cannot tell."""
        later = pl.when(~_among(code, self._accepted_since)).then(None).otherwise(pl.lit(value=False))
        return pl.when(pl.col("quarter") <= self._known_to).then(~_among(code, self._ever)).otherwise(later)

    def closed(self, code: pl.Expr) -> pl.Expr:
        """Whether the list had a code, but has it not in the quarter declared; false where it cannot tell."""
        return in_quarters(code, self._closed)


def in_quarters(code: pl.Expr, known: Mapping[int, Iterable[str]]) -> pl.Expr:
    """Whether a code is one of those of its quarter; false in a quarter that is not known.

    Args:
        code: a text of codes.
        known: the codes in question by quarter, yyyyq.
    """
    quarters: dict[frozenset[str], list[int]] = {}
    for quarter, own in known.items():
        quarters.setdefault(frozenset(own), []).append(quarter)
    return pl.any_horizontal(pl.col("quarter").is_in(same) & _among(code, own) for own, same in quarters.items())


def _among(code: pl.Expr, known: Iterable[str]) -> pl.Expr:
    return code.is_in(sorted(known))
