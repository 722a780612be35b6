"""What became of corrections: the new rows of history, what they replace, and a verdict per Form."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

APPLIED, REFUSED, WAITING = "applied", "refused", "waiting"

OUTCOME_TYPES = {
    "filing_id": pl.Int64(),
    "form_id": pl.Int64(),
    "quarter": pl.Int32(),
    "employer_declaration_pid": pl.Int64(),
    "declaration_id": pl.Int64(),
    "version": pl.Int16(),
    "state": pl.String(),
    "codes": pl.String(),
    "received_at": pl.Datetime("us"),
}
"""One row per Form, in the order of application."""

REPLACED_TYPES = {
    "quarter": pl.Int32(),
    "declaration_id": pl.Int64(),
    "unit": pl.String(),
    "ordinal": pl.Int32(),
    "version": pl.Int16(),
    "ended_by": pl.Int16(),
    "filing_id": pl.Int64(),
    "known_until": pl.Datetime("us"),
}
"""One row per row of a unit that is no longer the last one; ordinal 0 for the declaration itself."""

TOUCHED_TYPES = {
    "quarter": pl.Int32(),
    "declaration_id": pl.Int64(),
    "version": pl.Int16(),
    "form_id": pl.Int64(),
    "natural_person_ordinal": pl.Int32(),
}
"""One row per person whose amounts may differ from this version on; null for what belongs to no person."""

UNIT_TYPES = {
    "quarter": pl.Int32(),
    "declaration_id": pl.Int64(),
    "version": pl.Int16(),
    "form_id": pl.Int64(),
    "unit": pl.String(),
    "natural_person_ordinal": pl.Int32(),
    "ordinal": pl.Int32(),
    "status": pl.Int8(),
    "last_version": pl.Int16(),
    "form_ordinal": pl.Int32(),
}
"""One row per unit that got a new row: its version before (null for a new one) and its ordinal in the Form (null if the
Form does not name it)."""


@dataclass(frozen=True)
class Applied:
    """What is to be added to the lake, and what to answer.

    Attributes:
        rows: by table, new rows of history with all columns of the lake's table; tables without any are left out.
        replaced: rows of history.replaced, columns of `REPLACED_TYPES`.
        outcomes: columns of `OUTCOME_TYPES`; none where nothing was asked by a Form.
        anomalies: columns of `dmfa.anomaly.ANOMALY_SCHEMA`; declaration_id is the form_id, blocks and ordinals are
            those of the Form (DmfAUpdate).
        touched: columns of `TOUCHED_TYPES`.
        units: columns of `UNIT_TYPES`.
    """

    rows: dict[str, pl.DataFrame]
    replaced: pl.DataFrame
    outcomes: pl.DataFrame
    anomalies: pl.DataFrame
    touched: pl.DataFrame
    units: pl.DataFrame
