"""The markup of some documents: every tag, start and end, where it stands, and of which documents it is in doubt.

What is seen here for certain is that a document is plain: tags of known names and nothing else between '<' and '>',
each zone closed at once by its own name, white space alone between the others. A document of which that is not certain
is in doubt, which is no fault: another has to judge it. Whether blocks nest is not seen here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from dmfa.reading.digits import Truths
from dmfa.reading.tags import IGNORED, Labels, Tags, cuts, marks
from dmfa.reading.texts import Odd
from dmfa.reading.vocabulary import Vocabulary
from dmfa.reading.words import BACK, FRONT, WORD, Numbers, Words, first_bytes, first_two, words_of
from dmfa.schema import ORIGINAL

Codes = npt.NDArray[np.int16]

CLOSED = -2
"""Code of the end of a block, less the block's number."""

_HEAD = re.compile(
    rb"(?:<\?xml version=(?:\"1\.0\"|'1\.0') encoding=(?:\"(?:UTF|utf)-8\"|'(?:UTF|utf)-8') ?\?>)?[ \t\n]*"
    rb"(?P<root><" + ORIGINAL.name.encode() + rb"(?:"
    rb" xmlns:xsi=\"http://www\.w3\.org/2001/XMLSchema-instance\""
    rb"(?: xsi:noNamespaceSchemaLocation=\"(?:https?://)?[A-Za-z0-9_./-]{1,200}\")?)?>)"
)
"""How an ordinary document begins: these forms of the XML declaration and of the root's attributes, and no others."""

_NO_CHARACTERS = (b"\xef\xbf\xbe", b"\xef\xbf\xbf")
"""U+FFFE and U+FFFF, which UTF-8 can write and XML does not allow."""

_REFERENCES = (b"amp;", b"lt;", b"gt;", b"apos;", b"quot;")
_END = f"</{ORIGINAL.name}>".encode()
_TAIL = 64
_PART = 1 << 21
_LAST_ASCII = 0x7F
_LONGEST_BLANK = 64
_HIGH_BITS = np.uint64(0x8080808080808080)
_LINE, _TABS = (
    np.array([int.from_bytes((first + b"\t" * WORD)[:many], "little") for many in range(WORD + 1)], np.uint64)
    for first in (b"\n", b"")
)
"""Number of bytes -> the end of a line with so many tabs less one; so many tabs."""


@dataclass(frozen=True)
class Markup:
    """What stands in some documents.

    Attributes:
        buffer: the documents between `dmfa.reading.words.FRONT` and `BACK`.
        offsets: where each begins in it.
        code: of each event in document order: number of the label of a start tag, or `CLOSED` less the number of the
            block that ends. A zone is one event.
        start: where the text behind the event begins.
        length: bytes of that text, for a zone.
        zones: places of the zones among the events.
        head: the first eight bytes of each zone's text.
        tail: the next eight.
        doubt: for each document, whether it may be something else than well-formed.
        unread: for each document, whether it holds a tag that was not understood: nothing may be made of its events.
    """

    buffer: bytes
    offsets: Numbers
    code: Codes
    start: Numbers
    length: Numbers
    zones: Numbers
    head: Words
    tail: Words
    doubt: Truths
    unread: Truths

    def document(self, places: Numbers) -> Numbers:
        """Number of the document that holds each place of the buffer."""
        return np.searchsorted(self.offsets, places, side="right") - 1

    def parts(self) -> Iterator[tuple[Markup, slice]]:
        """The documents, some at a time: few enough to stay near the processor.

        Yields:
            Their markup, of which `doubt` is that of the whole, and which of its zones they have.
        """
        borders = [0]
        for number, offset in enumerate(self.offsets.tolist()):
            if offset - self.offsets[borders[-1]] > _PART:
                borders.append(number)
        events = np.append(np.searchsorted(self.start, self.offsets[borders], side="right"), len(self.code))
        events[0] = 0
        zones = np.searchsorted(self.zones, events)
        for number, (first, last) in enumerate(pairwise([*borders, len(self.offsets)])):
            documents, own = slice(first, last), slice(zones[number], zones[number + 1])
            part = slice(events[number], events[number + 1])
            yield (
                Markup(
                    self.buffer,
                    self.offsets[documents],
                    self.code[part],
                    self.start[part],
                    self.length[part],
                    self.zones[own] - events[number],
                    self.head[own],
                    self.tail[own],
                    self.doubt[documents],
                    self.unread[documents],
                ),
                own,
            )

    def tags(self, kept: Truths) -> Tags:
        """The start tags of some documents, as a shredder takes them."""
        opened = self.code >= 0
        if not kept.all():
            begins = np.searchsorted(self.start, self.offsets, side="right")
            opened &= np.repeat(kept, np.diff(np.append(begins, len(self.code))))
        places = np.flatnonzero(opened)
        zones = opened[self.zones]
        texts = (self.head, self.tail) if zones.all() else (self.head[zones], self.tail[zones])
        return Tags(self.code[places], self.start[places], self.length[places], texts)


