"""Where filings come from: files, folders, globs, and the members of archives."""

from __future__ import annotations

import os
import tarfile
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from dmfa.errors import NothingToRead
from dmfa.reading.archive import ArchiveRefused, Member, members
from dmfa.reading.limits import Limits

_ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz")
_FILINGS = (".xml", ".gz")
_COMPANIONS = ("FS.", "GO.")


@dataclass(frozen=True)
class Problem:
    """Why something found can not be read as a filing.

    Attributes:
        kind: `unreadable` (no byte could be had, not a filing at all) or `bad_archive` (refused).
        message: one plain line.
    """

    kind: str
    message: str


@dataclass(frozen=True)
class Found:
    """One filing, found but not yet opened.

    Attributes:
        name: name for reports and for the order of filings: relative to the folder or archive named by the user.
        path: file that holds it.
        member: its place in an archive, None for a plain file.
        size: bytes, as far as known before reading.
        problem: why it can not be read, None if nothing speaks against it.
    """

    name: str
    path: Path
    member: Member | None = None
    size: int = 0
    problem: Problem | None = None


@dataclass(frozen=True)
class _Packing:
    """Where archives are unpacked, and how far."""

    spool: Path
    limits: Limits


@dataclass
class Sources:
    """What a search found.

    Attributes:
        filings: in the order of their names.
        companions: number of signatures (FS.) and go files (GO.) beside them.
        left_alone: number of other files.
    """

    filings: list[Found] = field(default_factory=list)
    companions: int = 0
    left_alone: int = 0


def find_filings(paths: Iterable[Path | str], spool: Path, limits: Limits | None = None) -> Sources:
    """Find the filings in files, folders, globs and archives.

    In a folder a filing is `*.xml`, `*.gz`, an archive, or a name that starts with FI.; a file named by the user is
    one whatever its name. Hidden files and folders are not looked at.

    Args:
        paths: files, folders or globs.
        spool: a folder in which .tar.gz archives are unpacked; the caller removes it after reading.
        limits: bounds on archives.

    Returns:
        The filings; those that can not be read carry the problem.

    Raises:
        NothingToRead: a path does not exist, or no filing was found.
    """
    packing = _Packing(spool, limits or Limits())
    sources = Sources()
    seen: set[Path] = set()
    named = [Path(path) for path in paths]
    for root in named:
        for path, name, kind in _files(root, sources):
            place = path.absolute()
            if place not in seen:
                seen.add(place)
                _take(kind, path, name, sources, packing)
    if not sources.filings:
        where = ", ".join(shown(str(path)) for path in named) or "no path"
        raise NothingToRead(
            f"no filing in {where}",
            "Name a file, or a folder with *.xml, *.xml.gz, FI. files or .zip, .tar, .tar.gz archives.",
        )
    sources.filings.sort(key=lambda found: (found.name, str(found.path), found.member or Member("")))
    return sources


def shown(name: str) -> str:
    """A file name that is safe to print: what a terminal might obey, or could not print, becomes a question mark."""
    return name if name.isprintable() else "".join(letter if letter.isprintable() else "?" for letter in name)


def _files(root: Path, sources: Sources) -> Iterator[tuple[Path, str, str]]:
    """Files under a path with their names relative to it and what they are."""
    if root.is_dir():
        yield from _walk(root, sources)
    elif os.path.lexists(root):
        yield root, root.name, _kind(root.name, named=True)
    elif any(letter in str(root) for letter in "*?["):
        base = Path(root.anchor or ".")
        for path in sorted(base.glob(str(root.relative_to(root.anchor)))):
            if path.is_dir():
                yield from _walk(path, sources)
            elif not path.name.startswith("."):
                yield path, path.name, _kind(path.name, named=True)
    else:
        raise NothingToRead(f"there is no {shown(str(root))}", "Check the path.")


def _walk(root: Path, sources: Sources) -> Iterator[tuple[Path, str, str]]:
    def unreadable(error: OSError) -> None:
        path = Path(error.filename or root)
        sources.filings.append(Found(shown(path.name), path, problem=_unreadable(error)))

    for folder, inner, names in os.walk(root, onerror=unreadable):
        inner[:] = sorted(name for name in inner if not name.startswith("."))
        place = Path(folder)
        within = "" if place == root else f"{place.relative_to(root).as_posix()}/"
        for name in sorted(names):
            yield place / name, within + name, _kind(name, named=False)


def _take(kind: str, path: Path, name: str, sources: Sources, packing: _Packing) -> None:
    if kind == "archive":
        sources.filings.extend(_archive(path, name, sources, packing))
    elif kind == "filing":
        try:
            sources.filings.append(Found(shown(name), path, size=path.stat().st_size))
        except OSError as error:
            sources.filings.append(Found(shown(name), path, problem=_unreadable(error)))
    elif kind == "companion":
        sources.companions += 1
    else:
        sources.left_alone += 1


def _archive(path: Path, name: str, sources: Sources, packing: _Packing) -> list[Found]:
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
        if kind in {"filing", "archive"}:
            label = shown(f"{name}/{member.name}")
            found.append(Found(label, home, member, member.size, _member_problem(member, kind)))
        elif kind == "companion":
            sources.companions += 1
        else:
            sources.left_alone += 1
    return found or [Found(shown(name), path, size=size, problem=Problem("bad_archive", "no filing is in it"))]


def _member_problem(member: Member, kind: str) -> Problem | None:
    place = PurePosixPath(member.name.replace("\\", "/"))
    if place.is_absolute() or ".." in place.parts or ":" in place.parts[0]:
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
    if name.startswith(_COMPANIONS):
        return "companion"
    return "filing" if named or low.endswith(_FILINGS) or name.startswith("FI.") else ""


def _unreadable(error: OSError) -> Problem:
    return Problem("unreadable", f"it can not be read ({error.strerror or 'input error'})")
