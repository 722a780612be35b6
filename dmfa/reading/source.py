"""Where filings come from: files, folders, globs, and the members of archives."""

from __future__ import annotations

import os
import tarfile
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from operator import attrgetter
from pathlib import Path, PurePosixPath

from dmfa.address import Address, Place, below, place
from dmfa.errors import NothingToRead
from dmfa.reading.archive import ArchiveRefused, Member, members
from dmfa.reading.limits import Limits
from dmfa.reading.names import FileName, companion, declaration

_ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz")
_FILINGS = (".xml", ".gz")


@dataclass(frozen=True)
class Problem:
    """Why something found can not be read as a filing.

    Attributes:
        kind: `unreadable` (no byte could be had, not a filing at all), `bad_archive` (refused), or what the exchange
            has against it (see `dmfa.reading.transmissions`).
        message: one plain line.
    """

    kind: str
    message: str


@dataclass(frozen=True, slots=True)
class Found:
    """One filing, found but not yet opened.

    Attributes:
        name: name for reports and for the order of filings: relative to the folder or archive named by the user.
        path: file that holds it.
        member: its place in an archive, None for a plain file.
        size: bytes, as far as known before reading.
        problem: why it can not be read, None if nothing speaks against it.
        signature: the file that signs it, None without one.
        fault: why it is refused or warned of at reception though it can be read: its name, or its transmission.
    """

    name: str
    path: Place
    member: Member | None = None
    size: int = 0
    problem: Problem | None = None
    signature: Found | None = None
    fault: Problem | None = None


@dataclass(frozen=True)
class _Packing:
    """Where archives are unpacked, and how far."""

    spool: Place
    limits: Limits


@dataclass
class Sources:
    """What a search found.

    Attributes:
        filings: in the order of their names.
        companions: signatures (FS.), go files (GO.) and cancellations (TD.) beside them.
        left_alone: number of other files.
    """

    filings: list[Found] = field(default_factory=list)
    companions: list[Found] = field(default_factory=list)
    left_alone: int = 0


def find_filings(paths: Iterable[Place | str], spool: Place, limits: Limits | None = None) -> Sources:
    """Find the filings in files, folders, globs and archives.

    In a folder a filing is `*.xml`, `*.gz`, an archive, or a name that starts with FI.; a file named by the user is
    one whatever its name, and of a transmission in several files the others beside it are found too. Hidden files and
    folders are not looked at.

    Args:
        paths: files, folders or globs; in a store files and folders.
        spool: where .tar.gz archives are unpacked, for all who will read; the caller removes it after reading.
        limits: bounds on archives.

    Returns:
        The filings; those that can not be read carry the problem.

    Raises:
        NothingToRead: a path does not exist, or no filing was found.
    """
    packing = _Packing(spool, limits or Limits())
    sources = Sources()
    seen: set[Place] = set()
    named = [place(path) for path in paths]
    for root in named:
        for candidate in _files(root, sources):
            whole = candidate[0].absolute()
            if whole not in seen:
                seen.add(whole)
                _take(candidate, sources, packing)
    if not sources.filings:
        where = ", ".join(shown(str(path)) for path in named) or "no path"
        raise NothingToRead(
            f"no filing in {where}",
            "Name a file, or a folder with *.xml, *.xml.gz, FI. files or .zip, .tar, .tar.gz archives.",
        )
    put_in_order(sources.filings)
    return sources


def put_in_order(filings: list[Found]) -> None:
    """Sort filings by name; those of one name by where they are."""
    filings.sort(key=attrgetter("name"))
    if len({found.name for found in filings}) < len(filings):
        filings.sort(key=lambda found: (found.name, str(found.path), found.member or Member("")))


def shown(name: str) -> str:
    """A file name that is safe to print: what a terminal might obey, or could not print, becomes a question mark."""
    return name if name.isprintable() else "".join(letter if letter.isprintable() else "?" for letter in name)


_Candidate = tuple[Place, str, str, int | None]
"""A file, its name relative to what the user named, what it is, and its size where it need not be asked for."""


def _files(root: Place, sources: Sources) -> Iterator[_Candidate]:
    """Files under a path."""
    if isinstance(root, Address):
        yield from _stored(root)
    elif root.is_dir():
        yield from _walk(root, sources)
    elif os.path.lexists(root):
        yield root, root.name, _kind(root.name, named=True), None
        yield from _beside(root)
    elif any(letter in str(root) for letter in "*?["):
        base = Path(root.anchor or ".")
        for path in sorted(base.glob(str(root.relative_to(root.anchor)))):
            if path.is_dir():
                yield from _walk(path, sources)
            elif not path.name.startswith("."):
                yield path, path.name, _kind(path.name, named=True), None
                yield from _beside(path)
    else:
        raise NothingToRead(f"there is no {shown(str(root))}", "Check the path.")