def read_markup(documents: Sequence[bytes], words: Vocabulary) -> Markup:
    """Read the markup of documents that are UTF-8 (`is_text`); line ends are those of XML.

    Raises:
        Odd: marks that are no tags stand in one of them.
    """
    buffer = b"".join((FRONT, *documents, BACK))
    offsets = len(FRONT) + np.cumsum([0, *map(len, documents)])[:-1]
    heads = [_HEAD.match(document) for document in documents]
    pieces = [_Piece(words, buffer, cut) for cut in cuts(buffer)]
    counts = np.array([len(piece.code) for piece in pieces])
    # A piece counts its own events from 0.
    before = np.repeat(np.cumsum(counts) - counts, [len(piece.zones) for piece in pieces])
    doubt = np.array([head is None or not _plain(one) for head, one in zip(heads, documents, strict=True)], np.bool_)
    code, start, length, head, tail = (
        np.concatenate([getattr(piece, name) for piece in pieces])
        for name in ("code", "start", "length", "head", "tail")
    )
    zones = np.concatenate([piece.zones for piece in pieces]) + before
    unread = np.zeros(len(documents), np.bool_)
    markup = Markup(buffer, offsets, code, start, length, zones, head, tail, doubt, unread)
    for piece in pieces:
        for places in piece.doubtful:
            doubt[markup.document(places)] = True
    roots = {int(offset) + head.start("root") for offset, head in zip(offsets, heads, strict=True) if head is not None}
    _name_others(markup, words, roots)
    return markup


def _plain(document: bytes) -> bool:
    """Whether a document knows its references, and ends in itself: else it might be the next one that ends it."""
    ends = document[-_TAIL:].rstrip(b" \t\n").endswith(_END)
    at = document.find(b"&")
    while ends and at >= 0:
        ends = document.startswith(_REFERENCES, at + 1)
        at = document.find(b"&", at + 1)
    return ends


def _name_others(markup: Markup, words: Vocabulary, roots: set[int]) -> None:
    """Settle what the tags are that are no label as they stand: what begins a document, and what is in doubt."""
    begins = set(markup.offsets.tolist())
    events = np.flatnonzero(markup.code == words.labels.none)
    markup.code[events] = IGNORED
    for event, document in zip(events.tolist(), markup.document(markup.start[events] - 1).tolist(), strict=True):
        if markup.unread[document]:
            continue
        end = int(markup.start[event]) - 1
        begin = markup.buffer.rfind(b"<", 0, end)
        tag = markup.buffer[begin + 1 : end]
        if begin in roots:
            markup.code[event] = 0
        elif begin not in begins or not tag.startswith(b"?xml "):
            markup.doubt[document] = True
            try:
                markup.code[event] = words.other(tag.decode("utf-8", "replace"))
            except Odd:
                markup.unread[document] = True


def is_text(document: bytes) -> bool:
    """Whether bytes are UTF-8 of characters that XML may hold, but for control characters other than zero."""
    if b"\0" in document:
        return False
    if document.isascii():
        return True
    # Only what is not ASCII has to be decoded: a blank for whatever stands between.
    text = np.frombuffer(document, np.uint8)
    places = np.flatnonzero(text > _LAST_ASCII)
    others = np.insert(text[places], np.flatnonzero(np.diff(places) > 1) + 1, ord(" ")).tobytes()
    try:
        others.decode()
    except UnicodeDecodeError:
        return False
    return not any(sign in others for sign in _NO_CHARACTERS)


