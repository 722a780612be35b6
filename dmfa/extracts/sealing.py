"""Encryption of files for their recipient, by its public key of age (X25519).

Every encryption gives other bytes: the digest of the plain file is what tells whether two are the same.
"""

from __future__ import annotations

import errno
import os
from io import BufferedIOBase
from typing import IO, BinaryIO, Final, cast

from dmfa.address import Place

SUFFIX: Final = ".age"
"""Added to the name of an encrypted file."""


def encrypted(path: Place, public_key: str) -> Place:
    """Encrypt a file; the plain one is removed.

    Args:
        path: the file.
        public_key: key of the recipient, `age1...`.

    Returns:
        The encrypted file, beside it.

    Raises:
        OSError: it cannot be read or written.
    """
    import pyrage  # only where a row names a key

    sealed = path.with_name(path.name + SUFFIX)
    recipient = pyrage.x25519.Recipient.from_str(public_key)
    with path.open("rb") as plain, sealed.open("wb") as file:
        kept = _Kept(file)
        try:
            pyrage.encrypt_io(plain, cast("BufferedIOBase", kept), [recipient])
        except pyrage.EncryptError:
            raise kept.trouble or OSError(errno.EIO, os.strerror(errno.EIO), str(path)) from None
        if kept.trouble is not None:  # of what it holds back to the end, the library tells no trouble at all
            raise kept.trouble
    path.unlink()
    return sealed


class _Kept:
    """A file that keeps the trouble that stopped it: the library tells it as a text alone."""

    def __init__(self, file: IO[bytes] | BinaryIO) -> None:
        self._file = file
        self.trouble: OSError | None = None

    def write(self, data: bytes) -> int:
        try:
            return self._file.write(data)
        except OSError as trouble:
            self.trouble = trouble
            raise

    def flush(self) -> None:
        try:
            self._file.flush()
        except OSError as trouble:
            self.trouble = trouble
            raise
