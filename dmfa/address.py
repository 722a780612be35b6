"""Where files are: on this machine's disks, or in a store that every machine of a cluster reaches, such as S3.

A path stays a `Path`. An address like `s3://bucket/folder`, as fsspec names it, becomes an `Address`, which answers to
as much of a path's ways as this project uses, so that whoever reads or writes need not know which of the two it holds.
Who may enter is the store's own matter: keys come from where its client finds them (for S3 the AWS_* variables, its
configuration files, or the role of the machine) and are never part of an address.
"""

from __future__ import annotations

import errno
import io
import os
import re
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import IO, Any, BinaryIO, Literal, TypeAlias, TypeVar, cast, overload

from dmfa.errors import WrongUsage

T = TypeVar("T")
R = TypeVar("R")

_SCHEME = re.compile(r"([a-zA-Z][a-zA-Z0-9+.-]+)://(.+)", re.DOTALL)
_READ_AHEAD = 1 << 20
"""Bytes asked for at once where somebody reads little by little."""

_BLOCK = 8 << 20
"""Bytes of a file being written that are kept before they are sent: S3 takes no part below 5 MB but the last."""

_AT_ONCE = 16
"""Files of a store that are read or written at the same time."""

_WORDS = {
    errno.EACCES: "access denied: check the rights of the keys in use",
    errno.ENOENT: "no such file or bucket",
    errno.EIO: "the store does not answer as it should: check its endpoint, and that there are keys",
}

Place: TypeAlias = "Path | Address"
"""A file or folder, wherever it is."""


def place(text: str | Place) -> Place:
    """The place that a text names: an address with a scheme, else a path.

    Raises:
        WrongUsage: the scheme is unknown here, or the address holds keys.
    """
    if isinstance(text, Path | Address):
        return text
    return Address.of(text) if _SCHEME.fullmatch(text) else Path(text)


@dataclass(frozen=True)
class Facts:
    """What a store tells of a file, under the names of `os.stat_result`."""

    st_size: int
    st_mtime: float


