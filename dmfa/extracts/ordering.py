"""The order of rows under codes: that of the codes, over all shards.

Shards are ranges of declarations. Rows in the order of shards would say which rows of two projects are of one range,
and so help to join what the codes hold apart. So rows wait in files by the first digits of their code until all shards
are seen; each file is then put in order by itself, so that a country needs the memory of a part of it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Final

import polars as pl

from dmfa.address import Place, source
from dmfa.extracts.persons import Frames
from dmfa.extracts.shape import Part, Shape

DIGITS: Final = 2
"""Hexadecimal digits of a code by which rows wait: 256 files a table."""

_FILE: Final = "file"
_HASHES: Final = 1 << (64 - 4 * DIGITS)
"""Hashes of rows that wait in one file, where a table has no code."""


class Ordering:
    """Holds back the rows of tables under codes.

    Args:
        shape: the tables of the extract.
        place: where files may lie for a while, and how their names begin.
        several: whether there is more than one shard; the rows of one wait in memory.
    """

    def __init__(self, shape: Shape, place: Place, *, several: bool) -> None:
        # Sums wait elsewhere, and are in the order of what they are summed by.
        self._parts = {part.name: part for part in shape.parts if shape.coding is not None and not part.by}
        self._place, self._several = place, several
        self._held: dict[str, dict[int, list[Place | pl.DataFrame]]] = defaultdict(lambda: defaultdict(list))

    def passed(self, tables: Frames) -> Frames:
        """What of a shard can be given at once."""
        for name, part in self._parts.items():
            self._hold(part, tables[name])
        return {name: rows.clear() if name in self._parts else rows for name, rows in tables.items()}

    def _hold(self, part: Part, rows: pl.DataFrame) -> None:
        held = self._held[part.name]
        if not self._several:
            held[0].append(rows)
            return
        for (number,), some in rows.with_columns(_number(part)).partition_by(_FILE, as_dict=True).items():
            file = self._place.with_name(f"{self._place.name}-{part.name}-{number}-{len(held[number])}.parquet")
            with file.open("wb") as stream:
                some.drop(_FILE).write_parquet(stream, compression="lz4")
            held[number].append(file)

    def rest(self, empty: Frames) -> Iterator[Frames]:
        """What was held back, in order.

        Args:
            empty: every table without a row.
        """
        for name, held in self._held.items():
            for number in sorted(held):
                yield {**empty, name: pl.concat(map(_read, held[number])).sort(*in_order(self._parts[name]))}


def in_order(part: Part) -> list[str | pl.Expr]:
    """What rows of a table under codes are put in order by: the first code that it gives, then all that it gives."""
    code = _code(part)
    return [_hash(part) if code is None else code, *(zone.column for zone in part.zones)]


def _code(part: Part) -> str | None:
    """The first column given that holds codes; None if the row of the register lists none."""
    coded = {column.name for column in part.own.columns if column.coded} if part.own else set()
    return next((zone.column for zone in part.zones if zone.column in coded), None)


def _hash(part: Part) -> pl.Expr:
    return pl.struct(zone.column for zone in part.zones).hash()


def _number(part: Part) -> pl.Expr:
    """Number of the file in which a row waits: those of a higher one come after it."""
    code = _code(part)
    if code is None:
        return (_hash(part) // _HASHES).cast(pl.Int64).alias(_FILE)
    return pl.col(code).str.slice(0, DIGITS).str.to_integer(base=16).fill_null(0).alias(_FILE)


def _read(held: Place | pl.DataFrame) -> pl.DataFrame:
    return held if isinstance(held, pl.DataFrame) else pl.read_parquet(source(held))
