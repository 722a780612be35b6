"""Documents built from the facts alone, one of every kind of child, for tests that break one rule at a time."""

from __future__ import annotations

import csv
import random
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import xmlschema
from lxml import etree

from tests.making import XSD, _types, _value, named

FACTS = Path(__file__).parents[2] / "tools" / "xsd" / "facts"
DEFINES = {"blocks.csv": "block", "zones.csv": "zone"}
"""By table of facts, the column that says what a row is about."""

RELEASES = ("20221", "20222", "20223", "20224", "20231")

Row = dict[str, str]


@cache
def facts(name: str, release: str) -> tuple[Row, ...]:
    """The rows of a table of facts that hold in a release; those of corrections come before what they share.

    Args:
        name: of the table.
        release: `20231`, or `DmfAUpdate_20231` of corrections.
    """
    message, quarter = named(release).split("_")
    rows = own(message, name)
    if message != "DmfAOriginal":
        defined = {row[DEFINES[name]] for row in rows}
        rows += tuple(row for row in own("DmfAOriginal", name) if row[DEFINES[name]] not in defined)
    return tuple(row for row in rows if (row["since"] or quarter) <= quarter <= (row["until"] or quarter))


@cache
def own(message: str, name: str) -> tuple[Row, ...]:
    """The rows that a table of facts has of a message alone."""
    with (FACTS / message / name).open(newline="", encoding="utf-8") as file:
        return tuple(csv.DictReader(file))


@cache
def libxml2(release: str) -> etree.XMLSchema:
    """The first engine."""
    return etree.XMLSchema(etree.parse(str(XSD / f"{named(release)}.xsd")))


@cache
def second(release: str) -> Any:
    """The second engine, which shares nothing with the first."""
    return xmlschema.XMLSchema10(str(XSD / f"{named(release)}.xsd"))


@cache
def children(release: str, block: str) -> tuple[Row, ...]:
    """The children of a block in their order."""
    return tuple(row for row in facts("blocks.csv", release) if row["block"] == block)


def branches(release: str, block: str) -> list[str]:
    """The branches of a block's choice; one without a name where it has no choice."""
    return list(dict.fromkeys(row["branch"] for row in children(release, block) if row["branch"])) or [""]


@cache
def blocks(release: str) -> tuple[str, ...]:
    """Every block that a message defines, each after one that holds it."""
    defined = {row["block"] for row in own(named(release).split("_")[0], "blocks.csv")}
    return tuple(dict.fromkeys(row["block"] for row in facts("blocks.csv", release) if row["block"] in defined))


def value(release: str, zone: str) -> str:
    """Some valid value of a zone."""
    if zone == "Quarter":
        return named(release).split("_")[1]
    for seed in range(100):
        text = _value(_types(release)[zone], random.Random(seed))
        if text:
            return text
    raise AssertionError(f"no value for {zone}")


def built(release: str, block: str, branch: str) -> etree._Element:
    """One block with one of each child that may occur, in one branch of its choice; blocks inside take their first."""
    return etree.fromstring(_built(release, block, branch))


@cache
def _built(release: str, block: str, branch: str) -> bytes:
    element = etree.Element(block)
    for row in children(release, block):
        if row["max"] == "0" or row["branch"] not in {"", branch}:
            continue
        if row["kind"] == "zone":
            etree.SubElement(element, row["child"]).text = value(release, row["child"])
        else:
            element.append(built(release, row["child"], branches(release, row["child"])[0]))
    return etree.tostring(element)


@cache
def way(release: str, block: str) -> tuple[str, ...]:
    """The blocks from the root down to a block."""
    if block == named(release).split("_")[0]:
        return (block,)
    parent = next(row["block"] for row in facts("blocks.csv", release) if row["child"] == block)
    return (*way(release, parent), block)


def whole(release: str, element: etree._Element) -> etree._Element:
    """A filing with one block in its place, and around it what must be there."""
    for parent in reversed(way(release, element.tag)[:-1]):
        branch = next(row["branch"] for row in children(release, parent) if row["child"] == element.tag)
        outer = built(release, parent, branch or branches(release, parent)[0])
        outer.replace(outer.find(element.tag), element)
        element = outer
    return element


@cache
def _around(release: str, block: str) -> etree._Element:
    """A filing that awaits a block in its place, with nothing inside the block."""
    return whole(release, etree.Element(block))


def opinions(release: str, element: etree._Element) -> list[bool]:
    """What both engines say of a block: libxml2 of a whole filing with it, xmlschema of the block alone."""
    particle = second(release).find("/".join(way(release, element.tag)))
    own = bool(particle.is_valid(etree.fromstring(etree.tostring(element))))
    around = _around(release, element.tag)
    place = around if len(way(release, element.tag)) == 1 else around.find("/".join(way(release, element.tag)[1:]))
    filled = etree.fromstring(etree.tostring(element))
    if place is around:
        return [libxml2(release).validate(filled), own]
    parent = place.getparent()
    parent.replace(place, filled)
    valid = libxml2(release).validate(around)
    parent.replace(filled, place)
    return [valid, own]


def every_branch(release: str) -> Iterator[tuple[str, str]]:
    """Every block with every branch of its choice."""
    for block in blocks(release):
        for branch in branches(release, block):
            yield block, branch