@dataclass(frozen=True, order=True)
class Address:
    """A file or folder in a store.

    Attributes:
        scheme: kind of the store, e.g. `s3`.
        path: bucket and key, without a slash at either end.
    """

    scheme: str
    path: str

    @classmethod
    def of(cls, text: str) -> Address:
        """Read an address.

        Raises:
            WrongUsage: the scheme is unknown here, or the address holds keys.
        """
        match = _SCHEME.fullmatch(text)
        if match is None or "@" in match[2].partition("/")[0]:
            raise WrongUsage("an address is SCHEME://BUCKET/FOLDER, without keys.", "Give keys by the environment.")
        found = cls(match[1].lower(), match[2].strip("/"))
        found._store  # noqa: B018 - told now, not in the middle of a run
        return found

    def __str__(self) -> str:
        return f"{self.scheme}://{self.path}"

    def __truediv__(self, name: str | Path) -> Address:
        return Address(self.scheme, f"{self.path}/{name}")

    @property
    def name(self) -> str:
        """The last part."""
        return self.path.rpartition("/")[2]

    @property
    def stem(self) -> str:
        """The last part without its suffix."""
        return PurePosixPath(self.path).stem

    @property
    def parent(self) -> Address:
        """The folder that it is in."""
        return Address(self.scheme, self.path.rpartition("/")[0])

    def with_name(self, name: str) -> Address:
        """Its neighbour of another name."""
        return self.parent / name

    def absolute(self) -> Address:
        """Itself."""
        return self

    def exists(self) -> bool:
        """Whether a file or a folder with something in it is there."""
        with self._told():
            return bool(self._store.exists(self.path))

    def is_dir(self) -> bool:
        """Whether it is a folder: a store has no empty one."""
        with self._told():
            return bool(self._store.isdir(self.path))

    def stat(self) -> Facts:
        """Size and time of the last change."""
        with self._told():
            return _facts(self._store.info(self.path))

    def mkdir(self, mode: int = 0o777, parents: bool = False, exist_ok: bool = False) -> None:
        """Nothing: a folder is there with its first file."""

    def iterdir(self) -> Iterator[Address]:
        """What is in it: files and folders."""
        with self._told():
            try:
                found = self._store.ls(self.path, detail=False)
            except FileNotFoundError:
                found = []
        yield from (Address(self.scheme, path.strip("/")) for path in sorted(found))

    def files(self) -> dict[Address, Facts]:
        """Every file in it and in its folders, in the order of their names."""
        with self._told():
            found = self._store.find(self.path, detail=True)
        return {Address(self.scheme, path.strip("/")): _facts(found[path]) for path in sorted(found)}

    def glob(self, pattern: str) -> list[Address]:
        """The files directly in it whose names fit a pattern such as `*.json`."""
        return [file for file in self.iterdir() if PurePosixPath(file.name).match(pattern)]

    def rglob(self, pattern: str) -> list[Address]:
        """The same, at any depth."""
        return [file for file in self.files() if PurePosixPath(file.name).match(pattern)]

    @overload
    def open(self, mode: Literal["rb"] = "rb") -> io.BufferedReader: ...

    @overload
    def open(self, mode: Literal["wb", "xb"]) -> BinaryIO: ...

    def open(self, mode: str = "rb") -> io.BufferedReader | BinaryIO:
        """Open for reading (`rb`), or for writing a new file (`wb`, `xb`) that is there once it is closed."""
        if mode == "rb":
            return io.BufferedReader(_Ranges(self), _READ_AHEAD)
        with self._told():
            return cast("BinaryIO", _Written(self, self._store.open(self.path, "wb", block_size=_BLOCK)))

    def read_bytes(self) -> bytes:
        """Its content."""
        with self._told():
            content: bytes = self._store.cat_file(self.path)
            return content

    def read_part(self, start: int, end: int) -> bytes:
        """Some of its bytes."""
        with self._told():
            part: bytes = self._store.cat_file(self.path, start=start, end=end)
            return part

    def write_bytes(self, content: bytes) -> None:
        """Put a file there, whole or not at all, in place of one that stands there."""
        with self._told():
            self._store.pipe_file(self.path, content)

    def write_text(self, content: str, encoding: str = "utf-8") -> None:
        """The same with text."""
        self.write_bytes(content.encode(encoding))

    def replace(self, target: Address) -> None:
        """Move a file, in place of one that stands there."""
        with self._told():
            self._store.cp_file(self.path, target.path)
            self._store.rm_file(self.path)

    def unlink(self, missing_ok: bool = False) -> None:
        """Remove a file."""
        with self._told():
            try:
                self._store.rm_file(self.path)
            except FileNotFoundError:
                if not missing_ok:
                    raise

    @cached_property
    def _store(self) -> Any:
        """The client of the store."""
        try:
            import fsspec  # only who names an address needs it, and it takes its time

            # What was listed before is no answer: other machines write meanwhile.
            return fsspec.filesystem(self.scheme, use_listings_cache=False)
        except (ImportError, ValueError):
            raise WrongUsage(
                f"{self.scheme}:// is no address that can be opened here.",
                "Name a folder, or s3://BUCKET/FOLDER, which needs more installed: pip install 'dmfa[cluster]'.",
            ) from None

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Tell a failure as the disk would: what clients of stores say is of many kinds, and may hold headers."""
        try:
            yield
        except FileExistsError:
            raise
        except Exception as trouble:
            kind = trouble.errno if isinstance(trouble, OSError) else None
            kind = errno.EACCES if isinstance(trouble, PermissionError) else kind
            kind = errno.ENOENT if isinstance(trouble, FileNotFoundError) else kind
            raise OSError(kind or errno.EIO, _WORDS.get(kind or errno.EIO, os.strerror(kind or 0)), str(self)) from None

    def __getstate__(self) -> dict[str, str]:
        return {"scheme": self.scheme, "path": self.path}


def overlapped(function: Callable[[T], R], items: Iterable[T], where: Place) -> list[R]:
    """Apply a function that reads or writes somewhere to some items, and return its results in their order.

    A store answers many at the same time, and each alone costs the way there and back. The disk is used one by one.
    """
    if isinstance(where, Path):
        return [function(item) for item in items]
    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="store") as threads:
        return list(threads.map(function, items))


def discard(file: IO[bytes]) -> None:
    """Close a file that was given up; in a store it never appears."""
    file.discard() if isinstance(file, _Written) else file.close()


def remove(folder: Place) -> None:
    """Remove a folder with all that is in it, if it is there."""
    if isinstance(folder, Path):
        if folder.exists():
            shutil.rmtree(folder)
        return
    with folder._told():
        if folder._store.exists(folder.path):
            folder._store.rm(folder.path, recursive=True)


def below(file: Place, folder: Place) -> str:
    """The path of a file below a folder, with slashes."""
    return PurePosixPath(_bare(file)).relative_to(_bare(folder)).as_posix()


def _bare(place: Place) -> str:
    return place.path if isinstance(place, Address) else place.as_posix()


def source(file: Place) -> Path | io.BytesIO:
    """A file as Polars takes it: its path, or its bytes."""
    return file if isinstance(file, Path) else io.BytesIO(file.read_bytes())


class _Ranges(io.RawIOBase):
    """A file in a store, read part by part."""

    def __init__(self, address: Address) -> None:
        self._address, self._size, self._position = address, address.stat().st_size, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        self._position = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._size}[whence]
        return self._position

    def tell(self) -> int:
        return self._position

    def readinto(self, buffer: Any) -> int:
        end = min(self._position + len(buffer), self._size)
        if end <= self._position:
            return 0
        part = self._address.read_part(self._position, end)
        buffer[: len(part)] = part
        self._position += len(part)
        return len(part)


class _Written(io.BufferedIOBase):
    """A new file in a store: there when it is closed, and not before; left by an error it never is."""

    def __init__(self, address: Address, file: Any) -> None:
        self._address, self._file = address, file

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        with self._address._told():
            return int(self._file.write(data))

    def tell(self) -> int:
        return int(self._file.tell())

    def close(self) -> None:
        if not self.closed:
            super().close()
            with self._address._told():
                self._file.close()

    def discard(self) -> None:
        """Forget what was written."""
        if not self.closed:
            super().close()
            with self._address._told():
                self._file.discard()
                with suppress(AttributeError):  # else some would send what they hold when they are forgotten
                    self._file.closed = True

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        if kind is None:
            self.close()
        else:
            self.discard()

    def __del__(self) -> None:
        """A file that nobody closed is one that was given up."""


def _facts(info: Mapping[str, Any]) -> Facts:
    changed = info.get("LastModified") or info.get("last_modified") or info.get("created") or info.get("mtime") or 0.0
    moment = changed.timestamp() if isinstance(changed, datetime) else float(changed)
    return Facts(int(info.get("size") or 0), moment)
