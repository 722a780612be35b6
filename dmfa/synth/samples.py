"""The samples in data/samples, made again with the same content by `python -m dmfa.synth.samples`.

A small invented country over three quarters: filings good and bad, and beside them what a receiver must make of each.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from dmfa.synth.directory_files import directory_files
from dmfa.synth.rate_files import SAMPLES, rate_archive
from dmfa.synth.sample_filings import QUARTER, Sample, Samples, samples
from dmfa.synth.sample_truth import amounts_csv, expected_json, readme

__all__ = ["Sample", "Samples", "samples", "write"]


def write(folder: Path) -> Samples:
    """Write the samples below a folder; files in the folders it fills that are not samples are removed.

    Args:
        folder: data/samples, or a copy of it.

    Returns:
        What was written.
    """
    made = samples()
    _fill(folder / "inbox", Samples.files(made.inbox))
    _fill(folder / "later", Samples.files(made.later))
    _fill(folder / "rates", dict(rate_archive(quarter, employer_rate=rate) for quarter, rate in SAMPLES.items()))
    _fill(folder / "directory", directory_files(_persons(made), QUARTER))
    (folder / "expected.json").write_text(expected_json(made), encoding="utf-8")
    (folder / "expected_amounts.csv").write_text(amounts_csv(made.inbox), encoding="utf-8")
    (folder / "README.md").write_text(readme(made), encoding="utf-8")
    return made


def _persons(made: Samples) -> Iterator[int]:
    """Numbers of the persons of the quarter whom a receiver of the inbox must keep."""
    for sample in made.inbox:
        for declaration in (sample.filing.declarations[place] for place in sample.kept):
            if declaration.quarter == QUARTER:
                yield from (person.insz for person in declaration.persons)


def _fill(folder: Path, files: Mapping[str, bytes]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for stale in {path.name for path in folder.iterdir()} - set(files):
        (folder / stale).unlink()
    for name, content in files.items():
        (folder / name).write_bytes(content)


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parents[2] / "data" / "samples"
    written = write(target)
    sys.stdout.write(
        f"{len(written.inbox)} filings in {target / 'inbox'}, {len(written.later)} in {target / 'later'}\n"
    )
