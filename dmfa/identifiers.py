"""The numbers of persons, employers and establishments: their check digits and how they are written.

Each kind has a plain function for one number, the same rule over a Polars column, and its zero-padded text form.
Numbers are whole numbers: a leading zero may be lost on the way without changing anything. Zero stands for "unknown"
or "none" in many zones; it is never a valid number itself, `allow_zero` accepts it where a zone does.

Source: NSSO glossaries of zones 00011, 00014, 00024, 00042, 00948; royal decree of 3 April 1984 (identification
number of the national register).
"""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

INSZ_DIGITS = 11
NOSS_REGISTRATION_DIGITS = 9
PROVISIONAL_NOSS_DIGITS = 10
ENTERPRISE_DIGITS = 10
LOCAL_UNIT_DIGITS = 10

_CENTURY = 2_000_000_000
"""Put before the nine first digits of a number given to a person born from 2000 on."""


def insz_valid(number: int, *, allow_zero: bool = False) -> bool:
    """Whether the check digits of an identification number of social security (INSZ, INSS) are right.

    They are 97 minus the remainder of the first nine digits by 97; for a birth from 2000 on a 2 stands before the nine.
    Bis and ter numbers (20 or 40 added to the month) follow the same rule.

    Args:
        number: eleven digits as a whole number, zone 00024 and its kin.
        allow_zero: whether 0 passes.

    Examples:
        >>> insz_valid(77101500172), insz_valid(5123112338), insz_valid(77101500173)
        (True, True, False)
    """
    return (allow_zero and number == 0) or insz_century(number) is not None


def insz_century(number: int) -> int | None:
    """The century that the check digits tell: 1900 or 2000, None if they are wrong.

    Examples:
        >>> insz_century(77101500172), insz_century(10100105), insz_century(1)
        (1900, 2000, None)
    """
    if not 0 < number < 10**INSZ_DIGITS:
        return None
    first, check = divmod(number, 100)
    if check == 97 - first % 97:
        return 1900
    return 2000 if check == 97 - (_CENTURY + first) % 97 else None


def noss_registration_valid(number: int, *, allow_zero: bool = False) -> bool:
    """Whether a registration number of the NSSO (zone 00011) is right: the whole number leaves 96 by 97.

    Examples:
        >>> noss_registration_valid(199999934), noss_registration_valid(199999935)
        (True, False)
    """
    return (allow_zero and number == 0) or (100_006 <= number <= 199_999_934 and number % 97 == 96)


def provisional_noss_valid(number: int, *, allow_zero: bool = False) -> bool:
    """Whether a provisional registration number (zone 00948, ten digits from 5) is right: it leaves 96 by 97.

    Examples:
        >>> provisional_noss_valid(5000000120), provisional_noss_valid(5000000121)
        (True, False)
    """
    return (allow_zero and number == 0) or (5_000_000_120 <= number <= 5_999_999_989 and number % 97 == 96)


