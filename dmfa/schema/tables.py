"""The tables that follow from the tree of blocks: one per block from EmployerDeclaration down."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pyarrow as pa

from dmfa.errors import WrongSchema
from dmfa.schema.messages import MESSAGES, ORIGINAL, Message
from dmfa.schema.reader import load
from dmfa.schema.releases import releases
from dmfa.schema.tree import Block, Schema, Zone, snake_case

MESSAGE = ORIGINAL.name
TOP = ORIGINAL.top
_ORDINAL = "_ordinal"


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Attributes:
        name: snake_case label of the zone, or the name of a key.
        type: its Arrow type.
        comment: zone number, words and unit.
        zone: the zone it holds, None for a key.
    """

    name: str
    type: pa.DataType
    comment: str
    zone: Zone | None = None


@dataclass(frozen=True)
class Table:
    """One table: a block's zones behind its keys.

    Attributes:
        name: snake_case label of the block.
        block: the block.
        columns: keys first, then zones in schema order.
    """

    name: str
    block: Block
    columns: tuple[Column, ...]

    @property
    def comment(self) -> str:
        """Block number and words."""
        return f"{self.block.number} {self.block.words}".strip()

    @property
    def arrow_schema(self) -> pa.Schema:
        """The table's columns as an Arrow schema."""
        return pa.schema([pa.field(column.name, column.type) for column in self.columns])


KEYS = (
    Column(
        "declaration_id", pa.int64(), "Declaration: 63 bits of SHA-256 over the file's SHA-256 and the Form's index"
    ),
    Column("quarter", pa.int32(), "Quarter of the declaration, yyyyq"),
    Column("filing_id", pa.int64(), "Filing it came from: 63 bits of the file's SHA-256"),
    Column("version", pa.int16(), "Version, 1 for an original"),
    Column("status", pa.int8(), "0 new, 1 changed, 3 cancelled, 4 reactivated"),
    Column("known_from", pa.timestamp("us"), "When the filing that brought the row was received"),
)

LINE = "worker_record"
"""Table of the line of a worker: what a correction replaces whole, with all below it."""


def ordinal(table: str) -> str:
    """Name of the column with a block's ordinal among its kind in the declaration."""
    return f"{table}{_ORDINAL}"


def unit_of(columns: Iterable[str]) -> tuple[str, str | None]:
    """The unit that a table's rows belong to: what a correction replaces whole.

    A line takes all below it along; what stands outside of lines belongs to its outermost block below the declaration,
    and without any to the declaration itself.

    Args:
        columns: names of the table's columns, its ordinals in order.

    Returns:
        Name of the unit's table, and of the column with the unit's ordinal; None for the declaration, which has none.

    Examples:
        >>> unit_of(["natural_person_ordinal", "worker_record_ordinal", "service_ordinal"])
        ('worker_record', 'worker_record_ordinal')
        >>> unit_of(["company_vehicle_ordinal"])
        ('company_vehicle', 'company_vehicle_ordinal')
    """
    ordinals = [column for column in columns if column.endswith(_ORDINAL)]
    if not ordinals:
        return snake_case(TOP), None
    own = ordinal(LINE) if ordinal(LINE) in ordinals else ordinals[0]
    return own.removesuffix(_ORDINAL), own


def arrow_type(zone: Zone) -> pa.DataType:
    """Int64 for an integer (amounts in cents), text for a code and all else, date for a date."""
    if zone.base == "xs:integer" and zone.code_width is None:
        return pa.int64()
    return pa.date32() if zone.base == "xs:date" else pa.string()


@cache
def tables(schema: Schema) -> tuple[Table, ...]:
    """The tables of one release, in document order."""
    top = MESSAGES.get(schema.release.message, ORIGINAL).top
    above: dict[str, dict[str, None]] = {}
    blocks: dict[str, Block] = {}
    for path in schema.blocks[top].paths():
        block = path[-1]
        blocks.setdefault(block.name, block)
        # dict as ordered set: the ancestors of every path, outermost first, EmployerDeclaration left out.
        above.setdefault(block.name, {}).update(dict.fromkeys(step.table for step in path[1:-1]))
    depth = {path[-1].table: len(path) for path in schema.blocks[top].paths()}
    result = []
    for name, block in blocks.items():
        ancestors = sorted(above[name], key=depth.__getitem__)
        own = [block.table] if name != top else []
        ordinals = [
            Column(ordinal(table), pa.int32(), f"Ordinal of the {table} in the declaration, from 0")
            for table in ancestors + own
        ]
        # The declaration's own Quarter zone is the key column.
        zones = [_column(zone) for zone in block.zones if zone.column not in {key.name for key in KEYS}]
        result.append(Table(block.table, block, (*KEYS, *ordinals, *zones)))
    return tuple(result)


def union(tables: Iterable[Table]) -> tuple[Table, ...]:
    """Tables of several releases, newest first, as one set: columns that a newer release dropped come last.

    Raises:
        WrongSchema: two releases give one column different types.
    """
    merged: dict[str, Table] = {}
    for table in tables:
        known = merged.setdefault(table.name, table)
        types = {column.name: column.type for column in known.columns}
        for column in table.columns:
            if types.setdefault(column.name, column.type) != column.type:
                raise WrongSchema(
                    f"{table.name}.{column.name} is {types[column.name]} in one release, {column.type} in another"
                )
        held = {column.name for column in known.columns}
        more = tuple(column for column in table.columns if column.name not in held)
        merged[table.name] = Table(known.name, known.block, known.columns + more)
    return tuple(merged.values())


@cache
def lake_tables(folder: Path | None = None) -> tuple[Table, ...]:
    """The tables that hold the declarations of every release at hand.

    Args:
        folder: a folder with further releases.
    """
    return message_tables(ORIGINAL, folder)


@cache
def message_tables(message: Message, folder: Path | None = None) -> tuple[Table, ...]:
    """The tables that hold what the messages of one kind say, of every release at hand.

    Args:
        message: the kind of message.
        folder: a folder with further releases.
    """
    newest_first = reversed(releases(message.name, folder))
    return union(table for release in newest_first for table in tables(load(release)))


def _column(zone: Zone) -> Column:
    unit = f" ({zone.unit})" if zone.unit else ""
    return Column(zone.column, arrow_type(zone), f"{zone.number} {zone.words}{unit}".strip(), zone)
