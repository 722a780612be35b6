"""Parquet: one file per table, with zone number, label, unit and words on every column."""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import Self

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from dmfa.address import Place
from dmfa.extracts.authorisations import KEYS, Permit
from dmfa.extracts.changes import ChangePart, tables_of
from dmfa.extracts.shape import Part, Shape
from dmfa.schema import ordinal

ROW_GROUP = 122_880
"""Rows of a row group: the bytes depend on the rows alone, not on the shards that they came in."""


class ParquetFiles:
    """Writes the tables of an extract, shard by shard.

    Args:
        folder: where the files go.
        permit: leave to write them.
        shape: the tables.

    Raises:
        NotAuthorised: the permit does not list a table or column; nothing is created then.
    """

    def __init__(self, folder: Place, permit: Permit, shape: Shape) -> None:
        permit.refuse_beyond(tables_of(shape, permit.authorisation), "parquet")
        told = ChangePart.of(permit.authorisation)
        parts: list[Part | ChangePart] = [*shape.sheets, *([told] if told else [])]
        self._sheets = [_Sheet(folder / f"{part.name}.parquet", part) for part in parts]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for sheet in self._sheets:
            sheet.close()

    def write(self, tables: Mapping[str, pl.DataFrame]) -> None:
        """Append a shard."""
        for sheet in self._sheets:
            sheet.append(tables[sheet.part.name])


class _Sheet:
    """The file of one table; rows gather until they fill a row group."""

    def __init__(self, path: Place, part: Part | ChangePart) -> None:
        self.part = part
        # Numbers that hardly ever come back make large dictionaries, which are then thrown away.
        unique = {KEYS[0], *map(ordinal, part.ordinals), *(z.column for z in part.zones if z.personal)}
        repeated = [column for column in part.columns if column not in unique]
        self._file = path.open("wb")
        self._writer = pq.ParquetWriter(
            self._file, part.arrow_schema, compression="zstd", compression_level=1, use_dictionary=repeated
        )
        self._waiting: list[pa.Table] = []

    def append(self, frame: pl.DataFrame) -> None:
        # select and cast fail on a column too many or too few: only what the permit was asked for goes out.
        self._waiting.append(frame.to_arrow().cast(self.part.arrow_schema))
        while sum(table.num_rows for table in self._waiting) >= ROW_GROUP:
            gathered = pa.concat_tables(self._waiting)
            self._write(gathered.slice(0, ROW_GROUP))
            self._waiting = [gathered.slice(ROW_GROUP)]

    def close(self) -> None:
        if self._waiting:
            self._write(pa.concat_tables(self._waiting))
            self._waiting = []
        self._writer.close()
        self._file.close()

    def _write(self, table: pa.Table) -> None:
        if table.num_rows:
            # One chunk per column: chunk borders would end up as page borders.
            self._writer.write_table(table.combine_chunks(), row_group_size=ROW_GROUP)
