"""What happened to declarations: each version with what brought it, why, and what it changed, as plain data.

Read from the tables of schema history, what they say was replaced, and the ledger of what was received. Persons are
told by their place in the declaration, since the answer may be passed on; a value that may name somebody is not told.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

import polars as pl
import pyarrow as pa
from lxml import etree

from dmfa.answers.changes import KIND as NOTIFICATION
from dmfa.answers.names import sender_of
from dmfa.corrections.differences import (
    ACTION,
    CHANGED,
    CREATED,
    IDENTIFYING,
    REACTIVATED,
    REMOVED,
    STEP,
    UNCHANGED,
    compare,
    earlier,
    later,
    ordinals_of,
)
from dmfa.lake import Lake
from dmfa.schema import LINE, TOP, Table, lake_tables, ordinal, snake_case, unit_of
from flows.stages.versions import SUSPECTED, SYSTEM, frame

Event = dict[str, Any]
"""One version, or one correction that made none.

Its status is that of what is told of: the declaration, or the person in it; None where the version left that as it was.
"""

Node = dict[str, Any]
"""A block that changed, with those inside it that did."""

_Place = tuple[int, str, int]
"""Version, ordinal column and ordinal: where a block stands."""

NOT_TOLD: Final = "not told"
"""Stands for a value that may name somebody."""

ACTIONS: Final = {REMOVED: "removed", CHANGED: "changed", CREATED: "created", REACTIVATED: "reactivated"}
"""What was done to a block in words; a block that is told for what is in it was 'kept'."""

STATUS: Final = {0: "new", 1: "changed", 3: "cancelled", 4: "reactivated"}

_OF_UNITS: Final = {
    LINE: ("employer_class", "worker_code"),
    "contribution_unrelated_to_np": ("unrelated_employer_class", "unrelated_worker_code"),
    "employer_compensation": ("compensation_code",),
}
_TOP = snake_case(TOP)
_PERSON = ordinal("natural_person")
_ACCOUNT = "employer_account"

_VERSIONS = """
    SELECT e.declaration_id, e.version, e.status, e.known_from, e.noss_registration_nbr, e.company_id,
        f.filing_id, f.name AS filing, f.kind, f.ticket AS filing_ticket, c.form_id, m.ticket,
        if(e.version = 1, 'applied', c.state) AS state, NULL AS codes
    FROM lake.history.employer_declaration e
    LEFT JOIN lake.received.filing f USING (filing_id)
    LEFT JOIN lake.received.correction c ON c.declaration_id = e.declaration_id AND c.version = e.version
    LEFT JOIN lake.received.form m ON m.declaration_id = coalesce(c.form_id, if(e.version = 1, e.declaration_id, NULL))
    WHERE e.quarter = $1 AND e.declaration_id = $2 ORDER BY e.version
"""
# A correction that its own checks or its identifier refused met no declaration: it is known by the employer it names.
_WITHOUT = """
    SELECT c.declaration_id, NULL::SMALLINT AS version, NULL::TINYINT AS status, c.received_at AS known_from,
        m.noss_registration_nbr, m.company_id, f.filing_id, f.name AS filing, f.kind, f.ticket AS filing_ticket,
        c.form_id, m.ticket, c.state, c.codes
    FROM lake.received.correction c
    LEFT JOIN lake.received.filing f USING (filing_id)
    LEFT JOIN lake.received.form m ON m.declaration_id = c.form_id
    WHERE c.quarter = $1 AND c.version IS NULL AND (c.declaration_id = $2 OR c.declaration_id IS NULL AND EXISTS (
        FROM lake.history.employer_declaration e WHERE e.quarter = $1 AND e.declaration_id = $2
        AND CASE WHEN e.noss_registration_nbr > 0 THEN e.noss_registration_nbr = m.noss_registration_nbr
            ELSE e.company_id = m.company_id END
    ))
    ORDER BY c.received_at, c.form_id
"""
_REPLACED = "SELECT * FROM lake.history.replaced WHERE quarter = ? AND declaration_id = ?"
_FILLED = "SELECT table_name FROM ducklake_table_info('lake') WHERE file_count > 0"
_AMOUNTS = """
    SELECT declaration_id, version, entry, debit_cents, credit_cents, computed_net_cents
    FROM lake.computed.employer_account WHERE quarter = ? AND declaration_id = ?
