"""What an interrupted run has finished: taken over when it is the same work, done anew when it is not."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from dmfa.lake import Lake, Publication, staged
from dmfa.quarter import Quarter
from dmfa.synth import Options, make_quarter
from flows.settings import Settings
from flows.stages import ingest
from flows.stages.ingest import Ingested
from tests.keeping import left_over


class PowerCut(BaseException):
    """The run ends here, and nothing tidies up after it."""


@pytest.fixture(scope="module")
def invented(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    folder = tmp_path_factory.mktemp("invented")
    make_quarter(Quarter(2026, 3), 4, 3, folder / "files", Options(largest=2))
    return [path.read_bytes() for path in sorted((folder / "files").glob("*.xml"))]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    day = date(2026, 11, 22)
    return Settings(
        lake=str(tmp_path / "lake"), out=tmp_path / "out", received_on=day, received_on_given=True, workers=1
    )


def put(folder: Path, **files: bytes) -> Path:
    folder.mkdir(exist_ok=True)
    for name, data in files.items():
        (folder / f"{name}.xml").write_bytes(data)
    return folder


def interrupted(inbox: Path, settings: Settings) -> None:
    """An ingest that ends when all is staged and about to be published."""

    def cut(*_: object, **__: object) -> None:
        raise PowerCut

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Publication, "add", cut)
        # Two items: the smallest work is split where no worker would be idle.
        patch.setattr(ingest, "ITEM_BYTES", max(path.stat().st_size for path in inbox.iterdir()) + 1)
        with pytest.raises(PowerCut):
            ingest.run([inbox], settings)


def verdicts(settings: Settings) -> dict[str, str]:
    with Lake.open(settings.lake) as lake:
        rows = lake.arrow("SELECT name, state, reason FROM lake.received.filing").to_pylist()
    return {row["name"]: f"{row['state']} {row['reason'] or ''}".strip() for row in rows}


def finished(settings: Settings) -> int:
    return sum(len(manifest.inputs) for manifest in staged(settings.lake))


def again(inbox: Path, settings: Settings) -> Ingested:
    return ingest.run([inbox], settings)


def test_more_filings_than_before_keep_what_was_finished(
    tmp_path: Path, settings: Settings, invented: list[bytes]
) -> None:
    inbox = put(tmp_path / "inbox", a=invented[0], b=invented[1], c=invented[2][:-9])
    interrupted(inbox, settings)
    assert finished(settings) == 3
    done = again(put(inbox, d=invented[3]), settings)
    assert (done.taken_over, dict(done.states)) == (3, {"accepted": 3, "refused": 1})
    assert [refusal.name for refusal in done.refusals] == ["c.xml"]
    assert done.counts["declarations"] == 3
    assert set(verdicts(settings).values()) == {"accepted", "refused not_well_formed"}
    assert left_over(Path(settings.lake)) == []


def test_a_second_original_is_settled_anew(tmp_path: Path, settings: Settings, invented: list[bytes]) -> None:
    inbox = put(tmp_path / "inbox", first=invented[0], second=invented[0] + b"\n")
    interrupted(inbox, settings)
    assert finished(settings) == 2
    # The one that won has been withdrawn meanwhile: the other one is the first now.
    (inbox / "first.xml").unlink()
    done = again(inbox, settings)
    assert (done.taken_over, dict(done.states)) == (1, {"accepted": 1})
    assert verdicts(settings) == {"second.xml": "accepted"}
    # And when it comes back it is second; counts and tables agree.
    done = again(put(inbox, first=invented[0]), settings)
    assert (done.taken_over, dict(done.states), done.counts["refused"]) == (1, {"refused": 1}, 1)
    assert done.counts["accepted"] == done.counts["persons"] == done.counts["wages"] == 0
    assert verdicts(settings) == {"second.xml": "accepted", "first.xml": "refused 90007-006"}
    assert left_over(Path(settings.lake)) == []


def test_work_judged_in_another_way_is_done_anew(tmp_path: Path, settings: Settings, invented: list[bytes]) -> None:
    inbox = put(tmp_path / "inbox", a=invented[0], b=invented[1])
    interrupted(inbox, settings)
    for other in (replace(settings, lenient_identifiers=True), replace(settings, received_on=date(2026, 11, 23))):
        interrupted(inbox, other)
    (inbox / "b.xml").rename(inbox / "other-name.xml")
    done = again(inbox, settings)
    assert (done.taken_over, done.received) == (1, 2)
    assert verdicts(settings) == {"a.xml": "accepted", "other-name.xml": "accepted"}
    # What can never be published any more goes when the next run begins.
    assert finished(settings) > 0
    assert again(inbox, settings).changed is False
    assert left_over(Path(settings.lake)) == []


def test_the_same_name_in_two_folders_is_a_conflict(tmp_path: Path, settings: Settings, invented: list[bytes]) -> None:
    folders = [put(tmp_path / name, x=invented[number]) for number, name in enumerate(("one", "two"))]
    done = ingest.run(folders, settings)
    assert (done.conflicts, dict(done.states)) == (["x.xml"], {"accepted": 2})
