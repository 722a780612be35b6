"""Archives and packed filings of the samples, good and bad, without the hour at which they are made."""

from __future__ import annotations

import gzip
import tarfile
import zipfile
from collections.abc import Mapping
from io import BytesIO
from typing import Final

_FIRST_DAY: Final = (2026, 1, 1, 0, 0, 0)


def zipped(members: Mapping[str, bytes], *, packed: bool = True) -> bytes:
    """A .zip archive of some files."""
    target = BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED) as archive:
        for name, content in members.items():
            info = zipfile.ZipInfo(name, _FIRST_DAY)
            info.compress_type = archive.compression
            archive.writestr(info, content)
    return target.getvalue()


def tarred(members: Mapping[str, bytes]) -> bytes:
    """A .tar.gz archive of some files."""
    target = BytesIO()
    with tarfile.open(fileobj=target, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, BytesIO(content))
    return gzipped(target.getvalue())


def gzipped(content: bytes) -> bytes:
    """One file packed by gzip."""
    return gzip.compress(content, mtime=0)


def damaged_zip(content: bytes) -> bytes:
    """A .zip archive that stops in the middle."""
    whole = zipped({"declaration.xml": content}, packed=False)
    return whole[: len(whole) // 2]


def escaping_zip(name: str, content: bytes) -> bytes:
    """A .zip archive with a member that points out of the archive."""
    return zipped({name: content}, packed=False)
