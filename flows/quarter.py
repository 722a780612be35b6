"""The quarter as a Prefect flow: one task per stage around the plain functions, nothing per filing."""

from __future__ import annotations

import os

# Prefect reads its settings when it is first imported: it works offline and leaves the terminal to this program.
for _name, _value in {
    "PREFECT_LOGGING_LEVEL": "CRITICAL",
    "PREFECT_LOGGING_SERVER_LEVEL": "CRITICAL",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_SERVER_LOGGING_LEVEL": "CRITICAL",
    "PREFECT_LOGGING_TO_API_ENABLED": "false",
    "DO_NOT_TRACK": "1",
}.items():
    os.environ.setdefault(_name, _value)

from prefect import flow, task  # noqa: E402

from dmfa.quarter import Quarter  # noqa: E402
from flows.settings import Settings  # noqa: E402
from flows.stages import whole  # noqa: E402
from flows.stages.compute import Recomputed  # noqa: E402
from flows.stages.extract import Extracted  # noqa: E402
from flows.stages.ingest import Ingested  # noqa: E402
from flows.stages.whole import Whole  # noqa: E402

# Results stay in this process: a result that Prefect kept could hold what only the lake may hold.


@task(name="ingest", persist_result=False)
def take_in(settings: Settings) -> Ingested:
    """Ingest the inbox."""
    return whole.take_in(settings)


@task(name="compute", persist_result=False)
def settle(quarter: Quarter, settings: Settings) -> Recomputed:
    """Compute what is not computed by today's law."""
    return whole.settle(quarter, settings)


@task(name="extract", persist_result=False)
def give_out(quarter: Quarter, settings: Settings) -> Extracted:
    """Write what the authorisations allow."""
    return whole.give_out(quarter, settings)


@flow(name="quarter", persist_result=False, validate_parameters=False)
def quarter_flow(quarter: Quarter, settings: Settings) -> Whole:
    """Ingest, compute, extract, one after the other."""
    return Whole(take_in(settings), settle(quarter, settings), give_out(quarter, settings))


def run_quarter(quarter: Quarter, settings: Settings) -> Whole:
    """Run the flow and return what its stages did.

    Raises:
        DmfaError: as the stages raise it.
    """
    result: Whole = quarter_flow(quarter, settings)
    return result
