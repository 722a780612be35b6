"""Extract as a Prefect flow: what the authorisations of the day allow of a quarter."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import flows.prefect_settings  # noqa: F401 - before prefect

# isort: split
from prefect import flow
from pydantic import Field

from dmfa.extracts import NAME, can_be_a_name
from dmfa.quarter import Quarter
from flows import artifacts, tasks
from flows.parameters import ENDED_LAST, PathText, QuarterText, Runner, Scheduler, planned_day, quarter_meant, told
from flows.running import border, run_here
from flows.settings import Settings
from flows.stages import extract
from flows.stages.asked import judged
from flows.stages.extract import Extracted

Name = Annotated[str, Field(pattern=rf"^{NAME}$")]
Names = Annotated[
    list[Name] | None, Field(description="Extracts or recipients asked for; all that is authorised if none is named.")
]


@flow(name="extract", persist_result=False)
def extract_flow(
    quarter: QuarterText = ENDED_LAST,
    *,
    to: Names = None,
    lake: str | None = None,
    out: PathText = None,
    authorisations: PathText = None,
    xsd: PathText = None,
    runner: Runner = None,
    scheduler: Scheduler = None,
) -> Extracted:
    """Write the extracts of a quarter that are authorised on the day, and log each communication.

    Args:
        quarter: a quarter such as 2026/3, or the rule "the quarter that ended last".
        to: extracts or recipients asked for; all that is authorised if none is named.
        lake: where the lake is.
        out: folder of results.
        authorisations: the register of authorisations; without it nothing is given out.
        xsd: a folder whose XSD releases come before the packaged ones.
        runner: who does the work.
        scheduler: address of the cluster's scheduler.

    Raises:
        DmfaError: as the stage raises it.
    """
    with border():
        settings = Settings.gather(
            lake=lake, out=out, authorisations=authorisations, xsd=xsd, runner=runner, scheduler=scheduler
        )
        asked = judged(quarter_meant(quarter, planned_day(settings)), settings)
    given: Extracted = tasks.give_out(asked, settings, tuple(to or ()))
    with border():
        artifacts.show_summary(settings, asked, extract=given)
    return given


def run(quarter: Quarter, settings: Settings, *, names: Sequence[str] = ()) -> Extracted:
    """Run the flow in this process and return what its stage did.

    Raises:
        DmfaError: as the stage raises it.
    """
    if not all(map(can_be_a_name, names)):
        # It is refused whatever it is; Prefect, which keeps parameters, must not see what may be a person's number.
        return extract.run(quarter, settings, names=names)
    known = {name: value for name, value in told(settings).items() if name != "trust"}
    result: Extracted = run_here(
        extract_flow,
        quarter=str(quarter),
        to=list(names),
        authorisations=str(settings.authorisations) if settings.authorisations else None,
        **known,
    )
    return result
