"""An ingest in a process of its own, struck as `accident.py` says."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.conftest import ROOT, TODAY


def started(
    inbox: Path, lake: Path, *, folder: Path | None = None, workers: int = 1, **how: object
) -> subprocess.Popen[str]:
    """It, running.

    Args:
        inbox: what it takes in.
        lake: the lake.
        folder: where it runs, and so leaves its answers; beside the lake unless told.
        workers: worker processes.
        how: by which accident, as `accident.py` names it.
    """
    clean = {name: value for name, value in os.environ.items() if not name.startswith("DMFA_")}
    return subprocess.Popen(
        [sys.executable, Path(__file__).with_name("accident.py"), "ingest", inbox, "--lake", lake],
        cwd=folder or lake.parent,
        env={
            **clean,
            "PYTHONPATH": str(ROOT),
            "DMFA_RECEIVED_ON": TODAY,
            "DMFA_WORKERS": str(workers),
            "ACCIDENT_LOG": f"{lake}.log",
            "ACCIDENT_LAKE": str(lake),
            **{f"ACCIDENT_{key.upper()}": str(value) for key, value in how.items()},
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def ingest(
    inbox: Path, lake: Path, *, folder: Path | None = None, workers: int = 1, **how: object
) -> subprocess.CompletedProcess[str]:
    """The same, until it has ended."""
    with started(inbox, lake, folder=folder, workers=workers, **how) as run:
        told, complaints = run.communicate(timeout=300)
        return subprocess.CompletedProcess(run.args, run.returncode, told, complaints)
