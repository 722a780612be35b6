"""Columns as whole arrays: runs, their sums, and codes read as numbers."""

import numpy as np
import polars as pl
import pytest

from contributions import outcomes
from contributions.accounts import UNDECLARED, UNKNOWN, compared
from contributions.arrays import CODES, firsts, lengths, number_of, numbers, sums_of_runs, three_digits
from contributions.inputs import CODE, read


def test_neighbours_are_taken_together():
    first = firsts(np.array([5, 5, 7, 5, 5]), np.array([1, 1, 1, 1, 2]))
    assert first.tolist() == [0, 2, 3, 4]
    assert lengths(first, 5).tolist() == [2, 1, 1, 1]
    assert firsts(np.array([], np.int64)).tolist() == lengths(np.array([], np.int64), 0).tolist() == []


def test_sums_of_runs_are_integers():
    assert sums_of_runs(np.array([2**53, 1, 5, -1]), np.array([0, 2, 3])).tolist() == [2**53 + 1, 5, -1]
    none = sums_of_runs(np.array([], np.int64), np.array([], np.int64))
    assert (none.tolist(), none.dtype) == ([], np.int64)


@pytest.mark.parametrize(
    "column", [pl.Series([2**60 + 1, None]), pl.concat([pl.Series([2**60 + 1]), pl.Series([None])])]
)
def test_nulls_never_make_a_float(column):
    found = numbers(column.cast(pl.Int64), -1)
    assert (found.tolist(), found.dtype) == ([2**60 + 1, -1], np.int64)


def test_every_code_of_three_digits_has_its_own_number():
    codes = CODE.categories.to_list()
    found = three_digits(pl.Series(codes)).tolist()
    assert found == [number_of(code) for code in codes]
    assert len(set(found)) == 1_000
    assert max(found) < CODES


def test_codes_are_read_from_any_part_of_a_column():
    codes = CODE.categories.to_list()
    column = pl.Series(codes * 40)
    expected = [number_of(code) for code in codes] * 40
    assert three_digits(column.slice(990, 20_000)).tolist() == expected[990:20_990]
    assert three_digits(column.filter(pl.Series([True, False] * 20_000))).tolist() == expected[::2]
    assert three_digits(pl.concat([column[:3], column[7:9]])).tolist() == [*expected[:3], *expected[7:9]]
    assert three_digits(column[:0]).tolist() == []


@pytest.mark.parametrize(
    "strange", [None, "", "1", "01", "0123", "12a", " 12", "\u0661\u0662\u0663", "a longer text than that"]
)
def test_what_has_not_three_digits_is_not_read(strange):
    assert three_digits(pl.Series(["015", strange, "495"], dtype=pl.String)) is None
    assert strange is None or number_of(strange) is None


@pytest.mark.parametrize("strange", ["01:", "?00", "0;9"])
def test_characters_behind_the_digits_make_no_code(strange):
    known = {number_of(code) for code in CODE.categories}
    assert three_digits(pl.Series([strange])).tolist()[0] not in known
    remun = pl.DataFrame({"declaration_id": [1, 1], "remun_code": ["015", strange]})
    assert read({"remun": remun}, "remun")["remun_code"].to_list() == ["015", None]


@pytest.mark.parametrize(
    ("declared", "computed", "name"),
    [
        (100, 100, "equal"),
        (0, 0, "equal"),
        (100, 101, "rounding"),
        (1, 0, "rounding"),
        (100, 98, "differs"),
        (0, 2, "differs"),
        (2, 0, "superfluous"),
        (UNDECLARED, 5, "missing"),
        (UNDECLARED, 0, "missing"),
        (5, UNKNOWN, "not computable"),
        (UNDECLARED, UNKNOWN, "missing"),
    ],
)
def test_outcomes(declared, computed, name):
    assert outcomes.ALL[compared(np.array([declared]), np.array([computed]))[0]] == name
