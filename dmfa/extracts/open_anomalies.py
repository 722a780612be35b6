"""Which anomalies stand open: on accepted declarations, on what is in force of them.

An anomaly stands on a block of a declaration as it was when the anomaly was found: in the original, or in the Form of a
correction that was applied. It is open as long as that row of the block is in force, so the line that a Form states
anew closes what stood on the line before: what is wrong with the new one, that Form tells. A version that no Form asked
for (a system correction, a number that was replaced) is the line as it was but for some values: what stood on it is
open, unless its zone has another value. One that accepts a suspicion has anomalies of its own too, in amounts that do
not follow from what it corrects. The declaration and the person get a new version too when only a line of theirs
is corrected; what stands on a zone of their own is open until that zone has another value.

Ordinals of received.anomaly count within the Form. Those of an original are the ordinals of history; those of a
correction lead to them by received.correction_place. What an earlier program applied has no places there, so what it
found in corrections is not told.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

import pyarrow as pa

from dmfa.corrections.places import CLASSES
from dmfa.corrections.shape import LABELS
from dmfa.quarter import Quarter
from dmfa.schema import LINE, TOP, Table, lake_tables, ordinal, snake_case, unit_of

COLUMNS: Final = ("declaration_id", "natural_person_ordinal", "block", "ordinal", "zone", "code", "class")
"""Declaration; person in it, null for what stands on the declaration; label of the block, and its ordinal in the
declaration; label of the zone, null for the whole block; official code; class."""

_PERSON = "natural_person"
_TOP_TABLE = snake_case(TOP)
_LAST = 32_767
"""No version is later."""

_LATER_TABLES = {
    "correction": "NULL::BIGINT AS declaration_id, NULL::SMALLINT AS version, NULL::BIGINT AS form_id, NULL AS state",
    "correction_place": "NULL::BIGINT AS declaration_id, NULL::SMALLINT AS version, NULL::BIGINT AS form_id,"
    " NULL::VARCHAR AS block, NULL::INTEGER AS place, NULL::INTEGER AS ordinal",
}
"""Tables that a state of the lake may be older than, with the columns that are read of them."""

_STANDING_TABLES = """
    SELECT DISTINCT table_name FROM duckdb_columns() WHERE database_name = 'lake' AND schema_name = 'received'
"""
"""A list of tables would count their rows."""

_FOUND = """
    SELECT coalesce(p.declaration_id, a.declaration_id) AS declaration_id, coalesce(p.version, 1) AS version, a.block,
        coalesce(p.ordinal, a.place) AS ordinal, a.zone, a.code, a.severity AS class
    FROM (SELECT *, coalesce(TRY_CAST(regexp_extract(block_keys, '([0-9]+).$', 1) AS INTEGER), 0) AS place
        FROM lake.received.anomaly WHERE quarter = {quarter}) a
    LEFT JOIN {places} p ON p.form_id = a.declaration_id AND p.block = a.block AND p.place = a.place
    WHERE a.severity IN ({classes}) AND a.declaration_id IS NOT NULL AND coalesce(p.version, 1) <= {last}{among}
"""
"""A Form of a correction without places is no declaration: no row of history has its number."""

_AMONG = " AND coalesce(p.declaration_id, a.declaration_id) IN (SELECT unnest(?::BIGINT[]))"
_PLACED = "SELECT * REPLACE ('{block}' AS block) FROM found WHERE block IN ({labels})"
_STANDING = """
    SELECT p.declaration_id, {person} AS natural_person_ordinal, p.block, p.ordinal, p.zone, p.code, p.class
    FROM ({placed}) p JOIN {rows} r ON r.declaration_id = p.declaration_id AND {same_place}
"""
_BY_NO_FORM = """
    SELECT h.declaration_id FROM lake.history.employer_declaration h ANTI JOIN {corrections} c
        ON c.declaration_id = h.declaration_id AND c.version = h.version AND c.state = 'applied'
    WHERE h.quarter = {quarter} AND h.version BETWEEN 2 AND {last}
