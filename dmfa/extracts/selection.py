"""How a shard of the lake becomes the tables of an extract, and every extract that there is.

A new extract is one more file in dmfa/extracts/selections: of blocks as declared, or with tables of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from hashlib import sha256
from importlib import import_module

import numpy as np
import polars as pl

from dmfa.errors import WrongUsage
from dmfa.extracts.authorisations import KEYS
from dmfa.extracts.declarations import declarations
from dmfa.extracts.extract import Extract, Select, Selected
from dmfa.extracts.persons import DECLARATION, PERSON_KEY, PERSON_TABLE, Frames
from dmfa.extracts.pseudonyms import under_codes
from dmfa.extracts.shape import Part, Shape
from dmfa.schema import ordinal

__all__ = ["EXTRACTS", "Extract", "Select", "Selected", "answers", "attestations", "extract_named", "numbered"]


def attestations(frames: Frames, shape: Shape) -> Selected:
    """Attestations: all blocks of one person in one accepted declaration.

    The number of an attestation is the first 63 bits of SHA-256 over `<declaration_id>:<natural_person_ordinal>`: the
    same in every extract and run, kept when a correction replaces the person's INSZ, and saying nothing about it.
    Version and status are those of the NaturalPerson. Ordinals begin at 0 in each attestation, so that they tell
    nothing of the employer's other workers.

    Args:
        frames: tables of the lake, in any order of rows: those of the shape, and natural_person.
        shape: the tables to give.
    """
    persons = numbered(frames[PERSON_TABLE])
    for part in shape.parts:
        if not part.is_key:
            own = ordinal(part.name)
            first = frames[part.name].group_by(*PERSON_KEY).agg(pl.col(own).min().alias(_first(part.name)))
            persons = persons.join(first, on=list(PERSON_KEY), how="left")
    persons = persons.sort(*PERSON_KEY)
    tables = {part.name: _table(frames[part.name], persons, part) for part in shape.parts}
    return Selected(persons.select(*KEYS, "inss"), tables)


def answers(make: Callable[[Frames], Frames]) -> Select:
    """A selection of own tables, of the function that makes them of those of the lake."""

    def select(frames: Frames, shape: Shape) -> Selected:
        persons = numbered(frames[PERSON_TABLE]).sort(*PERSON_KEY)
        made = _under_codes(make(frames), shape)
        tables = {part.name: _own_table(made[part.name], persons, part, shape) for part in shape.parts}
        return Selected(persons.select(*KEYS, "inss"), tables)

    return select


def numbered(persons: pl.DataFrame) -> pl.DataFrame:
    """Persons of declarations with the numbers of their attestations."""
    keys = zip(*(persons[name].to_list() for name in PERSON_KEY), strict=True)
    digests = b"".join([sha256(b"%d:%d" % key).digest()[:8] for key in keys])
    numbers = np.frombuffer(digests, ">u8").astype(np.uint64) >> np.uint64(1)
    return persons.select(*PERSON_KEY, "version", "status", "inss").with_columns(
        pl.Series(KEYS[0], np.maximum(numbers, 1).astype(np.int64), dtype=pl.Int64)
    )


def _table(frame: pl.DataFrame, persons: pl.DataFrame, part: Part) -> pl.DataFrame:
    """One table: keyed by attestation, ordinals from 0 in it, values as given out, in document order."""
    for table in part.hidden:
        frame = frame.filter(pl.col(ordinal(table)).is_null())
    on = [key for key in PERSON_KEY if key in frame.columns]
    order = PERSON_KEY if part.is_key else (*PERSON_KEY, ordinal(part.name))
    rows = frame.drop("version", "status", strict=False).join(persons.drop("inss"), on=on, how="inner")
    return rows.sort(order).select(
        *KEYS,
        *((pl.col(ordinal(table)) - pl.col(_first(table))).alias(ordinal(table)) for table in part.ordinals),
        *part.values(),
    )


def _own_table(frame: pl.DataFrame, persons: pl.DataFrame, part: Part, shape: Shape) -> pl.DataFrame:
    """One own table: values as given out, amounts above a limit or not; sums not yet summed.

    Rows are in the order of declarations and persons, and of their own columns: that of the rows made tells nothing.
    Under codes they are in that of their columns alone, until all shards are seen: see `ordering`.
    """
    if shape.smallest_group:
        # Cubes are made of it once all shards are seen, and of measures too that are not given.
        groups = [one.name for one in (part.own.columns if part.own else ()) if one.name in frame.columns]
        return _of(persons, frame.select(*PERSON_KEY, *groups)).drop(PERSON_KEY)
    columns = [zone.column for zone in part.zones if zone.column in frame.columns]
    rows = frame.with_columns(
        (value > shape.limits[zone.column]).alias(zone.column) if zone.column in shape.limits else value
        for zone, value in zip(part.zones, part.values(), strict=True)
        if zone.column in columns
    )
    if part.keyed:
        rows = _of(persons.drop("inss"), rows.select(*PERSON_KEY, *columns))
        return rows.sort(*PERSON_KEY, *columns).select(*KEYS, *columns)
    return rows.sort(*([] if shape.coding else [DECLARATION]), *columns).select(columns)


def _under_codes(tables: Frames, shape: Shape) -> Frames:
    """Own tables with codes in place of the numbers of persons, employers, lines and places."""
    if shape.coding is None:
        return tables
    coded = {
        part.name: {one.name: one.coded for one in part.own.columns if one.coded and one.name in part.columns}
        for part in shape.parts
        if part.own
    }
    return under_codes(tables, coded, shape.coding)


def _of(persons: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    return persons.join(rows, on=list(PERSON_KEY), how="inner")


def _first(table: str) -> str:
    return f"first_{table}"


def _declared() -> Iterator[Extract]:
    for name, said in declarations():
        make = import_module(f"dmfa.extracts.selections.{name.replace('-', '_')}").select if said["answer"] else None
        yield Extract(name, select=answers(make) if make else attestations, **said)


EXTRACTS: dict[str, Extract] = {extract.name: extract for extract in _declared()}
"""Every extract by name."""


def extract_named(name: str) -> Extract:
    """The extract of a name.

    Raises:
        WrongUsage: there is none.
    """
    try:
        return EXTRACTS[name]
    except KeyError:
        raise WrongUsage(f"there is no extract {name}.", f"There is: {', '.join(EXTRACTS)}.") from None