def has_tags(document: bytes) -> bool:
    """Whether the marks of a document, if it has any, are those of tags."""
    try:
        return len(marks(np.frombuffer(document, np.uint8), 0)) > 1
    except Odd:
        return False


class _Piece:
    """The events of a piece of a buffer that begins at a start tag, and the places that raise doubt.

    Raises:
        Odd: its marks are no tags.
    """

    def __init__(self, words: Vocabulary, buffer: bytes, cut: tuple[int, int]) -> None:
        text, eights = np.frombuffer(buffer, np.uint8, min(cut[1], len(buffer) - len(BACK))), words_of(buffer)
        found = marks(text, cut[0])
        begin, end = found[:-1:2], found[1::2]
        closing = text[begin + 1] == ord("/")
        empty = text[end - 1] == ord("/")
        # An end right behind a start is no event of its own: it closes a zone.
        inner = closing[1:] & ~(closing | empty)[:-1]
        alone = np.ones(len(begin), np.bool_)
        np.logical_not(inner, out=alone[1:])
        events = np.flatnonzero(alone)
        leaf, ends, empty = np.append(inner, False)[events], closing[events], empty[events]
        stop = end[events]
        first = begin[events] + 1 + ends
        label, plain = _labels(words.labels, text, eights, (first, stop), empty)
        zone = (label >= len(words.blocks)) & (label < words.labels.none)
        right = plain & (zone == (leaf | empty)) & ~(ends & (empty | (label == words.labels.none)))
        leaves = np.flatnonzero(leaf)
        opened = events.take(leaves)
        closer = opened + 1
        right[leaves] &= words.labels.same(eights, begin[closer] + 2, end[closer], label.take(leaves))
        behind = found[2::2] - end - 1
        start, length = stop + 1, np.zeros(len(events), np.int64)
        length[leaves] = behind.take(opened)
        behind[opened] = 0
        between = np.flatnonzero(behind)
        blank = end[between] + 1
        white = _white(eights, blank, behind.take(between))
        self.doubtful = [begin[events[~right]], blank[~white]]
        self.code, self.start, self.length = np.where(ends, CLOSED - label, label), start, length
        self.zones = np.flatnonzero(zone & ~ends)
        self.head, self.tail = first_two(buffer, start.take(self.zones), length.take(self.zones))


def _labels(
    labels: Labels, text: npt.NDArray[np.uint8], eights: Words, written: tuple[Numbers, Numbers], empty: Truths
) -> tuple[Codes, Truths]:
    """The label of each tag, and whether it is written byte for byte with nothing behind it."""
    first, stop = written
    name = end = stop - empty if empty.any() else stop
    while (spaced := text[name - 1] <= ord(" ")).any():  # as in "<Form >"
        name = name - spaced
    label = labels.recognised(eights, first, name)
    plain = labels.between(eights, first, label)
    return label, plain if name is end else plain & (name == end)


def _white(eights: Words, start: Numbers, length: Numbers) -> Truths:
    """Whether pieces of text, none of them empty, are blanks, tabs and ends of lines; of long ones that is not said."""
    white = length <= _LONGEST_BLANK
    places = np.flatnonzero(white)
    for begin in range(0, _LONGEST_BLANK, WORD):
        held = first_bytes(eights, start[places] + begin, length[places] - begin)
        # Nearly always it is the end of a line, and tabs.
        odd = np.flatnonzero(held != (_LINE if not begin else _TABS).take(length[places] - begin, mode="clip"))
        white[places[odd]] &= _blanks(held[odd])
        places = places[length[places] > begin + WORD]
        if not len(places):
            break
    return white


def _blanks(held: Words) -> Truths:
    """Whether words hold nothing but blanks, tabs, ends of lines, and nothing at all behind them."""
    other = np.full(len(held), _HIGH_BITS)
    for sign in (b"\0", b"\t", b"\n", b" "):
        apart = held ^ np.uint64(int.from_bytes(sign * WORD, "little"))
        other &= (apart & ~_HIGH_BITS) + ~_HIGH_BITS | apart
    blank: Truths = other == 0
    return blank
