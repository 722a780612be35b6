"""The samples in data/samples, made again with the same content by `python -m dmfa.synth.samples`.

A small invented country over three quarters: filings good and bad, and beside them what a receiver must make of each.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from dmfa.synth.rate_files import SAMPLES, rate_archive
from dmfa.synth.sample_filings import Sample, Samples, samples
from dmfa.synth.sample_truth import amounts_csv, expected_json, readme

__all__ = ["Sample", "Samples", "samples", "write"]


def write(folder: Path) -> Samples:
    """Write the samples below a folder; files in its inbox, later and rates that are not samples are removed.

    Args:
        folder: data/samples, or a copy of it.

    Returns:
        What was written.
    """
    made = samples()
    _fill(folder / "inbox", Samples.files(made.inbox))
    _fill(folder / "later", Samples.files(made.later))
    _fill(folder / "rates", dict(rate_archive(quarter, employer_rate=rate) for quarter, rate in SAMPLES.items()))
    (folder / "expected.json").write_text(expected_json(made), encoding="utf-8")
    (folder / "expected_amounts.csv").write_text(amounts_csv(made.inbox), encoding="utf-8")
    (folder / "README.md").write_text(readme(made), encoding="utf-8")
    return made


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
