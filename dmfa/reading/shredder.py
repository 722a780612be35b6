"""Declarations taken apart into one table per block: the face of every shredder, and what they share.

A shredder is a function `(documents, plan) -> Shredded`. There may be several; each must give the same tables, cell by
cell. In use is the tokenizer, which hands what it does not read to the walk over lxml trees, the reference.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import polars as pl
from lxml import etree

from dmfa.reading.cells import POLARS_TYPES
from dmfa.reading.markup import Markup
from dmfa.reading.plan import FORM_KEYS, Plan, TablePlan

KEY_TYPES = {
    "declaration_id": pl.Int64,
    "quarter": pl.Int32,
    "filing_id": pl.Int64,
    "version": pl.Int16,
    "status": pl.Int8,
}
FORM_KEY_TYPES = {
    "declaration_id": pl.Int64,
    "filing_id": pl.Int64,
    "form_index": pl.Int32,
    "quarter": pl.Int32,
}


@dataclass
class Document:
    """One filing to shred; it has been found valid.

    Attributes:
        filing_id: its key.
        sha256: its hexadecimal SHA-256.
        data: its bytes.
        root: its parsed tree, None for a giant, which is read piece by piece.
        markup: the markup of some documents that it was read in already.
        place: its number there.
    """

    filing_id: int
    sha256: str
    data: bytes
    root: etree._Element | None = None
    markup: Markup | None = None
    place: int = 0


@dataclass
class Shredded:
    """The tables of some declarations.

    Attributes:
        tables: by name, every table of the plan, empty ones too; rows of a declaration in document order.
        forms: one row per declaration: declaration_id, filing_id, form_index, quarter, noss_registration_nbr,
            company_id, net_owed_amount, then the zones of the Form and of its Reference.
    """

    tables: dict[str, pl.DataFrame]
    forms: pl.DataFrame


Shredder = Callable[[Iterable[Document], Plan], Shredded]


def table_types(table: TablePlan) -> dict[str, pl.DataType | type[pl.DataType]]:
    """Columns of a shredded table with their Polars types, in the order of the lake's tables."""
    ordinals = dict.fromkeys(table.ordinals, pl.Int32)
    return {**KEY_TYPES, **ordinals, **{cell.column: POLARS_TYPES[cell.kind] for cell in table.cells}}


def form_types(plan: Plan) -> dict[str, pl.DataType | type[pl.DataType]]:
    """Columns of the forms table with their Polars types."""
    cells = (*plan.head, *(cell for _, cell in plan.form))
    return {
        **{name: FORM_KEY_TYPES[name] for name in FORM_KEYS},
        **{cell.column: POLARS_TYPES[cell.kind] for cell in cells},
    }


def join(parts: list[Shredded], plan: Plan) -> Shredded:
    """Several results as one."""
    if len(parts) == 1:
        return parts[0]
    return Shredded(
        {
            table.name: pl.concat(
                [pl.DataFrame(schema=table_types(table)), *(part.tables[table.name] for part in parts)]
            )
            for table in plan.tables
        },
        pl.concat([pl.DataFrame(schema=form_types(plan)), *(part.forms for part in parts)]),
    )
