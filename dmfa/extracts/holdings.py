"""All that the lake holds of one person: attestations in force and before, and lines of the reference directory.

An attestation is told as a tree of its blocks, each zone with its number, words and unit, so that who reads it needs
nothing else. The number of another person that stands in it (who was replaced, who employs) is not told, nor what the
employer owes for all its workers.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, Protocol

import polars as pl
import pyarrow as pa

from dmfa.extracts.persons import DECLARATION, PERSON_TABLE
from dmfa.extracts.shape import as_given, is_identifier, ordinals_of, person_tables, zones_of
from dmfa.identifiers import INSZ_DIGITS, insz_text
from dmfa.schema import TOP, Table, ordinal, snake_case

Node = dict[str, Any]
Key = tuple[int, int]
"""Declaration, and place of the person in it."""

Amounts = Mapping[tuple[int, str, int], list[Node]]
"""Computed amounts by declared row: declaration, table, ordinal."""

ANOTHER: Final = "number of another person"
_PLACE = ordinal(PERSON_TABLE)
_STATE: Final = "state"
_TOP_TABLE = snake_case(TOP)

CANCELLED: Final = 3
"""Status (zone 100003) of a version that says that the attestation is no more."""

_VERSIONS = """
    SELECT p.declaration_id, p.natural_person_ordinal, p.quarter, p.version, p.status, p.inss, f.ticket, r.received_at,
        a.version IS NOT NULL AS in_force
    FROM lake.history.natural_person p
    SEMI JOIN (SELECT * FROM lake.history.natural_person WHERE inss = ?1) o ON o.declaration_id = p.declaration_id
        AND o.natural_person_ordinal = p.natural_person_ordinal AND o.quarter = p.quarter
    LEFT JOIN lake.authentic.natural_person a ON a.declaration_id = p.declaration_id AND a.quarter = p.quarter
        AND a.natural_person_ordinal = p.natural_person_ordinal AND a.version = p.version
    LEFT JOIN lake.received.correction c ON c.declaration_id = p.declaration_id AND c.version = p.version
    LEFT JOIN lake.received.form f
        ON f.declaration_id = coalesce(c.form_id, if(p.version = 1, p.declaration_id, NULL))
    LEFT JOIN lake.received.filing r ON r.filing_id = p.filing_id
    ORDER BY p.quarter, p.declaration_id, p.natural_person_ordinal, p.version
"""
_NUMBERS = """
    SELECT DISTINCT p.inss FROM lake.history.natural_person p
    SEMI JOIN (SELECT * FROM lake.history.natural_person WHERE inss = ?) o ON o.declaration_id = p.declaration_id
        AND o.natural_person_ordinal = p.natural_person_ordinal AND o.quarter = p.quarter
"""
_DIFFERENCES = """
    SELECT declaration_id, natural_person_ordinal, declared_table, declared_ordinal, kind, code, "type",
        declared_cents, computed_cents, outcome, trust, reason
    FROM lake.computed.difference WHERE inss IN (SELECT unnest(?::BIGINT[])) ORDER BY ALL
