"""The border of the lake: what DuckDB, SQLite and the disk say is replaced by plain words.

Their messages quote cell values, so none of them leaves this package.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dmfa.errors import LakeBusy, LakeFull, LakeProblem

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)

# What the engine says, what it means, what to do, and the class of error; the first that fits is told.
_SAID = (
    (
        ("no space left", "disk is full", "file too large", "disk quota exceeded"),
        "the disk of the lake {folder} is full.",
        "Nothing was published. Free some space and run again: finished work is taken over.",
        LakeFull,
    ),
    (
        ("disk i/o error",),
        "the disk of the lake {folder} is full or fails.",
        "Nothing was published. Free some space or look at the disk, and run again: finished work is taken over.",
        LakeFull,
    ),
    (
        ("database is locked", "transaction conflict"),
        "the lake {folder} is in use.",
        "Try again when the other program is done.",
        LakeBusy,
    ),
    (
        ("no snapshot found",),
        "the lake {folder} has no state that old.",
        "Name a time after the lake's first snapshot.",
        LakeProblem,
    ),
    (
        ("unable to open database", "readonly database", "read-only", "permission denied"),
        "the catalog of the lake {folder} cannot be opened for writing.",
        "Check the folder's rights: a reader needs them too, because SQLite keeps its log there.",
        LakeProblem,
    ),
    (
        ("malformed", "not a database", "existing ducklake", "ducklake metadata"),
        "the catalog of the lake {folder} is damaged or not a catalog.",
        "Put catalog.sqlite back from a backup; the files in data/ and received/ are untouched.",
        LakeProblem,
    ),
)


@contextmanager
def disk(folder: Path, doing: str) -> Iterator[None]:
    """Tell a failure of the disk in plain words.

    Args:
        folder: the lake.
        doing: what was being done, e.g. "writing to".

    Raises:
        LakeProblem: the disk is full, or the folder cannot be used.
    """
    try:
        yield
    except OSError as trouble:
        raise _disk_problem(trouble, folder, doing) from None


@contextmanager
def engine(folder: Path, doing: str) -> Iterator[None]:
    """Tell a failure of DuckDB, or of its catalog in plain words, without a cell's value.

    Args:
        folder: the lake.
        doing: what was being done, e.g. "reading".

    Raises:
        LakeProblem: whatever went wrong inside.
        KeyboardInterrupt: Ctrl-C.
    """
    import duckdb

    try:
        yield
    except duckdb.Error as trouble:
        raise _engine_problem(str(trouble), type(trouble).__name__, folder, doing) from None
    except RuntimeError as trouble:
        # So DuckDB tells of Ctrl-C during a statement.
        if isinstance(trouble.__cause__, KeyboardInterrupt):
            raise KeyboardInterrupt from None
        raise


def _disk_problem(trouble: OSError, folder: Path, doing: str) -> LakeProblem:
    if trouble.errno in _FULL:
        return _problem(_SAID[0], folder)
    reason = (trouble.strerror or type(trouble).__name__).lower()
    return LakeProblem(f"{doing} the lake {folder} failed: {reason}.", "Check the folder's rights and its disk.")


def _engine_problem(said: str, kind: str, folder: Path, doing: str) -> LakeProblem:
    for entry in _SAID:
        if any(words in said.lower() for words in entry[0]):
            return _problem(entry, folder)
    return LakeProblem(f"{doing} the lake {folder} failed ({kind}).", "Run `dmfa doctor` to look at the lake.")


def _problem(entry: tuple[tuple[str, ...], str, str, type[LakeProblem]], folder: Path) -> LakeProblem:
    _, what, todo, kind = entry
    return kind(what.format(folder=folder), todo)
