"""XML: an envelope by the conventions of the CBSS (v3), and the blocks under their official NSSO labels.

Streamed, one attestation a line; beyond a size the next file begins, whole in itself, with the next sequence number.
The schema is xsd/DmfAAttestation_1.xsd, in a namespace of our own; for tables of an extract's own, which stand side by
side, xsd/DmfAAnswer_1.xsd. As in the CBSS's messages only the root bears the namespace.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import Final, Self

import polars as pl
import pyarrow as pa
from lxml import etree

from dmfa.address import Place
from dmfa.extracts.authorisations import CHANGE_TABLE, FLAG_TABLE, Institution, Permit
from dmfa.extracts.changes import tables_of
from dmfa.extracts.flat import NAMESPACE as ANSWER_NAMESPACE
from dmfa.extracts.flat import ROOT as ANSWER_ROOT
from dmfa.extracts.flat import SCHEMA as ANSWER_SCHEMA
from dmfa.extracts.flat import rows_as_text
from dmfa.extracts.nesting import attestations_as_text, cancelled_as_text
from dmfa.extracts.shape import Shape
from dmfa.quarter import Quarter

NAMESPACE = "urn:dmfa:attestation:1"
ROOT = "attestationDelivery"
REQUEST = "attestationRequest"
RESPONSE = "attestationResponse"
SCHEMA = "DmfAAttestation_1.xsd"

CHUNK = 10_000
"""Attestations put together at once; text takes many times the memory of the tables."""

FILE_BYTES: Final = 500_000_000
"""Bytes of attestations in a file, unless told otherwise."""

DATA_FOUND: Final = "DATA_FOUND"
NO_DATA_FOUND: Final = "NO_DATA_FOUND"
"""Values of the status of the CBSS (StatusType)."""


@dataclass(frozen=True)
class Envelope:
    """What stands before the attestations.

    Attributes:
        ticket: ticket of the communication, a UUID.
        sent_at: time of sending, with its zone.
        quarter: quarter given.
        file_bytes: bytes of attestations in a file at most; one attestation is never cut.
    """

    ticket: str
    sent_at: datetime
    quarter: Quarter
    file_bytes: int = FILE_BYTES


class XmlFile:
    """Writes the attestations of an extract into one file or several, shard by shard.

    Args:
        path: the file; the second one is `<name>.2.xml`.
        permit: leave to write it.
        shape: the tables.
        envelope: what stands before them.

    Raises:
        NotAuthorised: the permit does not list a block or zone; nothing is created then.
    """

    def __init__(self, path: Place, permit: Permit, shape: Shape, envelope: Envelope) -> None:
        permit.refuse_beyond(tables_of(shape, permit.authorisation), "xml")
        self._parts = {part.name: part for part in shape.parts}
        self._ends = [b"</attestation>\n"]
        self._namespace, self._root = NAMESPACE, ROOT
        if not shape.nested:
            self._parts = {part.name: part for part in shape.sheets}
            self._ends = [f"</{part.block.name}>\n".encode() for part in shape.sheets]
            self._namespace, self._root = ANSWER_NAMESPACE, ANSWER_ROOT
        self._path, self._permit, self._shape, self._envelope = path, permit, shape, envelope
        self._stack = ExitStack()
        self._number = self._bytes = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None and not self._number:
            self._begin(NO_DATA_FOUND)
        self._stack.__exit__(kind, error, trace)

    def write(self, tables: Mapping[str, pl.DataFrame]) -> None:
        """Append a shard."""
        for text in self._texts(tables):
            self._put(text)

    def _texts(self, tables: Mapping[str, pl.DataFrame]) -> Iterator[pa.Buffer]:
        if not self._shape.nested:
            yield from rows_as_text(self._parts, tables, CHUNK)
            return
        changes = tables.get(CHANGE_TABLE)
        blocks = {name: tables[name] for name in self._parts}
        yield from attestations_as_text(self._parts, blocks, CHUNK, changes, tables.get(FLAG_TABLE))
        if changes is not None:
            yield cancelled_as_text(changes)

    def _put(self, text: pa.Buffer) -> None:
        """Write some attestations, in the next file what has no room in this one."""
        rest = memoryview(text)
        while rest:
            if not self._number:
                self._begin(DATA_FOUND)
            room = self._envelope.file_bytes - self._bytes
            cut = len(rest) if len(rest) <= room else self._end(bytes(rest[: max(room, 0)]))
            if not cut and self._bytes:
                self._begin(DATA_FOUND)
                continue
            cut = cut or self._end(bytes(rest), first=True)
            self._file.write(rest[:cut])
            self._bytes += cut
            rest = rest[cut:]

    def _end(self, text: bytes, *, first: bool = False) -> int:
        """Where the last whole attestation or row of a text ends, or the first one; 0 if there is none."""
        find = text.find if first else text.rfind
        found = [at + len(end) for end in self._ends if (at := find(end)) >= 0]
        return (min if first else max)(found, default=0)

    def _begin(self, status: str) -> None:
        """Begin the next file."""
        self._stack.close()
        self._number, self._bytes = self._number + 1, 0
        name = self._path.name if self._number == 1 else f"{self._path.stem}.{self._number}.xml"
        with ExitStack() as stack:
            self._file = stack.enter_context(self._path.with_name(name).open("wb"))
            xml = stack.enter_context(etree.xmlfile(self._file, encoding="UTF-8"))
            xml.write_declaration()
            stack.enter_context(xml.element(f"{{{self._namespace}}}{self._root}", nsmap={"dmfa": self._namespace}))
            for element in _head(self._permit, self._shape, self._envelope, self._number, status):
                xml.write("\n")
                xml.write(element)
            xml.write("\n")
            # Put together a column at a time, faster than node by node; lxml's part must be in the file first.
            xml.flush()
            self._stack = stack.pop_all()


def schema_of(shape: Shape) -> str:
    """Name of the XSD that files of a shape are valid against."""
    return SCHEMA if shape.nested else ANSWER_SCHEMA


def _head(permit: Permit, shape: Shape, envelope: Envelope, number: int, status: str) -> list[etree._Element]:
    row = permit.authorisation
    sent = envelope.sent_at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    year, quarter = envelope.quarter.year, envelope.quarter.number
    return [
        node("sender", node("ticket", envelope.ticket), node("timestampSent", sent), _organisation(row.supplier)),
        node("receiver", _organisation(row.recipient)),
        node("legalContext", f"{row.extract}:{row.id}"),
        node(
            "period",
            node("beginQuarter", f"{year}Q{1 if shape.of_year else quarter}"),
            node("endQuarter", f"{year}Q{quarter}"),
        ),
        node("sequenceNumber", str(number)),
        node("status", node("value", status)),
        node("dataFilters", *(node("filteredElement", place) for place in shape.filtered)),
    ]


def identification(name: str, institution: Institution) -> etree._Element:
    """An element that names an institution, by its enterprise number or its place in the network."""
    if institution.cbe_number is not None:
        return node(name, node("cbeNumber", institution.cbe_number))
    return node(name, node("sector", institution.sector or ""), node("institution", institution.institution or ""))


def _organisation(institution: Institution) -> etree._Element:
    return identification("organizationIdentification", institution)


def node(name: str, *content: str | etree._Element) -> etree._Element:
    """An element with texts or elements in it."""
    made = etree.Element(name)
    for item in content:
        if isinstance(item, str):
            made.text = item
        else:
            made.append(item)
    return made
