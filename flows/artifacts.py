"""What Prefect shows of a run: progress, the anomalies by code, a summary. Counts and sums only, never a person."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import TYPE_CHECKING, cast
from uuid import UUID

import flows.prefect_settings  # noqa: F401 - before prefect

# isort: split
from httpx import HTTPError
from prefect.artifacts import (
    create_markdown_artifact,
    create_progress_artifact,
    create_table_artifact,
    update_progress_artifact,
)

from dmfa.lake import Lake
from dmfa.money import euro
from dmfa.quarter import Quarter
from flows.report import queries
from flows.settings import Settings

if TYPE_CHECKING:
    from flows.stages.extract import Extracted
    from flows.stages.ingest import Ingested

_STEP = 10
"""Percent of progress after which the artifact is written again: a few requests per stage, however long it runs."""

_shown: dict[str, tuple[UUID, int]] = {}


def progress(what: str, done: int, total: int) -> None:
    """Keep an artifact of progress up to date, one per kind of work.

    Args:
        what: the work, in few words; Prefect finds it by its letters and digits.
        done: how much of it is done, in its own unit.
        total: how much there is; nothing is shown for nothing.
    """
    percent = 100 * done // total if total else 0
    # Called from a thread too; whether a request for mere progress fails is no reason to end the work.
    with suppress(HTTPError):
        if not done:
            _shown.pop(what, None)
            if total:
                key = re.sub("[^a-z0-9]+", "-", what.lower())
                artifact = create_progress_artifact(0.0, key=key, description=f"Progress of {what}")
                _shown[what] = (cast(UUID, artifact), 0)
        elif what in _shown and (percent >= _shown[what][1] + _STEP or done >= total):
            artifact, _ = _shown[what]
            _shown[what] = (artifact, percent)
            update_progress_artifact(artifact, float(percent))


def show_anomalies(settings: Settings, quarter: Quarter | None = None) -> None:
    """Leave the table of anomalies by code: of a quarter, or of all that stands on the ledger."""
    with Lake.open(settings.lake) as lake:
        found = queries.anomalies(lake, quarter)
    create_table_artifact(
        [
            {
                "code": one.code,
                "class": one.severity,
                "zone or block": one.zone or one.block or "the file as a whole",
                "anomalies": one.anomalies,
                "filings": one.filings,
            }
            for one in found
        ],
        key="anomalies",
        description=f"Anomalies by code, {quarter or 'all quarters on the ledger'}; class B refuses the declaration",
    )


def show_summary(
    settings: Settings,
    quarter: Quarter | None,
    *,
    ingest: Ingested | None = None,
    extract: Extracted | None = None,
) -> None:
    """Leave a summary: what this run received, where the quarter stands, what was given out.

    Args:
        settings: those of the run.
        quarter: the quarter; None for an ingest, which may hold several.
        ingest: what the run took in.
        extract: what it gave out.
    """
    parts = [f"# DmfA {quarter}" if quarter else "# DmfA"]
    if ingest is not None:
        states = ingest.states
        parts.append(
            f"{ingest.received:,} filings received in this run: {states['accepted']:,} accepted,"
            f" {states['refused']:,} refused, {states['not_processed']:,} not processed."
        )
    if quarter is not None:
        parts += _standing(settings, quarter)
    if extract is not None:
        rows = [
            f"| {one.extract} | {one.recipient} | {one.authorisation.id} | {one.attestations:,} |"
            f" {'delivered' if one.changed else 'in place already'} |"
            for one in extract.deliveries
        ]
        parts.append(
            "\n".join(["| extract | recipient | authorisation | attestations | |", "|---|---|---|--:|---|", *rows])
        )
        parts += extract.notices
    parts.append(f"Lake `{settings.lake}`, results `{settings.out}`.")
    create_markdown_artifact("\n\n".join(parts), key="summary", description="What the run did")


def _standing(settings: Settings, quarter: Quarter) -> list[str]:
    with Lake.open(settings.lake) as lake:
        totals, gaps = queries.totals(lake, quarter), queries.gaps(lake, quarter)
    rows = (
        ("declarations in force", f"{totals.declarations:,}"),
        ("persons", f"{totals.persons:,}"),
        ("wages", euro(totals.wages)),
        ("contributions declared", euro(totals.declared)),
        ("of it computed anew", euro(totals.covered)),
        ("computed", euro(totals.computed)),
        ("reductions declared", euro(totals.deductions)),
        ("of it computed anew", euro(totals.deductions_covered)),
        ("computed", euro(totals.deductions_computed)),
    )
    tables = [
        "\n".join(["| the quarter so far | |", "|---|--:|", *(f"| {words} | {value} |" for words, value in rows)])
    ]
    if gaps:
        lines = [f"| {gap.reason} | {gap.rows:,} | {euro(gap.declared)} | {gap.codes} |" for gap in gaps]
        tables.append("\n".join(["| not computable, because | rows | declared | codes |", "|---|--:|--:|---|", *lines]))
    return tables
