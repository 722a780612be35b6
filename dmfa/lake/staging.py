"""Staged work: finished items that wait to be published, each named by a manifest."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dmfa.address import Address, Place, below, place, source
from dmfa.errors import LakeProblem
from dmfa.lake.border import disk
from dmfa.lake.location import Location

if TYPE_CHECKING:
    import polars as pl
    import pyarrow as pa


@dataclass(frozen=True)
class StagedFile:
    """One Parquet file at its final place, not yet part of a table.

    Attributes:
        schema: schema of its table.
        table: name of its table.
        quarter: quarter of all its rows, None where the table has no folders by quarter.
        path: relative to the lake's data folder.
        size: bytes.
        rows: number of rows.
    """

    schema: str
    table: str
    quarter: int | None
    path: str
    size: int
    rows: int

    @property
    def key(self) -> str:
        """Schema and name of its table, e.g. `history.occupation`."""
        return f"{self.schema}.{self.table}"


@dataclass(frozen=True)
class Manifest:
    """One finished work item.

    Attributes:
        item_id: the item, derived from its inputs.
        inputs: SHA-256 of every filing in it.
        files: its files.
    """

    item_id: str
    inputs: tuple[str, ...]
    files: tuple[StagedFile, ...]

    def rows(self, key: str) -> int:
        """Rows staged for a table, e.g. `history.occupation`."""
        return sum(file.rows for file in self.of(key))

    def of(self, key: str) -> tuple[StagedFile, ...]:
        """The files staged for a table."""
        return tuple(file for file in self.files if file.key == key)


def staged(location: str | Path | Location) -> list[Manifest]:
    """The finished items that wait to be published, by item.

    An item is left out when a file of it is missing or has another size than its manifest says.

    Raises:
        LakeProblem: the staging folder cannot be read.
    """
    place = Location.of(location)
    with disk(place, "reading"):
        paths = {path.name: path for path in place.staging.glob("*.json")}
        waiting = [manifest for name in sorted(paths) if (manifest := _manifest(paths[name]))]
        sizes = _sizes(place, waiting)
    return [item for item in waiting if all(sizes.get(file.path) == file.size for file in item.files)]


def _manifest(path: Place) -> Manifest | None:
    try:
        read = json.loads(path.read_bytes())
        files = tuple(StagedFile(**file) for file in read["files"])
        return Manifest(read["item_id"], tuple(read["inputs"]), files)
    except (ValueError, KeyError, TypeError):
        return None  # not one of ours: the item is simply done again


def _sizes(place: Location, manifests: list[Manifest]) -> dict[str, int]:
    """Sizes of the files that are there, by path relative to the data folder."""
    if isinstance(place.data, Address):
        # One list of a store's files takes less time than asking for each.
        found = place.data.files() if manifests else {}
        return {below(file, place.data): facts.st_size for file, facts in found.items()}
    sizes = {}
    for file in (file for manifest in manifests for file in manifest.files):
        with suppress(FileNotFoundError):
            sizes[file.path] = (place.data / file.path).stat().st_size
    return sizes


def staged_rows(
    location: str | Path | Location, manifest: Manifest, key: str, columns: list[str] | None = None
) -> pl.DataFrame | None:
    """The rows that an item has staged for a table, in the order in which they were written.

    Args:
        location: the lake.
        manifest: the item.
        key: the table, e.g. `received.filing`.
        columns: only these.

    Returns:
        The rows; None if the item has none for the table.

    Raises:
        LakeProblem: a file is damaged or cannot be read.
    """
    import polars as pl

    place = Location.of(location)
    try:
        with disk(place, "reading"):
            frames = [
                pl.read_parquet(source(place.data / file.path), columns=columns, hive_partitioning=False)
                for file in manifest.of(key)
            ]
    except pl.exceptions.PolarsError:
        raise LakeProblem(
            f"finished work in {place.staging} is damaged: a file of {key} cannot be read.",
            "Nothing was published. Remove the folder's content and run again.",
        ) from None
    return pl.concat(frames) if frames else None


def file_rows(location: str | Path | Location, path: str, columns: list[str], many: int) -> Iterator[pa.RecordBatch]:
    """The rows of a file that a transaction put into a table, some at a time.

    Args:
        location: the lake.
        path: the file, from `Publication.added`.
        columns: only these.
        many: rows at a time, at most.

    Raises:
        LakeProblem: the file is damaged or cannot be read.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    lake = Location.of(location)
    with disk(lake, "reading"), place(path).open("rb") as file:
        try:
            yield from pq.ParquetFile(file).iter_batches(many, columns=columns)
        except pa.ArrowException:
            raise LakeProblem(
                f"the lake {lake} is damaged: {path} cannot be read.", "Run `dmfa doctor` to look at the lake."
            ) from None


def discard(location: str | Path | Location, manifests: Iterable[Manifest], *, keep: frozenset[str]) -> None:
    """Remove the manifests of items, and those of their files that no table holds.

    Args:
        location: the lake.
        manifests: the items.
        keep: paths, relative to the data folder, that stand in a table.
    """
    place = Location.of(location)
    with disk(place, "writing to"):
        for manifest in manifests:
            for file in manifest.files:
                if file.path not in keep:
                    (place.data / file.path).unlink(missing_ok=True)
            (place.staging / f"{manifest.item_id}.json").unlink(missing_ok=True)
