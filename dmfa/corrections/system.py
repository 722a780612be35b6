"""Corrections by the institution itself: amounts that a confirmed computation contradicts become new versions.

Only the amounts of contributions and deductions are ever corrected so. What rests on a figure of trust B is proposed to
be approved, and changes nothing.

Source: NSSO, control of declarations: reliable corrections are applied, others are submitted for approval.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

import polars as pl

from dmfa.corrections.applied import Applied
from dmfa.corrections.renewal import in_force, renewed
from dmfa.corrections.state import State
from dmfa.schema import LINE, ordinal, unit_of
from dmfa.schema.amounts import GRANTED, OWED

RELIABLE: Final = "A"
"""Trust of a computation that corrects; any other only proposes."""

APPLIED = "the amount declared is not the one that the law gives, computed from confirmed figures"
PROPOSED = "the computation rests on a figure that is not officially confirmed: for approval"
OVERTAKEN = "the amount was corrected since it was computed"
NO_ZONE = "the block has no amount that could be corrected"

_KEY: Final = ("declaration_id", "declared_table", "declared_ordinal")
_TOLD: Final = (*_KEY, "quarter", "kind", "code", "type", "declared_cents", "computed_cents", "trust")


@dataclass(frozen=True)
class SystemCorrection:
    """What the institution corrects, and what it would.

    Attributes:
        applied: what is to be added to the lake.
        decisions: one row per difference looked at: declaration_id, declared_table, declared_ordinal, quarter, kind,
            code, type, declared_cents, computed_cents, trust, zone (column of the amount), version (that it made; null
            if it changed nothing) and reason.
    """

    applied: Applied
    decisions: pl.DataFrame


def system_correction(
    state: State, differences: pl.DataFrame, filing_id: int, received_at: datetime
) -> SystemCorrection:
    """Put the computed amount in the place of the declared one, where the computation is sure.

    Args:
        state: the lines concerned with all below them, as `dmfa.corrections.state.state_of_lines` gives it.
        differences: rows of computed.difference; those that do not differ, or have nothing declared, are passed over.
        filing_id: what the corrections are kept under.
        received_at: when they were made.
    """
    differing = (
        differences.with_columns(pl.col("declared_table", "kind", "outcome", "trust").cast(pl.String))
        .filter(
            (pl.col("outcome") == "differs")
            & pl.col("declared_ordinal").is_not_null()
            & pl.col("computed_cents").is_not_null()
        )
        .select(_TOLD)
        .unique(_KEY, keep="first", maintain_order=True)
    )
    zones = {table.name: _zone([column.name for column in table.columns]) for table in state.tables}
    zone = pl.col("declared_table").replace_strict(zones, default=None, return_dtype=pl.String)
    looked_at = _standing(state, differing.with_columns(zone=zone), zones)
    reason = (
        pl.when(pl.col("zone").is_null())
        .then(pl.lit(NO_ZONE))
        .when(pl.col("trust") != RELIABLE)
        .then(pl.lit(PROPOSED))
        .when(~pl.col("stands"))
        .then(pl.lit(OVERTAKEN))
        .otherwise(pl.lit(APPLIED))
    )
    looked_at = looked_at.with_columns(reason=reason)
    sure = looked_at.filter(pl.col("reason") == APPLIED)
    fixes: dict[tuple[str, str], pl.DataFrame] = {}
    keys = {LINE: pl.DataFrame(schema={"declaration_id": pl.Int64, ordinal(LINE): pl.Int32})}
    for (table,), rows in sure.partition_by("declared_table", as_dict=True, maintain_order=True).items():
        values = rows.select("declaration_id", pl.col("declared_ordinal").alias(ordinal(table)), value="computed_cents")
        fixes[table, str(zones[table])] = values
        unit = rows["unit"][0]
        own = rows.select("declaration_id", pl.col("unit_ordinal").alias(ordinal(unit)))
        keys[unit] = pl.concat([keys[unit], own]).unique() if unit in keys else own.unique()
    applied = renewed(state, keys, fixes, filing_id, received_at)
    made = applied.units.select("declaration_id", "version").unique()
    version = pl.when(pl.col("reason") == APPLIED).then(pl.col("version")).alias("version")
    decisions = looked_at.join(made, on="declaration_id", how="left", maintain_order="left")
    return SystemCorrection(applied, decisions.select(*_TOLD, "zone", version, "reason"))


def _zone(columns: list[str]) -> str | None:
    """The column with the amount of a block; None for a block without one."""
    return next((name for name in columns if name in OWED or name in GRANTED), None)


def _standing(state: State, differing: pl.DataFrame, zones: dict[str, str | None]) -> pl.DataFrame:
    """Add the unit of each declared row, and whether it stands there with the amount that was compared."""
    parts = []
    for table in state.tables:
        zone = zones[table.name]
        names = [column.name for column in table.columns]
        unit, key = unit_of(names)
        own = differing.filter(pl.col("declared_table") == table.name)
        if zone is None or key is None or own.is_empty():
            continue
        last = in_force(state, unit).select("declaration_id", key, "version")
        rows = state.rows[table.name].join(last, on=["declaration_id", key, "version"], how="semi")
        parts.append(
            rows.select(
                "declaration_id",
                pl.lit(table.name).alias("declared_table"),
                pl.col(ordinal(table.name)).alias("declared_ordinal"),
                pl.lit(unit).alias("unit"),
                pl.col(key).alias("unit_ordinal"),
                pl.col(zone).fill_null(0).alias("kept"),
            )
        )
    nothing = pl.DataFrame(
        schema={
            "declaration_id": pl.Int64,
            "declared_table": pl.String,
            "declared_ordinal": pl.Int32,
            "unit": pl.String,
            "unit_ordinal": pl.Int32,
            "kept": pl.Int64,
        }
    )
    found = differing.join(pl.concat([nothing, *parts]), on=_KEY, how="left", maintain_order="left")
    stands = (pl.col("kept") == pl.col("declared_cents").fill_null(0)).fill_null(value=False)
    return found.with_columns(stands=stands)
