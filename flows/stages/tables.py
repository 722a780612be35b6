"""The tables of schema computed: the frames of the law as tables of the lake."""

from __future__ import annotations

import polars as pl
import pyarrow as pa

from contributions.columns import COLUMN_WORDS, SCHEMAS, TABLE_WORDS
from dmfa.lake import TableSpec

_ARROW = {pl.Int64(): pa.int64(), pl.Int32(): pa.int32(), pl.Int16(): pa.int16(), pl.String(): pa.string()}


def _spec(name: str, columns: pl.Schema) -> TableSpec:
    listed = frozenset(column for column, kind in columns.items() if kind not in _ARROW)
    return TableSpec(
        "computed",
        name,
        pa.schema([pa.field(column, _ARROW.get(kind, pa.string())) for column, kind in columns.items()]),
        TABLE_WORDS[name],
        {column: COLUMN_WORDS[column] for column in columns},
        partitioned=True,
        listed=listed,
    )


COMPUTED = tuple(_spec(name, columns) for name, columns in SCHEMAS.items())
"""One table per frame that a computation returns, partitioned by quarter."""
