"""What a recipient asks for: persons in some quarters, the workers of an employer, or one version of an attestation.

A request is CSV in UTF-8 with a header line, or XML valid against xsd/DmfAAttestation_1.xsd (attestationRequest). It
names the row of the register that it rests on. Columns of CSV, of which those not needed may be left out:

    authorisation, inss, noss_registration_nbr, company_id, begin_quarter, end_quarter, next, ticket
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from lxml import etree

from dmfa.errors import NothingToRead, WrongUsage
from dmfa.extracts.xml import NAMESPACE, REQUEST, SCHEMA
from dmfa.identifiers import insz_valid
from dmfa.quarter import Quarter
from dmfa.schema import home

LONGEST: Final = 50_000_000
"""Bytes of a request at most."""

COLUMNS: Final = (
    "authorisation",
    "inss",
    "noss_registration_nbr",
    "company_id",
    "begin_quarter",
    "end_quarter",
    "next",
    "ticket",
)
WHO: Final = COLUMNS[1:4]
"""Columns of which a row fills one."""

_HOW: Final = f"Columns: {', '.join(COLUMNS)}. Nothing was given out."
_POINTER: Final = re.compile(r"([0-9]{1,19}):([0-9]{1,5})")
_DIGITS: Final = {"inss": 11, "noss_registration_nbr": 10, "company_id": 10}
_OF_XML: Final = {"ssin": "inss", "nssoRegistrationNumber": "noss_registration_nbr", "enterpriseNumber": "company_id"}


@dataclass(frozen=True)
class Asked:
    """One line of a request.

    Attributes:
        column: by what it asks: inss, noss_registration_nbr or company_id.
        number: the number.
        first: first quarter.
        last: last quarter.
        pointer: number of an attestation and the version of it that is asked for; None for those in force.
    """

    column: str
    number: int = field(repr=False)
    first: Quarter
    last: Quarter
    pointer: tuple[int, int] | None = None


@dataclass(frozen=True)
class Request:
    """A request.

    Attributes:
        authorisation: the row of the register that it names.
        asked: its lines.
        sha256: digest of the file.
        customer: who asks, as it says: sector and institution, or enterprise number; empty where it does not say.
        ticket: the ticket of who asks; None without one.
        sent_at: when it was sent, as it says.
    """

    authorisation: str
    asked: tuple[Asked, ...]
    sha256: str
    customer: Mapping[str, str] = field(default_factory=dict, hash=False)
    ticket: str | None = None
    sent_at: str | None = None


def read_request(path: Path) -> Request:
    """Read a request.

    Raises:
        NothingToRead: there is no such file, or it is empty or too long.
        WrongUsage: it is not a request; the line is told, and no value.
    """
    try:
        if path.stat().st_size > LONGEST:
            raise NothingToRead(f"{path} is longer than {LONGEST:,} bytes.", "Ask in several files.")
        data = path.read_bytes()
    except OSError as error:
        reason = (error.strerror or "it cannot be read").lower()
        raise NothingToRead(f"{path} cannot be read: {reason}.", "Name a file of CSV or XML.") from None
    if not data.strip():
        raise NothingToRead(f"{path} is empty.", _HOW)
    digest = sha256(data).hexdigest()
    return (
        _of_xml(path, data, digest)
        if data.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"<")
        else _of_csv(path, data, digest)
    )


def _of_csv(path: Path, data: bytes, digest: str) -> Request:
    try:
        reader = csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline=""), strict=True)
        rows = [(reader.line_num, row) for row in reader]
        columns = reader.fieldnames or []
    except (UnicodeDecodeError, csv.Error):
        raise WrongUsage(f"{path} is no CSV in UTF-8.", _HOW) from None
    if len(set(columns)) != len(columns) or not set(columns) <= set(COLUMNS) or "begin_quarter" not in columns:
        raise WrongUsage(f"{path} has columns that no request has, one twice, or no begin_quarter.", _HOW)
    if not rows:
        raise NothingToRead(f"{path} asks for nothing.", _HOW)
    asked, named, tickets = [], set[str](), set[str]()
    for line, row in rows:
        if None in row or None in row.values():
            raise WrongUsage(f"{path}, line {line}: it has not the columns of the first line.", _HOW)
        told = {name: text.strip() for name, text in row.items()}
        named.add(told.get("authorisation", ""))
        tickets.add(told.get("ticket", ""))
        asked.append(_asked(f"{path}, line {line}", told))
    if len(named) != 1 or not min(named):
        raise WrongUsage(f"{path} does not name one authorisation in all of its lines.", _HOW)
    if len(tickets) > 1:
        raise WrongUsage(f"{path} has several tickets.", "One request has one ticket, the same in every line, or none.")
    return Request(min(named), tuple(asked), digest, ticket=min(tickets) or None)


def _of_xml(path: Path, data: bytes, digest: str) -> Request:
    todo = f"It must be valid against {SCHEMA}, root {REQUEST}. Nothing was given out."
    try:
        root = etree.fromstring(data, etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False))
    except etree.XMLSyntaxError as error:
        raise WrongUsage(f"{path} is not well-formed XML (line {error.lineno}).", todo) from None
    document: Any = root.getroottree()
    if document.docinfo.doctype:
        raise WrongUsage(f"{path} declares a DOCTYPE.", todo)
    schema: Any = etree.XMLSchema(etree.parse(str(home() / SCHEMA)))
    if root.tag != f"{{{NAMESPACE}}}{REQUEST}" or not schema.validate(root):
        line = schema.error_log[0].line if len(schema.error_log) else root.sourceline
        raise WrongUsage(f"{path}, line {line}: it is no valid request.", todo)
    asked = []
    for node in root.iterfind("request"):
        told = {_OF_XML[child.tag]: child.text or "" for child in node if child.tag in _OF_XML}
        told |= {name: (node.findtext(f"period/{of}") or "") for name, of in _PERIOD.items()}
        told["next"] = node.findtext("next") or ""
        asked.append(_asked(f"{path}, line {node.sourceline}", told))
    customer = {child.tag: child.text or "" for child in root.iterfind("informationCustomer/customerIdentification/*")}
    context = root.findtext("legalContext") or ""
    return Request(
        context.rpartition(":")[2],
        tuple(asked),
        digest,
        customer,
        root.findtext("informationCustomer/ticket"),
        root.findtext("informationCustomer/timestampSent"),
    )


_PERIOD: Final = {"begin_quarter": "beginQuarter", "end_quarter": "endQuarter"}


def _asked(where: str, told: Mapping[str, str]) -> Asked:
    """One line, checked."""
    for what, wrong in _faults(told):
        if wrong:
            raise WrongUsage(f"{where}: {what}.", "Correct the line; nothing was given out.")
    (column,) = (name for name in WHO if told.get(name))
    first = _quarter(told["begin_quarter"])
    last = _quarter(told.get("end_quarter") or told["begin_quarter"])
    pointer = _POINTER.fullmatch(told.get("next", ""))
    return Asked(column, int(told[column]), first, last, (int(pointer[1]), int(pointer[2])) if pointer else None)


def _faults(told: Mapping[str, str]) -> Iterator[tuple[str, bool]]:
    who = [name for name in WHO if told.get(name)]
    yield f"it must fill one of {', '.join(WHO)}", len(who) != 1
    text = told[who[0]]
    yield (
        f"{who[0]} is not a number of at most {_DIGITS[who[0]]} digits",
        not (text.isascii() and text.isdecimal() and len(text) <= _DIGITS[who[0]]),
    )
    yield "inss has wrong check digits", who == ["inss"] and not insz_valid(int(text))
    quarters = [told.get("begin_quarter", ""), told.get("end_quarter") or told.get("begin_quarter", "")]
    yield "a quarter is not written as 2026/3 or 2026Q3", not all(map(_QUARTER.fullmatch, quarters))
    yield "end_quarter lies before begin_quarter", _quarter(quarters[1]) < _quarter(quarters[0])
    yield "next is not a pointer as an answer gives it", bool(told.get("next")) and not _POINTER.fullmatch(told["next"])
    yield "next leads to an attestation of a person: it goes with inss", bool(told.get("next")) and who != ["inss"]


_QUARTER: Final = re.compile(r"(\d{4})[Q/]?([1-4])")


def _quarter(text: str) -> Quarter:
    return Quarter.parse(text.replace("Q", "/"))
