"""Versions that the institution itself makes: their rows, amounts, entries in the account and messages, all alike."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from contributions.reference import References
from dmfa.corrections.applied import Applied
from dmfa.corrections.state import DECLARATION
from dmfa.lake import Lake, Publication
from flows.settings import Settings
from flows.stages.corrected_amounts import correct_amounts
from flows.stages.corrections import keep
from flows.stages.system_answers import tell
from flows.stages.versions import new_versions


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

    Returns:
        How many declarations have a new version.

    Raises:
        LakeProblem: the lake's disk is full or cannot be written.
    """
    keep(publication, applied, settings)
    new = applied.units.filter(pl.col("unit") == DECLARATION).select("quarter", "declaration_id", "version")
    correct_amounts(lake, publication, new_versions(lake, new, settings), known, settings)
    return tell(lake, publication, applied, filing, settings, place=place, why=why)
