"""The fast shredder: XML cut into tokens by a CSV reader, tokens turned into columns by Polars, nothing per element.

In a valid declaration every '<' begins a tag and every tag ends at the next '>'. With '<' made a line end, a CSV reader
that separates at '>' gives one row per tag: its name, and the text behind it. Zones stand before blocks in every block,
so a zone belongs to the block opened last, and the ordinals of a block are counts of what was opened before it.

It fails closed. A comment, a CDATA section, a processing instruction, a prefix, an attribute anywhere but on the root
or a raw '>' in a text is a tag that no release knows, or a row of three columns; such documents go to the walk.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache

import polars as pl
import pyarrow as pa
from pyarrow import csv

from dmfa.reading.cells import blank, typed
from dmfa.reading.keys import declaration_id
from dmfa.reading.plan import FORM, PERSON, Cell, Plan, TablePlan
from dmfa.reading.shredder import FORM_KEY_TYPES, KEY_TYPES, Document, Shredded, form_types, join, table_types
from dmfa.reading.texts import Odd, resolved
from dmfa.reading.walk import walk_documents
from dmfa.schema import MESSAGE, TOP

SEGMENT_BYTES = 16 << 20
"""Bytes tokenized at once: a whole batch of small documents, since a call costs as much as a megabyte."""

_LONGEST_PIECE = 48 << 20
"""A giant without a place to cut for so long goes to the walk, which frees each person after use."""

_ODD_BYTES = 2 << 20
"""Documents walked together: their trees are held meanwhile, but each call costs as much as many small ones."""

_TO_ROWS = bytes.maketrans(b"<\n", b"\n\x01")
_ENCODING = re.compile(rb"<\?xml[^>]*?encoding\s*=\s*[\"'](?P<name>[^\"']*)[\"']")
_CUT = f"<{PERSON}>".encode()

_ROOT, _FORM, _TOP = 0, 1, 2


def tokenize_documents(documents: Iterable[Document], plan: Plan) -> Shredded:
    """Shred documents by tokens; those that are not plain go to the walk.

    Args:
        documents: valid filings.
        plan: what to make of them.

    Raises:
        CellUnfit: a valid cell does not fit its column.
    """
    words = _vocabulary(plan)
    parts: list[Shredded] = []
    plain: list[Document] = []
    odd: list[Document] = []
    held = 0
    for document in documents:
        if words is None or not _is_plain(document.data):
            odd.append(document)
            if document.root is None or sum(len(one.data) for one in odd) > _ODD_BYTES:
                parts.append(walk_documents(odd, plan))
                odd = []
        elif len(document.data) > 2 * SEGMENT_BYTES:
            parts.extend(_giant(document, plan, words))
        else:
            plain.append(Document(document.filing_id, document.sha256, document.data))
            held += len(document.data)
            if held > SEGMENT_BYTES:
                parts.extend(_several(plain, plan, words))
                plain, held = [], 0
    if odd:
        parts.append(walk_documents(odd, plan))
    if plain or not parts:
        parts.extend(_several(plain, plan, words) if words else [walk_documents(plain, plan)])
    return join(parts, plan)


def _is_plain(data: bytes) -> bool:
    """Whether a document is UTF-8; a comment or CDATA section is met as a tag that no release knows."""
    # To the end of the XML declaration, however much white space it holds.
    named = _ENCODING.search(data, 0, max(data.find(b"?>"), 0))
    encoding = named["name"].lower() if named else b"utf-8"
    return encoding in (b"utf-8", b"utf8", b"us-ascii") and data[:1] not in (b"\xfe", b"\xff")


def _several(documents: list[Document], plan: Plan, words: _Vocabulary) -> Iterator[Shredded]:
    """Shred small documents together; if one is odd after all, each alone."""
    try:
        yield _Segment(plan, words, documents).shred(b"".join(_rows(document.data) for document in documents))
    except Odd:
        for document in documents:
            yield from _alone(document, plan, words)


def _alone(document: Document, plan: Plan, words: _Vocabulary) -> Iterator[Shredded]:
    try:
        yield _Segment(plan, words, [document]).shred(_rows(document.data))
    except Odd:
        yield walk_documents([_with_tree(document)], plan)


def _giant(document: Document, plan: Plan, words: _Vocabulary) -> Iterator[Shredded]:
    """Shred a giant in segments that begin at a person; ordinals go on from one to the next."""
    segment = _Segment(plan, words, [document])
    parts = []
    try:
        for piece in _pieces(document.data):
            parts.append(segment.shred(_rows(piece)))
            segment = segment.following()
    except Odd:
        yield walk_documents([document], plan)
    else:
        yield from parts


def _pieces(data: bytes) -> Iterator[bytes]:
    """Cut a giant before persons.

    Raises:
        Odd: it has no place to cut for too long.
    """
    start = 0
    while start < len(data):
        cut = data.find(_CUT, start + SEGMENT_BYTES)
        end = len(data) if cut < 0 else cut
        if end - start > max(_LONGEST_PIECE, 2 * SEGMENT_BYTES):
            raise Odd
        yield data[start:end]
        start = end


def _with_tree(document: Document) -> Document:
    from dmfa.reading.parsing import parse_tree

    if document.root is None:
        root = parse_tree(document.data)
        return Document(document.filing_id, document.sha256, document.data, root)  # type: ignore[arg-type]
    return document


def _rows(data: bytes) -> bytes:
    """A document as rows: one per tag, the first from its first '<' on."""
    if b"\r" in data:
        data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return data[data.find(b"<") :].translate(_TO_ROWS)


@dataclass(frozen=True)
class _Vocabulary:
    """What each label means.

    Attributes:
        labels: the containers: root, Form, the declaration's own and all other blocks, those beside it in the Form.
        names: label to number of a container, or to number of containers plus number of a zone.
        ways: for each block below the declaration the ways down to it, without the declaration.
    """

    labels: tuple[str, ...]
    names: dict[str, int]
    ways: dict[str, tuple[tuple[str, ...], ...]]

    def slot(self, block: str, zone: str) -> int:
        """One number for a zone in a block."""
        return self.names[block] * (len(self.names) + 1) + self.names[zone]


@cache
def _vocabulary(plan: Plan) -> _Vocabulary | None:
    """The vocabulary of a plan; None if its structure is not one that this shredder reads."""
    beside = dict.fromkeys(name for name, _ in plan.form if name)
    labels = (MESSAGE, FORM, *(table.label for table in plan.tables), *beside)
    zones = {"Quarter": None}
    zones.update(dict.fromkeys(cell.label for table in plan.tables for cell in table.cells))
    zones.update(dict.fromkeys(cell.label for _, cell in plan.form))
    names = {label: number for number, label in enumerate((*labels, *zones))}
    if not plan.leaves_first or len(names) < len(labels) + len(zones):
        return None
    ways: dict[str, list[tuple[str, ...]]] = {}
    for path in plan.paths:
        ways.setdefault(path[-1], []).append(path[1:-1])
    return _Vocabulary(labels, names, {label: tuple(found) for label, found in ways.items()})


@dataclass
class _Segment:
    """Some whole documents, or a piece of a giant, on their way to tables.

    Attributes:
        documents: whose text it is.
        key: declaration, quarter and filing that a piece of a giant goes on with.
        before: number of blocks of each kind in that declaration before this piece.
    """

    plan: Plan
    words: _Vocabulary
    documents: Sequence[Document]
    key: tuple[int, int | None, int] | None = None
    before: dict[str, int] = field(default_factory=dict)
    forms_before: int = 0

    def following(self) -> _Segment:
        """The segment after this one in the same giant."""
        return _Segment(
            self.plan,
            self.words,
            self.documents,
            self._last_key,
            self._last_counts,
            self.forms_before + self._form_count,
        )

    def shred(self, rows: bytes) -> Shredded:
        """Turn rows into tables.

        Raises:
            Odd: the rows hold what no release knows.
        """
        self._sort(rows)
        self._find_declarations()
        return Shredded({table.name: self._table(table) for table in self.plan.tables}, self._forms())

    def _sort(self, rows: bytes) -> None:
        """Tell containers from zones, and give each zone to the container opened last."""
        tags, texts = _tokens(rows)
        meaning = pl.Series([_meaning(tag, self.words.names) for tag in tags.dictionary.to_pylist()], dtype=pl.Int32)
        known = meaning.gather(pl.Series(tags.indices))
        frame = pl.DataFrame({"name": known, "text": texts}).filter(known >= 0)
        many = len(self.words.labels)
        opens = frame["name"] < many
        kinds = frame["name"].filter(opens)
        self._places = {label: (kinds == number).arg_true() for number, label in enumerate(self.words.labels)}
        rank = kinds.to_frame("kind").select(pl.int_range(pl.len(), dtype=pl.UInt32).over("kind")).to_series()
        owner = opens.cum_sum().cast(pl.Int64).filter(~opens) - 1
        if len(owner) and owner[0] < 0:
            raise Odd
        slots = kinds.gather(owner) * (len(self.words.names) + 1) + frame["name"].filter(~opens)
        zones = pl.DataFrame({"slot": slots, "row": rank.gather(owner), "text": resolved(frame["text"].filter(~opens))})
        parts = zones.partition_by("slot", as_dict=True, include_key=False, maintain_order=True)
        self._zones = {key[0]: part for key, part in parts.items()}

    def _find_declarations(self) -> None:
        """Keys of the declarations in this segment; the one that goes on from before stands first."""
        forms, tops = self._places[FORM], self._places[TOP]
        if len(forms) != len(tops):
            raise Odd
        document = _last_before(self._places[MESSAGE], forms).to_list()
        quarters = self._cells(Cell("Quarter", "quarter", "integer"), TOP).to_list()
        self._form_keys: list[tuple[int, int, int, int | None]] = []
        index, current = self.forms_before - 1, 0
        for place, quarter in zip(document, quarters, strict=True):
            index = index + 1 if max(place, 0) == current else 0
            current = max(place, 0)
            filing = self.documents[current]
            self._form_keys.append((declaration_id(filing.sha256, index), filing.filing_id, index, quarter))
        self._form_count = len(forms)
        keys = [(key, quarter, filing) for key, filing, _, quarter in self._form_keys]
        carried = [self.key] if self.key is not None else [(0, None, 0)]
        self._keys = pl.DataFrame(
            carried + keys, schema={n: KEY_TYPES[n] for n in ("declaration_id", "quarter", "filing_id")}, orient="row"
        )
        self._starts = {label: self._start(label, tops) for label in self.words.labels}
        self._last_key = keys[-1] if keys else self.key
        self._last_counts = {label: len(self._places[label]) - start[-1] for label, start in self._starts.items()}

    def _start(self, label: str, tops: pl.Series) -> pl.Series:
        """For each declaration, the rank at which its blocks of a kind begin."""
        first = pl.Series([-self.before.get(label, 0)], dtype=pl.Int64)
        return first.append(self._places[label].search_sorted(tops).cast(pl.Int64)) if len(tops) else first

    def _table(self, table: TablePlan) -> pl.DataFrame:
        places = self._places[table.label]
        types = table_types(table)
        if not len(places):
            return pl.DataFrame(schema=types)
        declaration = self._places[TOP].search_sorted(places, side="right").cast(pl.Int64)
        columns = {name: self._keys[name].gather(declaration) for name in self._keys.columns}
        columns["version"] = pl.Series([1], dtype=pl.Int16).new_from_index(0, len(places))
        columns["status"] = pl.Series([0], dtype=pl.Int8).new_from_index(0, len(places))
        if table.label != TOP:
            columns.update(self._ordinals(table, places, declaration))
        for cell in table.cells:
            columns[cell.column] = self._cells(cell, table.label)
        return pl.DataFrame([_column(columns[name], name, kind) for name, kind in types.items()])

    def _ordinals(self, table: TablePlan, places: pl.Series, declaration: pl.Series) -> dict[str, pl.Series]:
        own = pl.int_range(len(places), dtype=pl.Int64, eager=True)
        found = {table.ordinals[-1]: own - self._starts[table.label].gather(declaration)}
        ways = self.words.ways[table.label]
        # Of several ways down, the one taken is that whose own ancestor was opened last.
        shared = set(ways[0]).intersection(*ways)
        marks = [next((label for label in reversed(way) if label not in shared), None) for way in ways]
        opened = [self._opened(mark, places) for mark in marks if mark is not None]
        names = {f"{one.name}_ordinal": one.label for one in self.plan.tables}
        for name in table.ordinals[:-1]:
            label = names[name]
            rank = _last_before(self._places[label], places)
            ordinal = rank - self._starts[label].gather(declaration)
            if len(ways) > 1:
                taken = _latest(opened, [label in way for way in ways])
                ordinal = ordinal.set(~taken, None)
            found[name] = ordinal
        return found

    def _opened(self, label: str, places: pl.Series) -> pl.Series:
        """Place at which a block of a kind was opened last before each place; -1 if none was."""
        rank = _last_before(self._places[label], places)
        if not len(self._places[label]):
            return rank
        place = self._places[label].cast(pl.Int64).gather(rank.clip(0))
        return place.set(rank < 0, -1)

    def _cells(self, cell: Cell, label: str) -> pl.Series:
        """The column of a zone in a block."""
        rows = len(self._places[label])
        part = self._zones.get(self.words.slot(label, cell.label))
        if part is None:
            return blank(cell, rows)
        values = typed(cell, part["text"])
        if len(part) == rows:
            return values
        where = pl.Series([None], dtype=pl.UInt32).new_from_index(0, rows)
        where = where.scatter(part["row"], pl.int_range(len(part), dtype=pl.UInt32, eager=True))
        return values.gather(where)

    def _forms(self) -> pl.DataFrame:
        types = form_types(self.plan)
        if not self._form_keys:
            return pl.DataFrame(schema=types)
        columns = dict(zip(FORM_KEY_TYPES, map(list, zip(*self._form_keys, strict=True)), strict=True))
        series = [pl.Series(name, values, dtype=FORM_KEY_TYPES[name]) for name, values in columns.items()]
        series += [self._cells(cell, TOP).alias(cell.column) for cell in self.plan.head]
        for name, cell in self.plan.form:
            values = self._cells(cell, name or FORM)
            if name:
                where = pl.Series([None], dtype=pl.UInt32).new_from_index(0, len(self._form_keys))
                form = _last_before(self._places[FORM], self._places[name]).cast(pl.UInt32)
                where = where.scatter(form, pl.int_range(len(form), dtype=pl.UInt32, eager=True))
                values = values.gather(where)
            series.append(values.alias(cell.column))
        return pl.DataFrame(series)


def _tokens(rows: bytes) -> tuple[pa.DictionaryArray, pl.Series]:
    """Tags as a dictionary and the text behind each, in order."""
    if not rows or rows.isspace():
        return pa.array([], pa.dictionary(pa.int32(), pa.string())), pl.Series([], dtype=pl.String)
    try:
        table = csv.read_csv(
            pa.BufferReader(pa.py_buffer(memoryview(rows)[1:])),
            read_options=csv.ReadOptions(use_threads=False, column_names=["tag", "text"], block_size=len(rows)),
            parse_options=csv.ParseOptions(delimiter=">", quote_char=False, escape_char=False, double_quote=False),
            convert_options=csv.ConvertOptions(
                column_types={"tag": pa.dictionary(pa.int32(), pa.string()), "text": pa.string()},
                strings_can_be_null=False,
            ),
        )
    except pa.ArrowInvalid:
        raise Odd from None
    tags = table.column("tag").unify_dictionaries().combine_chunks()
    return tags, pl.Series(table.column("text"))


def _meaning(tag: str, names: dict[str, int]) -> int:
    """Number of the container or zone that a tag opens, -1 for a tag that says nothing.

    Raises:
        Odd: no release knows it.
    """
    if tag.startswith(("/", "?xml ")):
        return -1
    label = tag.removesuffix("/").rstrip()
    if label.split(None, 1)[0] == MESSAGE:
        return _ROOT
    if label not in names:
        raise Odd
    return names[label]


def _column(values: pl.Series, name: str, kind: pl.DataType | type[pl.DataType]) -> pl.Series:
    return values.alias(name) if values.dtype == kind else values.alias(name).cast(kind)


def _last_before(places: pl.Series, others: pl.Series) -> pl.Series:
    """For each other place the rank of the last place at or before it, -1 if there is none."""
    return places.search_sorted(others, side="right").cast(pl.Int64) - 1


def _latest(opened: list[pl.Series], holds: list[bool]) -> pl.Series:
    """Whether the way whose ancestor was opened last is one of those that hold."""
    frame = pl.DataFrame({str(way): places for way, places in enumerate(opened)})
    best = pl.max_horizontal(pl.all())
    wanted = [pl.col(str(way)) == best for way, yes in enumerate(holds) if yes]
    return frame.select(pl.any_horizontal(wanted)).to_series() if wanted else frame.select(pl.lit(False)).to_series()
