"""The markup of some documents: every tag, start and end, where it stands, and of which documents it is in doubt.

What is seen here for certain is that a document is plain: tags of known names and nothing else between '<' and '>',
each zone closed at once by its own name, white space alone between the others. A document of which that is not certain
is in doubt, which is no fault: another has to judge it. Whether blocks nest is not seen here.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dmfa.reading.digits import Truths
from dmfa.reading.tags import IGNORED, Tags, cuts, marks
from dmfa.reading.texts import Odd
from dmfa.reading.vocabulary import Vocabulary
from dmfa.reading.words import BACK, FRONT, WORD, Numbers, Words, first_bytes, words_of
from dmfa.schema import MESSAGE

Codes = npt.NDArray[np.int16]

CLOSED = -2
"""Code of the end of a block, less the block's number."""

_INSIDE = np.int16(-32_768)
_HEAD = re.compile(
    rb"(?:<\?xml version=(?:\"1\.0\"|'1\.0') encoding=(?:\"(?:UTF|utf)-8\"|'(?:UTF|utf)-8') ?\?>)?[ \t\n]*"
    rb"(?P<root><" + MESSAGE.encode() + rb"(?:"
    rb" xmlns:xsi=\"http://www\.w3\.org/2001/XMLSchema-instance\""
    rb"(?: xsi:noNamespaceSchemaLocation=\"[A-Za-z0-9_.:/-]{1,200}\")?)?>)"
)
"""How an ordinary document begins: these forms of the XML declaration and of the root's attributes, and no others."""

_NO_CHARACTERS = (b"\xef\xbf\xbe", b"\xef\xbf\xbf")
"""U+FFFE and U+FFFF, which UTF-8 can write and XML does not allow."""

_OTHER_REFERENCE = re.compile(rb"&(?!(?:amp|lt|gt|apos|quot);)")
_END = f"</{MESSAGE}>".encode()
_TAIL = 64
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

    def tags(self, kept: Truths) -> Tags:
        """The start tags of some documents, as a shredder takes them."""
        opened = self.code >= 0
        if not kept.all():
            begins = np.searchsorted(self.start, self.offsets, side="right")
            opened &= np.repeat(kept, np.diff(np.append(begins, len(self.code))))
        places = np.flatnonzero(opened)
        return Tags(self.code[places], self.start[places], self.length[places])


def read_markup(documents: Sequence[bytes], words: Vocabulary) -> Markup:
    """Read the markup of documents that are UTF-8 (`is_text`); line ends are those of XML.

    Raises:
        Odd: marks that are no tags stand in one of them.
    """
    buffer = b"".join((FRONT, *documents, BACK))
    offsets = len(FRONT) + np.cumsum([0, *map(len, documents)])[:-1]
    heads = [_HEAD.match(document) for document in documents]
    text, eights = np.frombuffer(buffer, np.uint8)[: -len(BACK)], words_of(buffer)
    pieces = [_Piece(words, text[:end], eights, start) for start, end in cuts(buffer)]
    counts = np.array([len(piece.code) for piece in pieces])
    # A piece counts its own events from 0.
    before = np.repeat(np.cumsum(counts) - counts, [len(piece.zones) for piece in pieces])
    doubt = np.array([head is None or not _plain(one) for head, one in zip(heads, documents, strict=True)], np.bool_)
    markup = Markup(
        buffer,
        offsets,
        np.concatenate([piece.code for piece in pieces]),
        np.concatenate([piece.start for piece in pieces]),
        np.concatenate([piece.length for piece in pieces]),
        np.concatenate([piece.zones for piece in pieces]) + before,
        np.concatenate([piece.head for piece in pieces]),
        np.concatenate([piece.tail for piece in pieces]),
        doubt,
        np.zeros(len(documents), np.bool_),
    )
    for piece in pieces:
        for places in piece.doubtful:
            doubt[markup.document(places)] = True
    roots = {int(offset) + head.start("root") for offset, head in zip(offsets, heads, strict=True) if head is not None}
    _name_others(markup, words, roots)
    return markup


def _plain(document: bytes) -> bool:
    """Whether a document knows its references, and ends in itself: else it might be the next one that ends it."""
    ends = document[-_TAIL:].rstrip(b" \t\n").endswith(_END)
    return ends and (b"&" not in document or _OTHER_REFERENCE.search(document) is None)


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


class _Piece:
    """The events of a piece of a buffer that begins at a start tag, and the places that raise doubt.

    Raises:
        Odd: its marks are no tags.
    """

    def __init__(self, words: Vocabulary, text: npt.NDArray[np.uint8], eights: Words, cut: int) -> None:
        found = marks(text, cut)
        begin, end = found[:-1:2], found[1::2]
        after = end + 1
        behind = found[2::2] - after
        labels, many = words.labels, len(words.blocks)
        closing = text[begin + 1] == ord("/")
        opened = np.flatnonzero(~closing)
        first, stop = begin[opened] + 1, end[opened]
        empty = text[stop - 1] == ord("/")
        name = stop - empty if empty.any() else stop
        while (spaced := text[name - 1] <= ord(" ")).any():  # as in "<Form >"
            name = name - spaced
        label = labels.recognised(eights, first, name)
        zone = (label >= many) & (label < labels.none)
        filled = opened[zone & ~empty]
        right = labels.between(eights, first, label) & (zone | ~empty) & (name + empty == stop)
        # A zone ends at the very next tag; at the last one of a piece nothing does.
        closer = np.minimum(filled + 1, len(begin) - 1)
        closed = labels.same(eights, begin[closer] + 2, end[closer], label[zone & ~empty]) & closing[closer]
        closing[closer] = False
        blocks = np.flatnonzero(closing)
        ended = labels.recognised(eights, begin[blocks] + 2, end[blocks])
        known = (ended < many) & labels.between(eights, begin[blocks] + 2, ended)
        blank = np.ones(len(begin), np.bool_)
        blank[filled] = False
        between = np.flatnonzero(blank)
        white = _white(eights, after[between], behind[between])
        self.doubtful = [
            begin[opened[~right]],
            begin[filled[~closed]],
            begin[blocks[~known]],
            end[between[~white]] + 1,
        ]
        code = np.full(len(begin), _INSIDE, np.int16)
        code[opened] = label
        code[blocks] = CLOSED - ended
        events = np.flatnonzero(code != _INSIDE)
        behind[blank] = 0
        self.code, self.start, self.length = code[events], after[events], behind[events]
        self.zones = np.flatnonzero((self.code >= many) & (self.code < labels.none))
        start, length = self.start[self.zones], self.length[self.zones]
        self.head, self.tail = first_bytes(eights, start, length), first_bytes(eights, start + WORD, length - WORD)


def _white(eights: Words, start: Numbers, length: Numbers) -> Truths:
    """Whether pieces of text are blanks, tabs and ends of lines; of long ones that is not said."""
    white = length <= _LONGEST_BLANK
    places = np.flatnonzero(white & (length > 0))
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
