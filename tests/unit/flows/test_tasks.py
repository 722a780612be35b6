"""What a task tries again, and what it keeps back of an unforeseen error."""

from __future__ import annotations

import traceback
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from prefect.artifacts import ProgressArtifact

from dmfa.errors import DmfaError, LakeBusy, LakeFull, LakeProblem, NotAuthorised, NothingToRead, ProgramError
from dmfa.reading.pool import WorkerDied
from flows import artifacts, tasks
from flows.running import border, run_here

INSS = "85073003328"


def again(error: Exception, tries: int = 1) -> bool:
    ended: Any = SimpleNamespace(data=error)
    run: Any = SimpleNamespace(run_count=tries)
    return tasks.heals(tasks.take_in, run, ended)


@pytest.fixture
def deployed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PREFECT__RUNTIME__DEPLOYMENT__ID", "a-deployment")


@pytest.mark.parametrize(
    ("error", "tries", "expected"),
    [
        (LakeBusy("busy"), 1, True),
        (LakeBusy("busy"), 3, True),
        (WorkerDied("killed"), 2, True),
        (LakeFull("full"), 1, True),
        (LakeFull("full"), 2, False),
        (LakeProblem("damaged"), 1, False),
        (NothingToRead("no filing"), 1, False),
        (NotAuthorised("not authorised"), 1, False),
        (ProgramError("an error"), 1, False),
        (ValueError("anything"), 1, False),
    ],
)
def test_only_what_can_heal_is_tried_again(deployed: None, error: Exception, tries: int, expected: bool) -> None:
    assert again(error, tries) is expected


def test_at_a_terminal_nothing_is_tried_again() -> None:
    assert not again(LakeBusy("busy"))


def test_every_task_keeps_its_result_to_itself_and_is_tried_a_few_times() -> None:
    for task in (tasks.take_in, tasks.settle, tasks.compute_anew, tasks.give_out, tasks.tell):
        assert task.persist_result is False
        assert task.retries == len(tasks.RETRY_AFTER_SECONDS)
        assert task.retry_condition_fn is tasks.heals


def test_an_unforeseen_error_says_its_kind_and_no_value() -> None:
    with pytest.raises(ProgramError) as caught, border():
        raise ValueError(f"conversion of {INSS} failed")
    assert "ValueError" in str(caught.value)
    assert INSS not in "".join(traceback.format_exception(caught.value))
    assert caught.value.exit_code == 70


def test_an_error_for_people_passes_the_border_as_it_is() -> None:
    error = NothingToRead("no filing here")
    with pytest.raises(NothingToRead) as caught, border():
        raise error
    assert caught.value is error


def test_trouble_of_prefect_itself_is_told_in_two_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flows.running._have_a_server", lambda: None)

    def flow() -> None:
        raise RuntimeError("no server")

    with pytest.raises(DmfaError) as caught:
        run_here(flow)
    assert "Prefect cannot run the flow (RuntimeError)" in caught.value.what
    assert "--no-prefect" in caught.value.todo


@pytest.mark.parametrize("work", ["reading", "extracting 2026/3"])
def test_progress_of_any_work_is_an_artifact_that_prefect_takes(work: str, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[ProgressArtifact] = []

    def create(progress: float, key: str, description: str) -> UUID:
        made.append(ProgressArtifact(key=key, progress=progress, description=description))
        return UUID(int=1)

    monkeypatch.setattr(artifacts, "create_progress_artifact", create)
    artifacts.progress(work, 0, 17)
    assert [one.description for one in made] == [f"Progress of {work}"]
