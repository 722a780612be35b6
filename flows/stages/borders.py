"""What the disk, or a file that somebody gives, says when it fails, in plain words."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dmfa.errors import LakeProblem, NothingToRead


@contextmanager
def writing(what: str, todo: str) -> Iterator[None]:
    """Tell why something could not be written.

    Args:
        what: what, and where to: "the answers could not be written to out/answers".
        todo: what to do.

    Raises:
        LakeProblem: the disk is full or cannot be written.
    """
    try:
        yield
    except OSError as error:
        raise LakeProblem(f"{what}: {(error.strerror or type(error).__name__).lower()}.", todo) from None


@contextmanager
def reading_csv(path: Path, todo: str) -> Iterator[None]:
    """Tell why a CSV file could not be read; the message repeats nothing of it.

    Args:
        path: the file.
        todo: what to do.

    Raises:
        NothingToRead: there is no such file, or it is no CSV in UTF-8.
    """
    try:
        yield
    except (OSError, UnicodeDecodeError, csv.Error) as trouble:
        why = trouble.strerror if isinstance(trouble, OSError) and trouble.strerror else "it is no CSV in UTF-8"
        raise NothingToRead(f"{path} cannot be read: {why.lower()}.", todo) from None
