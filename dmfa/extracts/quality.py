"""Quality flags: the open anomalies that travel with an attestation, as far as its recipient may know of them.

A recipient is told of an anomaly if it is given the very block that it stands on, and the zone that it is about; of one
about a whole block if it is given any zone of that block. What a population or a choice of rows leaves out takes its
anomalies with it. Of an answer only that something stands under reserve of what it is made of: not what.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

import polars as pl

from dmfa.corrections.shape import LABELS
from dmfa.extracts.authorisations import KEYS, Authorisation
from dmfa.extracts.persons import DECLARATION, PERSON_KEY, PERSON_TABLE, Frames
from dmfa.extracts.selection import numbered
from dmfa.extracts.shape import Part, Shape, zones_of
from dmfa.schema import TOP, lake_tables, ordinal, snake_case
from dmfa.schema.catalogue import catalogues

Visible = Mapping[str, frozenset[str]]
"""Tables of the blocks that a recipient is given, or that its answer is made of, to the labels of their zones."""

_TOP_TABLE: Final = snake_case(TOP)
_OF_UPDATE: Final = {label: table for table, label in LABELS.items()}
"""Tables of the blocks that have another label in a correction than in an original."""

_AT, _FIRST = "place_of_table", "first_ordinal"


def visible(row: Authorisation, shape: Shape) -> Visible:
    """What a recipient may be told of: the blocks and zones given, or those that its answer is made of."""
    if shape.nested:
        return {part.name: frozenset(zone.name for zone in part.zones) for part in shape.parts}
    return {snake_case(block): frozenset(zones) for block, zones in row.blocks.items()}


def may_travel(block: str, zone: str | None, code: str, seen: Visible, xsd: Path | None = None) -> bool:
    """Whether a recipient may be told of an anomaly.

    Args:
        block: label of the block that it stands on.
        zone: label of the zone that it is about; None for the whole block.
        code: its official code, which has the number of a zone or block.
        seen: what the recipient may be told of.
        xsd: folder with further releases.
    """
    given = seen.get(snake_case(block))
    official = next((known.codes[code] for known in catalogues().values() if code in known.codes), None)
    if not given or official is None:
        return False
    about = {zone} if zone else set()
    if official.of_block:
        if not seen.get(_OF_UPDATE.get(official.element, snake_case(official.element))):
            return False
    else:
        about.add(official.element)
    elsewhere = about - given
    if not elsewhere or elsewhere & _zones_by_table(xsd)[snake_case(block)]:
        return not elsewhere
    # A sum over blocks below is told of the block that they stand in, which has no such zone.
    return elsewhere <= frozenset[str]().union(*seen.values())


@cache
def _zones_by_table(xsd: Path | None) -> Visible:
    return {table.name: frozenset(zones_of(table)) for table in lake_tables(xsd)}


def flags(
    anomalies: pl.DataFrame | None, frames: Mapping[str, pl.DataFrame], tables: Frames, seen: Visible, shape: Shape
) -> pl.DataFrame:
    """The table of flags of a shard, in the order of declarations and persons, and of the blocks in each.

    Args:
        anomalies: those open in the shard, columns of `open_anomalies.COLUMNS`; None if there are none.
        frames: the tables of the lake, with those persons and rows alone that the recipient is given.
        tables: the tables of the extract that are made of them.
        seen: what the recipient may be told of.
        shape: the tables of the extract, one of flags among them.

    Raises:
        ValueError: the extract has no table of flags.
    """
    if shape.flags is None:
        raise ValueError("an extract that is not by attestation has no flags")
    empty = pl.DataFrame(shape.flags.arrow_schema.empty_table())
    if anomalies is None:
        return empty
    kinds = anomalies.select("block", "zone", "code").unique()
    travels = [may_travel(block, zone, code, seen, shape.xsd) for block, zone, code in kinds.iter_rows()]
    kept = kinds.filter(pl.Series(travels, dtype=pl.Boolean))
    told = anomalies.unique().join(kept, on=kinds.columns, how="semi", nulls_equal=True)
    hidden = {part.name: part.hidden for part in shape.parts}
    found = [
        _of_table(told.filter(pl.col("block").is_in(labels)), frames, table, hidden.get(table, ())).with_columns(
            pl.lit(place).alias(_AT)
        )
        for place, (table, labels) in enumerate(_labels(told, seen).items())
    ]
    if not found:
        return empty
    made = pl.concat(found)
    persons = numbered(frames[PERSON_TABLE].join(made, on=list(PERSON_KEY), how="semi")).drop("inss")
    made = made.join(persons, on=list(PERSON_KEY)).join(_given(tables, shape), on=KEYS[0], how="semi")
    order = (*PERSON_KEY, _AT, "ordinal", "zone", "code")
    return made.sort(order).select(empty.columns).unique(maintain_order=True).cast(empty.schema)


def _labels(told: pl.DataFrame, seen: Visible) -> dict[str, list[str]]:
    """Tables with flags in the order of the document, to the labels of their blocks."""
    labels = told["block"].unique().to_list()
    found = {table: [label for label in labels if snake_case(label) == table] for table in seen}
    return {table: own for table, own in found.items() if own}


def _of_table(
    told: pl.DataFrame, frames: Mapping[str, pl.DataFrame], table: str, hidden: tuple[str, ...]
) -> pl.DataFrame:
    """Flags of one table, of the rows given alone: the person, and the ordinal of the block in the attestation."""
    rows = frames[table]
    about = ["block", "zone", "code", "class"]
    nowhere = pl.lit(None, pl.Int32).alias("ordinal")
    if table == _TOP_TABLE:
        mine = told.join(rows, on=DECLARATION, how="semi").select(DECLARATION, *about)
        return mine.join(frames[PERSON_TABLE].select(PERSON_KEY), on=DECLARATION).select(*PERSON_KEY, nowhere, *about)
    if table == PERSON_TABLE:
        return told.join(rows, on=list(PERSON_KEY), how="semi").select(*PERSON_KEY, nowhere, *about)
    own = ordinal(table)
    given = rows.filter(pl.col(ordinal(above)).is_null() for above in hidden) if hidden else rows
    mine = told.join(given, left_on=[*PERSON_KEY, "ordinal"], right_on=[*PERSON_KEY, own], how="semi")
    # Ordinals begin at that of the first row, given or not, as those of the tables do.
    first = rows.join(mine, on=list(PERSON_KEY), how="semi").group_by(*PERSON_KEY).agg(pl.col(own).min().alias(_FIRST))
    within = (pl.col("ordinal") - pl.col(_FIRST)).cast(pl.Int32).alias("ordinal")
    return mine.join(first, on=list(PERSON_KEY)).select(*PERSON_KEY, within, *about)


def _given(tables: Frames, shape: Shape) -> pl.DataFrame:
    """The attestations of which a shard tells anything."""
    keyed: list[Part] = [part for part in shape.parts if part.keyed]
    return pl.concat([tables[part.name].select(KEYS[0]) for part in keyed]).unique()
