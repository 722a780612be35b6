"""The keys that lead to an anomaly: those of its block and of every block around it, from the declaration's tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from dmfa.answers.zones import NOTIFICATION, kinds, zones_of
from dmfa.corrections.shape import LABELS
from dmfa.reading.plan import Plan, TablePlan
from dmfa.schema import LINE, TOP

Keys = tuple[tuple[str, str], ...]
"""Labels of zones with their values, in the order of the block Path."""

_ORDINAL = "_ordinal"

_OF_CORRECTIONS = {label: table for table, label in LABELS.items()} | {
    "WorkerRecordUpdate": LINE,
    "CompanyVehicleUpdate": "company_vehicle",
    "ContributionUnrelatedToNPUpdate": "contribution_unrelated_to_np",
    "EmployerCompensationUpdate": "employer_compensation",
}
"""Blocks of a correction that are called otherwise in an original, and the table whose ordinals they have."""


def paths(places: pl.DataFrame, tables: Mapping[str, pl.DataFrame], plan: Plan) -> list[Keys]:
    """The keys that lead to each place.

    Args:
        places: declaration_id, block (label) and block_ordinal; without a block the declaration itself is meant.
        tables: tables of the declarations by name, what corrections declare among them; a declaration that is not in
            them has no keys.
        plan: what the tables hold.

    Returns:
        One for each place, in their order.
    """
    found: list[dict[str, Any]] = [{} for _ in range(places.height)]
    by_label = {table.label: table for table in plan.tables}
    by_name = {table.name: table for table in plan.tables}
    by_label |= {label: by_name[name] for label, name in _OF_CORRECTIONS.items() if name in by_name}
    numbered = places.select(
        "declaration_id",
        pl.col("block").fill_null(TOP),
        pl.col("block_ordinal").fill_null(0).cast(pl.Int32),
        place=pl.int_range(pl.len()),
    )
    for (label,), group in numbered.group_by("block", maintain_order=True):
        table = by_label.get(str(label), by_label[TOP])
        rows = group
        if table.ordinals:
            own = tables[table.name].select("declaration_id", *table.ordinals)
            # The ordinals of the blocks around it; where the block is not found, the employer's keys remain.
            rows = rows.rename({"block_ordinal": table.ordinals[-1]}).join(
                own, on=["declaration_id", table.ordinals[-1]], how="left", maintain_order="left"
            )
        levels = [by_label[TOP], *(by_name[name.removesuffix(_ORDINAL)] for name in table.ordinals)]
        for level in levels:
            _collect(found, rows, tables[level.name], level)
    return [_written(values) for values in found]


def _collect(found: list[dict[str, Any]], rows: pl.DataFrame, table: pl.DataFrame, level: TablePlan) -> None:
    """Add one level's keys to those of the places below it."""
    wanted = set(zones_of(NOTIFICATION, "Path"))
    columns = {cell.column: cell.label for cell in level.cells if cell.label in wanted}
    if level.label == TOP:
        columns["quarter"] = "Quarter"
    key = ["declaration_id", *level.ordinals[-1:]]
    joined = rows.select("place", *key).join(table.select(*key, *columns), on=key, how="inner")
    for row in joined.iter_rows(named=True):
        values = found[row["place"]]
        values.update({label: row[column] for column, label in columns.items() if row[column] is not None})


def _written(values: Mapping[str, Any]) -> Keys:
    known = kinds(NOTIFICATION)
    texts = ((label, known[label].text(values.get(label))) for label in zones_of(NOTIFICATION, "Path"))
    return tuple((label, text) for label, text in texts if text is not None)
