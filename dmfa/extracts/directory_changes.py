"""Changes of the reference directory, as institutions send them: integrate, change, de-integrate.

A file of changes is CSV or Parquet as a file of lines, with a column `operation` before:

* integrate: a new line; it may share no day with another of the same person, institution and quality.
* change: the line of this quality that begins on begin_date gets the phase and the end_date given.
* de-integrate: takes away the lines of the person at the institution, of one quality if given, else of all; only from
  begin_date to end_date if given, so that a line may be cut in two. At least one line must lose a day.

They are applied in the order of the file, all or none. Each version of a line that a change began or ended is a row of
exchange.directory_change, with who asked for it, when, and in which file.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

import polars as pl

from dmfa.errors import WrongUsage
from dmfa.extracts.directory import COLUMNS, PLACE, refused, rules, texts, typed

INTEGRATE, CHANGE, DE_INTEGRATE = OPERATIONS = ("integrate", "change", "de-integrate")
IMPORT: Final = "import"
BEGAN, ENDED = "began", "ended"

_CHANGE_COLUMNS: Final = ("operation", *COLUMNS)
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True)
class Line:
    """One line of the directory; its fields are the columns of exchange.directory.

    Attributes:
        inss: the person.
        sector: sector code, three digits.
        institution_type: type of institution, three digits.
        quality: quality code, three digits.
        phase: phase code.
        begin_date: first day.
        end_date: last day; None when active.
        changed_on: day of the last change.
    """

    inss: int
    sector: str
    institution_type: str
    quality: str
    phase: str | None
    begin_date: date
    end_date: date | None
    changed_on: date

    @property
    def last(self) -> date:
        """Its last day, the last of all when it is active."""
        return self.end_date or date.max

    def without(self, first: date, last: date, changed_on: date) -> Iterator[Line]:
        """What is left of it when some days are taken out."""
        if self.begin_date < first:
            yield replace(self, end_date=first - _DAY, changed_on=changed_on)
        if last < self.last:
            yield replace(self, begin_date=last + _DAY, changed_on=changed_on)


@dataclass(frozen=True)
class Change:
    """One row of a file of changes: what an institution asks for.

    Attributes:
        place: line of the file.
        operation: one of OPERATIONS.
        inss: the person.
        sector: sector code of the institution.
        institution_type: its type.
        quality: quality code; None for all of them, which only de-integrate may say.
        phase: phase code.
        begin_date: first day; only de-integrate may leave it out.
        end_date: last day; None when open.
        changed_on: day of the change.
    """

    place: int
    operation: str
    inss: int
    sector: str
    institution_type: str
    quality: str | None
    phase: str | None
    begin_date: date | None
    end_date: date | None
    changed_on: date


@dataclass(frozen=True)
class Step:
    """A version of a line that a change began or ended."""

    change: Change
    effect: str
    line: Line

    def row(self) -> dict[str, Any]:
        """Columns of exchange.directory_change that follow from it."""
        told = {"operation": self.change.operation, "effect": self.effect, "place": self.change.place}
        return {**told, **vars(self.line), "changed_on": self.change.changed_on}


def changes(path: Path, sectors: Collection[str]) -> list[Change]:
    """The changes in a file, in its order.

    Raises:
        NothingToRead: the file cannot be read.
        WrongUsage: a column is missing, or a row is not what it should be; its place is told, and no value.
    """
    operation = pl.col("operation")
    free = (operation == DE_INTEGRATE).fill_null(value=False)
    checks = [("operation", operation.is_in(pl.Series(OPERATIONS).implode()), f"one of {', '.join(OPERATIONS)}")]
    for column, holds, words in rules(sectors):
        may_be_empty = column in ("quality", "begin_date")
        checks.append((column, holds | (free & pl.col(column).is_null()) if may_be_empty else holds, words))
    # Without a first day there is no last one to compare with it.
    checks.append(("end_date", pl.col("begin_date").is_not_null() | pl.col("end_date").is_null(), "with a begin_date"))
    found: list[Change] = []
    for frame in texts(path, _CHANGE_COLUMNS):
        rows = typed(path, frame, checks).select(PLACE, *_CHANGE_COLUMNS)
        found += [Change(*row) for row in rows.iter_rows()]
    return found


def applied(path: Path, standing: Iterable[Line], asked: Iterable[Change]) -> tuple[list[Line], list[Step]]:
    """Apply changes to the lines of the persons whom they are about.

    Args:
        path: the file that they stand in, for what is told.
        standing: all lines of these persons.
        asked: the changes, in the order of the file.

    Returns:
        The lines then, and the versions that were begun and ended.

    Raises:
        WrongUsage: a change does not fit what stands; its place is told, and no person.
    """
    held: dict[tuple[int, str, str], list[Line]] = {}
    for line in standing:
        held.setdefault((line.inss, line.sector, line.institution_type), []).append(line)
    steps: list[Step] = []
    for change in asked:
        key = (change.inss, change.sector, change.institution_type)
        ended, began = _effect(path, held.get(key, []), change)
        held[key] = [line for line in held.get(key, []) if line not in ended] + began
        steps += [Step(change, ENDED, line) for line in ended] + [Step(change, BEGAN, line) for line in began]
    return [line for lines in held.values() for line in lines], steps


def _effect(path: Path, lines: list[Line], change: Change) -> tuple[list[Line], list[Line]]:
    """The lines that a change ends, and those that it begins."""
    if change.operation == DE_INTEGRATE:
        first, last = change.begin_date or date.min, change.end_date or date.max
        lost = [
            line
            for line in lines
            if change.quality in (None, line.quality) and line.begin_date <= last and first <= line.last
        ]
        if not lost:
            raise refused(path, change.place, "no line of the directory loses a day by it")
        return lost, [left for line in lost for left in line.without(first, last, change.changed_on)]
    ended = []
    if change.operation == CHANGE:
        ended = [one for one in lines if (one.quality, one.begin_date) == (change.quality, change.begin_date)]
        if not ended:
            raise refused(path, change.place, "the directory has no line of this quality that begins on this day")
    line = _line(change)
    others = [one for one in lines if one not in ended and one.quality == line.quality]
    if any(one.begin_date <= line.last and line.begin_date <= one.last for one in others):
        raise refused(path, change.place, "its period shares a day with another line of the same quality")
    return ended, [line]


def _line(change: Change) -> Line:
    if change.quality is None or change.begin_date is None:
        raise WrongUsage(f"a line needs a quality and a first day, and {change.operation} has none.")
    return Line(
        change.inss,
        change.sector,
        change.institution_type,
        change.quality,
        change.phase,
        change.begin_date,
        change.end_date,
        change.changed_on,
    )
