"""Failures that are told and lose nothing: no room while receiving, staging or committing, by a real limit."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from dmfa.quarter import Quarter
from dmfa.synth import Options, make_quarter
from tests.conftest import ROOT, TODAY, dmfa
from tests.keeping import content, left_over


def ingest(inbox: Path, lake: Path, **how: object) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("DMFA_")}
    return subprocess.run(
        [sys.executable, Path(__file__).with_name("accident.py"), "ingest", inbox, "--lake", lake],
        cwd=lake.parent,
        env={
            **clean,
            "PYTHONPATH": str(ROOT),
            "DMFA_RECEIVED_ON": TODAY,
            "DMFA_WORKERS": "1",
            "ACCIDENT_LOG": f"{lake}.log",
            "ACCIDENT_LAKE": str(lake),
            **{f"ACCIDENT_{key.upper()}": str(value) for key, value in how.items()},
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An inbox, a lake `before` with its first filing, and the lake `undisturbed` with all of them."""
    folder = tmp_path_factory.mktemp("full")
    make_quarter(Quarter(2026, 3), 20, 7, folder / "inbox", Options(largest=20))
    first = min((folder / "inbox").glob("*.xml"))
    assert dmfa("ingest", first, "--lake", folder / "before", cwd=folder).returncode == 0
    shutil.copytree(folder / "before", folder / "undisturbed")
    assert ingest(folder / "inbox", folder / "undisturbed").returncode == 0
    return folder


@pytest.mark.parametrize(
    ("letter", "room"),
    [("k", 600), ("o", 3_000), ("c", 0), ("c", 30_000)],
    ids=["receiving", "staging", "committing", "while committing"],
)
def test_no_room(place: Path, letter: str, room: int) -> None:
    letters = (place / "undisturbed.log").read_text()
    lake = place / f"{letter}-{room}"
    shutil.copytree(place / "before", lake)
    old = content(lake)
    moment = letters.rindex(letter) if letter == "c" else letters.index(letter)
    done = ingest(place / "inbox", lake, at=moment + 1, room=room)
    assert done.returncode == 13, (done.stdout, done.stderr)
    lines = done.stderr.splitlines()
    assert len(lines) == 2
    assert lines[0].startswith(f"dmfa: the disk of the lake {lake} is full")
    assert "Nothing was published" in lines[1]
    assert content(lake) == old
    again = ingest(place / "inbox", lake)
    assert again.returncode == 0, again.stderr
    assert ("taken over" in again.stdout) is (letter == "c")
    assert content(lake) == content(place / "undisturbed")
    assert left_over(lake) == []
