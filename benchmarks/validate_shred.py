"""How long it takes to validate and shred, beside xmllint validating the same files in tree mode, run in turns.

`python benchmarks/validate_shred.py` invents 20,000 declarations once (kept in benchmarks/work) and measures three
rounds of xmllint and of each shredder, tokens and the lxml walk. Two processes read batches as an ingest does and keep
nothing. `--giant` measures one declaration of 50,000 workers instead. It writes nothing down: a
figure worth keeping goes into RESULTS.md by hand.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from yardstick import (
    PROCESSES,
    Measured,
    arguments,
    files_in,
    inputs,
    measure,
    must_have_xmllint,
    report,
    rounds,
    surroundings,
)

from dmfa.reading import batch
from dmfa.reading.batch import Settings, plan_batches, read_batch
from dmfa.reading.pool import run_pool
from dmfa.reading.shredder import Shredder
from dmfa.reading.source import Found, find_filings
from dmfa.reading.tokenizer import tokenize_documents
from dmfa.reading.walk import walk_documents

GIANT_WORKERS = 50_000
SHREDDERS: Mapping[str, Shredder] = {"tokens": tokenize_documents, "walk": walk_documents}


@dataclass(frozen=True, slots=True)
class Task:
    """One batch, and by which shredder it is read."""

    found: Sequence[Found]
    settings: Settings
    shredder: str


def read(task: Task) -> tuple[int, int, int]:
    """Read one batch and forget it.

    Returns:
        Filings found valid, declarations and rows.
    """
    batch.shred = SHREDDERS[task.shredder]
    done = read_batch(task.found, task.settings)
    valid = sum(filing.schema_valid is True for filing in done.filings)
    return valid, done.shredded.forms.height, sum(table.height for table in done.shredded.tables.values())


def once(folder: Path, shredder: str) -> int:
    """Validate and shred a whole folder in the pool, and say what was read."""
    with tempfile.TemporaryDirectory() as spool:
        found = find_filings([folder], Path(spool)).filings
        settings = Settings.of()
        tasks = [Task(group, settings, shredder) for group in plan_batches(found)]
        size: Callable[[Task], int] = lambda task: sum(one.size for one in task.found)  # noqa: E731 - one use
        totals = [0, 0, 0]
        for _, counts in run_pool(read, tasks, PROCESSES, weight=size):
            totals = [total + count for total, count in zip(totals, counts, strict=True)]
    valid, declarations, rows = totals
    print(f"{valid} of {len(found)} filings valid, {declarations} declarations, {rows} rows")
    return 0 if valid == len(found) else 1


def validate_and_shred(folder: Path, shredder: str, environment: Mapping[str, str]) -> Measured:
    """The same in a process of its own, so that its start and its memory count."""
    command = [sys.executable, __file__, "--once", shredder, "--folder", str(folder)]
    return measure(command, environment, frozenset({0}))


def main() -> int:
    """Measure and print."""
    parser = arguments(__doc__)
    parser.add_argument("--shredder", choices=list(SHREDDERS), action="append", help="may be given more than once")
    parser.add_argument("--giant", action="store_true", help=f"one declaration of {GIANT_WORKERS:,} workers")
    parser.add_argument("--folder", type=Path, help="files of your own")
    parser.add_argument("--once", choices=list(SHREDDERS), help=argparse.SUPPRESS)
    wanted = parser.parse_args()
    if wanted.once:
        return once(wanted.folder, wanted.once)
    must_have_xmllint()
    folder = wanted.folder or (
        inputs(1, wanted.seed, GIANT_WORKERS) if wanted.giant else inputs(wanted.employers, wanted.seed)
    )
    environment = surroundings()
    paths = files_in(folder, wanted.rounds)
    names = wanted.shredder or list(SHREDDERS)
    runs = {name: _run(folder, name, environment) for name in names}
    measured = rounds(paths, runs, wanted.rounds, environment)
    for name in names:
        report(name, measured, paths)
    return 0


def _run(folder: Path, name: str, environment: Mapping[str, str]) -> Callable[[], Measured]:
    return lambda: validate_and_shred(folder, name, environment)


if __name__ == "__main__":
    sys.exit(main())
