"""What the zones of the answers may hold, read from the XSDs that they are written by.

The releases are fixed: an answer names the XSD that it is valid against, and a test holds every answer to it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from functools import cache, cached_property

from lxml import etree

from dmfa.schema import home

ACRF = "ACRF_20231.xsd"
NOTIFICATION = "NOTIFICATION_20223.xsd"
IDENTIFICATION = "DmfAPID_20224.xsd"

_NUMBER = re.compile(r"[+-]?[0-9]{1,18}")
_XS = "{http://www.w3.org/2001/XMLSchema}"


@dataclass(frozen=True)
class Kind:
    """What one zone may hold.

    Attributes:
        whole: whether it is a number without decimals.
        pattern: what its text looks like, None for any text.
        lowest: smallest number allowed.
        highest: largest number allowed.
        digits: digits of a number at most.
        shortest: fewest characters.
        longest: most characters.
        values: the values allowed; empty for any.
    """

    whole: bool
    pattern: str | None
    lowest: int | None
    highest: int | None
    digits: int | None
    shortest: int
    longest: int | None
    values: frozenset[str]

    def text(self, value: object) -> str | None:
        """A declared value as this zone writes it, or None if it may not stand here.

        A number that has a fixed number of digits gets its leading zeros.

        Args:
            value: whole number, day or text; None stays None.
        """
        if value is None:
            return None
        text = value.isoformat() if isinstance(value, date) else str(value)
        if self.whole and self.digits and text.isdecimal() and text != "0" and self._padded(text):
            text = text.zfill(self.digits)
        return text if self._holds(text) else None

    @cached_property
    def _shape(self) -> re.Pattern[str] | None:
        return None if self.pattern is None else re.compile(self.pattern, re.ASCII)

    @cached_property
    def _fixed(self) -> bool:
        return rf"\d{{{self.digits}}}" in (self.pattern or "")

    def _padded(self, text: str) -> bool:
        return self._fixed or (self._shape is not None and not self._shape.fullmatch(text))

    def _holds(self, text: str) -> bool:
        if self.values and text not in self.values:
            return False
        if self._shape is not None and not self._shape.fullmatch(text):
            return False
        return self._number(text) if self.whole else self._length(text)

    def _number(self, text: str) -> bool:
        if not _NUMBER.fullmatch(text):
            return False
        number = int(text)
        if self.digits is not None and len(str(abs(number))) > self.digits:
            return False
        return (self.lowest is None or number >= self.lowest) and (self.highest is None or number <= self.highest)

    def _length(self, text: str) -> bool:
        return len(text) >= self.shortest and (self.longest is None or len(text) <= self.longest)


@cache
def kinds(schema: str) -> dict[str, Kind]:
    """Every zone of an answer's XSD by label.

    Args:
        schema: file name of the XSD, one of those in this module.
    """
    return {str(kind.get("name")): _kind(kind) for kind in _root(schema).iterfind(f"{_XS}simpleType")}


@cache
def zones_of(schema: str, block: str) -> tuple[str, ...]:
    """Labels of the zones of a block, in their order."""
    (found,) = (kind for kind in _root(schema).iterfind(f"{_XS}complexType") if kind.get("name") == block)
    labels = (str(element.get("name")) for element in found.iter(f"{_XS}element"))
    return tuple(label for label in labels if label in kinds(schema))


@cache
def _root(schema: str) -> etree._Element:
    parser = etree.XMLParser(resolve_entities=False, no_network=True)
    return etree.parse(str(home() / schema), parser).getroot()


def _kind(kind: etree._Element) -> Kind:
    restriction = kind.find(f"{_XS}restriction")
    facets: dict[str, list[str]] = {}
    for facet in restriction if restriction is not None else ():
        facets.setdefault(etree.QName(facet).localname, []).append(str(facet.get("value")))
    numbers = {name: int(values[0]) for name, values in facets.items() if re.fullmatch(r"-?\d+", values[0])}
    length = numbers.get("length")
    return Kind(
        whole=restriction is not None and restriction.get("base") == "xs:integer",
        pattern="|".join(facets["pattern"]) if "pattern" in facets else None,
        lowest=numbers.get("minInclusive"),
        highest=numbers.get("maxInclusive"),
        digits=numbers.get("totalDigits"),
        shortest=length or numbers.get("minLength", 0),
        longest=length or numbers.get("maxLength"),
        values=frozenset(facets.get("enumeration", ())),
    )
