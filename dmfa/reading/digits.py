"""Texts of at most 16 signs as words of eight bytes each: digits told, numbers read, forms compared, all at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from dmfa.reading.patterns import DIGIT
from dmfa.reading.words import WORD, Numbers, Words

Truths = npt.NDArray[np.bool_]

MOST_DIGITS = 2 * WORD
_ZEROS = np.uint64(0x3030303030303030)
_ABOVE_NINE = np.uint64(0x7676767676767676)
_HIGH_BITS = np.uint64(0x8080808080808080)
_ONE_BYTE = np.uint64(8)
_SHIFT = np.array([min(8 * (WORD - many), 63) for many in range(WORD + 1)], np.uint64)
"""Number of digits -> bits by which they are moved to the end of a word."""

_PADDING = np.array([0x3030303030303030 % 256 ** (WORD - many) for many in range(WORD + 1)], np.uint64)
"""Number of digits -> zeros that fill up a word before them."""

_HIGH_OF = np.array([0x8080808080808080 % 256**many for many in range(WORD + 1)], np.uint64)
"""Number of bytes -> the high bit of each."""

_POWERS = np.array([10**many for many in range(WORD + 1)], np.int64)


@dataclass(frozen=True)
class Texts:
    """The texts of one zone.

    Attributes:
        head: the first eight bytes of each, the first one lowest; zero behind its end.
        tail: the next eight.
        length: its bytes.
        whole: gives all of them as a column of String, null where empty; few rules ask.
    """

    head: Words
    tail: Words
    length: Numbers
    whole: Callable[[], pl.Series]


def numbers(texts: Texts) -> tuple[Numbers, Truths]:
    """The numbers that texts of digits mean, and which of them are 1 to 16 digits and nothing else."""
    value, right = _number(texts.head, np.minimum(texts.length, WORD))
    right &= (texts.length > 0) & (texts.length <= MOST_DIGITS)
    if len(right) and texts.length.max() > WORD:
        more = np.clip(texts.length - WORD, 0, WORD)
        rest, also = _number(texts.tail, more)
        value = value * _POWERS.take(more) + rest
        right &= also
    return value, right


def _number(word: Words, many: Numbers) -> tuple[Numbers, Truths]:
    """The number of up to eight digits that begin a word, and whether they are digits."""
    digits = word << _SHIFT.take(many) | _PADDING.take(many)
    digits ^= _ZEROS
    right: Truths = ((digits + _ABOVE_NINE) | digits) & _HIGH_BITS == 0
    # Pairs of digits, then fours, then eight: the first one stands lowest.
    digits = digits * np.uint64(10) + (digits >> _ONE_BYTE) & np.uint64(0x00FF00FF00FF00FF)
    digits = digits * np.uint64(100) + (digits >> np.uint64(16)) & np.uint64(0x0000FFFF0000FFFF)
    digits = digits * np.uint64(10_000) + (digits >> np.uint64(32)) & np.uint64(0xFFFFFFFF)
    return digits.astype(np.int64), right


def two(word: Words, place: int) -> Numbers:
    """The number of two digits at a place of a word."""
    first, second = (word >> np.uint64(8 * (place + more)) & np.uint64(0xF) for more in (0, 1))
    return (first * np.uint64(10) + second).astype(np.int64)


def printing(word: Words, many: Numbers) -> Truths:
    """Whether each of so many bytes of a word, but at most eight, is a blank or above it."""
    # One of the three upper bits is set, then, and comes to stand highest.
    upper = (word | word << np.uint64(1) | word << np.uint64(2)) & _HIGH_BITS
    right: Truths = upper == _HIGH_OF.take(many, mode="clip")
    return right


class Forms:
    """Texts of one of some forms of at most 16 signs."""

    def __init__(self, forms: tuple[tuple[str, ...], ...]) -> None:
        self._forms = [_masks(form) for form in forms]

    def proves(self, texts: Texts) -> Truths:
        """Which texts are right."""
        right = np.zeros(len(texts.length), np.bool_)
        digits = [_digits(texts.head), _digits(texts.tail)] if any(form.digits for form in self._forms) else []
        for form in self._forms:
            one = (texts.length == form.length) & (texts.head & form.fixed[0] == form.text[0])
            if form.length > WORD:
                one &= texts.tail & form.fixed[1] == form.text[1]
            for word, mask in zip(digits, form.digits, strict=False):
                one &= word & mask == mask
            right |= one
        return right


@dataclass(frozen=True)
class _Form:
    length: int
    fixed: tuple[np.uint64, np.uint64]
    text: tuple[np.uint64, np.uint64]
    digits: tuple[np.uint64, ...]


def _masks(form: tuple[str, ...]) -> _Form:
    signs = [sign.encode() if sign != DIGIT else b"" for sign in form]
    if not 0 < len(form) <= MOST_DIGITS or any(len(sign) > 1 for sign in signs):
        raise ValueError(form)

    def words(each: list[bytes]) -> tuple[np.uint64, np.uint64]:
        held = b"".join(each).ljust(2 * WORD, b"\0")
        return np.uint64(int.from_bytes(held[:WORD], "little")), np.uint64(int.from_bytes(held[WORD:], "little"))

    digits = words([b"\0" if sign else b"\x80" for sign in signs])
    fixed = words([b"\xff" if sign else b"\0" for sign in signs])
    return _Form(len(form), fixed, words([sign or b"\0" for sign in signs]), digits if any(digits) else ())


def _digits(word: Words) -> Words:
    """The high bit of each byte of a word that is a digit."""
    held = word ^ _ZEROS
    low = (held & ~_HIGH_BITS) + _ABOVE_NINE
    return ~(low | held) & _HIGH_BITS
