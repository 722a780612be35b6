"""Cubes: counts and sums of jobs by several groups, with every total, and without what a small count would tell.

A person with several jobs is counted once, at the main one, so that in each dimension the parts add up to the total.
Cells with nobody are not there; a cell that is left out is there without its numbers.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from dmfa.extracts.authorisations import KEYS
from dmfa.extracts.own import ATTESTATIONS, PERSONS, WHOLE
from dmfa.extracts.shape import Part
from dmfa.extracts.suppression import suppressed

TOTAL: Final = "total"
UNKNOWN: Final = "unknown"
QUARTER: Final = "quarter"
"""A cube is of one quarter: no total is made over it."""

_ATTESTATION: Final = KEYS[0]
_HAS_NUMBER: Final = pl.col("inss").fill_null(0) > 0


class Cube:
    """Gathers jobs, shard by shard, and makes their cube.

    Args:
        part: the table: its columns to group by are texts; others count persons or attestations, or are summed.
        smallest: least number of persons, or of jobs, that a cell tells.
    """

    def __init__(self, part: Part, smallest: int) -> None:
        columns = part.own.columns if part.own else ()
        self._part, self._smallest = part, smallest
        self._groups = [name for name in part.by if name != QUARTER]
        self._codes: dict[str, dict[str | None, int]] = {name: {} for name in self._groups}
        self._persons = [one.name for one in columns if one.kind == PERSONS]
        self._jobs = [one.name for one in columns if one.kind == ATTESTATIONS]
        self._sums = [one.name for one in columns if one.kind == WHOLE and not one.zone]
        self._held: list[pl.DataFrame] = []
        self._quarter: int | None = None

    def add(self, rows: pl.DataFrame) -> None:
        """Take in some jobs.

        Args:
            rows: attestation and inss of each job, its groups, its measures; persons and attestations are 1 where the
                job counts and 0 where it does not.
        """
        if rows.is_empty():
            return
        if QUARTER in rows.columns:
            self._quarter = rows[QUARTER][0]
        kept = [_ATTESTATION, "inss", *self._groups, *self._persons, *self._jobs, *self._sums]
        self._held.append(rows.select(kept).with_columns(self._coded(name, rows[name]) for name in self._groups))

    def made(self) -> tuple[pl.DataFrame, pl.Series]:
        """The cube with the columns of its table, and the attestations that anything in it tells of."""
        empty = pl.DataFrame(self._part.arrow_schema.empty_table())
        if not self._held:
            return empty, pl.Series(_ATTESTATION, [], pl.Int64)
        jobs = self._with_main_jobs(pl.concat(self._held))
        names = [sorted(map(str, self._codes[name])) for name in self._groups]
        shape = tuple(len(known) + 1 for known in names)
        places = [self._places(jobs[name], known) for name, known in zip(self._groups, names, strict=True)]
        flats = [_flat(places, shape, kept) for kept in _subsets(len(shape))]
        measures = {name: _summed(flats, jobs[name].fill_null(0).to_numpy(), shape) for name in self._measures}
        known = {name: _summed(flats, jobs[name].is_not_null().to_numpy(), shape) for name in self._sums}
        people = _people(flats, jobs["who"].to_numpy(), shape)
        small, giving = (people > 0) & (people < self._smallest), people > 1
        for name in (*self._persons, *self._jobs):
            small |= (measures[name] > 0) & (measures[name] < self._smallest)
            giving &= measures[name] > 1
        for name in self._sums:
            giving &= (measures[name] > 0) | (known[name].reshape(-1)[-1] == 0)
        out = suppressed(people, small=small, giving=giving)
        shown = np.argwhere(people > 0)
        at = tuple(shown.T)
        columns = {
            name: pl.Series(name, [*known_names, TOTAL], pl.String).gather(shown[:, d])
            for d, (name, known_names) in enumerate(zip(self._groups, names, strict=True))
        }
        told = pl.Series(~out[at])
        for name in self._measures:
            right = told & pl.Series(known[name][at] > 0) if name in known else told
            columns[name] = pl.select(pl.when(right).then(pl.Series(measures[name][at]))).to_series()
        table = pl.DataFrame(columns).with_columns(pl.lit(self._quarter).alias(QUARTER))
        wanted = empty.schema
        return table.select(pl.col(name).cast(kind) for name, kind in wanted.items()), jobs[_ATTESTATION].filter(
            _told(flats, out)
        ).unique()

    @property
    def _measures(self) -> list[str]:
        return [*self._persons, *self._jobs, *self._sums]

    def _coded(self, name: str, values: pl.Series) -> pl.Series:
        """Numbers in place of the names of groups: a country of jobs has to be held."""
        known = self._codes[name]
        for value in values.fill_null(UNKNOWN).unique(maintain_order=True):
            known.setdefault(value, len(known))
        return values.fill_null(UNKNOWN).replace_strict(known, return_dtype=pl.Int16).alias(name)

    def _places(self, codes: pl.Series, names: list[str]) -> NDArray[np.int64]:
        """Places of groups in the order of their names, whatever the order in which they came."""
        place = {code: names.index(str(value)) for value, code in self._codes[codes.name].items()}
        return codes.replace_strict(place, return_dtype=pl.Int64).to_numpy()

    def _with_main_jobs(self, jobs: pl.DataFrame) -> pl.DataFrame:
        """With a person counted at one job alone: the one with the most, else the first; and who it is."""
        who = pl.when(_HAS_NUMBER).then("inss").otherwise(-pl.col(_ATTESTATION)).alias("who")
        jobs = jobs.with_columns(who).sort(
            "who", *self._persons, *self._sums, _ATTESTATION,
            descending=[False, *[True] * len(self._persons + self._sums), False], nulls_last=True,
        )  # fmt: skip
        first = pl.col("who").is_first_distinct()
        return jobs.with_columns(pl.when(first).then(name).otherwise(0).alias(name) for name in self._persons)


def _subsets(size: int) -> Iterator[tuple[int, ...]]:
    """All choices of dimensions, the fewest first."""
    for many in range(size + 1):
        yield from combinations(range(size), many)


def _flat(
    places: list[NDArray[np.int64]], shape: tuple[int, ...], kept: tuple[int, ...]
) -> NDArray[np.int64] | NDArray[np.intp]:
    """Number of each job's cell where some dimensions are kept and the others are totals."""
    rows = len(places[0]) if places else 0
    at = [places[d] if d in kept else np.full(rows, size - 1) for d, size in enumerate(shape)]
    return np.ravel_multi_index(at, shape)


