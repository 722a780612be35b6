"""A folder that appears whole or not at all, and the plain words for what can go wrong with it.

In a store no folder can be moved: there a delivery is whole while its manifest stands in it, which goes first and comes
back last.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import file_digest
from pathlib import Path
from typing import Any

import filelock
import polars as pl
import pyarrow as pa
from lxml import etree

from dmfa.address import Place, remove
from dmfa.errors import LakeBusy, LakeFull, LakeProblem

MANIFEST = "manifest.json"
SIGNATURE = ".p7s"
"""Added to the name of a file: its signature."""

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def manifest_in(folder: Place) -> dict[str, Any]:
    """The manifest in place; empty if there is none that can be read."""
    with suppress(FileNotFoundError, ValueError):
        found = json.loads((folder / MANIFEST).read_bytes())
        if isinstance(found, dict) and {"state", "ticket", "files", "attestations"} <= found.keys():
            return found
    return {}


def intact(folder: Place, manifest: dict[str, Any]) -> bool:
    """Whether all files and their signatures are as the manifest says, and no other lies beside them."""
    found = {path.name: path for path in folder.iterdir() if path.name not in (MANIFEST, MANIFEST + SIGNATURE)}
    files = {name: facts["sha256"] for name, facts in manifest["files"].items()} | manifest.get("signatures", {})
    return found.keys() == files.keys() and all(digest(path) == files[name] for name, path in found.items())


def listed(folder: Place) -> list[Place]:
    """What is in a folder, by name; nothing if there is none."""
    found: list[Place] = [] if isinstance(folder, Path) and not folder.is_dir() else [*folder.iterdir()]
    return sorted(found, key=lambda path: path.name)


def digest(path: Place) -> str:
    """SHA-256 of a file, hexadecimal."""
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


def draft_of(folder: Place) -> Place:
    """The folder to write into, beside a delivery's place."""
    return _beside(folder, "partial")


def tidied(folder: Place) -> dict[str, Any]:
    """Clear what a killed run left beside a delivery's place; return the manifest of what stands there."""
    remove(draft_of(folder))
    old = _beside(folder, "old")
    if isinstance(folder, Path) and isinstance(old, Path) and old.exists():
        if folder.exists():
            _set_aside(old, folder)
        else:
            old.rename(folder)
    return manifest_in(folder)


def put_in_place(draft: Place, folder: Place) -> None:
    """Move a finished folder to its place; what stood there is set aside only once the new one is in.

    Another delivery that stood there stays beside it, `<folder>.<its number>`, until its time is over.
    """
    if isinstance(draft, Path) and isinstance(folder, Path):
        _move(draft, folder)
        return
    beside = _beside_for(folder, draft, folder)
    if beside is not None:
        kept: list[Place] = [*folder.iterdir()]
        for path in sorted(kept, key=lambda path: path.name != MANIFEST):
            path.replace(beside / path.name)  # type: ignore[arg-type]
    (folder / MANIFEST).unlink(missing_ok=True)
    before = {path.name: path for path in folder.iterdir()}
    files = {path.name: path for path in draft.iterdir()}
    for name in sorted(files, key=lambda name: name == MANIFEST):
        if name == MANIFEST:
            for other in before.keys() - files.keys():
                before[other].unlink()
        files[name].replace(folder / name)  # type: ignore[arg-type]


def _move(draft: Path, folder: Path) -> None:
    for path in (*draft.iterdir(), draft):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    old = folder.with_name(_beside(folder, "old").name)
    if folder.exists():
        folder.rename(old)
    try:
        draft.rename(folder)
    except OSError:
        if old.exists():
            old.rename(folder)
        raise
    _set_aside(old, folder)


def _beside_for(before: Place, after: Place, folder: Place) -> Place | None:
    """Where a delivery goes when another one takes its place; None if the other is the same."""
    old, new = manifest_in(before), manifest_in(after)
    if not old or not new or old["ticket"] == new["ticket"]:
        return None
    beside = folder.with_name(f"{folder.name}.{old.get('number', 1)}")
    return None if beside.exists() else beside


def _set_aside(old: Path, folder: Path) -> None:
    """Keep a delivery that was replaced beside the one that replaced it; nothing is kept of the same one."""
    beside = _beside_for(old, folder, folder) if old.exists() else None
    if isinstance(beside, Path):
        old.rename(beside)
    else:
        shutil.rmtree(old, ignore_errors=True)


def cleared(folder: Place) -> None:
    """Remove a folder that is no longer needed; one that cannot be removed now is removed by the next run."""
    with suppress(OSError):
        remove(folder)


def _beside(folder: Place, kind: str) -> Place:
    return folder.with_name(f".{folder.name}.{kind}")


@contextmanager
def alone(folder: Place) -> Iterator[None]:
    """Let no other run write the same delivery at the same time; in a store the lake's one writer sees to that."""
    if not isinstance(folder, Path):
        yield
        return
    folder.parent.mkdir(parents=True, exist_ok=True)
    try:
        with filelock.FileLock(str(_beside(folder, "lock")), timeout=0):
            yield
    except filelock.Timeout:
        raise LakeBusy(f"{folder} is being written by another run.", "Run again when it is done.") from None


@contextmanager
def border(folder: Place) -> Iterator[None]:
    """Tell failures in plain words: messages of Polars, Arrow and lxml quote values."""
    try:
        yield
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        kind = LakeFull if error.errno in _FULL else LakeProblem
        raise kind(
            f"the delivery {folder} could not be written: {reason}.",
            "What stood there before still does. Free space or correct the rights, then run again.",
        ) from None
    except (pl.exceptions.PolarsError, pa.ArrowException, etree.LxmlError) as error:
        raise LakeProblem(
            f"the delivery {folder} could not be put together ({type(error).__name__}).",
            "What stood there before still does. Run `dmfa doctor` to look at the lake.",
        ) from None
