"""How long `dmfa simulate` takes: both laws over every line, the rows taken out of the lake and the results kept.

`python benchmarks/simulate.py` invents 5,000 and 20,000 declarations once (kept in benchmarks/work), ingests each into
a lake of its own, and simulates the sample changes three times with two worker processes. What grows with the lines is
told apart from what every run costs, and a country of 4 million workers extrapolated from both. CPU time counts: on a
busy machine the clock on the wall tells of the others. It writes nothing down: a figure worth keeping goes into
RESULTS.md by hand.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from yardstick import HERE, PROCESSES, QUARTER, RECEIVED_ON, inputs, measure

from dmfa.lake import Lake

CHANGES = HERE.parent / "data" / "samples" / "what-if.yaml"
WORKERS = 4_000_000
GOAL_SECONDS = 60
DMFA = [sys.executable, "-c", "from flows.cli import main; main()"]


@dataclass(frozen=True, slots=True)
class Taken:
    """The fastest run over one lake: its lines and workers, seconds by the clock, CPU seconds, and peak memory."""

    lines: int
    workers: int
    seconds: float
    cpu_seconds: float
    parent_mb: float
    worker_mb: float


def simulated(employers: int, seed: int, rounds: int) -> Taken:
    """Ingest so many declarations, and simulate them some times."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("DMFA_", "PREFECT_"))}
    environment |= {"DMFA_RECEIVED_ON": RECEIVED_ON, "DMFA_WORKERS": str(PROCESSES), "PYTHONPATH": str(HERE.parent)}
    files = inputs(employers, seed)
    with tempfile.TemporaryDirectory() as folder:
        where = ["--lake", f"{folder}/lake", "--out", f"{folder}/out"]
        subprocess.run([*DMFA, "ingest", str(files), *where], env=environment, check=True, stdout=subprocess.DEVNULL)
        with Lake.open(Path(folder, "lake")) as lake:
            counted = "SELECT count(*) FROM lake.authentic.{} WHERE quarter = ?"
            lines, workers = (
                lake.arrow(counted.format(table), [QUARTER.code]).column(0)[0].as_py()
                for table in ("worker_record", "natural_person")
            )
        command = [*DMFA, "simulate", str(QUARTER), "--parameters", str(CHANGES), *where]
        runs = []
        for _ in range(rounds):
            before = _cpu_seconds()
            start = time.perf_counter()
            run = measure(command, environment, frozenset({0}))
            seconds = time.perf_counter() - start
            runs.append(Taken(lines, workers, seconds, _cpu_seconds() - before, run.parent_mb, run.worker_mb))
    return min(runs, key=lambda run: run.cpu_seconds)


def _cpu_seconds() -> float:
    """CPU seconds of all processes that have ended so far."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Time dmfa simulate.")
    parser.add_argument("--employers", type=int, nargs=2, default=[5_000, 20_000], metavar="N")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    small, large = (simulated(employers, options.seed, options.rounds) for employers in options.employers)
    for taken in (small, large):
        print(
            f"{taken.lines:,} lines of {taken.workers:,} workers: {taken.cpu_seconds:.2f} s of CPU,"
            f" {taken.seconds:.2f} s ({taken.lines / taken.seconds:,.0f} lines a second);"
            f" parent {taken.parent_mb:,.0f} MB, worker {taken.worker_mb:,.0f} MB"
        )
    each = (large.cpu_seconds - small.cpu_seconds) / (large.lines - small.lines)
    fixed = small.cpu_seconds - each * small.lines
    nation = WORKERS * large.lines / large.workers
    print(f"{each * 1e6:.1f} us of CPU a line, both laws; {fixed:.1f} s of CPU whatever the size")
    print(
        f"{WORKERS:,} workers, extrapolated: {each * nation + fixed:.0f} s of CPU,"
        f" {(each * nation + fixed) / PROCESSES:.0f} s on {PROCESSES} idle cores (goal: {GOAL_SECONDS} s)"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
