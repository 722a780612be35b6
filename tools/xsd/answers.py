"""Write the XSD of the own tables of extracts: `python tools/xsd/answers.py`, after attestation.py.

The envelope is that of attestations. Every column may be absent, since an authorisation may leave it out; a row of any
other table than those of the extract does not come.
"""

from __future__ import annotations

import runpy
import sys
from collections.abc import Iterator
from pathlib import Path

from lxml import etree
from lxml.builder import ElementMaker

from dmfa.extracts import EXTRACTS
from dmfa.extracts.authorisations import KEYS
from dmfa.extracts.flat import NAMESPACE, ROOT, SCHEMA
from dmfa.extracts.own import FLAGGED, OwnColumn, OwnTable
from dmfa.extracts.shape import text_pattern
from dmfa.extracts.xml import NAMESPACE as OF_ATTESTATIONS

XS = "http://www.w3.org/2001/XMLSchema"
E = ElementMaker(namespace=XS, nsmap={"xs": XS, "d": NAMESPACE})
ENVELOPE = frozenset(
    {"SenderReceiver", "Organization", "Period", "SequenceNumber", "Status", "DataFilters"}
    | {"Sector", "CbeNumber", "YearQuarter"}
)
HEAD = ("sender", "receiver", "legalContext", "period", "sequenceNumber", "status", "dataFilters")


def main(folder: Path) -> None:
    """Write the XSD into a folder."""
    document = schema()
    etree.indent(document)
    (folder / SCHEMA).write_bytes(etree.tostring(document, encoding="UTF-8", xml_declaration=True, pretty_print=True))


def schema() -> etree._Element:
    """The XSD: one element as root, the envelope, and an element for each own table."""
    own = (table for extract in EXTRACTS.values() for table in extract.answer.values())
    tables = sorted((*own, FLAGGED), key=lambda table: table.name)
    title = f"{SCHEMA.removesuffix('.xsd')}: answers made of declarations. Written by tools/xsd/answers.py; EUPL-1.2."
    root = E.schema(
        _words(title),
        E.element(name=ROOT, type="d:Delivery"),
        targetNamespace=NAMESPACE,
        elementFormDefault="unqualified",
        version="1",
    )
    envelope = {node.get("name"): node for node in _of_attestations() if isinstance(node.tag, str)}
    head = [node for node in envelope["Delivery"].iter(f"{{{XS}}}element") if node.get("name") in HEAD]
    rows = E.choice(*(_table(table) for table in tables), minOccurs="0", maxOccurs="unbounded")
    root.append(E.complexType(_words("One extract for one recipient"), E.sequence(*head, rows), name="Delivery"))
    root.extend(envelope[name] for name in sorted(ENVELOPE))
    return root


def _of_attestations() -> etree._Element:
    """The XSD of attestations, as if it were of this namespace."""
    made = runpy.run_path(str(Path(__file__).with_name("attestation.py")))["schema"]()
    return etree.fromstring(etree.tostring(made).replace(OF_ATTESTATIONS.encode(), NAMESPACE.encode()))


def _table(table: OwnTable) -> etree._Element:
    words = {"attestation": "Number of the attestation", "version": "Its version", "status": "Its status"}
    keys = [E.element(_words(words[key]), name=key, type="xs:long") for key in KEYS if table.keyed]
    content = E.sequence(*keys, *_columns(table))
    return E.element(_words(table.words), E.complexType(content), name=table.label)


def _columns(table: OwnTable) -> Iterator[etree._Element]:
    for column in table.columns:
        zone = column.as_zone()
        pattern = text_pattern(zone)
        notes = _words(f"{zone.number} {zone.words}".strip())
        if zone.unit:
            notes.append(E.appinfo(zone.unit, source="unit"))
        kind = E.restriction(*([E.pattern(value=pattern)] if pattern else ()), base=_base(column, pattern))
        yield E.element(notes, E.simpleType(kind), name=zone.name, minOccurs="0")


def _base(column: OwnColumn, pattern: str | None) -> str:
    return "xs:string" if pattern else column.as_zone().base


def _words(text: str) -> etree._Element:
    return E.annotation(E.documentation(text))


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parents[2] / "xsd")
