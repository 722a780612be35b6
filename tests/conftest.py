"""What tests of several kinds share: the command line as a user types it, and one run of the sample quarter."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

collect_ignore = ["failure/accident.py"]  # a program of its own, which tests start

ROOT = Path(__file__).parents[1]
SAMPLES = ROOT / "data" / "samples"
TODAY = "2026-11-22"

Dmfa = Callable[..., subprocess.CompletedProcess[str]]


def dmfa(*words: object, cwd: Path | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run `dmfa` with some words in a process of its own."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("DMFA_", "PREFECT_"))}
    return subprocess.run(
        [sys.executable, "-c", "from flows.cli import main; main()", *map(str, words)],
        cwd=cwd,
        env={**clean, "DMFA_RECEIVED_ON": TODAY, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


@dataclass(frozen=True)
class SampleRun:
    """One run of the sample quarter without Prefect; read only."""

    folder: Path
    done: subprocess.CompletedProcess[str]

    @property
    def lake(self) -> Path:
        return self.folder / "lake"

    @property
    def out(self) -> Path:
        return self.folder / "out"


def run_samples(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the sample quarter in a folder."""
    authorisations = SAMPLES / "authorisations.yaml"
    inbox = SAMPLES / "inbox"
    return dmfa("run", "2026/3", "--inbox", inbox, "--authorisations", authorisations, *words, cwd=folder)


@pytest.fixture(scope="session")
def sample_run(tmp_path_factory: pytest.TempPathFactory) -> SampleRun:
    """The sample quarter, run once for all tests that only look at it."""
    folder = tmp_path_factory.mktemp("samples")
    return SampleRun(folder, run_samples(folder, "--no-prefect"))


@pytest.fixture
def own_run(sample_run: SampleRun, tmp_path: Path) -> SampleRun:
    """A copy of the sample run that a test may change."""
    shutil.copytree(sample_run.folder, tmp_path / "run")
    return SampleRun(tmp_path / "run", sample_run.done)
