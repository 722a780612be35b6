"""What a schema finds wrong, in plain words: which block and zone, which kind of rule, never the value.

A code is an official one: the number of the zone or block, and the kind that the catalogue has for the rule broken
(dmfa.schema.given).
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from lxml import etree

from dmfa.reading.broken import broken, misfit
from dmfa.schema import Block, Release, Schema, Zone, load
from dmfa.schema.catalogue import BLOCKS
from dmfa.schema.given import (
    ABSENT,
    FORBIDDEN,
    FOREIGN,
    KINDS,
    ORDER,
    REPEATED,
    Forbidden,
    forbidden,
    numbers,
    official_code,
)

MOST = 1_000
_EXPECTED = re.compile(r"Expected is (?:one of )?\( (?P<labels>.*?) \)")
_FACET = re.compile(r"SCHEMAV_CVC_(?P<facet>[A-Z]+)_VALID")
_FACETS = {demand.upper(): demand for demand in KINDS}


@dataclass(frozen=True)
class Fault:
    """One thing that a schema finds wrong.

    Attributes:
        code: number of the zone or block and of the rule, e.g. `00040-008`.
        message: plain words without the value.
        block: label of the block.
        zone: label of the zone, None if the block itself is at fault.
        path: XPath with positions; an element that the schema does not know is a `*` in it.
        line: line in the file.
        seen: the value, where it can identify nobody.
    """

    code: str
    message: str
    block: str | None
    zone: str | None
    path: str
    line: int
    seen: str | None = None


@dataclass(frozen=True)
class _Where:
    """An entry of the log with the element at fault, and the name of the message."""

    message: str
    entry: Any
    shown: str
    label: str
    element: etree._Element | None


def faults(root: etree._Element, log: Any, release: Release) -> list[Fault]:
    """The first thousand faults, one per element; of a zone that may not occur, whatever else is wrong with it too.

    Args:
        root: the invalid tree.
        log: libxml2's error log on it.
        release: the release that judged.
    """
    schema = load(release)
    labels = {schema.root.name, *schema.blocks}
    labels.update(zone.name for block in schema.blocks.values() for zone in block.zones)
    labels.update(numbers(release.message))
    elements = _Elements(root)
    found: list[Fault] = []
    places: set[tuple[str, int]] = set()
    for entry in log:
        path = entry.path or ""
        # A value that breaks a facet is reported a second time as not of its type: the facet says more.
        place = (path, entry.line)
        if place not in places:
            places.add(place)
            found += _faults(elements, entry, path, schema, labels)
            if len(found) >= MOST:
                break
    return found[:MOST]


def _faults(elements: _Elements, entry: Any, path: str, schema: Schema, labels: set[str]) -> list[Fault]:
    """The faults that an entry of the log tells: one, but for a zone that may not occur at all."""
    steps = path.strip("/").split("/")
    names = [step.partition("[")[0] for step in steps]
    known = [name if name in labels else "*" for name in names]
    placed = [name + step[len(own) :] for name, own, step in zip(known, names, steps, strict=True)]
    if known[-1] == "*":
        # libxml2 counts among elements of the same name; `*` counts among all.
        placed[-1] = f"*[{elements.place(path)}]"
    shown = "/" + "/".join(placed)
    block = schema.blocks.get(known[-1])
    if block is not None and entry.type_name == "SCHEMAV_ELEMENT_CONTENT" and "not expected" not in entry.message:
        return [_missing(entry, block, shown, schema.release.message)]
    where = _Where(schema.release.message, entry, shown, known[-1], elements.at(path))
    parent = schema.blocks.get(known[-2]) if len(known) > 1 else None
    zone = next((zone for zone in parent.zones if zone.name == known[-1]), None) if parent else None
    if entry.type_name == "SCHEMAV_ELEMENT_CONTENT":
        out = forbidden(schema.release).get(parent.name) if parent else None
        if parent is not None and out is not None and known[-1] in out.zones:
            return list(_forbidden(where, parent, out))
        return [_unexpected(where, parent, zone)]
    if zone is not None and parent is not None:
        return [_of_value(where, parent, zone)]
    name = block.name if block else None
    above = parent.number if parent else ""
    code = official_code(block.number if block else "", [FOREIGN], above, where.message)
    what = name or "an element"
    return [Fault(code, f"{what} holds text or an attribute that it may not hold", name, None, shown, entry.line)]


def _of_value(where: _Where, parent: Block, zone: Zone) -> Fault:
    """A zone whose content breaks a rule."""
    match = _FACET.match(where.entry.type_name)
    facet = _FACETS.get(match["facet"]) if match else None
    facet = "type" if facet is None and "DATATYPE" in where.entry.type_name else facet
    line = where.entry.line
    if facet is None:
        words = f"{zone.name} holds an element or attribute that it may not hold"
        code = official_code(zone.number, [FOREIGN], parent.number, where.message)
        return Fault(code, words, parent.name, zone.name, where.shown, line)
    element = where.element
    found = broken((element.text or "") if element is not None else "", zone, facet, where.message)
    return Fault(found.code, f"{zone.name} {found.words}", parent.name, zone.name, where.shown, line, found.seen)


def _expected(entry: Any) -> list[str]:
    match = _EXPECTED.search(entry.message)
    return [label.strip() for label in match["labels"].split(",")] if match else []


def _required(block: Block) -> set[str]:
    return {zone.name for zone in block.zones if zone.required}


def _needed(entry: Any, block: Block) -> list[str]:
    """What libxml2 expected: the zones that must be there if any of them is, else blocks before optional zones."""
    expected = _expected(entry)
    children = {child.name for child in block.children}
    required = [label for label in expected if label in _required(block)]
    return required or sorted(expected, key=lambda label: label not in children)


def _missing(entry: Any, block: Block, shown: str, message: str) -> Fault:
    expected = _needed(entry, block)
    number, zone = _number_of(block, expected[0], message) if expected else (block.number, None)
    words = " or ".join(expected[:3]) or "an element"
    code = official_code(number, [ABSENT], block.number, message)
    return Fault(code, f"{words} is missing in {block.name}", block.name, zone, shown, entry.line)


def _unexpected(where: _Where, parent: Block | None, zone: Zone | None) -> Fault:
    """An element that may not stand where it stands: not at all, not again, or not there."""
    element, label = where.element, where.label
    block = next((child for child in parent.children if child.name == label), None) if parent else None
    inside = f" in {parent.name}" if parent else ""

    def told(demand: str, words: str, name: str = label, place: etree._Element | None = None) -> Fault:
        number, zone_name = _number_of(parent, name, where.message)
        code = official_code(number, [demand], parent.number if parent else "", where.message)
        shown, line = where.shown, where.entry.line
        if place is not None:
            shown, line = place.getroottree().getpath(place), place.sourceline or line
        return Fault(code, words, parent.name if parent else None, zone_name, shown, line)

    if zone is None and block is None:
        what = "an element that the schema does not know" if label == "*" else label
        return told(FOREIGN, f"{what} is not allowed{inside}")
    expected = _needed(where.entry, parent) if parent else []
    above = element.getparent() if element is not None else None
    if parent is None or element is None or above is None:
        return told(ORDER, f"{label} stands in the wrong place{inside}")
    before = element.getprevious()
    if before is not None and before.tag == label:
        return told(REPEATED, f"{label} occurs too often{inside}")
    absent = [name for name in expected if above.find(name) is None]
    if absent and absent[0] in _required(parent):
        return told(ABSENT, f"{absent[0]} is missing before {label}{inside}", absent[0])
    moved = _moved(above, parent)
    if moved is not None and moved is not element:
        return told(ORDER, f"{moved.tag} stands in the wrong place{inside}", str(moved.tag), moved)
    there = f"; {' or '.join(expected[:3])} is expected there" if expected else ""
    return told(ORDER, f"{label} stands in the wrong place{inside}{there}")


def _moved(above: etree._Element, block: Block) -> etree._Element | None:
    """The first child that has to be moved for the others to stand in order; None if they do."""
    labels = [*(zone.name for zone in block.zones), *(child.name for child in block.children)]
    order = {label: place for place, label in enumerate(labels)}
    children = [child for child in above if child.tag in order]
    # The longest run of children in order, by its smallest possible ends; the others have to be moved.
    ends: list[int] = []
    longest = [0] * len(children)
    for at, child in enumerate(children):
        place = order[str(child.tag)]
        length = bisect_right(ends, place)
        ends[length : length + 1] = [place]
        longest[at] = length + 1
    wanted, kept = len(ends), set()
    for at in reversed(range(len(children))):
        if longest[at] == wanted:
            kept.add(at)
            wanted -= 1
    return next((child for at, child in enumerate(children) if at not in kept), None)


def _forbidden(where: _Where, parent: Block, out: Forbidden) -> Iterator[Fault]:
    """A zone that may not occur: that it does, that it does twice or out of its place, and what its value breaks."""
    zone, element = out.zones[where.label], where.element

    def told(demand: str, words: str) -> Fault:
        code = official_code(zone.number, [demand], message=where.message)
        return Fault(
            code, f"{zone.name} {words} in {parent.name}", parent.name, zone.name, where.shown, where.entry.line
        )

    yield told(FORBIDDEN, "must not be filled")
    if element is None:
        return
    following = element.getnext()
    if following is not None and following.tag == element.tag:
        yield told(REPEATED, "occurs too often")
    place = out.sequence.index(zone.name)
    before = [
        out.sequence.index(str(one.tag)) for one in element.itersiblings(preceding=True) if one.tag in out.sequence
    ]
    if any(other > place for other in before):
        yield told(ORDER, "stands in the wrong place")
    found = misfit(element.text or "", zone, where.message)
    if found is not None:
        yield Fault(
            found.code, f"{zone.name} {found.words}", parent.name, zone.name, where.shown, where.entry.line, found.seen
        )


class _Elements:
    """The elements of a tree by the paths of libxml2, found step by step: an XPath would count all siblings anew."""

    def __init__(self, root: etree._Element) -> None:
        self._root = root
        self._children: dict[etree._Element, dict[str, list[etree._Element]]] = {}

    def at(self, path: str) -> etree._Element | None:
        """The element at a path; None for what has a namespace, which no element of ours has."""
        found = self._root
        for step in path.strip("/").split("/")[1:]:
            label, _, place = step.rstrip("]").partition("[")
            known = self._children.get(found)
            if known is None:
                known = self._children[found] = {}
                for child in found.iterchildren("*"):
                    known.setdefault(str(child.tag), []).append(child)
            same = known.get(label, [])
            at = int(place or 1) - 1
            if at >= len(same):
                return None
            found = same[at]
        return found

    def place(self, path: str) -> int:
        """The place of an element among all elements of its parent, from 1."""
        element = self.at(path)
        return 1 if element is None else 1 + sum(1 for _ in element.itersiblings("*", preceding=True))


def _number_of(block: Block | None, label: str, message: str) -> tuple[str, str | None]:
    """Number of a zone or block, and the label if it is a zone; else the block's own."""
    for zone in block.zones if block else ():
        if zone.name == label:
            return zone.number, zone.name
    child = next((child.number for child in block.children if child.name == label), None) if block else None
    known = numbers(message)
    number = child or known.get(label) or (block.number if block else "")
    return number, label if label in known and not number.startswith(BLOCKS) else None
