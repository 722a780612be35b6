"""The keys that lead to an anomaly: those of its block and of every block around it, from the declaration's tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from dmfa.answers.columnwise import zone
from dmfa.answers.zones import NOTIFICATION, zones_of
from dmfa.corrections.shape import LABELS
from dmfa.reading.plan import Plan, TablePlan
from dmfa.schema import LINE, TOP

_ORDINAL = "_ordinal"

_OF_CORRECTIONS = {label: table for table, label in LABELS.items()} | {
    "WorkerRecordUpdate": LINE,
    "CompanyVehicleUpdate": "company_vehicle",
    "ContributionUnrelatedToNPUpdate": "contribution_unrelated_to_np",
    "EmployerCompensationUpdate": "employer_compensation",
}
"""Blocks of a correction that are called otherwise in an original, and the table whose ordinals they have."""


def paths(places: pl.DataFrame, tables: Mapping[str, pl.DataFrame], plan: Plan) -> list[str]:
    """The keys that lead to each place, written as the zones of the block Path.

    Args:
        places: declaration_id, block (label) and block_ordinal; without a block the declaration itself is meant.
        tables: tables of the declarations by name, what corrections declare among them; a declaration that is not in
            them has no keys.
        plan: what the tables hold.

    Returns:
        One for each place, in their order; empty for none.
    """
    by_label = {table.label: table for table in plan.tables}
    by_name = {table.name: table for table in plan.tables}
    by_label |= {label: by_name[name] for label, name in _OF_CORRECTIONS.items() if name in by_name}
    numbered = places.select(
        "declaration_id",
        pl.col("block").fill_null(TOP),
        pl.col("block_ordinal").fill_null(0).cast(pl.Int32),
        place=pl.int_range(pl.len()),
    )
    found = [pl.DataFrame(schema={"place": pl.Int64, "text": pl.String})]
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
        found.append(_written(rows, levels, tables))
    return pl.concat(found).sort("place")["text"].to_list()


def _written(rows: pl.DataFrame, levels: Sequence[TablePlan], tables: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """Place and text of places in blocks of one kind, of the keys of all levels around them, outermost first."""
    labels = zones_of(NOTIFICATION, "Path")
    values: dict[str, list[pl.Expr]] = {label: [] for label in labels}
    for depth, level in enumerate(levels):
        columns = {cell.column: cell.label for cell in level.cells if cell.label in values}
        if level.label == TOP:
            columns["quarter"] = "Quarter"
        key = ["declaration_id", *level.ordinals[-1:]]
        named = {f"{column} {depth}": pl.col(column) for column in columns}
        rows = rows.join(tables[level.name].select(*key, **named), on=key, how="left", maintain_order="left")
        for column, label in columns.items():
            values[label].insert(0, pl.col(f"{column} {depth}"))  # the innermost counts
    zones = [zone(NOTIFICATION, label, pl.coalesce(told)) for label, told in values.items() if told]
    return rows.select("place", text=pl.concat_str(zones))
