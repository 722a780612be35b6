"""Where the blocks of a Form stand in the declaration that it corrects: what an anomaly found in the Form is about.

A unit that a Form states keeps, or is given, an ordinal of its own in the declaration. Blocks below a line are numbered
anew with every version of it and keep their order, so the n-th of a table below a line of the Form is the n-th row that
the version has below that line. What stands below a line that is deleted or left as it is has no row, and no place.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import polars as pl

from dmfa.corrections.applied import Applied
from dmfa.corrections.shape import LABELS, Corrections
from dmfa.corrections.state import below_lines
from dmfa.schema import LINE, Table, ordinal

CLASSES: Final = ("P", "NP")
"""Classes of anomalies that leave what they stand on accepted, and something in it to be put right."""

PLACE_TYPES: Final = {
    "form_id": pl.Int64(),
    "quarter": pl.Int32(),
    "declaration_id": pl.Int64(),
    "version": pl.Int16(),
    "block": pl.String(),
    "place": pl.Int32(),
    "natural_person_ordinal": pl.Int32(),
    "ordinal": pl.Int32(),
}
"""Form; version of the declaration that it made; label of a block and its ordinal in the Form, as anomalies name it;
person and ordinal of its row of that version in history."""

_PERSON: Final = "natural_person_ordinal"


def flagged(anomalies: pl.DataFrame) -> pl.Series:
    """The Forms in which anomalies of `CLASSES` were found, of a frame with declaration_id and severity."""
    return anomalies.filter(pl.col("severity").is_in(CLASSES))["declaration_id"].unique()


def places(applied: Applied, corrections: Corrections, form_ids: pl.Series, tables: Sequence[Table]) -> pl.DataFrame:
    """Where the blocks of some Forms stand.

    Args:
        applied: what applying them gave.
        corrections: what they ask.
        form_ids: those wanted; one that was not applied has no places.
        tables: the tables of the lake.

    Returns:
        Columns of `PLACE_TYPES`: each unit that got a new row, and each block below one of its lines.
    """
    labels = {table.name: LABELS.get(table.name, table.block.name) for table in tables}
    wanted = pl.col("form_id").is_in(form_ids.implode()) & pl.col("form_ordinal").is_not_null()
    units = applied.units.filter(wanted).with_columns(place="form_ordinal")
    found = [units.with_columns(block=pl.col("unit").replace_strict(labels, return_dtype=pl.String))]
    lines = units.filter(pl.col("unit") == LINE)
    for table in below_lines(tables) if lines.height else ():
        rows = applied.rows.get(table.name)
        if rows is not None:
            below = _below(ordinal(table.name), lines, corrections.declared[table.name], rows)
            found.append(below.with_columns(block=pl.lit(labels[table.name])))
    return pl.concat([part.select(_typed()) for part in found])


def _typed() -> list[pl.Expr]:
    return [pl.col(name).cast(kind) for name, kind in PLACE_TYPES.items()]


def _below(own: str, lines: pl.DataFrame, declared: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    """Blocks of one table below lines.

    Args:
        own: column with their ordinal.
        lines: units that are lines.
        declared: the blocks as they stand in Forms.
        rows: the new rows.
    """
    key = ["form_id", "form_ordinal"]
    line = lines.select(*key, "quarter", "declaration_id", "version", _PERSON, pl.col("ordinal").alias(ordinal(LINE)))
    in_forms = declared.select(form_id="declaration_id", form_ordinal=ordinal(LINE), place=own)
    made = rows.select("declaration_id", "version", ordinal(LINE), ordinal=own)
    made = made.join(line, on=["declaration_id", "version", ordinal(LINE)])
    nth = pl.int_range(pl.len()).over(key)
    return (
        made.sort("ordinal")
        .with_columns(nth=nth)
        .join(in_forms.join(line, on=key, how="semi").sort("place").with_columns(nth=nth), on=[*key, "nth"])
    )
