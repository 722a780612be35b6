"""The shape of an extract: its tables, their keys and zones, and how a value is written in what is given out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Protocol

import polars as pl
import pyarrow as pa

from dmfa.extracts.authorisations import KEYS, Permit
from dmfa.extracts.own import FLAGGED, FLAGS, OwnTable
from dmfa.extracts.persons import PERSON
from dmfa.identifiers import enterprise_text_expr, insz_text_expr, local_unit_text_expr, noss_registration_text_expr
from dmfa.schema import MESSAGE, TOP, Block, Column, Table, Zone, lake_tables, load, newest, ordinal, snake_case

_IDENTIFIERS = {
    **dict.fromkeys(("00024", "00092", "00093", "00749"), (insz_text_expr, "[0-9]{11}")),
    "00011": (noss_registration_text_expr, "[0-9]{9,10}"),
    **dict.fromkeys(("00014", "00131"), (enterprise_text_expr, "[0-9]{10}")),
    "00042": (local_unit_text_expr, "[0-9]{10}"),
}
"""Zones with a number of a person, employer or establishment: numbers in the lake, padded text in all that is given."""


class Coding(Protocol):
    """What makes a recipient's own codes of numbers."""

    @property
    def told(self) -> dict[str, str]:
        """What a manifest says of the codes."""

    @property
    def seal(self) -> str:
        """A digest that another way of making codes would not give."""

    def __call__(self, kind: str, numbers: pl.Series) -> pl.Series:
        """The codes of numbers of persons, employers, lines or places; null stays null."""


_KEY_FIELDS = (
    pa.field(
        KEYS[0], pa.int64(), False, {"words": "Number of the attestation: one person in one accepted declaration"}
    ),
    pa.field(KEYS[1], pa.int16(), False, {"words": "Version of the attestation, 1 for an original"}),
    pa.field(KEYS[2], pa.int8(), False, {"words": "0 new, 1 changed, 3 cancelled, 4 reactivated"}),
)


def is_identifier(zone: Zone) -> bool:
    """Whether a zone holds the number of a person, employer or establishment."""
    return zone.number in _IDENTIFIERS


def text_pattern(zone: Zone) -> str | None:
    """Pattern of the padded text that an identifier or code is given as; None for any other zone."""
    if is_identifier(zone):
        return _IDENTIFIERS[zone.number][1]
    return None if zone.code_width is None else f"[0-9]{{{zone.code_width}}}"


def as_given(zone: Zone) -> pl.Expr:
    """A zone as it is given out, over the lake's column: numbers of persons and employers as padded text."""
    column = pl.col(zone.column)
    return _IDENTIFIERS[zone.number][0](column).alias(zone.column) if is_identifier(zone) else column


@dataclass(frozen=True)
class Part:
    """One table of an extract: a block or a table of the extract's own, some of its columns, and the keys to join it.

    Attributes:
        table: the lake's table, or the own one.
        above: tables of the blocks around it that are given too, from below NaturalPerson, outermost first.
        hidden: tables of the blocks around it that are not given: what hangs under them is not given either.
        zones: zones given, in schema order; own columns are described as zones are.
        own: the declaration of an own table; None for a block.
    """

    table: Table
    above: tuple[str, ...]
    hidden: tuple[str, ...]
    zones: tuple[Zone, ...]
    own: OwnTable | None = None

    @property
    def name(self) -> str:
        """Name of the table."""
        return self.table.name

    @property
    def block(self) -> Block:
        """The block."""
        return self.table.block

    @property
    def is_key(self) -> bool:
        """Whether the attestation itself is its key: it carries no ordinal."""
        return self.own is not None or self.block.name in (TOP, PERSON)

    @property
    def keyed(self) -> bool:
        """Whether its rows carry the number, version and status of an attestation."""
        return self.own is None or self.own.keyed

    @property
    def by(self) -> tuple[str, ...]:
        """Columns given that a row is a sum by; none where a row stands for itself."""
        given = {zone.column for zone in self.zones}
        return tuple(name for name in self.own.by if name in given) if self.own else ()

    @property
    def ordinals(self) -> tuple[str, ...]:
        """Tables whose ordinals it carries, its own last."""
        return self.above if self.is_key else (*self.above, self.name)

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns: keys, ordinals, zones."""
        return tuple(self.arrow_schema.names)

    @cached_property
    def arrow_schema(self) -> pa.Schema:
        """Columns with their types and, as field metadata, zone number, label, unit and words."""
        fields = list(_KEY_FIELDS) if self.keyed else []
        fields += [
            pa.field(ordinal(table), pa.int32(), True, {"words": f"Ordinal of the {table} in the attestation, from 0"})
            for table in self.ordinals
        ]
        types = {column.name: column.type for column in self.table.columns}
        for zone in self.zones:
            kind = pa.string() if is_identifier(zone) else types[zone.column]
            notes = {"zone": zone.number, "label": zone.name, "words": zone.words, "unit": zone.unit}
            fields.append(pa.field(zone.column, kind, True, {name: text for name, text in notes.items() if text}))
        return pa.schema(fields, {"block": self.block.number, "label": self.block.name, "words": self.block.words})

    def values(self) -> list[pl.Expr]:
        """Its zones as they are given out, over the lake's columns."""
        return [as_given(zone) for zone in self.zones]


