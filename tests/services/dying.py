"""What a Dask worker is told to load first (`dask worker --preload`), so that it comes to grief within a share.

DYING is how: `killed` when the first of a share's files are in the store, but not all; `memory`: more and more of it is
taken.
"""

from __future__ import annotations

import os
import signal
from typing import Any

from dmfa.lake import writing
from flows.stages import item

_close = writing.ItemWriter.close
_done: list[int] = []


def killed(writer: writing.ItemWriter, inputs: Any) -> Any:
    """Finish some files, then be gone; another time."""
    if _done:
        for sheet in list(writer._sheets.values())[:5]:
            sheet.close()
        os.kill(os.getpid(), signal.SIGKILL)
    _done.append(1)
    return _close(writer, inputs)


def hungry(_: Any) -> Any:
    """Take memory until somebody puts an end to it."""
    taken = []
    while len(taken) < 200:
        taken.append(b"x" * (10 << 20))
    signal.pause()


if os.environ.get("DYING") == "killed":
    writing.ItemWriter.close = killed  # type: ignore[method-assign]
elif os.environ.get("DYING") == "memory":
    item.process = hungry