def _summed(flats: list[NDArray[np.intp]], values: NDArray[np.int64], shape: tuple[int, ...]) -> NDArray[np.int64]:
    """Sum over the jobs of each cell, totals too."""
    made = np.zeros(int(np.prod(shape)), dtype=np.int64)
    for flat in flats:
        np.add.at(made, flat, values.astype(np.int64))
    return made.reshape(shape)


def _people(flats: list[NDArray[np.intp]], who: NDArray[np.int64], shape: tuple[int, ...]) -> NDArray[np.int64]:
    """Number of different persons with a job in each cell, whether it counts or not."""
    made = np.zeros(int(np.prod(shape)), dtype=np.int64)
    for flat in flats:
        pairs = pl.DataFrame({"cell": flat, "who": who}).group_by("cell").agg(pl.col("who").n_unique())
        made[pairs["cell"].to_numpy()] = pairs["who"].to_numpy()
    return made.reshape(shape)


def _told(flats: list[NDArray[np.intp]], out: NDArray[np.bool_]) -> pl.Series:
    """Jobs that a cell with numbers tells of."""
    hidden = out.reshape(-1)
    found = np.zeros(len(flats[0]), dtype=bool)
    for flat in flats:
        found |= ~hidden[flat]
        if found.all():
            break
    return pl.Series(found)
