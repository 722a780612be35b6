"""The ledger of filings, and the bytes of every file received."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from dmfa.address import Place
from dmfa.errors import LakeProblem
from dmfa.lake.border import disk, engine
from dmfa.lake.files import write_new, write_whole
from dmfa.lake.location import TEXTS, Location, listed

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_DIGEST = re.compile(r"[0-9a-f]{64}")
_CODEC = pa.Codec("zstd", 1)


def known(connection: DuckDBPyConnection, location: Location, digests: Iterable[str]) -> set[str]:
    """Those of the SHA-256 digests that stand on the ledger already.

    Raises:
        LakeProblem: the ledger cannot be read.
    """
    return _standing(connection, location, "sha256", digests)


def known_names(connection: DuckDBPyConnection, location: Location, names: Iterable[str]) -> set[str]:
    """Those of the names of files under which a filing stands on the ledger already, not one turned away at reception.

    Raises:
        LakeProblem: the ledger cannot be read.
    """
    return _standing(connection, location, "name", names, "AND coalesce(reason, '') NOT SIMILAR TO 'ACRF-.*|name'")


def names_received(connection: DuckDBPyConnection, location: Location, names: Iterable[str]) -> dict[str, set[str]]:
    """By name of a file, the SHA-256 digests of the filings that were received under it, not turned away.

    Raises:
        LakeProblem: the ledger cannot be read.
    """
    asked = sorted(set(names))
    found: dict[str, set[str]] = {}
    if asked:
        with engine(location, "reading"):
            rows = connection.execute(
                f"""
                SELECT DISTINCT f.name, f.sha256 FROM lake.received.filing f
                JOIN lake.received.answer a USING (filing_id)
                WHERE f.name IN {TEXTS} AND a.kind = 'ACRF' AND a.result = '1'
                """,
                [listed(asked)],
            ).fetchall()
        for name, digest in rows:
            found.setdefault(name, set()).add(digest)
    return found


def _standing(
    connection: DuckDBPyConnection, location: Location, column: str, values: Iterable[str], condition: str = ""
) -> set[str]:
    asked = sorted(set(values))
    if not asked:
        return set()
    with engine(location, "reading"):
        rows = connection.execute(
            f"SELECT DISTINCT {column} FROM lake.received.filing WHERE {column} IN {TEXTS} {condition}", [listed(asked)]
        ).fetchall()
    return {value for (value,) in rows}


def keep_bytes(location: str | Path | Location, digest: str, data: bytes) -> Place:
    """Keep the bytes of a file received, compressed, at RECEIVED/<sha256>.zst.

    The same bytes again change nothing, unless the file holds others: a run that died, or a power cut, may have left
    half a file.

    Args:
        location: the lake.
        digest: SHA-256 of the bytes, hexadecimal.
        data: the bytes.

    Raises:
        LakeProblem: the disk is full or cannot be written.
    """
    place = Location.of(location)
    path = _path(place, digest)
    with disk(place, "writing to"):
        if path.exists() and _holds(path, data):
            return path
        packed = _CODEC.compress(data, asbytes=True)
        if not write_new(path, packed):
            write_whole(path, packed, durable=False)
    return path


def kept_bytes(location: str | Path | Location, digest: str, size: int) -> bytes:
    """The bytes that `keep_bytes` has kept in this very run; they are not hashed again.

    Args:
        location: the lake.
        digest: SHA-256 of the bytes, hexadecimal.
        size: how many they are.

    Raises:
        LakeProblem: they cannot be read.
    """
    place = Location.of(location)
    path = _path(place, digest)
    with disk(place, "reading"):
        packed = path.read_bytes()
        try:
            return _CODEC.decompress(packed, size, asbytes=True) if size else b""
        except (pa.ArrowException, OSError):
            raise _damaged(path) from None


def received_bytes(location: str | Path | Location, digest: str) -> bytes:
    """The bytes of a file received, as they came.

    Raises:
        LakeProblem: they are not kept here, or are not what was received.
    """
    place = Location.of(location)
    path = _path(place, digest)
    if not path.exists():
        raise LakeProblem(
            f"the lake {place} does not keep the file {digest}.", "Its retention may be over; see `dmfa sql`."
        )
    with disk(place, "reading"):
        data = _unpacked(path)
    if hashlib.sha256(data).hexdigest() != digest:
        raise _damaged(path)
    return data


def _holds(path: Place, data: bytes) -> bool:
    """Whether a kept file holds some bytes."""
    return _unpacked(path) == data


def _unpacked(path: Place) -> bytes:
    """What a kept file holds; nothing if it is damaged."""
    try:
        with pa.CompressedInputStream(pa.BufferReader(path.read_bytes()), "zstd") as stream:
            data: bytes = stream.read()
    except (pa.ArrowException, OSError):
        return b""
    return data


def _damaged(path: Place) -> LakeProblem:
    return LakeProblem(
        f"the kept file {path} is damaged: it is no longer what was received.", "Put it back from a backup."
    )


def _path(place: Location, digest: str) -> Place:
    if not _DIGEST.fullmatch(digest):
        raise ValueError("a file received is named by its SHA-256, 64 hexadecimal digits")
    return place.received / f"{digest}.zst"
