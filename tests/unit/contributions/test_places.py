"""Looking rows up by their place, whatever their order."""

import polars as pl
import pytest

from contributions.places import Places, rows_at, runs, spread, summed
from contributions.rates.grid import Grid

DECLARATIONS = pl.DataFrame({"declaration_id": [5, 7, 9]})
LINES = pl.DataFrame({"declaration_id": [5, 5, 7], "line_ordinal": [0, 1, 0]})
BELOW = pl.DataFrame({"declaration_id": [7, 5, 5, 5, 8, 7, 5], "line_ordinal": [0, 1, 0, 2, 0, -1, None]})


def place(lines, below=BELOW):
    return Places(DECLARATIONS, {"line": lines}).of(below, "line")["line"].to_list()


def test_rows_find_what_they_belong_to():
    assert place(LINES) == [2, 1, 0, None, None, None, None]


def test_a_table_in_another_order_is_searched():
    assert place(LINES[[1, 2, 0]]) == [1, 0, 2, None, None, None, None]


def test_a_table_with_gaps_is_searched():
    assert place(LINES.filter(pl.col("line_ordinal") == 1)) == [None, 0, None, None, None, None, None]


def test_a_declaration_in_two_parts_is_searched():
    apart = pl.DataFrame({"declaration_id": [5, 7, 5], "line_ordinal": [0, 0, 0]})
    with pytest.raises(pl.exceptions.ComputeError):
        place(apart)


def test_declarations_are_found_by_their_id():
    found = Places(DECLARATIONS, {}).of(BELOW, "employer_declaration")
    assert found["employer_declaration"].to_list() == [1, 0, 0, 0, None, 1, 0]


def test_a_declaration_that_stands_twice_is_refused():
    with pytest.raises(pl.exceptions.ComputeError):
        Places(pl.concat([DECLARATIONS, DECLARATIONS]), {"line": LINES})


def test_empty_tables_hold_nothing():
    assert place(LINES.clear()) == [None] * 7
    assert place(LINES, BELOW.clear()) == []


def test_rows_at_places():
    rows = pl.DataFrame({"a": [1, 2]})
    places = pl.Series([1, None, 0], dtype=pl.UInt32)
    assert rows_at(rows, places)["a"].to_list() == [2, None, 1]
    assert rows_at(rows.clear(), places)["a"].to_list() == [None] * 3


def test_rows_are_spread_to_their_places():
    rows = pl.DataFrame({"a": [1, 2]})
    assert spread(rows, pl.Series([3, 0], dtype=pl.UInt32), 4)["a"].to_list() == [2, None, None, 1]


def test_neighbours_are_taken_together():
    found = runs(pl.DataFrame({"declaration_id": [5, 5, 7, 5]}), "declaration_id")
    assert found.rows() == [(5, 2), (7, 1), (5, 1)]


def test_sums_by_key_whatever_the_order():
    rows = pl.DataFrame({"key": [3, 3, 1, 3], "a": [10, None, 5, 1], "b": [0, 0, -7, 99_999_999_999]})
    assert summed(rows, "key").sort("key").rows() == [(1, 5, -7), (3, 11, 99_999_999_999)]
    assert summed(rows.head(3), "key").sort("key").rows() == [(1, 5, -7), (3, 10, 0)]
    assert summed(rows.clear(), "key").is_empty()


def test_a_grid_tells_the_row_of_each_combination():
    grid = Grid(pl.DataFrame({"code": ["b", "a", "b"], "type": [0, 0, 3]}), ["code", "type"])
    asked = pl.DataFrame({"code": ["b", "b", "x", "a", "a", None], "type": [3, 0, 0, 0, 3, 0]})
    numbers = grid.numbers(asked, "code", "type")
    assert grid.rows(numbers).to_list() == [2, 0, None, 1, None, None]
    assert grid.rows(numbers, otherwise=9).to_list() == [2, 0, 9, 1, 9, 9]
    strange = pl.DataFrame({"code": ["b"] * 3, "type": [4, -1, None]})
    assert grid.rows(grid.numbers(strange, "code", "type")).to_list() == [None] * 3


def test_a_value_may_stand_for_all_that_a_grid_does_not_know():
    grid = Grid(pl.DataFrame({"code": ["*", "a"]}), ["code"])
    numbers = grid.numbers(pl.DataFrame({"code": ["z", "a", None]}), "code", otherwise="*")
    assert grid.rows(numbers).to_list() == [0, 1, 0]


def test_an_empty_grid_knows_nothing():
    grid = Grid(pl.DataFrame(schema={"code": pl.String, "type": pl.Int64}), ["code", "type"])
    asked = pl.DataFrame({"code": ["a"], "type": [0]})
    assert grid.rows(grid.numbers(asked, "code", "type")).to_list() == [None]
