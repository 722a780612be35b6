"""Extract: what the authorisations of the day allow of a quarter is written and its communication logged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from dmfa.errors import NotAuthorised
from dmfa.extracts import Delivery, Run, deliver, load, permits, recorder
from dmfa.lake import Lake
from dmfa.quarter import Quarter
from flows import console
from flows.settings import Settings
from flows.stages.tables import COMPUTED


@dataclass(frozen=True)
class Extracted:
    """What an extract run did.

    Attributes:
        deliveries: one per permit, those that were in place already too.
        notices: one line each: why something was not given.
    """

    deliveries: tuple[Delivery, ...] = ()
    notices: tuple[str, ...] = field(default=())


def run(quarter: Quarter, settings: Settings, *, names: Sequence[str] = ()) -> Extracted:
    """Write the extracts of a quarter.

    Args:
        quarter: the quarter.
        settings: those of the run; without a file of authorisations nothing is given.
        names: extracts or recipients asked for; none means all that is authorised.

    Raises:
        NotAuthorised: one asked for by name is not authorised on the day.
        WrongUsage: the file of authorisations cannot be read.
        LakeProblem: the lake is busy, full or damaged.
    """
    if settings.authorisations is None:
        if names:
            raise NotAuthorised(
                f"{', '.join(names)} cannot be given: no file of authorisations is named.",
                "Name one: --authorisations FILE.",
            )
        return Extracted(notices=("no extract is written: no file of authorisations is named (--authorisations FILE)",))
    with Lake.open(settings.lake, write=True, extra_tables=COMPUTED, wait_seconds=settings.lake_wait) as lake:
        return extract_quarter(lake, quarter, settings, names=names)


def extract_quarter(lake: Lake, quarter: Quarter, settings: Settings, *, names: Sequence[str] = ()) -> Extracted:
    """The same over an open lake, with a file of authorisations named."""
    if settings.authorisations is None:
        return run(quarter, settings, names=names)
    rows = load(settings.authorisations, settings.xsd)
    allowed = permits(rows, settings.received_on, names)
    notices = [
        f"{row.extract} is not given to {row.recipient.name}: {reason}"
        for row in rows
        if not names and (reason := row.why_not(settings.received_on)) is not None
    ]
    held = lake.arrow("SELECT count(*) FROM lake.authentic.employer_declaration WHERE quarter = ?", [quarter.code])
    if not held.column(0)[0].as_py():
        return Extracted(notices=(*notices, f"the lake holds no accepted declaration of {quarter}: nothing to give"))
    state = Run(f"{quarter.code}-{lake.snapshot_id()}", _moment(lake), lake.snapshot_id())
    deliveries = []
    with console.progress("extracting", len(allowed)) as advance:
        for permit in allowed:
            record = recorder(lake)
            deliveries.append(deliver(lake, quarter, permit, settings.out, state, record=record, xsd=settings.xsd))
            advance(1)
    return Extracted(tuple(deliveries), tuple(notices))


def _moment(lake: Lake) -> datetime:
    """When the newest filing was processed: the time of the data, so that the same data gives the same bytes."""
    newest = lake.arrow("SELECT max(processed_at) FROM lake.received.filing").column(0)[0].as_py()
    return (newest or datetime.min).replace(tzinfo=UTC)
