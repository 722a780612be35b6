"""New versions that no Form asks for: units as they last were, some of their zones with another value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

import polars as pl

from dmfa.anomaly import anomaly_frame
from dmfa.corrections.applied import OUTCOME_TYPES, Applied
from dmfa.corrections.rows import MADE_TYPES, history, replaced, touched, units
from dmfa.corrections.state import CANCELLED, CHANGED, DECLARATION, PERSON, State, last_rows
from dmfa.schema import LINE, ordinal

Fixes = Mapping[tuple[str, str], pl.DataFrame]
"""By table and column: declaration_id, the table's own ordinal (none for the declaration itself) and value, or null."""


def in_force(state: State, table: str) -> pl.DataFrame:
    """The rows in force of a unit's table."""
    rows = last_rows(state.rows[table], None if table == DECLARATION else ordinal(table))
    return rows.filter(pl.col("status") != CANCELLED)


def renewed(
    state: State, keys: Mapping[str, pl.DataFrame], fixes: Fixes, filing_id: int, received_at: datetime
) -> Applied:
    """Bring declarations to their next version, in which some units are as they were but for some values.

    Args:
        state: what is known of them.
        keys: by table of a unit, declaration_id and the unit's own ordinal: those to be renewed. The declaration
            itself, and the person of a line, are renewed with them.
        fixes: the new values.
        filing_id: what brings them.
        received_at: when that was received.

    Returns:
        What is to be added; no Form is answered.
    """
    fixed = dict(state.rows)
    for (table, column), values in fixes.items():
        fixed[table] = _fixed(fixed[table], column, values)
    state = replace(state, rows=fixed)
    concerned = pl.concat([frame.select("declaration_id") for frame in keys.values()]).unique(maintain_order=True)
    top = last_rows(state.rows[DECLARATION], None).join(concerned, on="declaration_id", how="semi")
    moment = pl.max_horizontal("known_from", pl.lit(received_at, pl.Datetime("us")))
    versions = top.select("declaration_id", next=pl.col("version") + 1, moment=moment)
    wanted = {**keys, DECLARATION: concerned}
    if LINE in keys:
        of_lines = in_force(state, LINE).join(keys[LINE], on=keys[LINE].columns, how="semi")
        of_lines = of_lines.select("declaration_id", ordinal(PERSON))
        wanted[PERSON] = pl.concat([of_lines, keys[PERSON]] if PERSON in keys else [of_lines]).unique()
    parts = [
        _made(in_force(state, table).join(own, on=own.columns, how="semi"), table, versions)
        for table, own in wanted.items()
    ]
    made = pl.concat(parts).sort("declaration_id", maintain_order=True)
    made = made.with_columns(filing_id=pl.lit(filing_id, pl.Int64), source="declaration_id")
    return Applied(
        history(made, state),
        replaced(made),
        pl.DataFrame(schema=OUTCOME_TYPES),
        anomaly_frame(),
        touched(made),
        units(made),
    )


def _made(rows: pl.DataFrame, table: str, versions: pl.DataFrame) -> pl.DataFrame:
    """New rows for units, with their zones as they last were."""
    own = pl.lit(0, pl.Int32) if table == DECLARATION else pl.col(ordinal(table))
    person = pl.col(ordinal(PERSON)) if table in {PERSON, LINE} else pl.lit(None, pl.Int32)
    told = {
        "version": pl.col("next"),
        "unit": pl.lit(table),
        "natural_person_ordinal": person,
        "ordinal": own,
        "status": pl.lit(CHANGED),
        "last_version": pl.col("version"),
        "known_from": pl.col("moment"),
        "source_ordinal": own,
        "source_version": pl.col("version"),
        "holiday": pl.col("holiday_starting_date") if table == DECLARATION else pl.lit(None),
    }
    kept = {name: pl.col(name) for name in ("quarter", "declaration_id")}
    columns = {name: (told | kept).get(name, pl.lit(None)).cast(kind).alias(name) for name, kind in MADE_TYPES.items()}
    return rows.join(versions, on="declaration_id").select(columns.values())


def _fixed(rows: pl.DataFrame, column: str, values: pl.DataFrame) -> pl.DataFrame:
    """Rows with another value of a column where one is told, be it none."""
    on = [name for name in values.columns if name != "value"]
    told = values.with_columns(pl.col("value").cast(rows.schema[column]), told=pl.lit(value=True))
    found = rows.join(told, on=on, how="left", maintain_order="left")
    return found.with_columns(pl.when("told").then("value").otherwise(column).alias(column)).drop("value", "told")
