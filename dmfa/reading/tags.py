"""The start tags of plain XML, found with whole-array operations: which label each has, and the text behind it.

In a well-formed document without comments, CDATA sections and raw '>', every '<' begins a tag and the next mark is the
'>' that ends it. A label is told by its length, its first eight bytes and its last eight: no two labels of the releases
agree in all three, and a valid document has no other names. It fails closed: whatever is met that these rules do not
foresee raises `Odd`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dmfa.reading.texts import Odd
from dmfa.reading.words import WORD, Numbers, Words, first_bytes, last_bytes, words_of

IGNORED = -1
"""What stands for a tag that says nothing."""

_PIECE = 1 << 18
_TABLE_BITS = 13
_TRIES = 10_000


@dataclass(frozen=True, slots=True)
class Tags:
    """Start tags in document order, as arrays of the same length.

    Attributes:
        label: number of its label (Int16).
        start: where the text behind it begins in the buffer.
        length: bytes of that text up to the next tag; 0 behind an empty element.
        zones: of the text of each zone the first eight bytes and the next eight, where they are known.
    """

    label: npt.NDArray[np.int16]
    start: Numbers
    length: Numbers
    zones: tuple[Words, Words] | None = None


class Labels:
    """Some labels, made ready to be recognised.

    Args:
        labels: different labels; the number of each is its position.

    Raises:
        ValueError: two of them have the same length, first eight and last eight bytes.
    """

    def __init__(self, labels: Sequence[str]) -> None:
        names = [label.encode() for label in labels]
        told = [
            (int.from_bytes(name[:WORD], "little"), int.from_bytes(name[-WORD:], "little"), len(name)) for name in names
        ]
        if len(set(told)) < len(told):
            raise ValueError("two labels look alike")
        # The last row is that of no label: its length is never met.
        self._first, self._last = (np.array([*(row[at] for row in told), 0], np.uint64) for at in (0, 1))
        self._length = np.array([*(row[2] for row in told), -1], np.int64)
        # What lies between the first and the last word of a longer label, a word at a time.
        self._between = [
            (
                np.array([*(len(name) > begin + WORD for name in names), False]),
                np.array([*(int.from_bytes(name[begin : begin + WORD], "little") for name in names), 0], np.uint64),
            )
            for begin in range(WORD, max(map(len, names)) - WORD, WORD)
        ]
        self._factor, self._table = self._hashed()

    def _hashed(self) -> tuple[np.uint64, npt.NDArray[np.int16]]:
        """A factor under which no two labels fall on the same place of a small table, and the table."""
        keys = _keys(self._first[:-1], self._last[:-1], self._length[:-1])
        for number in range(1, _TRIES):
            factor = np.uint64(number * 0x9E3779B97F4A7C15 % 2**64 | 1)
            places = _places(keys, factor)
            if len(np.unique(places)) == len(places):
                table = np.full(1 << _TABLE_BITS, len(places), np.int16)
                table[places] = np.arange(len(places))
                return factor, table
        raise ValueError("these labels can not be told apart in a small table")

    def recognised(self, words: Words, begin: Numbers, end: Numbers) -> npt.NDArray[np.int16]:
        """Number of the label of each name, by its length and its first and last word; that of no label else."""
        length = end - begin
        first, last = first_bytes(words, begin, length), last_bytes(words, end, length)
        # Told as where to take from, a place is found several times faster than as an index.
        label = self._table.take(_places(_keys(first, last, length), self._factor).view(np.int64))
        same = self._first.take(label) == first
        same &= self._last.take(label) == last
        same &= self._length.take(label) == length
        label[~same] = self.none
        return label

    def between(self, words: Words, begin: Numbers, label: npt.NDArray[np.int16]) -> npt.NDArray[np.bool_]:
        """Whether recognised names are their labels also between the first and the last word."""
        right = np.ones(len(begin), np.bool_)
        places, own = np.arange(len(begin)), label
        for number, (longer, word) in enumerate(self._between, start=1):
            # What has a next word has all those before it.
            having = np.flatnonzero(longer.take(own))
            if not len(having):
                break
            places, own = places[having] if number > 1 else having, own.take(having)
            other = words[begin[places] + number * WORD] != word.take(own)
            if other.any():
                right[places[other]] = False
        return right

    def same(self, words: Words, begin: Numbers, end: Numbers, label: npt.NDArray[np.int16]) -> npt.NDArray[np.bool_]:
        """Whether names are some labels, byte for byte."""
        length = self._length.take(label)
        right: npt.NDArray[np.bool_] = end - begin == length
        right &= last_bytes(words, end, length) == self._last.take(label)
        right &= first_bytes(words, begin, length) == self._first.take(label)
        return right & self.between(words, begin, label)

    @property
    def none(self) -> int:
        """The number that stands for no label."""
        return len(self._length) - 1

    def find(self, buffer: bytes, other: Callable[[str], int]) -> Tags:
        """Find the start tags.

        Args:
            buffer: UTF-8 between `dmfa.reading.words.FRONT` and `BACK`.
            other: asked for a tag that is no label as it stands: its number, or `IGNORED`.

        Raises:
            Odd: there is a comment, a CDATA section, a raw '>' or whatever else `other` does not know.
        """
        text, words = np.frombuffer(buffer, np.uint8), words_of(buffer)
        pieces = [self._piece(text[: cut[1]], words, cut[0]) for cut in cuts(buffer)]
        label, start, length, end = (np.concatenate(part) for part in zip(*pieces, strict=True))
        for at in np.flatnonzero(label == self.none).tolist():
            begin = buffer.rfind(b"<", 0, end[at]) + 1
            label[at] = other(buffer[begin : end[at]].decode("utf-8", "replace"))
        if (label == IGNORED).any():
            kept = np.flatnonzero(label != IGNORED)
            return Tags(label[kept], start[kept], length[kept])
        return Tags(label, start, length)

    def _piece(
        self, text: npt.NDArray[np.uint8], words: Words, cut: int
    ) -> tuple[npt.NDArray[np.int16], Numbers, Numbers, Numbers]:
        """The start tags from a '<' on to the end: label, start and length of the text behind, end of the name."""
        found = marks(text, cut)
        # Every second mark opens a tag; whatever does not begin with a slash starts an element.
        opened = 2 * np.flatnonzero(text[found[:-1:2] + 1] != ord("/"))
        begin, end = found[opened] + 1, found[opened + 1]
        start = end + 1
        length = found[opened + 2] - start
        empty = text[end - 1] == ord("/")
        if empty.any():
            length[empty] = 0
            end = end - empty
        while (blank := text[end - 1] <= ord(" ")).any():  # as in "<Form >"
            end = end - blank
        return self.recognised(words, begin, end), start, length, end


def cuts(buffer: bytes) -> Iterator[tuple[int, int]]:
    """Where pieces of a buffer begin and end, each before a start tag: small enough to stay near the processor."""
    start = buffer.find(b"<")
    while start >= 0:
        end = buffer.find(b"<", start + _PIECE)
        while end >= 0 and buffer[end + 1] == ord("/"):
            end = buffer.find(b"<", end + 1)
        yield start, end if end >= 0 else len(buffer)
        start = end


def marks(text: npt.NDArray[np.uint8], cut: int) -> Numbers:
    """Where tags begin and end, in turns, from a place on; then the end of the text."""
    # '<' and '>' are the two bytes that differ from each other in this bit alone.
    found = np.flatnonzero((text[cut:] & 0b11111101) == ord("<"))
    found += cut
    if len(found) % 2 or (text[found].view("<u2") != int.from_bytes(b"<>", "little")).any():
        raise Odd
    return np.append(found, len(text))


def _keys(first: Words, last: Words, length: Numbers) -> Words:
    """One number for each label, the same for the same label."""
    keys: Words = np.bitwise_xor(first, last * np.uint64(0xD6E8FEB86659FD93))
    keys ^= length.astype(np.uint64)
    return keys


def _places(keys: Words, factor: np.uint64) -> Words:
    return (keys * factor) >> np.uint64(64 - _TABLE_BITS)
