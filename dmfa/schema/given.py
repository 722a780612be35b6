"""Which official codes an XSD gives: what each of its demands says of a zone or block that does not meet it.

An XSD knows facets, the catalogue knows kinds. Several kinds may say what a broken facet means; which of them a zone
has, the catalogue tells. `KINDS` orders them, `official_code` chooses, and `given` lists what comes of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache

from lxml import etree

from dmfa.schema.catalogue import catalogue
from dmfa.schema.releases import Release
from dmfa.schema.tables import MESSAGE
from dmfa.schema.tree import Zone

_XS = "{http://www.w3.org/2001/XMLSchema}"

ABSENT = "minOccurs"
REPEATED = "maxOccurs"
FORBIDDEN = "maxOccurs 0"
ORDER = "sequence"
FOREIGN = "content"
EMPTY = "empty value"
NOT_NUMERIC = "digits"
WRONG_LENGTH = "length"

KINDS = {
    ABSENT: ("001", "134"),
    REPEATED: ("090",),
    FORBIDDEN: ("005", "146"),
    ORDER: ("091",),
    FOREIGN: ("146",),
    EMPTY: ("001",),
    NOT_NUMERIC: ("002",),
    WRONG_LENGTH: ("093",),
    "type": ("003", "008", "002", "093"),
    "pattern": ("003", "008", "093", "002"),
    "enumeration": ("008", "003", "002", "093"),
    "minInclusive": ("008", "003", "093"),
    "maxInclusive": ("008", "003", "093"),
    "minExclusive": ("008", "003", "093"),
    "maxExclusive": ("008", "003", "093"),
    "totalDigits": ("093", "008", "003"),
    "fractionDigits": ("093", "008", "003"),
    "length": ("093", "003", "008"),
    "minLength": ("093", "003", "008"),
    "maxLength": ("093", "003", "008"),
}
"""By demand of an XSD, the kinds of anomaly that say it is not met, the best first."""

UNPROCESSABLE = ("90059", "163")
"""What is told where no other code says it: the form cannot be processed."""


def official_code(number: str, demands: Iterable[str], above: str = "", message: str = MESSAGE) -> str:
    """The code of a zone or block that does not meet some demands, the weightiest first.

    Where the catalogue has none of the kinds that say so, the block around it holds what it may not, or has no data;
    where it has not that either, the form cannot be processed. A number that the catalogue does not know is that of a
    newer release, and keeps the best kind.

    Args:
        number: number of the zone or block.
        demands: keys of `KINDS`.
        above: number of the block in which it stands.
        message: whose catalogue is asked.

    Examples:
        >>> official_code("00297", ["maxLength", "enumeration"]), official_code("90017", [ABSENT], "90007")
        ('00297-093', '90017-134')
    """
    kinds = [kind for demand in demands for kind in KINDS[demand]]
    known = catalogue(message).kinds
    if number and number not in known:
        return f"{number}-{kinds[0]}"
    of_block = [kind for kind in ("134", "146") if kind == "146" or kind in kinds]
    wanted = [(number, kind) for kind in kinds] + [(above, kind) for kind in of_block]
    code = next(((own, kind) for own, kind in wanted if kind in known.get(own, ())), UNPROCESSABLE)
    return "-".join(code)


@cache
def numbers(message: str = MESSAGE) -> dict[str, str]:
    """By official label of a zone or block of a message, its number."""
    return {one.element: one.number for one in catalogue(message).codes.values()}


@cache
def given(release: Release) -> dict[str, tuple[str, ...]]:
    """The codes that one of the project's own releases gives, each with the demands that give it."""
    root = etree.parse(str(release.path)).getroot()
    leaves = {one.get("name"): one for one in root.iterfind(f"{_XS}simpleType")}
    found: dict[str, dict[str, None]] = {}
    for element in root.iter(f"{_XS}element"):
        number = numbers(release.message).get(element.get("name", ""))
        if number is None:
            continue
        for demands in (*_of_place(element), *_of_value(leaves.get(element.get("type")))):
            code = official_code(number, demands, message=release.message)
            if code.startswith(number):
                says = next(demand for demand in demands if code[-3:] in KINDS[demand])
                # dict as ordered set
                found.setdefault(code, {}).setdefault(says)
    return {code: tuple(found[code]) for code in sorted(found)}


