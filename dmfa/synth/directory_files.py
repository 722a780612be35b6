"""An invented reference directory of persons for the samples, and a file of changes to it.

The lines are of one institution of the invented sector 999, on persons of the samples: with a period that holds the
quarter, or touches it by one day, or stops a day short of it; under qualities that are admitted and others. Others of
the sector have open lines of some persons.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from hashlib import sha256
from typing import Final

from dmfa.quarter import Quarter

COLUMNS: Final = "inss,sector,institution_type,quality,phase,begin_date,end_date,changed_on"
SECTOR: Final = "999"
TYPE: Final = "005"
NEEDED: Final = 24
"""Persons that the lines are about."""

MORE_TYPES: Final = ("007", "008", "009", "010")
"""Other institutions of the sector, each with every third of the persons from one of these on."""

_ELSEWHERE: Final = (85210100257, 75061500397)
"""Numbers of nobody in the samples."""


def directory_files(persons: Iterable[int], quarter: Quarter) -> dict[str, bytes]:
    """A directory and changes to it, by name of the file.

    Args:
        persons: numbers of at least NEEDED persons with an accepted declaration of the quarter.
        quarter: the quarter.
    """
    chosen = sorted(set(persons), key=lambda number: sha256(str(number).encode()).digest())[:NEEDED]
    lines = sorted(_lines(chosen, quarter))
    changes = [f"operation,{COLUMNS}", *_changes(chosen, quarter)]
    return {"persons.csv": _file([COLUMNS, *lines]), "changes.csv": _file(changes)}


def _lines(chosen: list[int], quarter: Quarter) -> Iterator[str]:
    first, last, day = quarter.first_day, quarter.last_day, timedelta(days=1)
    settled = date(quarter.year - 3, 1, 1)
    for place, person in enumerate(chosen[:12]):
        yield _line(person, "103" if place % 2 else "101", date(quarter.year - 1 - place % 5, 1 + place % 9, 1))
    yield _line(chosen[12], "101", first, first)
    yield _line(chosen[13], "103", last)
    yield _line(chosen[14], "101", settled, first - day)
    yield _line(chosen[15], "103", last + day)
    yield _line(chosen[16], "902", settled)
    yield _line(chosen[17], "106", settled)
    yield _line(chosen[18], "101", settled, first - 90 * day)
    yield _line(chosen[18], "101", first + 30 * day)
    yield _line(chosen[19], "101", settled, kind="006")
    yield _line(chosen[20], "902", settled, first + 30 * day)
    yield _line(chosen[20], "101", first + 31 * day)
    for person in (*chosen[21:23], *_ELSEWHERE):
        yield _line(person, "101", settled)
    for place, kind in enumerate(MORE_TYPES):
        for person in chosen[place % 3 :: 3]:
            yield _line(person, "101", settled, kind=kind)


def _changes(chosen: list[int], quarter: Quarter) -> Iterator[str]:
    """One loses the quarter, one everything, one is new, one is no longer provisional."""
    settled, told = date(quarter.year - 3, 1, 1), quarter.last_day + timedelta(days=50)
    yield "de-integrate," + _line(chosen[21], "101", quarter.first_day, quarter.last_day, told=told)
    yield "de-integrate," + _line(chosen[22], "", None, None, told=told)
    yield "integrate," + _line(chosen[23], "103", quarter.first_day, None, told=told)
    yield "change," + _line(chosen[16], "902", settled, quarter.first_day, told=told)
    yield "integrate," + _line(chosen[16], "101", quarter.first_day, None, told=told)


def _line(
    person: int,
    quality: str,
    begin: date | None,
    end: date | None = None,
    *,
    told: date | None = None,
    kind: str = TYPE,
) -> str:
    values = (f"{person:011d}", SECTOR, kind, quality, "", begin or "", end or "", told or begin or "")
    return ",".join(map(str, values))


def _file(lines: list[str]) -> bytes:
    return ("\n".join(lines) + "\n").encode()