"""
_RENEWED = """
    SELECT declaration_id, line, version, stated FROM (
        SELECT h.declaration_id, h.worker_record_ordinal AS line, h.version, h.status,
            max(if(h.version = 1 OR c.form_id IS NOT NULL, h.version, NULL)) OVER earlier AS stated,
            max(h.version) OVER (PARTITION BY h.declaration_id, h.worker_record_ordinal) AS last
        FROM lake.history.worker_record h LEFT JOIN {corrections} c
            ON c.declaration_id = h.declaration_id AND c.version = h.version AND c.state = 'applied'
        WHERE h.quarter = {quarter} AND h.version <= {last}
            AND h.declaration_id IN (SELECT declaration_id FROM found INTERSECT ({by_no_form}))
        WINDOW earlier AS (PARTITION BY h.declaration_id, h.worker_record_ordinal ORDER BY h.version)
    ) WHERE version = last AND stated < version AND status <> 3
"""
_NUMBERED = """
    (SELECT *, row_number() OVER (PARTITION BY declaration_id, version, worker_record_ordinal ORDER BY {own}) AS nth
    FROM lake.history."{table}" WHERE quarter = {quarter}
        AND declaration_id IN (SELECT declaration_id FROM renewed))
"""
_STILL_STANDING = """
    SELECT p.declaration_id, r.natural_person_ordinal, p.block, r.{own} AS ordinal, p.zone, p.code, p.class
    FROM ({placed}) p
    JOIN {numbered} v ON v.declaration_id = p.declaration_id AND v.version = p.version AND v.{own} = p.ordinal
    JOIN renewed n ON n.declaration_id = v.declaration_id AND n.line = v.worker_record_ordinal
        AND v.version >= n.stated AND v.version < n.version
    JOIN {numbered} r ON r.declaration_id = n.declaration_id AND r.version = n.version
        AND r.worker_record_ordinal = n.line AND r.nth = v.nth
    WHERE {unchanged}
"""
"""What stands on lines that were renewed: their rows are those of before, in the same order, under new numbers."""

_AS_FOUND = ' JOIN lake.history."{table}" v ON v.quarter = {quarter} AND v.declaration_id = p.declaration_id AND {same}'
_IN_FORCE = '(SELECT * FROM lake.authentic."{table}" WHERE quarter = {quarter})'
_AT = """
    (SELECT h.* FROM lake.history."{table}" h ANTI JOIN lake.history.replaced e
        ON e.quarter = h.quarter AND e.declaration_id = h.declaration_id AND e.unit = '{unit}'
        AND e.ordinal = {unit_ordinal} AND e.version = h.version AND e.ended_by <= {last}
    WHERE h.quarter = {quarter} AND h.version <= {last} AND h.status <> 3)
