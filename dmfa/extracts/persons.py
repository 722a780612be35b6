"""Which persons an extract holds: those of the population that its recipient has a line of in the reference directory.

Both are asked before an extract makes its tables, whatever it makes of them. A recipient has a line of a person if one
with an admitted quality overlaps the quarter by a day or more. Lines say nothing of pay or work; whoever has none is
counted as not integrated.

Source: project page of the Crossroads Bank for Social Security on its reference directory (verwijzingsrepertorium).
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from dmfa.extracts.authorisations import Inscription
from dmfa.quarter import Quarter
from dmfa.schema import ordinal, snake_case

Frames = dict[str, pl.DataFrame]
Population = Mapping[str, tuple[str, ...]]

PERSON = "NaturalPerson"
DECLARATION = "declaration_id"
PERSON_TABLE = snake_case(PERSON)
PERSON_KEY = (DECLARATION, ordinal(PERSON_TABLE))

INSCRIBED = "SELECT DISTINCT sector, institution_type FROM lake.exchange.directory"
"""Of which institutions the directory holds lines."""


def within(frames: Frames, population: Population) -> Frames:
    """Only the blocks of a population: those with the values asked for, those around them, and what hangs under both.

    Every zone of the population narrows further; a person with no such block left is left out.
    """
    for place, values in population.items():
        kept = _having(frames, place, values)
        frame = frames[snake_case(place.partition(".")[0])]
        keys = [DECLARATION, *(name for name in frame.columns if name.endswith("_ordinal"))]
        for key in keys:
            on = list(dict.fromkeys((DECLARATION, key)))
            found = kept.select(on).drop_nulls().unique()
            frames = {
                name: pl.concat([rows.join(found, on=on, how="semi"), rows.filter(pl.col(key).is_null())])
                if key in rows.columns
                else rows
                for name, rows in frames.items()
            }
    return frames


def thinned(frames: Frames, only: Population) -> Frames:
    """Without the rows of some blocks that have other values than those asked for; nobody is left out for it."""
    for place, values in only.items():
        frames = {**frames, snake_case(place.partition(".")[0]): _having(frames, place, values)}
    return frames


def _having(frames: Frames, place: str, values: tuple[str, ...]) -> pl.DataFrame:
    """The rows of a block with one of some values in a zone."""
    table, column = map(snake_case, place.split("."))
    frame = frames[table]
    asked_for = pl.Series(values, dtype=pl.String).cast(frame.schema[column])
    return frame.filter(pl.col(column).is_in(asked_for.implode()))


def integrated(frames: Frames, known: pl.DataFrame) -> tuple[Frames, int]:
    """Only the persons of whom the directory has a line, with all that is said of them.

    Args:
        frames: tables of the lake, natural_person among them.
        known: the persons with a line: declaration_id, natural_person_ordinal.

    Returns:
        The tables, and how many persons were left out.
    """
    on = list(PERSON_KEY)
    kept = {
        name: rows.join(known, on=on, how="semi") if PERSON_KEY[1] in rows.columns else rows
        for name, rows in frames.items()
    }
    return kept, frames[PERSON_TABLE].height - kept[PERSON_TABLE].height


def persons_with_a_line(inscription: Inscription, quarter: Quarter) -> tuple[str, list[object]]:
    """What follows FROM and WHERE in a query for the persons of a quarter with a line, and its values.

    The quarter's persons are few beside the lines, so that these stream past them.
    """
    qualities = ", ".join("?" for _ in inscription.qualities)
    of_type = "" if inscription.institution_type is None else " AND institution_type = ?"
    lines = (
        f"SELECT inss FROM lake.exchange.directory WHERE sector = ?{of_type} AND quality IN ({qualities})"  # noqa: S608
        " AND begin_date <= ? AND (end_date IS NULL OR end_date >= ?)"
    )
    sql = f"lake.authentic.natural_person WHERE quarter = ? AND inss IN ({lines})"
    values: list[object] = [quarter.code, inscription.sector]
    values += [inscription.institution_type] if of_type else []
    return sql, [*values, *inscription.qualities, quarter.last_day, quarter.first_day]
