"""Rows of own tables as XML: one element a row, under the name of its table, with a child for each column."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import polars as pl
import pyarrow as pa

from dmfa.extracts.authorisations import KEYS
from dmfa.extracts.nesting import element, zone_text
from dmfa.extracts.shape import Part

NAMESPACE = "urn:dmfa:answer:1"
ROOT = "answerDelivery"
SCHEMA = "DmfAAnswer_1.xsd"


def rows_as_text(parts: Mapping[str, Part], tables: Mapping[str, pl.DataFrame], most: int) -> Iterator[pa.Buffer]:
    """Rows as XML in UTF-8, each on a line of its own, table by table.

    Args:
        parts: the parts by table.
        tables: their rows.
        most: rows put together at once; text takes many times the memory of the tables.

    Yields:
        Their bytes, in pieces.
    """
    for name, part in parts.items():
        keys = [element(key, pl.col(key).cast(pl.String)) for key in KEYS] if part.keyed else []
        zones = [
            element(zone.name, zone_text(zone, tables[name].schema[zone.column])).fill_null("") for zone in part.zones
        ]
        label = part.block.name
        text = pl.concat_str(pl.lit(f"<{label}>"), *keys, *zones, pl.lit(f"</{label}>\n")).alias("xml")
        for rows in tables[name].iter_slices(most):
            # Beside a column: a text that takes nothing from the rows would be one value alone.
            yield pa.py_buffer("".join(rows.with_columns(text)["xml"]).encode())
