"""The draft of a delivery: its files, written shard by shard into a hidden folder, by whatever process."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field
from types import TracebackType
from typing import Final, Self

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from dmfa.address import Place
from dmfa.extracts.authorisations import Permit
from dmfa.extracts.parquet import ParquetFiles
from dmfa.extracts.persons import integrated, within
from dmfa.extracts.placing import border, digest, listed
from dmfa.extracts.rows import Rows, Wanted
from dmfa.extracts.selection import Selected, extract_named
from dmfa.extracts.shape import Shape
from dmfa.extracts.xml import Envelope, XmlFile

PERSONS: Final = pa.schema([("attestation", pa.int64()), ("version", pa.int16()), ("inss", pa.int64())])
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
        persons: file with attestation, version and inss of everybody in it, there as long as the rows are.
        tally: rows and sums of its tables.
        files: size and SHA-256 of its files.
        not_integrated: persons of the population of whom the recipient has no line in the directory.
    """

    persons: Place
    tally: dict[str, Tally]
    files: dict[str, dict[str, int | str]]
    not_integrated: int = 0


@dataclass(frozen=True)
class Work:
    """A draft and the rows to make it of."""

    draft: Draft
    rows: Rows


def write(work: Work) -> Written:
    """Write a draft.

    Raises:
        NotAuthorised: the permit does not list what would be written.
        LakeProblem: a file cannot be written.
    """
    draft = work.draft
    with border(draft.place):
        row, shape = draft.permit.authorisation, draft.shape
        extract = extract_named(row.extract)
        tally = {part.name: Tally() for part in shape.parts}
        not_integrated = 0
        persons = work.rows.folder / f"persons-{draft.envelope.ticket}.parquet"
        with ExitStack() as stack:
            known = stack.enter_context(_Persons(persons))
            writers: list[ParquetFiles | XmlFile] = []
            if "parquet" in row.formats:
                writers.append(stack.enter_context(ParquetFiles(draft.folder, draft.permit, shape)))
            if "xml" in row.formats:
                path = draft.folder / f"{row.extract}.xml"
                writers.append(stack.enter_context(XmlFile(path, draft.permit, shape, draft.envelope)))
            for shard in work.rows.shards:
                frames = within(work.rows.frames(shard, draft.wanted), row.population)
                if row.directory is not None:
                    frames, without = integrated(frames, work.rows.with_a_line(shard, row.directory))
                    not_integrated += without
                selected = extract.select(frames, shape)
                for writer in writers:
                    writer.write(selected.tables)
                known.write(selected.persons)
                _count(shape, selected, tally)
        files: dict[str, dict[str, int | str]] = {
            path.name: {"bytes": path.stat().st_size, "sha256": digest(path)} for path in listed(draft.folder)
        }
    return Written(persons, tally, files, not_integrated)


class _Persons:
    """The file of the persons in a draft: of a country they are too many for the memory of those who record them."""

    def __init__(self, path: Place) -> None:
        self._path, self._stack = path, ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            file = stack.enter_context(self._path.open("wb"))
            self._writer = stack.enter_context(pq.ParquetWriter(file, PERSONS, compression="zstd"))
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, error, trace)

    def write(self, persons: pl.DataFrame) -> None:
        """Append the persons of a shard."""
        rows = persons.select(PERSONS.names).to_arrow(compat_level=pl.CompatLevel.oldest())
        self._writer.write_table(rows.cast(PERSONS))


def _count(shape: Shape, selected: Selected, tally: dict[str, Tally]) -> None:
    for part in shape.parts:
        frame, count = selected.tables[part.name], tally[part.name]
        count.rows += frame.height
        for zone in part.zones:
            if zone.unit == "cent":
                count.totals[zone.column] = count.totals.get(zone.column, 0) + int(frame[zone.column].sum())
