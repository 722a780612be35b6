"""The fast shredder: XML cut into tags with whole-array operations, tags turned into columns, nothing per element.

It fails closed. A document with a comment, a CDATA section, a processing instruction, a prefix, an attribute anywhere
but on the root or a raw '>' in a text goes to the walk, which reads everything that XML knows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from dmfa.reading.parsing import is_plain, parse_tree
from dmfa.reading.plan import Plan
from dmfa.reading.segment import Segment
from dmfa.reading.shredder import Document, Shredded, join
from dmfa.reading.texts import Odd, plain_lines
from dmfa.reading.vocabulary import Vocabulary, vocabulary
from dmfa.reading.walk import walk_documents

SEGMENT_BYTES = 24 << 20
"""Bytes tokenized at once: a whole batch of small documents, since a call costs as much as a megabyte."""

_LONGEST_PIECE = 48 << 20
"""A giant without a place to cut for so long goes to the walk, which frees each person after use."""

_ODD_BYTES = 2 << 20
"""Documents walked together: their trees are held meanwhile, but each call costs as much as many small ones."""


def tokenize_documents(documents: Iterable[Document], plan: Plan) -> Shredded:
    """Shred documents by tokens; those that are not plain go to the walk.

    Args:
        documents: valid filings.
        plan: what to make of them.

    Raises:
        CellUnfit: a valid cell does not fit its column.
    """
    words = vocabulary(plan)
    parts: list[Shredded] = []
    plain: list[Document] = []
    read: list[Document] = []
    odd: list[Document] = []
    held = 0
    for document in documents:
        if words is None or not is_plain(document.data):
            odd.append(document)
        elif len(document.data) > 2 * SEGMENT_BYTES:
            parts += _giant(document, plan, words, odd)
        elif document.markup is not None:
            if read and read[-1].markup is not document.markup:
                parts += _read_before(read, plan, words, odd)
                read = []
            read.append(document)
        else:
            plain.append(document)
            held += len(document.data)
            if held > SEGMENT_BYTES:
                parts += _several(plain, plan, words, odd)
                plain, held = [], 0
    if read and words is not None:
        parts += _read_before(read, plan, words, odd)
    if plain and words is not None:
        parts += _several(plain, plan, words, odd)
    parts += _walked(odd, plan)
    return join(parts or [walk_documents((), plan)], plan)


def _read_before(documents: Sequence[Document], plan: Plan, words: Vocabulary, odd: list[Document]) -> list[Shredded]:
    """Shred documents that were read in one markup already, maybe with others that are left out."""
    markup = documents[0].markup
    if markup is None:
        return []
    kept = np.zeros(len(markup.offsets), np.bool_)
    kept[[document.place for document in documents]] = True
    try:
        return [Segment(plan, words, documents).shred_tags(markup.buffer, markup.tags(kept))]
    except Odd:
        return list(_several(documents, plan, words, odd))


def _several(documents: Sequence[Document], plan: Plan, words: Vocabulary, odd: list[Document]) -> Iterator[Shredded]:
    """Shred small documents together; those that prove odd are found by halving and put aside."""
    try:
        yield Segment(plan, words, documents).shred(*(plain_lines(document.data) for document in documents))
    except Odd:
        if len(documents) == 1:
            odd += documents
            return
        middle = len(documents) // 2
        yield from _several(documents[:middle], plan, words, odd)
        yield from _several(documents[middle:], plan, words, odd)


def _giant(document: Document, plan: Plan, words: Vocabulary, odd: list[Document]) -> list[Shredded]:
    """Shred a giant in segments that begin at a person; ordinals go on from one to the next."""
    segment = Segment(plan, words, [document])
    parts = []
    try:
        for piece in _pieces(document.data, f"<{plan.message.person}>".encode()):
            parts.append(segment.shred(plain_lines(piece)))
            segment = segment.following()
    except Odd:
        odd.append(document)
        return []
    return parts


def _pieces(data: bytes, person: bytes) -> Iterator[bytes]:
    """Cut a giant before persons, each of which begins with the same tag.

    Raises:
        Odd: it has no place to cut for too long.
    """
    start = 0
    while start < len(data):
        cut = data.find(person, start + SEGMENT_BYTES)
        end = len(data) if cut < 0 else cut
        if end - start > max(_LONGEST_PIECE, 2 * SEGMENT_BYTES):
            raise Odd
        yield data[start:end]
        start = end


def _walked(documents: Iterable[Document], plan: Plan) -> Iterator[Shredded]:
    """Walk odd documents, some small ones at a time, a giant without a tree."""
    together: list[Document] = []
    for document in documents:
        if len(document.data) > 2 * SEGMENT_BYTES:
            yield walk_documents([document], plan)
            continue
        together.append(_with_tree(document))
        if sum(len(one.data) for one in together) > _ODD_BYTES:
            yield walk_documents(together, plan)
            together = []
    if together:
        yield walk_documents(together, plan)


def _with_tree(document: Document) -> Document:
    root = document.root if document.root is not None else parse_tree(document.data)
    return Document(document.filing_id, document.sha256, document.data, root)  # type: ignore[arg-type]