@dataclass(frozen=True)
class Forbidden:
    """The zones of a block that its release names but does not allow.

    Attributes:
        sequence: labels of all children of the block in schema order, with those that may not occur.
        zones: those that may not occur, by label.
    """

    sequence: tuple[str, ...]
    zones: dict[str, Zone]


@cache
def forbidden(release: Release) -> dict[str, Forbidden]:
    """By label of a block, the zones in it that may not occur; blocks without any are left out.

    A release of foreign make whose types are not named like its elements has none.
    """
    root = etree.parse(str(release.path)).getroot()
    leaves = {one.get("name"): one for one in root.iterfind(f"{_XS}simpleType")}
    found = {}
    for block in root.iterfind(f"{_XS}complexType"):
        children = list(block.iter(f"{_XS}element"))
        out = [one for one in children if one.get("maxOccurs") == "0" and one.get("type") in leaves]
        if out:
            zones = {
                name: _zone(name, numbers(release.message).get(name, ""), leaves[one.get("type")])
                for one in out
                for name in (str(one.get("name")),)
            }
            found[str(block.get("name"))] = Forbidden(tuple(str(one.get("name")) for one in children), zones)
    return found


def _zone(label: str, number: str, leaf: etree._Element) -> Zone:
    restriction = leaf.find(f"{_XS}restriction")
    facets: dict[str, tuple[str, ...]] = {}
    for facet in restriction if restriction is not None else ():
        name = str(facet.tag).removeprefix(_XS)
        facets[name] = (*facets.get(name, ()), facet.get("value", ""))
    base = restriction.get("base", "") if restriction is not None else ""
    return Zone(label, number, base, "", "", required=False, facets=facets)


def _of_place(element: etree._Element) -> Iterator[list[str]]:
    """What is demanded of an element among the others of its block."""
    most = element.get("maxOccurs", "1")
    yield [FOREIGN]
    block = next(element.iterancestors(f"{_XS}complexType"), None)
    if block is None:  # the message itself
        return
    choice = next(element.iterancestors(f"{_XS}choice"), None)
    first = choice is not None and choice.get("minOccurs", "1") != "0" and element is next(choice.iter(element.tag))
    if sum(1 for _ in block.iter(f"{_XS}element")) > 1:
        yield [ORDER]
    if most == "0":
        yield [FORBIDDEN]
    elif element.get("minOccurs", "1") != "0" and (choice is None or first):
        # Where one of several has to be there, it is the first that is told missing.
        yield [ABSENT]
    if most != "unbounded":
        yield [REPEATED]


def _of_value(leaf: etree._Element | None) -> Iterator[list[str]]:
    """What is demanded of a zone's value."""
    restriction = leaf.find(f"{_XS}restriction") if leaf is not None else None
    if restriction is None:
        return
    base = restriction.get("base")
    text = base == "xs:string"
    facets = {str(one.tag).removeprefix(_XS) for one in restriction} & KINDS.keys()
    if not text or facets & {"pattern", "enumeration", "length", "minLength"}:
        yield [EMPTY, "type"]
    if not text:
        yield [NOT_NUMERIC, "type"] if base == "xs:integer" else ["type"]
    if text and facets & {"pattern", "enumeration"}:
        yield [NOT_NUMERIC, *sorted(facets & {"pattern", "enumeration"})]
    if facets & {"pattern", "length", "minLength", "maxLength", "totalDigits"}:
        yield [WRONG_LENGTH]
    yield from ([facet] for facet in sorted(facets))
