"""The tasks of the flows: one per stage around its plain function, nothing per filing or person.

A task is tried again only for what can heal by itself, and only where nobody is watching: in a run of a deployment.
Results stay in the process: a result that Prefect kept could hold what only the lake may hold.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, ParamSpec, TypeVar

import flows.prefect_settings  # noqa: F401 - before prefect

# isort: split
from prefect import State, Task, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import TaskRun
from prefect.runtime import deployment
from prefect.settings import PREFECT_API_URL

from dmfa.address import Place
from dmfa.errors import LakeBusy, LakeFull
from dmfa.quarter import Quarter
from dmfa.reading.pool import WorkerDied
from flows import artifacts, console, crew
from flows.running import border
from flows.settings import Settings
from flows.stages import compute, extract, ingest, whole
from flows.stages.compute import Recomputed
from flows.stages.extract import Extracted
from flows.stages.ingest import Ingested

P = ParamSpec("P")
R = TypeVar("R")

RETRY_AFTER_SECONDS = (60, 300, 900)
"""Pauses before a task is tried again."""


def heals(_: Task[Any, Any], run: TaskRun, state: State[Any]) -> bool:
    """Whether to try a task again: the lake was busy, a worker died; a full disk once; refused input never.

    Args:
        run: the task's run, with the number of tries so far.
        state: how it ended.
    """
    if deployment.id is None:
        return False
    if isinstance(state.data, LakeFull):
        return run.run_count <= 1
    return isinstance(state.data, LakeBusy | WorkerDied)


@task(name="share", persist_result=False, cache_policy=NO_CACHE)
def share(work: Callable[[], Any]) -> Any:
    """Do one share of a stage's work, on a worker of a cluster."""
    return work()


def _seen() -> AbstractContextManager[None]:
    """Let the shares that go to a cluster be seen on the server, if there is one that its workers reach."""
    if not PREFECT_API_URL.value():
        return nullcontext()
    return crew.sent(_as_tasks)


def _as_tasks(name: str) -> tuple[type[Any], Callable[[Any], Any]]:
    from prefect_dask.client import PrefectDaskClient  # only for a cluster

    return PrefectDaskClient, share.with_options(name=name)


def _stage(name: str) -> Callable[[Callable[P, R]], Task[P, R]]:
    return task(
        name=name,
        persist_result=False,
        cache_policy=NO_CACHE,
        retries=len(RETRY_AFTER_SECONDS),
        retry_delay_seconds=list(RETRY_AFTER_SECONDS),
        retry_condition_fn=heals,
    )


@_stage("ingest")
def take_in(paths: Sequence[Place], settings: Settings) -> Ingested:
    """Receive, validate, check, compute and keep the filings at some paths."""
    with border(), console.watched(artifacts.progress), _seen():
        return ingest.run(paths, settings)


@_stage("compute")
def settle(quarter: Quarter, settings: Settings) -> Recomputed:
    """Compute what an earlier state of the law computed."""
    with border(), console.watched(artifacts.progress):
        return whole.settle(quarter, settings)


@_stage("compute anew")
def compute_anew(quarter: Quarter, settings: Settings, employer: int | None) -> Recomputed:
    """Compute a quarter, or one employer's part of it, anew."""
    with border(), console.watched(artifacts.progress):
        return compute.run(quarter, settings, employer=employer)


@_stage("extract")
def give_out(quarter: Quarter, settings: Settings, names: Sequence[str] = ()) -> Extracted:
    """Write what the authorisations allow."""
    with border(), console.watched(artifacts.progress), _seen():
        return extract.run(quarter, settings, names=names)


@_stage("report")
def tell(quarter: Quarter, settings: Settings, notices: Sequence[str] = ()) -> Place:
    """Write the report of a quarter as a page."""
    with border():
        from flows.report.page import write_report

        return write_report(quarter, settings, notices)
