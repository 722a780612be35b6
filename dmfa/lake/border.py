"""The border of the lake: what DuckDB, its catalog and the disk say is replaced by plain words.

Their messages quote cell values, so none of them leaves this package.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from dmfa.errors import LakeBusy, LakeFull, LakeProblem

if TYPE_CHECKING:
    from dmfa.lake.location import Location

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)

# What the engine says, what it means, what to do, and the class of error; the first that fits is told.
_SAID = (
    (
        ("no space left", "disk is full", "file too large", "disk quota exceeded"),
        "the disk of the lake {lake} is full.",
        "Nothing was published. Free some space and run again: finished work is taken over.",
        LakeFull,
    ),
    (
        ("disk i/o error",),
        "the disk of the lake {lake} is full or fails.",
        "Nothing was published. Free some space or look at the disk, and run again: finished work is taken over.",
        LakeFull,
    ),
    (
        ("database is locked", "transaction conflict"),
        "the lake {lake} is in use.",
        "Try again when the other program is done.",
        LakeBusy,
    ),
    (
        ("http 403", "(http 403", "403 (forbidden)", "access denied", "authentication failure"),
        "the store of the lake {lake} refuses these keys.",
        "Check the AWS_* variables or the role of this machine, and their rights on the bucket.",
        LakeProblem,
    ),
    (
        ("no files found", "http 404", "404 (not found)", "nosuchbucket"),
        "a file of the lake {lake}, or its bucket, is not there.",
        "Nothing was published. Run again: what is missing of unfinished work is done anew. Else see the backups.",
        LakeProblem,
    ),
    (
        ("could not establish connection", "could not connect to server", "connection error", "connection refused"),
        "the store of the lake {lake} cannot be reached.",
        "Check its endpoint (AWS_ENDPOINT_URL), that it is up, and run again: finished work is taken over.",
        LakeProblem,
    ),
    (
        ("server closed the connection", "terminating connection", "connection to server"),
        "the connection to the catalog of the lake {lake} broke.",
        "Nothing was published. Run again: finished work is taken over.",
        LakeProblem,
    ),
    (
        ("ducklake catalog version", "ducklake extension", "requires a newer", "unsupported ducklake version"),
        "the catalog of the lake {lake} is of another version of DuckLake than this program's.",
        "Use the version of dmfa that made it, or a newer one.",
        LakeProblem,
    ),
    (
        ("unable to open database", "readonly database", "read-only", "permission denied"),
        "the catalog of the lake {lake} cannot be opened for writing.",
        "Check the folder's rights: a reader needs them too, because SQLite keeps its log there.",
        LakeProblem,
    ),
    (
        ("malformed", "not a database", "existing ducklake", "ducklake metadata"),
        "the catalog of the lake {lake} is damaged or not a catalog.",
        "Put {catalog} back from a backup; the files in data/ and received/ are untouched.",
        LakeProblem,
    ),
    (
        ("table with name", "not found in from clause", "does not have a column named"),
        "the lake {lake} has not every table and column that is asked of it, in the state that is read.",
        "An older state lacks what was added since: ask for a later one. To the newest, `dmfa maintain` adds it.",
        LakeProblem,
    ),
)


@contextmanager
def disk(location: Location, doing: str) -> Iterator[None]:
    """Tell a failure of the disk in plain words.

    Args:
        location: the lake.
        doing: what was being done, e.g. "writing to".

    Raises:
        LakeProblem: the disk is full, or the folder cannot be used.
    """
    try:
        yield
    except OSError as trouble:
        raise _disk_problem(trouble, location, doing) from None


@contextmanager
def engine(location: Location, doing: str) -> Iterator[None]:
    """Tell a failure of DuckDB, or of its catalog in plain words, without a cell's value.

    Args:
        location: the lake.
        doing: what was being done, e.g. "reading".

    Raises:
        LakeProblem: whatever went wrong inside.
        KeyboardInterrupt: Ctrl-C.
    """
    import duckdb

    try:
        yield
    except duckdb.Error as trouble:
        raise _engine_problem(str(trouble), type(trouble).__name__, location, doing) from None
    except RuntimeError as trouble:
        # So DuckDB tells of Ctrl-C during a statement.
        if isinstance(trouble.__cause__, KeyboardInterrupt):
            raise KeyboardInterrupt from None
        raise


def _disk_problem(trouble: OSError, location: Location, doing: str) -> LakeProblem:
    if trouble.errno in _FULL:
        return _problem(_SAID[0], location)
    reason = (trouble.strerror or type(trouble).__name__).lower()
    return LakeProblem(f"{doing} the lake {location} failed: {reason}.", "Check the folder's rights and its disk.")


def _engine_problem(said: str, kind: str, location: Location, doing: str) -> LakeProblem:
    for entry in _SAID:
        if any(words in said.lower() for words in entry[0]):
            return _problem(entry, location)
    return LakeProblem(f"{doing} the lake {location} failed ({kind}).", "Run `dmfa doctor` to look at the lake.")


def _problem(entry: tuple[tuple[str, ...], str, str, type[LakeProblem]], location: Location) -> LakeProblem:
    _, what, todo, kind = entry
    catalog = getattr(location, "catalog_name", "the catalog")
    return kind(what.format(lake=location), todo.format(catalog=catalog))
