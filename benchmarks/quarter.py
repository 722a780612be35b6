"""How long `dmfa run` of a whole quarter takes, with every extract and all answers, beside xmllint over the same files.

`python benchmarks/quarter.py` invents 20,000 declarations once (kept in benchmarks/work), then measures three rounds of
xmllint and of `dmfa run --no-prefect` in turns, with the authorisations of the samples. It prints the ratio of the best
ones, MB/s, peak memory and the seconds of each stage; then, on a line of its own, what Prefect adds to a run, over an
inbox of one filing. It writes nothing down: a figure worth keeping goes into RESULTS.md by hand.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from yardstick import (
    HERE,
    QUARTER,
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

AUTHORISATIONS = HERE.parent / "data" / "samples" / "authorisations.yaml"
GOAL = 5.0
STAGES = ("ingest", "compute", "extract", "report")

TIMED = """
import sys

from flows.cli import main

def timed(module, name, stage):
    inner = getattr(module, name)
    def outer(*given, **named):
        start = time.perf_counter()
        try:
            return inner(*given, **named)
        finally:
            taken[stage] = taken.get(stage, 0) + time.perf_counter() - start
    setattr(module, name, outer)

if __name__ == "__main__":
    import time
    from pathlib import Path

    from flows.stages import extract, ingest, report, whole

    taken, place = {}, Path(sys.argv.pop(1))
    timed(ingest, "run", "ingest")
    timed(whole, "settle", "compute")
    timed(extract, "run", "extract")
    timed(report, "show", "report")
    try:
        main()
    finally:
        place.write_text("".join(f"{stage} {seconds:.2f}\\n" for stage, seconds in taken.items()))
"""
"""The command line as it is installed, which writes down what each stage took."""


@dataclass
class Timings:
    """Seconds of each stage, run by run."""

    runs: list[dict[str, float]] = field(default_factory=list)

    def read(self, file: Path) -> None:
        """Take the timings of a run from its file."""
        lines = [line.split() for line in file.read_text().splitlines()]
        self.runs.append({stage: float(seconds) for stage, seconds in lines})

    def __str__(self) -> str:
        """The stages of the fastest run."""
        best = min(self.runs, key=lambda run: sum(run.values()))
        return ", ".join(f"{stage} {best[stage]:.2f} s" for stage in STAGES if stage in best)


def quarter(
    folder: Path, environment: Mapping[str, str], *, prefect: bool = False, timings: Timings | None = None
) -> Measured:
    """`dmfa run` of a folder into a new lake, which goes again."""
    with tempfile.TemporaryDirectory(prefix="dmfa-bench-") as place:
        return quarter_in(Path(place), folder, environment, prefect=prefect, timings=timings)


def quarter_in(
    place: Path, folder: Path, environment: Mapping[str, str], *, prefect: bool = False, timings: Timings | None = None
) -> Measured:
    """`dmfa run` of a folder into place/lake and place/out, with the extracts of the samples' authorisations."""
    # Worker processes read the program anew, so it must be a file.
    program = place / "timed.py"
    program.write_text(TIMED)
    command = [sys.executable, str(program), f"{place}/stages", "run", str(QUARTER), "--inbox", str(folder)]
    command += ["--lake", f"{place}/lake", "--out", f"{place}/out", "--authorisations", str(AUTHORISATIONS)]
    home = {"PREFECT_HOME": f"{place}/prefect", "PYTHONPATH": str(HERE.parent)}
    done = measure([*command, *([] if prefect else ["--no-prefect"])], {**environment, **home}, frozenset({0}))
    if timings is not None:
        timings.read(place / "stages")
    return done


def prefect_costs(environment: Mapping[str, str], folder: Path, number: int) -> tuple[float, float]:
    """Best seconds of a run over one filing, with Prefect and without."""
    with tempfile.TemporaryDirectory(prefix="dmfa-bench-") as place:
        shutil.copy(min(folder.glob("*.xml"), key=lambda path: (path.stat().st_size, path.name)), place)
        runs = [
            [quarter(Path(place), environment, prefect=prefect).seconds for _ in range(number)]
            for prefect in (True, False)
        ]
    return min(runs[0]), min(runs[1])


def main() -> int:
    """Measure and print."""
    wanted = arguments(__doc__).parse_args()
    must_have_xmllint()
    folder = inputs(wanted.employers, wanted.seed)
    environment = surroundings()
    paths = files_in(folder, wanted.rounds)
    timings = Timings()
    runs = {"dmfa run": lambda: quarter(folder, environment, timings=timings)}
    measured = rounds(paths, runs, wanted.rounds, environment)
    report("dmfa run", measured, paths)
    print(f"  stages of the fastest: {timings}; the goal is {GOAL} times xmllint")
    with_prefect, without = prefect_costs(environment, folder, min(wanted.rounds, 2))
    print(
        f"Prefect's fixed cost: {with_prefect - without:.2f} s a run"
        f" ({with_prefect:.2f} s with, {without:.2f} s without, over one filing)"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
