"""A Dask cluster that does the work: the same functions as worker processes of this machine, behind the same face.

Dask gives a share to another worker when one is lost. A share may be done twice without harm: what a worker leaves
belongs to no table until the run publishes it.
"""

from __future__ import annotations

import os
import platform
import secrets
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import contextmanager, suppress
from importlib.metadata import version
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path
from queue import Empty, SimpleQueue
from time import monotonic
from typing import Any, Self, TypeVar

from distributed import Client, KilledWorker
from distributed.comm.core import CommClosedError

from contributions import law_fingerprint
from dmfa.address import Place
from dmfa.errors import Interrupted, LakeProblem, WrongUsage
from dmfa.lake import Location
from dmfa.reading.pool import WorkerDied
from flows.crew import sending
from flows.running import border
from flows.settings import Settings

T = TypeVar("T")
R = TypeVar("R")

_LOOK_SECONDS = 1
"""How long a wait lasts at most before the cluster is looked at."""

_SIGN = ".seen-"
_ALIKE = ("dmfa", "polars", "pyarrow", "lxml")
"""Packages of which all must have the same version: they exchange what these make."""


class ClusterProblem(WrongUsage):
    """The cluster named is not there, or its workers cannot do this work."""


class Share:
    """A function and what it is applied to, on its way to a worker.

    It shows nothing of itself: who passes it on may log it, or look into what is passed.
    """

    def __init__(self, function: Callable[[Any], Any], item: Any) -> None:
        self._function, self._item = function, item

    def __call__(self) -> Any:
        """Do it.

        Raises:
            DmfaError: as the function raises it; anything else is told by its kind alone.
        """
        with border():
            try:
                return self._function(self._item)
            except MemoryError:
                raise _out_of_memory() from None


def do(share: Share) -> Any:
    """Do a share, on a worker."""
    return share()


