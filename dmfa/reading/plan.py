"""The plan by which a message is taken apart: which element opens a row, which one fills a cell.

It is derived from the tree of blocks of every release at hand and holds plain data only, so that it is made once and
handed to worker processes, which then need no schema library.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pyarrow as pa

from dmfa.schema import FORM, KEYS, ORIGINAL, UPDATE, Block, Message, Zone, load, message_tables, releases
from dmfa.schema.tables import arrow_type

FORM_KEYS = ("declaration_id", "filing_id", "form_index", "quarter")
HEAD_ZONES = {
    ORIGINAL: ("NOSSRegistrationNbr", "CompanyID", "NetOwedAmount"),
    UPDATE: ("NOSSRegistrationNbr", "CompanyID", "EmployerDeclarationPID", "Justification"),
}
"""By message, the zones of the declaration that the forms table repeats."""


@dataclass(frozen=True)
class Cell:
    """One column that a zone fills.

    Attributes:
        label: XML label of the zone.
        column: name of the column.
        kind: integer, code, date or text.
        width: digits of a code, else 0.
    """

    label: str
    column: str
    kind: str
    width: int = 0


@dataclass(frozen=True)
class TablePlan:
    """One table.

    Attributes:
        label: XML label of its block.
        name: name of the table.
        ordinals: names of its ordinal columns: those of its ancestors, outermost first, then its own.
        cells: the columns that its zones fill.
    """

    label: str
    name: str
    ordinals: tuple[str, ...]
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Plan:
    """How to shred the declarations of one message, or its corrections of declarations.

    Attributes:
        message: the message.
        tables: every table, that of the declaration first.
        paths: every way from the declaration down to a block, as labels, each after its parent's.
        form: the zones of the Form and of the blocks beside the declaration in it (Reference): label of the block,
            empty for the Form itself, and the cell.
        head: the cells of the declaration that the forms table repeats.
        leaves_first: whether in every block the zones stand before the blocks inside it.
    """

    message: Message
    tables: tuple[TablePlan, ...]
    paths: tuple[tuple[str, ...], ...]
    form: tuple[tuple[str, Cell], ...]
    head: tuple[Cell, ...]
    leaves_first: bool


@cache
def make_plan(folder: Path | None = None, message: Message = ORIGINAL) -> Plan:
    """Make the plan for the releases at hand.

    Args:
        folder: a folder with further releases.
        message: what is to be shredded.

    Raises:
        WrongSchema: a release can not be read, or two releases contradict each other.
    """
    paths: dict[tuple[str, ...], None] = {}
    form: dict[tuple[str, str], Cell] = {}
    top_zones: dict[str, Zone] = {}
    leaves_first = True
    for release in reversed(releases(message.name, folder)):
        schema = load(release)
        leaves_first = leaves_first and all(block.leaves_first for block in schema.blocks.values())
        paths.update(dict.fromkeys(tuple(block.name for block in path) for path in schema.blocks[message.top].paths()))
        for block in (schema.blocks[FORM], *_beside(schema.blocks[FORM], message.top)):
            name = "" if block.name == FORM else block.name
            for zone in block.zones:
                form.setdefault((name, zone.name), _cell(zone))
        for zone in schema.blocks[message.top].zones:
            top_zones.setdefault(zone.name, zone)
    plans = tuple(
        TablePlan(
            table.block.name,
            table.name,
            tuple(column.name for column in table.columns if column.zone is None and column not in KEYS),
            tuple(_cell(column.zone) for column in table.columns if column.zone is not None),
        )
        for table in message_tables(message, folder)
    )
    head = tuple(_cell(top_zones[name]) for name in HEAD_ZONES[message])
    # Parents first, whatever order the releases came in.
    ordered = tuple(sorted(paths, key=len))
    return Plan(message, plans, ordered, tuple((name, cell) for (name, _), cell in form.items()), head, leaves_first)


def _beside(form: Block, top: str) -> Iterator[Block]:
    return (child for child in form.children if child.name != top)


def _cell(zone: Zone) -> Cell:
    kind = arrow_type(zone)
    if pa.types.is_int64(kind):
        return Cell(zone.name, zone.column, "integer")
    if pa.types.is_date(kind):
        return Cell(zone.name, zone.column, "date")
    if zone.code_width is not None:
        return Cell(zone.name, zone.column, "code", zone.code_width)
    return Cell(zone.name, zone.column, "text")
