"""The tree of blocks and zones that an XSD describes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache, cached_property
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import yaml

from dmfa.errors import WrongSchema
from dmfa.schema.releases import Release, home, newest

if TYPE_CHECKING:
    from xmlschema.validators import XsdElement

_XS = "{http://www.w3.org/2001/XMLSchema}"
_NUMBER = re.compile(r"\b\d{5}\b")
_WORD_BORDER = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_IDENTITY = frozenset({"00024", "00092", "00093", "00749"})


def snake_case(label: str) -> str:
    """An official XML label as the name of a table or column.

    Examples:
        >>> snake_case("NOSSRegistrationNbr"), snake_case("IndemnityWAPM"), snake_case("ZIPCode")
        ('noss_registration_nbr', 'indemnity_wapm', 'zip_code')
    """
    return _WORD_BORDER.sub("_", label).lower()


@cache
def code_widths() -> dict[str, int]:
    """Width of the codes of each zone that holds one: zone number to number of digits (codes.yaml)."""
    text = (files("dmfa.schema") / "codes.yaml").read_text(encoding="utf-8")
    return {str(number): int(width) for number, width in yaml.safe_load(text).items()}


@dataclass(frozen=True)
class Zone:
    """One zone: a leaf of the declaration.

    Attributes:
        name: official XML label.
        number: zone number of five digits, empty if the XSD does not tell it.
        base: built-in type it restricts, e.g. `xs:integer`.
        unit: unit of its value, empty if it has none.
        words: what it holds.
        required: whether it occurs in every block of its kind.
        facets: XSD facets by name; several values for patterns and enumerations.
    """

    name: str
    number: str
    base: str
    unit: str
    words: str
    required: bool
    facets: dict[str, tuple[str, ...]] = field(hash=False)

    @property
    def column(self) -> str:
        """Name of its column."""
        return snake_case(self.name)

    @property
    def code_width(self) -> int | None:
        """Digits of the code that it holds, None if it is not a code."""
        return code_widths().get(self.number) if self.base == "xs:integer" else None

    @property
    def personal(self) -> bool:
        """Whether its value may identify a person: an identification number, or free text."""
        free_text = self.base == "xs:string" and not self.facets.keys() & {"pattern", "enumeration"}
        return self.number in _IDENTITY or free_text


@dataclass(frozen=True)
class Block:
    """One block: an element that holds zones and other blocks.

    Attributes:
        name: official XML label.
        number: block number of five digits, empty if the XSD does not tell it.
        words: what it holds.
        zones: its zones in schema order, each once; without those that may not occur.
        children: the blocks inside it in schema order, each once.
        leaves_first: whether every zone stands before every block inside it.
    """

    name: str
    number: str
    words: str
    zones: tuple[Zone, ...]
    children: tuple[Block, ...]
    leaves_first: bool

    @property
    def table(self) -> str:
        """Name of its table."""
        return snake_case(self.name)

    def walk(self) -> Iterator[Block]:
        """This block and all below it, depth first in schema order; a block with two parents comes twice."""
        yield self
        for child in self.children:
            yield from child.walk()

    def paths(self, above: tuple[Block, ...] = ()) -> Iterator[tuple[Block, ...]]:
        """Every way from this block down, each ending in the block that it leads to."""
        here = (*above, self)
        yield here
        for child in self.children:
            yield from child.paths(here)


@dataclass(frozen=True)
class Schema:
    """One release as a tree.

    Attributes:
        release: the release it was read from.
        root: block of the root element.
    """

    release: Release
    root: Block

    @cached_property
    def blocks(self) -> dict[str, Block]:
        """All blocks by label, in schema order."""
        return {block.name: block for block in self.root.walk()}


@cache
def load(release: Release) -> Schema:
    """Read a release's XSD.

    Raises:
        WrongSchema: the file is not a schema with the message as root.
    """
    # Imported here: it takes a quarter of a second, which reading and querying the lake do not need.
    import xmlschema

    try:
        # The project's own XSDs are proved right by its tests; only foreign ones are judged, at seven times the cost.
        trusted = release.path.parent == home()
        schema = xmlschema.XMLSchema10(str(release.path), validation="skip" if trusted else "strict")
        root = schema.elements[release.message]
    except (xmlschema.XMLSchemaException, OSError, KeyError, SyntaxError) as error:
        raise WrongSchema(
            f"{release.path} is not a schema of {release.message}", "Put the official XSD there, or take the file away."
        ) from error
    return Schema(release, _Reader(_own_notes(release)).block(root))


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