"""
_TOLD = """
    SELECT filing_id, declaration_id AS about, content FROM lake.received.answer
    WHERE kind = ? AND declaration_id IN (SELECT unnest(?::BIGINT[]))
"""


@dataclass(frozen=True)
class Wanted:
    """Whose history is told.

    Attributes:
        quarter: e.g. 20263.
        declarations: declaration_id.
        persons: place of the person in each of them; None for all that they hold.
    """

    quarter: int
    declarations: tuple[int, ...]
    persons: tuple[int, ...] | None = None


def wanted(lake: Lake, quarter: int, *, employer: int | None = None, inss: int | None = None) -> Wanted:
    """Find the declarations of an employer, or those that hold a person, by any number that they ever had.

    Args:
        lake: the lake.
        quarter: e.g. 20263.
        employer: NSSO registration number.
        inss: number of a person.

    Raises:
        LakeProblem: the lake cannot be read.
    """
    of_employer = "SELECT declaration_id FROM lake.history.employer_declaration WHERE quarter = $1"
    of_employer += " AND ($2 IS NULL OR noss_registration_nbr = $2)"
    if inss is None:
        found = lake.arrow(f"SELECT DISTINCT * FROM ({of_employer}) ORDER BY 1", [quarter, employer])  # noqa: S608
        return Wanted(quarter, tuple(found.column(0).to_pylist()))
    rows = lake.arrow(
        f"""
        SELECT DISTINCT declaration_id, {_PERSON} AS place FROM lake.history.natural_person
        WHERE quarter = $1 AND inss = $3 AND ($2 IS NULL OR declaration_id IN ({of_employer})) ORDER BY ALL
        """,  # noqa: S608 - put together from our own names
        [quarter, employer, inss],
    ).to_pylist()
    return Wanted(quarter, tuple(row["declaration_id"] for row in rows), tuple(row["place"] for row in rows))


def timeline(lake: Lake, of: Wanted, xsd: Path | None = None) -> Iterator[Event]:
    """What happened, declaration by declaration, in the order of the versions; then what made none.

    Args:
        lake: an open lake.
        of: whose history.
        xsd: folder with further releases.

    Raises:
        LakeProblem: the lake cannot be read.
    """
    places = (None,) * len(of.declarations) if of.persons is None else of.persons
    filled = set(lake.arrow(_FILLED).column(0).to_pylist())
    tables = {table.name: table for table in lake_tables(xsd) if of.persons is None or _of_person(table)}
    for declaration, place in zip(of.declarations, places, strict=True):
        with lake.one_state():
            found = list(_Telling(lake, of.quarter, declaration, place, tables, filled).events())
        yield from found


@dataclass(frozen=True)
class _Telling:
    """Tells of one declaration, or of one person in it.

    Attributes:
        lake: an open lake.
        quarter: e.g. 20263.
        declaration: its declaration_id.
        place: ordinal of the person; None for all that it holds.
        tables: the tables concerned by name.
        filled: names of the lake's tables that hold anything.
    """

    lake: Lake
    quarter: int
    declaration: int
    place: int | None
    tables: Mapping[str, Table]
    filled: Collection[str]

    def events(self) -> Iterator[Event]:
        """The events."""
        about = [self.quarter, self.declaration]
        versions = self.lake.arrow(_VERSIONS, about).to_pylist()
        if self.place is not None:
            own = dict(zip(*(column.to_pylist() for column in self._rows_of_person().columns), strict=True))
            versions = [{**row, "status": own.get(row["version"])} for row in versions]
        changes = self._changes([row["version"] for row in versions if row["version"] > 1])
        rows = self.lake.arrow(_AMOUNTS, about).to_pylist() if _ACCOUNT in self.filled else []
        amounts = {row["version"]: row for row in rows}
        # What the NSSO made by itself no Form asked for: its notification is about the declaration.
        reasons = self._reasons({self.declaration, *(row["form_id"] for row in versions if row["form_id"] is not None)})
        for row in versions:
            blocks = changes.get(row["version"], [])
            if row["version"] == 1:
                if (held := self._held()) is None:
                    continue
            elif self.place is not None and not blocks:
                continue
            else:
                held = None
            why = reasons.get((row["filing_id"], row["form_id"] or self.declaration), {})
            yield self._event(row) | {
                "why": why.get("declaration"),
                "why_of_persons": why.get("persons", 0),
                "holds": held,
                "changes": blocks,
                "amounts": _amounts(amounts.get(row["version"])),
            }
        if self.place is None:
            for row in self.lake.arrow(_WITHOUT, about).to_pylist():
                yield self._event(row)

    def _event(self, row: Mapping[str, Any]) -> Event:
        return {
            "quarter": self.quarter,
            "declaration": self.declaration,
            "noss_registration_nbr": row["noss_registration_nbr"],
            "person": self.place,
            "version": row["version"],
            "status": None if row["status"] is None else STATUS.get(row["status"], str(row["status"])),
            "state": row["state"] or "applied",
            "codes": row["codes"],
            "known_from": row["known_from"].isoformat(sep=" ") if row["known_from"] else None,
            "by": _who(row),
            "filing": row["filing"],
            "filing_ticket": row["filing_ticket"],
            "ticket": row["ticket"],
        }

    def _rows_of_person(self) -> pa.Table:
        """Version and status of each row of the person."""
        return self.lake.arrow(f"SELECT version, status FROM lake.history.natural_person {self._where('')}")  # noqa: S608

    def _held(self) -> dict[str, int] | None:
        """How many persons and lines the first version holds; None if the person is not in it."""
        parts = (
            f"SELECT count(*) FROM lake.history.{table} {self._where('AND version = 1')}"  # noqa: S608
            for table in ("natural_person", LINE)
        )
        persons, lines = (column[0].as_py() for column in self.lake.arrow(f"SELECT ({'), ('.join(parts)})").columns)
        return None if self.place is not None and not persons else {"persons": persons, "lines": lines}

    def _changes(self, versions: list[int]) -> dict[int, list[Node]]:
        """The blocks that each version changed, the outermost first."""
        if not versions:
            return {}
        replaced = frame(self.lake.arrow(_REPLACED, [self.quarter, self.declaration]))
        rows = {name: self._rows(table, replaced) for name, table in self.tables.items()}
        after = {name: found.filter(pl.col("version") > 1) for name, found in rows.items()}
        # Whatever a version ends has a row of its own in it, of this person or of another.
        units = (unit_of(table.arrow_schema.names) for table in self.tables.values())
        brought = pl.concat(
            after[unit].select("version", unit=pl.lit(unit), ordinal=pl.col(own) if own else pl.lit(0, pl.Int32))
            for unit, own in dict.fromkeys(units)
        )
        ended = replaced.join(
            brought, left_on=["ended_by", "unit", "ordinal"], right_on=["version", "unit", "ordinal"], how="semi"
        )

        def read(name: str, keys: pl.DataFrame) -> pl.DataFrame:
            return rows[name].join(keys, on=keys.columns, how="semi", maintain_order="left")

        tables = tuple(self.tables.values())
        return self._nested(compare(earlier(read, ended, tables), later(after, tables), tables))

    def _rows(self, table: Table, replaced: pl.DataFrame) -> pl.DataFrame:
        """The rows of later versions, and those that they ended, among others of the same units."""
        names = table.arrow_schema.names
        if table.name not in self.filled:
            return pl.DataFrame(table.arrow_schema.empty_table())
        unit, own = unit_of(names)
        which = "version > 1"
        ordinals = replaced.filter(pl.col("unit") == unit)["ordinal"].to_list()
        if own is None or (self.place is not None and _PERSON in names):
            which = "true"
        elif ordinals:
            which += f" OR {own} BETWEEN {min(ordinals)} AND {max(ordinals)}"
        where = self._where(f"AND ({which})", of_person=_PERSON in names)
        return frame(self.lake.arrow(f"SELECT * FROM lake.history.{table.name} {where}"))  # noqa: S608 - own names

    def _where(self, more: str, *, of_person: bool = True) -> str:
        """The rows of the declaration, or of the person in it, of a table."""
        person = f"AND {_PERSON} = {self.place}" if of_person and self.place is not None else ""
        return f"WHERE quarter = {self.quarter} AND declaration_id = {self.declaration} {person} {more}"

    def _nested(self, compared: Mapping[str, pl.DataFrame]) -> dict[int, list[Node]]:
        """By version, the blocks that changed, each inside the one around it."""
        nodes: dict[_Place, Node] = {}
        parents: list[tuple[_Place, Node]] = []
        for name, rows in compared.items():
            table = self.tables[name]
            for row in rows.filter(pl.col(ACTION) != UNCHANGED).iter_rows(named=True):
                own, parent, *_ = _places(table, row)
                nodes[own] = node = _node(table, row)
                parents.append((parent, node))
        found: dict[int, list[Node]] = defaultdict(list)
        for parent, node in parents:
            (nodes[parent]["blocks"] if parent in nodes else found[parent[0]]).append(node)
        return found

    def _reasons(self, about: Collection[int]) -> dict[tuple[int, int], dict[str, Any]]:
        """By filing and Form, what was told of why: for the declaration, and of how many persons there is a reason."""
        found = {}
        for row in self.lake.arrow(_TOLD, [NOTIFICATION, list(about)]).to_pylist():
            root = etree.fromstring(row["content"].encode(), etree.XMLParser(resolve_entities=False, no_network=True))
            found[row["filing_id"], row["about"]] = {
                "declaration": root.findtext(".//SubGroupInformation/Justification"),
                "persons": len(root.findall(".//NaturalPersonJustification/Justification")),
            }
        return found


def _of_person(table: Table) -> bool:
    return table.name == _TOP or _PERSON in table.arrow_schema.names


def _places(table: Table, row: Mapping[str, Any]) -> Iterator[_Place]:
    """Where a block is: its own place, then those of the blocks around it, and that of what is in none."""
    for name in reversed(ordinals_of(table)):
        if row[name] is not None:  # of two that exclude one another, one has no number
            yield row[STEP], name, row[name]
    yield row[STEP], _TOP, 0
    yield row[STEP], "", 0


def _node(table: Table, row: Mapping[str, Any]) -> Node:
    action = row[ACTION]
    unit, own = unit_of(table.arrow_schema.names)
    return {
        "block": table.block.name,
        "words": table.block.words,
        "place": (row[own] if own else 0) if unit == table.name else None,
        "keys": list(_keys_of(table, row)),
        "action": ACTIONS.get(action, "kept"),
        "version": row["version"],
        "version_before": row["version_before"],
        "zones": list(_zones(table, row, action)),
        "blocks": [],
    }


def _keys_of(table: Table, row: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The zones that tell a block from its like."""
    told = _OF_UNITS.get(table.name) or IDENTIFYING.get(table.name, ())
    for column in table.columns:
        if column.zone is not None and column.name in told and row[column.name] is not None:
            yield {"zone": column.zone.name, "number": column.zone.number, "value": _shown(row[column.name])}


