"""Which cells of a cube with its margins are left out, so that no small count is told, nor follows by subtraction.

A cell is left out if it is small; and so that it cannot be found from the others, with it go the other corners of a
box: in every dimension one more place, which may be the total. Over the corners of a box a person more here and one
less there keep every sum, so that each of them could have been another number. A box of totals alone is there always.

Source: the hypercube method of statistical disclosure control (Repsilber; Giessing), with the totals as places.
"""

from __future__ import annotations

from itertools import combinations
from typing import Final

import numpy as np
from numpy.typing import NDArray

Flags = NDArray[np.bool_]
Counts = NDArray[np.int64]

Corners = tuple[NDArray[np.intp], ...]

_CHOICES: Final = 4
"""Places looked at in each dimension beside the total; all of them where no box is among these."""

_NEVER: Final = np.int64(2**62)
"""Weight of a cell that cannot be left out: nothing is in it, and everybody knows."""


def suppressed(weight: Counts, *, small: Flags, giving: Flags) -> Flags:
    """Which cells are left out.

    Args:
        weight: of every cell how much is lost if it is left out, such as its persons; 0 or less where nothing is in it.
            In each dimension the last place is the total of the others, so that every line adds up to it.
        small: cells that may not be told.
        giving: cells that would hold somebody still if a person went out of them.

    Returns:
        The small cells, and those that would tell them. Whoever knows all other cells, that every line adds up, that
        nothing is less than nought and that no cell left out is empty, can tell the number in none of these.
    """
    out = small & (weight > 0)
    safe = np.zeros_like(out)
    lost = np.where(out, 0, np.where(weight > 0, weight, _NEVER))
    order = np.flatnonzero(out)
    for flat in order[np.argsort(weight.reshape(-1)[order], kind="stable")]:
        cell = tuple(int(place) for place in np.unravel_index(flat, weight.shape))
        if not safe[cell]:
            corners = _box(lost, giving, cell, _CHOICES) or _box(lost, giving, cell, max(weight.shape))
            assert corners is not None, "a box of totals is there always"
            lost[corners], safe[corners] = 0, True
    return safe


def _box(lost: Counts, giving: Flags, cell: tuple[int, ...], choices: int) -> Corners | None:
    """The corners of the cheapest box at a cell in which a person can move; None if no such box is among the choices.

    Args:
        lost: what is lost if a cell is left out, 0 where it is.
        giving: as `suppressed` takes it.
        cell: the cell.
        choices: most places looked at in each dimension, beside the total.
    """
    dimensions = range(lost.ndim)
    totals = [size - 1 for size in lost.shape]
    others = [_others(lost, cell, d, choices) for d in dimensions]
    # From a place to another one what is more becomes less; from a place to the total of its line it stays more.
    keeps = [(others[d] == totals[d]) | (cell[d] == totals[d]) for d in dimensions]
    shape = tuple(len(places) for places in others)
    cost = np.zeros(shape, dtype=np.float64)
    possible = {more: np.ones(shape, dtype=bool) for more in (True, False)}
    for corner in _subsets(lost.ndim):
        spread = [np.arange(1)] * lost.ndim
        signs = np.ones((1,) * lost.ndim, dtype=bool)
        for d in dimensions:
            spread[d] = others[d] if d in corner else np.array([cell[d]])
            if d in corner:
                signs = signs == keeps[d].reshape([-1 if e == d else 1 for e in dimensions])
        at = np.ix_(*spread)
        cost = cost + lost[at]
        # A corner in which there is one less must have somebody left.
        possible[True] = possible[True] & (signs | giving[at])
        possible[False] = possible[False] & (~signs | giving[at])
    cost = np.where(possible[True] | possible[False], cost, np.inf)
    if cost.min(initial=np.inf) >= _NEVER:
        return None
    best = np.unravel_index(int(np.argmin(cost)), shape)
    opposite = [int(others[d][best[d]]) for d in dimensions]
    corners = [[opposite[d] if d in corner else cell[d] for d in dimensions] for corner in _subsets(lost.ndim)]
    return tuple(np.array(places) for places in zip(*corners, strict=True))


def _others(lost: Counts, cell: tuple[int, ...], dimension: int, choices: int) -> NDArray[np.intp]:
    """Places that a cell can go to in a dimension: the cheapest ones with somebody in them, and the total."""
    line = lost[tuple(slice(None) if d == dimension else place for d, place in enumerate(cell))].copy()
    total = len(line) - 1
    line[[cell[dimension], total]] = _NEVER
    cheapest = np.argsort(line, kind="stable")[:choices]
    found = np.sort(cheapest[line[cheapest] < _NEVER])
    return found if cell[dimension] == total else np.append(found, total)


def _subsets(size: int) -> list[tuple[int, ...]]:
    """All choices of dimensions."""
    return [chosen for many in range(size + 1) for chosen in combinations(range(size), many)]
