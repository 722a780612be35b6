"""What each label of the declaration means to a shredder by tokens: which block it opens, which cell it fills."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
import numpy.typing as npt

from dmfa.reading.plan import Cell, Plan
from dmfa.reading.tags import IGNORED, Labels
from dmfa.reading.texts import Odd
from dmfa.schema import FORM, Message

Codes = npt.NDArray[np.int16]

QUARTER = Cell("Quarter", "quarter", "integer")


@dataclass(frozen=True, eq=False)
class Vocabulary:
    """The labels of a plan, numbered, and the cells, ordered so that those typed alike stand together.

    Attributes:
        message: the message of the plan.
        blocks: the containers: root, Form, the declaration's own and all other blocks, those beside it in the Form;
            the number of each is its position. The numbers of the zones' labels follow.
        labels: all of them, ready to be recognised.
        cells: every cell: label of its block, and the cell.
        slots: position in `cells` by number of a block and number of a zone's label less that of the first; -1 if no
            block of the kind has such a zone.
        ways: for each block below the declaration the ways down to it, without the declaration.
    """

    message: Message
    blocks: tuple[str, ...]
    labels: Labels
    cells: tuple[tuple[str, Cell], ...]
    slots: npt.NDArray[np.int16]
    ways: dict[str, tuple[tuple[str, ...], ...]]

    @cached_property
    def number(self) -> dict[str, int]:
        """Number of each block by its label."""
        return {label: number for number, label in enumerate(self.blocks)}

    @cached_property
    def slot(self) -> dict[tuple[str, str], int]:
        """Position of each cell by the labels of block and zone."""
        return {(block, cell.label): position for position, (block, cell) in enumerate(self.cells)}

    @cached_property
    def groups(self) -> tuple[tuple[Cell, int, int], ...]:
        """Cells that are typed alike: one of them, and the first and last position, the latter excluded."""
        kinds = [(cell.kind, cell.width) for _, cell in self.cells]
        borders = [at for at in range(len(kinds)) if at == 0 or kinds[at] != kinds[at - 1]]
        return tuple(
            (self.cells[start][1], start, end) for start, end in zip(borders, [*borders[1:], len(kinds)], strict=True)
        )

    @cached_property
    def group(self) -> tuple[tuple[int, int], ...]:
        """For each cell the number of its group, and the first position of that."""
        return tuple((number, start) for number, (_, start, end) in enumerate(self.groups) for _ in range(start, end))

    def slot_of(self, blocks: Codes, zones: Codes) -> Codes:
        """Position in `cells` of zones, by number of label, each in a block; -1 where such a block has none of it."""
        first = len(self.blocks)
        width = self.slots.shape[1]
        slots: Codes = self.slots.ravel().take(blocks.astype(np.int64) * width + (zones - first))
        return slots

    def other(self, tag: str) -> int:
        """Number of a tag that is no label as it stands: the root with its attributes.

        Raises:
            Odd: no release knows it.
        """
        if tag.startswith("?xml "):
            return IGNORED
        if tag.split(None, 1)[:1] != [self.message.name]:
            raise Odd
        return 0


@cache
def vocabulary(plan: Plan) -> Vocabulary | None:
    """The vocabulary of a plan; None if its structure is not one that a shredder by tokens reads."""
    beside = dict.fromkeys(name for name, _ in plan.form if name)
    blocks = (plan.message.name, FORM, *(table.label for table in plan.tables), *beside)
    cells = {(table.label, cell.label): cell for table in plan.tables for cell in table.cells}
    cells |= {(name or FORM, cell.label): cell for name, cell in plan.form}
    cells |= {(plan.message.top, QUARTER.label): QUARTER}
    zones = tuple(dict.fromkeys(label for _, label in cells))
    if not plan.leaves_first or set(blocks) & set(zones):
        return None
    ordered = sorted(cells.items(), key=lambda item: (item[1].kind, item[1].width))
    slots = np.full((len(blocks), len(zones)), -1, np.int16)
    for position, ((block, label), _) in enumerate(ordered):
        slots[blocks.index(block), zones.index(label)] = position
    ways: dict[str, list[tuple[str, ...]]] = {}
    for path in plan.paths:
        ways.setdefault(path[-1], []).append(path[1:-1])
    try:
        labels = Labels((*blocks, *zones))
    except ValueError:
        return None
    return Vocabulary(
        plan.message,
        blocks,
        labels,
        tuple((block, cell) for (block, _), cell in ordered),
        slots,
        {label: tuple(found) for label, found in ways.items()},
    )