def _zones(table: Table, row: Mapping[str, Any], action: int) -> Iterator[dict[str, Any]]:
    """The zones that changed; of a block that came or went, all that it has."""
    if action not in ACTIONS:
        return
    for column in table.columns:
        zone = column.zone
        if zone is None:
            continue
        now, was = row[column.name], row[f"{column.name}_before"]
        now, was = (None, now) if action == REMOVED else (now, was if action == CHANGED else None)
        if now == was:
            continue
        yield {
            "zone": zone.name,
            "number": zone.number,
            "words": zone.words,
            "unit": zone.unit,
            "before": NOT_TOLD if zone.personal and was is not None else _shown(was),
            "after": NOT_TOLD if zone.personal and now is not None else _shown(now),
        }


def _shown(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


def _who(row: Mapping[str, Any]) -> str:
    """Who made a version, as far as the name of the filing tells it."""
    if row["kind"] == SYSTEM:
        return "the NSSO, by its system"
    if row["kind"] == SUSPECTED:
        return "the NSSO, for an error that a recipient suspected"
    if row["kind"] == "IDFLUX":
        return "the NSSO, which replaced a number"
    sender = sender_of(row["filing"] or "")
    return f"sender {sender}" if sender else "a sender whose number is not in the name of the file"


def _amounts(row: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if row is None:
        return None
    return {name: row[name] for name in ("entry", "debit_cents", "credit_cents", "computed_net_cents")}
