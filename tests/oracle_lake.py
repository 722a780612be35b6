"""A lake's tables against the XML of the filings that it keeps, cell by cell."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from dmfa.lake import Lake, received_bytes
from tests.oracle_xml import differences, plain


def compare(folder: Path) -> tuple[int, list[str]]:
    """Compare all tables with all filings whose declarations were all accepted.

    Returns:
        Number of declarations compared, and one line per difference.
    """
    with Lake.open(folder) as lake:
        forms = pl.DataFrame(
            lake.arrow(
                "SELECT o.*, f.sha256, f.name FROM lake.received.form o JOIN lake.received.filing f USING (filing_id)"
                " WHERE f.state = 'accepted' ORDER BY f.name, form_index"
            )
        )
        names = lake.arrow(
            "SELECT table_name FROM information_schema.tables"
            " WHERE table_catalog = 'lake' AND table_schema = 'authentic'"
        )
        tables = lake.frames("authentic", [str(name) for name in names.column(0).to_pylist()])
    found = []
    for (sha256, name), group in forms.group_by("sha256", "name", maintain_order=True):
        order = {key: place for place, key in enumerate(group["declaration_id"])}
        mine = {table: _in_order(frame, table, order) for table, frame in tables.items()}
        found += [f"{name}: {line}" for line in differences([received_bytes(folder, str(sha256))], mine)]
    return forms.height, found


def _in_order(frame: pl.DataFrame, table: str, order: dict[int, int]) -> pl.DataFrame:
    own = [column for column in frame.columns if plain(column) == plain(f"{table}_ordinal")]
    rows = frame.filter(pl.col("declaration_id").is_in(list(order)))
    place = rows["declaration_id"].replace_strict(order, return_dtype=pl.Int64).alias("place")
    return rows.with_columns(place).sort("place", *own).drop("place")
