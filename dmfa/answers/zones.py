"""What the zones of the answers may hold, read from the XSDs that they are written by.

The releases are fixed: an answer names the XSD that it is valid against, and a test holds every answer to it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from functools import cache, cached_property

import polars as pl
from lxml import etree

from dmfa.schema import home

ACRF = "ACRF_20231.xsd"
NOTIFICATION = "NOTIFICATION_20223.xsd"
IDENTIFICATION = "DmfAPID_20224.xsd"
CHANGES = "DmfAUpdateNotification_20223.xsd"
ACCOUNT = "BewareNotification_20233.xsd"
REPLACEMENT = "IDFLUX_20233.xsd"

_LONG = 10**18 - 1
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

    def texts(self, column: pl.Expr) -> pl.Expr:
        """The same for a whole column: null where a value may not stand here.

        Args:
            column: whole numbers, days or text.
        """
        text = column.cast(pl.String)
        shape = "^(?:{})$".format((self.pattern or "").replace(r"\d", "[0-9]"))
        if self.whole and self.digits and self.pattern:
            padded = text.str.contains("^[0-9]+$") & (text != "0")
            padded &= pl.lit(value=True) if self._fixed else ~text.str.contains(shape)
            text = pl.when(padded).then(text.str.zfill(self.digits)).otherwise(text)
        fits = text.str.contains(shape) if self.pattern else pl.lit(value=True)
        if self.values:
            fits &= text.is_in(sorted(self.values))
        if self.whole:
            fits &= text.cast(pl.Int64, strict=False).is_between(self._least, self._most)
        else:
            fits &= text.str.len_chars().is_between(self.shortest, self.longest or _LONG)
        return pl.when(fits).then(text)

    @property
    def _least(self) -> int:
        bound = -(10**self.digits) + 1 if self.digits else -_LONG
        return bound if self.lowest is None else max(self.lowest, bound)

    @property
    def _most(self) -> int:
        bound = 10**self.digits - 1 if self.digits else _LONG
        return bound if self.highest is None else min(self.highest, bound)

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
    return tuple(label for label in _inside(schema, block) if label in kinds(schema))


@cache
def blocks_of(schema: str, block: str) -> tuple[str, ...]:
    """Labels of the blocks inside a block, in their order, each once."""
    return tuple(dict.fromkeys(label for label in _inside(schema, block) if label not in kinds(schema)))


@cache
def always(schema: str, block: str) -> frozenset[str]:
    """Labels of the zones that stand in every block of a kind."""
    elements = _type(schema, block).iterfind(f"{_XS}sequence/{_XS}element")
    return frozenset(str(element.get("name")) for element in elements if element.get("minOccurs") != "0")


def _inside(schema: str, block: str) -> list[str]:
    return [str(element.get("name")) for element in _type(schema, block).iter(f"{_XS}element")]


def _type(schema: str, block: str) -> etree._Element:
    (found,) = (kind for kind in _root(schema).iterfind(f"{_XS}complexType") if kind.get("name") == block)
    return found


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
