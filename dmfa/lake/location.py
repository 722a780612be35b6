"""Where a lake is: the only place that makes paths and attach strings."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from dmfa.errors import WrongUsage

CATALOG = "lake"
"""Name under which every lake is attached; the stored views rely on it."""

_PATTERN_CHARACTERS = re.compile(r"[*?\[\]{}]")
_SERVICE = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]+:")


@dataclass(frozen=True)
class Location:
    """A lake in a local folder.

    Attributes:
        folder: absolute path of the lake.
    """

    folder: Path

    @classmethod
    def of(cls, text: str | Path | Location) -> Location:
        """The location that a setting names.

        Raises:
            WrongUsage: the text names no folder, or one whose name DuckDB would take as a pattern.
        """
        if isinstance(text, Location):
            return text
        name = str(text)
        if _SERVICE.match(name):
            raise WrongUsage(f"{name.partition(':')[0]}: is no lake that can be opened here.", "Name a local folder.")
        if not name or _PATTERN_CHARACTERS.search(name):
            raise WrongUsage(
                f"the folder {name!r} cannot hold a lake: its name is empty or has one of * ? [ ] {{ }}.",
                "Name another folder.",
            )
        return cls(Path(name).absolute())

    @property
    def catalog(self) -> Path:
        """The SQLite catalog."""
        return self.folder / "catalog.sqlite"

    @property
    def draft(self) -> Path:
        """The catalog while the lake is being made; renamed once whole."""
        return self.folder / "catalog.sqlite.new"

    @property
    def data(self) -> Path:
        """Folder of the Parquet files."""
        return self.folder / "data"

    @property
    def staging(self) -> Path:
        """Folder of the manifests of finished work not yet published."""
        return self.folder / "staging"

    @property
    def received(self) -> Path:
        """Folder of the files received, compressed."""
        return self.folder / "received"

    @property
    def lock(self) -> Path:
        """File that the one writer holds."""
        return self.folder / "writer.lock"

    def data_file(self, schema: str, table: str, quarter: int | None, name: str) -> Path:
        """Final place of one Parquet file; a file of a partitioned table lies under its quarter."""
        folder = self.data / schema / table
        return (folder if quarter is None else folder / f"quarter={quarter}") / f"{name}.parquet"

    def attach(self, *, read_only: bool, create: bool, as_of: datetime | None = None) -> str:
        """The SQL that attaches the lake as `lake`.

        Args:
            read_only: nothing can be written through the attached lake.
            create: the draft of a new catalog is made.
            as_of: the lake as it stood then; a time without zone is the machine's local time.
        """
        # The path in the catalog is overridden, so a lake may be moved or mounted elsewhere.
        options = [f"DATA_PATH {text(f'{self.data}/')}", "OVERRIDE_DATA_PATH true"]
        options += ["META_BUSY_TIMEOUT 5000", "DATA_INLINING_ROW_LIMIT 0"]
        options.append(f"CREATE_IF_NOT_EXISTS {str(create).lower()}")
        if not read_only:
            options.append("META_JOURNAL_MODE 'WAL'")
        if read_only or as_of is not None:
            options.append("READ_ONLY")
        if as_of is not None:
            options.append(f"SNAPSHOT_TIME {text(f'{as_of.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}+00')}")
        catalog = self.draft if create else self.catalog
        return f"ATTACH {text(f'ducklake:sqlite:{catalog}')} AS {CATALOG} ({', '.join(options)})"


TEXTS = "(SELECT unnest(string_split(?, chr(10))))"
NUMBERS = "(SELECT TRY_CAST(unnest(string_split(?, chr(10))) AS BIGINT))"
"""The values of `listed` as a subquery, one per row."""


def listed(values: Iterable[object]) -> str:
    """Many values as one parameter for TEXTS or NUMBERS; none of them holds a line end.

    DuckDB takes half a millisecond for each element of a Python list: ten seconds for 20,000.
    """
    return "\n".join(map(str, values))


def text(value: str) -> str:
    """A text as SQL writes it."""
    return "'" + value.replace("'", "''") + "'"


def name(*parts: str) -> str:
    """A name as SQL writes it, part by part."""
    return ".".join('"' + part.replace('"', '""') + '"' for part in parts)
