"""Deliveries: the files of one extract for one recipient and quarter, in place whole or not at all.

    OUT/extracts/2026-3/attestation/<recipient>/    natural_person.parquet ... attestation.xml manifest.json

Files are written into a hidden folder beside their place, recorded in the lake, then moved in. A run that finds the
same data under the same authorisation in place leaves it alone. Nothing in a file comes from a clock: times are the
run's.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from functools import cache
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any

from dmfa.address import Place
from dmfa.extracts.authorisations import Authorisation, Permit
from dmfa.extracts.draft import Draft, Work, Written, write
from dmfa.extracts.persons import persons_with_a_line
from dmfa.extracts.placing import MANIFEST, alone, border, cleared, draft_of, intact, put_in_place, tidied
from dmfa.extracts.retention import last_day
from dmfa.extracts.rows import ReadableLake, taken, union
from dmfa.extracts.selection import extract_named, reads
from dmfa.extracts.shape import Shape
from dmfa.extracts.xml import NAMESPACE, SCHEMA, Envelope
from dmfa.quarter import Quarter
from dmfa.schema import MESSAGE, newest

FORMAT = 3
"""Raised when the same data would give other files: everything is then delivered anew."""

SHARD = 50_000
"""Persons taken from the lake at once; only the memory used depends on it."""

_NOT_GIVEN = frozenset({"valid_from", "valid_to", "frequency", "legal_basis", "deliberation_date"})
"""Facts of an authorisation that leave no trace in a delivery: to prolong a row delivers nothing anew."""

_STATE = """
    SELECT declaration_id, count(*) AS persons, bit_xor(hash(natural_person_ordinal, version, status)) AS state
    FROM lake.authentic.natural_person WHERE quarter = ? GROUP BY declaration_id ORDER BY declaration_id
