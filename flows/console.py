"""What a person sees on a terminal: progress, tables, the control line. A pipe gets plain lines without colour."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

from rich import box
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn
from rich.table import Table

from dmfa.errors import DmfaError

OUT = Console(highlight=False, soft_wrap=True)
ERR = Console(stderr=True, highlight=False, soft_wrap=True)


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
    with Progress(*columns, console=ERR, transient=True, disable=not ERR.is_terminal) as bar:
        task = bar.add_task(what, total=total)
        yield lambda done: bar.advance(task, done)


def table(title: str, header: Sequence[str], rows: Iterable[Sequence[object]], right: Sequence[int] = ()) -> None:
    """Print a table; columns whose index is in `right` are flush right."""
    grid = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    for index, name in enumerate(header):
        grid.add_column(name, justify="right" if index in right else "left", overflow="fold")
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


def quiet_pipe() -> None:
    """End without a word when whoever reads our output has gone."""
    sys.stderr.close()
