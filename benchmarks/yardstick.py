"""What the benchmarks share: invented declarations, xmllint as the yardstick, time and memory of a command.

Absolute times move with the machine; only ratios to the yardstick, measured in turns in the same run, count.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path

from dmfa.quarter import Quarter
from dmfa.reading.pool import run_pool
from dmfa.schema import release_for
from dmfa.synth import Options, make_quarter

HERE = Path(__file__).resolve().parent
QUARTER = Quarter(2026, 3)
RECEIVED_ON = "2026-11-22"
PROCESSES = 2


@dataclass(frozen=True, slots=True)
class Measured:
    """One run.

    Attributes:
        seconds: by the clock on the wall.
        parent_mb: highest resident memory of the first process.
        worker_mb: highest resident memory of any of its children.
        said: what it printed.
    """

    seconds: float
    parent_mb: float
    worker_mb: float
    said: str


class MemoryWatch:
    """Follows a process and all its descendants through /proc, on Linux; elsewhere it reports nothing."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._peaks: dict[int, int] = {}
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self._thread.start()

    def stop(self) -> tuple[float, float]:
        """Peak resident MB of the process itself, and of its largest descendant."""
        self._done.set()
        self._thread.join()
        parent = self._peaks.pop(self._pid, 0)
        return parent / 1024, max(self._peaks.values(), default=0) / 1024

    def _follow(self) -> None:
        while not self._done.wait(0.05):
            for pid in self._family():
                self._peaks[pid] = max(self._peaks.get(pid, 0), _peak_kb(pid))

    def _family(self) -> set[int]:
        parents = {}
        for entry in Path("/proc").glob("[0-9]*/stat"):
            try:
                # The name in brackets may hold anything; state and parent follow the last bracket.
                parents[int(entry.parent.name)] = int(entry.read_text().rpartition(")")[2].split()[1])
            except (OSError, ValueError, IndexError):
                continue
        family = {self._pid}
        grown = True
        while grown:
            children = {pid for pid, parent in parents.items() if parent in family} - family
            grown = bool(children)
            family |= children
        return family


def _peak_kb(pid: int) -> int:
    try:
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1])
    except (OSError, ValueError):
        pass
    return 0


def measure(
    command: Sequence[str], environment: Mapping[str, str], ok: frozenset[int], stdin: Path | None = None
) -> Measured:
    """Run a command to its end; stop the benchmark with the command's own words if it fails."""
    with tempfile.TemporaryFile() as said:
        source = stdin.open("rb") if stdin else subprocess.DEVNULL
        try:
            start = time.perf_counter()
            process = subprocess.Popen(
                command, stdin=source, stdout=said, stderr=subprocess.STDOUT, env=dict(environment)
            )
            watch = MemoryWatch(process.pid)
            code = process.wait()
            seconds = time.perf_counter() - start
            parent, worker = watch.stop()
        finally:
            if stdin and not isinstance(source, int):
                source.close()
        said.seek(0)
        words = said.read().decode(errors="replace")
        if code not in ok:
            sys.exit(f"{' '.join(command[:3])} ended with {code}:\n{words[-2000:]}")
    return Measured(seconds, parent, worker, words)


def inputs(employers: int, seed: int, workers: int | None = None) -> Path:
    """The folder of invented declarations, made once for each version of the generator.

    Args:
        employers: how many declarations.
        seed: seed of the invented country.
        workers: as many for every employer; by default few have many.
    """
    version = sha256()
    source = HERE.parent / "dmfa" / "synth"
    for path in sorted([*source.glob("*.py"), *source.glob("*.csv")]):
        version.update(path.read_bytes())
    stem = f"{QUARTER.code}-{employers}-{workers or 'any'}-{seed}"
    folder = HERE / "work" / f"{stem}-{version.hexdigest()[:12]}"
    complete = folder.with_suffix(".complete")
    if not complete.exists():
        for old in (HERE / "work").glob(f"{stem}-*"):
            # Made by an earlier version of the generator, or not finished.
            shutil.rmtree(old) if old.is_dir() else old.unlink()
        print(f"inventing {employers:,} declarations in {folder}", flush=True)
        start = time.perf_counter()
        options = Options(largest=5_000, workers=workers)
        truth = make_quarter(QUARTER, employers, seed, folder, options, run=partial(run_pool, workers=PROCESSES))
        seconds = time.perf_counter() - start
        print(f"  {truth.bytes / 1e6:,.0f} MB, {truth.persons:,} workers, {truth.bytes / 1e6 / seconds:.1f} MB/s")
        complete.touch()
    return folder


