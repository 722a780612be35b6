"""Proves documents valid from their tags alone, a whole batch at once; what is not proved is left to libxml2.

A proof never refuses: a document is proved valid under the release of its quarter, or nothing is said of it. It rests
on five things: the bytes are text (`dmfa.reading.markup.is_text`), the tags are plain (markup.py), the blocks nest
(nesting.py), what follows what is as the release demands (demands.py), and each value is right by the rule of its zone
(rules.py).
"""

from __future__ import annotations

from functools import partial

import numpy as np
import numpy.typing as npt
import polars as pl

from dmfa.reading.demands import SEVERAL, Demands
from dmfa.reading.digits import Texts, Truths, numbers
from dmfa.reading.markup import CLOSED, Codes, Markup
from dmfa.reading.nesting import Nesting, nest
from dmfa.reading.texts import resolved, texts, views
from dmfa.reading.vocabulary import QUARTER, Vocabulary
from dmfa.reading.words import Numbers


def prove(markup: Markup, words: Vocabulary, demands: Demands, quarters: Numbers) -> Truths:
    """Prove what can be proved of some documents.

    Args:
        markup: the documents; those in doubt already are left alone, others may come to be in doubt.
        words: the vocabulary that numbers their labels.
        demands: what the release demands under which they are to be proved.
        quarters: of each document the quarter, yyyyq, of which all its declarations have to be; 0 where it is not to be
            proved at all.

    Returns:
        Whether each document is proved.
    """
    markup.doubt[quarters == 0] = True
    slots = np.empty(len(markup.zones), np.int16)
    for part, zones in markup.parts():
        slots[zones] = _slots(part, words)
        _Order(part, words, demands, slots[zones]).check()
    _check_values(markup, words, demands, slots, quarters)
    proved: Truths = ~markup.doubt
    return proved


def _slots(markup: Markup, words: Vocabulary) -> Codes:
    """The slot of each zone in the block opened last; -1 if such a block has none of the kind."""
    many = len(words.blocks)
    opened = (markup.code >= 0) & (markup.code < many)
    kinds = np.append(markup.code.take(np.flatnonzero(opened)), np.int16(0))
    owner = np.cumsum(opened).take(markup.zones) - 1
    return words.slot_of(kinds[owner], markup.code.take(markup.zones))


def _note(markup: Markup, events: Numbers, right: npt.NDArray[np.bool_]) -> None:
    """Note the documents of the events that are not right as in doubt."""
    if not right.all():
        markup.doubt[markup.document(markup.start[events[~right]] - 1)] = True


class _Order:
    """Checks what follows what.

    Args:
        markup: the documents.
        words: the vocabulary.
        demands: what the release demands.
        slots: the slot of each zone.
    """

    def __init__(self, markup: Markup, words: Vocabulary, demands: Demands, slots: Codes) -> None:
        self._markup, self._words, self._demands, self._slots = markup, words, demands, slots
        self._nesting: Nesting = nest(markup, len(words.blocks))
        self._label = markup.code[self._nesting.opened]
        self._state = self._states()

    def check(self) -> None:
        """Note documents in doubt whose children stand out of order, too often or not at all."""
        markup, demands, nesting, state = self._markup, self._demands, self._nesting, self._state
        right = demands.follow[state[markup.zones - 1], self._slots] & (self._slots >= 0)
        _note(markup, markup.zones, right)
        inside = nesting.parent >= 0
        opened, closed = nesting.opened[inside], nesting.closed[inside]
        _note(markup, opened, demands.step[state[opened - 1], self._label[inside]] == state[closed])
        _note(markup, nesting.closed, demands.ends[state[nesting.closed - 1]])
        roots = nesting.opened[~inside & (self._label == 0)]
        many = np.bincount(markup.document(markup.start[roots] - 1), minlength=len(markup.doubt))
        markup.doubt[many != 1] = True
        _note(markup, nesting.opened[~inside], self._label[~inside] == 0)
        for place, most in demands.most.items():
            parents, found = np.unique(nesting.parent[state[nesting.closed] == place], return_counts=True)
            _note(markup, parents, found <= most)

    def _states(self) -> Codes:
        """The state behind each event: behind the start of a block its own, behind its end that of its place."""
        markup, demands, nesting = self._markup, self._demands, self._nesting
        state = np.full(len(markup.code), demands.lost, np.int16)
        state[nesting.opened] = self._label
        state[markup.zones] = np.where(self._slots >= 0, demands.zones + self._slots, demands.lost)
        inside = np.flatnonzero(nesting.parent >= 0)
        place = np.full(len(self._label), demands.lost, np.int16)
        place[inside] = demands.places[markup.code[nesting.parent[inside]], self._label[inside]]
        state[nesting.closed] = np.where(place >= 0, place, demands.lost)
        self._guess(state, np.flatnonzero(place == SEVERAL))
        return state

    def _guess(self, state: Codes, several: Numbers) -> None:
        """Presume the place of each block that has several in its parent: that of the first one in a row of its kind.

        Whether it is right is checked with all the others.
        """
        for label in np.unique(self._label[several]).tolist():
            own = several[self._label[several] == label]
            before = self._nesting.opened[own] - 1
            leads = self._markup.code[before] != CLOSED - label
            first = np.maximum.accumulate(np.where(leads, np.arange(len(own)), 0))
            place = self._demands.step[state[before[first]], label]
            state[self._nesting.closed[own]] = np.where(place >= 0, place, self._demands.lost)


def _check_values(markup: Markup, words: Vocabulary, demands: Demands, slots: Codes, quarters: Numbers) -> None:
    """Note documents in doubt that hold a value which its zone's rule does not accept, or another quarter."""
    order = np.argsort(slots, kind="stable")
    if markup.doubt.any():
        sure = ~markup.doubt[markup.document(markup.start[markup.zones])]
        order = order.take(np.flatnonzero(sure[order]))
    borders = np.searchsorted(slots[order], np.arange(len(words.cells) + 1))
    head, tail, zones = markup.head[order], markup.tail[order], markup.zones[order]
    length = markup.length[zones]
    quarter = words.slot[words.message.top, QUARTER.label]
    for slot in np.flatnonzero(np.diff(borders)).tolist():
        part = slice(borders[slot], borders[slot + 1])
        own = zones[part]
        of_zone = Texts(head[part], tail[part], length[part], partial(_whole, markup, own))
        rule = demands.rules.get(slot)
        _note(markup, own, np.zeros(len(own), np.bool_) if rule is None else rule.proves(of_zone))
        if slot == quarter:
            value, digits = numbers(of_zone)
            _note(markup, own, digits & (value == quarters[markup.document(markup.start[own])]))


def _whole(markup: Markup, zones: Numbers) -> pl.Series:
    written = texts(markup.buffer, views(markup.buffer, markup.start[zones], markup.length[zones]))
    return resolved(written, written.str.contains("&", literal=True).fill_null(False).to_numpy())
