"""The whole quarter without Prefect: ingest the inbox, compute, extract."""

from __future__ import annotations

from dataclasses import dataclass

from dmfa.address import Place
from dmfa.lake import Lake
from dmfa.quarter import Quarter
from flows.settings import Settings
from flows.stages import compute, extract, ingest
from flows.stages.compute import Recomputed
from flows.stages.extract import Extracted
from flows.stages.ingest import Ingested
from flows.stages.reference import REFERENCE
from flows.stages.tables import COMPUTED


@dataclass(frozen=True)
class Whole:
    """What a run of a quarter did, stage by stage, and where its report is, if one was asked for."""

    ingest: Ingested
    compute: Recomputed
    extract: Extracted
    page: Place | None = None


def run_quarter(quarter: Quarter, settings: Settings, *, report: bool = False) -> Whole:
    """Ingest all that is in the inbox, whatever its quarter; compute and extract one quarter.

    Args:
        quarter: the quarter to compute and extract.
        settings: those of the run.
        report: whether to write the report of the quarter as a page.

    Raises:
        NothingToRead: there is no inbox, or no filing in it.
        LakeProblem: the lake is busy, full, damaged or newer than the program.
        WrongUsage: the file of authorisations cannot be read.
        Interrupted: Ctrl-C; what was published before stays.
    """
    extract.must_be_readable(settings)  # before hours of work, not after
    taken = ingest.run([settings.inbox], settings)
    settled = settle(quarter, settings)
    given = extract.run(quarter, settings)
    if not report:
        return Whole(taken, settled, given)
    from flows.report.page import write_report

    return Whole(taken, settled, given, write_report(quarter, settings, given.notices))


def settle(quarter: Quarter, settings: Settings) -> Recomputed:
    """Between the two: ingest has computed what it accepted; what an earlier law computed is computed anew.

    Where the settings say so, what the computation contradicts for sure is corrected.
    """
    tables = (*COMPUTED, *REFERENCE)
    with Lake.open(settings.lake, write=True, extra_tables=tables, wait_seconds=settings.lake_wait) as lake:
        done = compute.compute_quarter(lake, quarter, settings, stale_only=True)
        if settings.system_corrections == "apply":
            from flows.stages.system_corrections import correct  # few runs do

            correct(lake, quarter, settings, reliable=True)
        return done
