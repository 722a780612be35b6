"""Where a lake is: the only place that makes paths and attach strings."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from dmfa.address import Address, Place, place
from dmfa.errors import WrongUsage

CATALOG = "lake"
"""Name under which every lake is attached; the stored views rely on it."""

_PATTERN_CHARACTERS = re.compile(r"[*?\[\]{}]")
_SERVICE = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]+:")
_POSTGRES = "postgres:"
_DATA = ";data="
_FACT = re.compile(r"\s*(\w+)\s*=\s*('(?:[^'\\]|\\.)*'|[^\s';]+)(?=\s|$)")
_SECRETS = frozenset({"password", "sslpassword"})
_FORM = "Write it as 'postgres:host=HOST dbname=NAME;data=s3://BUCKET/FOLDER'."


@dataclass(frozen=True)
class Location:
    """A lake: its files in one folder, and a catalog of them beside the files or in a PostgreSQL database.

    Attributes:
        folder: where the files are: an absolute path, or an address that every machine of a cluster reaches.
        database: how the catalog's database is reached, in libpq's own words and without a password; None for the
            catalog in the folder.
    """

    folder: Place
    database: str | None = None

    @classmethod
    def of(cls, text: str | Path | Location) -> Location:
        """The location that a setting names.

        Raises:
            WrongUsage: the text names no lake, a folder whose name DuckDB would take as a pattern, or a password.
        """
        if isinstance(text, Location):
            return text
        name, database = str(text), None
        if name.startswith(_POSTGRES):
            words, told, name = name.removeprefix(_POSTGRES).partition(_DATA)
            if not told or "dbname" not in _facts(words):
                raise WrongUsage("a lake with its catalog in PostgreSQL names a database and a place for data.", _FORM)
            if _SECRETS & _facts(words).keys():
                raise WrongUsage(
                    "a password stands in the name of the lake, which is shown and logged.",
                    "Leave it out; libpq takes it from PGPASSWORD or from the file that PGPASSFILE names.",
                )
            database = words.strip()
        elif _SERVICE.match(name):
            todo = f"Name a local folder, or a catalog for it: {_FORM[len('Write it as ') : -1]}."
            raise WrongUsage(f"{name.partition(':')[0]}: is no lake that can be opened here.", todo)
        if not name or _PATTERN_CHARACTERS.search(name):
            raise WrongUsage(
                f"the folder {name!r} cannot hold a lake: its name is empty or has one of * ? [ ] {{ }}.",
                "Name another folder.",
            )
        folder = place(name).absolute()
        if isinstance(folder, Address) and folder.scheme != "s3":
            raise WrongUsage(f"{folder.scheme}:// holds no lake: DuckDB reads s3:// and folders.", _FORM)
        return cls(folder, database)

    def __str__(self) -> str:
        """The lake as people are told of it."""
        return str(self.folder) if self.database is None else f"{self.catalog_name} with {self.folder}"

    @property
    def catalog_name(self) -> str:
        """The catalog as people are told of it: the file, or database and host."""
        if self.database is None:
            return self.catalog.name
        facts = _facts(self.database)
        return f"{facts['dbname']} on {facts.get('host') or facts.get('hostaddr') or 'this machine'}"

    @property
    def catalog(self) -> Path:
        """The SQLite catalog of a lake that has one."""
        return Path(str(self.folder), "catalog.sqlite")

    @property
    def draft(self) -> Path:
        """The catalog while the lake is being made; renamed once whole."""
        return self.catalog.with_name("catalog.sqlite.new")

    @property
    def data(self) -> Place:
        """Folder of the Parquet files."""
        return self.folder / "data"

    @property
    def staging(self) -> Place:
        """Folder of the manifests of finished work not yet published."""
        return self.folder / "staging"

    @property
    def received(self) -> Place:
        """Folder of the files received, compressed."""
        return self.folder / "received"

    @property
    def spool(self) -> Place:
        """Folder of what is unpacked on the way, where the workers of a cluster see it."""
        return self.folder / "spool"

    @property
    def lock(self) -> Path:
        """File that the one writer holds."""
        return self.catalog.with_name("writer.lock")

    def data_file(self, schema: str, table: str, quarter: int | None, name: str) -> Place:
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
        options = [f"DATA_PATH {text(f'{self.data}/')}", "OVERRIDE_DATA_PATH true", "DATA_INLINING_ROW_LIMIT 0"]
        options.append(f"CREATE_IF_NOT_EXISTS {str(create).lower()}")
        catalog = f"postgres:{self.database}"
        if self.database is None:
            catalog = f"sqlite:{self.draft if create else self.catalog}"
            options.append("META_BUSY_TIMEOUT 5000")
            if not read_only:
                options.append("META_JOURNAL_MODE 'WAL'")
        if read_only or as_of is not None:
            options.append("READ_ONLY")
        if as_of is not None:
            options.append(f"SNAPSHOT_TIME {text(f'{as_of.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}+00')}")
        return f"ATTACH {text(f'ducklake:{catalog}')} AS {CATALOG} ({', '.join(options)})"


def _facts(words: str) -> dict[str, str]:
    """What libpq is told, by name; empty where the words are none of its."""
    facts = {name: value.strip("'") for name, value in _FACT.findall(words)}
    return facts if not _FACT.sub("", words).strip() else {}


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
