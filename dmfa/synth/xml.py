"""Invented declarations as XML: a whole file in memory, or its head, persons and end piece by piece."""

from __future__ import annotations

from dmfa.quarter import Quarter
from dmfa.schema import ORIGINAL, Message, release_for, releases
from dmfa.synth.declaration import Declaration
from dmfa.synth.tally import Tally
from dmfa.synth.writer import Writer

_XSI = "http://www.w3.org/2001/XMLSchema-instance"


def schema_name(quarter: Quarter, message: Message = ORIGINAL) -> str:
    """The release that a filing of this quarter cites; before the oldest at hand, the quarter's own name."""
    release = release_for(message.name, quarter)
    if release is None and releases(message.name):
        return f"{message.name}_{quarter.code}.xsd"
    return release.name if release else f"{message.name}.xsd"


def document(
    declarations: list[Declaration],
    tallies: list[Tally] | None = None,
    style: int | None = None,
    encoding: str = "UTF-8",
) -> bytes:
    """A filing with one Form per declaration.

    Args:
        declarations: at least one.
        tallies: one per declaration, filled with what is written.
        style: 0 compact, 1 indented, 2 indented and padded; by default that of the first employer.
        encoding: named in the XML declaration; what it lacks becomes a character reference.

    Returns:
        The file's bytes; valid against the XSD of the quarter unless the declaration is not.
    """
    chosen = declarations[0].employer.style if style is None else style
    writer = Writer(chosen)
    parts = [opening(declarations[0].quarter, encoding)]
    for number, declaration in enumerate(declarations):
        tally = tallies[number] if tallies else Tally()
        parts.append(writer.head(declaration, tally))
        parts += [writer.person(place, person, tally) for place, person in enumerate(declaration.persons, 1)]
        parts.append(writer.end(declaration, tally))
    parts.append(closing(chosen))
    return "".join(parts).encode(encoding, "xmlcharrefreplace")


def opening(quarter: Quarter, encoding: str = "UTF-8") -> str:
    """What stands before the first Form."""
    head = f'<?xml version="1.0" encoding="{encoding}"?>\n'
    return f'{head}<DmfAOriginal xmlns:xsi="{_XSI}" xsi:noNamespaceSchemaLocation="{schema_name(quarter)}">'


def closing(style: int) -> str:
    """What stands behind the last Form."""
    return "\n</DmfAOriginal>\n" if style else "</DmfAOriginal>"
