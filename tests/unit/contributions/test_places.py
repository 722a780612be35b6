"""Looking rows up by their place, whatever their order."""

import polars as pl
import pytest

from contributions.arrays import three_digits
from contributions.places import Places, columns_at, filled, kept, rows_at, spread, sums
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


def test_a_table_may_hold_declarations_that_are_none():
    lines = pl.DataFrame({"declaration_id": [4, 5, 5, 7], "line_ordinal": [0, 0, 1, 0]})
    below = pl.DataFrame({"declaration_id": [4, 5, 7, 9], "line_ordinal": [0, 1, 0, 0]})
    assert place(lines, below) == [None, 2, 3, None]


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


def test_some_columns_at_places():
    rows = pl.DataFrame({"a": [1, 2], "b": ["x", "y"]})
    places = pl.Series([1, None], dtype=pl.UInt32)
    assert [column.to_list() for column in columns_at(rows, ["b"], places)] == [["y", None]]
    assert columns_at(rows, [], places) == []


def test_what_does_not_hold_becomes_null():
    values = pl.Series([1, 2, 3])
    assert kept(values, pl.Series([True, False, None])).to_list() == [1, None, None]
    assert kept(values, values > 0).to_list() == [1, 2, 3]


def test_a_filled_column_is_nobody_elses():
    filled(0, pl.Int64(), 3).scatter(0, 5)
    assert filled(0, pl.Int64(), 2, "a").to_list() == [0, 0]
    assert filled(0, pl.Int64(), 1).to_list() == [0]
    assert filled(0, pl.Int64(), 4).to_list() == [0] * 4
    assert filled(0, pl.Int32(), 1).dtype == pl.Int32
    assert filled(None, pl.String(), 2, "a").to_list() == [None, None]
    assert [filled(value, pl.Boolean(), 1).item() for value in (False, True)] == [False, True]


def sums_of(rows, places, height):
    return pl.DataFrame(sums(rows, pl.Series(places, dtype=pl.UInt32), height)).rows()


def test_sums_by_place_whatever_the_order():
    rows = pl.DataFrame({"a": [10, None, 5, 1], "b": [0, 0, -7, 99_999_999_999]})
    assert sums_of(rows, [3, 3, 1, 3], 5) == [(0, 0), (5, -7), (0, 0), (11, 99_999_999_999), (0, 0)]
    assert sums_of(rows.head(3), [3, 3, 1], 4) == [(0, 0), (5, -7), (0, 0), (10, 0)]
    assert sums_of(rows.clear(), [], 2) == [(0, 0), (0, 0)]


def test_sums_of_neighbours():
    rows = pl.DataFrame({"a": [10, None, 5, 1]})
    assert sums_of(rows, [0, 0, 1, 2], 3) == [(10,), (5,), (1,)]
    assert sums_of(rows, [1, 1, 1, 2], 4) == [(0,), (15,), (1,), (0,)]
    assert sums_of(rows, [None, 1, 1, None], 2) == [(0,), (5,)]


def test_sums_are_exact_beyond_what_a_float_holds():
    rows = pl.DataFrame({"a": [2**53, 1, None, 1]})
    assert sums_of(rows, [0, 0, 0, 0], 1) == [(2**53 + 2,)]


def grid_of(table, keys, otherwise=None):
    return Grid(table, keys, pl.int_range(table.height, dtype=pl.UInt32, eager=True), otherwise)


def rows_of(grid, asked):
    return grid.rows(grid.numbers(asked["code"], "code") + grid.numbers(asked["type"], "type")).to_list()


def test_a_grid_tells_the_row_of_each_combination():
    table = pl.DataFrame({"code": ["b", "a", "b"], "type": [0, 0, 3]})
    asked = pl.DataFrame({"code": ["b", "b", "x", "a", "a", None], "type": [3, 0, 0, 0, 3, 0]})
    assert rows_of(grid_of(table, ["code", "type"]), asked) == [2, 0, None, 1, None, None]
    assert rows_of(grid_of(table, ["code", "type"], otherwise=9), asked) == [2, 0, 9, 1, 9, 9]
    strange = pl.DataFrame({"code": ["b"] * 4, "type": [4, -1, None, 2**40]})
    assert rows_of(grid_of(table, ["code", "type"]), strange) == [None] * 4


def test_a_grid_takes_codes_of_three_digits_as_numbers_or_texts():
    table = pl.DataFrame({"code": ["495", "015", "0"], "type": [0, 0, 0]})
    grid = grid_of(table, ["code", "type"], otherwise=9)
    asked = pl.Series(["015", "495", "016", "01:", "495"])
    read = pl.Series(three_digits(asked))
    assert [grid.rows(grid.numbers(one, "code")).to_list() for one in (asked, read)] == [[1, 0, 9, 9, 0]] * 2
    assert grid.rows(grid.numbers(asked.extend(pl.Series(["0", None])), "code")).to_list() == [1, 0, 9, 9, 0, 2, 9]


def test_nothing_that_belongs_to_no_combination():
    grid = grid_of(pl.DataFrame({"code": ["a"]}), ["code"], otherwise=4)
    assert grid.rows(pl.Series([None, 0], dtype=pl.UInt32)).to_list() == [4, 0]


def test_a_value_may_stand_for_all_that_a_grid_does_not_know():
    grid = grid_of(pl.DataFrame({"code": ["*", "a"]}), ["code"])
    assert grid.rows(grid.numbers(pl.Series(["z", "a", None]), "code", otherwise="*")).to_list() == [0, 1, 0]


def test_an_empty_grid_knows_nothing():
    grid = grid_of(pl.DataFrame(schema={"code": pl.String, "type": pl.Int64}), ["code", "type"])
    assert rows_of(grid, pl.DataFrame({"code": ["a"], "type": [0]})) == [None]
