"""The draft of a delivery: its files, written shard by shard into a hidden folder, by whatever process."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field

import polars as pl

from dmfa.address import Place
from dmfa.extracts.authorisations import Permit
from dmfa.extracts.parquet import ParquetFiles
from dmfa.extracts.placing import border, digest, listed
from dmfa.extracts.rows import Rows, Wanted
from dmfa.extracts.selection import Selected, extract_named
from dmfa.extracts.shape import Shape
from dmfa.extracts.xml import Envelope, XmlFile


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
        persons: attestation, version and inss of everybody in it.
        tally: rows and sums of its tables.
        files: size and SHA-256 of its files.
    """

    persons: tuple[pl.DataFrame, ...] = field(repr=False)
    tally: dict[str, Tally]
    files: dict[str, dict[str, int | str]]


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
        persons, tally = [], {part.name: Tally() for part in shape.parts}
        with ExitStack() as stack:
            writers: list[ParquetFiles | XmlFile] = []
            if "parquet" in row.formats:
                writers.append(stack.enter_context(ParquetFiles(draft.folder, draft.permit, shape)))
            if "xml" in row.formats:
                path = draft.folder / f"{row.extract}.xml"
                writers.append(stack.enter_context(XmlFile(path, draft.permit, shape, draft.envelope)))
            for shard in work.rows.shards:
                selected = extract.select(work.rows.frames(shard, draft.wanted), shape, row.population)
                for writer in writers:
                    writer.write(selected.tables)
                persons.append(selected.persons)
                _count(shape, selected, tally)
        files: dict[str, dict[str, int | str]] = {
            path.name: {"bytes": path.stat().st_size, "sha256": digest(path)} for path in listed(draft.folder)
        }
    return Written(tuple(persons), tally, files)


def _count(shape: Shape, selected: Selected, tally: dict[str, Tally]) -> None:
    for part in shape.parts:
        frame, count = selected.tables[part.name], tally[part.name]
        count.rows += frame.height
        for zone in part.zones:
            if zone.unit == "cent":
                count.totals[zone.column] = count.totals.get(zone.column, 0) + int(frame[zone.column].sum())
