"""XML: an envelope by the conventions of the CBSS (v3), and the blocks under their official NSSO labels.

One file per extract, streamed; one attestation a line. Its schema is xsd/DmfAAttestation_1.xsd, in a namespace of our
own. As in the CBSS's messages only the root element bears the namespace.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

import polars as pl
from lxml import etree

from dmfa.address import Place
from dmfa.extracts.authorisations import Institution, Permit
from dmfa.extracts.nesting import attestations_as_text
from dmfa.extracts.shape import Shape
from dmfa.quarter import Quarter

NAMESPACE = "urn:dmfa:attestation:1"
ROOT = "attestationDelivery"
SCHEMA = "DmfAAttestation_1.xsd"

CHUNK = 10_000
"""Attestations put together at once; text takes many times the memory of the tables."""


@dataclass(frozen=True)
class Envelope:
    """What stands before the attestations.

    Attributes:
        ticket: ticket of the communication, a UUID.
        sent_at: time of sending, with its zone.
        quarter: quarter given.
    """

    ticket: str
    sent_at: datetime
    quarter: Quarter


class XmlFile:
    """Writes the attestations of an extract into one file, shard by shard.

    Args:
        path: the file.
        permit: leave to write it.
        shape: the tables.
        envelope: what stands before them.

    Raises:
        NotAuthorised: the permit does not list a block or zone; nothing is created then.
    """

    def __init__(self, path: Place, permit: Permit, shape: Shape, envelope: Envelope) -> None:
        permit.refuse_beyond(shape.columns, "xml")
        self._parts = {part.name: part for part in shape.parts}
        self._path = path
        self._head = _head(permit, shape, envelope)
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self._file = stack.enter_context(self._path.open("wb"))
            self._xml = stack.enter_context(etree.xmlfile(self._file, encoding="UTF-8"))
            self._xml.write_declaration()
            stack.enter_context(self._xml.element(f"{{{NAMESPACE}}}{ROOT}", nsmap={"dmfa": NAMESPACE}))
            for element in self._head:
                self._xml.write("\n")
                self._xml.write(element)
            self._xml.write("\n")
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, error, trace)

    def write(self, tables: Mapping[str, pl.DataFrame]) -> None:
        """Append a shard."""
        # Put together a column at a time, faster than node by node; lxml's part must be in the file first.
        self._xml.flush()
        for text in attestations_as_text(self._parts, tables, CHUNK):
            self._file.write(text)


def _head(permit: Permit, shape: Shape, envelope: Envelope) -> list[etree._Element]:
    row = permit.authorisation
    sent = envelope.sent_at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    quarter = f"{envelope.quarter.year}Q{envelope.quarter.number}"
    return [
        _node("sender", _node("ticket", envelope.ticket), _node("timestampSent", sent), _organisation(row.supplier)),
        _node("receiver", _organisation(row.recipient)),
        _node("legalContext", f"{row.extract}:{row.id}"),
        _node("period", _node("beginQuarter", quarter), _node("endQuarter", quarter)),
        _node("dataFilters", *(_node("filteredElement", place) for place in shape.filtered)),
    ]


def _organisation(institution: Institution) -> etree._Element:
    if institution.cbe_number is not None:
        return _node("organizationIdentification", _node("cbeNumber", institution.cbe_number))
    return _node(
        "organizationIdentification",
        _node("sector", institution.sector or ""),
        _node("institution", institution.institution or ""),
    )


def _node(name: str, *content: str | etree._Element) -> etree._Element:
    node = etree.Element(name)
    for item in content:
        if isinstance(item, str):
            node.text = item
        else:
            node.append(item)
    return node
