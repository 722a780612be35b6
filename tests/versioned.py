"""Lakes for tests of what follows from versions: blocks put into the history as a correction would put them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl

from contributions import compute
from dmfa.lake import RECEIVED, REPLACED, Lake, Publication, history_tables
from flows.settings import Settings
from flows.stages.reference import REFERENCE
from flows.stages.tables import COMPUTED
from tests.declared import Declarations

SPECS = {spec.name: spec for spec in history_tables()}
_FILING = next(spec for spec in RECEIVED if spec.name == "filing")

Unit = tuple[str, int]
"""Table of a unit and its ordinal."""


def opened(settings: Settings, **how: Any) -> Lake:
    """The lake of some settings, open for writing."""
    return Lake.open(settings.lake, write=True, extra_tables=(*COMPUTED, *REFERENCE), **how)


def declare(lake: Lake, declared: Declarations, *, filing: int, received: datetime, quarter: int = 20263) -> None:
    """Put originals into the lake, with what is computed of them."""
    tables = declared.tables()
    with lake.transaction() as publication:
        put_filing(publication, filing, "DmfAOriginal", received, quarter)
        put(publication, tables, 1, status=0, filing=filing, received=received)
        frames = compute(tables).frames()
        for spec in COMPUTED:
            publication.append(spec, frames[spec.name])


def put_filing(publication: Publication, filing: int, kind: str, received: datetime, quarter: int) -> None:
    row = {"filing_id": filing, "sha256": f"{filing:064x}", "kind": kind, "name": f"filing-{filing}", "size": 1}
    row |= {"declarations": 1, "refused": 0}
    publication.append(
        _FILING, pl.DataFrame([{**row, "quarter": quarter, "state": "accepted", "received_at": received}])
    )


def put(
    publication: Publication,
    tables: dict[str, pl.DataFrame],
    version: int,
    *,
    status: int,
    filing: int,
    received: datetime,
    wide: int = 0,
) -> None:
    """Add rows to the history; ordinals below a line grow by `wide`, as a new version numbers them."""
    kept = {"natural_person_ordinal", "worker_record_ordinal", "contribution_unrelated_to_np_ordinal"}
    told = {
        "version": pl.lit(version, pl.Int16),
        "status": pl.lit(status, pl.Int8),
        "filing_id": pl.lit(filing, pl.Int64),
        "known_from": pl.lit(received, pl.Datetime("us")),
    }
    for name, frame in tables.items():
        below = [column for column in frame.columns if column.endswith("_ordinal") and column not in kept]
        rows = frame.with_columns(pl.col(below) + wide, **told)
        publication.append(
            SPECS[name], rows.select(column for column in rows.columns if column in SPECS[name].arrow.names)
        )


def end(
    publication: Publication, declaration: int, units: Iterable[tuple[Unit, int]], by: int, *, quarter: int = 20263
) -> None:
    """Say which versions of units are replaced, and by which version of the declaration."""
    rows = [
        {"quarter": quarter, "declaration_id": declaration, "unit": unit, "ordinal": ordinal, "version": version}
        for (unit, ordinal), version in units
    ]
    whole = pl.DataFrame(rows).with_columns(
        ended_by=pl.lit(by), filing_id=pl.lit(by), known_until=datetime(2026, 11, 20)
    )
    types = {"quarter": pl.Int32, "ordinal": pl.Int32, "version": pl.Int16, "ended_by": pl.Int16}
    publication.append(REPLACED, whole.cast(types))


def settings_of(folder: Path) -> Settings:
    return Settings(lake=str(folder / "lake"), out=folder / "out")
