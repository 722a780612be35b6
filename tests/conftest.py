"""What tests of several kinds share: the command line as a user types it, and one run of the sample quarter."""

from __future__ import annotations

import io
import json
import logging
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import pytest
from filelock import FileLock

collect_ignore = ["failure/accident.py"]  # a program of its own, which tests start

ROOT = Path(__file__).parents[1]
SAMPLES = ROOT / "data" / "samples"
TODAY = "2026-11-22"

Dmfa = Callable[..., subprocess.CompletedProcess[str]]


def dmfa(*words: object, cwd: Path | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run `dmfa` with some words in this process, which has imported the program and read schemas and law already.

    All else is as in a process of its own: arguments, folder, environment, both streams down to their descriptors,
    what worker processes write into them included.
    """
    from flows.cli import main

    done = subprocess.CompletedProcess([str(word) for word in words], 0, "", "")
    disabled = logging.root.manager.disable
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        for name in [name for name in os.environ if name.startswith(("DMFA_", "PREFECT_"))]:
            patch.delenv(name)
        for name, value in {"DMFA_RECEIVED_ON": TODAY, **environment}.items():
            patch.setenv(name, value)
        patch.setattr(sys, "argv", ["dmfa", *done.args])
        if cwd is not None:
            patch.chdir(cwd)
        try:
            with _written("stdout", 1, out), _written("stderr", 2, err):
                main()
        except SystemExit as end:
            done.returncode = int(end.code or 0)
        finally:
            logging.disable(disabled)
        done.stdout, done.stderr = (_text(file) for file in (out, err))
    return done


@contextmanager
def _written(name: str, descriptor: int, file: IO[bytes]) -> Iterator[None]:
    """Let a standard stream and its descriptor lead into a file."""
    before, kept = getattr(sys, name), os.dup(descriptor)
    before.flush()
    os.dup2(file.fileno(), descriptor)
    try:
        with open(descriptor, "w", encoding="utf-8", closefd=False) as stream:
            setattr(sys, name, stream)
            yield
    finally:
        setattr(sys, name, before)
        os.dup2(kept, descriptor)
        os.close(kept)


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    with io.TextIOWrapper(file, encoding="utf-8") as text:
        return text.read()


def dmfa_process(*words: object, cwd: Path | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run `dmfa` with some words in a process of its own: where it ends, what it logs or what it imports matters."""
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


def run_samples(folder: Path, *words: str, by: Dmfa = dmfa) -> subprocess.CompletedProcess[str]:
    """Run the sample quarter in a folder."""
    authorisations = SAMPLES / "authorisations.yaml"
    inbox = SAMPLES / "inbox"
    return by("run", "2026/3", "--inbox", inbox, "--authorisations", authorisations, *words, cwd=folder)


@pytest.fixture(scope="session")
def sample_run(tmp_path_factory: pytest.TempPathFactory) -> SampleRun:
    """The sample quarter for all tests that only look at it: run once, in a process of its own, and copied."""
    base = tmp_path_factory.getbasetemp()
    # Each worker of pytest-xdist has a folder of its own, beside those of the others.
    first = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "sample-run"
    told = first.with_suffix(".json")
    with FileLock(first.with_suffix(".lock")):
        if not told.exists():
            first.mkdir()
            done = run_samples(first, "--no-prefect", by=dmfa_process)
            told.write_text(json.dumps([done.args, done.returncode, done.stdout, done.stderr]), encoding="utf-8")
    folder = tmp_path_factory.mktemp("samples") / "run"
    shutil.copytree(first, folder)
    return SampleRun(folder, subprocess.CompletedProcess(*json.loads(told.read_text(encoding="utf-8"))))


@pytest.fixture
def own_run(sample_run: SampleRun, tmp_path: Path) -> SampleRun:
    """A copy of the sample run that a test may change."""
    shutil.copytree(sample_run.folder, tmp_path / "run")
    return SampleRun(tmp_path / "run", sample_run.done)
