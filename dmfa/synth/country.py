"""A whole invented quarter on disk, with its truth."""

from __future__ import annotations

import errno
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol, Self

import pyarrow as pa
import pyarrow.compute as pc

from dmfa.errors import LakeFull, LakeProblem, UnknownQuarter, WrongUsage
from dmfa.quarter import Quarter
from dmfa.schema import release_for
from dmfa.synth.employer import MOST_EMPLOYERS, usual_size
from dmfa.synth.faults import FAULTS
from dmfa.synth.figures import Figures
from dmfa.synth.giant import GIANT_STAFF
from dmfa.synth.part import MILLION, Options, Part, finished, make_part
from dmfa.synth.people import LARGEST_STAFF
from dmfa.synth.truth import ParquetFolder
from dmfa.synth.unfinished import Unfinished

_PART_EMPLOYERS: Final = 250
_PART_WORKERS: Final = 4_000
_FULL: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class Runner(Protocol):
    """Does the parts of a quarter, here or in other processes; `dmfa.reading.pool.run_pool` is one."""

    def __call__(
        self, function: Callable[[Part], int], items: Sequence[Part], /, *, weight: Callable[[Part], int]
    ) -> Iterator[tuple[int, int]]:
        """Apply the function to every item, the heaviest first; position and result in any order."""


@dataclass(slots=True)
class Truth:
    """What an invented quarter holds in total; the details lie in `folder` as Parquet, see `truth.TABLES`.

    Attributes:
        folder: where the truth tables are.
        filings, declarations, persons, bytes: how many; declarations and persons only of files that can be read.
        verdicts: filings by verdict.
        faults: filings by fault.
        rows: rows by table.
        declared_cents: sums by kind and code, e.g. `contribution 495`.
        lawful_cents: the same of the law's amounts, where they are known.
    """

    folder: Path
    filings: int = 0
    declarations: int = 0
    persons: int = 0
    bytes: int = 0
    verdicts: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    rows: Counter[str] = field(default_factory=Counter)
    declared_cents: Counter[str] = field(default_factory=Counter)
    lawful_cents: Counter[str] = field(default_factory=Counter)

    def add(self, tables: dict[str, pa.Table]) -> None:
        """Take in the truth tables of one part."""
        filings = tables["filings"]
        self.filings += filings.num_rows
        self.declarations += tables["declarations"].num_rows
        self.persons += pc.sum(tables["declarations"]["persons"]).as_py() or 0
        self.bytes += pc.sum(filings["bytes"]).as_py() or 0
        self.verdicts.update(filings["verdict"].to_pylist())
        self.faults.update(filter(None, filings["fault"].to_pylist()))
        for row in tables["rows"].group_by("table").aggregate([("rows", "sum")]).to_pylist():
            self.rows[row["table"]] += row["rows_sum"]
        sums = (
            tables["amounts"].group_by(["kind", "code"]).aggregate([("declared_cents", "sum"), ("lawful_cents", "sum")])
        )
        for row in sums.to_pylist():
            self.declared_cents[f"{row['kind']} {row['code']}"] += row["declared_cents_sum"] or 0
            self.lawful_cents[f"{row['kind']} {row['code']}"] += row["lawful_cents_sum"] or 0


