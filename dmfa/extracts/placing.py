"""A folder that appears whole or not at all, and the plain words for what can go wrong with it."""

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

from dmfa.errors import LakeBusy, LakeFull, LakeProblem

MANIFEST = "manifest.json"

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def manifest_in(folder: Path) -> dict[str, Any]:
    """The manifest in place; empty if there is none that can be read."""
    with suppress(FileNotFoundError, ValueError):
        found = json.loads((folder / MANIFEST).read_bytes())
        if isinstance(found, dict) and {"state", "ticket", "files", "attestations"} <= found.keys():
            return found
    return {}


def intact(folder: Path, manifest: dict[str, Any]) -> bool:
    """Whether all files are as the manifest says, and no other lies beside them."""
    found = {path.name: path for path in folder.iterdir() if path.name != MANIFEST}
    files = manifest["files"]
    return found.keys() == files.keys() and all(digest(path) == files[name]["sha256"] for name, path in found.items())


def digest(path: Path) -> str:
    """SHA-256 of a file, hexadecimal."""
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


def draft_of(folder: Path) -> Path:
    """The folder to write into, beside a delivery's place."""
    return _beside(folder, "partial")


def tidied(folder: Path) -> dict[str, Any]:
    """Clear what a killed run left beside a delivery's place; return the manifest of what stands there."""
    old, draft = _beside(folder, "old"), draft_of(folder)
    if old.exists():
        if folder.exists():
            shutil.rmtree(old)
        else:
            old.rename(folder)
    if draft.exists():
        shutil.rmtree(draft)
    return manifest_in(folder)


def put_in_place(draft: Path, folder: Path) -> None:
    """Move a finished folder to its place; what stood there goes only once the new one is in."""
    for path in (*draft.iterdir(), draft):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    old = _beside(folder, "old")
    if folder.exists():
        folder.rename(old)
    try:
        draft.rename(folder)
    except OSError:
        if old.exists():
            old.rename(folder)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _beside(folder: Path, kind: str) -> Path:
    return folder.with_name(f".{folder.name}.{kind}")


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Let no other run write the same delivery at the same time."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    try:
        with filelock.FileLock(_beside(folder, "lock"), timeout=0):
            yield
    except filelock.Timeout:
        raise LakeBusy(f"{folder} is being written by another run.", "Run again when it is done.") from None


@contextmanager
def border(folder: Path) -> Iterator[None]:
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
