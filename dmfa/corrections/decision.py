"""What a Form does to a declaration, unit by unit, or why it may not: the situations that it quotes must be the last.

Source: NSSO glossary of DmfAUpdate, zones 00534, 00548, 00549, 00610, 00611, 00618, 00619, 00620, 00782, 01253 and
their anomalies 001, 006, 174, 176, 180, 182. Anomalies 177 and 178 (a block is known under another declaration or
person) can not be told from 180 and 182, since versions are counted by declaration.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from dmfa.corrections.faults import Faults
from dmfa.corrections.request import Asked, AskedPerson, Form
from dmfa.corrections.shape import CHANGE, CREATE, DELETE, UNCHANGED
from dmfa.corrections.situation import Declaration, Group, Person, Place, Unit
from dmfa.corrections.state import (
    BESIDE,
    CANCELLED,
    CHANGED,
    COMPENSATION,
    DECLARATION,
    NEW,
    PERSON,
    REACTIVATED,
    UNRELATED,
    VEHICLE,
)
from dmfa.schema import LINE


@dataclass(frozen=True)
class Codes:
    """Official codes of what can be wrong with a unit that a Form quotes.

    Attributes:
        version: zone of the version quoted.
        untold: the Form does not tell which situation it goes out from.
        again: the same unit, or two with the same key.
        exists: it is to be created, and is there already.
        parts: by part of the key, the zone that differs from what is declared; empty where that can not be.
    """

    version: str
    untold: str
    again: str
    exists: str
    parts: tuple[str, ...]


CODES: Final = {
    LINE: Codes("00610", "90221-001", "90225-006", "00618-174", ("00036-176", "00037-176")),
    UNRELATED: Codes("00611", "90222-001", "90237-006", "00618-174", ("00019-176", "00020-176")),
    VEHICLE: Codes("00782", "00782-001", "90312-006", "90312-174", ("",)),
    COMPENSATION: Codes("01253", "01253-001", "00618-174", "00618-174", ("",)),
}
"""By table of a unit. A compensation stands once in a Form by the structure itself, so it has no code 006."""


@dataclass(slots=True)
class Step:
    """A unit that gets a new row.

    Attributes:
        asked: what the Form asks.
        unit: the unit; None for one that never was.
        status: of the new row.
        key: its key from now on.
        place: where its zones stand from now on.
    """

    asked: Asked
    unit: Unit | None
    status: int
    key: str
    place: Place


@dataclass(slots=True)
class Steps:
    """What happens to the units of a group.

    Attributes:
        group: the units.
        person: the person whose lines they are.
        asked: what the Form asks of that person.
        steps: those that get a new row.
    """

    group: Group
    person: Person | None = None
    asked: AskedPerson | None = None
    steps: list[Step] = field(default_factory=list)


def decide(form: Form, declaration: Declaration, faults: Faults) -> list[Steps]:
    """What a Form does to a declaration; what may not be is told.

    Args:
        form: what is asked.
        declaration: the situation that it meets; left as it is.
        faults: takes what may not be.
    """
    _same_declaration(form, declaration, faults)
    found = []
    seen: set[int] = set()
    for asked in form.persons:
        person = declaration.persons.get(asked.inss)
        # An outdated number and the valid one are of one person.
        meant = asked.inss if person is None else person.inss
        if meant in seen:
            faults.add("90220-006", PERSON, asked.ordinal, "the person stands twice in the Form")
            continue
        seen.add(meant)
        known = _person(form.form_id, asked, person, faults)
        steps = list(_steps(form, known.lines, asked.lines, faults))
        found.append(Steps(known.lines, known, asked, steps))
    for table in BESIDE:
        wanted = [asked for asked in form.beside if asked.table == table]
        if wanted:
            group = declaration.beside[table]
            found.append(Steps(group, steps=list(_steps(form, group, wanted, faults))))
    return found


def _same_declaration(form: Form, declaration: Declaration, faults: Faults) -> None:
    differs = "is not what the declaration holds"
    if form.number not in declaration.numbers:
        faults.add("00011-176", DECLARATION, 0, differs)
    if form.trusteeship != declaration.trusteeship:
        faults.add("00012-176", DECLARATION, 0, differs)
    if form.system5 is not None and form.system5 != declaration.system5:
        faults.add("00016-176", DECLARATION, 0, differs)


def _person(form_id: int, asked: AskedPerson, person: Person | None, faults: Faults) -> Person:
    """The person meant; a new one if the Form does not claim to know any."""
    quoted = (
        ("00548", asked.declared_pid, person.declared_pid if person else None),
        ("00549", asked.pid, person.pid if person else None),
    )
    if person is None:
        if asked.version is not None or any(value is not None for _, value, _ in quoted):
            faults.add("00024-182", PERSON, asked.ordinal, "is of nobody in the declaration")
        unit = Unit(PERSON, None, -1, "", Place(form_id, asked.ordinal, 0))
        return Person(unit, asked.given_pid, asked.given_declared_pid, inss=asked.inss)
    if person.inss != asked.inss:
        faults.add("90220-252", PERSON, asked.ordinal, "the person's number was replaced")
    for zone, value, held in quoted:
        if value is None and person.unit.in_force:
            faults.add(f"{zone}-001", PERSON, asked.ordinal, "is missing; the person is declared already")
        elif value is not None and value != held:
            faults.add(f"{zone}-176", PERSON, asked.ordinal, "is not that of the person")
    last = person.unit.version
    if asked.version is None:
        if person.unit.in_force:
            faults.add("00620-001", PERSON, asked.ordinal, f"is missing; the last version is {last}")
    elif asked.version != last:
        kind = "180" if asked.version in person.versions else "182"
        faults.add(f"00620-{kind}", PERSON, asked.ordinal, f"quotes version {asked.version}, the last one is {last}")
    return person


def _steps(form: Form, group: Group, wanted: list[Asked], faults: Faults) -> Iterator[Step]:
    """Steps of the units of a group, each told; keys must be free when all are done."""
    free: set[str] = set()
    taken: set[str] = set()
    met: set[int] = set()
    found = []
    for asked in wanted:
        step = _created(form, group, asked, faults) if asked.action == CREATE else _quoted(form, group, asked, faults)
        if step is None:
            continue
        if step.unit is not None and step.unit.ordinal in met:
            faults.add(CODES[asked.table].again, asked.table, asked.ordinal, "is asked twice in the Form")
            continue
        if step.unit is not None:
            met.add(step.unit.ordinal)
        if asked.action == UNCHANGED:
            continue
        if asked.action != CREATE and step.unit is not None:
            free.add(step.unit.key)
        found.append(step)
    marks = {unit.mark for key, unit in group.in_force.items() if unit.mark and key not in free}
    for step in found:
        if step.status != CANCELLED:
            if step.asked.mark in marks:
                faults.add(
                    CODES[step.asked.table].again, step.asked.table, step.asked.ordinal, "has a plate declared twice"
                )
            if step.asked.mark:
                marks.add(step.asked.mark)
            if step.key in taken or (step.key in group.in_force and step.key not in free):
                codes = CODES[step.asked.table]
                created = step.asked.action == CREATE and step.key not in taken
                code = codes.exists if created else codes.again
                faults.add(code, step.asked.table, step.asked.ordinal, "would stand twice with the same identifiers")
            taken.add(step.key)
        yield step


def _created(form: Form, group: Group, asked: Asked, faults: Faults) -> Step | None:
    """A unit that is to be; one that was cancelled takes its place up again."""
    if asked.last_version is not None:
        faults.add("00618-174", asked.table, asked.ordinal, "creates what has a last situation")
        return None
    if asked.key is None:
        raise ValueError("a unit is created that the Form does not declare")
    _occupations(asked, None, faults)
    before = group.cancelled.get(asked.key)
    again = before[-1] if before else None
    place = Place(form.form_id, asked.ordinal, 0)
    return Step(asked, again, NEW if again is None else REACTIVATED, asked.key, place)


def _quoted(form: Form, group: Group, asked: Asked, faults: Faults) -> Step | None:
    """A unit whose last situation the Form quotes, to be changed, cancelled or left as it is."""
    codes = CODES[asked.table]
    if asked.action == UNCHANGED and asked.table != LINE:
        faults.add("00618-174", asked.table, asked.ordinal, "only a line can be left as it is")
        return None
    last_key = asked.key if asked.table == VEHICLE else asked.last_key
    if last_key is None or asked.last_version is None:
        faults.add(codes.untold, asked.table, asked.ordinal, "does not say which situation it goes out from")
        return None
    unit = group.find(last_key, asked.last_version)
    if isinstance(unit, str):
        held = group.in_force.get(last_key)
        now = "none is in force" if held is None else f"the last one is {held.version}"
        faults.add(f"{codes.version}-{unit}", asked.table, asked.ordinal, f"quotes version {asked.last_version}, {now}")
        return None
    if asked.mark is not None and asked.mark != unit.mark:
        faults.add("00781-176", asked.table, asked.ordinal, "is not that of the vehicle declared")
    if asked.action == CHANGE:
        if asked.key is None:
            raise ValueError("a unit is changed that the Form does not declare")
        _occupations(asked, unit.version, faults)
        return Step(asked, unit, CHANGED, asked.key, Place(form.form_id, asked.ordinal, 0))
    if asked.key is not None:
        for code, part, held_part in zip(codes.parts, asked.key.split("|"), unit.key.split("|"), strict=True):
            if code and part != held_part:
                faults.add(code, asked.table, asked.ordinal, "is not that of the situation quoted")
    return Step(asked, unit, CANCELLED if asked.action == DELETE else CHANGED, unit.key, unit.place)


def _occupations(asked: Asked, version: int | None, faults: Faults) -> None:
    """Versions quoted of occupations are those of their line: they have none of their own."""
    for own, quoted in asked.occupations:
        if quoted != version:
            held = "the line is new" if version is None else f"that of its line is {version}"
            faults.add("00619-182", "occupation", own, f"quotes version {quoted}, {held}")
