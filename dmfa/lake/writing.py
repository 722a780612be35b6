"""What a worker writes: the Parquet files of one work item, then the manifest that says it is finished.

A worker needs no DuckDB. Until its files are published they belong to nobody's table: a worker that dies leaves
nothing that a reader could see.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from dmfa.address import Place, below, discard, overlapped
from dmfa.lake.border import disk
from dmfa.lake.files import write_whole
from dmfa.lake.location import Location
from dmfa.lake.spec import LISTED, TableSpec
from dmfa.lake.staging import Manifest, StagedFile

if TYPE_CHECKING:
    import polars as pl

ROW_GROUP = 122_880
"""Rows after which a row group is written: DuckDB's own size."""


INSERTED = frozenset({"exchange"})
"""Schemas to whose tables rows are added in both ways: as files, and by the transaction itself."""


def fitted(spec: TableSpec, rows: pa.Table | pl.DataFrame) -> pa.Table:
    """Rows in the table's own columns, order and types, as they are written; a missing column is null.

    Raises:
        ValueError: a column that the table does not have, or a value that does not fit its type.
    """
    table = rows if isinstance(rows, pa.Table) else _from_polars(rows)
    if table.schema.equals(spec.handed_over):
        return table
    unknown = sorted(set(table.column_names) - set(spec.arrow.names))
    if unknown:
        raise ValueError(f"{spec.key} has no column {', '.join(unknown)}")
    columns = []
    for field in spec.handed_over:
        if field.name not in table.column_names:
            columns.append(pa.nulls(table.num_rows, field.type))
            continue
        found = table.column(field.name)
        try:
            columns.append(_listed(found) if field.type == LISTED else found.cast(field.type))
        except pa.ArrowException:
            # Arrow's own message quotes the value.
            raise ValueError(f"a value of {spec.key}.{field.name} ({found.type}) does not fit {field.type}") from None
    return pa.table(columns, schema=spec.handed_over)


def _listed(found: pa.ChunkedArray) -> pa.ChunkedArray:
    """Texts as numbers of a list, the numbers in the type that all writers use."""
    if not pa.types.is_dictionary(found.type):
        return found.cast(pa.large_string()).dictionary_encode()
    numbers = [chunk.indices.cast(LISTED.index_type) for chunk in found.chunks]
    lists = [chunk.dictionary.cast(LISTED.value_type) for chunk in found.chunks]
    chunks = [pa.DictionaryArray.from_arrays(*both) for both in zip(numbers, lists, strict=True)]
    return pa.chunked_array(chunks, LISTED)


def _from_polars(rows: pl.DataFrame) -> pa.Table:
    from polars import CompatLevel  # only who has made a frame needs it

    return rows.to_arrow(compat_level=CompatLevel.oldest())


class _Sheet:
    """The open Parquet file of one table and quarter; rows gather until they make a row group."""

    def __init__(self, path: Place, spec: TableSpec, quarter: int | None) -> None:
        self.path, self.spec, self.quarter = path, spec, quarter
        self.rows = 0
        self._waiting: list[pa.Table] = []
        path.parent.mkdir(parents=True, exist_ok=True)
        # The name is drawn for this item: an existing file is never overwritten.
        self._file = path.open("xb")
        texts = [field.name for field in spec.arrow if field.type == pa.string()]
        self._writer = pq.ParquetWriter(
            self._file,
            spec.handed_over,
            compression="zstd",
            compression_level=1,
            # Codes repeat; numbers are smaller, and sooner done, without a dictionary. The least and the greatest text
            # of a row group select nothing.
            use_dictionary=texts,
            # Where rows are inserted too, DuckLake would take the least and greatest text of those for the table's.
            write_statistics=True if spec.schema in INSERTED else [n for n in spec.arrow.names if n not in texts],
            store_schema=False,
        )

    def append(self, table: pa.Table) -> None:
        self._waiting.append(table)
        self.rows += table.num_rows
        if sum(part.num_rows for part in self._waiting) >= ROW_GROUP:
            self._flush()

    def _flush(self) -> None:
        if self._waiting:
            rows = pa.concat_tables(self._waiting).unify_dictionaries()
            self._writer.write_table(rows, row_group_size=ROW_GROUP)
            self._waiting.clear()

    def close(self) -> int:
        """Finish the file and return its size."""
        self._flush()
        self._writer.close()
        if isinstance(self.path, Path):
            self._file.flush()
            os.fsync(self._file.fileno())
        size = self._file.tell()
        self._file.close()
        return size

    def abandon(self) -> None:
        with suppress(OSError, ValueError, pa.ArrowException):  # on a full disk closing fails once more
            self._writer.close()
        self._writer.is_open = False  # else it tries again when it is forgotten
        with suppress(OSError):
            discard(self._file)
        self.path.unlink(missing_ok=True)