"""
_DIRECTORY = "SELECT * EXCLUDE (inss) FROM lake.exchange.directory WHERE inss = ? ORDER BY ALL"


class Lake(Protocol):
    """What an open lake offers to who reads of a person."""

    def arrow(self, sql: str, values: Sequence[object] | None = None) -> pa.Table:
        """The result of a query."""

    def frames(
        self,
        schema: str,
        tables: Iterable[str],
        *,
        quarter: tuple[int, int],
        declaration_ids: Collection[int] | None = None,
        persons: Collection[int] | None = None,
    ) -> dict[str, pl.DataFrame]:
        """Rows of tables, of the quarters from one to another."""

    def at_version(
        self, tables: Mapping[str, Sequence[str]], quarter: int, units: pl.DataFrame
    ) -> dict[str, pl.DataFrame]:
        """Rows of tables as they stood at versions of some declarations, which are known by the number of the state."""


@dataclass(frozen=True)
class Version:
    """One version of an attestation.

    Attributes:
        version: its number, 1 for the original.
        status: 0 new, 1 changed, 3 cancelled, 4 reactivated.
        in_force: whether it is the one that holds.
        received_at: when the filing that brought it was received, UTC; None where the ledger does not tell.
        ticket: ticket of the declaration, or of the correction that made it; None where no Form did.
        blocks: what it says: the employer's block, with the person's inside; nothing stands below a cancelled one.
    """

    version: int
    status: int
    in_force: bool
    received_at: Any
    ticket: str | None
    blocks: Node = field(repr=False)


@dataclass(frozen=True)
class Attestation:
    """What one declaration says of the person.

    Attributes:
        number: its number, that of the exchange.
        quarter: yyyyq.
        versions: all versions, the oldest first.
        not_declared: amounts that are owed by the computation, and not declared.
    """

    number: int
    quarter: int
    versions: tuple[Version, ...]
    not_declared: tuple[Node, ...] = ()

    @property
    def in_force(self) -> Version | None:
        """The version in force; None if it was cancelled."""
        return next((one for one in self.versions if one.in_force), None)


def attestation_number(declaration_id: int, place: int) -> int:
    """Number of the attestation of a person in a declaration; see `selection.attestations`.

    Args:
        declaration_id: the declaration.
        place: ordinal of the person in it.
    """
    return max(int.from_bytes(sha256(b"%d:%d" % (declaration_id, place)).digest()[:8]) >> 1, 1)


def attestations(
    lake: Lake,
    inss: int,
    *,
    quarter: int | None = None,
    block: str | None = None,
    others: bool = False,
    xsd: Path | None = None,
) -> list[Attestation]:
    """The attestations of a person by quarter, each with all its versions, under whatever number these have it.

    Args:
        lake: an open lake, with its tables of schema computed.
        inss: number of the person.
        quarter: only those of this quarter, yyyyq.
        block: label of the only block that is read, with those around it; all if not given.
        others: whether numbers of other persons are told: only to compare, never to give out.
        xsd: folder with further releases.

    Raises:
        LakeProblem: the lake cannot be read.
    """
    rows = [row for row in lake.arrow(_VERSIONS, [inss]).to_pylist() if quarter in (None, row["quarter"])]
    found: dict[Key, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        found[row[DECLARATION], row[_PLACE]].append(row)
    numbers = sorted({row["inss"] for row in rows})
    amounts, missing = _amounts(lake.arrow(_DIFFERENCES, [numbers]).to_pylist() if rows else [])
    shown = None if others else frozenset(map(insz_text, numbers))
    tables = _tables(block, xsd)
    told = {
        (_key(row), row["version"]): frames.tree(row, amounts if row["in_force"] else {}, shown)
        for frames, wanted in _read(lake, rows, tables)
        for row in wanted
    }
    return [
        Attestation(
            attestation_number(*key),
            versions[0]["quarter"],
            tuple(
                Version(
                    row["version"],
                    row["status"],
                    row["in_force"],
                    row["received_at"],
                    row["ticket"],
                    told[key, row["version"]],
                )
                for row in versions
            ),
            tuple(missing.get(key, ())),
        )
        for key, versions in sorted(found.items(), key=lambda item: (item[1][0]["quarter"], item[0]))
    ]


def numbers_of(lake: Lake, inss: int) -> list[int]:
    """The number of a person, and those that it replaced or that replaced it in a declaration.

    Args:
        lake: an open lake.
        inss: number of the person.

    Raises:
        LakeProblem: the lake cannot be read.
    """
    known: list[int] = lake.arrow(_NUMBERS, [inss]).column(0).to_pylist()
    return sorted({inss, *known})


def directory_lines(lake: Lake, inss: int) -> list[dict[str, Any]]:
    """The lines of the reference directory: which institution has a file on the person, since when."""
    lines: list[dict[str, Any]] = lake.arrow(_DIRECTORY, [inss]).to_pylist()
    return lines


def _tables(block: str | None, xsd: Path | None) -> tuple[Table, ...]:
    """The tables of what is said of a person, or those of one block and of the blocks around it."""
    tables = person_tables(xsd)
    if block is None:
        return tables
    around = {name for table in tables if table.block.name == block for name in ordinals_of(table)}
    return tuple(table for table in tables if table.name in {_TOP_TABLE, PERSON_TABLE, *around})


def _key(row: Mapping[str, Any]) -> Key:
    return row[DECLARATION], row[_PLACE]


def _amounts(
    rows: Iterable[dict[str, Any]],
) -> tuple[dict[tuple[int, str, int], list[Node]], dict[Key, list[Node]]]:
    """Computed amounts by declared row, and those without one by attestation."""
    amounts: dict[tuple[int, str, int], list[Node]] = defaultdict(list)
    missing: dict[Key, list[Node]] = defaultdict(list)
    for row in rows:
        place = (row.pop(DECLARATION), row.pop("declared_table"), row.pop("declared_ordinal"))
        person = row.pop(_PLACE)
        if place[1] is not None:
            amounts[place].append(row)
        elif person is not None:
            missing[place[0], person].append(row)
    return amounts, missing


def _read(
    lake: Lake, rows: Sequence[dict[str, Any]], tables: tuple[Table, ...]
) -> Iterator[tuple[_Frames, list[dict[str, Any]]]]:
    """Versions with the rows of what they say: those in force at once, others by quarter."""
    in_force = [row for row in rows if row["in_force"]]
    if in_force:
        quarters = [row["quarter"] for row in in_force]
        yield (
            _Frames(
                tables,
                lake.frames(
                    "authentic",
                    [table.name for table in tables],
                    quarter=(min(quarters), max(quarters)),
                    declaration_ids={row[DECLARATION] for row in in_force},
                    persons={row[_PLACE] for row in in_force},
                ),
            ),
            in_force,
        )
    before: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        if not row["in_force"] and row["status"] != CANCELLED:
            before[row["quarter"]].append({**row, _STATE: len(before[row["quarter"]])})
    columns = {table.name: table.arrow_schema.names for table in tables}
    for quarter, wanted in before.items():
        units = pl.DataFrame(
            wanted, schema={_STATE: pl.Int64, DECLARATION: pl.Int64, _PLACE: pl.Int32, "version": pl.Int16}
        )
        yield _Frames(tables, lake.at_version(columns, quarter, units), _STATE), wanted
    gone = [row for row in rows if row["status"] == CANCELLED]
    if gone:
        alone = tuple(table for table in tables if table.name in {_TOP_TABLE, PERSON_TABLE})
        quarters = [row["quarter"] for row in gone]
        left = lake.frames(
            "history",
            [table.name for table in alone],
            quarter=(min(quarters), max(quarters)),
            declaration_ids={row[DECLARATION] for row in gone},
            persons={row[_PLACE] for row in gone},
        )
        yield _Frames(alone, left), gone


@dataclass(frozen=True)
class _Frames:
    """Rows of some persons' blocks, by table.

    Attributes:
        tables: what the tables hold.
        rows: their rows; a table without any may be left out.
        key: what a version is known by there.
    """

    tables: tuple[Table, ...]
    rows: Mapping[str, pl.DataFrame]
    key: str = DECLARATION

    def tree(self, of: Mapping[str, Any], amounts: Amounts, shown: Collection[str] | None) -> Node:
        """The blocks of one version, from the employer's down, in document order.

        Args:
            of: the version.
            amounts: computed amounts by declared row.
            shown: the only numbers of persons that are told; None for all.
        """
        nodes: dict[tuple[str, int], Node] = {}
        parents: list[tuple[tuple[str, int], Node]] = []  # joined last: a table may come before that of a parent
        for table in self.tables:
            if table.name not in self.rows:
                continue
            frame = self._of(table, of)
            zones = zones_of(table)
            told = frame.select(as_given(zone).alias(name) for name, zone in zones.items()).to_dicts()
            first = None
            for row, values in zip(frame.to_dicts(), told, strict=True):
                above = [(name, row[ordinal(name)]) for name in ordinals_of(table)]
                own = above[-1][1] if above else 0
                first = own if first is None else first
                node = _node(table, values, shown)
                if above:
                    node["ordinal"] = own - first
                if computed := amounts.get((of[DECLARATION], table.name, own)):
                    node["computed"] = computed
                nodes[table.name, own] = node
                around = (place for place in reversed(above[:-1]) if place[1] is not None)
                if above:
                    parents.append((next(around, (_TOP_TABLE, 0)), node))
        for parent, node in parents:
            nodes[parent]["blocks"].append(node)
        return nodes[_TOP_TABLE, 0]

    def _of(self, table: Table, of: Mapping[str, Any]) -> pl.DataFrame:
        """The rows of a table that belong to a version of an attestation, in document order."""
        frame = self.rows[table.name].filter(pl.col(DECLARATION) == of[self.key])
        if table.name == _TOP_TABLE:
            # What is in force may be later: versions of a declaration need not touch everybody in it.
            return frame.filter(of["in_force"] or pl.col("version") <= of["version"]).sort("version").tail(1)
        if table.name == PERSON_TABLE:
            frame = frame.filter(pl.col("version") == of["version"])
        return frame.filter(pl.col(_PLACE) == of[_PLACE]).sort(ordinal(table.name))


def _node(table: Table, values: Mapping[str, Any], shown: Collection[str] | None) -> Node:
    zones = []
    for name, zone in zones_of(table).items():
        value = values[name]
        # What an employer owes for all its workers says nothing of one of them.
        if value is None or (shown is not None and table.name == _TOP_TABLE and zone.unit == "cent"):
            continue
        anybody = is_identifier(zone) and len(value) == INSZ_DIGITS and int(value)
        if shown is not None and anybody and value not in shown:
            value = ANOTHER
        if isinstance(value, date):
            value = value.isoformat()
        zones.append({"zone": name, "number": zone.number, "words": zone.words, "unit": zone.unit, "value": value})
    return {"block": table.block.name, "words": table.block.words, "zones": zones, "blocks": []}


def labels(blocks: Node) -> list[str]:
    """Labels of the blocks in a tree, each once, as the log tells them."""
    found: dict[str, None] = {}
    waiting = [blocks]
    while waiting:
        node = waiting.pop(0)
        found[node["block"]] = None
        waiting += node["blocks"]
    return list(found)
