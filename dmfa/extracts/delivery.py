"""Deliveries: the files of one extract for one recipient and quarter, in place whole or not at all.

    OUT/extracts/2026-3/attestation/<recipient>/    natural_person.parquet ... attestation.xml manifest.json

Files are written into a hidden folder beside their place, recorded in the lake, then moved in. A run that finds the
same data under the same authorisation in place leaves it alone. Nothing in a file comes from a clock: times are the
run's.
"""

from __future__ import annotations

import json
import shutil
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from datetime import datetime
from functools import cache
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol

import polars as pl
import pyarrow as pa

from dmfa.extracts.authorisations import Authorisation, Permit
from dmfa.extracts.parquet import ParquetFiles
from dmfa.extracts.placing import MANIFEST, alone, border, digest, intact, manifest_in, put_in_place, tidied
from dmfa.extracts.selection import Extract, Selected, extract_named, reads
from dmfa.extracts.shape import Shape
from dmfa.extracts.xml import NAMESPACE, SCHEMA, Envelope, XmlFile
from dmfa.quarter import Quarter
from dmfa.schema import MESSAGE, newest

FORMAT = 1
"""Raised when the same data would give other files: everything is then delivered anew."""

SHARD = 50_000
"""Persons taken from the lake at once; only the memory used depends on it."""

_NOT_GIVEN = frozenset({"valid_from", "valid_to", "frequency", "legal_basis", "deliberation_date"})
"""Facts of an authorisation that leave no trace in a delivery: to prolong a row delivers nothing anew."""

_STATE = """
    SELECT declaration_id, count(*) AS persons, bit_xor(hash(natural_person_ordinal, version, status)) AS state
    FROM lake.authentic.natural_person WHERE quarter = ? GROUP BY declaration_id ORDER BY declaration_id
"""


