"""The rows of history that new versions bring: units, their zones from a Form or from the lake, and all below lines.

A unit keeps its ordinal for life. Blocks below a line are numbered anew with every version of it, on from the highest
number ever used in their table, so that a number means one row over all versions.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Final, NamedTuple

import polars as pl

from dmfa.corrections.applied import REPLACED_TYPES, TOUCHED_TYPES, UNIT_TYPES
from dmfa.corrections.state import CANCELLED, DECLARATION, State, below_lines
from dmfa.schema import LINE, Table, ordinal


class Made(NamedTuple):
    """A new row of a unit.

    Attributes:
        quarter: yyyyq.
        declaration_id: the declaration.
        version: of the declaration, and so of the row.
        form_id: the Form that asked for it; None if none did.
        unit: table of the unit.
        natural_person_ordinal: ordinal of the person, of a person or a line.
        ordinal: its own; 0 for the declaration.
        status: of the row.
        last_version: version of its row before, None if it had none.
        form_ordinal: its ordinal in the Form, None if the Form does not name it.
        filing_id: the filing that brings the row.
        known_from: since when it is known: when that was received, and never before the version before.
        source_form: Form in which its zones stand; None if they stand in the lake.
        source_ordinal: its ordinal there.
        source_version: version of the row in the lake, 0 in a Form.
        holiday: of the declaration, zone 00017 from now on.
    """

    quarter: int
    declaration_id: int
    version: int
    form_id: int | None
    unit: str
    natural_person_ordinal: int | None
    ordinal: int
    status: int
    last_version: int | None
    form_ordinal: int | None
    filing_id: int
    known_from: datetime
    source_form: int | None
    source_ordinal: int
    source_version: int
    holiday: date | None = None


MADE_TYPES: Final = {
    **UNIT_TYPES,
    "filing_id": pl.Int64(),
    "known_from": pl.Datetime("us"),
    "source_form": pl.Int64(),
    "source_ordinal": pl.Int32(),
    "source_version": pl.Int16(),
    "holiday": pl.Date(),
}
_NEW: Final = ("declaration_id", "quarter", "filing_id", "version", "status", "known_from")
_LINE_KEY: Final = ["source", "source_ordinal", "source_version"]
_IN_FORM: Final = pl.lit(0)
"""Version of what stands in a Form."""


def made_frame(made: Iterable[Made]) -> pl.DataFrame:
    """New rows of units as a frame, in their order; column `source` names the Form or the declaration to read from."""
    schema = {name: MADE_TYPES[name] for name in Made._fields}
    columns = dict(zip(Made._fields, zip(*made, strict=True), strict=False))  # without any row there is no column
    frame = pl.DataFrame(columns, schema=schema)
    return frame.with_columns(source=pl.coalesce("source_form", "declaration_id"))


def units(made: pl.DataFrame) -> pl.DataFrame:
    """Which units got a new row, columns of `UNIT_TYPES`."""
    return made.select(list(UNIT_TYPES))


def replaced(made: pl.DataFrame) -> pl.DataFrame:
    """The rows that are no longer the last ones, columns of `REPLACED_TYPES`."""
    return (
        made.filter(pl.col("last_version").is_not_null())
        .select(
            "quarter",
            "declaration_id",
            "unit",
            "ordinal",
            version="last_version",
            ended_by="version",
            filing_id="filing_id",
            known_until="known_from",
        )
        .select(list(REPLACED_TYPES))
    )


def history(
    made: pl.DataFrame, state: State, declared: Mapping[str, pl.DataFrame] | None = None
) -> dict[str, pl.DataFrame]:
    """All new rows, by table.

    Args:
        made: as of `made_frame`.
        state: what the lake holds.
        declared: what the Forms declare.
    """
    found = {}
    for table in state.tables:
        of_unit = made.filter(pl.col("unit") == table.name)
        if of_unit.height:
            found[table.name] = _own(of_unit, table, state, declared or {})
    lines = made.filter((pl.col("unit") == LINE) & (pl.col("status") != CANCELLED))
    if lines.height:
        found |= _below(lines, state, declared or {})
    return found


def touched(made: pl.DataFrame) -> pl.DataFrame:
    """The persons with a new row, columns of `TOUCHED_TYPES`; null for units beside persons."""
    persons_or_beside = ~pl.col("unit").is_in([DECLARATION, LINE])
    return made.filter(persons_or_beside).select(list(TOUCHED_TYPES)).unique(maintain_order=True)


def conformed(rows: pl.DataFrame, table: Table) -> pl.DataFrame:
    """Rows with the columns of the lake's table, in its order; what they lack is null."""
    schema = pl.DataFrame(table.arrow_schema.empty_table()).schema
    return rows.select(
        (pl.col(name) if name in rows.columns else pl.lit(None)).cast(kind).alias(name) for name, kind in schema.items()
    )


