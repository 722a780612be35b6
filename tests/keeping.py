"""The content of a lake, for comparing two of them."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from dmfa.lake import Lake
from dmfa.lake.publication import registered

WHEN = frozenset({"processed_at", "reached_at", "applied_at"})
"""Columns that tell when a run worked: two runs never agree on them."""


Content = dict[str, tuple[int, int]]
"""By table, number of rows and sum of their hashes."""


def content(folder: Path | str, *, tables: Collection[str] | None = None, without: frozenset[str] = WHEN) -> Content:
    """Number of rows and sum of the rows' hashes of some or all tables: equal multisets, in whatever order."""
    found = {}
    with Lake.open(folder) as lake:
        rows = lake.arrow(
            """
            SELECT s.schema_name || '.' || t.table_name AS name, count(DISTINCT f.data_file_id) AS files,
                list(DISTINCT c.column_name) FILTER (WHERE c.column_name IN (SELECT unnest(?::VARCHAR[]))) AS dropped
            FROM __ducklake_metadata_lake.ducklake_table t
            JOIN __ducklake_metadata_lake.ducklake_schema s USING (schema_id)
            JOIN __ducklake_metadata_lake.ducklake_column c USING (table_id)
            LEFT JOIN __ducklake_metadata_lake.ducklake_data_file f USING (table_id)
            WHERE t.end_snapshot IS NULL AND c.end_snapshot IS NULL GROUP BY ALL
            """,
            [sorted(without)],
        ).to_pylist()
        selects = []
        for row in rows:
            name = row["name"]
            if tables is None or name in tables:
                # A table without files has no rows, and need not be asked.
                found[name] = (0, 0)
                if row["files"]:
                    dropped = ", ".join(f'"{column}"' for column in row["dropped"] or ())
                    exclude = f"EXCLUDE ({dropped})" if dropped else ""
                    selects.append(
                        f"SELECT '{name}', count(*), sum(hash(x)::HUGEINT)::VARCHAR FROM (SELECT * {exclude}"
                        f" FROM lake.{name}) x"
                    )
        if selects:
            columns = lake.arrow(" UNION ALL ".join(selects)).to_pydict().values()
            found |= {name: (many, int(total or 0)) for name, many, total in zip(*columns, strict=True)}
    return found


def left_over(folder: Path) -> list[str]:
    """What lies in a lake's folders and belongs to nothing: Parquet files in no table, staged work, half a file."""
    with Lake.open(folder) as lake:
        wanted = registered(lake._connection)
    data = {path.relative_to(folder / "data").as_posix() for path in (folder / "data").rglob("*.parquet")}
    rest = [*(folder / "staging").iterdir(), *(folder / "received").glob("*.part")]
    return sorted(data - wanted) + [path.name for path in rest]