class ItemWriter:
    """Writes the rows of one work item, one open file per table and quarter.

    As a context manager it removes its files when left by an error.

    Args:
        location: the lake.
        item_id: names the item; derived from its inputs, so that a rerun finds it again.
        specs: the tables that may be written.
    """

    def __init__(self, location: str | Path | Location, item_id: str, specs: Iterable[TableSpec]) -> None:
        self.location = Location.of(location)
        self.item_id = item_id
        self._specs = {spec.key: spec for spec in specs}
        # A second try of the same item must not touch the files of the first, which may be published.
        self._name = f"{item_id}-{secrets.token_hex(4)}"
        self._sheets: dict[tuple[str, int | None], _Sheet] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self.abort()

    def append(self, key: str, rows: pa.Table | pl.DataFrame) -> None:
        """Add rows to a table, e.g. `history.occupation`; a missing column is null.

        Raises:
            ValueError: the rows do not fit the table, or one of a partitioned table has no quarter.
            LakeProblem: the disk is full or cannot be written.
        """
        spec = self._specs[key]
        table = fitted(spec, rows)
        if not table.num_rows:
            return
        with disk(self.location, "writing to"):
            for quarter, part in _by_quarter(spec, table):
                self._sheet(spec, quarter).append(part)

    def close(self, inputs: Sequence[str]) -> Manifest:
        """Finish all files and write the manifest, last and at once.

        Args:
            inputs: SHA-256 of every filing in the item. Without any, the files are for `Publication.replace`: no
                manifest is written, since no rerun could take them over.

        Raises:
            LakeProblem: the disk is full or cannot be written.
        """
        with disk(self.location, "writing to"):
            files = overlapped(self._finished, self._sheets.values(), self.location.folder)
            manifest = Manifest(self.item_id, tuple(inputs), tuple(files))
            if inputs:
                write_whole(self.location.staging / f"{self.item_id}.json", json.dumps(asdict(manifest)).encode())
        self._sheets.clear()
        return manifest

    def _finished(self, sheet: _Sheet) -> StagedFile:
        path = below(sheet.path, self.location.data)
        return StagedFile(sheet.spec.schema, sheet.spec.name, sheet.quarter, path, sheet.close(), sheet.rows)

    def abort(self) -> None:
        """Remove what was written."""
        with disk(self.location, "writing to"):
            for sheet in self._sheets.values():
                sheet.abandon()
        self._sheets.clear()

    def _sheet(self, spec: TableSpec, quarter: int | None) -> _Sheet:
        place = (spec.key, quarter)
        if place not in self._sheets:
            path = self.location.data_file(spec.schema, spec.name, quarter, self._name)
            self._sheets[place] = _Sheet(path, spec, quarter)
        return self._sheets[place]


def _by_quarter(spec: TableSpec, table: pa.Table) -> list[tuple[int | None, pa.Table]]:
    if not spec.partitioned:
        return [(None, table)]
    quarters = pc.unique(table.column("quarter")).to_pylist()
    if None in quarters:
        raise ValueError(f"a row of {spec.key} has no quarter")
    if len(quarters) == 1:
        return [(quarters[0], table)]
    return [(quarter, table.filter(pc.equal(table.column("quarter"), quarter))) for quarter in sorted(quarters)]
