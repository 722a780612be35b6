"""Files that are there whole or not at all."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from dmfa.address import Address, Place


def write_whole(path: Place, data: bytes, *, durable: bool = True, draft: str = "") -> None:
    """Write a file so that it is there whole or not at all; a folder that is missing is made.

    Args:
        path: the file; one that stands there is replaced.
        data: its content.
        durable: wait until the disk has it. A quarter's 240,000 small files could not be waited for one by one.
        draft: path of the file while it is being written, on the same disk; a new one beside it unless told.

    Raises:
        OSError: the disk is full or cannot be written; nothing is left behind.
    """
    if isinstance(path, Address):
        path.write_bytes(data)
        return
    # Plain calls and paths as text: for a small file, file objects and Paths take longer than the disk.
    draft = draft or f"{path}.{secrets.token_hex(4)}.part"
    try:
        handle = _opened(draft)
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = _opened(draft)
    try:
        try:
            _write(handle, data)
            if durable:
                os.fsync(handle)
        finally:
            os.close(handle)
        os.replace(draft, path)  # noqa: PTH105 - see above
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise


def write_new(path: Place, data: bytes) -> bool:
    """Write a file that is not there yet; not waited for on the disk, and whole unless the program dies meanwhile.

    For files whose name tells their content, so that half a file is found out: one move less for each.

    Args:
        path: the file.
        data: its content.

    Returns:
        Whether it was written; False where one stands there.

    Raises:
        OSError: the disk is full or cannot be written; nothing is left behind.
    """
    if isinstance(path, Address):
        path.write_bytes(data)
        return True
    name = str(path)
    try:
        handle = _opened(name, os.O_EXCL)
    except FileExistsError:
        return False
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
        return write_new(path, data)
    try:
        try:
            _write(handle, data)
        finally:
            os.close(handle)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return True


def _write(handle: int, data: bytes) -> None:
    left = memoryview(data)
    while left:
        left = left[os.write(handle, left) :]


def _opened(name: str, how: int = os.O_TRUNC) -> int:
    return os.open(name, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | how, 0o666)
