"""The one shape of an anomaly, shared by everything that finds one.

An anomaly stands on a filing as a whole (declaration_id null) or on one declaration of it. Its place is a block, that
block's ordinal in the declaration, and a zone. Severities are those of the official catalogue: B refuses the
declaration, NP and P are counted, W warns, D concerns a right to a reduction, I asks for investigation.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import polars as pl


class Anomaly(NamedTuple):
    """One anomaly.

    Attributes:
        filing_id: the filing it is in.
        code: official code (zone or block, hyphen, number), or the kind of refusal of a whole file.
        message: plain words without a person's number or name.
        severity: B, P, NP, D, W or I.
        declaration_id: the declaration, None if it is about the whole filing.
        block: official label of the block.
        block_ordinal: ordinal of the block among its kind in the declaration.
        zone: official label of the zone.
        seen_value: the declared value, None where it may identify a person.
        path: XPath with positions, where known.
        line: line in the file, where known.
    """

    filing_id: int
    code: str
    message: str
    severity: str = "B"
    declaration_id: int | None = None
    block: str | None = None
    block_ordinal: int | None = None
    zone: str | None = None
    seen_value: str | None = None
    path: str | None = None
    line: int | None = None


ANOMALY_SCHEMA = {
    "filing_id": pl.Int64,
    "declaration_id": pl.Int64,
    "block": pl.String,
    "block_ordinal": pl.Int32,
    "zone": pl.String,
    "code": pl.String,
    "severity": pl.String,
    "seen_value": pl.String,
    "message": pl.String,
    "path": pl.String,
    "line": pl.Int32,
}
"""Columns of every frame of anomalies."""


def anomaly_frame(anomalies: Iterable[Anomaly] = ()) -> pl.DataFrame:
    """Anomalies as a frame with the columns of `ANOMALY_SCHEMA`."""
    rows = [anomaly._asdict() for anomaly in anomalies]
    return pl.DataFrame(rows, schema=ANOMALY_SCHEMA)
