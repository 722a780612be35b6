"""Where anomalies stand in their file: a second reading, done only for files that have some."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import polars as pl
from lxml import etree

from dmfa.anomaly import ANOMALY_SCHEMA
from dmfa.reading.keys import declaration_id
from dmfa.reading.limits import Limits
from dmfa.reading.opener import open_filing
from dmfa.reading.parsing import PERSONS, forms_and_persons
from dmfa.reading.source import Found
from dmfa.schema import FORM, MESSAGES

MOST = 1_000


def locate(found: Found, sha256: str, anomalies: pl.DataFrame, limits: Limits | None = None) -> pl.DataFrame:
    """Add path and line to a filing's anomalies.

    Args:
        found: the filing.
        sha256: what it was when it was judged; a file that has changed since is left without places.
        anomalies: anomalies of this filing alone, columns of `ANOMALY_SCHEMA`.
        limits: as for the first reading.

    Returns:
        The same rows, the first thousand with path and line filled in where the place can be told.
    """
    rows = anomalies.to_dicts()
    wanted = [row for row in rows[:MOST] if row["path"] is None and row["block"] and row["declaration_id"] is not None]
    if not wanted:
        return anomalies
    opened = open_filing(found, limits)
    if opened.data is None or opened.refusal is not None or opened.sha256 != sha256:
        return anomalies
    places = _places(opened.data, sha256, wanted)
    for row in wanted:
        place = places.get((row["declaration_id"], row["block"], row["block_ordinal"] or 0, row["zone"]))
        if place is not None:
            row["path"], row["line"] = place
    return pl.DataFrame(rows, schema=ANOMALY_SCHEMA)


Place = tuple[int, str, int, str | None]
"""Declaration, label of the block, its ordinal in the declaration, label of the zone."""


def _places(data: bytes, sha256: str, wanted: list[dict[str, Any]]) -> dict[Place, tuple[str, int | None]]:
    """Path and line of places."""
    zones: dict[tuple[int, str], dict[int, set[str | None]]] = defaultdict(lambda: defaultdict(set))
    for row in wanted:
        zones[row["declaration_id"], row["block"]][row["block_ordinal"] or 0].add(row["zone"])
    found: dict[Place, tuple[str, int | None]] = {}
    counts: dict[tuple[int, str], int] = defaultdict(int)
    for index, start, path in _parts(data):
        key = declaration_id(sha256, index)
        for label in [label for declaration, label in zones if declaration == key]:
            if label in PERSONS and start.tag != label:
                continue  # the persons were parts of their own
            for block in start.iter(label):
                ordinal = counts[key, label]
                counts[key, label] += 1
                for zone in zones[key, label].get(ordinal, ()):
                    part = block.find(zone) if zone else None
                    place = block if part is None else part
                    line = place.sourceline
                    found[key, label, ordinal, zone] = (
                        _path(place, start, path),
                        line if isinstance(line, int) else None,
                    )
    return found


def _parts(data: bytes) -> Iterator[tuple[int, etree._Element, str]]:
    """Index of the Form, element and path of each person, then of what else its declaration holds.

    Each person is freed after use, so that a giant takes little more memory than its bytes.
    """
    index = persons = 0
    for element in forms_and_persons(data):
        message = MESSAGES[str(element.getroottree().getroot().tag)]
        top = f"/{message.name}/{FORM}[{index + 1}]/{message.top}"
        if element.tag == message.person:
            persons += 1
            yield index, element, f"{top}/{message.person}[{persons}]"
        else:
            declaration = element.find(message.top)
            if declaration is not None:
                yield index, declaration, top
            index, persons = index + 1, 0


def _path(place: etree._Element, start: etree._Element, path: str) -> str:
    """Path of an element below one whose path is known."""
    tree = place.getroottree()
    below = tree.getpath(place).split("/")[tree.getpath(start).count("/") + 1 :]
    return "/".join([path, *below])