def make_quarter(
    quarter: Quarter,
    employers: int,
    seed: int,
    out: Path,
    options: Options | None = None,
    *,
    run: Runner | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> Truth:
    """Write an invented quarter: one declaration a file, and its truth in `truth/`.

    It is made in parts. What a run that was stopped has finished is taken over by the next one of the same options.

    Args:
        quarter: the quarter declared.
        employers: how many employers.
        seed: the same seed gives the same persons, employers and bytes.
        out: folder to write to; made if it is not there.
        options: see `Options`.
        run: does the parts; by default one after the other in this process. The bytes do not depend on it.
        on_progress: called after each part with the number of workers done and in all.

    Returns:
        The totals; the same as in the tables under `out/truth`.

    Raises:
        WrongUsage: there is something in `out` that is not of the same quarter, or an option is out of bounds.
        UnknownQuarter: the quarter has no schema, or no confirmed contribution rate.
        LakeFull: the disk is full.
        LakeProblem: the folder cannot be written.
    """
    chosen = options or Options()
    _refuse_wrong(employers, chosen)
    _refuse_unknown(quarter)
    with _border(out):
        unfinished = Unfinished(out, {"quarter": quarter.code, "employers": employers, "seed": seed, **chosen.plan()})
        parts = _parts(quarter, seed, out, chosen, employers)
        left = [part for part in parts if not finished(part)]
        with _Merging(unfinished, parts) as merging:
            merging.take({part.number for part in parts} - {part.number for part in left})
            total = sum(part.workers for part in parts)
            done = total - sum(part.workers for part in left)
            if on_progress:
                on_progress(done, total)
            for position, _ in (run or _here)(make_part, left, weight=_weight):
                merging.take({left[position].number})
                done += left[position].workers
                if on_progress:
                    on_progress(done, total)
        unfinished.publish()
    return merging.truth


class _Merging:
    """Puts the truth of finished parts together while others are made, in an order that hangs on the parts alone.

    Args:
        unfinished: where the parts' truth is.
        parts: all parts in the order in which they are given out, so that few have to wait for another.
    """

    def __init__(self, unfinished: Unfinished, parts: Sequence[Part]) -> None:
        self.truth = Truth(unfinished.target)
        self._unfinished = unfinished
        self._parquet = ParquetFolder(unfinished.merged)
        self._order = iter([part.number for part in parts])
        self._next = next(self._order, None)
        self._ready: set[int] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._parquet.close()

    def take(self, numbers: set[int]) -> None:
        """Take in parts that are finished."""
        self._ready |= numbers
        while self._next in self._ready:
            tables = self._unfinished.tables(self._next)
            self.truth.add(tables)
            self._parquet.add(tables)
            self._next = next(self._order, None)


def _here(
    function: Callable[[Part], int], items: Sequence[Part], /, *, weight: Callable[[Part], int]
) -> Iterator[tuple[int, int]]:
    for position in sorted(range(len(items)), key=lambda place: -weight(items[place])):
        yield position, function(items[position])


def _weight(part: Part) -> int:
    return part.workers


def _parts(quarter: Quarter, seed: int, out: Path, options: Options, employers: int) -> list[Part]:
    """The quarter cut at employers, so that a part has few of them and few workers; a giant is a part of its own.

    The largest come first.
    """
    parts: list[Part] = []
    end = options.first + employers
    start, workers = options.first, 0

    def cut(at: int) -> None:
        nonlocal start, workers
        if at > start:
            parts.append(Part(quarter, seed, out, options, len(parts), start, at, workers))
        start, workers = at, 0

    for index in range(options.first, end):
        size = options.workers or usual_size(seed, index, options.largest)
        if size >= GIANT_STAFF or index - start >= _PART_EMPLOYERS or workers + size > _PART_WORKERS:
            cut(index)
        workers += size
        if size >= GIANT_STAFF:
            cut(index + 1)
    cut(end)
    return sorted(parts, key=_weight, reverse=True)


def _refuse_wrong(employers: int, options: Options) -> None:
    if employers < 1 or options.first < 0 or options.first + employers > MOST_EMPLOYERS:
        raise WrongUsage(f"cannot invent {employers} employers", f"Ask for 1 to {MOST_EMPLOYERS}.")
    for size in (options.workers, options.largest):
        if size is not None and not 1 <= size <= LARGEST_STAFF:
            raise WrongUsage(f"an employer cannot have {size} workers", f"Ask for 1 to {LARGEST_STAFF}.")
    unknown = sorted(set(options.faults) - set(FAULTS))
    if unknown:
        raise WrongUsage(f"there is no fault named {', '.join(unknown)}", f"Faults are {', '.join(sorted(FAULTS))}.")
    shares = (options.faulty_per_million, options.repeated_per_million, options.corrected_per_million)
    for share in (*shares, options.updated_per_million):
        if not 0 <= share <= MILLION:
            raise WrongUsage(f"{share / MILLION:g} is no share", "A share lies between 0 and 1, e.g. 0.02.")
    if options.archived < 0 or options.per_folder < 0:
        raise WrongUsage("an archive or folder cannot hold less than one file", "Ask for 1 or more, or leave it out.")


def _refuse_unknown(quarter: Quarter) -> None:
    if release_for("DmfAOriginal", quarter) is None:
        raise UnknownQuarter(f"there is no schema for {quarter}", "Ask for 2022/1 or later.")
    if all(Figures.of(quarter).rate(code, 0, "000", "private") is None for code in ("256", "810", "859")):
        raise UnknownQuarter(
            f"no contribution rate is confirmed for {quarter}", "Ask for a quarter whose rates are known."
        )


@contextmanager
def _border(out: Path) -> Iterator[None]:
    """Tell what the disk says in plain words."""
    try:
        yield
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        if error.errno in _FULL:
            raise LakeFull(
                f"the disk of {out} is full", "Make room and start the same again: it goes on where it was."
            ) from None
        raise LakeProblem(f"{out} could not be written: {reason}", "Check the folder and its rights.") from None
    except pa.ArrowException as error:
        raise LakeProblem(
            f"the truth in {out / 'truth'} could not be put together ({type(error).__name__})",
            "Remove the folder and start again.",
        ) from None
