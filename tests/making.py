"""Random valid declarations and corrections, made from the XSD alone: every block and zone turns up sooner or later.

Nothing of the program is used, so that what it reads can be compared with what was written.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from lxml import etree

XSD = Path(__file__).parents[1] / "xsd"
XS = "{http://www.w3.org/2001/XMLSchema}"
XSI = "http://www.w3.org/2001/XMLSchema-instance"

TOPS = {"DmfAOriginal": "EmployerDeclaration", "DmfAUpdate": "EmployerDeclarationUpdate"}

PLUS = ("ContributionAmount", "UnrelatedAmount", "StudentContributionAmount")
PLUS += ("EarlyRetirementContributionAmount", "GrossRefRemunContributionAmount")
MINUS = ("DeductionAmount", "CompensationAmount")


def insz(draw: random.Random) -> str:
    """A number of an invented person with right check digits; births before and from 2000, ordinary, bis and ter."""
    year, month, day = draw.randrange(40, 140), draw.randrange(1, 13) + draw.choice((0, 20, 40)), draw.randrange(1, 29)
    first = (year % 100) * 10**7 + month * 10**5 + day * 10**3 + draw.randrange(1, 998)
    return f"{first:09d}{97 - (first + (2 * 10**9 if year >= 100 else 0)) % 97:02d}"


def complement(first: int) -> str:
    """An enterprise or establishment number from its first eight digits."""
    return f"{first:08d}{97 - first % 97:02d}"


def noss(draw: random.Random) -> str:
    """A registration number with right check digits."""
    first = draw.randrange(10_000, 1_999_999)
    return str(first * 100 + (96 - first * 100 % 97))


@cache
def _types(release: str) -> dict[str, Any]:
    root = etree.parse(str(XSD / f"{named(release)}.xsd")).getroot()
    return {kind.get("name"): kind for kind in root if kind.get("name")}


def named(release: str) -> str:
    """Message and quarter of a release: `20231` is one of originals, `DmfAUpdate_20231` says what it is of."""
    return release if "_" in release else f"DmfAOriginal_{release}"


_PATTERNS: dict[str, Callable[[random.Random], str]] = {
    r"\d{4}-\d{2}-\d{2}": lambda draw: str(date(2009, 1, 1) + timedelta(days=draw.randrange(5_000))),
    r"\d{4}-\d{2}": lambda draw: f"{draw.randrange(1990, 2024)}-{draw.randrange(1, 13):02d}",
    r"\d{3}": lambda draw: f"{draw.randrange(1_000):03d}",
    r"\d{3},\d{2}": lambda draw: f"{draw.randrange(1_000):03d},{draw.randrange(100):02d}",
    r"\d{2}:\d{2}:\d{2}.\d{3}": lambda draw: (
        f"{draw.randrange(24):02d}:{draw.randrange(60):02d}:59.{draw.randrange(1_000):03d}"
    ),
    r"\d{3}|\d{3}\.\d{2}|\d{3}\.\d{2}\.\d{2}": lambda draw: draw.choice(("302", "302.01", "302.01.07")),
    r"[A-Z]{2}[A-Za-z0-9]{0,28}": lambda draw: f"BE{draw.randrange(10**9)}",
    r"\d{11}": insz,
    r"[0]|\d{11}": lambda draw: draw.choice(("0", insz(draw))),
    r"0|\d{9}|\d{10}": lambda draw: complement(draw.randrange(1_000_000, 19_999_999)),
    r"0|00\d{9}|1\d{10}": lambda draw: draw.choice(("0", f"00{noss(draw):0>9}")),
    r"\p{L}": lambda draw: draw.choice("aZé"),
    r"[\s\S]*\S[\s\S]*": lambda draw: _text(draw, 1, 12),
}


def _text(draw: random.Random, least: int, most: int) -> str:
    letters = "abcXYZ09 -é&<>'\"ß€"
    inner = "".join(draw.choice(letters) for _ in range(draw.randrange(max(least, 1), most + 1)))
    return ("x" + inner[1:-1] + "x")[: max(len(inner), 1)]


def _value(kind: Any, draw: random.Random) -> str:
    restriction = kind.find(f"{XS}restriction")
    facets: dict[str, list[str]] = {}
    for facet in restriction:
        facets.setdefault(etree.QName(facet).localname, []).append(facet.get("value"))
    name, base = kind.get("name"), restriction.get("base")
    if name == "LocalUnitID":
        return complement(draw.randrange(20_000_000, 89_999_999))
    if name == "NOSSRegistrationNbr":
        return noss(draw)
    if "enumeration" in facets:
        return draw.choice(facets["enumeration"])
    if "pattern" in facets:
        known = [pattern for pattern in facets["pattern"] if pattern in _PATTERNS]
        if known:
            return _PATTERNS[known[0]](draw)
    if base == "xs:integer":
        digits = int(facets.get("totalDigits", ["6"])[0])
        low = int(facets.get("minInclusive", ["0"])[0])
        high = min(int(facets.get("maxInclusive", [str(10**digits - 1)])[0]), 10**digits - 1)
        if name in MINUS:
            high = 40
        number = str(draw.choice((low, high, draw.randint(low, high))))
        return draw.choice((number, number.zfill(digits)))
    if base == "xs:date":
        return _PATTERNS[r"\d{4}-\d{2}-\d{2}"](draw)
    if base == "xs:string":
        length = int(facets.get("length", facets.get("maxLength", ["12"]))[0])
        least = int(facets.get("length", facets.get("minLength", ["0"]))[0])
        return _text(draw, least, min(length, 40)) if draw.random() > 0.1 or least else ""
    raise AssertionError(f"no value is known for {name} of base {base}, facets {facets}")


class Maker:
    """Makes random declarations, or corrections, of one release.

    Args:
        release: e.g. `20231` or `DmfAUpdate_20231`.
        seed: the same seed gives the same bytes.
        many: most occurrences of a block that may repeat.
    """

    def __init__(self, release: str, seed: int, many: int = 3) -> None:
        self.release = release
        self.draw = random.Random(seed)
        self.many = many

    def filing(self, forms: int = 1, persons: int = 12, quarter: str | None = None) -> etree._Element:
        """A valid filing with right check digits and, of an original, net amounts."""
        message, own_quarter = named(self.release).split("_")
        root = etree.Element(message, nsmap={"xsi": XSI})
        root.set(f"{{{XSI}}}noNamespaceSchemaLocation", f"{named(self.release)}.xsd")
        for _ in range(forms):
            form = self._block("Form", persons)
            form.find("*/Quarter").text = quarter or own_quarter
            if message == "DmfAOriginal":
                balance(form)
            root.append(form)
        return root

    def _block(self, name: str, persons: int) -> etree._Element:
        element = etree.Element(name)
        self._group(element, _types(self.release)[name], persons)
        return element

    def _group(self, element: etree._Element, group: Any, persons: int) -> None:
        for part in group:
            kind = etree.QName(part).localname
            if kind in {"annotation", "attribute"}:
                continue
            for _ in range(self._times(part, persons)):
                if kind == "choice":
                    branches = [branch for branch in part if branch.tag != f"{XS}annotation"]
                    chosen = branches[0] if element.tag in TOPS.values() else self.draw.choice(branches)
                    wrapper = etree.Element("wrapper")
                    wrapper.append(etree.fromstring(etree.tostring(chosen)))
                    self._group(element, wrapper, persons)
                elif kind == "sequence":
                    self._group(element, part, persons)
                elif kind == "element":
                    self._element(element, part, persons)

    def _element(self, parent: etree._Element, part: Any, persons: int) -> None:
        name = part.get("type") or part.get("ref")
        kind = _types(self.release)[name]
        if kind.tag == f"{XS}complexType":
            parent.append(self._block(name, persons))
        else:
            etree.SubElement(parent, part.get("name") or name).text = _value(kind, self.draw) or None

    def _times(self, part: Any, persons: int) -> int:
        least = int(part.get("minOccurs", "1"))
        most = part.get("maxOccurs", "1")
        if most == "0":
            return 0
        if part.get("name") in {"NaturalPerson", "NaturalPersonUpdate"}:
            return persons
        top = least + self.many if most == "unbounded" else min(int(most), least + self.many)
        return self.draw.randint(least, max(top, least))


def net_of(declaration: etree._Element) -> int:
    """Sum of the amounts of a declaration, by name, wherever they stand."""

    def total(names: tuple[str, ...]) -> int:
        return sum(int(zone.text) for name in names for zone in declaration.iter(name) if (zone.text or "").strip())

    return total(PLUS) - total(MINUS)


def balance(form: etree._Element) -> None:
    """Make the net amount owed of a Form right."""
    declaration = form.find("EmployerDeclaration")
    net = net_of(declaration)
    if net < 0:
        raise AssertionError("this seed owes less than nothing; take another")
    declaration.find("NetOwedAmount").text = str(net)


def to_bytes(root: etree._Element, *, pretty: bool = False) -> bytes:
    """A filing as it is sent."""
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=pretty)


def filing(release: str = "20231", seed: int = 1, **how: Any) -> bytes:
    """A valid filing in one call."""
    return to_bytes(Maker(release, seed).filing(**how))
