"""Half up, exactly, in Python and over columns."""

from fractions import Fraction
from math import floor

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from dmfa.money import euro, half_up, half_up_expr


def exact(value: Fraction) -> int:
    return floor(value + Fraction(1, 2)) if value >= 0 else -floor(-value + Fraction(1, 2))


def test_halves_go_away_from_zero() -> None:
    assert [half_up(n, 2) for n in (-3, -1, 0, 1, 3)] == [-2, -1, 0, 1, 2]


@given(st.integers(-(10**17), 10**17), st.integers(1, 10**8))
def test_one_number(numerator: int, denominator: int) -> None:
    assert half_up(numerator, denominator) == exact(Fraction(numerator, denominator))


@given(st.lists(st.tuples(st.integers(-(10**17), 10**17), st.integers(1, 10**8)), min_size=1))
def test_columns(rows: list[tuple[int, int]]) -> None:
    frame = pl.DataFrame(rows, schema={"n": pl.Int64, "d": pl.Int64}, orient="row")
    found = frame.select(half_up_expr(pl.col("n"), pl.col("d"))).to_series().to_list()
    assert found == [exact(Fraction(n, d)) for n, d in rows]


def test_null_stays_null() -> None:
    frame = pl.DataFrame({"n": [None, 5]}, schema={"n": pl.Int64})
    assert frame.select(half_up_expr(pl.col("n"), 10)).to_series().to_list() == [None, 1]


def test_euro() -> None:
    assert [euro(cents) for cents in (0, 7, -150, 123456789)] == ["0.00", "0.07", "-1.50", "1,234,567.89"]
