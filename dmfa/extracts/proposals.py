"""Values that recipients propose: which zones are corrected by one, and whether a zone may hold it.

What an XSD demands of a zone is judged by libxml2 itself, over the facets of the release of the quarter.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, Final

import polars as pl
from lxml import etree

from dmfa.errors import WrongUsage
from dmfa.extracts.persons import PERSON
from dmfa.extracts.shape import as_given, zones_of
from dmfa.quarter import Quarter
from dmfa.schema import MESSAGE, TOP, Table, Zone, lake_tables, load, release_for

Value = int | str | date | None

_REPLACED: Final = "A number that was replaced comes with `dmfa reference import replacements FILE`."
_OTHER_LINE: Final = "Its employer cancels the line and declares another one, by a correction."

ELSEWHERE: Final[Mapping[tuple[str, str], str]] = {
    (TOP, "NOSSRegistrationNbr"): _REPLACED,
    (TOP, "CompanyID"): _REPLACED,
    (TOP, "Quarter"): "The employer cancels the declaration and declares for the right quarter.",
    (TOP, "NetOwedAmount"): "It stays as it was declared: doubt the amounts that it adds up.",
    (PERSON, "INSS"): _REPLACED,
    ("WorkerRecord", "EmployerClass"): _OTHER_LINE,
    ("WorkerRecord", "WorkerCode"): _OTHER_LINE,
}
"""By block and zone, how a zone is put right that no proposed value corrects: it tells whose data all the rest are."""

_DIGITS: Final = 18
"""Of any whole number that a column can hold."""

_XS: Final = "http://www.w3.org/2001/XMLSchema"


def table_of(block: str, xsd: Path | None = None) -> Table:
    """The table of a block.

    Raises:
        WrongUsage: there is no such block.
    """
    for table in lake_tables(xsd):
        if table.block.name == block:
            return table
    raise WrongUsage(f"there is no block {block}.", "Name it by its official label.")


def value_of(block: str, label: str, text: str, quarter: int, xsd: Path | None = None) -> Value:
    """A proposed value as the lake holds it.

    Args:
        block: label of the block.
        label: label of the zone.
        text: the value as it stands in what is given out; empty for none.
        quarter: yyyyq; its release says what the zone may hold.
        xsd: folder with further releases.

    Raises:
        WrongUsage: the zone cannot hold it, or the quarter's release has no such zone; the message repeats no value.
    """
    release = release_for(MESSAGE, Quarter.from_code(quarter), xsd)
    known = load(release).blocks.get(block) if release else None
    zone = next((zone for zone in known.zones if zone.name == label), None) if known else None
    if release is None or zone is None:
        raise WrongUsage(f"no declaration of {Quarter.from_code(quarter)} has {block}/{label}.", "Name another zone.")
    if not text:
        if zone.required:
            raise WrongUsage(f"{block}/{label} cannot be empty.", "Propose what it should be.")
        return None
    value = _read(zone, text)
    if value is None or not _allowed(zone, text) or given(zones_of(table_of(block, xsd))[label], value) != text:
        raise WrongUsage(
            f"the value proposed is none that {block}/{label} can hold ({release.name}).",
            "Write it as in the files: amounts in cents, codes and numbers with their leading zeros, 2026-07-01.",
        )
    return value


def given(zone: Zone, value: Value) -> str | None:
    """A value of the lake as it stands in what is given out."""
    if value is None:
        return None
    frame = pl.DataFrame({zone.column: [value]})
    found: Any = frame.select(as_given(zone)).item()
    return found.isoformat() if isinstance(found, date) else str(found)


def _read(zone: Zone, text: str) -> Value:
    """A text as a value of a zone's column; None where it is none."""
    if zone.base == "xs:integer":
        if not text.isascii() or not text.removeprefix("-").isdecimal() or len(text) > _DIGITS:
            return None
        return int(text) if zone.code_width is None else str(int(text)).zfill(zone.code_width)
    if zone.base == "xs:date":
        try:
            return date.fromisoformat(text)
        except ValueError:
            return None
    return text if text == text.strip() else None


def _allowed(zone: Zone, text: str) -> bool:
    """Whether an XSD lets a zone hold a text."""
    element = etree.Element(zone.name)
    try:
        element.text = text
    except ValueError:  # no document can hold its signs
        return False
    return bool(_schema(zone.name, zone.base, tuple(zone.facets.items())).validate(element))


@cache
def _schema(label: str, base: str, facets: tuple[tuple[str, tuple[str, ...]], ...]) -> etree.XMLSchema:
    """The XSD of a zone alone."""
    schema = etree.Element(f"{{{_XS}}}schema", nsmap={"xs": _XS})
    element = etree.SubElement(schema, f"{{{_XS}}}element", name=label)
    kind = etree.SubElement(element, f"{{{_XS}}}simpleType")
    restriction = etree.SubElement(kind, f"{{{_XS}}}restriction", base=base)
    for name, values in facets:
        for value in values:
            etree.SubElement(restriction, f"{{{_XS}}}{name}", value=value)
    return etree.XMLSchema(schema)
