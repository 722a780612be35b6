"""Eight bytes of a text at a time, as numbers, from any place of a buffer: what whole-array work on XML is made of."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.int64]
Words = npt.NDArray[np.uint64]

FRONT = b" " * 8
"""What must stand before the XML in a buffer, so that a word can be read that ends anywhere in it."""

BACK = b" " * 16
"""What must stand behind it, so that a word can be read that begins anywhere in it."""

WORD = 8

_ONE = np.uint64(1)

_LOWEST = np.array([(1 << 8 * many) - 1 for many in range(WORD + 1)], np.uint64)
"""Number of bytes -> mask of as many bytes of a word, from the first in the text on."""

_SURPLUS = np.array([8 * (WORD - many) for many in range(1, WORD + 1)], np.uint64)
"""Number of bytes less one -> bits by which a word is shifted so that only its last bytes are left."""


def words_of(buffer: bytes) -> Words:
    """The word from each place of a buffer on, its first byte lowest; a view."""
    return np.ndarray((len(buffer) - WORD + 1,), np.dtype("<u8"), buffer, strides=(1,))


def first_bytes(words: Words, start: Numbers, many: Numbers) -> Words:
    """The bytes from each place on, so many but at most eight; the rest is zero."""
    return words[start] & _LOWEST.take(many, mode="clip")


def last_bytes(words: Words, end: Numbers, many: Numbers) -> Words:
    """The bytes before each place, so many but at least one and at most eight; the rest is zero."""
    return words[end - WORD] >> _SURPLUS.take(many - 1, mode="clip")


def first_two(buffer: bytes, start: Numbers, many: Numbers) -> tuple[Words, Words]:
    """The bytes from each place on, so many but at most sixteen, as two words; the rest is zero.

    Args:
        buffer: the text, with `BACK` at its end.
        start: the places, before `BACK`.
        many: numbers of bytes.
    """
    # Words that begin at a multiple of eight are fetched several times faster than others.
    aligned = np.frombuffer(buffer, "<u8", len(buffer) // WORD)
    place = start >> 3
    lower = ((start & 7) << 3).view(np.uint64)
    upper = np.uint64(8 * WORD - 1) - lower
    one, two, three = (aligned.take(place + more, mode="clip") for more in range(3))
    head = one >> lower | two << _ONE << upper
    tail = two >> lower | three << _ONE << upper
    return head & _LOWEST.take(many, mode="clip"), tail & _LOWEST.take(many - WORD, mode="clip")