def yardstick(files: Path, schema: Path, environment: Mapping[str, str]) -> Measured:
    """The yardstick: xmllint in tree mode over all files, by xargs with as many processes as the ingest has."""
    command = ["xargs", "-0", f"-P{PROCESSES}", "-n", "250", "xmllint", "--noout", "--schema", str(schema)]
    return measure(command, environment, frozenset({0}), files)


@contextmanager
def listed(paths: Sequence[Path]) -> Iterator[Path]:
    """A file that lists paths for xargs."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(b"".join(os.fsencode(path) + b"\0" for path in paths))
        file.flush()
        yield Path(file.name)


def rounds(
    paths: Sequence[Path], runs: Mapping[str, Callable[[], Measured]], number: int, environment: Mapping[str, str]
) -> dict[str, list[Measured]]:
    """Measure the yardstick and some runs in turns.

    Args:
        paths: the files.
        runs: what to measure, by name.
        number: how many rounds.
        environment: variables of the yardstick's processes.

    Returns:
        The measurements of each run by name; those of the yardstick under `xmllint`.
    """
    release = release_for("DmfAOriginal", QUARTER)
    if release is None:
        sys.exit(f"there is no XSD for {QUARTER}")
    measured: dict[str, list[Measured]] = {"xmllint": [], **{name: [] for name in runs}}
    with listed(paths) as names:
        for turn in range(1, number + 1):
            measured["xmllint"].append(yardstick(names, release.path, environment))
            for name, run in runs.items():
                measured[name].append(run())
            told = ", ".join(f"{name} {taken[-1].seconds:.2f} s" for name, taken in measured.items())
            print(f"round {turn}: {told}", flush=True)
    return measured


def report(name: str, measured: Mapping[str, Sequence[Measured]], paths: Sequence[Path]) -> None:
    """Print a run's ratio to the yardstick, speed and memory, and its row for RESULTS.md."""
    megabytes = sum(path.stat().st_size for path in paths) / 1e6
    ours, base = measured[name], measured["xmllint"]
    best, best_base = min(run.seconds for run in ours), min(run.seconds for run in base)
    parent, worker = max(run.parent_mb for run in ours), max(run.worker_mb for run in ours)
    print(
        f"{name}: ratio {best / best_base:.2f}, {megabytes / best:.1f} MB/s; xmllint {megabytes / best_base:.1f} MB/s"
    )
    print(f"  peak memory: parent {parent:,.0f} MB, largest worker {worker:,.0f} MB")
    print(
        f"| {name} | {len(paths):,} | {megabytes:,.0f} | {best_base:.2f} | {best:.2f} | {best / best_base:.2f} "
        f"| {megabytes / best:.1f} | {parent:,.0f} | {worker:,.0f} |"
    )


def arguments(description: str | None) -> argparse.ArgumentParser:
    """What every benchmark can be told: how many declarations, of which seed, and how many rounds."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--employers", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    return parser


def files_in(folder: Path, number: int) -> list[Path]:
    """The declarations in a folder, of which it prints how many they are and in how many rounds they are measured."""
    paths = sorted(folder.rglob("*.xml"))
    megabytes = sum(path.stat().st_size for path in paths) / 1e6
    print(f"{len(paths):,} files, {megabytes:,.0f} MB, best of {number}, {PROCESSES} processes", flush=True)
    return paths


def must_have_xmllint() -> None:
    """End with plain words where the yardstick is not installed."""
    if shutil.which("xmllint") is None:
        print(
            "xmllint, the yardstick of this benchmark, is not installed.\n"
            "On Debian and Ubuntu it is in libxml2-utils: apt-get install libxml2-utils",
            file=sys.stderr,
        )
        sys.exit(2)


def surroundings() -> dict[str, str]:
    """Variables of what is measured: no Prefect server, whose start-up is not what counts, and a day of receipt."""
    environment = {name: value for name, value in os.environ.items() if name != "PREFECT_API_URL"}
    environment["DMFA_RECEIVED_ON"] = RECEIVED_ON
    return environment
