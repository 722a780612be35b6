r"""XSD patterns as far as values are proved by them: forms of fixed length, or an expression on ASCII alone.

What is not understood has no meaning here. A stricter reading than that of XML Schema is allowed, since what it does
not cover is left to libxml2: a '.' is a full stop, a '\\d' an ASCII digit.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import product

_ATOM = re.compile(
    r"(?P<digit>\\d)"
    r"|(?P<literal>[A-Za-z0-9,:\-]|\\?\.)"
    r"|\[(?P<kinds>(?:[A-Z]-[A-Z]|[a-z]-[a-z]|[0-9]-[0-9]|[A-Za-z0-9])+)\]"
    r"|\((?P<one>[A-Za-z0-9](?:\|[A-Za-z0-9])*)\)"
)
_MANY = re.compile(r"\{(?P<least>\d{1,3})(?:,(?P<most>\d{1,3}))?\}")
_BORDER = re.compile(r"\|(?![^(]*\))")
_LONGEST = 16
_MOST = 16

SOMETHING = r"[\s\S]*\S[\s\S]*"
"""The pattern of a text that is not blank."""

DIGIT = "\\d"
"""What stands for any digit in a form."""


@dataclass(frozen=True)
class Pattern:
    """What a text must be like.

    Attributes:
        forms: texts of at most 16 signs, one of which it must be; each sign is an ASCII character or `DIGIT`.
        expression: where forms do not do, what it must match as a whole, as Python means it.
    """

    forms: tuple[tuple[str, ...], ...] = ()
    expression: str = ""


def read_pattern(pattern: str) -> Pattern | None:
    """Read an XSD pattern; None if it is not understood.

    Examples:
        >>> read_pattern("0|[a]{2}").forms
        (('0',), ('a', 'a'))
        >>> read_pattern("[A-Z][0-9]{0,2}").expression, read_pattern("a*")
        ('[A-Z]{1,1}[0-9]{0,2}', None)
    """
    ways = [_way(way) for way in _BORDER.split(pattern)]
    forms: list[tuple[str, ...]] = []
    for way in ways:
        if way is None:
            return None
        if way.signs is not None:
            forms += product(*way.signs)
    if all(way is not None and way.signs is not None for way in ways) and len(forms) <= _MOST:
        return Pattern(tuple(forms))
    return Pattern(expression="|".join(way.expression for way in ways if way is not None))


@dataclass(frozen=True)
class _Way:
    """One of the ways to match: the signs allowed at each place, None if its length varies; and as an expression."""

    signs: tuple[tuple[str, ...], ...] | None
    expression: str


def _way(way: str) -> _Way | None:
    signs: list[tuple[str, ...]] = []
    expression = ""
    fixed = True
    at = 0
    while at < len(way):
        atom = _ATOM.match(way, at)
        if atom is None:
            return None
        at = atom.end()
        many = _MANY.match(way, at)
        least, most = 1, 1
        if many is not None:
            at = many.end()
            least = int(many["least"])
            most = int(many["most"]) if many["most"] else least
        allowed = _signs(atom)
        fixed = fixed and least == most and allowed is not None
        signs += [allowed or ()] * least
        expression += f"{_expression(atom)}{{{least},{most}}}"
    short = fixed and 0 < len(signs) <= _LONGEST
    return _Way(tuple(signs) if short else None, expression) if way else None


def _signs(atom: re.Match[str]) -> tuple[str, ...] | None:
    """The few signs that an atom stands for; None if they are many."""
    if atom["digit"]:
        return (DIGIT,)
    if atom["literal"]:
        return (atom["literal"][-1],)
    if atom["one"]:
        return tuple(atom["one"].split("|"))
    return (atom["kinds"],) if len(atom["kinds"]) == 1 else None


def _expression(atom: re.Match[str]) -> str:
    if atom["digit"]:
        return "[0-9]"
    if atom["literal"]:
        return re.escape(atom["literal"][-1])
    return f"(?:{atom['one']})" if atom["one"] else f"[{atom['kinds']}]"
