"""How long the law takes over worker lines: lines a second, seconds for five million, a batch, and peak memory.

`python benchmarks/law.py` reads the sample filings of 2026/3 once, repeats their declarations under new keys until
there are 100,000 lines, as many as `dmfa compute` takes at once, and computes that shard again and again, a million
lines in all, in two processes of one thread each. Making and handing over the declared tables is not counted. It writes
nothing down: a figure worth keeping goes into RESULTS.md by hand.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import resource
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

os.environ["POLARS_MAX_THREADS"] = "1"  # before polars is imported, here and in the processes

import polars as pl

from contributions import compute
from dmfa.reading.batch import Settings, plan_batches, read_batch
from dmfa.reading.source import find_filings

SAMPLES = Path(__file__).resolve().parent.parent / "data" / "samples" / "inbox"
QUARTER = 20263
SHARD_LINES = 100_000
LINES = 1_000_000
NATION = 5_000_000
BATCH_LINES = 4_000
BATCHES = 20
PROCESSES = 2

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


def work(tables: Tables, lines: int, results: multiprocessing.SimpleQueue[Measured]) -> None:
    """A process of the benchmark."""
    results.put(measure(tables, lines))


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Time the law over worker lines.")
    parser.add_argument("--lines", type=int, default=LINES)
    options = parser.parse_args()
    context = multiprocessing.get_context("spawn")
    results = context.SimpleQueue()
    tables = sample_tables()
    height = tables["worker_record"].height
    rows = {name: tables[name].height / height for name in ("worker_contribution", "occupation", "service", "remun")}
    print("a line has " + ", ".join(f"{many:.1f} {name}" for name, many in rows.items()))
    share = options.lines // PROCESSES
    processes = [context.Process(target=work, args=(tables, share, results)) for _ in range(PROCESSES)]
    start = time.perf_counter()
    for process in processes:
        process.start()
    found = [results.get() for _ in processes]
    for process in processes:
        process.join()
    wall = time.perf_counter() - start
    lines = sum(one.lines for one in found)
    cpu = sum(one.cpu_seconds for one in found)
    print(f"{lines:,} lines in {cpu:.2f} s of CPU ({wall:.2f} s with start-up and making the tables)")
    print(
        f"{lines / cpu * PROCESSES:,.0f} lines a second on {PROCESSES} cores, {cpu / lines * 1e6:.2f} us of CPU a line"
    )
    print(f"{NATION:,} lines: {cpu / lines * NATION / PROCESSES:.1f} s on {PROCESSES} cores")
    for size in (1, BATCH_LINES):
        own = shard(tables, size)["worker_record"].height
        print(f"one call over {own:,} lines: {batch_milliseconds(tables, size):.1f} ms of CPU")
    print(f"peak memory of a process: {max(one.peak_mb for one in found):,.0f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
