"""From the tags of some documents to their tables, whole columns at a time.

Zones stand before blocks in every block, so a zone belongs to the block opened last, and the ordinals of a block are
counts of what was opened before it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import polars as pl

from dmfa.reading.cells import CellUnfit, blank, typed
from dmfa.reading.keys import declaration_id
from dmfa.reading.plan import Cell, Plan, TablePlan
from dmfa.reading.shredder import FORM_KEY_TYPES, KEY_TYPES, Document, Shredded, form_types, table_types
from dmfa.reading.tags import Tags
from dmfa.reading.texts import Odd, referring_texts, resolved, texts, views, views_of
from dmfa.reading.vocabulary import QUARTER, Vocabulary
from dmfa.reading.words import BACK, FRONT, Numbers
from dmfa.schema import FORM

_HEAD = ("declaration_id", "quarter", "filing_id")


@dataclass
class Segment:
    """Some whole documents, or a piece of a giant, on their way to tables.

    Attributes:
        plan: what to make of them.
        words: the vocabulary of the plan.
        documents: whose text it is.
        key: declaration, quarter and filing that a piece of a giant goes on with.
        before: number of blocks of each kind in that declaration before this piece.
        forms_before: number of Forms before this piece.
    """

    plan: Plan
    words: Vocabulary
    documents: Sequence[Document]
    key: tuple[int, int, int] | None = None
    before: dict[str, int] = field(default_factory=dict)
    forms_before: int = 0

    def following(self) -> Segment:
        """The segment after this one in the same giant."""
        return Segment(
            self.plan,
            self.words,
            self.documents,
            self._last_key,
            self._last_counts,
            self.forms_before + len(self._form_keys),
        )

    def shred(self, *xml: bytes) -> Shredded:
        """Turn XML into tables.

        Args:
            xml: the documents, or the piece; line ends are those of XML.

        Raises:
            Odd: it holds what no release knows.
            CellUnfit: a cell does not fit its column.
        """
        buffer = b"".join((FRONT, *xml, BACK))
        return self.shred_tags(buffer, self.words.labels.find(buffer, self.words.other))

    def shred_tags(self, buffer: bytes, tags: Tags) -> Shredded:
        """Turn the start tags of the documents, or of the piece, into tables.

        Args:
            buffer: where their texts are, as `dmfa.reading.tags.Labels.find` takes it.
            tags: those of these documents alone.

        Raises:
            Odd: they hold what no release knows.
            CellUnfit: a cell does not fit its column.
        """
        self._sort(buffer, tags)
        self._find_declarations()
        return Shredded({table.name: self._table(table) for table in self.plan.tables}, self._forms())

    def _sort(self, buffer: bytes, tags: Tags) -> None:
        """Tell blocks from zones, give each zone to the block opened last, and type the zones of each kind together."""
        many = len(self.words.blocks)
        opens = tags.label < many
        self._kinds = kinds = tags.label.take(np.flatnonzero(opens))
        by_kind = np.argsort(kinds, kind="stable")
        borders = np.concatenate(([0], np.cumsum(np.bincount(kinds, minlength=many))))
        self._places = {
            label: by_kind[borders[number] : borders[number + 1]] for label, number in self.words.number.items()
        }
        self._ranks: dict[str, Numbers] = {}
        rank = np.empty(len(kinds), np.int64)
        rank[by_kind] = np.arange(len(kinds)) - np.repeat(borders[:-1], np.diff(borders))
        zones = np.flatnonzero(~opens)
        owner = np.cumsum(opens)[zones] - 1
        if len(owner) and owner[0] < 0:
            raise Odd
        slots = self.words.slot_of(kinds.take(owner), tags.label.take(zones))
        if (slots < 0).any():
            raise Odd
        by_slot = np.argsort(slots, kind="stable")
        self._borders = np.concatenate(([0], np.cumsum(np.bincount(slots, minlength=len(self.words.cells)))))
        self._rows = rank[owner[by_slot]]
        start, length = tags.start[zones], tags.length[zones]
        referring = referring_texts(buffer, start, length)
        viewed = views(buffer, start, length) if tags.zones is None else views_of(*tags.zones, start, length)
        declared = texts(buffer, viewed[by_slot])
        self._values = self._typed(resolved(declared, referring[by_slot]))

    def _typed(self, declared: pl.Series) -> list[pl.Series]:
        """The values of each group of cells that are typed alike."""
        values = []
        for cell, start, end in self.words.groups:
            first, last = int(self._borders[start]), int(self._borders[end])
            try:
                values.append(typed(cell, declared[first:last]))
            except CellUnfit:
                for position in range(start, end):
                    typed(
                        self.words.cells[position][1], declared[self._borders[position] : self._borders[position + 1]]
                    )
                raise
        return values

    def _find_declarations(self) -> None:
        """Keys of the declarations in this segment; the one that goes on from before stands first."""
        root, top = self.plan.message.name, self.plan.message.top
        forms, tops = self._places[FORM], self._places[top]
        if len(forms) != len(tops) or len(self._places[root]) != (len(self.documents) if self.key is None else 0):
            raise Odd
        document = np.maximum(self._last_before(root)[forms], 0).tolist()
        quarters = self._column(QUARTER, top)
        if quarters.has_nulls():
            raise Odd
        self._form_keys: list[tuple[int, int, int, int]] = []
        index, current = self.forms_before - 1, 0
        for place, quarter in zip(document, quarters.to_list(), strict=True):
            index = index + 1 if place == current else 0
            current = place
            filing = self.documents[current]
            self._form_keys.append((declaration_id(filing.sha256, index), filing.filing_id, index, quarter))
        keys = [(key, quarter, filing) for key, filing, _, quarter in self._form_keys]
        self._keys = np.array([self.key or (0, 0, 0), *keys], np.int64).T
        self._starts = {label: self._start(label, tops) for label in self.words.blocks}
        self._last_key = keys[-1] if keys else self.key
        self._last_counts = {label: len(self._places[label]) - int(self._starts[label][-1]) for label in self._starts}
        self._declaration = np.cumsum(self._kinds == self.words.number[top])

    def _start(self, label: str, tops: Numbers) -> Numbers:
        """For each declaration, the rank at which its blocks of a kind begin."""
        return np.concatenate(([-self.before.get(label, 0)], np.searchsorted(self._places[label], tops)))

    def _last_before(self, label: str) -> Numbers:
        """For each block opened, the rank of the last block of a kind opened up to it, -1 if there is none."""
        if label not in self._ranks:
            self._ranks[label] = np.cumsum(self._kinds == self.words.number[label]) - 1
        return self._ranks[label]

    def _table(self, table: TablePlan) -> pl.DataFrame:
        places = self._places[table.label]
        rows = len(places)
        types = table_types(table)
        if not rows:
            return pl.DataFrame(schema=types)
        declaration = self._declaration[places]
        columns = [
            pl.Series(name, values[declaration], dtype=KEY_TYPES[name])
            for name, values in zip(_HEAD, self._keys, strict=True)
        ]
        columns.append(pl.Series("version", [1], dtype=pl.Int16).new_from_index(0, rows))
        columns.append(pl.Series("status", [0], dtype=pl.Int8).new_from_index(0, rows))
        if table.label != self.plan.message.top:
            columns += self._ordinals(table, places, declaration)
        columns += [self._column(cell, table.label) for cell in table.cells]
        return pl.DataFrame(columns)

    def _ordinals(self, table: TablePlan, places: Numbers, declaration: Numbers) -> Iterator[pl.Series]:
        ways = self.words.ways[table.label]
        # Of several ways down, the one taken is that whose own ancestor was opened last.
        shared = set(ways[0]).intersection(*ways)
        marks = [next((label for label in reversed(way) if label not in shared), None) for way in ways]
        opened = [self._opened(mark, places) for mark in marks if mark is not None]
        names = {f"{one.name}_ordinal": one.label for one in self.plan.tables}
        for name in table.ordinals[:-1]:
            label = names[name]
            ordinal = (self._last_before(label)[places] - self._starts[label][declaration]).astype(np.int32)
            column = pl.Series(name, ordinal)
            if len(ways) > 1:
                taken = _latest(opened, [label in way for way in ways])
                column = column.set(pl.Series(~taken), None)
            yield column
        own = np.arange(len(places)) - self._starts[table.label][declaration]
        yield pl.Series(table.ordinals[-1], own.astype(np.int32))

    def _opened(self, label: str, places: Numbers) -> Numbers:
        """Place at which a block of a kind was opened last before each place; -1 if none was."""
        known = np.append(self._places[label], -1)
        return known[self._last_before(label)[places]]

    def _column(self, cell: Cell, label: str) -> pl.Series:
        """The column of a zone in a block."""
        rows = len(self._places[label])
        slot = self.words.slot[label, cell.label]
        first, last = int(self._borders[slot]), int(self._borders[slot + 1])
        if first == last:
            return blank(cell, rows)
        group, start = self.words.group[slot]
        begin = first - int(self._borders[start])
        values = self._values[group][begin : begin + last - first].alias(cell.column)
        return values if last - first == rows else _spread(values, self._rows[first:last], rows)

    def _forms(self) -> pl.DataFrame:
        types = form_types(self.plan)
        if not self._form_keys:
            return pl.DataFrame(schema=types)
        columns = dict(zip(FORM_KEY_TYPES, map(list, zip(*self._form_keys, strict=True)), strict=True))
        series = [pl.Series(name, values, dtype=FORM_KEY_TYPES[name]) for name, values in columns.items()]
        series += [self._column(cell, self.plan.message.top).alias(cell.column) for cell in self.plan.head]
        for name, cell in self.plan.form:
            values = self._column(cell, name or FORM)
            if name:
                values = _spread(values, self._last_before(FORM)[self._places[name]], len(self._form_keys))
            series.append(values.alias(cell.column))
        return pl.DataFrame(series)


def _spread(values: pl.Series, places: Numbers, height: int) -> pl.Series:
    """A column of some height that holds each value at its place, and nulls elsewhere."""
    where = pl.Series([None], dtype=pl.UInt32).new_from_index(0, height)
    where = where.scatter(pl.Series(places), pl.int_range(len(values), dtype=pl.UInt32, eager=True))
    return values.gather(where)


def _latest(opened: list[Numbers], holds: list[bool]) -> npt.NDArray[np.bool_]:
    """Whether the way whose ancestor was opened last is one of those that hold."""
    best = np.maximum.reduce(opened)
    taken = np.zeros(len(best), np.bool_)
    for place, yes in zip(opened, holds, strict=True):
        if yes:
            taken |= place == best
    return taken
