"""Which values of a zone are proved right, on whole columns of texts held as two words and a length.

A rule may be stricter than the XSD, never wider: a number is its digits alone, a date a plain day from the year 1000
on. What it does not accept is no fault, only not proved.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from typing import Protocol

import numpy as np

from dmfa.reading.digits import MOST_DIGITS, Forms, Texts, Truths, numbers, printing, two
from dmfa.reading.patterns import DIGIT, SOMETHING, Pattern, read_pattern
from dmfa.reading.words import WORD
from dmfa.schema.grammar import Leaf

Facets = dict[str, tuple[str, ...]]

_DATE = tuple(DIGIT if sign == "9" else sign for sign in "9999-99-99")
_TIME = tuple(DIGIT if sign == "9" else sign for sign in "99:99:99.999")
_DATE_FORM, _MONTH_FORM, _TIME_FORM = Forms((_DATE,)), Forms((_DATE[:7],)), Forms((_TIME,))
_DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_UNBOUNDED = 1_000_000
"""Characters of a text that nothing else bounds; libxml2 takes ten million bytes."""

_CONTROL = r"[\x00-\x1f]"


class NotUnderstood(Exception):
    """A zone's type has a facet by which nothing can be proved."""


class Rule(Protocol):
    """What tells of each text whether it is right."""

    def proves(self, texts: Texts) -> Truths:
        """Which texts are right; of the others nothing is said."""
        ...


def rule_of(leaf: Leaf) -> Rule:
    """The rule by which values of a zone are proved.

    Raises:
        NotUnderstood: its type says what no rule covers.
    """
    try:
        return _MAKERS[leaf.base](leaf.facets)
    except (ValueError, KeyError, OverflowError) as error:
        raise NotUnderstood from error


class Whole:
    """Numbers of digits alone, between two bounds, and of a closed list if there is one."""

    def __init__(self, facets: Facets) -> None:
        self._digits = min(int(_one(facets, "totalDigits", str(MOST_DIGITS))), MOST_DIGITS)
        self._least = int(_one(facets, "minInclusive", "0"))
        self._most = int(_one(facets, "maxInclusive", str(10**MOST_DIGITS)))
        self._listed = np.array([int(value) for value in facets.get("enumeration", ())], np.int64)
        self._forms = _forms(_pattern(facets))

    def proves(self, texts: Texts) -> Truths:
        """Which texts are right."""
        value, right = numbers(texts)
        right &= (texts.length <= self._digits) & (value >= self._least) & (value <= self._most)
        if len(self._listed):
            right &= np.isin(value, self._listed)
        return right if self._forms is None else right & self._forms.proves(texts)


class Listed:
    """Texts of a closed list."""

    def __init__(self, facets: Facets) -> None:
        if facets.keys() & {"pattern", "length", "minLength"}:
            raise ValueError(facets)
        most = int(_one(facets, "maxLength", str(WORD)))
        listed = [value.encode() for value in facets["enumeration"]]
        if any(not 0 < len(value) <= WORD or not value.isascii() for value in listed):
            raise ValueError(listed)
        self._listed = np.array([int.from_bytes(value, "little") for value in listed if len(value) <= most], np.uint64)

    def proves(self, texts: Texts) -> Truths:
        """Which texts are right."""
        # No text holds a zero byte, so that its first word alone tells a short one.
        right: Truths = np.isin(texts.head, self._listed) & (texts.length <= WORD)
        return right


