"""What the tests of answers share: libxml2's own word on a zone, and one small filing and form."""

from __future__ import annotations

from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any

from lxml import etree

XSD = Path(__file__).parents[3] / "xsd"
XS = "http://www.w3.org/2001/XMLSchema"
RECEIVED = datetime(2026, 10, 31, 12, 30, 5)

FILING: dict[str, Any] = {
    "filing_id": 7,
    "sha256": "a" * 64,
    "name": "FI.DMFA.700001.20261030.00001.R.1.1",
    "ticket": "LVPK24SEJJTVP",
    "received_at": RECEIVED,
    "state": "accepted",
    "schema_release": "DmfAOriginal_20231.xsd",
}
FORM: dict[str, Any] = {
    "declaration_id": 11,
    "filing_id": 7,
    "form_index": 0,
    "quarter": 20263,
    "noss_registration_nbr": 100006,
    "company_id": 404455666,
    "identification": "DMFA",
    "form_creation_date": date(2026, 10, 30),
    "form_creation_hour": "08:00:00.000",
    "attestation_status": 0,
    "type_form": "SU",
    "reference_type": 1,
    "reference_origin": 1,
    "reference_nbr": "Q3 & <ours>",
    "state": "accepted",
    "ticket": "ZPXCBWVJIX55X",
}


@cache
def schema(name: str) -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(str(XSD / name)))


def parsed(content: str) -> etree._Element:
    """An answer, held to the XSD that it names."""
    root = etree.fromstring(content.encode())
    named = root.get("{http://www.w3.org/2001/XMLSchema-instance}noNamespaceSchemaLocation")
    assert named is not None
    schema(named).assertValid(root)
    return root


@cache
def _probe(name: str) -> etree.XMLSchema:
    root = etree.parse(str(XSD / name)).getroot()
    for kind in root.findall(f"{{{XS}}}simpleType"):
        etree.SubElement(root, f"{{{XS}}}element", name=f"probe{kind.get('name')}", type=kind.get("name"))
    return etree.XMLSchema(root)


def allowed(name: str, zone: str, text: str) -> bool:
    """Whether libxml2 lets a text stand in a zone of an XSD."""
    element = etree.Element(f"probe{zone}")
    element.text = text
    return bool(_probe(name).validate(element))
