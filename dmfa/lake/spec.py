"""How a table of the lake is described: its columns with their types and words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import pyarrow as pa

SCHEMAS = ("received", "history", "authentic", "computed", "reference", "exchange")

CANCELLED = 3
"""Status (zone 100003) of a row that is no longer in force."""

LISTED = pa.dictionary(pa.int32(), pa.large_string())
"""Texts as numbers of a list."""

TEXT = pa.string()
LONG = pa.int64()
COUNT = pa.int32()
DAY = pa.date32()
TIME = pa.timestamp("us")

Columns = tuple[tuple[str, pa.DataType, str], ...]


@dataclass(frozen=True)
class TableSpec:
    """One table of the lake.

    Attributes:
        schema: one of SCHEMAS, except authentic.
        name: the table's name.
        arrow: columns in order, with their types.
        comment: what a row is.
        comments: what a column holds, by name.
        partitioned: one folder per quarter; then no row is without a quarter.
        listed: text columns that hold a few texts again and again; their rows come as numbers of a list of texts.
    """

    schema: str
    name: str
    arrow: pa.Schema
    comment: str = ""
    comments: Mapping[str, str] = field(default_factory=dict, hash=False)
    partitioned: bool = False
    listed: frozenset[str] = frozenset()

    @property
    def key(self) -> str:
        """Schema and name, as people write the table."""
        return f"{self.schema}.{self.name}"

    @property
    def in_force(self) -> bool:
        """Whether schema authentic has a view of it: whether it holds the rows of a declared block."""
        return self.schema == "history" and self.name != "replaced"

    @cached_property
    def handed_over(self) -> pa.Schema:
        """The columns as they are written: texts counted in 64 bits, as Polars does, or as numbers of a list."""
        wide = [field.with_type(pa.large_string()) if field.type == TEXT else field for field in self.arrow]
        return pa.schema([field.with_type(LISTED) if field.name in self.listed else field for field in wide])


def spec(schema: str, name: str, comment: str, columns: Columns, *, partitioned: bool = False) -> TableSpec:
    """A table of columns that each have a name, a type and words."""
    arrow = pa.schema([pa.field(column, type_) for column, type_, _ in columns])
    return TableSpec(schema, name, arrow, comment, {column: words for column, _, words in columns}, partitioned)
