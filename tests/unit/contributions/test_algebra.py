from fractions import Fraction
from math import floor

import polars as pl
import pytest

from contributions.algebra import LARGEST_AMOUNT, Columns, above, at_most, below, ratio, share, within_zone
from contributions.parameters import Parameters
from dmfa.quarter import Quarter

LAW = Parameters(Quarter(2026, 3))
O = Columns()  # noqa: E741 - the rules call it o


def values(expression: pl.Expr, **columns: list[int | None]) -> list[int | None]:
    frame = pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.Int64))
    return frame.select(expression.alias("found"))["found"].to_list()


@pytest.mark.parametrize("top", [0, 1, 4, 5, 14, 15, 10**15, 3 * 10**17 + 5])
def test_a_ratio_is_half_up(top):
    assert values(ratio(O.a, 10, LAW, "rounding/contribution"), a=[top]) == [floor(Fraction(top, 10) + Fraction(1, 2))]


def test_a_ratio_over_zero_or_null_is_null():
    assert values(ratio(O.a, O.b, LAW, "rounding/factor"), a=[1, 1, None], b=[0, None, 2]) == [None, None, None]


def test_a_share_is_rounded_once():
    assert values(share(O.a, 3807, LAW, "rounding/contribution"), a=[5000, 900_000, None]) == [1904, 342_630, None]
    assert values(share(O.a, O.b, LAW, "rounding/contribution"), a=[10**13], b=[100_000]) == [10**14]


def test_limits_never_turn_negative_and_keep_null():
    assert values(above(O.a, 10), a=[9, 10, 12, None]) == [0, 0, 2, None]
    assert values(below(O.a, 10), a=[9, 10, 12, None]) == [1, 0, 0, None]


def test_at_most_is_null_where_either_side_is():
    assert values(at_most(O.a, O.b), a=[3, 5, None, 1], b=[4, 4, 4, None]) == [3, 4, None, None]
    assert values(at_most(O.a, 4), a=[3, 4, 5]) == [3, 4, 4]


def test_an_amount_beyond_its_zone_is_null():
    assert values(within_zone(O.a), a=[LARGEST_AMOUNT, LARGEST_AMOUNT + 1]) == [LARGEST_AMOUNT, None]