class Length:
    """Texts of some length in characters and, where that is asked, of some pattern."""

    def __init__(self, facets: Facets) -> None:
        exact = _one(facets, "length", "")
        self._least = max(int(exact or "0"), int(_one(facets, "minLength", "0")))
        self._most = min(int(exact or str(_UNBOUNDED)), int(_one(facets, "maxLength", str(_UNBOUNDED))))
        self._begins = facets.get("pattern") == (SOMETHING,)
        pattern = None if self._begins else _pattern(facets)
        self._forms = _forms(pattern) if pattern is None or pattern.forms else None
        self._expression = re.compile(pattern.expression) if pattern is not None and pattern.expression else None

    def proves(self, texts: Texts) -> Truths:
        """Which texts are right."""
        length = texts.length
        if self._least > 1 or (length > self._most).any():
            length = texts.whole().str.len_chars().fill_null(0).to_numpy().astype(np.int64)
        right: Truths = (length >= self._least) & (length <= self._most) & _printing(texts)
        if self._begins:
            first = texts.head & np.uint64(0xFF)
            right &= (first > ord(" ")) & (first <= ord("~"))
        if self._forms is not None:
            right &= self._forms.proves(texts)
        if self._expression is not None:
            written = texts.whole().fill_null("")
            fits = [text for text in written.unique() if text.isascii() and self._expression.fullmatch(text)]
            right &= written.is_in(fits).to_numpy()
        return right


class Day:
    """Real days from the year 1000 on, written as 2026-07-01, between two bounds."""

    def __init__(self, facets: Facets) -> None:
        _same(facets, _DATE)
        self._least = int(date.fromisoformat(_one(facets, "minInclusive", "1000-01-01")).strftime("%Y%m%d"))
        self._most = int(date.fromisoformat(_one(facets, "maxInclusive", "9999-12-31")).strftime("%Y%m%d"))

    def proves(self, texts: Texts) -> Truths:
        """Which texts are right."""
        year = two(texts.head, 0) * 100 + two(texts.head, 2)
        month, day = two(texts.head, 5), two(texts.tail, 0)
        days = np.array([0, *_DAYS, 0], np.int64).take(month, mode="clip")
        days += (month == 2) & (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
        written = year * 10_000 + month * 100 + day
        right = _DATE_FORM.proves(texts) & (day >= 1) & (day <= days)
        return right & (written >= self._least) & (written <= self._most)


class Month:
    """Months from the year 1000 on, written as 2026-07."""

    def __init__(self, facets: Facets) -> None:
        _same(facets, _DATE[:7])

    def proves(self, texts: Texts) -> Truths:
        """Which texts are right."""
        month = two(texts.head, 5)
        return _MONTH_FORM.proves(texts) & (month >= 1) & (month <= 12) & (two(texts.head, 0) >= 10)


class Time:
    """Times of the day, written as 08:45:00.000."""

    def __init__(self, facets: Facets) -> None:
        _same(facets, _TIME)

    def proves(self, texts: Texts) -> Truths:
        """Which texts are right."""
        seconds = (texts.head >> np.uint64(48) & np.uint64(0xF)).astype(np.int64)
        below = (two(texts.head, 0) < 24) & (two(texts.head, 3) < 60) & (seconds < 6)
        return below & _TIME_FORM.proves(texts)


_MAKERS: dict[str, Callable[[Facets], Rule]] = {
    "integer": Whole,
    "string": lambda facets: Listed(facets) if "enumeration" in facets else Length(facets),
    "date": Day,
    "gYearMonth": Month,
    "time": Time,
}


def _printing(texts: Texts) -> Truths:
    """Which texts hold no byte below a blank, not even one that XML allows."""
    right = printing(texts.head, texts.length) & printing(texts.tail, texts.length - WORD)
    if (texts.length > 2 * WORD).any():
        right &= ~texts.whole().str.contains(_CONTROL).fill_null(False).to_numpy()
    return right


def _one(facets: Facets, name: str, otherwise: str) -> str:
    return facets.get(name, (otherwise,))[0]


def _pattern(facets: Facets) -> Pattern | None:
    if "pattern" not in facets:
        return None
    pattern = read_pattern(facets["pattern"][0])
    if pattern is None:
        raise ValueError(facets)
    return pattern


def _forms(pattern: Pattern | None) -> Forms | None:
    if pattern is None:
        return None
    if not pattern.forms:
        raise ValueError(pattern)
    return Forms(pattern.forms)


def _same(facets: Facets, form: tuple[str, ...]) -> None:
    """Make sure that a pattern, if there is one, says no more than the rule does by itself."""
    pattern = _pattern(facets)
    if pattern is not None and pattern.forms != (form,):
        raise ValueError(facets)
