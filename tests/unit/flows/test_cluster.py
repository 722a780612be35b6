"""Who does the work, and what is told when a cluster cannot."""

from __future__ import annotations

import pickle
import sys
from pathlib import Path

import pytest

from dmfa.address import Address
from dmfa.errors import Interrupted, LakeBusy, ProgramError, WrongUsage
from dmfa.reading.pool import Pool, WorkerDied
from flows.cluster import Share, _differing, do, greeting
from flows.crew import crew, sending, sent, spool
from flows.settings import Settings

INSS = "85073003328"


def twice(number: int) -> int:
    return 2 * number


def busy(_: int) -> int:
    raise LakeBusy("in use", "wait")


def talkative(_: int) -> int:
    raise ValueError(f"cannot take {INSS}")


def greedy(_: int) -> int:
    raise MemoryError


def test_a_share_travels_and_shows_nothing() -> None:
    share = pickle.loads(pickle.dumps(Share(twice, 21)))
    assert do(share) == 42
    assert INSS not in repr(Share(twice, INSS))


def test_a_share_raises_what_people_read_and_nothing_else() -> None:
    with pytest.raises(LakeBusy, match="in use"):
        do(Share(busy, 1))
    with pytest.raises(ProgramError) as caught:
        do(Share(talkative, 1))
    assert INSS not in str(caught.value)
    with pytest.raises(WorkerDied, match="out of memory"):
        do(Share(greedy, 1))


def test_a_worker_that_died_interrupts_a_run() -> None:
    assert WorkerDied("killed").exit_code == Interrupted.exit_code == 14


def test_a_worker_tells_what_it_is_made_of_and_what_it_cannot_use(tmp_path: Path) -> None:
    store = Address.of("memory://anything")
    making, faults = greeting([tmp_path, tmp_path / "inbox", tmp_path / "lake" / ".seen-1", store])
    assert faults == [
        (str(tmp_path / "inbox"), "no such file or directory"),
        (str(tmp_path / "lake"), "no such file or directory"),
    ]
    assert {"dmfa", "polars", "Python", "the law"} <= set(making)
    other = {**making, "polars": "0.1", "the law": "another"}
    assert _differing(other, making) == f"polars 0.1 for {making['polars']}, the law another for {making['the law']}"


def test_on_one_machine_nothing_is_shared(tmp_path: Path) -> None:
    settings = Settings(lake=str(tmp_path / "lake"))
    assert isinstance(crew(settings, 2), Pool)
    with spool(settings) as folder:
        assert isinstance(folder, Path)
        assert not folder.is_relative_to(tmp_path)
    assert not folder.exists()


def test_an_installation_without_dask_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "flows.cluster", raising=False)
    monkeypatch.setitem(sys.modules, "distributed", None)
    settings = Settings(lake=str(tmp_path / "lake"), runner="dask", scheduler="tcp://127.0.0.1:1")
    with pytest.raises(WrongUsage, match="no Dask") as caught:
        crew(settings, 2)
    assert "dmfa[cluster]" in str(caught.value.todo)


def test_on_a_cluster_what_is_unpacked_lies_with_the_lake(tmp_path: Path) -> None:
    settings = Settings(lake=f"postgres:dbname=x;data={tmp_path}", runner="dask", scheduler="tcp://127.0.0.1:1")
    with spool(settings) as folder:
        assert isinstance(folder, Path)
        assert folder.parent == tmp_path / "spool"
        (folder / "x.tar").touch()
    assert not folder.exists()


def test_how_work_is_sent_holds_for_a_block() -> None:
    assert sending.get() is None
    with sent(lambda _: (object, do)):
        assert sending.get() is not None
    assert sending.get() is None


def test_a_cluster_must_be_named() -> None:
    with pytest.raises(WrongUsage, match="none is named"):
        Settings.gather({"DMFA_RUNNER": "dask"})
    settings = Settings.gather({"DMFA_RUNNER": "dask", "DMFA_CLUSTER_WAIT": "5"}, scheduler="tcp://scheduler:8786")
    assert (settings.runner, settings.scheduler, settings.cluster_wait) == ("dask", "tcp://scheduler:8786", 5.0)
    assert Settings.gather({}).runner == "local"


def test_places_in_a_store_are_addresses() -> None:
    settings = Settings.gather({"DMFA_INBOX": "s3://bucket/inbox"}, out="s3://bucket/out/")
    assert settings.inbox == Address("s3", "bucket/inbox")
    assert str(settings.out / "answers") == "s3://bucket/out/answers"
    assert Settings(lake="postgres:dbname=x;data=s3://b/l").received == "s3://b/l/received"
