"""Amounts that corrections declare and that are not those computed: the anomalies of their Forms.

What a Form states anew is judged at the version that it made, as an original is at its first. What that version left as
it was belongs to who stated it, and was told then.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl

from dmfa.anomaly import ANOMALY_SCHEMA
from dmfa.corrections.applied import APPLIED, Applied
from dmfa.corrections.places import PLACE_TYPES, places
from dmfa.corrections.shape import LABELS, Corrections
from dmfa.corrections.state import below_lines
from dmfa.schema import Table, ordinal
from flows.stages.differing import differing, refused

_STATE: Final = ("declaration_id", "version")
_STANDING: Final = [*_STATE, "block", "ordinal"]
_OF_ROWS: Final = ("quarter", *_STATE, "natural_person_ordinal")
_NOTHING: Final = pl.DataFrame(schema={**ANOMALY_SCHEMA, "version": pl.Int16})


@dataclass(frozen=True)
class Wrong:
    """What is wrong with the amounts of some Forms.

    Attributes:
        anomalies: columns of `dmfa.anomaly.ANOMALY_SCHEMA`, as those of `dmfa.corrections.applied.Applied`.
        places: where the blocks that they are about stand, columns of `dmfa.corrections.places.PLACE_TYPES`.
    """

    anomalies: pl.DataFrame
    places: pl.DataFrame


def differing_at(computed: Mapping[str, pl.DataFrame], states: pl.DataFrame, blocks: Mapping[str, str]) -> pl.DataFrame:
    """The anomalies in the amounts of declarations as they stood at some versions.

    Args:
        computed: what was computed, by table, with a state as declaration_id.
        states: state, declaration_id and version.
        blocks: name of a table to the label of its block.

    Returns:
        Columns of `dmfa.anomaly.ANOMALY_SCHEMA` and version; block_ordinal is that of history.
    """
    found = pl.concat([differing(computed["difference"], blocks), refused(computed["deduction"], blocks)])
    own = states.select("version", declaration_id="state", of="declaration_id").unique()
    told = found.join(own, on="declaration_id", maintain_order="left")
    return told.with_columns(declaration_id="of").select(*ANOMALY_SCHEMA, "version")


def update_labels(tables: Iterable[Table]) -> dict[str, str]:
    """Names of tables to the labels of their blocks in a correction."""
    return {table.name: LABELS.get(table.name, table.block.name) for table in tables}


def wrong_amounts(
    found: Iterable[pl.DataFrame], applied: Applied, corrections: Corrections, tables: Sequence[Table]
) -> Wrong:
    """The anomalies in the amounts that Forms state, out of all those of the versions that they made.

    Args:
        found: what `differing_at` returns, with the labels of a correction.
        applied: what applying the Forms gave.
        corrections: what they ask.
        tables: the tables of the lake.
    """
    every = pl.concat([_NOTHING, *found])
    if every.is_empty():
        return Wrong(every.select(list(ANOMALY_SCHEMA)), pl.DataFrame(schema=PLACE_TYPES))
    made = applied.outcomes.filter(pl.col("state") == APPLIED).join(every, on=_STATE, how="semi")
    labels, about = update_labels(tables), set(every["block"])
    others = {table.name for table in below_lines(tables) if labels[table.name] not in about}
    near = [table for table in tables if table.name not in others]
    standing = places(applied, corrections, made["form_id"], near)
    told = (
        every.rename({"block_ordinal": "ordinal"})
        .join(standing.select(*_STANDING, "form_id", "place"), on=_STANDING)
        .join(made.select("form_id", of="filing_id"), on="form_id")
        .with_columns(declaration_id="form_id", filing_id="of", block_ordinal="place")
        .sort("declaration_id", "block", "block_ordinal", "code")
    )
    stated = told.select("form_id", "block", "place").unique()
    return Wrong(told.select(list(ANOMALY_SCHEMA)), standing.join(stated, on=stated.columns, how="semi"))


def wrong_in_lines(found: Iterable[pl.DataFrame], applied: Applied, tables: Sequence[Table]) -> Wrong:
    """The anomalies in the amounts of lines that the institution gave a version, out of all those of that version.

    No Form states these. They stand on the declaration, by ordinals of history: those below a line are of one version.

    Args:
        found: what `differing_at` returns, with the labels of a correction.
        applied: the versions.
        tables: the tables of the lake.
    """
    labels = update_labels(tables)
    below = [
        applied.rows[table.name].select(
            *(pl.col(name).cast(kind) for name, kind in PLACE_TYPES.items() if name in _OF_ROWS),
            form_id="declaration_id",
            block=pl.lit(labels[table.name]),
            place=ordinal(table.name),
            ordinal=ordinal(table.name),
        )
        for table in below_lines(tables)
        if table.name in applied.rows
    ]
    new = pl.concat([pl.DataFrame(schema=PLACE_TYPES), *(rows.select(list(PLACE_TYPES)) for rows in below)])
    every = pl.concat([_NOTHING, *found]).rename({"block_ordinal": "ordinal"})
    told = every.join(new, on=_STANDING, how="semi", maintain_order="left").rename({"ordinal": "block_ordinal"})
    return Wrong(told.select(list(ANOMALY_SCHEMA)), new.join(every, on=_STANDING, how="semi"))
