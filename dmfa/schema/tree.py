"""The tree of blocks and zones that an XSD describes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache, cached_property
from importlib.resources import files

import yaml

from dmfa.schema.releases import Release

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
