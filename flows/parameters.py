"""Parameters of the flows: plain text and numbers that a schedule, a form or an analyst fills in.

None of them ever holds a person's number: Prefect keeps the parameters of every run and shows them to whoever may look.
What is not given comes from the environment of the process that runs the flow (DMFA_*), as on the command line.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import Field

from dmfa.quarter import Quarter
from flows.settings import Settings

ENDED_LAST = "the quarter that ended last"
"""The rule that a schedule names in place of a quarter."""

QuarterText = Annotated[
    str,
    Field(
        pattern=rf"^([0-9]{{4}}/?[1-4]|{ENDED_LAST})$",
        description=f"A quarter such as 2026/3, or the rule: {ENDED_LAST} before the day for which the run is planned.",
    ),
]
PathText = Annotated[str | None, Field(description="A path on the machine that runs the flow, or an address s3://...")]
Trust = Literal["A", "B"] | None
Runner = Annotated[Literal["local", "dask"] | None, Field(description="Who works: one machine, or a Dask cluster.")]
Scheduler = Annotated[str | None, Field(description="Address of the Dask scheduler, such as tcp://scheduler:8786.")]


def quarter_meant(text: str, day: date) -> Quarter:
    """The quarter that a parameter names.

    Args:
        text: a quarter, or the rule.
        day: the day of the run.

    Raises:
        ValueError: it is neither.

    Examples:
        >>> str(quarter_meant("the quarter that ended last", date(2026, 11, 2)))
        '2026/3'
        >>> str(quarter_meant("2026/2", date(2026, 11, 2)))
        '2026/2'
    """
    if text != ENDED_LAST:
        return Quarter.parse(text)
    this = Quarter.of(day)
    return Quarter.of(this.first_day - timedelta(days=1))


def planned_day(settings: Settings) -> date:
    """The day for which a run is planned: a schedule's own day even if a worker comes to it late.

    Args:
        settings: those of the run; a day of receipt that is told comes first.
    """
    from prefect.runtime import deployment, flow_run

    planned = flow_run.scheduled_start_time
    if settings.received_on_given or deployment.id is None or not isinstance(planned, datetime):
        return settings.received_on
    return planned.astimezone(ZoneInfo("Europe/Brussels")).date()


def told(settings: Settings) -> dict[str, str | None]:
    """Settings as the parameters that the flows share: lake, out, xsd, trust, runner and scheduler."""
    return {
        "lake": settings.lake,
        "out": str(settings.out),
        "xsd": str(settings.xsd) if settings.xsd else None,
        "trust": settings.trust,
        "runner": settings.runner,
        "scheduler": settings.scheduler or None,
    }
