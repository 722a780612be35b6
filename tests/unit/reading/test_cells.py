"""Columns of text typed exactly."""

from datetime import date

import polars as pl
import pytest

from dmfa.reading.cells import CellUnfit, typed
from dmfa.reading.plan import Cell

NUMBER, CODE = Cell("N", "n", "integer"), Cell("C", "c", "code", 3)
DAY, WORDS = Cell("D", "d", "date"), Cell("T", "t", "text")


@pytest.mark.parametrize(
    ("cell", "declared", "expected"),
    [
        (NUMBER, ["1", "007", None], [1, 7, None]),
        (NUMBER, ["+0", "-0", "+15", " 7\n", "", " \t"], [0, 0, 15, 7, None, None]),
        (NUMBER, ["9223372036854775807", "000000000000000000000000012"], [2**63 - 1, 12]),
        (NUMBER, [None, None], [None, None]),
        (NUMBER, [], []),
        (CODE, ["15", "015", " +15 ", "00015", "", None, "0"], ["015", "015", "015", "015", None, None, "000"]),
        (
            DAY,
            ["2022-07-01", " 2022-07-01\r\n", "", None, "2022-07-01Z"],
            [date(2022, 7, 1)] * 2 + [None] * 2 + [date(2022, 7, 1)],
        ),
        (WORDS, [" a b ", "", "\n", None, "é"], ["a b", None, None, None, "é"]),
    ],
)
def test_typed(cell, declared, expected):
    assert typed(cell, declared).to_list() == expected


@pytest.mark.parametrize("cell", [NUMBER, CODE])
def test_number_past_64_bits(cell):
    with pytest.raises(CellUnfit) as caught:
        typed(cell, ["1", "92233720368547758070"])
    assert caught.value.label == cell.label
    assert "9223" not in str(caught.value)
    assert typed(cell, ["92233720368547758070"], strict=False).to_list() == [None]


def test_types():
    kinds = [typed(cell, [None]).dtype for cell in (NUMBER, CODE, DAY, WORDS)]
    assert kinds == [pl.Int64, pl.String, pl.Date, pl.String]
