"""Extract: what the authorisations of the day allow of a quarter is written, and each communication logged.

What is refused is logged too: whatever a row does not open, and whatever somebody asks for in vain.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from dmfa.errors import NotAuthorised
from dmfa.extracts import (
    Authorisation,
    Delivery,
    Denied,
    Manner,
    Permit,
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
from dmfa.extracts.authorisations import PULL
from dmfa.extracts.availability import late
from dmfa.extracts.changes import quarters_begun
from dmfa.extracts.persons import INSCRIBED
from dmfa.extracts.placing import listed
from dmfa.extracts.retention import overdue, removed_before, retire
from dmfa.extracts.signing import Signer
from dmfa.lake import EXCHANGE, Lake
from dmfa.quarter import Quarter
from dmfa.reading.names import PRODUCTION
from flows import console
from flows.crew import crew
from flows.settings import Settings
from flows.stages.moments import FOLDER, stamp
from flows.stages.projects import codings, keys_of, without_a_key
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


def empty(settings: Settings) -> str:
    """What there is to say of a file of authorisations without a row, which is no fault: nothing is authorised."""
    return f"{settings.authorisations} holds no authorisation: add a row for each extract that may be given"


def must_be_readable(settings: Settings) -> None:
    """Read what a run will need to give anything: faults in it are told before hours of work, not after.

    Raises:
        WrongUsage: the file of authorisations, that of keys, or the signing key cannot be used.
    """
    register(settings)
    keys_of(settings)
    manner_of(settings)


def run(quarter: Quarter, settings: Settings, *, names: Sequence[str] = (), as_of: datetime | None = None) -> Extracted:
    """Write the extracts of a quarter.

    Args:
        quarter: the quarter.
        settings: those of the run; without a file of authorisations nothing is given.
        names: extracts or recipients asked for; none means all that is authorised.
        as_of: give what the lake held then, reference directory included, to a folder of its own, to whom it may be
            given today.

    Raises:
        NotAuthorised: one asked for by name is not authorised on the day; nothing is written but the log.
        WrongUsage: the file of authorisations cannot be read.
        LakeProblem: the lake is busy, full or damaged.
    """
    if settings.authorisations is None and not names:
        return Extracted(notices=("no extract is written: no file of authorisations is named (--authorisations FILE)",))
    rows = register(settings)
    manner = manner_of(settings)
    with Lake.open(settings.lake, write=True, extra_tables=COMPUTED, wait_seconds=settings.lake_wait) as lake:
        if (environment := lake.environment()) != PRODUCTION:
            return Extracted(notices=(f"no extract is written: the lake holds tests (environment {environment})",))
        run_id = f"{quarter.code}-{lake.snapshot_id()}"
        try:
            if settings.authorisations is None:
                raise _no_register(names)
            return _extracted(lake, quarter, settings, rows, names=names, manner=manner, as_of=as_of)
        except Denied as denied:
            record_refusals(lake, quarter, run_id, datetime.now(UTC), denied.refusals, asked=True)
            raise


def _extracted(
    lake: Lake,
    quarter: Quarter,
    settings: Settings,
    rows: Sequence[Authorisation],
    *,
    names: Sequence[str],
    manner: Manner,
    as_of: datetime | None,
) -> Extracted:
    """The same over an open lake, with the rows of a file of authorisations."""
    day, known = settings.received_on, inscribed(lake, rows)
    allowed = permits(rows, day, names, known)
    left_out = [] if names else refusals(rows, day, inscribed=known)
    lake.replace(_REGISTER, authorisation_rows(rows))
    notices = _retired(lake, settings)
    if not rows:
        notices.append(f"no extract is written: {empty(settings)}")
    asked_for = [one.authorisation for one in allowed if one.authorisation.delivery == PULL]
    allowed = [one for one in allowed if one.authorisation.delivery != PULL]
    if names:
        notices += [f"{row.extract} is given to {row.recipient.name} on request: --request FILE" for row in asked_for]
    removed = removed_before(lake, quarter)
    gone = [one.authorisation for one in allowed if one.authorisation.id in removed]
    if gone:
        allowed = [one for one in allowed if one.authorisation not in gone]
        removals = [Refusal(row.extract, row.recipient.name, f"removed: {removed[row.id]}", row) for row in gone]
        if names and not allowed:
            raise Denied(
                f"{quarter} is not given again: {removals[0].reason}.", "A new authorisation may give it.", removals
            )
        left_out += removals
    lacking = without_a_key(keys_of(settings), quarter, [one.authorisation for one in allowed])
    if lacking:
        allowed = [one for one in allowed if one.authorisation not in [refusal.authorisation for refusal in lacking]]
        if names and not allowed:
            told = f"{lacking[0].extract} is not given to {lacking[0].recipient}: {lacking[0].reason}."
            raise Denied(told, "`dmfa keys new PROJECT` makes a key.", lacking)
        left_out += lacking
    notices += [f"{one.extract} is not given to {one.recipient}: {one.reason}" for one in left_out]
    before = f"{quarter.code}-{lake.snapshot_id()}"
    record_refusals(lake, quarter, before, datetime.now(UTC), left_out, asked=False)
    if as_of is not None:
        return _as_of(lake, quarter, settings, allowed, notices, manner=manner, as_of=as_of)
    if not _holds(lake, quarter):
        return Extracted(notices=(*notices, f"the lake holds no accepted declaration of {quarter}: nothing to give"))
    deliveries = _given(lake, quarter, allowed, settings, manner)
    # Who receives changes receives those of every quarter that was begun: corrections, persons inscribed since.
    changing = [one for one in allowed if one.authorisation.gives_changes]
    for other, begun in sorted(quarters_begun(lake, [one.authorisation for one in changing]).items()):
        if other != quarter:
            over = removed_before(lake, other).keys()
            again = [one for one in changing if one.authorisation.id in begun - over]
            deliveries += [one for one in _given(lake, other, again, settings, manner) if one.changed]
    return Extracted(tuple(deliveries), (*notices, *_remarks(lake, deliveries, settings)))


def _remarks(lake: Lake, deliveries: Sequence[Delivery], settings: Settings) -> Iterator[str]:
    """What there is to say of deliveries: attestations that waited too long, or that are not integrated."""
    now = datetime.now(UTC)
    for one in deliveries:
        waited = late(lake, one, now, settings.delivery_days) if one.changed else 0
        if waited:
            yield (
                f"{one.extract} for {one.recipient}, {one.quarter}: up to {waited:,} attestations were accepted more"
                f" than {settings.delivery_days} calendar days before (DMFA_DELIVERY_DAYS)"
            )
    for one in deliveries:
        if one.not_integrated:
            yield (
                f"{one.extract} for {one.recipient} leaves out {one.not_integrated:,} attestations: not integrated,"
                " no line of the person in its directory"
            )


def _as_of(
    lake: Lake,
    quarter: Quarter,
    settings: Settings,
    allowed: Sequence[Permit],
    notices: list[str],
    *,
    manner: Manner,
    as_of: datetime,
) -> Extracted:
    """What may be given of a state of before, whole, into a folder of its own; logged like any other delivery."""
    changing = [one.authorisation for one in allowed if one.authorisation.gives_changes]
    notices += [
        f"{row.extract} is not given to {row.recipient.name}: it receives changes, which follow from the delivery"
        " before and are of no moment; take --as-of out"
        for row in changing
    ]
    whole = [one for one in allowed if not one.authorisation.gives_changes]
    elsewhere = replace(settings, out=settings.out / FOLDER / stamp(as_of))
    with Lake.open(settings.lake, as_of=as_of) as source:
        if not _holds(source, quarter):
            return Extracted(notices=(*notices, f"the lake held no accepted declaration of {quarter} then"))
        told = f"{quarter.code}-{source.snapshot_id()}-{FOLDER}-{stamp(as_of)}"
        state = Run(told, moment(source), source.snapshot_id(), as_of)
        given = _delivered(lake, quarter, whole, elsewhere, manner, source=source, state=state)
        return Extracted(tuple(given), tuple(notices))


def _holds(lake: Lake, quarter: Quarter) -> bool:
    """Whether a lake holds any accepted declaration of a quarter."""
    held = lake.arrow("SELECT count(*) FROM lake.authentic.employer_declaration WHERE quarter = ?", [quarter.code])
    return bool(held.column(0)[0].as_py())


def _given(
    lake: Lake, quarter: Quarter, allowed: Sequence[Permit], settings: Settings, manner: Manner
) -> list[Delivery]:
    """What some permits allow of one quarter, in their order."""
    state = Run(f"{quarter.code}-{lake.snapshot_id()}", moment(lake), lake.snapshot_id())
    return _delivered(lake, quarter, allowed, settings, manner, source=lake, state=state)


def _delivered(
    lake: Lake,
    quarter: Quarter,
    allowed: Sequence[Permit],
    settings: Settings,
    manner: Manner,
    *,
    source: Lake,
    state: Run,
) -> list[Delivery]:
    """The same of one state of the lake, logged in the lake as it is now."""
    done: dict[int, Delivery] = {}
    with console.progress(f"extracting {quarter}", len(allowed)) as advance:
        given = deliver_all(
            source,
            quarter,
            allowed,
            settings.out,
            state,
            record=recorder(lake, _now),
            pool=_pool(settings),
            manner=manner,
            xsd=settings.xsd,
            codings=codings(keys_of(settings), quarter, [one.authorisation for one in allowed]),
        )
        for position, delivery in given:
            done[position] = delivery
            advance(1)
    return [done[position] for position in sorted(done)]


def manner_of(settings: Settings) -> Manner:
    """How files are given out.

    Raises:
        WrongUsage: the signing key or its certificate cannot be used; told before anything is written.
    """
    if settings.signing_key is None or settings.signing_certificate is None:
        return Manner(settings.xml_bytes)
    signer = Signer.read(settings.signing_key, settings.signing_certificate, settings.received_on)
    return Manner(settings.xml_bytes, signer)


def inscribed(lake: Lake, rows: Sequence[Authorisation]) -> list[tuple[str, str]]:
    """Of which institutions the directory holds lines, if any row of the register asks."""
    if all(row.directory is None for row in rows):
        return []
    sectors, types = (column.to_pylist() for column in lake.arrow(INSCRIBED).columns)
    return list(zip(sectors, types, strict=True))


def _retired(lake: Lake, settings: Settings) -> list[str]:
    """Remove what was kept long enough; one line for each."""
    notices = []
    for out in (settings.out, *listed(settings.out / FOLDER)):
        for kept in overdue(out, settings.received_on):
            retire(lake, kept, out, datetime.now(UTC), lake.snapshot_id())
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
        # A key of a project never leaves this machine.
        home = {number for number, item in enumerate(items) if item.draft.shape.coding is not None}
        home = home if settings.runner != "local" else set()
        for who, chosen in ((settings, {*range(len(items))} - home), (replace(settings, runner="local"), home)):
            numbers = sorted(chosen)
            if numbers:
                with crew(who, min(who.workers, len(numbers)), reads=[who.out]) as workers:
                    some = [items[number] for number in numbers]
                    for at, written in workers.run(function, some, weight=lambda work: work.draft.weight):
                        yield numbers[at], written

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


def moment(lake: Lake) -> datetime:
    """When the newest filing was processed: the time of the data, so that the same data gives the same bytes."""
    newest = lake.arrow("SELECT max(processed_at) FROM lake.received.filing").column(0)[0].as_py()
    return (newest or datetime.min).replace(tzinfo=UTC)
