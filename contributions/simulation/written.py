"""YAML as somebody wrote it: every piece with its line, every value as the text that stands there."""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, timedelta
from difflib import get_close_matches
from typing import Any, Final

import yaml

from contributions.simulation.changes import ChangeFault, Place
from dmfa.quarter import Quarter

_DAY: Final = re.compile(r"20[0-9]{2}-[0-9]{2}-[0-9]{2}")
_DEEPEST: Final = 8
"""Lists and names within one another; four are enough for every change."""

_NULL: Final = "tag:yaml.org,2002:null"


@dataclass(frozen=True, slots=True)
class Written:
    """A piece of YAML.

    Attributes:
        node: the piece.
        file: the file, as people know it.
    """

    node: yaml.Node
    file: str

    @property
    def place(self) -> Place:
        """Where it stands."""
        return Place(self.file, self.node.start_mark.line + 1)

    def fault(self, what: str, todo: str = "") -> ChangeFault:
        """A fault in it, in words."""
        return self.place.fault(what, todo)

    @property
    def is_mapping(self) -> bool:
        """Whether it is names with values."""
        return isinstance(self.node, yaml.MappingNode)

    @property
    def is_null(self) -> bool:
        """Whether it says that there is no value."""
        return bool(self.node.tag == _NULL)

    @property
    def text(self) -> str:
        """A single value, as it is written; a number is never read as one.

        Raises:
            ChangeFault: it is a list, or names with values.
        """
        if not isinstance(self.node, yaml.ScalarNode):
            raise self.fault("expected a single value here.")
        return str(self.node.value)

    def pairs(self) -> list[tuple[Written, Written]]:
        """Names and values, each name once.

        Raises:
            ChangeFault: it is something else, or a name stands there twice.
        """
        if not isinstance(self.node, yaml.MappingNode):
            raise self.fault("expected names with values here, as in `name: value`.")
        found: dict[str, tuple[Written, Written]] = {}
        for one, other in self.node.value:
            key = Written(one, self.file)
            if key.text in found:
                raise key.fault(f"{key.text} stands here twice.", "Leave one of the two out.")
            found[key.text] = (key, Written(other, self.file))
        return list(found.values())

    def fields(self, allowed: tuple[str, ...]) -> dict[str, Written]:
        """Values by name.

        Raises:
            ChangeFault: a name is none of those allowed.
        """
        found = {}
        for key, value in self.pairs():
            if key.text not in allowed:
                raise key.fault(f"unknown word {key.text}.", near(key.text, allowed))
            found[key.text] = value
        return found

    def items(self) -> list[Written]:
        """The items of a list; anything else is one item.

        Examples:
            >>> [item.text for item in composed("[a, b]", "f").items()], len(composed("a", "f").items())
            (['a', 'b'], 1)
        """
        every = self.node.value if isinstance(self.node, yaml.SequenceNode) else [self.node]
        return [Written(one, self.file) for one in every]

    def first_day(self, *, monthly: bool = False) -> date:
        """The first day of a quarter, or of a month.

        Raises:
            ChangeFault: it is none.
        """
        day = self._day()
        if day != (day.replace(day=1) if monthly else Quarter.of(day).first_day):
            raise self._other_day(day, "first", monthly)
        return day

    def last_day(self, *, monthly: bool = False) -> date:
        """The last day of a quarter, or of a month.

        Raises:
            ChangeFault: it is none.
        """
        day = self._day()
        following = day + timedelta(days=1)
        if following != (following.replace(day=1) if monthly else Quarter.of(following).first_day):
            raise self._other_day(day, "last", monthly)
        return day

    def _other_day(self, day: date, which: str, monthly: bool) -> ChangeFault:
        whole = "month" if monthly else "quarter"
        return self.fault(
            f"{day} is not the {which} day of a {whole}.", f"This figure of the law holds in whole {whole}s."
        )

    def _day(self) -> date:
        day = None
        if _DAY.fullmatch(self.text):
            with suppress(ValueError):
                day = date.fromisoformat(self.text)
        if day is None:
            raise self.fault(f"{self.text} is not a day of this century.", "Write it as 2026-07-01.")
        return day

    def one_of(self, allowed: Iterable[str]) -> str:
        """One of some words.

        Raises:
            ChangeFault: it is none of them.
        """
        known = tuple(allowed)
        if self.text not in known:
            raise self.fault(f"unknown: {self.text}.", near(self.text, known))
        return self.text

    def code(self) -> str:
        """A code of three digits.

        Raises:
            ChangeFault: it is none.
        """
        if len(self.text) != 3 or not (self.text.isascii() and self.text.isdecimal()):
            raise self.fault(f"{self.text} is not a code of three digits.", 'Write it with its zeros, as in "015".')
        return self.text


def composed(text: str, file: str) -> Written:
    """Read YAML.

    Args:
        text: the YAML; empty is null.
        file: the file, as people know it.

    Raises:
        ChangeFault: it is none.
    """
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        _must_be_flat(text, file, loader)
        node = yaml.compose(text or "null", Loader=loader)
    except yaml.MarkedYAMLError as fault:
        mark = fault.problem_mark or fault.context_mark
        place = Place(file, mark.line + 1 if mark else 1)
        raise place.fault(f"not readable as YAML: {fault.problem or 'unexpected text'}.") from None
    except yaml.YAMLError:
        raise Place(file, 1).fault("not readable as YAML.", "Write it as docs/simulate.md shows.") from None
    return Written(node if node is not None else yaml.ScalarNode(_NULL, "", yaml.Mark(file, 0, 0, 0, "", 0)), file)


def _must_be_flat(text: str, file: str, loader: Any) -> None:
    """Refuse what is nested deeper than any change is: it would be put together by a function that calls itself."""
    depth = 0
    for event in yaml.parse(text, Loader=loader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > _DEEPEST:
            line = event.start_mark.line + 1 if event.start_mark else 1
            raise Place(file, line).fault("nested deeper than any change is.")


def near(word: str, known: Iterable[str], otherwise: str = "") -> str:
    """What somebody may have meant by a word, as a question; else what there is.

    Args:
        word: the word that is unknown.
        known: those that are known.
        otherwise: what to say where none of them is near; all of them unless told.

    Examples:
        >>> near("Total", ("total", "base"))
        'Did you mean total?'
        >>> near("s0", ("category_1/s0", "category_1/s2", "beta/slope"))
        'Did you mean category_1/s0?'
    """
    every = tuple(known)
    lower = {name.lower(): name for name in every}
    last = {name: name.lower().rpartition("/")[2] for name in every}
    same = [name for name in every if last[name] == word.lower().rpartition("/")[2]]
    close = [lower[name] for name in get_close_matches(word.lower(), lower, n=3, cutoff=0.75)]
    found = list(dict.fromkeys([*close, *same]))[:3]
    if found:
        return f"Did you mean {' or '.join(found)}?"
    return otherwise or f"One of: {', '.join(every)}."
