"""What one release demands of the events of a document, as tables to look up whole columns of them at once.

A state is what was last seen among the children of a block: nothing yet (the state of the block), a zone, or a block at
one of its places. Of each state is told which zones and blocks may follow, and whether the block may end.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from dmfa.reading.digits import Truths
from dmfa.reading.plan import Plan
from dmfa.reading.rules import NotUnderstood, Rule, rule_of
from dmfa.reading.vocabulary import vocabulary
from dmfa.schema import Release
from dmfa.schema.grammar import START, Grammar, grammar

NOWHERE = -1
SEVERAL = -2


@dataclass(frozen=True, eq=False)
class Demands:
    """The tables of one release.

    Attributes:
        zones: number of the state behind the zone of slot 0; the states of blocks, by number, stand before it.
        lost: the state from which nothing is allowed.
        follow: by state and slot, whether a zone may follow.
        step: by state and number of a block, the state behind it; `NOWHERE` where it may not follow.
        ends: by state, whether the block may end.
        places: by numbers of a block and of one inside it, the state behind it; `NOWHERE`, or `SEVERAL` if it has
            several places in there.
        most: how often the block of a state may stand at its place, where that is more than once, but not for ever.
        rules: by slot, by which rule its values are proved.
    """

    zones: int
    lost: int
    follow: Truths
    step: npt.NDArray[np.int16]
    ends: Truths
    places: npt.NDArray[np.int16]
    most: dict[int, int]
    rules: dict[int, Rule]


@cache
def demands_of(plan: Plan, release: Release) -> Demands | None:
    """What a release demands; None if it holds anything by which nothing can be proved.

    Args:
        plan: the plan whose vocabulary numbers the labels.
        release: the release.
    """
    read = grammar(release.path, release.message)
    words = vocabulary(plan)
    if read is None or words is None:
        return None
    try:
        return _Tables(read, words.number, words.slot, len(words.cells)).demands()
    except (NotUnderstood, KeyError):
        # A KeyError is a label that the plan does not number, or at another place.
        return None


class _Tables:
    """Makes the tables of a grammar."""

    def __init__(self, read: Grammar, number: dict[str, int], slot: dict[tuple[str, str], int], slots: int) -> None:
        self._read, self._number, self._slot = read, number, slot
        self._zones = len(number)
        self._lost = self._zones + slots + sum(len(model.places) for model in read.blocks.values())
        self._free = self._zones + slots

    def demands(self) -> Demands:
        """The tables."""
        blocks, slots = len(self._number), self._free - self._zones
        follow = np.zeros((self._lost + 1, slots), np.bool_)
        step = np.full((self._lost + 1, blocks), NOWHERE, np.int16)
        ends = np.zeros(self._lost + 1, np.bool_)
        places = np.full((blocks, blocks), NOWHERE, np.int16)
        most: dict[int, int] = {}
        rules: dict[int, Rule] = {}
        for label, model in self._read.blocks.items():
            states = [self._number[label], *(self._state(label, place.name, place.most) for place in model.places)]
            if len({*states}) < len(states):
                # A zone with two places in a block.
                raise NotUnderstood
            for place, state in zip(model.places, states[1:], strict=True):
                if place.name in self._read.zones:
                    rules[state - self._zones] = rule_of(self._read.zones[place.name])
                    continue
                inside = self._number[label], self._number[place.name]
                places[inside] = state if places[inside] == NOWHERE else SEVERAL
                if place.most is not None and place.most > 1:
                    most[state] = place.most
            for at, steps in enumerate(model.steps):
                for name, to in steps.items():
                    if name not in self._read.zones:
                        step[states[at], self._number[name]] = states[to]
                    elif at == START or model.places[at - 1].name in self._read.zones:
                        # Zones stand before blocks: behind one, a zone is never proved.
                        follow[states[at], states[to] - self._zones] = True
            ends[[states[at] for at in model.ends]] = True
        return Demands(self._zones, self._lost, follow, step, ends, places, most, rules)

    def _state(self, block: str, name: str, most: int | None) -> int:
        if name not in self._read.zones:
            self._free += 1
            return self._free - 1
        if most != 1:
            raise NotUnderstood
        return self._zones + self._slot[block, name]
