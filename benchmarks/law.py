"""How long the law takes over worker lines: lines a second, seconds for five million, a batch, and peak memory.

`python benchmarks/law.py` reads the sample filings of 2026/3 once, repeats their declarations under new keys until
there are 100,000 lines, as many as `dmfa compute` takes at once, and computes that shard again and again, a million
lines in all, in two worker processes as `dmfa compute` has them. Making and handing over the declared tables is not
counted. It measures the whole law, then the law of the common worker alone: ordinary contributions and those of the
codes that most lines have, and the structural reduction. It writes nothing down: a figure worth keeping goes into
RESULTS.md by hand.
"""

from __future__ import annotations

import argparse
import os
import resource
import sys
import tempfile
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path

os.environ["POLARS_MAX_THREADS"] = "1"  # before polars is imported, here as in the processes

import polars as pl

from contributions import compute
from dmfa.reading.batch import Settings, plan_batches, read_batch
from dmfa.reading.pool import Pool
from dmfa.reading.source import find_filings

SAMPLES = Path(__file__).resolve().parent.parent / "data" / "samples" / "inbox"
QUARTER = 20263
SHARD_LINES = 100_000
LINES = 1_000_000
NATION = 5_000_000
BATCH_LINES = 4_000
BATCHES = 20
PROCESSES = 2

COMMON_CODES = ("253", "255", "256", "257", "809", "810", "811", "831", "852", "855", "857", "859")
"""Contributions that the common worker has beside the ordinary ones, which bear the worker's own code."""

STRUCTURAL = "3000"
COMMON_TABLES = (
    *("employer_declaration", "natural_person", "worker_record", "occupation", "occupation_informations", "service"),
    *("remun", "using_employer", "worker_contribution", "occupation_deduction"),
)

Tables = dict[str, pl.DataFrame]


@dataclass(frozen=True, slots=True)
class Measured:
    """What one process did: lines, CPU seconds, and its peak resident MB."""

    lines: int
    cpu_seconds: float
    peak_mb: float


def sample_tables() -> Tables:
    """The declared tables of the sample filings of one quarter."""
    parts: dict[str, list[pl.DataFrame]] = {}
    with tempfile.TemporaryDirectory() as spool:
        for group in plan_batches(find_filings([SAMPLES], Path(spool)).filings):
            for name, frame in read_batch(group, Settings.of(None)).shredded.tables.items():
                parts.setdefault(name, []).append(frame.filter(pl.col("quarter") == QUARTER))
    return {name: pl.concat(frames) for name, frames in parts.items()}


def common(tables: Tables) -> Tables:
    """What of them the law of the common worker is about; all lines stay."""
    key = ["declaration_id", "worker_record_ordinal"]
    codes = tables["worker_record"].select(*key, "worker_code")
    declared = pl.col("contribution_worker_code")
    found = {name: frame if name in COMMON_TABLES else frame.clear() for name, frame in tables.items()}
    contributions = found["worker_contribution"].join(codes, on=key, how="left", maintain_order="left")
    found["worker_contribution"] = contributions.filter(
        (declared == pl.col("worker_code")) | declared.is_in(COMMON_CODES)
    ).drop("worker_code")
    found["occupation_deduction"] = found["occupation_deduction"].filter(pl.col("deduction_code") == STRUCTURAL)
    return found


def shard(tables: Tables, lines: int) -> Tables:
    """The declarations again and again, each time under other keys, until there are so many worker lines."""
    times = -(-lines // tables["worker_record"].height)
    key = pl.col("declaration_id") // times
    return {
        name: pl.concat([frame.with_columns(key + turn * (2**63 // times)) for turn in range(times)], rechunk=True)
        for name, frame in tables.items()
    }


def measure(tables: Tables, lines: int) -> Measured:
    """Compute a shard until so many lines are done."""
    own = shard(tables, SHARD_LINES)
    compute(own)  # reads parameters and rates, once in a process
    each, done = own["worker_record"].height, 0
    start = time.process_time()
    while done < lines:
        compute(own)
        done += each
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return Measured(done, time.process_time() - start, peak)


def batch_milliseconds(tables: Tables, lines: int) -> float:
    """CPU time of one call over so many lines, as a batch of small filings has them."""
    own = shard(tables, lines)
    compute(own)
    start = time.process_time()
    for _ in range(BATCHES):
        compute(own)
    return (time.process_time() - start) / BATCHES * 1_000


def measured(tables: Tables, lines: int, words: str) -> None:
    """Measure one set of tables in worker processes, and print."""
    with Pool(PROCESSES, keep_memory=True) as pool:
        work = [lines // PROCESSES] * PROCESSES
        found = [one for _, one in pool.run(partial(measure, tables), work)]
    done = sum(one.lines for one in found)
    cpu = sum(one.cpu_seconds for one in found)
    each = tables["worker_record"].height
    rows = {name: tables[name].height / each for name in ("worker_contribution", "occupation", "service", "remun")}
    print(f"{words}; a line has " + ", ".join(f"{many:.1f} {name}" for name, many in rows.items()))
    print(f"  {done:,} lines in {cpu:.2f} s of CPU, {cpu / done * 1e6:.2f} us of CPU a line")
    print(f"  {NATION:,} lines: {cpu / done * NATION / PROCESSES:.1f} s on {PROCESSES} cores")
    print(f"  peak memory of a process: {max(one.peak_mb for one in found):,.0f} MB")


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Time the law over worker lines.")
    parser.add_argument("--lines", type=int, default=LINES)
    options = parser.parse_args()
    tables = sample_tables()
    measured(tables, options.lines, "the whole law")
    measured(common(tables), options.lines, "the law of the common worker")
    for size in (1, BATCH_LINES):
        own = shard(tables, size)["worker_record"].height
        print(f"one call over {own:,} lines: {batch_milliseconds(tables, size):.1f} ms of CPU")
    return 0


if __name__ == "__main__":
    sys.exit(main())
