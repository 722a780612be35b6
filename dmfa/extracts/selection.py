"""The extracts: which blocks each may hold, and how a shard of the lake becomes its tables.

A new extract is one more entry of EXTRACTS; one that is more than a choice of blocks brings its own small selection.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np
import polars as pl

from dmfa.errors import WrongUsage
from dmfa.extracts.authorisations import KEYS, Permit
from dmfa.extracts.persons import DECLARATION, PERSON_KEY, PERSON_TABLE, Frames, Population
from dmfa.extracts.shape import Part, Shape, ordinals_of, person_tables
from dmfa.schema import ordinal, snake_case


@dataclass(frozen=True)
class Selected:
    """What one shard gives.

    Attributes:
        persons: one row per attestation, in the order of the tables: attestation, version, status, inss.
        tables: each table of the shape, with exactly its columns.
    """

    persons: pl.DataFrame
    tables: Frames


Select = Callable[[Frames, Shape], Selected]
"""Makes an extract's tables of those of the lake, in any order of rows: of the persons that it may hold alone."""


@dataclass(frozen=True)
class Extract:
    """One extract.

    Attributes:
        name: as the file of authorisations and the command line call it.
        words: what it holds.
        select: makes its tables of the authentic ones.
        blocks: labels of the blocks that it may hold; None for everything that is said of a person.
        mode: raw, derived, threshold or aggregate; the authorisation must say the same.
    """

    name: str
    words: str
    select: Select
    blocks: tuple[str, ...] | None = None
    mode: str = "raw"

    def shape(self, permit: Permit, xsd: Path | None = None) -> Shape:
        """The tables that a permit leaves of it.

        Raises:
            WrongUsage: the authorisation is for another extract or mode, or lists a block that the extract lacks.
        """
        row = permit.authorisation
        if (row.extract, row.mode) != (self.name, self.mode):
            raise WrongUsage(
                f"authorisation {row.id} is for {row.mode} data of {row.extract}: {self.name} gives {self.mode} data.",
                "Correct its mode in the file of authorisations.",
            )
        held = self.blocks or tuple(table.block.name for table in person_tables(xsd))
        beyond = [block for block in row.blocks if block not in held]
        if beyond:
            raise WrongUsage(
                f"authorisation {row.id} lists {', '.join(beyond)}, which extract {self.name} does not hold.",
                f"It holds {', '.join(held)}.",
            )
        return Shape.of(permit, held, xsd)


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
    persons = _numbered(frames[PERSON_TABLE])
    for part in shape.parts:
        if not part.is_key:
            own = ordinal(part.name)
            first = frames[part.name].group_by(*PERSON_KEY).agg(pl.col(own).min().alias(_first(part.name)))
            persons = persons.join(first, on=list(PERSON_KEY), how="left")
    persons = persons.sort(*PERSON_KEY)
    tables = {part.name: _table(frames[part.name], persons, part) for part in shape.parts}
    return Selected(persons.select(*KEYS, "inss"), tables)


def reads(shape: Shape, population: Population) -> dict[str, tuple[str, ...]]:
    """Tables of the lake and their columns that an extract needs: keys, zones given, zones of the population."""
    more: dict[str, list[str]] = {PERSON_TABLE: ["version", "status", "inss"]}
    for place in population:
        table, zone = map(snake_case, place.split("."))
        more.setdefault(table, []).append(zone)
    zones = {part.name: [zone.column for zone in part.zones] for part in shape.parts}
    tables = {table.name: table for table in person_tables(shape.xsd)}
    return {
        name: tuple(
            dict.fromkeys(
                (DECLARATION, *map(ordinal, ordinals_of(tables[name])), *zones.get(name, ()), *more.get(name, ()))
            )
        )
        for name in dict.fromkeys((*zones, *more))
    }


def _numbered(persons: pl.DataFrame) -> pl.DataFrame:
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


def _first(table: str) -> str:
    return f"first_{table}"


_CAREER = (
    "EmployerDeclaration",
    "NaturalPerson",
    "WorkerRecord",
    "Occupation",
    "OccupationInformations",
    "Service",
    "Remun",
    "OccupationPublicServiceData",
    "ScaleSalary",
    "AdditionalScaleSalary",
)

EXTRACTS: dict[str, Extract] = {
    extract.name: extract
    for extract in (
        Extract("attestation", "All blocks of one person in one accepted declaration", attestations),
        Extract("pensions", "Career: employer, periods, pay, working time, public service", attestations, _CAREER),
    )
}
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
