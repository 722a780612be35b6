"""Who does the work: processes of this machine, or the workers of a Dask cluster. Both take the same functions.

On a cluster nobody shares a disk with anybody unless the places named say so: whatever is handed from one to the next
lies where the lake's data is.
"""

from __future__ import annotations

import os
import secrets
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from contextvars import ContextVar
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path
from typing import Any, Protocol, TypeVar

from dmfa.address import Place, remove
from dmfa.errors import WrongUsage
from dmfa.lake import Location
from dmfa.reading.pool import Pool
from flows.settings import Settings

T = TypeVar("T")
R = TypeVar("R")

_DASK = ("dask", "distributed")


class Crew(Protocol):
    """Workers for one piece of work after another.

    Attributes:
        workers: how many work at the same time.
    """

    workers: int

    def prepare(self, function: Callable[[], object] = os.getpid) -> None:
        """Have all workers ready when the next work comes.

        Args:
            function: a function of a module that each does meanwhile; nobody waits for it or asks what came of it.
        """

    def run(
        self,
        function: Callable[[T], R],
        items: Sequence[T],
        on_progress: Callable[[int, int], None] | None = None,
        *,
        weight: Callable[[T], int] | None = None,
    ) -> Iterator[tuple[int, R]]:
        """Apply a function to every item; see `dmfa.reading.pool.Pool.run`."""

    def stop(self, *, at_once: bool = False) -> None:
        """Need the workers no more."""


Sending = Callable[[str], tuple[type[Any], Callable[[Any], Any]]]
"""For a name of work: the class of Dask's client, and what it calls on a worker with the work."""

sending: ContextVar[Sending | None] = ContextVar("sending", default=None)
"""How work is sent to a cluster, where it is to be seen by others than Dask."""


@contextmanager
def sent(by: Sending | None) -> Iterator[None]:
    """Let work be sent to a cluster in a certain way meanwhile."""
    token = sending.set(by)
    try:
        yield
    finally:
        sending.reset(token)


def crew(
    settings: Settings,
    processes: int,
    *,
    watch: Callable[[Synchronized[int]], None] | None = None,
    counter: Synchronized[int] | None = None,
    reads: Sequence[Place] = (),
    keep_memory: bool = False,
) -> AbstractContextManager[Crew]:
    """The workers that the settings name.

    Args:
        settings: those of the run.
        processes: worker processes, on this machine.
        watch: a function that tells a worker process of this machine where to count the bytes that it has done.
        counter: where.
        reads: what the workers will read besides the lake.
        keep_memory: whether worker processes of this machine keep memory that is free again; see `Pool`.

    Raises:
        WrongUsage: the cluster is not there, its workers cannot do this work, or Dask is not installed.
    """
    if settings.runner == "local":
        return Pool(processes, start=(watch, (counter,)) if watch else None, keep_memory=keep_memory)
    try:
        from flows.cluster import Cluster  # a run on this machine needs no Dask
    except ModuleNotFoundError as lacking:
        if (lacking.name or "").partition(".")[0] not in _DASK:
            raise
        raise WrongUsage(
            "--runner dask: this installation has no Dask",
            "Install it: pip install 'dmfa[cluster]'; or leave --runner out, to work on this machine.",
        ) from None
    return Cluster(settings, counter=counter, reads=reads)


@contextmanager
def spool(settings: Settings) -> Iterator[Place]:
    """A folder for what is unpacked on the way, which all workers see; it is removed in the end."""
    if settings.runner == "local":
        with tempfile.TemporaryDirectory(prefix="dmfa-") as folder:
            yield Path(folder)
        return
    shared = Location.of(settings.lake).spool / secrets.token_hex(8)
    shared.mkdir(parents=True, exist_ok=True)
    try:
        yield shared
    finally:
        with suppress(OSError):  # maintenance removes what is left here
            remove(shared)
