"""How long it takes to correct part of a quarter, beside the time that ingesting the quarter took.

`python benchmarks/corrections.py` invents declarations with 60,000 worker lines once (kept in benchmarks/work), takes
them into a new lake, then corrects the establishment in 2 % of the lines, each time in a copy of that lake, in three
ways:

* employers: every line of 2 % of the employers, a file for each;
* secretariats: lines of whomever, a Form for each employer and 100 Forms a file, as those send who work for many;
* alone: the same, a file for each Form.

It prints the times, their ratios to that of the quarter, and where they go. The goal is below a tenth with a million
lines (`--lines 1000000`). It writes nothing down: a figure worth keeping goes into RESULTS.md by hand.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lxml import etree
from yardstick import PROCESSES, Measured, inputs, measure, surroundings

from dmfa.synth.employer import enterprise_nbr
from tests.correcting import CHANGE, Correction

LINES_AN_EMPLOYER = 15
"""Worker lines of an invented employer, on average."""

FORMS_A_FILE = 100
"""Forms of employers in a file of who sends for many."""


def of_whomever(paths: Sequence[Path], share: float) -> Iterator[tuple[Correction, int]]:
    """Corrections of a share of all persons, and of how many each."""
    before = 0
    for path in paths:
        data = path.read_bytes()
        many = data.count(b"<NaturalPerson>")
        chosen = [place for place in range(many) if int((before + place + 1) * share) > int((before + place) * share)]
        before += many
        if chosen:
            yield _correction(data, chosen), len(chosen)


def of_employers(paths: Sequence[Path], share: float) -> Iterator[tuple[Correction, int]]:
    """Corrections of all persons of a share of the employers, whatever their size, and of how many each."""
    for number, path in enumerate(paths):
        if int((number + 1) * share) > int(number * share):
            data = path.read_bytes()
            many = data.count(b"<NaturalPerson>")
            yield _correction(data, range(many)), many


def _correction(data: bytes, persons: Iterable[int]) -> Correction:
    correction = Correction(data)
    for place in persons:
        correction.line(place, 0, CHANGE, _moved)
    return correction


def _moved(line: etree._Element) -> None:
    """Another establishment: what is declared beside it stays right."""
    unit = line.find(".//LocalUnitID")
    if unit is not None:
        unit.text = str(enterprise_nbr(int(unit.text or 0) // 100 + 1))


def write_corrections(found: Iterable[tuple[Correction, int]], into: Path, forms: int) -> tuple[int, int]:
    """Write corrections, some Forms a file; how many lines they correct, and how many files they are."""
    into.mkdir()
    lines = files = 0
    corrections = iter(found)
    while some := list(islice(corrections, forms)):
        root = etree.fromstring(some[0][0].data())
        for correction, _ in some[1:]:
            root.extend(etree.fromstring(correction.data()).findall("{*}Form"))
        (into / f"{files:06d}.xml").write_bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8"))
        files += 1
        lines += sum(many for _, many in some)
    return lines, files


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
    parser.add_argument("--rounds", type=int, default=2)
    wanted = parser.parse_args()
    folder = inputs(wanted.lines // LINES_AN_EMPLOYER, wanted.seed)
    environment = surroundings()
    paths = sorted(folder.rglob("*.xml"))
    ways = (
        ("employers", of_employers(paths, wanted.share), 1),
        ("secretariats", of_whomever(paths, wanted.share), FORMS_A_FILE),
        ("alone", of_whomever(paths, wanted.share), 1),
    )
    with tempfile.TemporaryDirectory(prefix="dmfa-bench-") as place:
        lake = Path(place, "lake")
        whole = ingest(folder, lake, environment)
        print(f"the quarter, {len(paths):,} files, {PROCESSES} processes")
        told(whole)
        for name, found, forms in ways:
            corrections = Path(place, name)
            lines, files = write_corrections(found, corrections, forms)
            runs = []
            for turn in range(wanted.rounds):
                copy = Path(place, f"{name}-{turn}")
                shutil.copytree(lake, copy)
                os.sync()
                runs.append(ingest(corrections, copy, environment))
                shutil.rmtree(copy)
            part = min(runs, key=lambda run: run.seconds)
            print(f"{name}: {lines:,} lines in {files:,} files, best of {wanted.rounds}")
            told(part)
            print(f"  ratio: {part.seconds / whole.seconds:.3f}")
    return 0


def told(run: Measured) -> None:
    """Print time and memory of a run, and where its time went."""
    print(f"  {run.seconds:.2f} s, parent {run.parent_mb:.0f} MB, worker {run.worker_mb:.0f} MB")
    for line in run.said.splitlines():
        if line.startswith(("corrections", "seconds")):
            print(f"    {line}")


if __name__ == "__main__":
    sys.exit(main())
