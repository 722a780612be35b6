"""Sums and cubes over all shards: what can be told only once every declaration is seen.

What an aggregate gives is made here and not by its selection: no count goes out that is smaller than its authorisation
says, or that would tell such a one.
"""

from __future__ import annotations

import polars as pl

from dmfa.extracts.authorisations import KEYS
from dmfa.extracts.cubes import Cube
from dmfa.extracts.extract import Selected
from dmfa.extracts.persons import Frames
from dmfa.extracts.shape import Part, Shape

_NOBODY = pl.Schema({KEYS[0]: pl.Int64, KEYS[1]: pl.Int16, KEYS[2]: pl.Int8, "inss": pl.Int64})


class Gathering:
    """Holds back what can be told only at the end.

    Args:
        shape: the tables of the extract.
    """

    def __init__(self, shape: Shape) -> None:
        self._shape = shape
        self._sums = {part.name: part for part in shape.parts if part.own and part.own.by}
        smallest = shape.smallest_group
        self._cubes = {name: Cube(part, smallest) for name, part in self._sums.items()} if smallest else {}
        self._held: dict[str, list[pl.DataFrame]] = {name: [] for name in self._sums}
        self._persons: list[pl.DataFrame] = []

    def passed(self, selected: Selected) -> Selected:
        """What of a shard can be given at once: all, without tables of sums; nothing of an aggregate."""
        if not self._sums:
            return selected
        tables = {name: _nothing(self._sums.get(name), table) for name, table in selected.tables.items()}
        if self._cubes:
            for name, cube in self._cubes.items():
                cube.add(selected.tables[name])
            self._persons.append(selected.persons)
            return Selected(selected.persons.clear(), tables)
        for name, part in self._sums.items():
            self._held[name].append(_summed(selected.tables[name], part))
        return Selected(selected.persons, tables)

    def rest(self) -> Selected | None:
        """What was held back; None if nothing was."""
        if not self._persons and not any(self._held.values()):
            return None
        tables: Frames = {part.name: _empty(part) for part in self._shape.sheets}
        if not self._cubes:
            sums = {name: _summed(pl.concat(self._held[name]), part) for name, part in self._sums.items()}
            return Selected(pl.DataFrame(schema=_NOBODY), tables | sums)
        told = []
        for name, cube in self._cubes.items():
            tables[name], attestations = cube.made()
            told.append(attestations)
        persons = pl.concat(self._persons)
        return Selected(persons.filter(pl.col(KEYS[0]).is_in(pl.concat(told).implode())), tables)


def _nothing(part: Part | None, table: pl.DataFrame) -> pl.DataFrame:
    """A table of sums before its sums are known: no row of it; any other as it is."""
    return table if part is None else _empty(part)


def _empty(part: Part) -> pl.DataFrame:
    return pl.DataFrame(part.arrow_schema.empty_table())


def _summed(rows: pl.DataFrame, part: Part) -> pl.DataFrame:
    """Rows with the same columns to sum by as one, in their order."""
    return rows.group_by(part.by).agg(_sums(part)).sort(part.by).select(_columns(part))


def _sums(part: Part) -> list[pl.Expr]:
    """The sum of each measure; null where all of it is, for what is not known is not nought."""
    measures = [name for name in _columns(part) if name not in part.by]
    return [pl.when(pl.col(name).is_not_null().any()).then(pl.col(name).sum()).alias(name) for name in measures]


def _columns(part: Part) -> list[str]:
    return [zone.column for zone in part.zones]
