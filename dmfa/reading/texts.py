"""The texts behind tags as XML means them: line ends and references resolved."""

from __future__ import annotations

import re

import polars as pl

_LINE_END = "\x01"
_REFERENCE = re.compile(r"&(?:#(?P<decimal>\d+)|#x(?P<hex>[0-9a-fA-F]+)|(?P<name>\w+));")
_NAMED = {"lt": "<", "gt": ">", "amp": "&", "apos": "'", "quot": '"'}


class Odd(Exception):
    """The text holds what the shredder by tokens does not read."""


def resolved(texts: pl.Series) -> pl.Series:
    """Texts with their line ends and character references.

    Raises:
        Odd: a reference is none that XML knows by itself.
    """
    if texts.str.contains(_LINE_END, literal=True).any():
        texts = texts.str.replace_all(_LINE_END, "\n", literal=True)
    if texts.str.contains("&", literal=True).any():
        referring = texts.str.contains("&", literal=True)
        plain = {text: _REFERENCE.sub(_character, text) for text in texts.filter(referring).unique()}
        texts = texts.replace(plain)
    return texts


def _character(reference: re.Match[str]) -> str:
    if reference["decimal"]:
        return chr(int(reference["decimal"]))
    if reference["hex"]:
        return chr(int(reference["hex"], 16))
    if reference["name"] not in _NAMED:
        raise Odd
    return _NAMED[reference["name"]]
