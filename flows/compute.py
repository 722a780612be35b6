"""Compute as a Prefect flow: the amounts of a quarter anew, from the authentic tables."""

from __future__ import annotations

from typing import Annotated

import flows.prefect_settings  # noqa: F401 - before prefect

# isort: split
from prefect import flow
from pydantic import Field

from dmfa.quarter import Quarter
from flows import artifacts, tasks
from flows.parameters import ENDED_LAST, PathText, QuarterText, Trust, planned_day, quarter_meant, told
from flows.running import border, run_here
from flows.settings import Settings
from flows.stages.asked import judged
from flows.stages.compute import Recomputed

Employer = Annotated[int | None, Field(ge=1, description="NSSO registration number of one employer; all if not given.")]


_TOLD = frozenset({"lake", "xsd", "trust"})


@flow(name="compute", persist_result=False)
def compute_flow(
    quarter: QuarterText = ENDED_LAST,
    *,
    employer: Employer = None,
    lake: str | None = None,
    xsd: PathText = None,
    trust: Trust = None,
) -> Recomputed:
    """Compute contributions and reductions of a quarter, or of one employer in it, anew.

    Args:
        quarter: a quarter such as 2026/3, or the rule "the quarter that ended last".
        employer: NSSO registration number of one employer; all if not given.
        lake: where the lake is.
        xsd: a folder whose XSD releases come before the packaged ones.
        trust: the least trust in a figure of law that computes.

    Raises:
        DmfaError: as the stage raises it.
    """
    with border():
        settings = Settings.gather(lake=lake, xsd=xsd, trust=trust)
        asked = judged(quarter_meant(quarter, planned_day(settings)), settings)
    settled: Recomputed = tasks.compute_anew(asked, settings, employer)
    with border():
        artifacts.show_summary(settings, asked)
    return settled


def run(quarter: Quarter, settings: Settings, *, employer: int | None = None) -> Recomputed:
    """Run the flow in this process and return what its stage did.

    Raises:
        DmfaError: as the stage raises it.
    """
    known = {name: value for name, value in told(settings).items() if name in _TOLD}
    result: Recomputed = run_here(compute_flow, quarter=str(quarter), employer=employer, **known)
    return result
