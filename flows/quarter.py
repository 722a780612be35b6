"""The quarter as a Prefect flow: ingest the inbox, compute, extract, report, one task each."""

from __future__ import annotations

import flows.prefect_settings  # noqa: F401 - before prefect

# isort: split
from prefect import flow

from dmfa.quarter import Quarter
from flows import artifacts, tasks
from flows.parameters import (
    ENDED_LAST,
    PathText,
    QuarterText,
    Runner,
    Scheduler,
    Trust,
    planned_day,
    quarter_meant,
    told,
)
from flows.running import border, run_here
from flows.settings import Settings
from flows.stages import extract
from flows.stages.asked import judged
from flows.stages.whole import Whole


@flow(name="quarter", persist_result=False)
def quarter_flow(
    quarter: QuarterText = ENDED_LAST,
    *,
    inbox: PathText = None,
    lake: str | None = None,
    out: PathText = None,
    authorisations: PathText = None,
    xsd: PathText = None,
    trust: Trust = None,
    runner: Runner = None,
    scheduler: Scheduler = None,
    lenient_identifiers: bool = False,
    report: bool = True,
) -> Whole:
    """Ingest all that is in the inbox, whatever its quarter; compute, extract and report one quarter.

    Args:
        quarter: a quarter such as 2026/3, or the rule "the quarter that ended last".
        inbox: folder of filings.
        lake: where the lake is.
        out: folder of results.
        authorisations: the register of authorisations; without it nothing is given out.
        xsd: a folder whose XSD releases come before the packaged ones.
        trust: the least trust in a figure of law that computes.
        runner: who does the work.
        scheduler: address of the cluster's scheduler.
        lenient_identifiers: wrong check digits warn instead of refusing, for test data.
        report: whether to write the page OUT/report-2026-3.html.

    Raises:
        DmfaError: as the stages raise it.
    """
    with border():
        settings = Settings.gather(
            inbox=inbox,
            lake=lake,
            out=out,
            authorisations=authorisations,
            xsd=xsd,
            trust=trust,
            runner=runner,
            scheduler=scheduler,
            lenient_identifiers=lenient_identifiers,
        )
        asked = judged(quarter_meant(quarter, planned_day(settings)), settings)
        extract.must_be_readable(settings)  # before hours of work, not after
    taken = tasks.take_in([settings.inbox], settings)
    settled = tasks.settle(asked, settings)
    given = tasks.give_out(asked, settings)
    page = tasks.tell(asked, settings, given.notices) if report else None
    with border():
        artifacts.show_anomalies(settings, asked)
        artifacts.show_summary(settings, asked, ingest=taken, extract=given)
    return Whole(taken, settled, given, page)


def run_quarter(quarter: Quarter, settings: Settings, *, report: bool = False) -> Whole:
    """Run the flow in this process and return what its stages did.

    Raises:
        DmfaError: as the stages raise it.
    """
    result: Whole = run_here(
        quarter_flow,
        quarter=str(quarter),
        inbox=str(settings.inbox),
        authorisations=str(settings.authorisations) if settings.authorisations else None,
        lenient_identifiers=settings.lenient_identifiers,
        report=report,
        **told(settings),
    )
    return result
