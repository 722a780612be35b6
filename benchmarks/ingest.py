"""How long `dmfa ingest` takes beside xmllint validating the same files, run in turns on the same machine.

`python benchmarks/ingest.py` invents 5,000 declarations once (kept in benchmarks/work), then measures three rounds of
each and prints the ratio of the best ones, MB/s and peak memory. Absolute times move with the machine; the ratio is
what counts. It writes nothing down: a figure worth keeping goes into RESULTS.md by hand.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from yardstick import PROCESSES, Measured, inputs, measure, must_have_xmllint, report, rounds, surroundings


def ingest(folder: Path, environment: Mapping[str, str]) -> Measured:
    """`dmfa ingest` of the whole folder into a new lake."""
    program = Path(sys.executable).with_name("dmfa")
    with tempfile.TemporaryDirectory(prefix="dmfa-bench-") as place:
        command = [str(program), "ingest", str(folder), "--lake", f"{place}/lake", "--out", f"{place}/out"]
        return measure(command, environment, frozenset({0}))


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--employers", type=int, default=5_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    wanted = parser.parse_args()
    must_have_xmllint()
    folder = inputs(wanted.employers, wanted.seed)
    environment = surroundings()
    paths = sorted(folder.glob("*.xml"))
    megabytes = sum(path.stat().st_size for path in paths) / 1e6
    print(f"{len(paths):,} files, {megabytes:,.0f} MB, best of {wanted.rounds}, {PROCESSES} processes", flush=True)
    measured = rounds(paths, {"dmfa ingest": lambda: ingest(folder, environment)}, wanted.rounds, environment)
    report("dmfa ingest", measured, paths)
    return 0


if __name__ == "__main__":
    sys.exit(main())
