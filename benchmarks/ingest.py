"""How long `dmfa ingest` takes beside xmllint validating the same files, run in turns on the same machine.

`python benchmarks/ingest.py` invents 20,000 declarations once (kept in benchmarks/work), then measures three rounds of
each and prints the ratio of the best ones, MB/s, peak memory, and the share of each part of the ingest. Absolute times
move with the machine; the ratio is what counts. It writes nothing down: a figure worth keeping goes into RESULTS.md by
hand.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from yardstick import Measured, arguments, files_in, inputs, measure, must_have_xmllint, report, rounds, surroundings


def ingest(folder: Path, lake: Path, environment: Mapping[str, str]) -> Measured:
    """`dmfa ingest` of the whole folder into a new lake."""
    program = Path(sys.executable).with_name("dmfa")
    command = [str(program), "ingest", str(folder), "-v", "--lake", str(lake), "--out", f"{lake}-out"]
    return measure(command, environment, frozenset({0}))


def parts(run: Measured) -> None:
    """Print how much of a run each of its parts took; publishing is the one transaction at its end."""
    (told,) = (line for line in run.said.splitlines() if line.startswith("seconds: "))
    for part in told.removeprefix("seconds: ").split(", "):
        what, _, seconds = part.rpartition(" ")
        print(f"  {what}: {seconds} s, {float(seconds) / run.seconds:.1%}")


def main() -> int:
    """Measure and print."""
    wanted = arguments(__doc__).parse_args()
    must_have_xmllint()
    folder = inputs(wanted.employers, wanted.seed)
    environment = surroundings()
    paths = files_in(folder, wanted.rounds)
    # The lakes go at the end, all together: a disk is slow to make files where many were removed a moment before.
    with tempfile.TemporaryDirectory(prefix="dmfa-bench-") as place:
        lakes = (Path(place, str(turn)) for turn in range(wanted.rounds))
        measured = rounds(
            paths, {"dmfa ingest": lambda: ingest(folder, next(lakes), environment)}, wanted.rounds, environment
        )
    report("dmfa ingest", measured, paths)
    parts(min(measured["dmfa ingest"], key=lambda run: run.seconds))
    return 0


if __name__ == "__main__":
    sys.exit(main())