"""


class ReadableLake(Protocol):
    """What an open lake offers."""

    def arrow(self, sql: str, values: Sequence[object] | None = None) -> pa.Table:
        """The result of a query."""


def open_anomalies(
    lake: ReadableLake,
    quarter: Quarter,
    *,
    tables: Collection[str] | None = None,
    declarations: Sequence[int] | None = None,
    version: int | None = None,
    xsd: Path | None = None,
) -> tuple[str, list[object]] | None:
    """What follows FROM in a query for the open anomalies of a quarter, columns COLUMNS, and its values.

    A row may come twice, where an original and a correction of it have the same at fault.

    Args:
        lake: an open lake.
        quarter: the quarter.
        tables: of these blocks, by their tables; None for all.
        declarations: of these declarations; None for all.
        version: as it was at this version of the declarations; None for what is in force.
        xsd: folder with further releases.

    Returns:
        None where no anomaly was found that could be open: no table of declarations need be read.

    Raises:
        LakeProblem: the lake cannot be read.
    """
    last = _LAST if version is None else version
    standing_tables = lake.arrow(_STANDING_TABLES).column(0).to_pylist()
    corrections, places = (_source(name, standing_tables) for name in _LATER_TABLES)
    found = _FOUND.format(
        places=places,
        quarter=quarter.code,
        classes=", ".join(f"'{name}'" for name in CLASSES),
        last=last,
        among="" if declarations is None else _AMONG,
    )
    values: list[object] = [] if declarations is None else [list(declarations)]
    told = set(lake.arrow(f"SELECT DISTINCT block FROM ({found})", values).column(0).to_pylist())  # noqa: S608
    by_no_form = _BY_NO_FORM.format(corrections=corrections, quarter=quarter.code, last=last)
    renewed = bool(told) and bool(lake.arrow(f"{by_no_form} LIMIT 1").num_rows)
    standing = [
        block.standing(renewed=renewed)
        for block in (_Block(table, quarter, last, version is None) for table in lake_tables(xsd))
        if told.intersection(block.labels) and (tables is None or block.table.name in tables)
    ]
    if not standing:
        return None
    known = f"WITH found AS MATERIALIZED ({found})"
    if renewed:
        told_again = _RENEWED.format(corrections=corrections, quarter=quarter.code, last=last, by_no_form=by_no_form)
        known = f"{known}, renewed AS MATERIALIZED ({told_again})"
    return f"({known} {' UNION ALL '.join(standing)})", values


def _source(name: str, standing: Collection[str]) -> str:
    """A table of schema received, or what is as empty as a state of before it."""
    if name in standing:
        return f"lake.received.{name}"
    return f"(SELECT {_LATER_TABLES[name]} WHERE false)"


@dataclass(frozen=True)
class _Block:
    """The queries of one block.

    Attributes:
        table: its table.
        quarter: the quarter.
        last: last version that counts.
        now: whether what is in force is asked for, else what was at that version.
    """

    table: Table
    quarter: Quarter
    last: int
    now: bool

    @property
    def _own(self) -> str | None:
        """Column with its ordinal; None for the declaration, which has none."""
        return None if self.table.name == _TOP_TABLE else ordinal(self.table.name)

    @property
    def _unit(self) -> tuple[str, str | None]:
        return unit_of(column.name for column in self.table.columns)

    @property
    def labels(self) -> tuple[str, ...]:
        """Its labels: in an original, and in a correction."""
        label = self.table.block.name
        return label, LABELS.get(self.table.name, label)

    def standing(self, *, renewed: bool) -> str:
        """Its open anomalies.

        Args:
            renewed: whether there are versions that no Form asked for.
        """
        name, own = self.table.name, self._own
        placed = _PLACED.format(block=self.labels[0], labels=", ".join(f"'{label}'" for label in self.labels))
        of_person = any(column.name == ordinal(_PERSON) for column in self.table.columns)
        sql = _STANDING.format(
            person=f"r.{ordinal(_PERSON)}" if of_person else "CAST(NULL AS INTEGER)",
            placed=placed,
            rows=self._rows(),
            same_place=f"r.{own} = p.ordinal" if own else "true",
        )
        if name not in (_TOP_TABLE, _PERSON):
            sql = f"{sql} AND r.version = p.version"
            if not renewed or self._unit[0] != LINE:
                return sql
            numbered = _NUMBERED.format(own=own, table=name, quarter=self.quarter.code)
            again = {"own": own, "placed": placed, "numbered": numbered, "unchanged": self._unchanged("true")}
            return f"{sql} UNION ALL {_STILL_STANDING.format(**again)}"
        same = f"v.version = p.version{f' AND v.{own} = p.ordinal' if own else ''}"
        as_found = _AS_FOUND.format(table=name, quarter=self.quarter.code, same=same)
        return f"{sql}{as_found} WHERE r.version = p.version OR {self._unchanged('false')}"

    def _rows(self) -> str:
        """Its rows in force, or as they were."""
        if self.now:
            return _IN_FORCE.format(table=self.table.name, quarter=self.quarter.code)
        unit, own = self._unit
        place = f"h.{own}" if own else "0"
        return _AT.format(
            table=self.table.name, unit=unit, unit_ordinal=place, last=self.last, quarter=self.quarter.code
        )

    def _unchanged(self, otherwise: str) -> str:
        """Whether the zone that an anomaly is about has the value with which it was found.

        Args:
            otherwise: what holds of one that is about the whole block, or about a zone below it.
        """
        zones = [column for column in self.table.columns if column.zone]
        same = (
            f'WHEN \'{column.zone.name}\' THEN r."{column.name}" IS NOT DISTINCT FROM v."{column.name}"'
            for column in zones
            if column.zone
        )
        return f"CASE p.zone {' '.join(same)} ELSE {otherwise} END"
