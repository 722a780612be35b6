"""Reads an XSD as a tree of blocks and zones."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from dmfa.errors import WrongSchema
from dmfa.schema.releases import Release, home, newest
from dmfa.schema.remembered import recall, remember
from dmfa.schema.tree import Block, Schema, Zone

if TYPE_CHECKING:
    from xmlschema.validators import XsdElement

_XS = "{http://www.w3.org/2001/XMLSchema}"
_NUMBER = re.compile(r"\b\d{5}\b")


@cache
def load(release: Release) -> Schema:
    """Read a release's XSD.

    Raises:
        WrongSchema: the file is not a schema with the message as root.
    """
    # A foreign XSD may rest on others that lie beside it, so that its own bytes do not tell whether it is the same.
    own = release.path.parent == home()
    root = recall(release.path) if own else None
    if root is None:
        root = _read(release, own=own)
        if own:
            remember(release.path, root)
    return Schema(release, root)


def _read(release: Release, *, own: bool) -> Block:
    # Imported here: it takes a quarter of a second, which no run needs once the trees are remembered.
    import xmlschema

    try:
        # The project's own XSDs are proved right by its tests; only foreign ones are judged, at seven times the cost.
        schema = xmlschema.XMLSchema10(str(release.path), validation="skip" if own else "strict")
        root = schema.elements[release.message]
    except (xmlschema.XMLSchemaException, OSError, KeyError, SyntaxError) as error:
        raise WrongSchema(
            f"{release.path} is not a schema of {release.message}", "Put the official XSD there, or take the file away."
        ) from error
    return _Reader(_own_notes(release)).block(root)


@dataclass(frozen=True)
class _Notes:
    number: str = ""
    words: str = ""
    unit: str = ""


def _own_notes(release: Release) -> dict[str, _Notes]:
    """What the project's newest release says of each label: it holds for a foreign release that says less."""
    own = newest(release.message)
    if own is None or release.path.parent == home():
        return {}
    blocks = load(own).blocks.values()
    notes = {block.name: _Notes(block.number, block.words) for block in blocks}
    return notes | {zone.name: _Notes(zone.number, zone.words, zone.unit) for block in blocks for zone in block.zones}


class _Reader:
    """Makes blocks and zones of a schema's components."""

    def __init__(self, own: dict[str, _Notes]) -> None:
        self._own = own
        self._known: dict[str, Block] = {}

    def block(self, element: XsdElement) -> Block:
        zones: dict[str, Zone] = {}
        children: dict[str, Block] = {}
        leaves_first = True
        content: Any = element.type
        for child, required in _particles(content.content, required=True):
            if child.type.is_simple() or child.type.has_simple_content():
                leaves_first = leaves_first and not children
                zones.setdefault(child.local_name, self._zone(child, required))
            elif child.local_name not in children:
                children[child.local_name] = self.block(child)
        name, notes = element.local_name, self._notes(element)
        block = Block(name, notes.number, notes.words, tuple(zones.values()), tuple(children.values()), leaves_first)
        # A block with two parents is one block: it has one table.
        return self._known.setdefault(name, block)

    def _zone(self, element: XsdElement, required: bool) -> Zone:
        kind: Any = element.type
        if not kind.is_simple():
            kind = kind.content
        facets: dict[str, tuple[str, ...]] = {}
        while not kind.name or not kind.name.startswith(_XS):
            for facet in kind.elem.iterfind("*[@value]"):
                name = facet.tag.removeprefix(_XS)
                facets[name] = (*facets.get(name, ()), facet.get("value"))
            kind = kind.base_type
        base = "xs:integer" if kind.is_derived(kind.maps.types[f"{_XS}integer"]) else f"xs:{kind.local_name}"
        notes = self._notes(element)
        return Zone(element.local_name, notes.number, base, notes.unit, notes.words, required, facets)

    def _notes(self, element: XsdElement) -> _Notes:
        """Number, words and unit: our own, else those of the element, of what it refers to, or of its type."""
        number = words = unit = ""
        for component in (element, element.ref, element.type):
            annotation = getattr(component, "annotation", None)
            if annotation is None:
                continue
            text = " ".join("".join(note.itertext()).strip() for note in annotation.documentation)
            found = _NUMBER.search(text)
            number = number or (found[0] if found else "")
            words = words or _NUMBER.sub("", text, count=1).strip()
            unit = unit or next((note.text for note in annotation.appinfo if note.get("source") == "unit"), "")
        own = self._own.get(element.local_name, _Notes())
        return _Notes(number or own.number, own.words or words or element.local_name, own.unit or unit)


def _particles(group: Any, *, required: bool) -> Iterator[tuple[XsdElement, bool]]:
    """Elements of a model group in schema order, without those that may not occur."""
    required = required and group.min_occurs > 0 and group.model != "choice"
    for particle in group:
        if particle.max_occurs == 0:
            continue
        if hasattr(particle, "model"):
            yield from _particles(particle, required=required)
        elif hasattr(particle, "local_name") and particle.local_name:
            yield particle, required and particle.min_occurs > 0
