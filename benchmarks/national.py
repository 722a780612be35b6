"""How a run grows from 2,000 to 20,000 to 240,000 declarations, the size of the country.

`python benchmarks/national.py` (or `make bench-national`) invents the declarations once, kept in benchmarks/work, then
measures for each size xmllint over all files and `dmfa run --no-prefect` with the samples' authorisations, all answers
and extracts. It prints the ratio, MB/s, the seconds of each stage, peak memory, what lies in the lake and beside it,
and how the time per MB grows.

The largest size takes up to 35 GB of disk in benchmarks/work while it runs, and about a quarter of an hour on two cores
once its declarations are there; with less room free it is refused before anything is done. What is finished is noted in
benchmarks/work/national.json and not done again by the next call, unless the program has changed or --anew is given.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from quarter import STAGES, Timings, quarter_in
from yardstick import (
    HERE,
    QUARTER,
    arguments,
    inputs,
    listed,
    must_have_xmllint,
    surroundings,
    yardstick,
)

from dmfa.schema import release_for

SIZES = {2_000: 3, 20_000: 3, 240_000: 1}
"""Declarations -> rounds."""

ROOM = {2_000: 1, 20_000: 4, 240_000: 35}
"""Declarations -> GB that must be free: for the files, the lake, answers and extracts of one run."""

WORK = HERE / "work"
NOTES = WORK / "national.json"
GROWTH = 0.10
"""How much the time per MB may grow from the smallest to the largest."""


@dataclass
class Size:
    """What was measured of one size; seconds and MB are those of the fastest round.

    Attributes:
        declarations, megabytes: how much XML.
        xmllint, run: seconds.
        stages: seconds of each stage of the run.
        parent_mb, worker_mb: peak resident memory.
        places: number of files and MB in each place that the run wrote.
    """

    declarations: int
    megabytes: float
    xmllint: float
    run: float
    stages: dict[str, float]
    parent_mb: float
    worker_mb: float
    places: dict[str, tuple[int, float]]

    @property
    def row(self) -> str:
        """Its row for RESULTS.md."""
        stages = " | ".join(f"{self.stages.get(stage, 0):.1f}" for stage in STAGES)
        return (
            f"| {self.declarations:,} | {self.megabytes:,.0f} | {self.xmllint:.1f} | {self.run:.1f} "
            f"| {self.run / self.xmllint:.2f} | {self.megabytes / self.run:.1f} | {stages} "
            f"| {self.parent_mb:,.0f} | {self.worker_mb:,.0f} |"
        )


def program() -> str:
    """Tells one version of the program, and of the inputs, from another."""
    told = sha256()
    for folder in ("dmfa", "contributions", "flows", "xsd"):
        for path in sorted((HERE.parent / folder).rglob("*.*")):
            if path.suffix in {".py", ".yaml", ".csv", ".xsd"}:
                told.update(path.read_bytes())
    return told.hexdigest()


def enough_room(declarations: int) -> None:
    """Refuse before anything is done where the disk would fill."""
    WORK.mkdir(exist_ok=True)
    free = shutil.disk_usage(WORK).free / 1e9
    there = next(WORK.glob(f"{QUARTER.code}-{declarations}-any-*.complete"), None)
    needed = ROOM[declarations] - (14 * declarations / 240_000 if there else 0)
    print(f"{declarations:,} declarations need {needed:.0f} GB of disk in {WORK}; {free:.0f} GB are free", flush=True)
    if free < needed:
        print("Free some, or measure fewer with --declarations 20000.", file=sys.stderr)
        sys.exit(2)


def written(place: Path) -> dict[str, tuple[int, float]]:
    """Files and MB in the lake's folders, and in those of OUT."""
    found: dict[str, list[int]] = {}
    for path in place.rglob("*"):
        if path.is_file():
            parts = path.relative_to(place).parts
            if parts[0] in {"lake", "out"}:
                name = "lake/catalog" if parts[1].startswith("catalog") else "/".join(parts[:2])
                found.setdefault(name, []).append(path.stat().st_size)
    return {name: (len(sizes), sum(sizes) / 1e6) for name, sizes in sorted(found.items())}


def one_size(declarations: int, seed: int, environment: Mapping[str, str]) -> Size:
    """Measure one size."""
    folder = inputs(declarations, seed)
    paths = sorted(folder.rglob("*.xml"))
    megabytes = sum(path.stat().st_size for path in paths) / 1e6
    release = release_for("DmfAOriginal", QUARTER)
    if release is None:
        sys.exit(f"there is no XSD for {QUARTER}")
    best: Size | None = None
    with listed(paths) as names, tempfile.TemporaryDirectory(prefix="run-", dir=WORK) as work:
        for turn in range(1, SIZES[declarations] + 1):
            base = yardstick(names, release.path, environment)
            place = Path(work, str(turn))
            place.mkdir()
            timings = Timings()
            run = quarter_in(place, folder, environment, timings=timings)
            found = Size(
                len(paths),
                megabytes,
                base.seconds,
                run.seconds,
                timings.runs[-1],
                run.parent_mb,
                run.worker_mb,
                written(place),
            )
            print(f"round {turn}: xmllint {base.seconds:.2f} s, dmfa run {run.seconds:.2f} s", flush=True)
            if best is None:
                best = found
            else:
                best.xmllint = min(best.xmllint, found.xmllint)
                if found.run < best.run:
                    found.xmllint = best.xmllint
                    best = found
    assert best is not None
    return best


def noted(anew: bool) -> dict[str, Any]:
    """What earlier calls have measured of this very program."""
    if not anew and NOTES.exists():
        told: dict[str, Any] = json.loads(NOTES.read_text())
        if told.get("program") == program():
            return told
    return {"program": program(), "sizes": {}}


def main() -> int:
    """Measure what is not measured yet, and print everything."""
    parser = arguments(__doc__)
    parser.add_argument("--declarations", type=int, action="append", choices=SIZES, help="this size alone")
    parser.add_argument("--anew", action="store_true", help="measure again what is measured")
    wanted = parser.parse_args()
    must_have_xmllint()
    sizes = wanted.declarations or list(SIZES)
    told = noted(wanted.anew)
    for declarations in sizes:
        if str(declarations) not in told["sizes"]:
            enough_room(declarations)
            measured = one_size(declarations, wanted.seed, surroundings())
            told["sizes"][str(declarations)] = asdict(measured)
            NOTES.write_text(json.dumps(told, indent=1))
    found = [Size(**told["sizes"][str(declarations)]) for declarations in sizes]
    print(
        f"| declarations | MB | xmllint, s | run, s | ratio | MB/s | {' | '.join(STAGES)} | parent, MB | worker, MB |"
    )
    for size in found:
        print(size.row)
        for name, (files, megabytes) in size.places.items():
            print(f"    {name}: {files:,} files, {megabytes:,.1f} MB")
    first, last = found[0], found[-1]
    grown = (last.run / last.megabytes) / (first.run / first.megabytes) - 1
    print(f"time per MB from {first.declarations:,} to {last.declarations:,}: {grown:+.0%}; the goal is {GROWTH:+.0%}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
