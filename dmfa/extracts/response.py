"""The answer to a request as XML: the envelope of the CBSS (v3), the results line by line, then the attestations."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

import polars as pl
from lxml import etree

from dmfa.address import Place
from dmfa.errors import WrongUsage
from dmfa.extracts.authorisations import FLAG_TABLE, KEYS, Permit
from dmfa.extracts.finding import ITEM
from dmfa.extracts.nesting import attestations_as_text
from dmfa.extracts.request import Asked, Request
from dmfa.extracts.shape import Shape
from dmfa.extracts.xml import CHUNK, DATA_FOUND, NAMESPACE, NO_DATA_FOUND, RESPONSE, identification, node
from dmfa.identifiers import enterprise_text, insz_text, noss_registration_text
from dmfa.quarter import Quarter

NOTHING = "no attestation that may be given"
"""What is told of a person whom the lake does not know, and of one whom the recipient may not have."""

_WHO = {
    "inss": ("ssin", insz_text),
    "noss_registration_nbr": ("nssoRegistrationNumber", noss_registration_text),
    "company_id": ("enterpriseNumber", enterprise_text),
}


class ResponseFile:
    """Writes one answer.

    Args:
        path: the file.
        permit: leave to answer.
        shape: the tables.
        request: what is answered.
        ticket: ticket of the communication, a UUID.
        at: time of the data, with its zone.

    Raises:
        NotAuthorised: the permit does not list a block or zone; nothing is created then.
        WrongUsage: the extract has tables of its own, which have no place in an attestation.
    """

    def __init__(
        self, path: Place, permit: Permit, shape: Shape, request: Request, *, ticket: str, at: datetime
    ) -> None:
        permit.refuse_beyond(shape.columns, "xml")
        row = permit.authorisation
        if not shape.nested:
            raise WrongUsage(f"authorisation {row.id}: answers of {row.extract} are given as Parquet.", "Take xml out.")
        self._path, self._row, self._shape, self._request = path, row, shape, request
        self._ticket, self._at = ticket, at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self._file = stack.enter_context(self._path.open("wb"))
            self._xml = stack.enter_context(etree.xmlfile(self._file, encoding="UTF-8"))
            self._xml.write_declaration()
            stack.enter_context(self._xml.element(f"{{{NAMESPACE}}}{RESPONSE}", nsmap={"dmfa": NAMESPACE}))
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, error, trace)

    def write(self, told: pl.DataFrame, tables: Mapping[str, pl.DataFrame]) -> None:
        """Write all of the answer.

        Args:
            told: the table of answers.
            tables: the attestations.
        """
        found = DATA_FOUND if told[KEYS[0]].count() else NO_DATA_FOUND
        customer = [node("ticket", self._request.ticket)] if self._request.ticket else []
        customer += [node("timestampSent", self._request.sent_at)] if self._request.sent_at else []
        head = [
            node("informationCustomer", *customer, identification("customerIdentification", self._row.recipient)),
            node(
                "informationCBSS",
                node("ticketCBSS", self._ticket),
                node("timestampReceive", self._at),
                node("timestampReply", self._at),
            ),
            node("legalContext", f"{self._row.extract}:{self._row.id}"),
            node("status", node("value", found)),
            node("dataFilters", *(node("filteredElement", place) for place in self._shape.filtered)),
        ]
        for element in head:
            self._write(element)
        for (item,), rows in told.partition_by(ITEM, as_dict=True, maintain_order=True).items():
            self._write(_result(self._request.asked[item], rows))
        self._xml.write("\n")
        self._xml.flush()
        parts = {part.name: part for part in self._shape.parts}
        for text in attestations_as_text(parts, tables, CHUNK, flags=tables.get(FLAG_TABLE)):
            self._file.write(text)

    def _write(self, element: etree._Element) -> None:
        self._xml.write("\n")
        self._xml.write(element)


def _result(line: Asked, rows: pl.DataFrame) -> etree._Element:
    """What was found for one line."""
    name, text = _WHO[line.column]
    period = node("period", node("beginQuarter", _quarter(line.first)), node("endQuarter", _quarter(line.last)))
    pointer = [node("next", f"{line.pointer[0]}:{line.pointer[1]}")] if line.pointer else []
    asked = node("request", node(name, text(line.number)), period, *pointer)
    facts = [row for row in rows.to_dicts() if row[KEYS[0]] is not None]
    if not facts:
        return node("result", asked, node("status", node("value", NO_DATA_FOUND), node("description", NOTHING)))
    return node("result", asked, node("status", node("value", DATA_FOUND)), *map(_found, facts))


def _found(row: Mapping[str, object]) -> etree._Element:
    told = {
        "quarter": _quarter(Quarter.from_code(int(str(row["quarter"])))),
        "number": row[KEYS[0]],
        "version": row[KEYS[1]],
        "ssin": row["inss"],
        "next": row["next"],
    }
    return node("found", *(node(name, str(value)) for name, value in told.items() if value is not None))


def _quarter(quarter: Quarter) -> str:
    return f"{quarter.year}Q{quarter.number}"
