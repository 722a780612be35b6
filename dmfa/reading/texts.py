"""The texts behind tags as XML means them: taken from a buffer without a copy, references resolved."""

from __future__ import annotations

import re

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from dmfa.reading.words import Numbers, Words, first_two

_REFERENCE = re.compile(r"&(?:#(?P<decimal>\d+)|#x(?P<hex>[0-9a-fA-F]+)|(?P<name>\w+));")
_NAMED = {"lt": "<", "gt": ">", "amp": "&", "apos": "'", "quot": '"'}
_INLINE = 12
"""Bytes of a text that Arrow keeps in the view itself."""

_HALF = np.uint64(32)
_AT_ONCE = 1 << 15
"""Pieces viewed at once: few enough to stay near the processor."""


class Odd(Exception):
    """The text holds what the shredder by tokens does not read."""


def plain_lines(data: bytes) -> bytes:
    """A text with line ends as XML means them."""
    return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n") if b"\r" in data else data


def views(buffer: bytes, start: Numbers, length: Numbers) -> Words:
    """Pieces of a buffer as Arrow views: two words each, with the text itself if it is short, else with its place.

    Args:
        buffer: UTF-8, with `dmfa.reading.words.BACK` at its end.
        start: where each piece begins.
        length: its bytes.
    """
    made = np.empty((len(start), 2), np.uint64)
    for first in range(0, len(start), _AT_ONCE):
        part = slice(first, first + _AT_ONCE)
        head, tail = first_two(buffer, start[part], length[part])
        made[part] = views_of(head, tail, start[part], length[part])
    return made


def views_of(head: Words, tail: Words, start: Numbers, length: Numbers) -> Words:
    """Pieces of a buffer as Arrow views, where their first words are known.

    Args:
        head: the first eight bytes of each.
        tail: the next eight.
        start: where it begins.
        length: its bytes.
    """
    made = np.empty((len(start), 2), np.uint64)
    made[:, 0] = length.astype(np.uint64) | head << _HALF
    made[:, 1] = head >> _HALF | tail << _HALF
    far = np.flatnonzero(length > _INLINE)
    # Number of the buffer, 0, and the place in it.
    made[far, 1] = start[far].astype(np.uint64) << _HALF
    return made


def texts(buffer: bytes, viewed: Words) -> pl.Series:
    """Views of a buffer as a column of String, null for a piece without a byte; nothing is copied."""
    length = viewed[:, 0].astype(np.uint32)
    valid = None if length.all() else pa.py_buffer(np.packbits(length > 0, bitorder="little"))
    column = pa.Array.from_buffers(pa.string_view(), len(viewed), [valid, pa.py_buffer(viewed), pa.py_buffer(buffer)])
    return pl.Series(column)


def referring_texts(buffer: bytes, start: Numbers, length: Numbers) -> npt.NDArray[np.bool_]:
    """Which pieces of a buffer hold a reference; the pieces in ascending order."""
    found = np.zeros(len(start), np.bool_)
    at = buffer.find(b"&")
    while at >= 0:
        piece = int(np.searchsorted(start, at, side="right")) - 1
        if piece >= 0 and at < start[piece] + length[piece]:
            found[piece] = True
            at = int(start[piece] + length[piece])
        at = buffer.find(b"&", at + 1)
    return found


def resolved(declared: pl.Series, referring: npt.NDArray[np.bool_]) -> pl.Series:
    """Texts with their character references.

    Args:
        declared: the texts.
        referring: which of them hold a reference.

    Raises:
        Odd: a reference is none that XML knows by itself.
    """
    places = np.flatnonzero(referring)
    if not len(places):
        return declared
    meant = [_REFERENCE.sub(_character, text) for text in declared[places]]
    return declared.clone().scatter(places, pl.Series(meant, dtype=pl.String))


def _character(reference: re.Match[str]) -> str:
    if reference["decimal"]:
        return chr(int(reference["decimal"]))
    if reference["hex"]:
        return chr(int(reference["hex"], 16))
    if reference["name"] not in _NAMED:
        raise Odd
    return _NAMED[reference["name"]]
