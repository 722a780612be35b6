"""Ingest as a Prefect flow: receive, validate, check, compute and keep some filings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import flows.prefect_settings  # noqa: F401 - before prefect

# isort: split
from prefect import flow
from pydantic import Field

from dmfa.address import Place, place
from flows import artifacts, tasks
from flows.parameters import PathText, Runner, Scheduler, Trust, told
from flows.running import border, run_here
from flows.settings import Settings
from flows.stages.ingest import Ingested

Paths = Annotated[list[str] | None, Field(description="Files, folders, globs or archives; the inbox if none is named.")]


@flow(name="ingest", persist_result=False)
def ingest_flow(
    paths: Paths = None,
    *,
    lake: str | None = None,
    out: PathText = None,
    xsd: PathText = None,
    trust: Trust = None,
    runner: Runner = None,
    scheduler: Scheduler = None,
    lenient_identifiers: bool = False,
) -> Ingested:
    """Receive, validate, check, compute and keep the filings at some paths.

    Args:
        paths: files, folders, globs or archives; the inbox if none is named.
        lake: where the lake is.
        out: folder of results.
        xsd: a folder whose XSD releases come before the packaged ones.
        trust: the least trust in a figure of law that computes.
        runner: who does the work.
        scheduler: address of the cluster's scheduler.
        lenient_identifiers: wrong check digits warn instead of refusing, for test data.

    Raises:
        DmfaError: as the stage raises it.
    """
    with border():
        settings = Settings.gather(
            lake=lake,
            out=out,
            xsd=xsd,
            trust=trust,
            runner=runner,
            scheduler=scheduler,
            lenient_identifiers=lenient_identifiers,
        )
    taken: Ingested = tasks.take_in([place(path) for path in paths] if paths else [settings.inbox], settings)
    with border():
        artifacts.show_anomalies(settings)
        artifacts.show_summary(settings, None, ingest=taken)
    return taken


def run(paths: Sequence[Place], settings: Settings) -> Ingested:
    """Run the flow in this process and return what its stage did.

    Raises:
        DmfaError: as the stage raises it.
    """
    result: Ingested = run_here(
        ingest_flow,
        paths=[str(path) for path in paths],
        lenient_identifiers=settings.lenient_identifiers,
        **told(settings),
    )
    return result