class ReadableLake(Protocol):
    """What an open lake offers to a delivery."""

    def arrow(self, sql: str, values: Sequence[object] | None = None) -> pa.Table:
        """The result of a query."""


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
        persons: attestation, version and inss of everybody in it, for the log; empty when nothing was delivered.
    """

    run: Run
    quarter: Quarter
    authorisation: Authorisation
    out: Path
    ticket: str
    changed: bool
    manifest: dict[str, Any] = field(repr=False)
    persons: tuple[pl.DataFrame, ...] = field(default=(), repr=False, compare=False)

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
    def folder(self) -> Path:
        """Its folder."""
        return self.out / "extracts" / self.place

    @property
    def attestations(self) -> int:
        """Number of attestations in it."""
        return int(self.manifest["attestations"])


def place(quarter: Quarter, authorisation: Authorisation) -> str:
    """Folder of a delivery, relative to OUT/extracts."""
    return f"{quarter.year}-{quarter.number}/{authorisation.extract}/{authorisation.recipient.name}"


def deliver(
    lake: ReadableLake,
    quarter: Quarter,
    permit: Permit,
    out: Path,
    run: Run,
    *,
    record: Callable[[Delivery], None],
    shard: int = SHARD,
    xsd: Path | None = None,
) -> Delivery:
    """Write and put in place what a permit allows of a quarter.

    Args:
        lake: a lake open for writing, so that it stays as it is meanwhile; only its authentic tables are read, which
            hold accepted declarations alone.
        quarter: the quarter.
        permit: leave to give one extract to one recipient.
        out: folder for all that is given out.
        run: the run.
        record: keeps the record of a delivery, just before it is put in place: `exchange.recorder`.
        shard: persons taken from the lake at once.
        xsd: folder with further releases.

    Raises:
        NotAuthorised: the permit does not list what would be written; nothing is written.
        WrongUsage: the authorisation asks for what no extract holds.
        LakeProblem: the lake cannot be read or a file not be written; what stood in place still does.
    """
    row = permit.authorisation
    extract = extract_named(row.extract)
    shape = extract.shape(permit, xsd)
    for file_format in row.formats:
        permit.refuse_beyond(shape.columns, file_format)
    declarations = lake.arrow(_STATE, [quarter.code])
    state = _state(quarter, row, shape, declarations)
    folder = out / "extracts" / place(quarter, row)
    with border(folder), alone(folder):
        draft = tidied(folder)
        before = manifest_in(folder)
        ticket = _ticket(state, before)
        if before.get("state") == state and intact(folder, before):
            return Delivery(run, quarter, row, out, ticket, changed=False, manifest=before)
        draft.mkdir()
        try:
            job = _Job(lake, quarter, extract, permit, shape, run, ticket)
            persons, tally = job.write(draft, _shards(declarations, shard))
            manifest = job.manifest(draft, state, tally)
            (draft / MANIFEST).write_text(json.dumps(manifest, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
            delivery = Delivery(run, quarter, row, out, ticket, changed=True, manifest=manifest, persons=tuple(persons))
            record(delivery)
            put_in_place(draft, folder)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    return delivery


@dataclass
class _Tally:
    """Rows and sums of amounts of one table."""

    rows: int = 0
    totals: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class _Job:
    """The writing of one delivery."""

    lake: ReadableLake
    quarter: Quarter
    extract: Extract
    permit: Permit
    shape: Shape
    run: Run
    ticket: str

    def write(self, draft: Path, shards: Iterator[tuple[int, int]]) -> tuple[list[pl.DataFrame], dict[str, _Tally]]:
        """Write all files, shard by shard; return who is in them, and their tally."""
        row = self.permit.authorisation
        persons, tally = [], {part.name: _Tally() for part in self.shape.parts}
        with ExitStack() as stack:
            writers: list[ParquetFiles | XmlFile] = []
            if "parquet" in row.formats:
                writers.append(stack.enter_context(ParquetFiles(draft, self.permit, self.shape)))
            if "xml" in row.formats:
                envelope = Envelope(self.ticket, self.run.at, self.quarter)
                path = draft / f"{row.extract}.xml"
                writers.append(stack.enter_context(XmlFile(path, self.permit, self.shape, envelope)))
            for first, last in shards:
                selected = self._selected(first, last)
                for writer in writers:
                    writer.write(selected.tables)
                persons.append(selected.persons)
                self._count(selected, tally)
        return persons, tally

    def _selected(self, first: int, last: int) -> Selected:
        population = self.permit.authorisation.population
        frames = {}
        for table, columns in reads(self.shape, population).items():
            names = ", ".join(f'"{column}"' for column in columns)
            sql = f'SELECT {names} FROM lake.authentic."{table}" WHERE quarter = ? AND declaration_id BETWEEN ? AND ?'  # noqa: S608
            frames[table] = pl.DataFrame(self.lake.arrow(sql, [self.quarter.code, first, last]))
        return self.extract.select(frames, self.shape, population)

    def _count(self, selected: Selected, tally: dict[str, _Tally]) -> None:
        for part in self.shape.parts:
            frame, count = selected.tables[part.name], tally[part.name]
            count.rows += frame.height
            for zone in part.zones:
                if zone.unit == "cent":
                    count.totals[zone.column] = count.totals.get(zone.column, 0) + int(frame[zone.column].sum())

    def manifest(self, draft: Path, state: str, tally: dict[str, _Tally]) -> dict[str, Any]:
        """What a recipient needs to check a delivery."""
        row = self.permit.authorisation
        release = newest(MESSAGE)
        return {
            "extract": row.extract,
            "quarter": str(self.quarter),
            "recipient": row.recipient.name,
            "supplier": row.supplier.name,
            "authorisation": row.id,
            "deliberation": row.deliberation,
            "purpose": row.purpose,
            "retention": row.retention,
            "ticket": self.ticket,
            "sent_at": self.run.at.isoformat(),
            "snapshot": self.run.snapshot,
            "state": state,
            "versions": {
                "program": _program(),
                "format": FORMAT,
                "structure": release.name if release else "",
                "xml": SCHEMA,
            },
            "attestations": tally[self.shape.parts[0].name].rows,
            "tables": {name: asdict(count) for name, count in tally.items()},
            "filtered": list(self.shape.filtered),
            "files": {
                path.name: {"bytes": path.stat().st_size, "sha256": digest(path)} for path in sorted(draft.iterdir())
            },
        }


@cache
def _program() -> str:
    return f"dmfa {version('dmfa')}"


def _shards(declarations: pa.Table, limit: int) -> Iterator[tuple[int, int]]:
    """First and last declaration of groups with at most a number of persons, or of one declaration."""
    group: list[int] = []
    held = 0
    rows = zip(declarations["declaration_id"].to_pylist(), declarations["persons"].to_pylist(), strict=True)
    for declaration, persons in rows:
        if group and held + persons > limit:
            yield group[0], group[-1]
            group, held = [], 0
        group.append(declaration)
        held += persons
    if group:
        yield group[0], group[-1]


def _state(quarter: Quarter, row: Authorisation, shape: Shape, declarations: pa.Table) -> str:
    """Digest of all that a delivery follows from: versions of attestations, authorisation, columns."""
    facts = {
        "format": FORMAT,
        "quarter": quarter.code,
        "authorisation": {name: value for name, value in asdict(row).items() if name not in _NOT_GIVEN},
        "columns": shape.columns,
        "declarations": declarations.to_pydict(),
    }
    return sha256(json.dumps(facts, sort_keys=True, default=str).encode()).hexdigest()


def _ticket(state: str, before: dict[str, Any]) -> str:
    """The ticket in place if the data is the same, else one that follows from the data and the ticket before."""
    known = str(before.get("ticket", ""))
    if before.get("state") == state:
        return known
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{NAMESPACE}/{state}/{known}"))
