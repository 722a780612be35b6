"""A whole invented quarter on disk, with its truth."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from dmfa.errors import WrongUsage
from dmfa.quarter import Quarter
from dmfa.synth.declaration import Declaration
from dmfa.synth.draws import mix
from dmfa.synth.employer import MOST_EMPLOYERS, Employer, employer, staff_size
from dmfa.synth.faults import FAULTS, apply
from dmfa.synth.figures import Figures
from dmfa.synth.giant import GIANT_STAFF, write_giant
from dmfa.synth.law import Law
from dmfa.synth.payroll import prepare
from dmfa.synth.people import LARGEST_STAFF
from dmfa.synth.tally import Tally
from dmfa.synth.truth import Collector, Filing, ParquetFolder
from dmfa.synth.writer import created
from dmfa.synth.xml import document

_SALT_FAULT = 41
_CHUNK = 250


@dataclass(frozen=True, slots=True)
class Options:
    """How an invented quarter is made.

    Attributes:
        largest: most workers of one employer.
        workers: as many workers for every employer; by default few have many, half have at most three.
        first: number of the first employer in the invented country.
        faulty_per_thousand: how many filings in a thousand have a fault.
        faults: which faults; all by default.
        fi_names: names as files are sent (`FI.DMFA...`) in place of `<quarter>_<employer>.xml`.
        processes: how many processes make it; the bytes do not depend on it.
    """

    largest: int = 5_000
    workers: int | None = None
    first: int = 0
    faulty_per_thousand: int = 0
    faults: tuple[str, ...] = ()
    fi_names: bool = False
    processes: int = 1


@dataclass(slots=True)
class Truth:
    """What an invented quarter holds in total; the details lie in `folder` as Parquet, see `truth.TABLES`.

    Attributes:
        folder: where the truth tables are.
        filings, declarations, persons, bytes: how many; declarations and persons only of files that can be read.
        verdicts: filings by verdict.
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
    rows: Counter[str] = field(default_factory=Counter)
    declared_cents: Counter[str] = field(default_factory=Counter)
    lawful_cents: Counter[str] = field(default_factory=Counter)

    def add(self, tables: dict[str, pa.Table]) -> None:
        """Take in the truth tables of one part."""
        filings = tables["filings"]
        self.filings += filings.num_rows
        self.declarations += tables["declarations"].num_rows
        self.persons += pc.sum(filings["persons"]).as_py() or 0
        self.bytes += pc.sum(filings["bytes"]).as_py() or 0
        self.verdicts.update(filings["verdict"].to_pylist())
        for row in tables["rows"].group_by("table").aggregate([("rows", "sum")]).to_pylist():
            self.rows[row["table"]] += row["rows_sum"]
        sums = (
            tables["amounts"].group_by(["kind", "code"]).aggregate([("declared_cents", "sum"), ("lawful_cents", "sum")])
        )
        for row in sums.to_pylist():
            self.declared_cents[f"{row['kind']} {row['code']}"] += row["declared_cents_sum"] or 0
            self.lawful_cents[f"{row['kind']} {row['code']}"] += row["lawful_cents_sum"] or 0


def make_quarter(quarter: Quarter, employers: int, seed: int, out: Path, options: Options | None = None) -> Truth:
    """Write an invented quarter: one declaration a file, and its truth in `truth/`.

    Args:
        quarter: the quarter declared.
        employers: how many employers.
        seed: the same seed gives the same persons, employers and bytes.
        out: folder to write to; made if it is not there.
        options: see `Options`.

    Returns:
        The totals; the same as in the tables under `out/truth`.

    Raises:
        WrongUsage: there is something in `out` already, or more employers are asked for than there are numbers.
    """
    chosen = options or Options()
    if employers < 1 or chosen.first < 0 or chosen.first + employers > MOST_EMPLOYERS:
        raise WrongUsage(f"cannot invent {employers} employers", f"Ask for 1 to {MOST_EMPLOYERS}.")
    if chosen.workers is not None and not 1 <= chosen.workers <= LARGEST_STAFF:
        raise WrongUsage(f"an employer cannot have {chosen.workers} workers", f"Ask for 1 to {LARGEST_STAFF}.")
    unknown = sorted(set(chosen.faults) - set(FAULTS))
    if unknown:
        raise WrongUsage(f"there is no fault named {', '.join(unknown)}", f"Faults are {', '.join(sorted(FAULTS))}.")
    if out.is_dir() and any(out.iterdir()):
        raise WrongUsage(
            f"{out} is not empty", "Name a new folder, so that nothing old is taken for part of the quarter."
        )
    out.mkdir(parents=True, exist_ok=True)
    ends = chosen.first + employers
    tasks = [
        _Task(quarter, seed, out, chosen, start, min(start + _CHUNK, ends))
        for start in range(chosen.first, ends, _CHUNK)
    ]
    truth = Truth(out / "truth")
    parquet = ParquetFolder(truth.folder)
    try:
        for tables in _work(tasks, chosen.processes):
            truth.add(tables)
            parquet.add(tables)
    finally:
        parquet.close()
    return truth


@dataclass(frozen=True, slots=True)
class _Task:
    quarter: Quarter
    seed: int
    out: Path
    options: Options
    start: int
    end: int


def _work(tasks: list[_Task], processes: int) -> Iterator[dict[str, pa.Table]]:
    if processes < 2 or len(tasks) < 2:
        yield from map(_part, tasks)
        return
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        yield from pool.map(_part, tasks)


def _part(task: _Task) -> dict[str, pa.Table]:
    """Write the files of some employers and return their truth."""
    law = Law(Figures.of(task.quarter))
    collector = Collector()
    for index in range(task.start, task.end):
        who = employer(task.seed, index, task.options.largest, exact_size=task.options.workers)
        count = task.options.workers or staff_size(task.seed, who, task.quarter)
        if count >= GIANT_STAFF:
            # A giant is never made faulty: a fault needs the whole of it in memory.
            draft = Declaration(task.quarter, who)
            write_giant(task.out / _name(task, draft), task.seed, who, law, collector=collector, count=count)
            continue
        filing = _filing(task, who, law, count)
        (task.out / filing.name).write_bytes(filing.content)
        collector.add(filing)
    return collector.tables()


def _name(task: _Task, declaration: Declaration) -> str:
    index = declaration.employer.index
    if not task.options.fi_names:
        return f"{task.quarter.code}_{index:06d}.xml"
    return f"FI.DMFA.{700_000 + index // 99_999:06d}.{created(declaration)[0]:%Y%m%d}.{index % 99_999 + 1:05d}.R.1.1"


def _filing(task: _Task, who: Employer, law: Law, count: int) -> Filing:
    declaration = prepare(task.seed, who, task.quarter, law, count)
    name = _name(task, declaration)
    chosen = task.options.faults or tuple(FAULTS)
    draw = mix(_SALT_FAULT, task.seed, who.index, task.quarter.code)
    if draw % 1000 < task.options.faulty_per_thousand:
        # A declaration may have nothing that can go wrong in the way drawn: then the next way is tried.
        place = draw // 1000 % len(chosen)
        for fault in (*chosen[place:], *chosen[:place]):
            filing = apply(fault, declaration, name)
            if filing:
                return filing
    tallies = [Tally()]
    return Filing(name, document([declaration], tallies), [declaration], tallies)
