"""The place of the one writer: a lock on a file beside the catalog, or one in the catalog's database."""

from __future__ import annotations

import os
from typing import Protocol

import filelock

from dmfa.errors import LakeBusy, WrongUsage
from dmfa.lake import postgres
from dmfa.lake.border import disk
from dmfa.lake.location import Location

WAIT = "DMFA_LAKE_WAIT"
"""Setting: seconds that a second writer waits for the first."""


class Lock(Protocol):
    """The writer's place, taken."""

    def must_hold(self) -> None:
        """Check that it is still this program's; called before what was written becomes visible."""

    def release(self) -> None:
        """Let it go."""


def writers_place(location: Location, wait_seconds: float | None) -> Lock:
    """Take the place of the one writer.

    Args:
        location: the lake.
        wait_seconds: how long to wait for another writer; DMFA_LAKE_WAIT or 30 when not given.

    Raises:
        LakeBusy: another program is writing.
        LakeProblem: the folder or the database cannot be used.
    """
    seconds = _wait() if wait_seconds is None else wait_seconds
    return _OnFile(location, seconds) if location.database is None else postgres.WritersLock(location, seconds)


class _OnFile:
    """A lock on a file of the lake's folder; the system lets it go with the process."""

    def __init__(self, location: Location, wait_seconds: float) -> None:
        self._lock = filelock.FileLock(location.lock)
        with disk(location, "opening"):
            location.folder.mkdir(parents=True, exist_ok=True)
            try:
                self._lock.acquire(timeout=wait_seconds)
            except filelock.Timeout:
                raise LakeBusy(
                    f"the lake {location} is in use: another program is writing to it.",
                    f"Run again when it is done, or wait longer with {WAIT}=SECONDS.",
                ) from None

    def must_hold(self) -> None:
        """Nothing: such a lock is held until it is let go."""

    def release(self) -> None:
        """Let it go; a second call does nothing."""
        self._lock.release()


def _wait() -> float:
    try:
        return float(os.environ.get(WAIT, "30"))
    except ValueError:
        raise WrongUsage(f"{WAIT} is not a number of seconds.", f"Set it to e.g. {WAIT}=30.") from None
