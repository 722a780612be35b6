"""Real SIGKILLs at random moments of an ingest of 20,000 declarations: what was finished is not done again.

It starts no server, but takes minutes and some GB, as those do that start one.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from time import perf_counter

import pytest

from dmfa.lake import Lake, staged
from dmfa.lake.publication import registered
from dmfa.quarter import Quarter
from dmfa.reading.pool import run_pool
from dmfa.synth import Options, make_quarter
from tests.conftest import ROOT, TODAY
from tests.keeping import Content, content, left_over

pytestmark = pytest.mark.services

EMPLOYERS = 20_000
SEED = 20263
TOLD_BY = ("received.filing", "history.remun", "computed.difference")
"""Tables that tell whether a lake is as before a run or after it."""


class Ingest:
    """An ingest of an inbox in processes of its own."""

    def __init__(self, inbox: Path, lake: Path) -> None:
        clean = {name: value for name, value in os.environ.items() if not name.startswith("DMFA_")}
        self._log = Path(f"{lake}.log")
        self._begun = perf_counter()
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-c", "from flows.cli import main; main()", "ingest", inbox, "-v", "--lake", lake],
                cwd=lake.parent,
                env={**clean, "PYTHONPATH": str(ROOT), "DMFA_RECEIVED_ON": TODAY},
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def ended(self, within: float | None = None) -> bool:
        """Whether it ended by itself in so many seconds."""
        try:
            return self._process.wait(within) is not None
        except subprocess.TimeoutExpired:
            return False

    def kill(self) -> None:
        """As a machine does that is switched off."""
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def told(self) -> str:
        """What it printed, once it has ended well."""
        self._process.wait()
        words = self._log.read_text()
        assert self._process.returncode == 0, words
        return words

    @property
    def seconds(self) -> float:
        """How long it has been going on."""
        return perf_counter() - self._begun


@pytest.fixture(scope="module")
def inbox(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("resume") / "inbox"
    make_quarter(Quarter(2026, 3), EMPLOYERS, SEED, folder, Options(largest=5_000), run=partial(run_pool, workers=2))
    return folder


@pytest.fixture(scope="module")
def undisturbed(inbox: Path) -> tuple[Content, float]:
    """The tables of a run that nothing disturbs, and how long it took."""
    run = Ingest(inbox, inbox.parent / "undisturbed")
    assert f"control: {EMPLOYERS:,} filings received" in run.told()
    return content(inbox.parent / "undisturbed"), run.seconds


def kills(seconds: float) -> Iterator[float | None]:
    """Moments of an ingest in seconds; None is when it has finished an item that it had not finished before."""
    draw = random.Random(SEED)
    yield from (draw.uniform(0.05, 0.9) * seconds for _ in range(2))
    yield None
    yield from (draw.uniform(0.3, 0.9) * seconds for _ in range(2))


def test_a_quarter_that_is_killed_again_and_again_ends_as_if_it_never_was(
    inbox: Path, undisturbed: tuple[Content, float]
) -> None:
    expected, seconds = undisturbed
    lake = inbox.parent / "killed"
    finished: set[str] = set()
    for moment in kills(seconds):
        run = Ingest(inbox, lake)
        before = _staged(lake)
        if moment is None:
            while not run.ended(0.05) and _staged(lake) <= before:
                pass
        if run.ended(moment or 0):
            break
        run.kill()
        # Nothing of it can be seen, and what was finished by an earlier run is still there.
        if (lake / "catalog.sqlite").exists() and content(lake, tables=TOLD_BY) != _some(expected):
            assert set(content(lake, tables=TOLD_BY).values()) == {(0, 0)}
            assert _staged(lake) >= finished
            finished = _staged(lake)
    assert finished
    # The last kill may have come behind the commit: then nothing is left but answers to be sent.
    assert "control: " in Ingest(inbox, lake).told()
    # The very files of the finished items are in the tables: none was written anew.
    with Lake.open(lake) as opened:
        assert finished <= set(registered(opened._connection))
    assert content(lake) == expected
    assert left_over(lake) == []


def _some(expected: Content) -> Content:
    return {table: expected[table] for table in TOLD_BY}


def _staged(lake: Path) -> set[str]:
    """Files of the finished items that wait to be published; answers get their names, and a new file, only then."""
    manifests = staged(lake) if (lake / "staging").exists() else []
    return {file.path for manifest in manifests for file in manifest.files if file.key != "received.answer"}
