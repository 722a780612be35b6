"""Extract: what the authorisations of the day allow of a quarter is written, and each communication logged.

What is refused is logged too: whatever a row does not open, and whatever somebody asks for in vain.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from dmfa.errors import NotAuthorised
from dmfa.extracts import (
    Authorisation,
    Delivery,
    Denied,
    Refusal,
    Run,
    Work,
    Written,
    authorisation_rows,
    deliver_all,
    load,
    permits,
    record_refusals,
    recorder,
    refusals,
    shown,
)
from dmfa.extracts.persons import INSCRIBED
from dmfa.extracts.retention import overdue, removed_before, retire
from dmfa.lake import EXCHANGE, Lake
from dmfa.quarter import Quarter
from dmfa.reading.names import PRODUCTION
from flows import console
from flows.crew import crew
from flows.settings import Settings
from flows.stages.tables import COMPUTED

APART = 100_000
"""Attestations beyond which deliveries are written in processes of their own: to start them takes as long."""

_REGISTER = next(spec for spec in EXCHANGE if spec.name == "authorisation")


@dataclass(frozen=True)
class Extracted:
    """What an extract run did.

    Attributes:
        deliveries: one per permit, those that were in place already too.
        notices: one line each: why something was not given.
    """

    deliveries: tuple[Delivery, ...] = ()
    notices: tuple[str, ...] = field(default=())


def register(settings: Settings) -> list[Authorisation]:
    """The rows of the file of authorisations; none without a file.

    Raises:
        WrongUsage: the file cannot be read, or a row is not what it must be.
    """
    return load(settings.authorisations, settings.xsd) if settings.authorisations else []


def run(quarter: Quarter, settings: Settings, *, names: Sequence[str] = ()) -> Extracted:
    """Write the extracts of a quarter.

    Args:
        quarter: the quarter.
        settings: those of the run; without a file of authorisations nothing is given.
        names: extracts or recipients asked for; none means all that is authorised.

    Raises:
        NotAuthorised: one asked for by name is not authorised on the day; nothing is written but the log.
        WrongUsage: the file of authorisations cannot be read.
        LakeProblem: the lake is busy, full or damaged.
    """
    if settings.authorisations is None and not names:
        return Extracted(notices=("no extract is written: no file of authorisations is named (--authorisations FILE)",))
    rows = register(settings)
    with Lake.open(settings.lake, write=True, extra_tables=COMPUTED, wait_seconds=settings.lake_wait) as lake:
        if (environment := lake.environment()) != PRODUCTION:
            return Extracted(notices=(f"no extract is written: the lake holds tests (environment {environment})",))
        run_id = f"{quarter.code}-{lake.snapshot_id()}"
        try:
            if settings.authorisations is None:
                raise _no_register(names)
            return _extracted(lake, quarter, settings, rows, names)
        except Denied as denied:
            record_refusals(lake, quarter, run_id, datetime.now(UTC), denied.refusals, asked=True)
            raise


def _extracted(
    lake: Lake, quarter: Quarter, settings: Settings, rows: Sequence[Authorisation], names: Sequence[str]
) -> Extracted:
    """The same over an open lake, with the rows of a file of authorisations."""
    day, inscribed = settings.received_on, _inscribed(lake, rows)
    allowed = permits(rows, day, names, inscribed)
    left_out = [] if names else refusals(rows, day, inscribed=inscribed)
    lake.replace(_REGISTER, authorisation_rows(rows))
    notices = _retired(lake, settings)
    removed = removed_before(lake, quarter)
    gone = [one.authorisation for one in allowed if one.authorisation.id in removed]
    if gone:
        allowed = [one for one in allowed if one.authorisation not in gone]
        over = [Refusal(row.extract, row.recipient.name, f"removed: {removed[row.id]}", row) for row in gone]
        if names and not allowed:
            raise Denied(f"{quarter} is not given again: {over[0].reason}.", "A new authorisation may give it.", over)
        left_out += over
    notices += [f"{one.extract} is not given to {one.recipient}: {one.reason}" for one in left_out]
    before = f"{quarter.code}-{lake.snapshot_id()}"
    record_refusals(lake, quarter, before, datetime.now(UTC), left_out, asked=False)
    held = lake.arrow("SELECT count(*) FROM lake.authentic.employer_declaration WHERE quarter = ?", [quarter.code])
    if not held.column(0)[0].as_py():
        return Extracted(notices=(*notices, f"the lake holds no accepted declaration of {quarter}: nothing to give"))
    state = Run(f"{quarter.code}-{lake.snapshot_id()}", _moment(lake), lake.snapshot_id())
    done: dict[int, Delivery] = {}
    with console.progress("extracting", len(allowed)) as advance:
        given = deliver_all(
            lake,
            quarter,
            allowed,
            settings.out,
            state,
            record=recorder(lake, _now),
            pool=_pool(settings),
            xsd=settings.xsd,
        )
        for position, delivery in given:
            done[position] = delivery
            advance(1)
    deliveries = tuple(done[position] for position in sorted(done))
    notices += [
        f"{one.extract} for {one.recipient} leaves out {one.not_integrated:,} attestations: not integrated,"
        " no line of the person in its directory"
        for one in deliveries
        if one.not_integrated
    ]
    return Extracted(deliveries, tuple(notices))


def _inscribed(lake: Lake, rows: Sequence[Authorisation]) -> list[tuple[str, str]]:
    """Of which institutions the directory holds lines, if any row of the register asks."""
    if all(row.directory is None for row in rows):
        return []
    sectors, types = (column.to_pylist() for column in lake.arrow(INSCRIBED).columns)
    return list(zip(sectors, types, strict=True))


def _retired(lake: Lake, settings: Settings) -> list[str]:
    """Remove what was kept long enough; one line for each."""
    notices = []
    for kept in overdue(settings.out, settings.received_on):
        retire(lake, kept, settings.out, datetime.now(UTC), lake.snapshot_id())
        told = kept.manifest
        notices.append(f"{told['extract']} of {told['quarter']} for {told['recipient']} is removed: {kept.reason}")
    return notices


def _pool(
    settings: Settings,
) -> Callable[[Callable[[Work], Written], Sequence[Work]], Iterator[tuple[int, Written]]]:
    """Workers for much work, the largest first; none for little."""

    def pool(function: Callable[[Work], Written], items: Sequence[Work]) -> Iterator[tuple[int, Written]]:
        persons = sum(item.rows.persons for item in items)
        if persons <= APART:
            yield from enumerate(map(function, items))
            return
        with crew(settings, min(settings.workers, len(items)), reads=[settings.out]) as workers:
            yield from workers.run(function, items, weight=lambda work: work.draft.weight)

    return pool


def _no_register(names: Sequence[str]) -> NotAuthorised:
    reason = "no file of authorisations is named"
    told = [shown(name) for name in names]
    return Denied(
        f"{', '.join(told)} cannot be given: {reason}.",
        "Name one: --authorisations FILE.",
        [Refusal(None, name, reason) for name in told],
    )


def _now() -> datetime:
    return datetime.now(UTC)


def _moment(lake: Lake) -> datetime:
    """When the newest filing was processed: the time of the data, so that the same data gives the same bytes."""
    newest = lake.arrow("SELECT max(processed_at) FROM lake.received.filing").column(0)[0].as_py()
    return (newest or datetime.min).replace(tzinfo=UTC)
