"""How long it takes to correct part of a quarter, beside the time that ingesting the quarter took.

`python benchmarks/corrections.py` invents declarations with 60,000 worker lines once (kept in benchmarks/work), takes
them into a new lake, then corrects one wage in 2 % of the lines, a correction a file, and prints both times, their
ratio, and where the time of the corrections goes. The goal is below a tenth with a million lines (`--lines 1000000`).
It writes nothing down: a figure worth keeping goes into RESULTS.md by hand.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lxml import etree
from yardstick import PROCESSES, Measured, inputs, measure, surroundings

from tests.correcting import CHANGE, Correction

LINES_AN_EMPLOYER = 19
"""Worker lines of an invented employer, on average."""


def corrected(path: Path, share: float, before: int) -> Iterator[tuple[bytes, int]]:
    """The correction of a declaration, if any of its persons is to be corrected, and how many of them are.

    Args:
        path: the declaration.
        share: share of all persons.
        before: persons of the declarations before.
    """
    data = path.read_bytes()
    many = data.count(b"<NaturalPerson>")
    chosen = [place for place in range(many) if int((before + place + 1) * share) > int((before + place) * share)]
    if chosen:
        correction = Correction(data)
        for place in chosen:
            correction.line(place, 0, CHANGE, _raised)
        yield correction.data(), len(chosen)


def _raised(line: etree._Element) -> None:
    wage = line.find(".//RemunAmount")
    if wage is not None:
        wage.text = str(int(wage.text) + 1_000)


def write_corrections(folder: Path, into: Path, share: float) -> int:
    """Write corrections of a share of all persons; how many lines they correct."""
    into.mkdir()
    lines = persons = 0
    for number, path in enumerate(sorted(folder.rglob("*.xml"))):
        for data, many in corrected(path, share, persons):
            (into / f"{number:06d}.xml").write_bytes(data)
            lines += many
        persons += path.read_bytes().count(b"<NaturalPerson>")
    return lines


def ingest(folder: Path, lake: Path, environment: Mapping[str, str]) -> Measured:
    """`dmfa ingest` of a folder."""
    program = Path(sys.executable).with_name("dmfa")
    command = [str(program), "ingest", str(folder), "-v", "--lake", str(lake), "--out", f"{lake}-out"]
    return measure(command, environment, frozenset({0, 1}))


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lines", type=int, default=60_000)
    parser.add_argument("--share", type=float, default=0.02)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=1)
    wanted = parser.parse_args()
    folder = inputs(wanted.lines // LINES_AN_EMPLOYER, wanted.seed)
    environment = surroundings()
    with tempfile.TemporaryDirectory(prefix="dmfa-bench-") as place:
        corrections = Path(place, "corrections")
        lines = write_corrections(folder, corrections, wanted.share)
        pairs = []
        for turn in range(wanted.rounds):
            lake = Path(place, str(turn))
            pairs.append((ingest(folder, lake, environment), ingest(corrections, lake, environment)))
    whole, part = (min((pair[place] for pair in pairs), key=lambda run: run.seconds) for place in (0, 1))
    print(f"{lines:,} lines corrected, {PROCESSES} processes, best of {wanted.rounds}")
    for name, run in (("the quarter", whole), ("its corrections", part)):
        print(f"  {name}: {run.seconds:.2f} s, parent {run.parent_mb:.0f} MB, worker {run.worker_mb:.0f} MB")
        print(
            "    "
            + "\n    ".join(line for line in run.said.splitlines() if line.startswith(("corr", "control", "sec")))
        )
    print(f"  ratio: {part.seconds / whole.seconds:.3f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
