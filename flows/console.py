"""What a person sees on a terminal: progress, tables, the control line. A pipe gets plain lines without colour."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from multiprocessing.sharedctypes import Synchronized
from typing import Protocol

from rich import box
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn
from rich.table import Table

from dmfa.errors import DmfaError

_PIPE_WIDTH = 200
"""Columns of a line where no terminal tells its own."""


def _console(stderr: bool) -> Console:
    console = Console(stderr=stderr, highlight=False, soft_wrap=True)
    if not console.is_terminal:
        console.width = _PIPE_WIDTH
    return console


OUT = _console(stderr=False)
ERR = _console(stderr=True)

Watcher = Callable[[str, int, int], None]

_watcher: ContextVar[Watcher] = ContextVar("watcher", default=lambda _what, _done, _total: None)


class Advance(Protocol):
    """Tells a progress bar that some bytes are done."""

    def __call__(self, done: int) -> None:
        """Add to what is done."""


@contextmanager
def progress(what: str, total: int) -> Iterator[Advance]:
    """A bar on standard error while work of a known number of bytes goes on; nothing if it is not a terminal."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    watcher, so_far = _watcher.get(), 0

    def advance(done: int) -> None:
        nonlocal so_far
        so_far += done
        bar.advance(task, done)
        if done:
            watcher(what, so_far, total)

    watcher(what, 0, total)
    with Progress(*columns, console=ERR, transient=True, disable=not ERR.is_terminal) as bar:
        task = bar.add_task(what, total=total)
        yield advance


@contextmanager
def watched(watcher: Watcher) -> Iterator[None]:
    """Let a function follow all progress that is made meanwhile: it is told what, how much is done, and of how much."""
    token = _watcher.set(watcher)
    try:
        yield
    finally:
        _watcher.reset(token)


@contextmanager
def following(counter: Synchronized[int], advance: Advance) -> Iterator[None]:
    """Move a bar by what worker processes count, a few times a second."""
    ended = threading.Event()
    seen = 0

    def look() -> None:
        nonlocal seen
        now = counter.value
        advance(now - seen)
        seen = now

    def follow() -> None:
        while not ended.wait(0.25):
            look()

    thread = threading.Thread(target=follow, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        look()


def table(title: str, header: Sequence[str], rows: Iterable[Sequence[object]], right: Sequence[int] = ()) -> None:
    """Print a table; columns whose index is in `right` are flush right."""
    grid = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    for index, name in enumerate(header):
        flush_right = index in right
        grid.add_column(name, justify="right" if flush_right else "left", no_wrap=flush_right, overflow="fold")
    for row in rows:
        grid.add_row(*("" if cell is None else str(cell) for cell in row))
    if grid.row_count:
        OUT.print(grid)


def say(text: str = "") -> None:
    """Print a line."""
    OUT.print(text, markup=False)


def complain(error: DmfaError) -> None:
    """Print an error on standard error: what and where, then what to do."""
    ERR.print(f"dmfa: {error.what}", markup=False)
    if error.todo:
        ERR.print(f"      {error.todo}", markup=False)


def quarter(code: int | None) -> str:
    """A quarter as people read it; a dash where none is known."""
    return f"{code // 10}/{code % 10}" if code else "-"


def reasons(found: Iterable[tuple[str, str, int | None]], most: int = 3) -> str:
    """The first anomalies of a filing in a cell: code, line and words of each."""
    lines = [f"{code}{f' (line {line})' if line else ''}: {message}" for code, message, line in found]
    more = [f"... and {len(lines) - most} more"] if len(lines) > most else []
    return "\n".join([*lines[:most], *more])
