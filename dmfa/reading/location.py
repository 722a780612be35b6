"""Where anomalies stand in their file: a second reading, done only for files that have some."""

from __future__ import annotations

import polars as pl
from lxml import etree

from dmfa.anomaly import ANOMALY_SCHEMA
from dmfa.reading.forms import forms_of
from dmfa.reading.keys import declaration_id
from dmfa.reading.limits import Limits
from dmfa.reading.opener import Refusal, open_filing
from dmfa.reading.parsing import parse_tree
from dmfa.reading.source import Found
from dmfa.schema import TOP

MOST = 1_000


def locate(found: Found, sha256: str, anomalies: pl.DataFrame, limits: Limits | None = None) -> pl.DataFrame:
    """Add path and line to a filing's anomalies.

    Args:
        found: the filing.
        sha256: what it was when it was judged; a file that has changed since is left without places.
        anomalies: anomalies of this filing alone, columns of `ANOMALY_SCHEMA`.
        limits: as for the first reading.

    Returns:
        The same rows, at most the first thousand with path and line filled in where the place can be told.
    """
    missing = anomalies["path"].is_null() & anomalies["block"].is_not_null()
    if not missing.any():
        return anomalies
    opened = open_filing(found, limits)
    if opened.data is None or opened.refusal is not None or opened.sha256 != sha256:
        return anomalies
    root = parse_tree(opened.data)
    if isinstance(root, Refusal):
        return anomalies
    declarations = {declaration_id(sha256, index): form.find(TOP) for index, form in forms_of(root)}
    tree = root.getroottree()
    blocks: dict[tuple[int, str], list[etree._Element]] = {}
    rows = anomalies.to_dicts()
    for row in rows[:MOST]:
        declaration = declarations.get(row["declaration_id"])
        if row["path"] is not None or row["block"] is None or declaration is None:
            continue
        key = (row["declaration_id"], row["block"])
        if key not in blocks:
            # An ordinal counts a block among its kind in the declaration, in document order, whatever stands above it.
            blocks[key] = [*declaration.iter(str(row["block"]))]
        ordinal = row["block_ordinal"] or 0
        if ordinal < len(blocks[key]):
            element = blocks[key][ordinal]
            zone = element.find(row["zone"]) if row["zone"] else None
            place = element if zone is None else zone
            row["path"], row["line"] = tree.getpath(place), place.sourceline
    return pl.DataFrame(rows, schema=ANOMALY_SCHEMA)
