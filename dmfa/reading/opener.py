"""The bytes of one filing, safely: unpacked within limits, hashed, and looked at before any parser sees them."""

from __future__ import annotations

import hashlib
import os
import re
import stat
from dataclasses import dataclass

from dmfa.address import Address
from dmfa.reading.archive import ArchiveRefused, Member, gunzip, read_member
from dmfa.reading.limits import Limits
from dmfa.reading.source import Found

_GZIP = b"\x1f\x8b"
_PIECE = 1 << 22
_PROLOG = re.compile(r"(?:\s+|<\?.*?\?>|<!--.*?-->)*", re.DOTALL)
_SOMETHING = re.compile(rb"[^ \t\r\n\0]")
_USUAL_PROLOG = 1 << 10
_LONGEST_PROLOG = 1 << 20


@dataclass(frozen=True)
class Refusal:
    """Why a whole filing is refused.

    Attributes:
        kind: one word for programs: empty, too_large, bad_gzip, bad_archive, doctype, encoding, not_well_formed,
            not_dmfa.
        message: one plain line without content of the filing.
        line: line in the file, where known.
    """

    kind: str
    message: str
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Opened:
    """What opening a filing gave.

    Attributes:
        data: the bytes of which sha256 is the digest, to be kept as received; to be parsed only without a refusal. None
            if no byte could be read, or the filing is too large or sits in a damaged archive.
        sha256: hexadecimal SHA-256 of the unpacked bytes (of the packed ones where they can not be unpacked), so that
            one declaration is the same filing however it was packed; None if no byte could be read.
        size: number of those bytes.
        refusal: why the filing is refused.
        unreadable: why no byte could be had.
        warning: what was found at reception that is told and refuses nothing; its kind is an official code.
    """

    data: bytes | None = None
    sha256: str | None = None
    size: int = 0
    refusal: Refusal | None = None
    unreadable: str | None = None
    warning: Refusal | None = None


def open_filing(found: Found, limits: Limits | None = None) -> Opened:
    """Read one filing. Nothing raises: what is wrong stands in the answer."""
    bounds = limits or Limits()
    if found.problem is not None and found.problem.kind == "unreadable":
        return Opened(unreadable=found.problem.message)
    try:
        if found.problem is not None:
            return _refused(_digest(found), found.size, Refusal(found.problem.kind, found.problem.message))
        return _plain(found, bounds) if found.member is None else _packed(found, found.member, bounds)
    except OSError as error:
        return Opened(unreadable=f"it can not be read ({error.strerror or 'input error'})")
    except _ChangedMeanwhile:
        return Opened(unreadable="it changed while it was being read; try again when it is complete")


class _ChangedMeanwhile(Exception):
    """The file grew, shrank or was written while it was read."""


def _plain(found: Found, limits: Limits) -> Opened:
    if isinstance(found.path, Address):
        # A store gives out a file as it was when it was asked for, whoever writes meanwhile.
        if found.size > limits.filing_bytes:
            return _refused(_digest(found), found.size, Refusal("too_large", _size_clause(limits)))
        return _unpacked(found.path.read_bytes(), limits)
    # O_NONBLOCK: opening a pipe that nobody writes to would wait for ever.
    handle = os.open(found.path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    before = os.fstat(handle)
    if not stat.S_ISREG(before.st_mode):
        os.close(handle)
        return Opened(unreadable="it is not a file")
    with os.fdopen(handle, "rb") as file:
        if before.st_size > limits.filing_bytes:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            return _refused(digest, before.st_size, Refusal("too_large", _size_clause(limits)))
        data = file.read(before.st_size + 1)
        after = os.fstat(file.fileno())
    if len(data) != before.st_size or (before.st_mtime_ns, before.st_size) != (after.st_mtime_ns, after.st_size):
        raise _ChangedMeanwhile
    return _unpacked(data, limits)


def _unpacked(data: bytes, limits: Limits) -> Opened:
    if not data.startswith(_GZIP):
        return _checked(data)
    try:
        return _checked(gunzip(data, limits))
    except ArchiveRefused as refusal:
        return Opened(data, hashlib.sha256(data).hexdigest(), len(data), Refusal("bad_gzip", str(refusal)))


def _packed(found: Found, member: Member, limits: Limits) -> Opened:
    try:
        return _checked(read_member(found.path, member, limits))
    except ArchiveRefused as refusal:
        return _refused(_digest(found), found.size, Refusal("bad_archive", str(refusal)))


def _checked(data: bytes) -> Opened:
    digest = hashlib.sha256(data).hexdigest()
    return Opened(data, digest, len(data), _first_look(data))


def _refused(digest: str, size: int, refusal: Refusal) -> Opened:
    return Opened(sha256=digest, size=size, refusal=refusal)


def _digest(found: Found) -> str:
    """A hash for a filing whose bytes can not be had: its archive's bytes and its name in it."""
    with found.path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256")
    if found.member is not None:
        digest.update(f"{found.member.name}\0{found.member.offset}".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def _size_clause(limits: Limits) -> str:
    return f"it is larger than {limits.filing_bytes >> 20} MB"


def _first_look(data: bytes) -> Refusal | None:
    """Refuse before parsing what no parser needs to see: nothing at all, something packed, a DOCTYPE."""
    if _SOMETHING.search(data) is None:
        return Refusal("empty", "it is empty")
    if data.startswith(_GZIP):
        return Refusal("bad_gzip", "it is packed twice")
    head, end = _prolog(data[:_USUAL_PROLOG])
    if _out_of_sight(head, end) and len(data) > _USUAL_PROLOG:
        head, end = _prolog(data[:_LONGEST_PROLOG])
    if head is None:
        return Refusal("not_well_formed", "it is not XML: it does not start with '<'", 1)
    if head.startswith("<!DOCTYPE", end):
        line = head.count("\n", 0, end) + 1
        return Refusal("doctype", f"it declares a DOCTYPE (line {line}), which DmfA forbids", line)
    if _out_of_sight(head, end) and len(data) > _LONGEST_PROLOG:
        return Refusal("not_well_formed", "its first element does not start within the first megabyte", 1)
    return None


def _prolog(start: bytes) -> tuple[str | None, int]:
    """The start of a file as text, None if it is no XML, and where what precedes the first element ends in it."""
    head = _decoded(start)
    prolog = _PROLOG.match(head or "")
    return head, prolog.end() if prolog else 0


def _out_of_sight(head: str | None, end: int) -> bool:
    """Whether the first element does not start in a piece of the file."""
    return head is None or end + 1 >= len(head) or head.startswith(("<!", "<?"), end)


def _decoded(head: bytes) -> str | None:
    """The start of an XML file as text, good enough to see its markup; None if it is no XML."""
    for mark, encoding in (
        (b"\xef\xbb\xbf", "latin-1"),
        (b"\xff\xfe", "utf-16-le"),
        (b"\xfe\xff", "utf-16-be"),
        (b"<\0", "utf-16-le"),
        (b"\0<", "utf-16-be"),
    ):
        if head.startswith(mark):
            # Every byte order mark's own letters are skipped: as latin-1 they are three letters, else one.
            text = head.decode(encoding, "replace")
            return text.lstrip("\xef\xbb\xbf\ufeff")
    text = head.decode("latin-1")
    return text if text.lstrip(" \t\r\n").startswith("<") else None
