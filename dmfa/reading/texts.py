"""The texts behind tags as XML means them: taken from a buffer without a copy, references resolved."""

from __future__ import annotations

import re

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from dmfa.reading.words import WORD, Numbers, first_bytes, words_of

_REFERENCE = re.compile(r"&(?:#(?P<decimal>\d+)|#x(?P<hex>[0-9a-fA-F]+)|(?P<name>\w+));")
_NAMED = {"lt": "<", "gt": ">", "amp": "&", "apos": "'", "quot": '"'}
_INLINE = 12
"""Bytes of a text that Arrow keeps in the view itself."""


class Odd(Exception):
    """The text holds what the shredder by tokens does not read."""


def texts(buffer: bytes, start: Numbers, length: Numbers) -> pl.Series:
    """Pieces of a buffer as a column of String.

    Args:
        buffer: UTF-8, with `dmfa.reading.words.BACK` at its end.
        start: where each piece begins.
        length: its bytes; a piece of none is null.
    """
    words = words_of(buffer)
    views = np.empty((len(start), 2), np.uint64)
    head = first_bytes(words, start, np.minimum(length, _INLINE))
    views[:, 0] = length.astype(np.uint64) | head << np.uint64(32)
    tail = first_bytes(words, start + WORD, np.minimum(length, _INLINE) - WORD)
    views[:, 1] = head >> np.uint64(32) | tail << np.uint64(32)
    far = np.flatnonzero(length > _INLINE)
    # Number of the buffer, 0, and the place in it.
    views[far, 1] = start[far].astype(np.uint64) << np.uint64(32)
    valid = None if length.all() else pa.py_buffer(np.packbits(length > 0, bitorder="little"))
    column = pa.Array.from_buffers(pa.string_view(), len(start), [valid, pa.py_buffer(views), pa.py_buffer(buffer)])
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
