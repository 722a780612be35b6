"""Attestations as text: the rows of all tables as elements, put one inside the other.

Nothing is joined and no text is put together twice: each row becomes the text of its own element, the place of every
piece in the document is counted, level by level, and all pieces are then taken in that order at once.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from dmfa.extracts.authorisations import KEYS, NUMBER
from dmfa.extracts.own import FLAGS
from dmfa.extracts.shape import Part
from dmfa.schema import TOP, Zone, ordinal, snake_case

Numbers = npt.NDArray[np.int64]

_ESCAPED = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"}
_ORDINAL_BITS = 32


def attestations_as_text(
    parts: Mapping[str, Part],
    tables: Mapping[str, pl.DataFrame],
    most: int,
    changes: pl.DataFrame | None = None,
    flags: pl.DataFrame | None = None,
) -> list[pa.Buffer]:
    """Attestations as XML in UTF-8, each on a line of its own.

    Args:
        parts: the parts by table, from EmployerDeclaration down.
        tables: their rows in document order.
        most: attestations put together at once; text takes many times the memory of the tables.
        changes: what became of each since its recipient was given it last; None where all are given each time.
        flags: what is open in them.

    Returns:
        Their bytes, in pieces.
    """
    tables = {name: tables[name] for name in parts}
    top = tables[snake_case(TOP)]
    if flags is not None and flags.height:
        told = flags.select(KEYS[0], _flag_text()).group_by(KEYS[0]).agg(pl.col(_FLAGS).str.join())
        top = top.join(told, on=KEYS[0], how="left", maintain_order="left")
        tables = {**tables, snake_case(TOP): top}
    if changes is not None:
        told = changes.select(KEYS[0], change_text(changes.columns))
        top = top.join(told, on=KEYS[0], how="left", maintain_order="left")
        tables = {**tables, snake_case(TOP): top}
    place = _Places(top[KEYS[0]])
    places = {name: place.of(rows[KEYS[0]]) for name, rows in tables.items()}
    made = []
    for first in range(0, top.height, most):
        last = min(first + most, top.height)
        inside, numbers = {}, {}
        for name, rows in tables.items():
            start, end = np.searchsorted(places[name], (first, last)).tolist()
            inside[name], numbers[name] = rows.slice(start, end - start), places[name][start:end] - first
        made.append(_Writing(parts, inside, numbers).text())
    return made


class _Places:
    """Finds the place of an attestation among all by its number."""

    def __init__(self, attestations: pl.Series) -> None:
        numbers = attestations.to_numpy()
        self._order = np.argsort(numbers)
        self._sorted = numbers[self._order]

    def of(self, attestations: pl.Series) -> Numbers:
        """Places of rows in the order of the attestations."""
        numbers = attestations.to_numpy()
        if not numbers.size:
            return np.zeros(0, np.int64)
        begins = np.flatnonzero(np.concatenate(([True], numbers[1:] != numbers[:-1])))
        found = self._order[np.searchsorted(self._sorted, numbers[begins])]
        repeated: Numbers = np.repeat(found, np.diff(np.append(begins, numbers.size)))
        return repeated


@dataclass
class _Level:
    """Elements of one kind under one kind of parent.

    Attributes:
        texts: text of each up to its first child; with its end, if it can have none.
        end: what ends it; empty if it can have no child.
        parent: row of its parent among the parents.
        sizes: pieces of text in it, with all that is inside.
        below: what hangs under it, in document order.
    """

    texts: pa.Array
    end: str
    parent: Numbers
    sizes: Numbers
    below: Sequence[_Level]


class _Writing:
    """The text of some attestations.

    Args:
        parts: the parts by table.
        tables: their rows.
        places: for each row the place of its attestation.
    """

    def __init__(
        self, parts: Mapping[str, Part], tables: Mapping[str, pl.DataFrame], places: Mapping[str, Numbers]
    ) -> None:
        self._parts, self._tables, self._places = parts, tables, places
        self._pieces: list[pa.Array] = []
        self._sources: list[tuple[Numbers, Numbers]] = []
        self._count = 0

    def text(self) -> pa.Buffer:
        """The bytes of all."""
        top = self._parts[snake_case(TOP)]
        rows = self._tables[top.name]
        told = [pl.col(name).fill_null("") for name in (_CHANGE, _FLAGS) if name in rows.columns]
        texts = _column(rows, pl.concat_str(pl.lit("<attestation>"), *_heads(), *told))
        below = [self._level(top, np.arange(rows.height), np.arange(rows.height))]
        root = _Level(texts, "</attestation>\n", np.zeros(rows.height, np.int64), 2 + below[0].sizes, below)
        self._place(root, np.cumsum(root.sizes) - root.sizes)
        order = np.empty(int(root.sizes.sum()), np.int64)
        for at, piece in self._sources:
            order[at] = piece
        text = pa.concat_arrays(self._pieces).take(pa.array(order))
        offsets, data = text.buffers()[1:]
        ends = np.frombuffer(offsets, np.int64)
        start, stop = int(ends[text.offset]), int(ends[text.offset + len(text)])
        return data.slice(start, stop - start) if data is not None else pa.py_buffer(b"")

    def _level(self, part: Part, rows: Numbers, parent: Numbers) -> _Level:
        """Some rows of a part, and all that hangs under them."""
        frame = self._tables[part.name]
        if rows.size < frame.height:
            frame = frame[rows]
        below = [
            level
            for child in part.block.children
            if child.table in self._parts and (level := self._under(part, frame, rows, self._parts[child.table]))
        ]
        can_hold = any(child.table in self._parts for child in part.block.children)
        end = f"</{part.block.name}>"
        inside = [element(zone.name, zone_text(zone, frame.schema[zone.column])).fill_null("") for zone in part.zones]
        last = [] if can_hold else [pl.lit(end)]
        texts = _column(frame, pl.concat_str(pl.lit(f"<{part.block.name}>"), *inside, *last))
        sizes = np.full(rows.size, 2 if can_hold else 1, np.int64)
        for level in below:
            sizes += _sums(level, rows.size)
        return _Level(texts, end if can_hold else "", parent, sizes, below)

    def _under(self, part: Part, frame: pl.DataFrame, rows: Numbers, child: Part) -> _Level | None:
        """The rows of a child that hang under some rows of a part; a child may have another kind of parent too."""
        held, places = self._tables[child.name], self._places[child.name]
        if part.is_key:
            mine, keys = self._places[part.name][rows], places
            chosen = np.arange(held.height)
        else:
            column = ordinal(part.name)
            mine = (self._places[part.name][rows] << _ORDINAL_BITS) + frame[column].to_numpy()
            above = held[column]
            chosen = np.flatnonzero(above.is_not_null().to_numpy())
            keys = (places[chosen] << _ORDINAL_BITS) + above.drop_nulls().to_numpy()
        if not mine.size or not chosen.size:
            return None
        parent = np.minimum(np.searchsorted(mine, keys), mine.size - 1)
        hangs = mine[parent] == keys
        return self._level(child, chosen[hangs], parent[hangs])

    def _place(self, level: _Level, starts: Numbers) -> None:
        """Note where each piece of a level goes, and all that is inside."""
        self._add(level.texts, starts)
        if level.end:
            ends = starts + level.sizes - 1
            self._pieces.append(pa.array([level.end], pa.large_string()))
            self._sources.append((ends, np.full(ends.size, self._count, np.int64)))
            self._count += 1
        following = starts + 1
        for below in level.below:
            before = np.cumsum(below.sizes) - below.sizes
            sums = _sums(below, starts.size)
            # Those of one parent stand side by side: what stands before the first of them is taken off.
            off = np.cumsum(sums) - sums
            self._place(below, following[below.parent] + before - off[below.parent])
            following = following + sums

    def _add(self, texts: pa.Array, at: Numbers) -> None:
        self._pieces.append(texts)
        self._sources.append((at, np.arange(self._count, self._count + len(texts))))
        self._count += len(texts)


def cancelled_as_text(changes: pl.DataFrame) -> pa.Buffer:
    """The cancelled ones among some changes as XML, each on a line of its own, without content."""
    rows = changes.filter(pl.col(KEYS[2]) == _CANCELLED)
    ends = (pl.lit("<attestation>"), *_heads(), change_text(rows.columns), pl.lit("</attestation>\n"))
    return pa.py_buffer("".join(_column(rows, pl.concat_str(*ends)).to_pylist()).encode())


def change_text(columns: Collection[str]) -> pl.Expr:
    """What became of an attestation, as XML, over the table of changes.

    Args:
        columns: those of the table.
    """
    told = [element(name, pl.col(column).cast(pl.String)) for column, name in _MUTATION.items() if column in columns]
    return pl.concat_str(pl.lit("<mutation>"), *(text.fill_null("") for text in told), pl.lit("</mutation>")).alias(
        _CHANGE
    )


def _heads() -> list[pl.Expr]:
    """What stands before an attestation: its number, version and status."""
    return [element(name, pl.col(key).cast(pl.String)) for name, key in _HEAD]


def _flag_text() -> pl.Expr:
    """An open anomaly, as XML, over the table of flags."""
    told = (element(column.label, pl.col(column.name).cast(pl.String)).fill_null("") for column in FLAGS.columns)
    return element(FLAGS.label, pl.concat_str(*told)).alias(_FLAGS)


_CHANGE = "mutation_as_text"
_FLAGS = "flags_as_text"
_CANCELLED = 3
_MUTATION = {
    NUMBER: "deliveryNumber",
    KEYS[2]: "status",
    "previous_inss": "previousSsin",
    "previous_noss_registration_nbr": "previousNssoRegistrationNumber",
}

_HEAD = tuple(zip(("number", "version", "status"), KEYS, strict=True))


def _sums(level: _Level, parents: int) -> Numbers:
    """Pieces of text under each parent."""
    return np.bincount(level.parent, level.sizes, parents).astype(np.int64)


def _column(frame: pl.DataFrame, text: pl.Expr) -> pa.Array:
    # Beside a key: a text that takes nothing from the rows would be one value alone.
    made = frame.select(KEYS[0], text.alias("xml"))["xml"].rechunk().to_arrow(compat_level=pl.CompatLevel.oldest())
    return made.cast(pa.large_string())


def element(name: str, text: pl.Expr) -> pl.Expr:
    """An element around a text; null where the text is null."""
    return pl.concat_str(pl.lit(f"<{name}>"), text, pl.lit(f"</{name}>"))


def zone_text(zone: Zone, kind: pl.DataType) -> pl.Expr:
    """The value of a zone as text of an element."""
    value = pl.col(zone.column)
    if kind == pl.String and zone.base != "xs:integer":
        return value.str.replace_many(list(_ESCAPED), list(_ESCAPED.values()))
    return value.dt.to_string("iso") if kind == pl.Date else value.cast(pl.String)
