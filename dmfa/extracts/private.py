"""Files that hold a secret: their owner alone may have them."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Final

from dmfa.errors import WrongUsage

_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


def must_be_private(file: Path, what: str) -> None:
    """Refuse a file that anybody but its owner can read or write.

    Args:
        file: the file.
        what: what it is, in words.

    Raises:
        WrongUsage: others can.
        OSError: there is no such file, or it cannot be looked at.
    """
    mode = file.stat().st_mode
    if mode & _OTHERS:
        raise WrongUsage(
            f"the {what} {file} can be read or written by others (mode {stat.S_IMODE(mode):03o}).",
            f"Let its owner alone have it: chmod 600 {file}. If others had it, make a new one.",
        )