"""
_WITH_A_LINE = "SELECT count(*), bit_xor(hash(declaration_id, natural_person_ordinal)) FROM"

Pool = Callable[[Callable[[Work], Written], Sequence[Work]], Iterator[tuple[int, Written]]]
"""Applies a function to items, and yields the position of each with its result, in any order."""


def one_by_one(function: Callable[[Work], Written], items: Sequence[Work]) -> Iterator[tuple[int, Written]]:
    """The pool that starts no process."""
    return enumerate(map(function, items))


@dataclass(frozen=True)
class Run:
    """The run that delivers.

    Attributes:
        id: its identifier.
        at: its time, with zone: that of the data, so that a rerun on the same data writes the same bytes.
        snapshot: number of the lake's state that it reads.
    """

    id: str
    at: datetime
    snapshot: int


@dataclass(frozen=True)
class Delivery:
    """One delivery.

    Attributes:
        run: the run.
        quarter: quarter given.
        authorisation: the row that it rests on.
        out: folder for all that is given out.
        ticket: ticket of the communication, a UUID that follows from data, authorisation and the delivery before.
        changed: whether anything was delivered; False when the same stood in place.
        manifest: content of its manifest.json.
        persons: file with attestation, version and inss of everybody in it, while it is being recorded.
    """

    run: Run
    quarter: Quarter
    authorisation: Authorisation
    out: Place
    ticket: str
    changed: bool
    manifest: dict[str, Any] = field(repr=False)
    persons: Place | None = field(default=None, repr=False, compare=False)

    @property
    def extract(self) -> str:
        """Name of the extract."""
        return self.authorisation.extract

    @property
    def recipient(self) -> str:
        """Short name of the recipient."""
        return self.authorisation.recipient.name

    @property
    def place(self) -> str:
        """Its folder, relative to OUT/extracts."""
        return place(self.quarter, self.authorisation)

    @property
    def folder(self) -> Place:
        """Its folder."""
        return self.out / "extracts" / self.place

    @property
    def attestations(self) -> int:
        """Number of attestations in it."""
        return int(self.manifest["attestations"])

    @property
    def not_integrated(self) -> int:
        """Number of attestations left out, because the recipient has no line of the person in the directory."""
        return int(self.manifest.get("directory", {}).get("not_integrated", 0))


def place(quarter: Quarter, authorisation: Authorisation) -> str:
    """Folder of a delivery, relative to OUT/extracts."""
    return f"{quarter.year}-{quarter.number}/{authorisation.extract}/{authorisation.recipient.name}"


def deliver(
    lake: ReadableLake,
    quarter: Quarter,
    permit: Permit,
    out: Place,
    run: Run,
    *,
    record: Callable[[Delivery], None],
    shard: int = SHARD,
    xsd: Path | None = None,
) -> Delivery:
    """Write and put in place what one permit allows of a quarter: `deliver_all` of one."""
    ((_, delivery),) = deliver_all(lake, quarter, [permit], out, run, record=record, shard=shard, xsd=xsd)
    return delivery


def deliver_all(
    lake: ReadableLake,
    quarter: Quarter,
    permits: Sequence[Permit],
    out: Place,
    run: Run,
    *,
    record: Callable[[Delivery], None],
    pool: Pool = one_by_one,
    shard: int = SHARD,
    xsd: Path | None = None,
) -> Iterator[tuple[int, Delivery]]:
    """Write and put in place what some permits allow of a quarter.

    Args:
        lake: a lake open for writing, so that it stays as it is meanwhile; only its authentic tables are read, which
            hold accepted declarations alone.
        quarter: the quarter.
        permits: leave to give one extract to one recipient, each.
        out: folder for all that is given out.
        run: the run.
        record: keeps the record of a delivery, just before it is put in place: `exchange.recorder`.
        pool: runs the writing of the drafts, in other processes if there is much to do.
        shard: persons taken from the lake at once.
        xsd: folder with further releases.

    Yields:
        Position of a permit and its delivery, in place, in the order in which they are done.

    Raises:
        NotAuthorised: a permit does not list what would be written; nothing is written, for no one.
        WrongUsage: an authorisation asks for what no extract holds; likewise.
        LakeProblem: the lake cannot be read or a file not be written; what stood in place still does.
    """
    shapes = [extract_named(permit.authorisation.extract).shape(permit, xsd) for permit in permits]
    for permit, shape in zip(permits, shapes, strict=True):
        for file_format in permit.authorisation.formats:
            permit.refuse_beyond(shape.columns, file_format)
    declarations = lake.arrow(_STATE, [quarter.code]).to_pydict()
    with ExitStack() as stack:
        plans: list[tuple[int, _Plan]] = []
        for position, (permit, shape) in enumerate(zip(permits, shapes, strict=True)):
            folder = out / "extracts" / place(quarter, permit.authorisation)
            wanted = reads(shape, permit.authorisation.population)
            draft = Draft(draft_of(folder), folder, permit, shape, wanted, Envelope("", run.at, quarter))
            facts = {"declarations": declarations, "directory": _directory(lake, quarter, permit.authorisation)}
            plan = _Plan(out, run, _state(quarter, permit.authorisation, shape, facts), draft)
            stack.enter_context(alone(plan.folder))
            with border(plan.folder):
                before = tidied(plan.folder)
                if before.get("state") == plan.state and intact(plan.folder, before):
                    yield position, plan.delivered(before)
                    continue
                plan = plan.begun(before)
                stack.callback(cleared, plan.draft.folder)
                plan.draft.folder.mkdir()
            plans.append((position, plan))
        if not plans:
            return
        everything = union(plan.draft.wanted for _, plan in plans)
        asked = (plan.row.directory for _, plan in plans)
        lines = [line for line in asked if line is not None]
        with taken(lake, quarter, everything, out / "extracts", limit=shard, inscriptions=lines, xsd=xsd) as rows:
            work = [Work(plan.draft, rows) for _, plan in plans]
            for number, written in pool(write, work):
                position, plan = plans[number]
                with border(plan.folder):
                    yield position, plan.finished(written, record)


@dataclass(frozen=True)
class _Plan:
    """What will become a delivery."""

    out: Place
    run: Run
    state: str
    draft: Draft

    @property
    def quarter(self) -> Quarter:
        """The quarter given."""
        return self.draft.envelope.quarter

    @property
    def folder(self) -> Place:
        """Its place."""
        return self.draft.place

    @property
    def row(self) -> Authorisation:
        """The row that it rests on."""
        return self.draft.permit.authorisation

    def begun(self, before: dict[str, Any]) -> _Plan:
        """With the ticket that follows from what stands in place."""
        envelope = replace(self.draft.envelope, ticket=_ticket(self.state, before))
        return replace(self, draft=replace(self.draft, envelope=envelope))

    def delivered(self, manifest: dict[str, Any]) -> Delivery:
        """What stands in place already."""
        ticket = str(manifest["ticket"])
        return Delivery(self.run, self.quarter, self.row, self.out, ticket, changed=False, manifest=manifest)

    def finished(self, written: Written, record: Callable[[Delivery], None]) -> Delivery:
        """Record what was written, then put it in place."""
        draft, ticket = self.draft.folder, self.draft.envelope.ticket
        manifest = self._manifest(written)
        (draft / MANIFEST).write_text(json.dumps(manifest, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        delivery = Delivery(self.run, self.quarter, self.row, self.out, ticket, True, manifest, written.persons)
        record(delivery)
        put_in_place(draft, self.folder)
        return replace(delivery, persons=None)

    def _manifest(self, written: Written) -> dict[str, Any]:
        """What a recipient needs to check a delivery."""
        row = self.row
        release = newest(MESSAGE)
        asked = None if row.directory is None else {**asdict(row.directory), "not_integrated": written.not_integrated}
        return {
            "extract": row.extract,
            "quarter": str(self.quarter),
            "recipient": row.recipient.name,
            "supplier": row.supplier.name,
            "authorisation": row.id,
            "deliberation": row.deliberation,
            "purpose": row.purpose,
            "retention": row.retention,
            "keep_until": last_day(self.run.at.date(), row.retention).isoformat(),
            "ticket": self.draft.envelope.ticket,
            "sent_at": self.run.at.isoformat(),
            "snapshot": self.run.snapshot,
            "state": self.state,
            "versions": {
                "program": _program(),
                "format": FORMAT,
                "structure": release.name if release else "",
                "xml": SCHEMA,
            },
            "attestations": written.tally[self.draft.shape.parts[0].name].rows,
            **({} if asked is None else {"directory": asked}),
            "tables": {name: asdict(count) for name, count in written.tally.items()},
            "filtered": list(self.draft.shape.filtered),
            "files": written.files,
        }


@cache
def _program() -> str:
    return f"dmfa {version('dmfa')}"


def _directory(lake: ReadableLake, quarter: Quarter, row: Authorisation) -> list[int] | None:
    """Number and digest of the persons of a quarter with the line that a row asks for; None if it asks for none."""
    if row.directory is None:
        return None
    rows, values = persons_with_a_line(row.directory, quarter)
    return [column[0].as_py() for column in lake.arrow(f"{_WITH_A_LINE} {rows}", values).columns]


def _state(quarter: Quarter, row: Authorisation, shape: Shape, facts: dict[str, Any]) -> str:
    """Digest of all that a delivery follows from: versions of attestations, authorisation, columns, directory."""
    facts = {
        "format": FORMAT,
        "quarter": quarter.code,
        "authorisation": {name: value for name, value in asdict(row).items() if name not in _NOT_GIVEN},
        "columns": shape.columns,
        **facts,
    }
    return sha256(json.dumps(facts, sort_keys=True, default=str).encode()).hexdigest()


def _ticket(state: str, before: dict[str, Any]) -> str:
    """The ticket in place if the data is the same, else one that follows from the data and the ticket before."""
    known = str(before.get("ticket", ""))
    if before.get("state") == state:
        return known
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{NAMESPACE}/{state}/{known}"))
