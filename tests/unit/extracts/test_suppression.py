"""Cells left out of a cube: which they are, by hand; that none can be found is a property (tests/property)."""

from __future__ import annotations

import numpy as np
import pytest

from dmfa.extracts.suppression import suppressed


def out_of(inner: list[list[int]], smallest: int) -> list[list[bool]]:
    """Which cells of a table of two dimensions are left out, totals last."""
    table = np.array(inner, dtype=np.int64)
    table = np.concatenate([table, table.sum(axis=0, keepdims=True)])
    table = np.concatenate([table, table.sum(axis=1, keepdims=True)], axis=1)
    found = suppressed(table, small=(table > 0) & (table < smallest), giving=table > 1)
    return [[bool(cell) for cell in row] for row in found]


def test_nothing_is_left_out_where_nothing_is_small() -> None:
    assert not np.any(out_of([[5, 9], [0, 7]], 5))


def test_a_small_cell_takes_the_cheapest_box_with_it() -> None:
    made = out_of([[2, 50, 6], [40, 60, 70], [7, 80, 8]], 5)
    corners = {(0, 0), (0, 2), (2, 0), (2, 2)}
    assert {(r, c) for r, row in enumerate(made) for c, cell in enumerate(row) if cell} == corners


def test_cells_in_two_blocks_with_a_bridge_between_them_do_not_tell_the_bridge() -> None:
    """Two or more in every line are not enough: the bridge between two squares would follow by adding lines."""
    small = [[3, 3, 0, 0], [3, 3, 1, 0], [0, 0, 3, 3], [0, 0, 3, 3]]
    made = out_of([[value * 10 if value != 1 else 2 for value in row] for row in small], 5)
    assert made[1][2]
    # The bridge has no box of inner cells with somebody in them: totals go with it.
    assert any(row[-1] for row in made) or any(made[-1])


def test_one_small_cell_alone_takes_its_totals_with_it() -> None:
    assert out_of([[0, 9], [2, 0]], 5) == [[False, False, False], [True, False, True], [True, False, True]]


@pytest.mark.parametrize(("value", "hidden"), [(4, True), (5, False), (0, False)])
def test_the_limit_itself_is_told_and_nobody_is_no_small_number(value: int, hidden: bool) -> None:
    assert out_of([[value, 30], [30, 30]], 5)[0][0] is hidden
