"""Versions that the institution itself makes: their rows, amounts, entries in the account and messages, all alike."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from contributions.reference import References
from dmfa.corrections.applied import Applied
from dmfa.corrections.state import DECLARATION
from dmfa.lake import RECEIVED, Lake, Publication
from dmfa.schema import lake_tables
from flows.settings import Settings
from flows.stages.corrected_amounts import correct_amounts
from flows.stages.corrected_differences import wrong_in_lines
from flows.stages.corrections import keep
from flows.stages.item import anomaly_rows
from flows.stages.system_answers import tell
from flows.stages.versions import new_versions

_ANOMALY, _PLACE = (next(spec for spec in RECEIVED if spec.name == name) for name in ("anomaly", "correction_place"))


def bring(
    lake: Lake,
    publication: Publication,
    applied: Applied,
    filing: Mapping[str, Any],
    settings: Settings,
    *,
    known: References,
    place: tuple[int, int, int],
    why: str | None = None,
    judged: bool = False,
) -> int:
    """Bring declarations to the versions that the institution made of them.

    Args:
        lake: open for writing, in the transaction.
        publication: the running transaction.
        applied: the versions.
        filing: the filing that brings them, as a row of received.filing.
        settings: those of the run.
        known: official files, employers and used rights of the quarters.
        place: sequence of the messages in the day, how many declarations were told of before, and how many are in all.
        why: why they were made, as their employers are told.
        judged: whether amounts that do not follow from what was corrected are anomalies, which travel as such.

    Returns:
        How many declarations have a new version.

    Raises:
        LakeProblem: the lake's disk is full or cannot be written.
    """
    keep(publication, applied, settings)
    new = applied.units.filter(pl.col("unit") == DECLARATION).select("quarter", "declaration_id", "version")
    amounts = correct_amounts(lake, publication, new_versions(lake, new, settings), known, settings)
    if judged:
        wrong = wrong_in_lines([part.wrong for part in amounts], applied, lake_tables(settings.xsd))
        told = anomaly_rows(wrong.anomalies, pl.DataFrame([filing]).select("filing_id", "sha256"), new)
        publication.append_parts(_ANOMALY, [told])
        publication.append_parts(_PLACE, [wrong.places])
    return tell(lake, publication, applied, filing, settings, place=place, why=why)
