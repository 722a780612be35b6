"""Runs the command line, and kills it with all its workers just before the n-th thing that it does to the disk.

`python accident.py WORDS...`, told by the environment:
ACCIDENT_LOG: file that gets one letter for each thing done, by whatever process: k a file received opened
    to be kept, o another to be written, r renamed, d removed, x a statement of a transaction of the lake, c its COMMIT.
ACCIDENT_LAKE: the lake; only what happens to its files counts.
ACCIDENT_AT: number of the letter before which the kill comes, from 1; never when it is not given.
ACCIDENT_SQL: in place of the number, a piece of text: the kill comes before the first statement of a transaction that
    holds it.
ACCIDENT_LATER: seconds that a COMMIT has been going on when the kill comes.
ACCIDENT_SIGNAL: number of another signal than SIGKILL; SIGSTOP holds the run where it is.
ACCIDENT_ROOM: in place of the kill, no file may be larger than so many bytes from that moment on, as on a full disk;
    at a COMMIT so many more than the log of its catalog has.
"""

from __future__ import annotations

import os
import resource
import signal
import sys
import threading
from pathlib import Path
from typing import Any

_LOG = os.open(os.environ["ACCIDENT_LOG"], os.O_CREAT | os.O_WRONLY | os.O_APPEND)
_LAKE = os.environ["ACCIDENT_LAKE"]
_AT = int(os.environ.get("ACCIDENT_AT", "0"))
_SQL = os.environ.get("ACCIDENT_SQL")
_LATER = float(os.environ.get("ACCIDENT_LATER", "0"))
_SIGNAL = int(os.environ.get("ACCIDENT_SIGNAL", signal.SIGKILL))
_ROOM = os.environ.get("ACCIDENT_ROOM")


def happens(letter: bytes) -> None:
    """Write down a thing that is about to happen; kill if it is its turn."""
    os.write(_LOG, letter)
    # Appending sets the position behind this very letter, whatever other processes write.
    if os.lseek(_LOG, 0, os.SEEK_CUR) == _AT:
        strike(letter)


def strike(letter: bytes) -> None:
    """Let the accident happen, before a thing of this letter is done."""
    if _ROOM is not None:
        # What a COMMIT writes goes to the end of the catalog's log.
        log = Path(_LAKE, "catalog.sqlite-wal")
        written = log.stat().st_size if letter == b"c" and log.exists() else 0
        resource.setrlimit(resource.RLIMIT_FSIZE, (written + int(_ROOM), resource.RLIM_INFINITY))
    elif letter == b"c" and _LATER:
        timer = threading.Timer(_LATER, kill)
        timer.daemon = True
        timer.start()
    else:
        kill()


def kill() -> None:
    """Kill this process and all its relatives, as a machine does that is switched off."""
    os.killpg(0, _SIGNAL)


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "open":
        path, mode, how = arguments
        if mode is None and how & os.O_EXCL and _inside(path):
            happens(b"k")
        elif isinstance(mode, str) and set(mode) & set("wxa+") and _inside(path):
            happens(b"o")
    elif event == "os.rename" and _inside(arguments[1]):
        happens(b"r")
    elif event == "os.remove" and _inside(arguments[0]):
        happens(b"d")


def _inside(path: object) -> bool:
    return isinstance(path, str | os.PathLike) and os.fspath(path).startswith(_LAKE) and "writer.lock" not in str(path)


class Watched:
    """A connection whose transactions are watched, statement by statement."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._inside = False

    def execute(self, sql: str, *values: Any) -> Any:
        if self._inside and _SQL is not None and _SQL in sql:
            strike(b"c" if sql == "COMMIT" else b"x")
        if sql.startswith(("BEGIN", "ROLLBACK")):
            self._inside = sql.startswith("BEGIN")
        elif sql == "COMMIT":
            happens(b"c")
            self._inside = False
        elif self._inside:
            happens(b"x")
        return self._connection.execute(sql, *values)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)


# A worker process imports this file too, so what it does is watched as well.
sys.addaudithook(_watch)

if __name__ == "__main__":
    from dmfa.lake import catalog
    from flows import cli
    from flows.stages import ingest

    connect = catalog.connect
    catalog.connect = lambda location: Watched(connect(location))  # type: ignore[assignment,return-value]
    ingest.ITEM_BYTES = 500_000  # several items, as at national size
    cli.main()
