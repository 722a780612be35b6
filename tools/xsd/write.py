"""Write the XSDs in xsd/ from the facts beside this file: `python tools/xsd/write.py`.

Facts of a message stand in facts/<message>/:
  releases.txt  one release a line, oldest first
  blocks.csv    one row per child of a block, in order: min and max, branch of the block's choice, group `optional`
                for children that occur all together or not at all, `optional choice` where none of the branches has
                to be there, since and until (releases; empty = open)
  zones.csv     one row per zone and definition: base type and facets, since and until
  words.csv     where the message needs other words than the declaration, or has zones of its own
  base.txt      a message whose blocks and zones hold where this one has none of that name
and facts/words.csv holds our own words and the unit of every block and zone of the declaration.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path

from lxml import etree
from lxml.builder import ElementMaker

HERE = Path(__file__).parent
XS = "http://www.w3.org/2001/XMLSchema"
E = ElementMaker(namespace=XS, nsmap={"xs": XS})
FACETS = {
    "total_digits": "totalDigits",
    "length": "length",
    "min_length": "minLength",
    "max_length": "maxLength",
    "min_inclusive": "minInclusive",
    "max_inclusive": "maxInclusive",
}

Row = dict[str, str]


def main(target: Path) -> None:
    """Write one schema per message and release into a folder."""
    for facts in sorted(path for path in (HERE / "facts").iterdir() if path.is_dir()):
        known = [place for place in (HERE / "facts" / "words.csv", facts / "words.csv") if place.exists()]
        words = {(row["nr"], row["label"]): row for place in known for row in _rows(place)}
        blocks, zones = rows_of(facts, "blocks.csv", "block"), rows_of(facts, "zones.csv", "zone")
        for release in (facts / "releases.txt").read_text().split():
            document = schema(facts.name, release, blocks, zones, words)
            etree.indent(document)
            path = target / f"{facts.name}_{release}.xsd"
            path.write_bytes(etree.tostring(document, encoding="UTF-8", xml_declaration=True, pretty_print=True))


def rows_of(facts: Path, table: str, label: str) -> list[Row]:
    """A table of a message's facts, followed by what the message it is based on says of other labels.

    Args:
        facts: the folder of the message.
        table: name of the file.
        label: the column with the label that a row defines.
    """
    own = _rows(facts / table)
    base = facts / "base.txt"
    if not base.exists():
        return own
    defined = {row[label] for row in own}
    return own + [row for row in _rows(facts.parent / base.read_text().strip() / table) if row[label] not in defined]


def schema(
    message: str, release: str, blocks: Iterable[Row], zones: Iterable[Row], words: dict[tuple[str, str], Row]
) -> etree._Element:
    """One release of one message as an XSD: a named type per block and per zone, one element as root."""
    children = list(_reached(message, [row for row in blocks if _holds(row, release)]))
    used = {row["child"] for row in children if row["kind"] == "zone"}
    title = (
        f"{message}, release {release[:4]}/{release[4]}. Written from facts by tools/xsd/write.py; licence EUPL-1.2."
    )
    root = E.schema(E.annotation(E.documentation(title)), E.element(name=message, type=message), version=release)
    for (block, number), rows in groupby(children, key=lambda row: (row["block"], row["block_nr"])):
        root.append(_block(block, words[number, block], list(rows)))
    for zone in zones:
        if _holds(zone, release) and zone["zone"] in used:
            root.append(_zone(zone, words[zone["zone_nr"], zone["zone"]]))
    return root


def _reached(message: str, rows: list[Row]) -> Iterator[Row]:
    """The rows of the blocks that stand somewhere in a message."""
    inside: dict[str, list[str]] = {}
    for row in rows:
        inside.setdefault(row["block"], []).append(row["child"])
    reached, waiting = set(), [message]
    while waiting:
        block = waiting.pop()
        if block not in reached:
            reached.add(block)
            waiting += inside.get(block, ())
    return (row for row in rows if row["block"] in reached)


def _block(name: str, words: Row, rows: list[Row]) -> etree._Element:
    sequence = E.sequence()
    for branched, part in groupby(rows, key=lambda row: bool(row["branch"])):
        if branched:
            members = list(part)
            choice = E.choice(minOccurs="0") if members[0]["group"] == "optional choice" else E.choice()
            for _, branch in groupby(members, key=lambda row: row["branch"]):
                elements = list(_members(branch))
                choice.append(elements[0] if len(elements) == 1 else E.sequence(*elements))
            sequence.append(choice)
        else:
            sequence.extend(_members(part))
    return E.complexType(_annotation(words), sequence, name=name)


def _members(rows: Iterable[Row]) -> Iterator[etree._Element]:
    for optional, part in groupby(rows, key=lambda row: row["group"] == "optional"):
        elements = [_element(row) for row in part]
        if optional:
            yield E.sequence(*elements, minOccurs="0")
        else:
            yield from elements


def _element(row: Row) -> etree._Element:
    occurs = {}
    if row["min"] != "1":
        occurs["minOccurs"] = row["min"]
    if row["max"] != "1":
        occurs["maxOccurs"] = row["max"]
    return E.element(name=row["child"], type=row["child"], **occurs)


def _zone(row: Row, words: Row) -> etree._Element:
    restriction = E.restriction(base=row["base"])
    if row["pattern"]:
        restriction.append(E.pattern(value=row["pattern"]))
    for fact, facet in FACETS.items():
        if row[fact]:
            restriction.append(etree.Element(f"{{{XS}}}{facet}", value=row[fact]))
    for value in filter(None, row["enumeration"].split("|")):
        restriction.append(E.enumeration(value=value))
    return E.simpleType(_annotation(words), restriction, name=row["zone"])


def _annotation(words: Row) -> etree._Element:
    annotation = E.annotation(E.documentation(f"{words['nr']} {words['words']}"))
    if words["unit"]:
        annotation.append(E.appinfo(words["unit"], source="unit"))
    return annotation


def _holds(row: Row, release: str) -> bool:
    return (row["since"] or release) <= release <= (row["until"] or release)


def _rows(path: Path) -> list[Row]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE.parent.parent / "xsd")
