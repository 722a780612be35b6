"""The whole quarter without Prefect: ingest the inbox, compute, extract."""

from __future__ import annotations

from dataclasses import dataclass

from dmfa.lake import Lake
from dmfa.quarter import Quarter
from flows.settings import Settings
from flows.stages import compute, extract, ingest
from flows.stages.compute import Recomputed
from flows.stages.extract import Extracted
from flows.stages.ingest import Ingested
from flows.stages.tables import COMPUTED


@dataclass(frozen=True)
class Whole:
    """What a run of a quarter did, stage by stage."""

    ingest: Ingested
    compute: Recomputed
    extract: Extracted


def run_quarter(quarter: Quarter, settings: Settings) -> Whole:
    """Ingest all that is in the inbox, whatever its quarter; compute and extract one quarter.

    Args:
        quarter: the quarter to compute and extract.
        settings: those of the run.

    Raises:
        NothingToRead: there is no inbox, or no filing in it.
        LakeProblem: the lake is busy, full, damaged or newer than the program.
        WrongUsage: the file of authorisations cannot be read.
        Interrupted: Ctrl-C; what was published before stays.
    """
    return Whole(take_in(settings), settle(quarter, settings), give_out(quarter, settings))


def take_in(settings: Settings) -> Ingested:
    """The first stage: ingest the inbox."""
    return ingest.run([settings.inbox], settings)


def settle(quarter: Quarter, settings: Settings) -> Recomputed:
    """The second stage: ingest has computed what it accepted; what an earlier law computed is computed anew."""
    with Lake.open(settings.lake, write=True, extra_tables=COMPUTED, wait_seconds=settings.lake_wait) as lake:
        return compute.compute_quarter(lake, quarter, settings, stale_only=True)


def give_out(quarter: Quarter, settings: Settings) -> Extracted:
    """The third stage: write what the authorisations allow."""
    return extract.run(quarter, settings)
