"""A real SIGKILL, and a real full disk, while corrections are applied: the lake stays as it was until all is whole."""

from __future__ import annotations

import resource
import signal
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from dmfa.errors import LakeProblem
from dmfa.lake import Lake
from dmfa.quarter import Quarter
from dmfa.synth import Options, make_quarter
from flows.settings import Settings
from flows.stages import corrected_amounts, correcting
from flows.stages import ingest as stage
from tests.conftest import TODAY
from tests.correcting import CHANGE, Correction, zone
from tests.failure import striking
from tests.keeping import content, left_over


def ingest(inbox: Path, lake: Path) -> None:
    """Undisturbed, in this process."""
    settings = Settings(
        lake=str(lake),
        out=lake.parent / "out",
        received_on=date.fromisoformat(TODAY),
        received_on_given=True,
        workers=1,
    )
    stage.run([inbox], settings)


TOLD_BY = ("received.correction", "received.filing", "history.worker_record", "history.replaced", "computed.basis")
"""Tables that tell a state: of the ledger, of what was declared and of what is computed."""


def without_room(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function while no file may be larger than a thousand bytes, as on a full disk."""

    def limited(*arguments: object) -> Any:
        allowed = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_000, allowed[1]))
        try:
            return function(*arguments)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, allowed)

    return limited


def test_corrections_that_were_interrupted_are_applied_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_quarter(Quarter(2026, 3), 1, 5, tmp_path / "originals", Options(largest=2))
    (tmp_path / "inbox").mkdir()
    for path in (tmp_path / "originals").glob("*.xml"):
        correction = Correction(path.read_bytes()).line(0, 0, CHANGE, zone("RemunAmount", 321_000))
        (tmp_path / "inbox" / path.name).write_bytes(correction.data())
    lake = tmp_path / "lake"
    ingest(tmp_path / "originals", lake)
    old = content(lake, tables=TOLD_BY)
    # Rows of history and amounts are there, and the ledger is about to tell of it.
    killed = striking.ingest(tmp_path / "inbox", lake, sql='DELETE FROM "lake"."received"."correction"')
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert content(lake, tables=TOLD_BY) == old
    # Rows of history are there, and the files of the amounts find no room.
    with monkeypatch.context() as patch:
        patch.setattr(correcting, "amounts_of", without_room(corrected_amounts.amounts_of))
        with pytest.raises(LakeProblem, match=f"the disk of the lake {lake} is full"):
            ingest(tmp_path / "inbox", lake)
    assert content(lake, tables=TOLD_BY) == old
    ingest(tmp_path / "inbox", lake)
    with Lake.open(lake) as opened:
        versions = opened.arrow(
            "SELECT (SELECT count(*) FROM lake.history.worker_record WHERE version = 2) AS lines,"
            " (SELECT count(*) FROM lake.history.replaced) AS replaced,"
            " (SELECT string_agg(state || version) FROM lake.received.correction) AS corrections,"
            " (SELECT count(*) FROM lake.computed.employer_account WHERE version = 2) AS entries"
        ).to_pylist()
    assert versions == [{"lines": 1, "replaced": 3, "corrections": "applied2", "entries": 1}]
    assert left_over(lake) == []
