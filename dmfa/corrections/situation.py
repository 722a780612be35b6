"""Declarations as corrections find and leave them: which units are in force, under which key and version.

Plain objects: what becomes of a unit is decided one by one, in the order in which corrections came; rows follow.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import chain
from typing import NamedTuple

import polars as pl

from dmfa.corrections.state import (
    BESIDE,
    CANCELLED,
    DECLARATION,
    KEYS,
    PERSON,
    VEHICLE,
    State,
    with_pids,
)
from dmfa.schema import LINE, ordinal

STALE, UNKNOWN = "180", "182"
"""Kinds of anomaly: not the last situation; not found."""


class Place(NamedTuple):
    """Where the zones of a unit stand.

    Attributes:
        form_id: the Form that declares them; None if they stand in the lake.
        ordinal: the unit's ordinal there.
        version: version of the row in the lake; 0 in a Form.
    """

    form_id: int | None
    ordinal: int
    version: int


@dataclass(slots=True)
class Unit:
    """What a correction replaces whole.

    Attributes:
        table: its table.
        person: ordinal of the person whose line it is, None for any other.
        ordinal: its own, for life.
        key: what tells it from its like, as a correction quotes it.
        place: where its zones stand.
        version: version of its last row, None for one that has none yet.
        in_force: whether that row is in force.
        mark: plate of a vehicle; None for any other.
    """

    table: str
    person: int | None
    ordinal: int
    key: str
    place: Place
    version: int | None = None
    in_force: bool = False
    mark: str | None = None


@dataclass(slots=True)
class Group:
    """Units of one table among which a key stands once: the lines of a person, the vehicles of a declaration.

    Attributes:
        in_force: units in force by key.
        cancelled: units no longer in force by the key that they had last; of several the one cancelled last is last.
        past: key and version of every situation that any of them ever had.
    """

    in_force: dict[str, Unit] = field(default_factory=dict)
    cancelled: dict[str, list[Unit]] = field(default_factory=dict)
    past: set[tuple[str, int]] = field(default_factory=set)

    def find(self, key: str, version: int) -> Unit | str:
        """The unit whose last situation is quoted; else the kind of anomaly, `STALE` or `UNKNOWN`."""
        unit = self.in_force.get(key)
        if unit is not None and unit.version == version:
            return unit
        return STALE if (key, version) in self.past else UNKNOWN

    def release(self, unit: Unit) -> None:
        """Take a unit out, before it changes: its key is then free."""
        if unit.in_force:
            del self.in_force[unit.key]
        else:
            self.cancelled[unit.key].remove(unit)

    def take(self, unit: Unit) -> None:
        """Take in a unit with the situation that it now has."""
        if unit.in_force:
            self.in_force[unit.key] = unit
        else:
            self.cancelled.setdefault(unit.key, []).append(unit)
        self.past.add((unit.key, unit.version or 0))

    def units(self) -> Iterator[Unit]:
        """All of them."""
        return chain(self.in_force.values(), *self.cancelled.values())


@dataclass(slots=True)
class Person:
    """A person in a declaration, with the lines.

    Attributes:
        unit: the person's own.
        pid: identifier of the person (zone 00549).
        declared_pid: identifier in this declaration (zone 00548).
        lines: the lines.
        versions: versions of every situation.
        inss: the number in force.
    """

    unit: Unit
    pid: int | None = None
    declared_pid: int | None = None
    inss: int = 0
    lines: Group = field(default_factory=Group)
    versions: set[int] = field(default_factory=set)


@dataclass(slots=True)
class Declaration:
    """A declaration: its own zones that matter, persons concerned, and units beside them.

    Attributes:
        declaration_id: its identifier.
        quarter: yyyyq.
        top: the unit of its own zones.
        numbers: every NSSO number that its employer has had.
        trusteeship: zone 00012.
        system5: zone 00016.
        holiday: zone 00017, HolidayStartingDate.
        known_from: since when its last version is known.
        persons: persons concerned, by number; a number that was replaced leads to its person too.
        beside: by table, the units beside persons.
        in_force: how many persons and units beside them are in force.
        highest: by table of a unit, the highest ordinal ever used.
    """

    declaration_id: int
    quarter: int
    top: Unit
    numbers: set[int]
    trusteeship: int | None
    system5: int | None
    holiday: date | None
    known_from: datetime
    persons: dict[int, Person] = field(default_factory=dict)
    beside: dict[str, Group] = field(default_factory=lambda: defaultdict(Group))
    in_force: int = 0
    highest: dict[str, int] = field(default_factory=lambda: defaultdict(lambda: -1))

    @property
    def version(self) -> int:
        """Its version: every correction of anything in it makes the next one."""
        return self.top.version or 0

    def next_ordinal(self, table: str) -> int:
        """A number that no unit of a table has had."""
        self.highest[table] += 1
        return self.highest[table]


def key_of(table: str) -> pl.Expr:
    """What tells a unit from its like, as text: '<class>|<code>' for a line."""
    parts = [pl.col(name).cast(pl.String).fill_null("") for name in KEYS[table]]
    return pl.concat_str(parts, separator="|")


def mark_of(table: str) -> pl.Expr:
    """What goes with the key of a unit and must agree with it: the plate of a vehicle."""
    return pl.col("license_plate") if table == VEHICLE else pl.lit(None, pl.String)


def declarations(state: State, asked: pl.DataFrame) -> dict[int, Declaration]:
    """Every declaration of a state, by identifier.

    Args:
        state: what is known.
        asked: form_id and unit: units beside persons are told of declarations alone that are asked to change such.
    """
    found: dict[int, Declaration] = {}
    columns = ("declaration_id", "quarter", "version", "status", "noss_registration_nbr", "trusteeship", "system5")
    top = state.rows[DECLARATION].sort("declaration_id", "version")
    for row in top.select(*columns, "holiday_starting_date", "known_from").iter_rows():
        declaration_id, quarter, version, status, number, trusteeship, system5, holiday, known_from = row
        numbers = found[declaration_id].numbers if declaration_id in found else set()
        unit = Unit(DECLARATION, None, 0, "", Place(None, 0, version), version, status != CANCELLED)
        found[declaration_id] = Declaration(
            declaration_id, quarter, unit, numbers | {number or 0}, trusteeship, system5, holiday, known_from
        )
    for table, counts in state.counts.items():
        for declaration_id, in_force, highest in counts.iter_rows():
            found[declaration_id].in_force += in_force
            found[declaration_id].highest[table] = highest
    _add_persons(found, state)
    changing = asked.select("form_id", "unit").join(state.matched, on="form_id")
    for table in BESIDE:
        rows = state.rows[table]
        concerned = changing.filter(pl.col("unit") == table)["declaration_id"].unique()
        own = rows.filter(pl.col("declaration_id").is_in(concerned.implode()))
        for (declaration_id, _), group in _groups(own, table).items():
            found[declaration_id].beside[table] = group
    if LINE in state.highest:
        for declaration_id, highest in state.highest[LINE].iter_rows():
            found[declaration_id].highest[LINE] = highest
    return found


def _add_persons(found: dict[int, Declaration], state: State) -> None:
    """The persons concerned, with their lines."""
    held = state.rows[PERSON]
    rows = (
        held.join(with_pids(held, state.rows[DECLARATION]), on=["declaration_id", ordinal(PERSON)])
        .sort("declaration_id", ordinal(PERSON), "version")
        .select("declaration_id", ordinal(PERSON), "version", "status", "inss", "person_pid", "declared_pid")
    )
    lines = _groups(state.rows[LINE], LINE)
    persons: dict[tuple[int, int], Person] = {}
    for declaration_id, own, version, status, inss, pid, declared_pid in rows.iter_rows():
        unit = Unit(PERSON, None, own, "", Place(None, own, version), version, status != CANCELLED)
        person = persons.setdefault(
            (declaration_id, own), Person(unit, pid, declared_pid, lines=lines[declaration_id, own])
        )
        person.unit, person.inss = unit, inss
        person.versions.add(version)
        found[declaration_id].persons.setdefault(inss, person)
    # A number belongs to who has it now, and of several to who is in force, whoever had it before.
    for (declaration_id, _), person in sorted(persons.items(), key=lambda one: one[1].unit.in_force):
        found[declaration_id].persons[person.inss] = person


def _groups(rows: pl.DataFrame, table: str) -> dict[tuple[int, int | None], Group]:
    """Units of a table by declaration, and of lines by person."""
    person = pl.col(ordinal(PERSON)) if table == LINE else pl.lit(None, pl.Int32)
    by_version = rows.sort("version").select(
        "declaration_id",
        person.alias("person"),
        ordinal(table),
        "version",
        "status",
        key_of(table).alias("key"),
        mark_of(table).alias("mark"),
    )
    groups: dict[tuple[int, int | None], Group] = defaultdict(Group)
    last: dict[tuple[int, int], Unit] = {}
    for declaration_id, of_person, own, version, status, key, mark in by_version.iter_rows():
        groups[declaration_id, of_person].past.add((key, version))
        place = Place(None, own, version)
        last[declaration_id, own] = Unit(table, of_person, own, key, place, version, status != CANCELLED, mark)
    for (declaration_id, _), unit in sorted(last.items(), key=lambda one: one[1].version or 0):
        groups[declaration_id, unit.person].take(unit)
    return groups