class Cluster:
    """The workers of a Dask cluster, for as long as the block lasts.

    Args:
        settings: those of the run, with the address of the scheduler.
        counter: where the bytes done are counted; on a cluster when a share is done.
        reads: what the workers will read besides the lake.

    Raises:
        ClusterProblem: no scheduler is there, or no worker, or one that cannot do this work.
    """

    def __init__(
        self, settings: Settings, *, counter: Synchronized[int] | None = None, reads: Sequence[Place] = ()
    ) -> None:
        self._settings, self._counter, self._reads = settings, counter, reads
        self._sending = sending.get()
        self._client: Any = None
        self.workers = 0

    def __enter__(self) -> Self:
        client_class = self._sending("")[0] if self._sending else Client
        where, seconds = self._settings.scheduler, self._settings.cluster_wait
        try:
            self._client = client_class(where, timeout=seconds, set_as_default=False)
        except Exception:
            raise ClusterProblem(
                f"no Dask scheduler answers at {where}.", "Check that it runs, and --scheduler tcp://HOST:PORT."
            ) from None
        try:
            self._client.wait_for_workers(1, timeout=seconds)
            self._compare()
            self.workers = sum(self._client.nthreads().values())
        except TimeoutError:
            self.leave()
            raise ClusterProblem(
                f"the Dask scheduler at {where} has no worker.", f"Start some: dask worker {where} --nthreads 1."
            ) from None
        except BaseException:
            self.leave()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        self.leave()

    def prepare(self, function: Callable[[], object] = os.getpid) -> None:
        """Nothing: the workers run already, and keep what they know."""

    def stop(self, *, at_once: bool = False) -> None:
        """Nothing: the workers go on for others, and wait for what this run may still have for them."""

    def leave(self) -> None:
        """Leave the cluster; shares that nobody waits for any more are given up."""
        client, self._client = self._client, None
        if client is not None:
            with suppress(Exception):  # it is left, whatever has become of it
                client.close(timeout=_LOOK_SECONDS)

    def run(
        self,
        function: Callable[[T], R],
        items: Sequence[T],
        on_progress: Callable[[int, int], None] | None = None,
        *,
        weight: Callable[[T], int] | None = None,
    ) -> Iterator[tuple[int, R]]:
        """Apply a function to every item; see `dmfa.reading.pool.Pool.run`.

        Raises:
            WorkerDied: one share cost several workers their lives, or scheduler or workers are gone.
            Interrupted: Ctrl-C.
        """
        size = weight or (lambda _: 0)
        call = self._sending(function.__name__.strip("_").replace("_", " "))[1] if self._sending else do
        try:
            waiting = {
                self._client.submit(call, Share(function, item), pure=False, priority=size(item)): position
                for position, item in enumerate(items)
            }
            try:
                for done, (position, result) in enumerate(self._results(waiting), start=1):
                    if self._counter is not None and weight is not None:
                        with self._counter.get_lock():
                            self._counter.value += size(items[position])
                    if on_progress is not None:
                        on_progress(done, len(items))
                    yield position, result
            finally:
                if waiting:
                    with suppress(Exception):  # the first failure is the one to tell
                        self._client.cancel(list(waiting), force=True)
        except KeyboardInterrupt:
            raise Interrupted("stopped", "Start it again: it goes on where it was.") from None

    def _results(self, waiting: dict[Any, int]) -> Iterator[tuple[int, Any]]:
        """Results as they come; what is left in `waiting` has none."""
        seen, finished = monotonic(), SimpleQueue[Any]()
        for future in waiting:
            future.add_done_callback(finished.put)
        while waiting:
            try:
                future = finished.get(timeout=_LOOK_SECONDS)
            except Empty:
                seen = self._look(seen)
                continue
            position = waiting.pop(future)
            try:
                yield position, future.result()
            except KilledWorker:
                raise _out_of_memory() from None
            except (CancelledError, CommClosedError):
                raise self._gone() from None

    def _look(self, seen: float) -> float:
        """Look at the cluster: when a worker was last there."""
        try:
            threads = self._client.nthreads()
        except (OSError, CommClosedError, TimeoutError, RuntimeError):
            raise self._gone() from None
        if threads:
            return monotonic()
        if monotonic() - seen > self._settings.cluster_wait:
            raise WorkerDied(
                f"the Dask scheduler at {self._settings.scheduler} has no worker left.",
                "Nothing was published. Start workers and run again: finished work is taken over.",
            )
        return seen

    def _gone(self) -> WorkerDied:
        return WorkerDied(
            f"the Dask scheduler at {self._settings.scheduler} is gone.",
            "Nothing was published. Start it and run again: finished work is taken over.",
        )

    def _compare(self) -> None:
        """Check that every worker is of the same making as this program, and sees the same places."""
        with _sign(Location.of(self._settings.lake).folder) as sign:
            try:
                found = self._client.run(greeting, [*self._reads, *sign])
            except Exception:
                raise ClusterProblem(
                    f"the workers at {self._settings.scheduler} have no dmfa, or another one.",
                    "Start them from the installation that runs this command: one image for all.",
                ) from None
        mine, _ = greeting([])
        for worker, (making, faults) in found.items():
            if making != mine:
                raise ClusterProblem(
                    f"the worker {worker} has other versions than this program: {_differing(making, mine)}.",
                    "Start all from one image.",
                )
            for where, fault in faults:
                raise LakeProblem(
                    f"the worker {worker} cannot use {where}: {fault}.",
                    "Name places that every worker reaches, e.g. s3://BUCKET/FOLDER, and give all workers the keys.",
                )


@contextmanager
def _sign(folder: Place) -> Iterator[list[Place]]:
    """What tells a worker that it sees the lake's folder: a file put there, or in a store the folder itself."""
    if not isinstance(folder, Path):
        yield [folder]
        return
    file = folder / f"{_SIGN}{secrets.token_hex(4)}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file.touch()
    except OSError as trouble:
        raise LakeProblem(
            f"the folder {folder} cannot be used: {(trouble.strerror or 'input error').lower()}.",
            "Check its rights and its disk.",
        ) from None
    try:
        yield [file]
    finally:
        file.unlink(missing_ok=True)


def greeting(places: Sequence[Place]) -> tuple[dict[str, str], list[tuple[str, str]]]:
    """What a worker is made of, and the places that it cannot use, each with the reason."""
    making = {package: version(package) for package in _ALIKE}
    making |= {"Python": ".".join(platform.python_version_tuple()[:2]), "the law": law_fingerprint()[:12]}
    faults = []
    for one in places:
        try:
            if isinstance(one, Path):
                one.stat()
            else:
                next(iter(one.iterdir()), None)
        except OSError as trouble:
            faults.append((str(one.parent if one.name.startswith(_SIGN) else one), (trouble.strerror or "").lower()))
    return making, faults


def _differing(theirs: dict[str, str], mine: dict[str, str]) -> str:
    return ", ".join(f"{name} {theirs.get(name)} for {mine[name]}" for name in mine if theirs.get(name) != mine[name])


def _out_of_memory() -> WorkerDied:
    return WorkerDied(
        "a share of the work cost several workers their lives: killed from outside, or out of memory.",
        "Nothing was published. Give each more memory (--memory-limit) and run again: finished work is taken over.",
    )
