"""What a suspected error is about: the block in doubt as it stands now, whatever number it has got since.

A recipient names a block by its number in the version that it received. Blocks below a line are numbered anew with
every version of the line, so the block is found again by what identifies it, as a history of declarations pairs them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from dmfa.corrections.differences import ACTION, REMOVED, STEP, compare
from dmfa.corrections.state import DECLARATION, PERSON
from dmfa.extracts.exchange import GIVEN
from dmfa.extracts.holdings import attestation_number
from dmfa.extracts.proposals import given, table_of
from dmfa.extracts.shape import ordinals_of, person_tables, zones_of
from dmfa.extracts.suspicions import parted
from dmfa.schema import Table, Zone, ordinal

if TYPE_CHECKING:
    from pathlib import Path

    from dmfa.lake import Lake

_ATTESTED: Final = """
    SELECT declaration_id, natural_person_ordinal AS person, max(version) AS version
    FROM lake.history.natural_person p
    SEMI JOIN (
        SELECT DISTINCT declaration_id, natural_person_ordinal FROM lake.history.natural_person
        WHERE quarter = ?1 AND inss IN (
            SELECT inss FROM lake.exchange.log WHERE quarter = ?1 AND attestation = ?2 AND result = ?3
        )
    ) o USING (declaration_id, natural_person_ordinal)
    WHERE quarter = ?1 GROUP BY ALL
"""
_NOW: Final = """
    SELECT max(version) AS version, arg_max(noss_registration_nbr, version) AS employer
    FROM lake.history.employer_declaration WHERE quarter = ? AND declaration_id = ?
"""
_RECEIVED, _IN_FORCE = 0, 1


@dataclass(frozen=True)
class Doubted:
    """The block in doubt as it stands now.

    Attributes:
        declaration: its declaration_id.
        quarter: yyyyq.
        employer: NSSO registration number.
        person: ordinal of the person in the declaration.
        version: last version of the attestation.
        table: table of the block.
        zone: the zone in doubt.
        seen: the value that the recipient received.
        row: the block in force; None if there is none any more.
        frames: all that is in force of the person, by table; of the declaration its own row.
    """

    declaration: int
    quarter: int
    employer: int
    person: int
    version: int
    table: Table
    zone: Zone
    seen: str | None
    row: Mapping[str, Any] | None = field(repr=False)
    frames: Mapping[str, pl.DataFrame] = field(repr=False)

    @property
    def stands(self) -> bool:
        """Whether the zone still holds what the recipient received."""
        return self.row is not None and given(self.zone, self.row[self.zone.column]) == self.seen


def doubted(lake: Lake, facts: Mapping[str, Any], xsd: Path | None = None) -> Doubted:
    """Find what a report is about.

    Args:
        lake: an open lake.
        facts: a row of exchange.suspicion.
        xsd: folder with further releases.

    Raises:
        LakeProblem: the lake cannot be read.
    """
    quarter, (block, number, label) = facts["quarter"], parted(facts["zone_path"])
    rows = lake.arrow(_ATTESTED, [quarter, facts["attestation"], GIVEN]).to_pylist()
    mine = (row for row in rows if attestation_number(row["declaration_id"], row["person"]) == facts["attestation"])
    attested = next(mine)  # what was given is in the history for ever
    declaration, person = attested["declaration_id"], attested["person"]
    (now,) = lake.arrow(_NOW, [quarter, declaration]).to_pylist()
    tables = person_tables(xsd)
    states = pl.DataFrame(
        [(_RECEIVED, declaration, person, facts["version"]), (_IN_FORCE, declaration, person, now["version"])],
        schema={"state": pl.Int64, "declaration_id": pl.Int64, ordinal(PERSON): pl.Int32, "version": pl.Int16},
        orient="row",
    )
    found = lake.at_version({table.name: table.arrow_schema.names for table in tables}, quarter, states)
    received, in_force = (
        {table.name: _state(found.get(table.name), table, state, declaration) for table in tables}
        for state in (_RECEIVED, _IN_FORCE)
    )
    table = table_of(block, xsd)
    row = None if in_force[PERSON].is_empty() else _again(table, number, received, in_force, tables)
    return Doubted(
        declaration,
        quarter,
        now["employer"],
        person,
        attested["version"],
        table,
        zones_of(table)[label],
        facts["seen_value"],
        row,
        in_force,
    )


def _state(rows: pl.DataFrame | None, table: Table, state: int, declaration: int) -> pl.DataFrame:
    """The rows of a table in one of the two states, with all columns."""
    empty = pl.DataFrame(table.arrow_schema.empty_table())
    if rows is None:
        return empty
    own = rows.filter(pl.col("declaration_id") == state).with_columns(declaration_id=pl.lit(declaration, pl.Int64))
    return pl.concat([empty, own.cast(dict(empty.schema))], how="diagonal")  # type: ignore[arg-type]


def _again(
    table: Table,
    number: int | None,
    received: Mapping[str, pl.DataFrame],
    in_force: Mapping[str, pl.DataFrame],
    tables: tuple[Table, ...],
) -> dict[str, Any] | None:
    """The row in force of the block that had a number in the attestation as it was received."""
    if table.name == DECLARATION:
        return in_force[DECLARATION].row(0, named=True)
    own = ordinal(table.name)
    around = tuple(one for one in tables if one.name in (DECLARATION, *ordinals_of(table)))
    then, now = (
        {one.name: frames[one.name].with_columns(pl.lit(0, pl.Int16).alias(STEP)) for one in around}
        for frames in (received, in_force)
    )
    was = pl.col(f"{own}_before")
    # As it is given out: from 0 in the attestation.
    blocks = compare(then, now, around)[table.name].filter(was == was.min() + (number or 0))
    there = blocks.filter(pl.col(ACTION) != REMOVED)
    rows = in_force[table.name].join(there, on=own, how="semi")
    return None if rows.is_empty() else rows.row(0, named=True)