@dataclass(frozen=True)
class Shape:
    """The tables of one extract under one permit.

    Attributes:
        parts: its tables in document order.
        filtered: what the extract could hold and the permit leaves out: `Block` or `Block/Zone`.
        xsd: folder with further releases.
        of_year: whether it tells of all quarters of the year up to the one given.
        limits: columns that tell only whether an amount is above so many cents.
        smallest_group: least number of persons in a group that is given; 0 where no groups are.
        flags: the table of open anomalies; None where nothing is given by attestation.
        coding: makes the recipient's own codes of numbers; None where no column is coded.
    """

    parts: tuple[Part, ...]
    filtered: tuple[str, ...]
    xsd: Path | None = None
    of_year: bool = False
    limits: Mapping[str, int] = field(default_factory=dict, hash=False)
    smallest_group: int = 0
    flags: Part | None = None
    coding: Coding | None = field(default=None, repr=False, compare=False)

    @property
    def nested(self) -> bool:
        """Whether its tables are blocks, one inside the other; own tables stand side by side."""
        return all(part.own is None for part in self.parts)

    @property
    def sheets(self) -> tuple[Part, ...]:
        """All tables that are written: its own, and that of flags."""
        return self.parts if self.flags is None else (*self.parts, self.flags)

    @property
    def columns(self) -> dict[str, tuple[str, ...]]:
        """Tables and all their columns."""
        return {part.name: part.columns for part in self.sheets}

    @classmethod
    def of(cls, permit: Permit, blocks: Mapping[str, tuple[str, ...]], xsd: Path | None = None) -> Shape:
        """The shape that a permit leaves of an extract of blocks.

        Args:
            permit: the permit.
            blocks: labels of the blocks that the extract may hold, with those of their zones.
            xsd: folder with further releases.
        """
        allowed = permit.authorisation.blocks
        given = {snake_case(block) for block in blocks if block in allowed}
        parts, filtered = [], []
        for table in person_tables(xsd):
            label = table.block.name
            if label not in blocks:
                continue
            if label not in allowed:
                filtered.append(label)
                continue
            around = [name for name in ordinals_of(table) if name not in (table.name, snake_case(PERSON))]
            zones = {name: zone for name, zone in zones_of(table).items() if name in blocks[label]}
            parts.append(
                Part(
                    table,
                    tuple(name for name in around if name in given),
                    tuple(name for name in around if name not in given),
                    tuple(zone for name, zone in zones.items() if name in allowed[label]),
                )
            )
            filtered += [f"{label}/{name}" for name in zones if name not in allowed[label]]
        return cls(tuple(parts), tuple(filtered), xsd, flags=_part_of(FLAGS))

    @classmethod
    def answering(
        cls, permit: Permit, tables: Mapping[str, OwnTable], xsd: Path | None = None, *, of_year: bool = False
    ) -> Shape:
        """The shape that a permit leaves of an extract with tables of its own.

        Args:
            permit: the permit.
            tables: the own tables by name.
            xsd: folder with further releases.
            of_year: whether it tells of all quarters of the year up to the one given.
        """
        row = permit.authorisation
        parts, filtered = [], []
        for name, own in tables.items():
            listed = row.answer.get(name)
            if listed is None:
                filtered.append(name)
                continue
            parts.append(_part_of(own, listed, xsd))
            filtered += [f"{name}/{column.name}" for column in own.columns if column.name not in listed]
        flags = _part_of(FLAGGED) if any(part.keyed for part in parts) else None
        return cls(tuple(parts), tuple(filtered), xsd, of_year, dict(row.limits), row.smallest_group, flags)


def _part_of(own: OwnTable, listed: tuple[str, ...] | None = None, xsd: Path | None = None) -> Part:
    """An own table, or the columns of it that are listed."""
    table = own.of_columns(tuple(column.name for column in own.columns) if listed is None else listed, xsd)
    return Part(table, (), (), table.block.zones, own)


def ordinals_of(table: Table) -> tuple[str, ...]:
    """Tables whose ordinals a table of the lake carries, outermost first, its own last."""
    return tuple(column.name.removesuffix("_ordinal") for column in table.columns if _is_ordinal(column))


def zones_of(table: Table) -> dict[str, Zone]:
    """All zones of a table by label, those that a newer release dropped last."""
    dropped = {column.zone.name: column.zone for column in table.columns if column.zone}
    return {zone.name: zone for zone in table.block.zones} | dropped


@cache
def person_tables(xsd: Path | None = None) -> tuple[Table, ...]:
    """The lake's tables that say something of one person: the employer's block, the person's and all below it."""
    person = snake_case(PERSON)
    return tuple(table for table in lake_tables(xsd) if table.block.name == TOP or person in ordinals_of(table))


def paths(xsd: Path | None = None) -> Iterator[tuple[str, ...]]:
    """Every way from EmployerDeclaration down, as labels."""
    release = newest(MESSAGE, xsd)
    if release is not None:
        for path in load(release).blocks[TOP].paths():
            yield tuple(block.name for block in path)


def unreachable(blocks: Mapping[str, object], xsd: Path | None = None) -> list[str]:
    """Listed blocks that have no way down to them through listed blocks only."""
    reached = {path[-1] for path in paths(xsd) if all(block in blocks for block in path)}
    return [block for block in blocks if block not in reached]


def _is_ordinal(column: Column) -> bool:
    return column.zone is None and column.name.endswith("_ordinal")
