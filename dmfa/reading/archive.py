"""The members of .zip, .tar and .tar.gz archives, taken straight to bytes and never written under their own names."""

from __future__ import annotations

import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from dmfa.address import Address, Place
from dmfa.reading.limits import Limits

_PIECE = 1 << 20


class ArchiveRefused(Exception):
    """An archive, or one packed filing, that is not worth reading on; the message is one plain clause."""


@dataclass(frozen=True, order=True)
class Member:
    """One file inside an archive.

    Attributes:
        name: its name in the archive.
        offset: where its header (zip) or its bytes (tar) start, which tells members of one name apart.
        size: unpacked bytes, as the archive says.
        zipped: whether the archive is a zip.
        problem: why it can not be taken, empty if nothing speaks against it.
    """

    name: str
    offset: int = 0
    size: int = 0
    zipped: bool = False
    problem: str = ""


def members(path: Place, spool: Place, limits: Limits) -> tuple[Place, list[Member]]:
    """List an archive.

    Args:
        path: a .zip, .tar, .tar.gz or .tgz file.
        spool: folder into which a .tar.gz is unpacked once, so that its members can be read in any order.
        limits: bounds on sizes and numbers.

    Returns:
        The file from which members are read (the archive, or its unpacked twin) and its members, folders left out.

    Raises:
        ArchiveRefused: it is past a limit.
        zipfile.BadZipFile, tarfile.TarError, EOFError, OSError: it is damaged or unreadable.
    """
    if path.name.lower().endswith(".zip"):
        return path, _zip_members(path, limits)
    home = _unpacked(path, spool, limits) if path.name.lower().endswith(("gz", "tgz")) else path
    return home, list(_tar_members(home, limits))


def read_member(path: Place, member: Member, limits: Limits) -> bytes:
    """Bytes of one member.

    Raises:
        ArchiveRefused: it is larger than allowed, or damaged.
        OSError: the archive can not be read.
    """
    if not member.zipped:
        if member.size > limits.filing_bytes:
            raise ArchiveRefused(too_large(limits))
        if isinstance(path, Address):
            data = path.read_part(member.offset, member.offset + member.size) if member.size else b""
        else:
            with path.open("rb") as file:
                file.seek(member.offset)
                data = file.read(member.size)
        if len(data) < member.size:
            raise ArchiveRefused("the archive ends before it does")
        return data
    archive, infos = _zip(path)
    try:
        with archive.open(infos[member.offset]) as packed:
            data = packed.read(limits.filing_bytes + 1)
    except (zipfile.BadZipFile, zlib.error, EOFError, KeyError, RuntimeError, NotImplementedError) as error:
        raise ArchiveRefused("it is damaged, encrypted or packed in an unknown way") from error
    if len(data) > limits.filing_bytes:
        raise ArchiveRefused(too_large(limits))
    return data


def gunzip(packed: bytes, limits: Limits) -> bytes:
    """Unpack one gzip file within the limits.

    Raises:
        ArchiveRefused: it is damaged, or grows past a limit.
    """
    pieces: list[bytes] = []
    size = 0
    for piece in _inflated(BytesIO(packed)):
        size += len(piece)
        if size > limits.filing_bytes or limits.expands_too_far(len(packed), size):
            raise ArchiveRefused(too_large(limits))
        pieces.append(piece)
    return b"".join(pieces)


def too_large(limits: Limits) -> str:
    """The clause that says that something is past the limits."""
    return (
        f"it is larger than {limits.filing_bytes >> 20} MB unpacked, or grows more than {limits.expansion} times "
        "when unpacked"
    )


def _zip_members(path: Place, limits: Limits) -> list[Member]:
    archive, infos = _zip(path)
    if len(infos) > limits.members:
        raise ArchiveRefused(f"it holds more than {limits.members} files")
    unpacked = sum(info.file_size for info in infos.values())
    if unpacked > limits.archive_bytes or limits.expands_too_far(path.stat().st_size, unpacked):
        raise ArchiveRefused("it grows too large when unpacked")
    found = []
    for info in archive.infolist():
        if not info.is_dir():
            problem = "it is encrypted" if info.flag_bits & 0x1 else ""
            found.append(Member(info.filename, info.header_offset, info.file_size, True, problem))
    return found


def _zip(path: Place) -> tuple[zipfile.ZipFile, dict[int, zipfile.ZipInfo]]:
    """A zip opened once per process: reading its directory for each member would take longer than the member."""
    state = path.stat()
    return _opened_zip(path, state.st_mtime, state.st_size)


@lru_cache(maxsize=1)
def _opened_zip(path: Place, _changed: float, _size: int) -> tuple[zipfile.ZipFile, dict[int, zipfile.ZipInfo]]:
    archive = zipfile.ZipFile(path if isinstance(path, Path) else path.open())
    return archive, {info.header_offset: info for info in archive.infolist()}


def _tar_members(path: Place, limits: Limits) -> Iterator[Member]:
    with path.open("rb") as file, tarfile.open(fileobj=file, mode="r:") as archive:
        for number, info in enumerate(archive):
            if number >= limits.members:
                raise ArchiveRefused(f"it holds more than {limits.members} files")
            if info.isreg() and not info.issparse():
                yield Member(info.name, info.offset_data, info.size)
            elif not info.isdir():
                yield Member(info.name, info.offset_data, 0, False, "it is a link or a device, not a file")


def _unpacked(path: Place, spool: Place, limits: Limits) -> Place:
    """Unpack a .tar.gz into the spool."""
    packed_size = path.stat().st_size
    target = spool / f"{sha256(str(path.absolute()).encode('utf-8', 'surrogateescape')).hexdigest()}.tar"
    with path.open("rb") as packed, target.open("wb") as unpacked:
        size = 0
        for piece in _inflated(packed):
            size += len(piece)
            if size > limits.archive_bytes or limits.expands_too_far(packed_size, size):
                raise ArchiveRefused("it grows too large when unpacked")
            unpacked.write(piece)
    return target


def _inflated(packed: BinaryIO) -> Iterator[bytes]:
    """Unpack gzip piece by piece; one file may hold several gzip members, and zeros behind the last."""
    stream = zlib.decompressobj(wbits=31)
    rest = b""
    at_end = False
    while True:
        if not rest:
            rest = packed.read(_PIECE)
            at_end = not rest
        if stream.eof:
            rest = rest.lstrip(b"\0")
            if not rest and at_end:
                return
            if not rest:
                continue
            stream = zlib.decompressobj(wbits=31)
        try:
            piece = stream.decompress(rest, 8 * _PIECE)
        except zlib.error as error:
            raise ArchiveRefused("its gzip packing is damaged") from error
        rest = stream.unused_data if stream.eof else stream.unconsumed_tail
        if piece:
            yield piece
        elif at_end and not stream.eof:
            raise ArchiveRefused("its gzip packing ends too early")
