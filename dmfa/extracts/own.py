"""Own tables of an extract that gives answers instead of blocks: their columns, described as zones are.

A column that holds a zone unchanged is that zone, with its number, words, unit and padding: a fact has one form in
whatever is given. Any other column has words, a kind and a unit of its own, and no number.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Final

import pyarrow as pa

from dmfa.extracts.authorisations import FLAG_TABLE
from dmfa.schema import Block, Column, Table, Zone, lake_tables, snake_case

WHOLE, TEXT, DAY, ABOVE, PERSONS, ATTESTATIONS = "whole", "text", "day", "above", "persons", "attestations"
KINDS: Final[Mapping[str, tuple[str, pa.DataType]]] = {
    WHOLE: ("xs:integer", pa.int64()),
    TEXT: ("xs:string", pa.string()),
    DAY: ("xs:date", pa.date32()),
    ABOVE: ("xs:boolean", pa.bool_()),
    PERSONS: ("xs:integer", pa.int64()),
    ATTESTATIONS: ("xs:integer", pa.int64()),
}
"""Kinds of own columns: whole numbers, texts, days, above a limit or not, persons or attestations in a group."""


@dataclass(frozen=True)
class OwnColumn:
    """One column of an own table.

    Attributes:
        name: its name.
        zone: the zone that it holds unchanged, `Block.Zone`; empty for a column of the extract's own.
        words: what it holds; those of the zone where it is one.
        kind: one of KINDS; of no use where it is a zone.
        unit: unit of its value, `cent` for an amount.
        coded: whose number it is (person, employer, line), where it is given under a code of the recipient's own.
    """

    name: str
    zone: str = ""
    words: str = ""
    kind: str = WHOLE
    unit: str = ""
    coded: str = ""

    @property
    def label(self) -> str:
        """Name of its element in XML."""
        return _label(self.name)

    def as_zone(self, xsd: Path | None = None) -> Zone:
        """The column as a zone, under a label that gives its name."""
        if self.zone and not self.coded:
            zone = declared(self.zone, xsd)[0]
            return zone if zone.column == self.name else replace(zone, name=self.label)
        base = KINDS[TEXT if self.coded else self.kind][0]
        return Zone(self.label, "", base, self.unit, self.words, False, {"pattern": ()})

    def arrow_type(self, xsd: Path | None = None) -> pa.DataType:
        """Its type in Parquet."""
        if self.coded:
            return pa.string()
        return declared(self.zone, xsd)[1] if self.zone else KINDS[self.kind][1]


@dataclass(frozen=True)
class OwnTable:
    """One own table.

    Attributes:
        name: its name.
        words: what a row is.
        columns: its columns.
        by: columns that a row is a sum by, of whatever declarations; none where a row stands for itself.
        keyed: whether a row belongs to one attestation and carries its number, version and status.
    """

    name: str
    words: str
    columns: tuple[OwnColumn, ...]
    by: tuple[str, ...] = ()
    keyed: bool = True

    @property
    def label(self) -> str:
        """Name of its element in XML."""
        return _label(self.name)

    def of_columns(self, listed: tuple[str, ...], xsd: Path | None = None) -> Table:
        """The table with some of its columns, as those of the lake are described."""
        columns = [column for column in self.columns if column.name in listed]
        zones = tuple(column.as_zone(xsd) for column in columns)
        block = Block(self.label, "", self.words, zones, (), leaves_first=True)
        described = (
            Column(column.name, column.arrow_type(xsd), zone.words, zone)
            for column, zone in zip(columns, zones, strict=True)
        )
        return Table(self.name, block, tuple(described))


FLAGS: Final = OwnTable(
    FLAG_TABLE,
    "One open anomaly of an attestation, of what its recipient is given",
    (
        OwnColumn("block", words="Block that it stands on", kind=TEXT),
        OwnColumn("ordinal", words="Ordinal of the block in the attestation, from 0; none of what comes once"),
        OwnColumn("zone", words="Zone that it is about; none for the whole block", kind=TEXT),
        OwnColumn("code", words="Official code of the anomaly", kind=TEXT),
        OwnColumn(
            "class", words="P or NP: whether it is counted in the percentage that refuses a declaration", kind=TEXT
        ),
    ),
)
FLAGGED: Final = OwnTable(
    FLAG_TABLE, "One attestation of which something that the answer is made of has an open anomaly", ()
)
"""The table of flags of an extract in mode raw, and of any other by attestation."""


@cache
def declared(place: str, xsd: Path | None = None) -> tuple[Zone, pa.DataType]:
    """A zone of the declaration by `Block.Zone`, and its type in the lake; identifiers are text in what is given.

    Raises:
        KeyError: there is no such zone.
    """
    from dmfa.extracts.shape import is_identifier, zones_of  # which describes its tables with this module

    block, _, label = place.partition(".")
    table = next((one for one in lake_tables(xsd) if one.block.name == block), None)
    zones = {} if table is None else zones_of(table)
    if table is None or label not in zones:
        raise KeyError(place)
    zone = zones[label]
    kind = next(column.type for column in table.columns if column.name == snake_case(label))
    return zone, pa.string() if is_identifier(zone) else kind


def _label(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))
