"""No cell left out of a cube can be found: whoever tries all tables finds more than one number for each (R23).

The one who tries knows every cell that is told, that all lines add up, that a cell that is not there is nought and that
one without a number is not: all that a reader of the cube knows. Tables are small, and each is tried.
"""

from __future__ import annotations

from itertools import product

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from dmfa.extracts.suppression import suppressed

Table = NDArray[np.int64]
SHAPES = [(3,), (5,), (2, 3), (3, 3), (2, 2, 2), (1, 3), (4, 2)]
MOST = 20_000
"""Steps after which a table is left alone: nothing is known of it then."""


@st.composite
def tables(draw: st.DrawFn) -> Table:
    shape = draw(st.sampled_from(SHAPES))
    size = int(np.prod(shape))
    counts = draw(st.lists(st.sampled_from([0, 0, 1, 1, 2, 3, 5]), min_size=size, max_size=size))
    return np.array(counts, dtype=np.int64).reshape(shape)


def with_totals(inner: Table) -> Table:
    made = inner
    for dimension in range(inner.ndim):
        made = np.concatenate([made, made.sum(axis=dimension, keepdims=True)], axis=dimension)
    return made


def _within(cell: tuple[int, ...], inside: tuple[int, ...]) -> bool:
    return all(place < size for place, size in zip(cell, inside, strict=True))


def _adds_up_to(cell: tuple[int, ...], total: tuple[int, ...], inside: tuple[int, ...]) -> bool:
    return all(place in (own, size) for place, own, size in zip(total, cell, inside, strict=True))


def possible(table: Table, out: NDArray[np.bool_]) -> dict[tuple[int, ...], set[int]]:
    """For each cell left out the numbers that it may have, by trying whole tables."""
    inside = tuple(size - 1 for size in table.shape)
    unknown = [cell for cell in product(*map(range, inside)) if out[cell]]
    fixed = np.where(out[tuple(map(slice, inside))], 0, table[tuple(map(slice, inside))])
    rest = table - with_totals(fixed)
    # The rows of a told total that are not known: they add up to what is left of it.
    totals = [cell for cell in product(*map(range, table.shape)) if not out[cell] and not _within(cell, inside)]
    sums = [
        ([number for number, one in enumerate(unknown) if _adds_up_to(one, cell, inside)], int(rest[cell]))
        for cell in totals
    ]
    cells = [tuple(int(place) for place in cell) for cell in np.argwhere(out)]
    found: dict[tuple[int, ...], set[int]] = {cell: set() for cell in cells}
    most = int(table[tuple(map(slice, inside))].max(initial=0)) + 2
    tried = 0

    def fill(values: list[int]) -> None:
        nonlocal tried
        tried += 1
        if tried > MOST or all(len(numbers) > 1 for numbers in found.values()):
            return
        number = len(values)
        if number == len(unknown):
            inner = fixed.copy()
            for cell, value in zip(unknown, values, strict=True):
                inner[cell] = value
            whole = with_totals(inner)
            if (whole[~out] == table[~out]).all():
                for cell in cells:
                    found[cell].add(int(whole[cell]))
            return
        true = int(table[unknown[number]])
        for value in sorted(range(1, most + 1), key=lambda one: abs(one - true)):  # what is near is possible soonest
            now = [*values, value]
            fits = all(
                sum(now[n] for n in members if n <= number) <= total
                and (members[-1] > number or sum(now[n] for n in members) == total)
                for members, total in sums
                if number in members
            )
            if fits:
                fill(now)

    fill([])
    assume(tried <= MOST)
    return found


@settings(max_examples=40, deadline=None)
@given(tables(), st.integers(2, 4))
def test_r23_no_cell_left_out_can_be_found(inner: Table, smallest: int) -> None:
    table = with_totals(inner)
    small = (table > 0) & (table < smallest)
    out = suppressed(table, small=small, giving=table > 1)
    assert not (small & ~out).any()
    assert not (out & (table == 0)).any()
    for cell, numbers in possible(table, out).items():
        assert len(numbers) > 1, (table.tolist(), cell)


@given(tables(), st.integers(2, 4))
def test_a_table_without_small_cells_is_told_whole(inner: Table, smallest: int) -> None:
    table = with_totals(inner * smallest)
    out = suppressed(table, small=(table > 0) & (table < smallest), giving=table > 1)
    assert not out.any()
