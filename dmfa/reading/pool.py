"""Worker processes: as many as cores, started afresh (never forked), one thread each, the largest work first."""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from itertools import islice
from multiprocessing import connection, resource_tracker
from typing import Any, Self, TypeVar

from dmfa.errors import Interrupted

T = TypeVar("T")
R = TypeVar("R")

Start = tuple[Callable[..., None], tuple[Any, ...]]

_THREADS = ("POLARS_MAX_THREADS", "OPENBLAS_NUM_THREADS")
"""What says how many threads Polars has, and NumPy's algebra, whose threads are busy even with nothing to do."""

_KEEPING_MEMORY = {"_RJEM_MALLOC_CONF": "thp:always,dirty_decay_ms:60000,muzzy_decay_ms:60000"}
"""What makes Polars keep the memory that it gave free, in large pages: a tenth less time for columns that are made anew
again and again, for some 40 MB more in each process."""

_AHEAD = 2
"""Items given out per worker before a result is awaited: enough to keep all busy, few enough to hold in memory."""

_NEW_OBJECTS = 50_000
"""After so many new ones Python looks for circles of objects in a worker: a batch makes many objects and hardly a
circle, and to look every 700 takes two hundredths of its time."""

_LOOK_SECONDS = 0.25
"""How long a wait lasts at most: since Polars was used, a signal no longer ends one, and Ctrl-C is seen after it."""


class WorkerDied(Interrupted):
    """A worker process ended without a result."""


class Pool:
    """Worker processes for one piece of work after another; the last of them ends with the block.

    They start when work is given out, or before that by `prepare`. One worker, or one item, is done in this process:
    nothing is started for it.

    Args:
        workers: number of processes, by default that of the cores.
        start: a function and its arguments, called first in every process that works.
        keep_memory: whether workers keep memory that is free again for what comes next, for work on whole columns.
    """

    def __init__(self, workers: int | None = None, *, start: Start | None = None, keep_memory: bool = False) -> None:
        self.workers = workers or cores()
        self._start = start
        self._surroundings = dict.fromkeys(_THREADS, "1") | (_KEEPING_MEMORY if keep_memory else {})
        self._processes: ProcessPoolExecutor | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        # Nobody waits for a result any more, and a process that is told to end takes itself apart first.
        self.stop(at_once=True)

    def prepare(self, function: Callable[[], object] = os.getpid) -> None:
        """Start all workers, so that they are ready when the next work comes.

        Args:
            function: a function of a module that each does meanwhile; nobody waits for it or asks what came of it.
        """
        if self.workers > 1:
            processes = self._started()
            # A worker that has died meanwhile is told by who has work for it.
            with _as_workers_start(self._surroundings), suppress(BrokenProcessPool):
                for _ in range(self.workers):
                    processes.submit(function)

    def stop(self, *, at_once: bool = False) -> None:
        """Wait for the workers to end; at once, whatever they are doing."""
        processes, self._processes = self._processes, None
        if processes is None:
            return
        if at_once:
            for child in list((processes._processes or {}).values()):
                child.terminate()
            # Else the pool's own thread would wait for ever for the rest of a result that a worker was just sending.
            processes._result_queue._writer.close()  # type: ignore[attr-defined]
        # Waited for even then: at the program's end the pool's own thread must not be closing its pipes.
        processes.shutdown(wait=True, cancel_futures=True)

    def run(
        self,
        function: Callable[[T], R],
        items: Sequence[T],
        on_progress: Callable[[int, int], None] | None = None,
        *,
        weight: Callable[[T], int] | None = None,
    ) -> Iterator[tuple[int, R]]:
        """Apply a function to every item.

        Args:
            function: a function of a module; it, its items and its results must be picklable.
            items: the work.
            on_progress: called after each result with the number done and the number in all.
            weight: size of an item; the largest are given out first.

        Yields:
            Position of an item and its result, in the order in which results come.

        Raises:
            WorkerDied: a worker process ended without a result.
            Interrupted: Ctrl-C.
        """
        order = list(range(len(items)))
        if weight is not None:
            order.sort(key=lambda position: -weight(items[position]))
        work = self._here if min(self.workers, len(items)) <= 1 else self._apart
        try:
            for done, result in enumerate(work(function, items, order), start=1):
                if on_progress is not None:
                    on_progress(done, len(items))
                yield result
        except KeyboardInterrupt:
            raise Interrupted("stopped", "Start it again: it goes on where it was.") from None

    def _started(self) -> ProcessPoolExecutor:
        if self._processes is None:
            resource_tracker.ensure_running()
            context = multiprocessing.get_context("spawn")
            self._processes = ProcessPoolExecutor(self.workers, context, _begin, (self._start,))
        return self._processes

    def _here(self, function: Callable[[T], R], items: Sequence[T], order: list[int]) -> Iterator[tuple[int, R]]:
        if self._start is not None:
            self._start[0](*self._start[1])
        for position in order:
            yield position, function(items[position])

    def _apart(self, function: Callable[[T], R], items: Sequence[T], order: list[int]) -> Iterator[tuple[int, R]]:
        processes = self._started()
        waiting: dict[Future[R], int] = {}
        left = iter(order)

        def give_out() -> None:
            # A worker starts when work is given out and none is free.
            with _as_workers_start(self._surroundings):
                for position in islice(left, self.workers * _AHEAD - len(waiting)):
                    waiting[processes.submit(function, items[position])] = position

        try:
            give_out()
            while waiting:
                finished, _ = wait(waiting, _LOOK_SECONDS, return_when=FIRST_COMPLETED)
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
            # Whatever ends the loop - an error, Ctrl-C, a caller that stops asking - no worker goes on.
            if waiting:
                self.stop(at_once=True)


def _begin(start: Start | None) -> None:
    """What a worker does first: it watches the process that started it, without which nobody wants its results.

    A pool's worker waits for ever for more work, even if what would give it out was killed.
    """
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()
    gc.freeze()  # what is imported by now stays to the end
    gc.set_threshold(_NEW_OBJECTS)
    if start is not None:
        start[0](*start[1])


def _end_with(sentinel: int) -> None:
    connection.wait([sentinel])
    os._exit(1)


def run_pool(
    function: Callable[[T], R],
    items: Sequence[T],
    workers: int | None = None,
    on_progress: Callable[[int, int], None] | None = None,
    *,
    weight: Callable[[T], int] | None = None,
    start: Start | None = None,
) -> Iterator[tuple[int, R]]:
    """`Pool.run` with workers of its own."""
    with Pool(min(workers or cores(), max(len(items), 1)), start=start) as pool:
        yield from pool.run(function, items, on_progress, weight=weight)


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def _as_workers_start(surroundings: Mapping[str, str]) -> Iterator[None]:
    """The surroundings that a worker inherits from its first instruction on.

    Threads and memory: they are read when Polars is imported, which the worker's own first words would be too late for.
    Ctrl-C blocked: it is the parent's alone. The tracker of multiprocessing must run before: its start lifts the block.
    """
    before = {name: os.environ.get(name) for name in surroundings}
    os.environ.update(surroundings)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        with _ctrl_c_put_off():
            yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})


@contextmanager
def _ctrl_c_put_off() -> Iterator[None]:
    """Let Ctrl-C take effect after the block, so that no worker is left half started.

    That its signal is blocked does not do it: any other thread may take it, and Python then interrupts the main one.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    pressed: list[int] = []
    before = signal.signal(signal.SIGINT, lambda *of: pressed.append(of[0]))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before or signal.default_int_handler)
        if pressed:
            signal.raise_signal(signal.SIGINT)