def _beside(named: Path) -> Iterator[_Candidate]:
    """The other files of the transmission of a file that the user named."""
    name = FileName.of(named.name)
    for other in name.others() if name else ():
        path = named.with_name(other)
        if path.exists():
            yield path, other, _kind(other, named=False), None


def _stored(root: Address) -> Iterator[_Candidate]:
    """The files of a store at an address, listed with their sizes."""
    try:
        found = root.files()
    except OSError as error:
        raise NothingToRead(f"{shown(str(root))} can not be read: {error.strerror}", "Check the address.") from None
    if not found:
        raise NothingToRead(f"there is no {shown(str(root))}", "Check the address.")
    for file, facts in found.items():
        name = file.name if file == root else below(file, root)
        hidden = any(part.startswith(".") for part in name.split("/"))
        if file == root or not hidden:
            yield file, name, _kind(file.name, named=file == root), facts.st_size


def _walk(root: Path, sources: Sources) -> Iterator[_Candidate]:
    def unreadable(error: OSError) -> None:
        path = Path(error.filename or root)
        sources.filings.append(Found(shown(path.name), path, problem=_unreadable(error)))

    for folder, inner, names in os.walk(root, onerror=unreadable):
        inner[:] = sorted(name for name in inner if not name.startswith("."))
        here = Path(folder)
        within = "" if here == root else f"{here.relative_to(root).as_posix()}/"
        for name in sorted(names):
            yield here / name, within + name, _kind(name, named=False), None


def _take(candidate: _Candidate, sources: Sources, packing: _Packing) -> None:
    path, name, kind, size = candidate
    if kind == "archive":
        sources.filings.extend(_archive(path, name, sources, packing))
    elif kind in {"filing", "companion"}:
        kept = sources.filings if kind == "filing" else sources.companions
        try:
            kept.append(Found(shown(name), path, size=path.stat().st_size if size is None else size))
        except OSError as error:
            kept.append(Found(shown(name), path, problem=_unreadable(error)))
    else:
        sources.left_alone += 1


def _archive(path: Place, name: str, sources: Sources, packing: _Packing) -> list[Found]:
    """Every filing of an archive; whatever is wrong with the archive is told of the archive as one filing."""
    try:
        size = path.stat().st_size
    except OSError as error:
        return [Found(shown(name), path, problem=_unreadable(error))]
    try:
        home, inside = members(path, packing.spool, packing.limits)
    except ArchiveRefused as refusal:
        return [Found(shown(name), path, size=size, problem=Problem("bad_archive", str(refusal)))]
    except (zipfile.BadZipFile, tarfile.TarError, EOFError, NotImplementedError, ValueError):
        return [Found(shown(name), path, size=size, problem=Problem("bad_archive", "the archive is damaged"))]
    except OSError as error:
        return [Found(shown(name), path, problem=_unreadable(error))]
    found = []
    for member in inside:
        kind = _kind(PurePosixPath(member.name.replace("\\", "/")).name, named=False)
        one = Found(shown(f"{name}/{member.name}"), home, member, member.size, _member_problem(member, kind))
        if kind in {"filing", "archive"}:
            found.append(one)
        elif kind == "companion":
            sources.companions.append(one)
        else:
            sources.left_alone += 1
    return found or [Found(shown(name), path, size=size, problem=Problem("bad_archive", "no filing is in it"))]


def _member_problem(member: Member, kind: str) -> Problem | None:
    inner = PurePosixPath(member.name.replace("\\", "/"))
    if inner.is_absolute() or ".." in inner.parts or ":" in inner.parts[0]:
        return Problem("bad_archive", "its name in the archive points outside the archive")
    if kind == "archive":
        return Problem("bad_archive", "it is an archive inside an archive")
    return Problem("bad_archive", member.problem) if member.problem else None


def _kind(name: str, named: bool) -> str:
    """What a file is by its name: archive, filing, companion, or nothing of ours (empty)."""
    low = name.lower()
    if name.startswith("."):
        return "filing" if named else ""
    if low.endswith(_ARCHIVES):
        return "archive"
    if companion(name):
        return "companion"
    return "filing" if named or low.endswith(_FILINGS) or declaration(name) else ""


def _unreadable(error: OSError) -> Problem:
    return Problem("unreadable", f"it can not be read ({error.strerror or 'input error'})")
