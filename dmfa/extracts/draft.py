"""The draft of a delivery: its files, written shard by shard into a hidden folder, by whatever process."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Final, Self

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from dmfa.address import Place
from dmfa.extracts.authorisations import CHANGE_TABLE, KEYS, Permit
from dmfa.extracts.changes import CONTENT, ChangePart, Changes, Known, counts
from dmfa.extracts.making import Making
from dmfa.extracts.ordering import Ordering
from dmfa.extracts.parquet import ParquetFiles
from dmfa.extracts.persons import PERSON_TABLE, Frames
from dmfa.extracts.placing import border, digest, listed
from dmfa.extracts.rejects import FILE
from dmfa.extracts.rows import Rows, Wanted
from dmfa.extracts.sealing import encrypted
from dmfa.extracts.shape import Shape
from dmfa.extracts.xml import Envelope, XmlFile

PERSONS: Final = pa.schema(
    [
        ("attestation", pa.int64()),
        ("version", pa.int16()),
        ("inss", pa.int64()),
        ("status", pa.int8()),
        (CONTENT, pa.int64()),
    ]
)
"""What the log is told of each person in a draft."""


@dataclass
class Tally:
    """Rows and sums of amounts of one table."""

    rows: int = 0
    totals: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Draft:
    """What is to be written; it travels to worker processes as it is, so that they need not read the schemas.

    Attributes:
        folder: where to write; it stands there, empty.
        place: where it will be moved, for what is told of a failure.
        permit: leave to write it.
        shape: its tables.
        wanted: tables of the lake that it is made of, with their columns.
        envelope: what stands before the attestations in XML.
    """

    folder: Place
    place: Place
    permit: Permit
    shape: Shape
    wanted: Wanted
    envelope: Envelope

    @property
    def weight(self) -> int:
        """How long it takes beside others, roughly: XML takes longer than Parquet."""
        each = sum(4 if name == "xml" else 1 for name in self.permit.authorisation.formats)
        return each * sum(len(part.columns) for part in self.shape.parts)


@dataclass(frozen=True)
class Written:
    """A draft as written.

    Attributes:
        persons: file of everybody in it, as PERSONS, there as long as the rows are.
        attestations: how many they are.
        tally: rows and sums of its tables.
        files: size and SHA-256 of its files.
        not_integrated: persons of the population of whom the recipient has no line in the directory.
        changes: of a delivery of changes, how many attestations are new, changed, cancelled, reactivated.
        rejects: file of the attestations for the queue of rejects; None where none is kept.
    """

    persons: Place
    attestations: int
    tally: dict[str, Tally]
    files: dict[str, dict[str, Any]]
    not_integrated: int = 0
    changes: dict[str, int] | None = None
    rejects: Place | None = None


@dataclass(frozen=True)
class Work:
    """A draft, the rows to make it of, and what its recipient was given before, if only changes are given."""

    draft: Draft
    rows: Rows
    known: Known | None = None


def write(work: Work) -> Written:
    """Write a draft.

    Raises:
        NotAuthorised: the permit does not list what would be written.
        LakeProblem: a file cannot be written.
    """
    draft = work.draft
    with border(draft.place):
        row, shape = draft.permit.authorisation, draft.shape
        making = Making(draft.permit, shape)
        persons, rejects = (
            work.rows.folder / f"{name}-{draft.envelope.ticket}.parquet" for name in ("persons", "rejects")
        )
        with ExitStack() as stack:
            given = _Given(stack, draft, persons)
            waiting = work.rows.folder / f"ordered-{draft.envelope.ticket}"
            ordering = Ordering(shape, waiting, several=len(work.rows.shards) > 1)
            queue = stack.enter_context(_Side(rejects, FILE)) if making.keeps_rejects else None
            part = ChangePart.of(row)
            changes = Changes(work.known, part) if work.known and part else None
            for shard in work.rows.shards:
                frames = work.rows.frames(shard, draft.wanted)
                known = None if row.directory is None else work.rows.with_a_line(shard, row.directory)
                selected = making.of(frames, known, None if shape.flags is None else work.rows.anomalies(shard))
                if queue is not None and making.rejects is not None:
                    queue.write(making.rejects)
                if changes is None:
                    given.write(selected.persons, ordering.passed(selected.tables))
                else:
                    given.write(*changes.of(frames[PERSON_TABLE], selected.persons, selected.tables))
            for tables in ordering.rest(
                {part.name: pl.DataFrame(part.arrow_schema.empty_table()) for part in shape.sheets}
            ):
                given.write(pl.DataFrame(PERSONS.empty_table()), tables)
            if (rest := making.rest()) is not None:
                given.write(rest.persons, rest.tables)
            if changes is not None:
                given.write(*changes.cancelled(shape))
        files = sealed_files(draft.folder, row.encrypt_to)
    kept = rejects if making.keeps_rejects else None
    return Written(persons, given.attestations, given.tally, files, making.not_integrated, given.changes, kept)


class _Given:
    """All files of a draft, and the count of what goes into them.

    Args:
        stack: closes the files.
        draft: the draft.
        persons: file of the persons.
    """

    def __init__(self, stack: ExitStack, draft: Draft, persons: Place) -> None:
        row, shape = draft.permit.authorisation, draft.shape
        self._shape, self._part = shape, ChangePart.of(row)
        self.tally = {part.name: Tally() for part in shape.sheets}
        self.changes: dict[str, int] | None = None
        if self._part is not None:
            self.tally[CHANGE_TABLE] = Tally()
            self.changes = counts([])
        self.attestations = 0
        self._persons = stack.enter_context(_Side(persons, PERSONS))
        self._writers: list[ParquetFiles | XmlFile] = []
        if "parquet" in row.formats:
            self._writers.append(stack.enter_context(ParquetFiles(draft.folder, draft.permit, shape)))
        if "xml" in row.formats:
            path = draft.folder / f"{row.extract}.xml"
            self._writers.append(stack.enter_context(XmlFile(path, draft.permit, shape, draft.envelope)))

    def write(self, persons: pl.DataFrame, tables: Frames) -> None:
        """Append some attestations to all files."""
        for writer in self._writers:
            writer.write(tables)
        self._persons.write(persons)
        self.attestations += persons.height
        for part in self._shape.sheets:
            frame, count = tables[part.name], self.tally[part.name]
            count.rows += frame.height
            for zone in part.zones:
                if zone.unit == "cent":
                    count.totals[zone.column] = count.totals.get(zone.column, 0) + int(frame[zone.column].sum())
        if self.changes is not None:
            self.tally[CHANGE_TABLE].rows += persons.height
            for name, number in counts(persons[KEYS[2]].to_list()).items():
                self.changes[name] += number


class _Side:
    """A file beside a draft, of its persons or rejects: a country has too many for the memory of who records them."""

    def __init__(self, path: Place, schema: pa.Schema) -> None:
        self._path, self._schema, self._stack = path, schema, ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            file = stack.enter_context(self._path.open("wb"))
            self._writer = stack.enter_context(pq.ParquetWriter(file, self._schema, compression="zstd"))
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, error, trace)

    def write(self, rows: pl.DataFrame) -> None:
        """Append those of a shard."""
        names = self._schema.names
        lacking = [pl.lit(None).alias(name) for name in names if name not in rows.columns]
        made = rows.with_columns(lacking).select(names).to_arrow(compat_level=pl.CompatLevel.oldest())
        self._writer.write_table(made.cast(self._schema))


def sealed_files(folder: Place, encrypt_to: str | None) -> dict[str, dict[str, Any]]:
    """Size and digest of every file in a folder, by name; each is encrypted first if a key is given.

    Args:
        folder: the folder.
        encrypt_to: public key of the recipient; None where nothing is encrypted.
    """
    told = [_told(path, encrypt_to) for path in listed(folder)]
    return {facts.pop("name"): facts for facts in told}


def _told(path: Place, encrypt_to: str | None) -> dict[str, Any]:
    """Name, size and digest of a file, which is encrypted if a key is given."""
    plain = {"name": path.name, "bytes": path.stat().st_size, "sha256": digest(path)}
    if encrypt_to is None:
        return plain
    sealed = encrypted(path, encrypt_to)
    return {
        "name": sealed.name,
        "bytes": sealed.stat().st_size,
        "sha256": digest(sealed),
        "plain": plain,
    }