def enterprise_valid(number: int, *, allow_zero: bool = False) -> bool:
    """Whether an enterprise number (zone 00014, ten digits from 0 or 1) is right: 97 minus the first eight by 97.

    Examples:
        >>> enterprise_valid(449888671), enterprise_valid(449888672)
        (True, False)
    """
    return (allow_zero and number == 0) or (0 < number < 2 * 10**9 and number % 100 == 97 - number // 100 % 97)


def local_unit_valid(number: int, *, allow_zero: bool = False) -> bool:
    """Whether a number of an establishment (zone 00042, ten digits from 2 to 8) is right: as an enterprise number.

    The fictitious numbers of annex 1 (8999999993 abroad, 8999999104 Flanders and so on) follow the rule.

    Examples:
        >>> local_unit_valid(2000000141), local_unit_valid(8999999993), local_unit_valid(449888671)
        (True, True, False)
    """
    in_range = 2 * 10**9 <= number < 9 * 10**9
    return (allow_zero and number == 0) or (in_range and number % 100 == 97 - number // 100 % 97)


def insz_valid_expr(number: pl.Expr, *, allow_zero: bool = False) -> pl.Expr:
    """`insz_valid` over an Int64 column; null where the number is null."""
    first, check = number // 100, number % 100
    births_1900 = check == 97 - first % 97
    births_2000 = check == 97 - (first + _CENTURY) % 97
    in_range = (number > 0) & (number < 10**INSZ_DIGITS)
    return _or_zero(in_range & (births_1900 | births_2000), number, allow_zero)


def insz_birth_date_expr(number: pl.Expr) -> pl.Expr:
    """Day of birth that the number of a person tells, over an Int64 column.

    The first six digits are year, month and day; bis and ter numbers add 20 or 40 to the month, and the check digits
    tell the century. Null where the number is null or wrong, or where month or day are not known (00) or no day.
    """
    first, check = number // 100, number % 100
    century = (
        pl.when(check == 97 - first % 97)
        .then(1900)
        .when(check == 97 - (first + _CENTURY) % 97)
        .then(pl.lit(2000, dtype=pl.Int64))
    )
    month, day = number // 10**7 % 100, number // 10**5 % 100
    text = (century + number // 10**9) * 10_000 + month % 20 * 100 + day
    in_range = (number > 0) & (number < 10**INSZ_DIGITS) & (month < 60)
    return pl.when(in_range).then(text).cast(pl.String).str.to_date("%Y%m%d", strict=False)


def insz_sex_expr(number: pl.Expr) -> pl.Expr:
    """Sex that the number of a person tells, over an Int64 column: `male` or `female`.

    Digits seven to nine are a serial, odd for men and even for women. Null where the number is null or wrong, or a bis
    number of somebody whose sex was not known (20 added to the month).
    """
    serial, month = number // 100 % 1000, number // 10**7 % 100
    sex = pl.when(serial % 2 == 1).then(pl.lit("male")).otherwise(pl.lit("female"))
    return pl.when(insz_valid_expr(number) & ~month.is_between(20, 39) & (month < 60)).then(sex)


def noss_registration_valid_expr(number: pl.Expr, *, allow_zero: bool = False) -> pl.Expr:
    """`noss_registration_valid` over an Int64 column; null where the number is null."""
    return _or_zero(number.is_between(100_006, 199_999_934) & (number % 97 == 96), number, allow_zero)


def provisional_noss_valid_expr(number: pl.Expr, *, allow_zero: bool = False) -> pl.Expr:
    """`provisional_noss_valid` over an Int64 column; null where the number is null."""
    return _or_zero(number.is_between(5_000_000_120, 5_999_999_989) & (number % 97 == 96), number, allow_zero)


def enterprise_valid_expr(number: pl.Expr, *, allow_zero: bool = False) -> pl.Expr:
    """`enterprise_valid` over an Int64 column; null where the number is null."""
    in_range = (number > 0) & (number < 2 * 10**9)
    return _or_zero(in_range & (number % 100 == 97 - number // 100 % 97), number, allow_zero)


def local_unit_valid_expr(number: pl.Expr, *, allow_zero: bool = False) -> pl.Expr:
    """`local_unit_valid` over an Int64 column; null where the number is null."""
    in_range = (number >= 2 * 10**9) & (number < 9 * 10**9)
    return _or_zero(in_range & (number % 100 == 97 - number // 100 % 97), number, allow_zero)


ValidExpr = Callable[..., pl.Expr]
"""One of the `*_valid_expr` functions."""


def _or_zero(valid: pl.Expr, number: pl.Expr, allow_zero: bool) -> pl.Expr:
    return valid | (number == 0) if allow_zero else valid


def insz_text(number: int) -> str:
    """An INSZ as people write it: eleven digits.

    Examples:
        >>> insz_text(5123112338)
        '05123112338'
    """
    return f"{number:0{INSZ_DIGITS}d}"


def noss_registration_text(number: int) -> str:
    """A registration number as people write it: nine digits, ten for a provisional one."""
    return f"{number:0{NOSS_REGISTRATION_DIGITS}d}"


def enterprise_text(number: int) -> str:
    """An enterprise number as people write it: ten digits."""
    return f"{number:0{ENTERPRISE_DIGITS}d}"


def local_unit_text(number: int) -> str:
    """A number of an establishment as people write it: ten digits."""
    return f"{number:0{LOCAL_UNIT_DIGITS}d}"


def insz_text_expr(number: pl.Expr) -> pl.Expr:
    """`insz_text` over an Int64 column; null where the number is null."""
    return _text(number, INSZ_DIGITS)


def noss_registration_text_expr(number: pl.Expr) -> pl.Expr:
    """`noss_registration_text` over an Int64 column; null where the number is null."""
    return _text(number, NOSS_REGISTRATION_DIGITS)


def enterprise_text_expr(number: pl.Expr) -> pl.Expr:
    """`enterprise_text` over an Int64 column; null where the number is null."""
    return _text(number, ENTERPRISE_DIGITS)


def local_unit_text_expr(number: pl.Expr) -> pl.Expr:
    """`local_unit_text` over an Int64 column; null where the number is null."""
    return _text(number, LOCAL_UNIT_DIGITS)


def _text(number: pl.Expr, digits: int) -> pl.Expr:
    return number.cast(pl.String).str.zfill(digits)