def _own(made: pl.DataFrame, table: Table, state: State, declared: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """New rows of the units of one table."""
    own = ordinal(table.name) if table.name != DECLARATION else None
    parts = []
    for rows, of_form in ((state.rows.get(table.name), False), (declared.get(table.name), True)):
        wanted = made.filter(pl.col("source_form").is_not_null() == of_form)
        if rows is None or wanted.is_empty():
            continue
        keys = [pl.col("declaration_id"), pl.col(own) if own else pl.lit(0, pl.Int32)]
        keys.append(pl.lit(0, pl.Int16) if of_form else pl.col("version"))
        zones = rows.select(
            *(key.alias(name) for key, name in zip(keys, _LINE_KEY, strict=True)),
            *(column.name for column in table.columns if column.zone is not None and column.name in rows.columns),
        )
        parts.append(conformed(_named(wanted, table).join(zones, on=_LINE_KEY, how="inner"), table))
    found = pl.concat(parts)
    if found.height != made.height:
        raise ValueError(f"{made.height - found.height} new rows of {table.name} have no zones to take")
    return found.sort("declaration_id", "version", *([own] if own else []))


def _named(made: pl.DataFrame, table: Table) -> pl.DataFrame:
    """New rows with their ordinals under the names that they have in the table."""
    ordinals = []
    if table.name != DECLARATION:
        ordinals.append(pl.col("ordinal").alias(ordinal(table.name)))
    if table.name == LINE:
        ordinals.append(pl.col("natural_person_ordinal"))
    frame = made.select(*_NEW, *_LINE_KEY, *ordinals, "holiday")
    return frame.rename({"holiday": "holiday_starting_date"}) if table.name == DECLARATION else frame.drop("holiday")


def _below(lines: pl.DataFrame, state: State, declared: Mapping[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    """New rows of all tables below lines."""
    lines = lines.with_row_index("place").select(
        "place", *_NEW, *_LINE_KEY, "natural_person_ordinal", pl.col("ordinal").alias(ordinal(LINE)), "source_form"
    )
    of_form = pl.col("source_form").is_not_null()
    sources = ((lines.filter(~of_form), state.rows, pl.col("version")), (lines.filter(of_form), declared, _IN_FORM))
    numbered: dict[str, pl.DataFrame] = {}
    for table in below_lines(state.tables):
        held = [
            (own, rows[table.name], version)
            for own, rows, version in sources
            if own.height and table.name in rows and rows[table.name].height
        ]
        parts = [_of_lines(*one) for one in held]
        if any(part.height for part in parts):
            rows = pl.concat(parts, how="diagonal")
            numbered[table.name] = _numbered(rows, ordinal(table.name), state.highest.get(table.name))
    # A table may stand before that of a block above it: all are numbered before any takes up the numbers above it.
    numbers = {
        ordinal(name): rows.select("place", ordinal(name), pl.col("number").alias(f"{name}_number"))
        for name, rows in numbered.items()
    }
    return {
        table.name: conformed(_placed(numbered[table.name], ordinal(table.name), numbers), table)
        for table in state.tables
        if table.name in numbered
    }


def _of_lines(lines: pl.DataFrame, rows: pl.DataFrame, version: pl.Expr) -> pl.DataFrame:
    """Rows below some lines, under the keys that the lines have now.

    Args:
        lines: with the keys under which the rows stand, in a Form or the lake.
        rows: rows of a table.
        version: that of the line.
    """
    kept = [name for name in rows.columns if name not in lines.columns]
    source = (pl.col("declaration_id"), pl.col(ordinal(LINE)), version.cast(pl.Int16))
    return lines.join(
        rows.select(*(key.alias(name) for key, name in zip(source, _LINE_KEY, strict=True)), *kept), on=_LINE_KEY
    )


def _numbered(rows: pl.DataFrame, own: str, highest: pl.DataFrame | None) -> pl.DataFrame:
    """Rows with a number each: on from the highest that their declaration has used."""
    used = highest if highest is not None else pl.DataFrame(schema={"declaration_id": pl.Int64, "highest": pl.Int32})
    after = pl.col("highest").fill_null(-1) + pl.col("declaration_id").cum_count().over("declaration_id")
    return (
        rows.sort("place", own)
        .join(used, on="declaration_id", how="left", maintain_order="left")
        .with_columns(number=after.cast(pl.Int32))
    )


def _placed(rows: pl.DataFrame, own: str, numbers: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """Rows with the new numbers: their own, and those of the blocks above them."""
    new = {own: "number"}
    for column, of_block in numbers.items():
        if column != own and column in rows.columns:
            rows = rows.join(of_block, on=["place", column], how="left", maintain_order="left")
            new[column] = of_block.columns[-1]
    return rows.with_columns(**new)
