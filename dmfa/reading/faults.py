"""What a schema finds wrong, in plain words: which block and zone, which kind of rule, never the value.

A code is the number of the zone or block with the official meaning of the rule broken: 001 missing, 002 not numeric,
003 invalid value, 008 outside the allowed values, 090 occurs too often, 091 wrong order, 093 wrong length, 146 not
allowed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from lxml import etree

from dmfa.schema import Block, Release, Schema, Zone, load

MOST = 1_000
_EXPECTED = re.compile(r"Expected is (?:one of )?\( (?P<labels>.*?) \)")

_RULES = {
    "PATTERN": ("003", "does not have the form that the schema prescribes"),
    "ENUMERATION": ("008", "is not one of the values allowed"),
    "MININCLUSIVE": ("008", "is below the lowest value allowed"),
    "MINEXCLUSIVE": ("008", "is below the lowest value allowed"),
    "MAXINCLUSIVE": ("008", "is above the highest value allowed"),
    "MAXEXCLUSIVE": ("008", "is above the highest value allowed"),
    "TOTALDIGITS": ("093", "has too many digits"),
    "FRACTIONDIGITS": ("093", "has too many decimals"),
    "LENGTH": ("093", "has the wrong length"),
    "MINLENGTH": ("093", "is too short"),
    "MAXLENGTH": ("093", "is too long"),
}
_FACET = re.compile(r"SCHEMAV_CVC_(?P<facet>[A-Z]+)_VALID")


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
    """

    code: str
    message: str
    block: str | None
    zone: str | None
    path: str
    line: int


def faults(root: etree._Element, log: Any, release: Release) -> list[Fault]:
    """The first thousand faults, one per element.

    Args:
        root: the invalid tree.
        log: libxml2's error log on it.
        release: the release that judged.
    """
    schema = load(release)
    labels = {schema.root.name, *schema.blocks}
    labels.update(zone.name for block in schema.blocks.values() for zone in block.zones)
    found: dict[tuple[str, int], Fault] = {}
    for entry in log:
        path = entry.path or ""
        # A value that breaks a facet is reported a second time as not of its type: the facet says more.
        place = (path, entry.line)
        if place not in found:
            found[place] = _fault(root, entry, path, schema, labels)
            if len(found) == MOST:
                break
    return list(found.values())


def _fault(root: etree._Element, entry: Any, path: str, schema: Schema, labels: set[str]) -> Fault:
    steps = path.strip("/").split("/")
    names = [step.partition("[")[0] for step in steps]
    known = [name if name in labels else "*" for name in names]
    placed = [name + step[len(own) :] for name, own, step in zip(known, names, steps, strict=True)]
    if known[-1] == "*":
        # libxml2 counts among elements of the same name; `*` counts among all.
        placed[-1] = f"*[{_place(root, path)}]"
    shown = "/" + "/".join(placed)
    block = schema.blocks.get(known[-1])
    if block is not None and entry.type_name == "SCHEMAV_ELEMENT_CONTENT" and "not expected" not in entry.message:
        return _missing(entry, block, shown)
    parent = schema.blocks.get(known[-2]) if len(known) > 1 else None
    zone = next((zone for zone in parent.zones if zone.name == known[-1]), None) if parent else None
    if entry.type_name == "SCHEMAV_ELEMENT_CONTENT":
        return _unexpected(root, entry, path, shown, (parent, block, zone, known[-1]))
    if zone is not None and parent is not None:
        number, words = _broken_rule(entry.type_name, zone)
        return Fault(f"{zone.number}-{number}", f"{zone.name} {words}", parent.name, zone.name, shown, entry.line)
    name = block.name if block else None
    number = block.number if block else ""
    what = name or "an element"
    return Fault(
        f"{number}-146".lstrip("-"),
        f"{what} holds text or an attribute that it may not hold",
        name,
        None,
        shown,
        entry.line,
    )


def _broken_rule(kind: str, zone: Zone) -> tuple[str, str]:
    match = _FACET.match(kind)
    rule = _RULES.get(match["facet"]) if match else None
    if rule is not None:
        return rule
    if "DATATYPE" in kind:
        return ("002", "is not a whole number") if zone.base == "xs:integer" else ("003", "is not a valid value")
    return "146", "holds an element or attribute that it may not hold"


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


def _missing(entry: Any, block: Block, shown: str) -> Fault:
    expected = _needed(entry, block)
    number, zone = _number_of(block, expected[0]) if expected else (block.number, None)
    words = " or ".join(expected[:3]) or "an element"
    return Fault(f"{number}-001", f"{words} is missing in {block.name}", block.name, zone, shown, entry.line)


def _unexpected(
    root: etree._Element,
    entry: Any,
    path: str,
    shown: str,
    what: tuple[Block | None, Block | None, Zone | None, str],
) -> Fault:
    """An element that may not stand where it stands: not at all, not again, or not there."""
    parent, block, zone, label = what
    owner = parent.name if parent else None
    own = zone.number if zone else block.number if block else ""
    name = "an element that the schema does not know" if label == "*" else label
    inside = f" in {owner}" if owner else ""
    allowed = zone is not None or (parent is not None and any(child.name == label for child in parent.children))
    zone_name = zone.name if zone else None
    if not allowed:
        number = own or (parent.number if parent else "")
        return Fault(f"{number}-146".lstrip("-"), f"{name} is not allowed{inside}", owner, zone_name, shown, entry.line)
    expected = _needed(entry, parent) if parent else []
    element = _element_at(root, path)
    before = element.getprevious() if element is not None else None
    if before is not None and before.tag == label:
        return Fault(f"{own}-090", f"{label} occurs too often{inside}", owner, zone_name, shown, entry.line)
    above = element.getparent() if element is not None else None
    absent = [name for name in expected if above is not None and above.find(name) is None]
    if parent is not None and absent and absent[0] in _required(parent):
        number, zone_name = _number_of(parent, absent[0])
        return Fault(
            f"{number}-001", f"{absent[0]} is missing before {label}{inside}", owner, zone_name, shown, entry.line
        )
    there = f"; {' or '.join(expected[:3])} is expected there" if expected else ""
    return Fault(f"{own}-091", f"{label} stands in the wrong place{inside}{there}", owner, zone_name, shown, entry.line)


def _element_at(root: etree._Element, path: str) -> etree._Element | None:
    found = root.xpath(path)
    first = found[0] if isinstance(found, list) and found else None
    return first if isinstance(first, etree._Element) else None


def _place(root: etree._Element, path: str) -> int:
    """The place of an element among all elements of its parent, from 1."""
    element = _element_at(root, path)
    return 1 if element is None else 1 + sum(1 for _ in element.itersiblings("*", preceding=True))


def _number_of(block: Block, label: str) -> tuple[str, str | None]:
    """Number of a zone or block inside a block, and the label if it is a zone."""
    for zone in block.zones:
        if zone.name == label:
            return zone.number, zone.name
    return next((child.number for child in block.children if child.name == label), block.number), None
