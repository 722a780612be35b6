"""A real SIGKILL at twenty seeded moments of an ingest: nothing is lost, doubled or half there."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from dmfa.lake import staged
from dmfa.quarter import Quarter
from dmfa.synth import Options, make_quarter
from flows.settings import Settings
from flows.stages import ingest as stage
from flows.stages.ingest import Ingested
from tests.conftest import SAMPLES, TODAY, dmfa
from tests.failure import striking
from tests.keeping import Content, content, left_over

SEED = 20263
EMPLOYERS = 300
MOMENTS = 20
STATES = {"accepted": 300, "refused": 3}
TOLD_BY = ("received.filing", "history.remun", "computed.difference")
"""Tables that tell a state: the ledger, one table that is staged early and one that is staged late."""
OLD = SAMPLES / "inbox" / "FI.DMFA.700001.20261003.00001.R.1.1"


@dataclass(frozen=True)
class Material:
    """An inbox, a lake with one filing of before, and the undisturbed run that takes the inbox into it."""

    folder: Path
    old: Content
    new: Content
    letters: str

    @property
    def commit(self) -> int:
        """Number of the letter that is the COMMIT."""
        return self.letters.rindex("c") + 1


def accident(material: Material, number: int) -> subprocess.CompletedProcess[str]:
    """An ingest into a copy of the lake, struck at a moment."""
    lake = material.folder / f"lake-{number}"
    shutil.copytree(material.folder / "before", lake)
    return striking.ingest(material.folder / "inbox", lake, folder=lake, **moments(material.letters)[number])


def rerun(material: Material, lake: Path) -> Ingested:
    """The same ingest again, undisturbed and in this process."""
    settings = Settings(lake=str(lake), out=lake / "out", received_on=date.fromisoformat(TODAY), received_on_given=True)
    return stage.run([material.folder / "inbox"], settings)


@pytest.fixture(scope="module")
def material(tmp_path_factory: pytest.TempPathFactory) -> Material:
    folder = tmp_path_factory.mktemp("killed")
    make_quarter(Quarter(2026, 3), EMPLOYERS, SEED, folder / "invented", Options(largest=2, first=1_000))
    inbox = folder / "inbox"
    inbox.mkdir()
    files = sorted((folder / "invented").glob("*.xml"))
    for path in files:
        path.rename(inbox / path.name)
    # A filing that is refused, and second originals of two employers: one finished item is changed before the commit.
    (inbox / "broken.xml").write_bytes((inbox / files[0].name).read_bytes()[:-100])
    for path in (files[0], files[7]):
        (inbox / f"z-{path.name}").write_bytes((inbox / path.name).read_bytes() + b"\n")
    assert dmfa("ingest", OLD, "--lake", folder / "before", cwd=folder).returncode == 0
    undisturbed = folder / "undisturbed"
    shutil.copytree(folder / "before", undisturbed)
    done = striking.ingest(folder / "inbox", undisturbed, folder=undisturbed)
    assert done.returncode == 1, done.stderr
    assert "control: 303 filings received = 300 accepted + 3 refused" in done.stdout
    letters = Path(f"{undisturbed}.log").read_text()
    return Material(folder, content(folder / "before"), content(undisturbed), letters)


def moments(letters: str) -> list[dict[str, Any]]:
    """Twenty moments: before a seeded thing of each kind, while committing, and in a run with two workers."""
    draw = random.Random(SEED)
    commit = letters.rindex("c") + 1
    begun = letters.rindex("o") + 1

    def some(wanted: str, many: int, after: int = 0, before: int | None = None) -> list[dict[str, object]]:
        places = [place for place, letter in enumerate(letters, 1) if letter == wanted]
        places = [place for place in places if after < place and (before is None or place < before)]
        return [{"at": place} for place in sorted(draw.sample(places, many))]

    first_file = letters.index("o") + 1
    return [
        *some("k", 3, before=first_file),  # the bytes received are being kept
        *some("o", 4, before=commit),  # tables and manifests are being written
        *some("r", 3, after=first_file, before=commit),  # a manifest is about to be there
        *some("x", 3, after=begun, before=commit),  # files are being registered
        {"at": commit},
        *({"at": commit, "later": later} for later in (0.002, 0.02, 0.05)),
        *some("d", 2, after=commit),  # manifests are being removed
        {"at": draw.randrange(first_file, commit), "workers": 2},
    ]


@pytest.fixture(scope="module")
def struck(material: Material) -> Iterator[list[Future[subprocess.CompletedProcess[str]]]]:
    """All accidents, one after the other while the tests look at those that are over."""
    with ThreadPoolExecutor(1) as pool:
        yield [pool.submit(accident, material, number) for number in range(MOMENTS)]


@pytest.mark.parametrize("number", range(MOMENTS))
def test_a_killed_ingest_loses_nothing_and_doubles_nothing(
    material: Material, struck: list[Future[subprocess.CompletedProcess[str]]], number: int
) -> None:
    how, lake = moments(material.letters)[number], material.folder / f"lake-{number}"
    ended = struck[number].result()
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    # Readers see the old state or the whole new one.
    found = content(lake, tables=TOLD_BY)
    old, new = ({table: state[table] for table in TOLD_BY} for state in (material.old, material.new))
    if "later" in how:
        assert found in (old, new)
    else:
        assert found == (new if int(str(how["at"])) > material.commit else old)
    # A rerun does not do again what was finished, and ends where an undisturbed run ends.
    waiting = sum(len(manifest.inputs) for manifest in staged(lake))
    done = rerun(material, lake)
    if found == old:
        assert done.taken_over == waiting
        assert (dict(done.states), done.counts["accepted"], done.counts["refused"]) == (STATES, 300, 2)
    else:
        assert (done.received, done.known, done.changed) == (0, 303, False)
    assert content(lake) == material.new
    assert left_over(lake) == []
    shutil.rmtree(lake)


@pytest.mark.parametrize("later", [0, 0.01])
def test_a_reader_during_the_commit_sees_the_old_state(material: Material, later: float) -> None:
    """The run is held where it is: before its COMMIT, and while it is committing."""
    lake = material.folder / f"held-{later}"
    shutil.copytree(material.folder / "before", lake)
    how: dict[str, Any] = {"at": material.commit, "later": later, "signal": int(signal.SIGSTOP)}
    with striking.started(material.folder / "inbox", lake, folder=lake, **how) as run:
        _, status = os.waitpid(run.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(status)
        seen = content(lake)
        os.killpg(run.pid, signal.SIGCONT)
        run.communicate(timeout=300)
    # A commit may be over within the moment that it was given.
    assert seen == material.old or (later and seen == material.new)
    assert run.returncode == 1
    assert content(lake) == material.new


def test_the_moments_are_what_they_are_meant_to_be(material: Material) -> None:
    """Received bytes, then files and manifests, then one transaction, then the manifests go."""
    letters, commit = material.letters, material.commit - 1
    begun = letters.index("k")
    assert letters[begun : begun + 303] == "k" * 303
    assert letters[begun + 303 : commit].count("r") >= 4
    assert letters[commit + 1 :].strip("d") == ""
    assert len(moments(letters)) == MOMENTS
