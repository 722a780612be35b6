"""Worker processes: as many as cores, started afresh (never forked), one thread each, the largest work first."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from itertools import islice
from multiprocessing import resource_tracker
from typing import Any, TypeVar

from dmfa.errors import DmfaError, Interrupted

T = TypeVar("T")
R = TypeVar("R")

Start = tuple[Callable[..., None], tuple[Any, ...]]

_THREADS = "POLARS_MAX_THREADS"
_AHEAD = 2
"""Items given out per worker before a result is awaited: enough to keep all busy, few enough to hold in memory."""


class WorkerDied(DmfaError):
    """A worker process ended without a result."""


def run_pool(
    function: Callable[[T], R],
    items: Sequence[T],
    workers: int | None = None,
    on_progress: Callable[[int, int], None] | None = None,
    *,
    weight: Callable[[T], int] | None = None,
    start: Start | None = None,
) -> Iterator[tuple[int, R]]:
    """Apply a function to every item in worker processes.

    One worker, or one item, is done in this process: nothing is started for it.

    Args:
        function: a function of a module; it, its items and its results must be picklable.
        items: the work.
        workers: number of processes, by default that of the cores.
        on_progress: called after each result with the number done and the number in all.
        weight: size of an item; the largest are given out first.
        start: a function and its arguments, called first in every process that works.

    Yields:
        Position of an item and its result, in the order in which results come.

    Raises:
        WorkerDied: a worker process ended without a result.
        Interrupted: Ctrl-C.
    """
    count = min(workers or cores(), len(items))
    order = list(range(len(items)))
    if weight is not None:
        order.sort(key=lambda position: -weight(items[position]))
    results = _here(function, items, order, start) if count <= 1 else _apart(function, items, order, count, start)
    try:
        for done, result in enumerate(results, start=1):
            if on_progress is not None:
                on_progress(done, len(items))
            yield result
    except KeyboardInterrupt:
        raise Interrupted("stopped", "Start it again: it goes on where it was.") from None


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _here(
    function: Callable[[T], R], items: Sequence[T], order: list[int], start: Start | None
) -> Iterator[tuple[int, R]]:
    if start is not None:
        start[0](*start[1])
    for position in order:
        yield position, function(items[position])


def _apart(
    function: Callable[[T], R], items: Sequence[T], order: list[int], workers: int, start: Start | None
) -> Iterator[tuple[int, R]]:
    pool = ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), *(start or ()))
    waiting: dict[Future[R], int] = {}
    left = iter(order)

    def give_out() -> None:
        # A worker starts when work is given out and none is free.
        with _as_workers_start():
            for position in islice(left, workers * _AHEAD - len(waiting)):
                waiting[pool.submit(function, items[position])] = position

    try:
        resource_tracker.ensure_running()
        give_out()
        while waiting:
            finished, _ = wait(waiting, return_when=FIRST_COMPLETED)
            for future in finished:
                position = waiting.pop(future)
                yield position, future.result()
            give_out()
    except BrokenProcessPool:
        raise WorkerDied(
            "a worker process ended without a result, killed from outside or out of memory",
            "Start it again, with fewer workers if memory is short.",
        ) from None
    finally:
        # Whatever ends the loop - the last result, Ctrl-C, a caller that stops asking - no worker goes on.
        for child in list((pool._processes or {}).values()) if waiting else []:
            child.terminate()
        # Waited for even then: at the program's end the pool's own thread must not be closing its pipes.
        pool.shutdown(wait=True, cancel_futures=True)


@contextmanager
def _as_workers_start() -> Iterator[None]:
    """The surroundings that a worker inherits from its first instruction on.

    One thread: Polars reads the setting when it is imported, which the worker's own first words would be too late for.
    Ctrl-C blocked: it is the parent's alone. The tracker of multiprocessing must run before: its start lifts the block.
    """
    before = os.environ.get(_THREADS)
    os.environ[_THREADS] = "1"
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
        if before is None:
            del os.environ[_THREADS]
        else:
            os.environ[_THREADS] = before
