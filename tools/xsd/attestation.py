"""Write the XSD of the extracts: `python tools/xsd/attestation.py`, after write.py.

The envelope is ours, by the conventions of the CBSS (v3); the blocks are those of all releases of DmfAOriginal in xsd/.
Every zone may be absent, since an authorisation may leave it out. Of the facets only those stay that follow from how
values are given out: their limits were checked when the declaration was received, under its own release.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from lxml import etree
from lxml.builder import ElementMaker

from dmfa.corrections.places import CLASSES
from dmfa.extracts.own import FLAGS, OwnColumn
from dmfa.extracts.shape import PERSON, person_tables, text_pattern, zones_of
from dmfa.extracts.xml import DATA_FOUND, NAMESPACE, NO_DATA_FOUND, REQUEST, RESPONSE, ROOT, SCHEMA
from dmfa.schema import TOP, Table, Zone

XS = "http://www.w3.org/2001/XMLSchema"
E = ElementMaker(namespace=XS, nsmap={"xs": XS, "d": NAMESPACE})

ONCE = (TOP, PERSON)
PATTERNS = {
    "Sector": ("Sector of the CBSS network, or institution in it", "[0-9]{3}"),
    "CbeNumber": ("Enterprise number", "[01][0-9]{9}"),
    "YearQuarter": ("Quarter, such as 2026Q3", "[0-9]{4}Q[1-4]"),
    "Ssin": ("Number of a person", "[0-9]{11}"),
    "NssoRegistrationNumber": ("Registration number of an employer, definitive or provisional", "[0-9]{9,10}"),
    "Pointer": ("Leads to one version of an attestation: its number and the version", "[0-9]{1,19}:[0-9]{1,5}"),
}


def main(folder: Path) -> None:
    """Write the XSD into a folder."""
    document = schema()
    etree.indent(document)
    text = etree.tostring(document, encoding="UTF-8", xml_declaration=True, pretty_print=True)
    (folder / SCHEMA).write_bytes(text)


def schema() -> etree._Element:
    """The XSD: one element as root, a type of the envelope or a block each."""
    title = (
        f"{SCHEMA.removesuffix('.xsd')}: attestations given out, one per person and accepted declaration. "
        "Written by tools/xsd/attestation.py; licence EUPL-1.2."
    )
    root = E.schema(
        _words(title),
        E.element(name=ROOT, type="d:Delivery"),
        E.element(name=REQUEST, type="d:Request"),
        E.element(name=RESPONSE, type="d:Response"),
        targetNamespace=NAMESPACE,
        elementFormDefault="unqualified",
        version="1",
    )
    root.extend(_envelope())
    tables = {table.block.name: table for table in person_tables()}
    for table in tables.values():
        root.append(_block(table, tables.keys()))
    kinds = {zone.name: zone for table in tables.values() for zone in zones_of(table).values()}
    root.extend(_zone(kinds[name]) for name in sorted(kinds))
    return root


def _envelope() -> Iterator[etree._Element]:
    yield _sequence(
        "Delivery",
        "One extract for one recipient",
        E.element(name="sender", type="d:SenderReceiver"),
        E.element(name="receiver", type="d:SenderReceiver"),
        E.element(name="legalContext", type="xs:string"),
        E.element(name="period", type="d:Period"),
        E.element(name="sequenceNumber", type="d:SequenceNumber", minOccurs="0"),
        E.element(name="status", type="d:Status", minOccurs="0"),
        E.element(name="dataFilters", type="d:DataFilters"),
        E.element(name="attestation", type="d:Attestation", minOccurs="0", maxOccurs="unbounded"),
    )
    yield from _asked()
    yield _sequence(
        "Status",
        "Whether there is data",
        E.element(_one_of((DATA_FOUND, NO_DATA_FOUND)), name="value"),
        E.element(name="description", type="xs:string", minOccurs="0"),
    )
    yield E.simpleType(
        _words("Number of a file among those of one delivery"),
        E.restriction(E.minInclusive(value="1"), E.totalDigits(value="15"), base="xs:long"),
        name="SequenceNumber",
    )
    yield _sequence(
        "SenderReceiver",
        "Who sends or receives",
        E.element(name="ticket", type="xs:string", minOccurs="0"),
        E.element(name="timestampSent", type="xs:dateTime", minOccurs="0"),
        E.element(name="organizationIdentification", type="d:Organization"),
    )
    yield _sequence(
        "Period",
        "Quarters given, both included",
        E.element(name="beginQuarter", type="d:YearQuarter"),
        E.element(name="endQuarter", type="d:YearQuarter"),
    )
    choice = E.choice(
        E.element(name="cbeNumber", type="d:CbeNumber"),
        E.sequence(E.element(name="sector", type="d:Sector"), E.element(name="institution", type="d:Sector")),
    )
    yield _sequence("Organization", "An institution: by enterprise number, or by its place in the network", choice)
    yield _sequence(
        "DataFilters",
        "What the authorisation leaves out: a block, or block and zone",
        E.element(name="filteredElement", type="xs:string", minOccurs="0", maxOccurs="unbounded"),
    )
    yield _sequence(
        "Mutation",
        "What became of an attestation since its recipient was given it last",
        E.element(name="deliveryNumber", type="d:SequenceNumber"),
        _status(),
        E.element(name="previousSsin", type="d:Ssin", minOccurs="0"),
        E.element(name="previousNssoRegistrationNumber", type="d:NssoRegistrationNumber", minOccurs="0"),
    )
    yield _sequence(FLAGS.label, FLAGS.words, *(_of_flag(column) for column in FLAGS.columns))
    yield _sequence(
        "Attestation",
        "One person in one accepted declaration; without content if it is cancelled for its recipient",
        E.element(E.simpleType(E.restriction(E.minInclusive(value="1"), base="xs:long")), name="number"),
        E.element(E.simpleType(E.restriction(E.minInclusive(value="1"), base="xs:short")), name="version"),
        _status(),
        E.element(name="mutation", type="d:Mutation", minOccurs="0"),
        E.element(name=FLAGS.label, type=f"d:{FLAGS.label}", minOccurs="0", maxOccurs="unbounded"),
        E.element(name=TOP, type=f"d:{TOP}", minOccurs="0"),
    )
    for name, (words, pattern) in PATTERNS.items():
        yield E.simpleType(_words(words), E.restriction(E.pattern(value=pattern), base="xs:string"), name=name)


def _asked() -> Iterator[etree._Element]:
    """Requests and their answers."""
    yield _sequence(
        "Request",
        "What a recipient asks for",
        E.element(name="informationCustomer", type="d:InformationCustomer"),
        E.element(name="legalContext", type="xs:string"),
        E.element(name="request", type="d:Asked", maxOccurs="unbounded"),
    )
    yield _sequence(
        "Response",
        "The answer to a request",
        E.element(name="informationCustomer", type="d:InformationCustomer"),
        E.element(name="informationCBSS", type="d:InformationCBSS"),
        E.element(name="legalContext", type="xs:string"),
        E.element(name="status", type="d:Status"),
        E.element(name="dataFilters", type="d:DataFilters"),
        E.element(name="result", type="d:Result", minOccurs="0", maxOccurs="unbounded"),
        E.element(name="attestation", type="d:Attestation", minOccurs="0", maxOccurs="unbounded"),
    )
    yield _sequence(
        "InformationCustomer",
        "Who asks",
        E.element(name="ticket", type="xs:string", minOccurs="0"),
        E.element(name="timestampSent", type="xs:dateTime", minOccurs="0"),
        E.element(name="customerIdentification", type="d:Organization"),
    )
    yield _sequence(
        "InformationCBSS",
        "Who answers, by the ticket of the communication",
        E.element(name="ticketCBSS", type="xs:string"),
        E.element(name="timestampReceive", type="xs:dateTime"),
        E.element(name="timestampReply", type="xs:dateTime"),
    )
    yield _sequence(
        "Asked",
        "A person, or an employer for the list of its workers, in some quarters; or one version of an attestation",
        E.choice(
            E.element(name="ssin", type="d:Ssin"),
            E.element(name="nssoRegistrationNumber", type="d:NssoRegistrationNumber"),
            E.element(name="enterpriseNumber", type="d:CbeNumber"),
        ),
        E.element(name="period", type="d:Period"),
        E.element(name="next", type="d:Pointer", minOccurs="0"),
    )
    yield _sequence(
        "Result",
        "What was found for one request",
        E.element(name="request", type="d:Asked"),
        E.element(name="status", type="d:Status"),
        E.element(name="found", type="d:Found", minOccurs="0", maxOccurs="unbounded"),
    )
    yield _sequence(
        "Found",
        "One attestation: of an employer with its person, else with what leads to the version before",
        E.element(name="quarter", type="d:YearQuarter"),
        E.element(name="number", type="xs:long"),
        E.element(name="version", type="xs:short"),
        E.element(name="ssin", type="d:Ssin", minOccurs="0"),
        E.element(name="next", type="d:Pointer", minOccurs="0"),
    )


def _of_flag(column: OwnColumn) -> etree._Element:
    """A column of the table of flags; what it can be empty of may be absent."""
    notes, name = _words(column.words), column.label
    if column.name == "class":
        return E.element(notes, _one_of(CLASSES), name=name)
    if column.name == "code":
        code = E.restriction(E.pattern(value="[0-9]{5}-[0-9]{3}"), base="xs:string")
        return E.element(notes, E.simpleType(code), name=name)
    least = {} if column.name == "block" else {"minOccurs": "0"}
    return E.element(notes, name=name, type=column.as_zone().base, **least)


def _status() -> etree._Element:
    return E.element(_words("0 new, 1 changed, 3 cancelled, 4 reactivated"), _one_of("0134"), name="status")


def _one_of(values: Iterable[str]) -> etree._Element:
    return E.simpleType(E.restriction(*(E.enumeration(value=value) for value in values), base="xs:string"))


def _block(table: Table, known: Iterable[str]) -> etree._Element:
    block = table.block
    zones = [E.element(name=zone, type=f"d:{_type(zone)}", minOccurs="0") for zone in zones_of(table)]
    blocks = [
        E.element(name=child.name, type=f"d:{child.name}", minOccurs="0")
        if child.name in ONCE
        else E.element(name=child.name, type=f"d:{child.name}", minOccurs="0", maxOccurs="unbounded")
        for child in block.children
        if child.name in known
    ]
    return _sequence(block.name, f"{block.number} {block.words}", *zones, *blocks)


def _zone(zone: Zone) -> etree._Element:
    pattern = text_pattern(zone)
    facets = [E.pattern(value=pattern)] if pattern else []
    notes = _words(f"{zone.number} {zone.words}")
    if zone.unit:
        notes.append(E.appinfo(zone.unit, source="unit"))
    restriction = E.restriction(*facets, base="xs:string" if pattern else zone.base)
    return E.simpleType(notes, restriction, name=_type(zone.name))


def _type(zone: str) -> str:
    # A zone may bear the name of a block or of a type of the envelope.
    return f"{zone}Zone"


def _sequence(name: str, words: str, *content: etree._Element) -> etree._Element:
    return E.complexType(_words(words), E.sequence(*content), name=name)


def _words(text: str) -> etree._Element:
    return E.annotation(E.documentation(text))


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parents[2] / "xsd")
