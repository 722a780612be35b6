"""Failures that are told and lose nothing: no room while receiving, staging or committing, by a real limit."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from dmfa.quarter import Quarter
from dmfa.synth import Options, make_quarter
from tests.conftest import dmfa
from tests.failure.striking import ingest
from tests.keeping import content, left_over


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
