"""The lake: the authentic source. Nothing else reads or writes it.

`Lake` opens it; `ItemWriter`, `keep_bytes`, `kept_bytes`, `received_bytes`, `staged`, `staged_rows` and `file_rows` are
for workers and need no DuckDB; `run_query` runs a person's own SQL, locked.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from dmfa.lake.exchange import EXCHANGE
from dmfa.lake.ledger import keep_bytes, kept_bytes, received_bytes
from dmfa.lake.location import Location
from dmfa.lake.spec import TableSpec
from dmfa.lake.staging import Manifest, StagedFile, file_rows, staged, staged_rows
from dmfa.lake.tables import RECEIVED, REPLACED, history_tables
from dmfa.lake.writing import ItemWriter

if TYPE_CHECKING:
    from dmfa.lake.histories import Histories
    from dmfa.lake.lake import Lake
    from dmfa.lake.maintenance import Maintained
    from dmfa.lake.publication import Publication, Published
    from dmfa.lake.query import Answer, run_query

_LATER = {
    "Answer": "query",
    "Histories": "histories",
    "Lake": "lake",
    "Maintained": "maintenance",
    "Publication": "publication",
    "Published": "publication",
    "run_query": "query",
}


def __getattr__(name: str) -> Any:
    """Import what needs DuckDB or Polars only when it is asked for: workers never ask for DuckDB."""
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_LATER[name]}"), name)


__all__ = [
    "EXCHANGE",
    "RECEIVED",
    "REPLACED",
    "Answer",
    "Histories",
    "ItemWriter",
    "Lake",
    "Location",
    "Maintained",
    "Manifest",
    "Publication",
    "Published",
    "StagedFile",
    "TableSpec",
    "file_rows",
    "history_tables",
    "keep_bytes",
    "kept_bytes",
    "received_bytes",
    "run_query",
    "staged",
    "staged_rows",
]
