"""Check digits against numbers known to be right or wrong, and columns against the plain functions."""

import random
from datetime import date

import polars as pl
import pytest

from dmfa import identifiers
from dmfa.identifiers import (
    enterprise_valid,
    insz_birth_date_expr,
    insz_century,
    insz_valid,
    local_unit_valid,
    noss_registration_valid,
    provisional_noss_valid,
)

FICTITIOUS_UNITS = [8999999993, 8999999104, 8999999203, 8999999302, 8999999401, 8999999005, 8999999894]


@pytest.mark.parametrize(
    ("number", "century"),
    [
        (77101500172, 1900),
        (80111405125, 1900),
        (29111114418, 1900),
        (75061500397, 1900),  # nine digits divisible by 97: the check is 97, never 00
        (10100105, 2000),  # 00010100105, leading zeros lost
        (5123112338, 2000),  # 05123112338
        (85210100257, 1900),  # bis, sex unknown: month + 20
        (85410100203, 1900),  # bis, sex known: month + 40
    ],
)
def test_right_insz(number, century):
    assert insz_century(number) == century
    assert insz_valid(number)


@pytest.mark.parametrize("number", [0, -77101500172, 77101500173, 75061500300, 10**11 + 77101500172, 99])
def test_wrong_insz(number):
    assert not insz_valid(number)


def test_a_number_tells_one_century():
    for first in range(1, 97 * 3):
        rights = {check for check in range(100) if insz_valid(first * 100 + check)}
        assert len(rights) == 2, "one check for each century, never the same"


@pytest.mark.parametrize("number", [199999934, 162518843, 100006, 70500472, 935467])
def test_right_registration_number(number):
    assert noss_registration_valid(number)


@pytest.mark.parametrize("number", [0, 145647968, 156065072, 199999935, 96, 200000031])
def test_wrong_registration_number(number):
    assert not noss_registration_valid(number)


def test_provisional_registration_number():
    assert provisional_noss_valid(5000000120)
    assert provisional_noss_valid(5999999989)
    assert not provisional_noss_valid(5000000121)
    assert not provisional_noss_valid(199999934)


@pytest.mark.parametrize("number", [449888671, 400767772, 1999999943])
def test_right_enterprise_number(number):
    assert enterprise_valid(number)


@pytest.mark.parametrize("number", [0, 400253292, 123456789, 449888672, 2000000141])
def test_wrong_enterprise_number(number):
    assert not enterprise_valid(number)


@pytest.mark.parametrize("number", [2000000141, 2000000240, *FICTITIOUS_UNITS])
def test_right_local_unit(number):
    assert local_unit_valid(number)


@pytest.mark.parametrize("number", [0, 2000000142, 449888671, 9000000000])
def test_wrong_local_unit(number):
    assert not local_unit_valid(number)


KINDS = ["insz", "noss_registration", "provisional_noss", "enterprise", "local_unit"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("allow_zero", [False, True])
def test_columns_say_what_functions_say(kind, allow_zero):
    draw = random.Random(kind)
    numbers = [0, 1, 99, 10**11, *FICTITIOUS_UNITS, 77101500172, 5123112338, 199999934, 5000000120, 449888671]
    numbers += [draw.randrange(10 ** draw.randrange(1, 13)) for _ in range(2_000)]
    # Every check from 00 to 99 behind the same first digits: some are right, most are not.
    numbers += [first * 100 + check for first in (771015001, 2000001, 51231123, 1999999) for check in range(100)]
    plain = getattr(identifiers, f"{kind}_valid")
    column = getattr(identifiers, f"{kind}_valid_expr")
    frame = pl.DataFrame({"number": [*numbers, None]}, schema={"number": pl.Int64})
    got = frame.select(valid=column(pl.col("number"), allow_zero=allow_zero))["valid"].to_list()
    assert got == [*(plain(number, allow_zero=allow_zero) for number in numbers), None]
    assert got.count(True) > 0


@pytest.mark.parametrize(
    ("kind", "number", "text"),
    [
        ("insz", 5123112338, "05123112338"),
        ("noss_registration", 100006, "000100006"),
        ("noss_registration", 5000000120, "5000000120"),
        ("enterprise", 449888671, "0449888671"),
        ("local_unit", 2000000141, "2000000141"),
    ],
)
def test_written_as_people_write_them(kind, number, text):
    assert getattr(identifiers, f"{kind}_text")(number) == text
    column = getattr(identifiers, f"{kind}_text_expr")
    frame = pl.DataFrame({"number": [number, None]}, schema={"number": pl.Int64})
    assert frame.select(text=column(pl.col("number")))["text"].to_list() == [text, None]


@pytest.mark.parametrize(
    ("first", "century", "born"),
    [
        (771015001, 1900, date(1977, 10, 15)),
        (51231123, 2000, date(2005, 12, 31)),
        (100101001, 1900, date(1910, 1, 1)),
        (100101001, 2000, date(2010, 1, 1)),
        (772115001, 1900, date(1977, 1, 15)),  # a bis number: 20 added to the month
        (775215001, 1900, date(1977, 12, 15)),  # a ter number: 40 added
        (770015001, 1900, None),  # no month
        (770200001, 1900, None),  # no day
        (770230001, 1900, None),  # no such day
        (773315001, 1900, None),  # no such month
        (776115001, 1900, None),  # nothing adds 60
    ],
)
def test_a_number_tells_the_day_of_birth_where_it_holds_one(first: int, century: int, born: date | None) -> None:
    number = first * 100 + 97 - (first + (2_000_000_000 if century == 2000 else 0)) % 97
    found = pl.DataFrame({"inss": [number, number + 1, 0, None]}).select(insz_birth_date_expr(pl.col("inss")))
    assert found.to_series().to_list()[0] == born
    assert found.to_series().to_list()[2:] == [None, None]


def test_a_number_with_wrong_check_digits_tells_no_day_of_birth() -> None:
    assert pl.DataFrame({"inss": [77101500173]}).select(insz_birth_date_expr(pl.col("inss"))).item() is None
