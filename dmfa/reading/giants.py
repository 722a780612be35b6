"""What a schema finds wrong in a giant, within bounded memory.

Only a tree tells line and path of a fault, and the tree of a giant takes six times its bytes. So a giant is read twice:
first for all that is not a person, then group by group of its persons, each put back in its place among the rest and
judged as a tree of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from io import BytesIO

from lxml import etree

from dmfa.reading.faults import MOST, Fault, faults
from dmfa.reading.parsing import OPTIONS
from dmfa.schema import FORM, MESSAGES, Message, Release

GROUP = 2_000
"""Persons, or Forms, judged together: about 40 MB as a tree."""

_PLACES = {
    message: re.compile(
        rf"/{message.name}/{FORM}(?:\[(?P<form>\d+)\])?"
        rf"(?:(?P<declaration>/{message.top}(?:\[(?P<top>\d+)\])?)"
        rf"(?P<person>/{message.person}(?:\[(?P<number>\d+)\])?)?)?(?=/|$)"
    )
    for message in MESSAGES.values()
}


def giant_faults(data: bytes, schema: etree.XMLSchema, release: Release) -> list[Fault]:
    """The faults of an invalid giant, at most the first thousand, in the order of their lines.

    Args:
        data: a well-formed filing.
        schema: the compiled release.
        release: the release.
    """
    rest = _Rest(data, MESSAGES[release.message])
    found: dict[tuple[str, int], Fault] = {}
    for group in _groups(data, rest):
        if not group.judge(schema):
            for fault in faults(rest.root, schema.error_log, release):
                moved = replace(fault, path=group.path(fault.path))
                found.setdefault((moved.path, moved.line), moved)
        group.leave()
        if len(found) >= MOST:
            break
    # A fault between two groups, such as two persons too many, is told without a place rather than not at all.
    whole = f"it breaks {release.name} as a whole"
    nowhere = Fault(f"{release.quarter.code}-146", whole, None, None, f"/{release.message}", 1)
    ordered = sorted(found.values(), key=lambda fault: fault.line)
    return ordered[:MOST] or [nowhere]


@dataclass
class _Rest:
    """A giant without its persons: one empty person stands for each run of them.

    Attributes:
        data: its bytes.
        message: what it is.
        root: its root element; the Forms are taken out and wait in `forms`.
        forms: its Forms.
        persons: number of persons in each declaration.
        places: of what stands in the root or beside persons, its place among all elements there, from 1.
    """

    data: bytes
    message: Message
    root: etree._Element = field(init=False)
    forms: list[etree._Element] = field(init=False)
    persons: dict[etree._Element, int] = field(init=False, default_factory=dict)
    places: dict[etree._Element, int] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        runs: dict[etree._Element, int] = {}
        mark: etree._Element | None = None
        for person, starts_run, _ in _persons(self.data, self.message, keep_forms=True):
            top = person.getparent()
            if top is not None:
                self.persons[top] = self.persons.get(top, 0) + 1
                if starts_run or mark is None:
                    mark = person
                    person.clear()
                else:
                    top.remove(person)
                runs[mark] = runs.get(mark, 0) + 1
        if self.persons:
            self.root = next(iter(self.persons)).getroottree().getroot()
        else:
            self.root = etree.fromstring(self.data, etree.XMLParser(**OPTIONS))
        for parent in (self.root, *self.persons):
            place = 0
            for child in parent:
                place += runs.get(child, 1)
                self.places[child] = place
        self.forms = self.root.findall(FORM)
        for form in self.forms:
            self.root.remove(form)


def _persons(data: bytes, message: Message, *, keep_forms: bool) -> Iterator[tuple[etree._Element, bool, int]]:
    """Every person of a declaration, whether it begins a run of them, and the number of its Form.

    Each is given out when the next has ended: only then may it be taken from its tree.
    """
    before: etree._Element | None = None
    starts_run, form = False, 0
    for _, element in etree.iterparse(BytesIO(data), events=("end",), tag=(message.person, FORM), **OPTIONS):
        way = [above.tag for above in element.iterancestors()]
        is_person = element.tag == message.person
        if way != ([message.top, FORM, message.name] if is_person else [message.name]):
            continue  # it stands where none may be: part of what is around it
        after_person = before is not None and element.getprevious() is before
        if before is not None:
            yield before, starts_run, form
        before, starts_run = (element, not after_person) if is_person else (None, False)
        if element.tag == FORM:
            form += 1
            if not keep_forms:
                element.clear()
    if before is not None:
        yield before, starts_run, form


@dataclass
class _Group:
    """Some Forms with some of their persons, put into the rest of the giant.

    Attributes:
        rest: the giant without its persons.
        first: number of the first Form in it.
        earlier: for each declaration, how many of its persons stood in groups before this one.
        many_forms: number of Forms in it.
    """

    rest: _Rest
    first: int
    earlier: dict[etree._Element, int]
    many_forms: int = 0
    persons: list[tuple[etree._Element, etree._Element]] = field(default_factory=list)
    _marks: list[tuple[etree._Element, etree._Element, etree._Element | None]] = field(default_factory=list)

    def open(self, number: int) -> None:
        """Take in the Forms up to one."""
        while self.first + self.many_forms <= number:
            self.rest.root.insert(self.many_forms, self.rest.forms[self.first + self.many_forms])
            self.many_forms += 1

    def add(self, person: etree._Element, mark: etree._Element) -> None:
        """Put a person before the mark of its run."""
        top = mark.getparent()
        if top is not None:
            mark.addprevious(person)
            self.persons.append((top, person))

    def judge(self, schema: etree.XMLSchema) -> bool:
        """Whether the schema finds this group valid; the marks are out of the way meanwhile."""
        inserted = {person for _, person in self.persons}
        for form in self.rest.forms[self.first : self.first + self.many_forms]:
            for top in form.iterfind(self.rest.message.top):
                for person in top.findall(self.rest.message.person):
                    if person not in inserted:
                        self._marks.append((top, person, person.getnext()))
                        top.remove(person)
        return bool(schema.validate(self.rest.root))

    def leave(self) -> None:
        """Take the persons out again and put the marks back."""
        for top, person in self.persons:
            top.remove(person)
            self.earlier[top] = self.earlier.get(top, 0) + 1
        for top, mark, following in reversed(self._marks):
            if following is None:
                top.append(mark)
            else:
                following.addprevious(mark)
        for form in self.rest.forms[self.first : self.first + self.many_forms]:
            self.rest.root.remove(form)

    def path(self, shown: str) -> str:
        """A path in this group as the path in the giant."""
        message = self.rest.message
        match = _PLACES[message].match(shown)
        if shown.endswith("]") and shown.rpartition("/")[2].startswith("*"):
            found = self.rest.root.xpath(shown)
            place = self.rest.places.get(found[0]) if isinstance(found, list) and found else None  # type: ignore[arg-type]
            shown = shown if place is None else f"{shown.rpartition('/')[0]}/*[{place}]"
        if match is None:
            return shown
        number = self.first + int(match["form"] or 1)
        path = f"/{message.name}/{FORM}" + (f"[{number}]" if len(self.rest.forms) > 1 else "")
        path += match["declaration"] or ""
        if match["person"]:
            top = self.rest.forms[number - 1].findall(message.top)[int(match["top"] or 1) - 1]
            person = self.earlier.get(top, 0) + int(match["number"] or 1)
            path += f"/{message.person}" + (f"[{person}]" if self.rest.persons.get(top, 0) > 1 else "")
        return path + shown[match.end() :]


def _groups(data: bytes, rest: _Rest) -> Iterator[_Group]:
    """The groups of a giant, each ready to be judged and to be left before the next is asked for."""
    earlier: dict[etree._Element, int] = {}
    message = rest.message
    marks = (mark for form in rest.forms for top in form.iterfind(message.top) for mark in top.findall(message.person))
    mark: etree._Element | None = None
    group = _Group(rest, 0, earlier)
    current = 0
    for person, starts_run, number in _persons(data, message, keep_forms=False):
        if len(group.persons) + group.many_forms >= GROUP:
            yield group
            # The Form that goes on is taken in again with this person; one that has ended is not.
            group = _Group(rest, number if number == current else current + 1, earlier)
        current = number
        group.open(number)
        if starts_run or mark is None:
            mark = next(marks)
        group.add(person, mark)
    for number in range(group.first + group.many_forms, len(rest.forms)):
        if len(group.persons) + group.many_forms >= GROUP:
            yield group
            group = _Group(rest, number, earlier)
        group.open(number)
    yield group
