"""The catalog: DuckDB with its extensions, attaching a lake, making its tables."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
from duckdb import DuckDBPyConnection

from dmfa.address import Address
from dmfa.errors import LakeProblem, WrongUsage
from dmfa.lake import postgres
from dmfa.lake.border import disk, engine
from dmfa.lake.definition import add_columns, create_table, sql_type
from dmfa.lake.location import CATALOG, Location, name, text
from dmfa.lake.spec import SCHEMAS, TableSpec
from dmfa.lake.store import let_in
from dmfa.lake.upgrade import upgrade

FORMAT = 2
"""Version of the lake's own shape, in received.meta under `format`."""

_PROVEN: dict[Path, tuple[int, int, int, int]] = {}
"""Files of extensions whose signature DuckDB has verified in this process, each as it was then.

To verify one it reads 35 MB; what is loaded once stays loaded, so a file that is still the same need not be read again.
"""

_EXTENSIONS = {"ducklake": "ducklake"}
_ON_FILE = {"sqlite_scanner": "sqlite"}
_IN_DATABASE = {"postgres_scanner": "postgres"}
_IN_STORE = {"httpfs": "httpfs"}
"""Extensions by the name of their package: of every lake, by where its catalog is, and with data in a store."""


def connect(location: Location) -> DuckDBPyConnection:
    """A DuckDB in memory with the extensions that a lake needs, signed, and no network but the lake's own.

    Raises:
        LakeProblem: an extension is missing and cannot be had.
    """
    extensions = _EXTENSIONS | (_ON_FILE if location.database is None else _IN_DATABASE)
    if isinstance(location.folder, Address):
        extensions |= _IN_STORE
    files = {package: _packaged(package) for package in extensions}
    states = {file: _state(file) for file in files.values() if file}
    proven = len(states) == len(files) and states.items() <= _PROVEN.items()
    connection = duckdb.connect(
        config={
            "allow_unsigned_extensions": str(proven).lower(),
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "python_enable_replacements": "false",
            "secret_directory": "/dev/null",  # keys that somebody keeps for other work are not ours
            "temp_directory": "",  # declarations are never spilled into a folder outside the lake
            # Rows on their way into many files: by default half a million of each thread would wait for one another.
            "partitioned_write_flush_threshold": "32768",
            "write_buffer_row_group_memory_limit": "128MB",
        }
    )
    with engine(location, "loading DuckDB's extensions for"):
        for package, extension in extensions.items():
            file = files[package]
            if file is None:
                connection.execute(f"INSTALL {extension}")
            connection.execute(f"LOAD {text(str(file)) if file else extension}")
        # For good: a running DuckDB never allows them again.
        connection.execute("SET allow_unsigned_extensions = false")
    _PROVEN.update(states)
    let_in(connection, location)
    return connection


def _packaged(extension: str) -> Path | None:
    """The extension's file in its Python package; None on a platform that has no such package."""
    found = importlib.util.find_spec(f"duckdb_extension_{extension}")
    for folder in (found.submodule_search_locations or []) if found else []:
        file = Path(folder) / "extensions" / f"v{duckdb.__version__}" / f"{extension}.duckdb_extension"
        if file.exists():
            return file
    return None


def _state(file: Path) -> tuple[int, int, int, int]:
    """What changes when a file is replaced or written to."""
    found = file.stat()
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


def attach(
    connection: DuckDBPyConnection, location: Location, *, read_only: bool, as_of: datetime | None = None
) -> None:
    """Attach an existing lake as `lake` and check that this program understands it.

    Opened for writing, a lake of an older format is brought to today's. An older state is read as it was then.

    Raises:
        LakeProblem: there is no lake, it is damaged, a newer program made it, or it is read and has an older format.
        WrongUsage: it has no state as old as that asked for.
    """
    must_exist(location)
    with engine(location, "opening"):
        connection.execute(location.attach(read_only=True, create=False))
        if as_of is not None:
            _must_have_stood(connection, location, as_of)
            connection.execute(f"DETACH {CATALOG}")
            connection.execute(location.attach(read_only=True, create=False, as_of=as_of))
    found = _format(connection, location)
    if found > FORMAT:
        raise LakeProblem(
            f"the lake {location} has format {found}; this program knows formats up to {FORMAT}.",
            "Install the newer version of dmfa that wrote it.",
        )
    if read_only:
        if found < FORMAT and as_of is None:
            raise LakeProblem(
                f"the lake {location} has format {found}; this program reads format {FORMAT}.",
                "Run `dmfa maintain` once: it brings the lake to the newer format.",
            )
        return
    with engine(location, "opening"):  # only what was found to be a lake of ours is opened for writing
        connection.execute(f"DETACH {CATALOG}")
        connection.execute(location.attach(read_only=False, create=False))
    if found < FORMAT:
        with engine(location, "upgrading"), _transaction(connection):
            upgrade(connection, location, found, FORMAT)


def _must_have_stood(connection: DuckDBPyConnection, location: Location, as_of: datetime) -> None:
    """Check that a lake has a state as old as a moment; states that were forgotten are none."""
    (since,) = connection.execute(_OLDEST).fetchall()[0]
    if since is None:
        return  # no lake of ours, which is told better
    oldest = datetime.fromtimestamp(since // 1_000_000, UTC) + timedelta(microseconds=since % 1_000_000)
    if as_of.astimezone(UTC) >= oldest:
        return
    # In the zone of who asks, and as a moment that can be asked for: of whole seconds, the first that is not before.
    told = (oldest + timedelta(microseconds=999_999)).astimezone(as_of.tzinfo).replace(microsecond=0)
    if as_of.tzinfo is None:
        told = told.replace(tzinfo=None)
    raise WrongUsage(
        f"the lake {location} has no state of {as_of.isoformat(' ', 'seconds')}: its oldest is of"
        f" {oldest.astimezone(as_of.tzinfo):%Y-%m-%d %H:%M:%S}.",
        f"Ask for '{told.isoformat(' ')}' or later.",
    )


_OLDEST = "SELECT epoch_us(min(snapshot_time)) FROM ducklake_snapshots('lake') WHERE snapshot_id > 0"
"""DuckLake's very first state holds no table."""


def exists(location: Location) -> bool:
    """Whether there is a lake.

    Raises:
        LakeProblem: its catalog's database cannot be reached.
    """
    return location.catalog.exists() if location.database is None else postgres.exists(location)


def must_exist(location: Location) -> None:
    """Check that there is a lake; DuckLake itself leaves an empty catalog behind where there was none.

    Raises:
        LakeProblem: there is none.
    """
    if not exists(location):
        raise LakeProblem(
            f"there is no lake at {location}.",
            "Name another with --lake, or make one with `dmfa ingest` or `dmfa run`.",
        )


def _format(connection: DuckDBPyConnection, location: Location) -> int:
    """The format that a lake says it has."""
    try:
        with engine(location, "reading") if location.database else nullcontext():
            rows = connection.execute("SELECT value FROM lake.received.meta WHERE key = 'format'").fetchall()
        return int(rows[0][0])
    except (duckdb.Error, IndexError, ValueError):
        raise LakeProblem(
            f"the catalog of the lake {location} is damaged or not the catalog of a lake.",
            f"Put {location.catalog_name} back from a backup; the files in data/ and received/ are untouched.",
        ) from None


def create(connection: DuckDBPyConnection, location: Location, specs: Iterable[TableSpec]) -> None:
    """Make a lake with all its tables; a catalog appears only when it is whole.

    Raises:
        LakeProblem: the folder cannot be written.
    """
    with disk(location, "making"):
        for folder in (location.data, location.received, location.staging):
            folder.mkdir(parents=True, exist_ok=True)
        if location.database is None:
            for rest in location.draft.parent.glob(f"{location.draft.name}*"):
                rest.unlink()
    with engine(location, "making"):
        connection.execute(location.attach(read_only=False, create=True))
        with _transaction(connection):
            for schema in SCHEMAS:
                connection.execute(f"CREATE SCHEMA {name(CATALOG, schema)}")
            for spec in specs:
                create_table(connection, spec)
            connection.execute("INSERT INTO lake.received.meta VALUES ('format', ?)", [str(FORMAT)])
        connection.execute(f"DETACH {CATALOG}")  # SQLite folds its log into the file when it is closed
    if location.database is None:
        with disk(location, "making"):
            location.draft.rename(location.catalog)


def complete(connection: DuckDBPyConnection, location: Location, specs: Iterable[TableSpec]) -> None:
    """Add the tables and columns that the lake lacks; nothing is written when it has them all.

    Raises:
        LakeProblem: a column stands with another type.
    """
    with engine(location, "completing"), _transaction(connection):
        _complete(connection, specs)


def _complete(connection: DuckDBPyConnection, specs: Iterable[TableSpec]) -> None:
    standing: dict[str, dict[str, str]] = {}
    for schema, table, column, type_ in connection.execute(
        "SELECT schema_name, table_name, column_name, data_type FROM duckdb_columns()"
        " WHERE database_name = 'lake' AND schema_name <> 'authentic'"
    ).fetchall():
        standing.setdefault(f"{schema}.{table}", {})[column] = type_
    for spec in specs:
        columns = standing.get(spec.key)
        if columns is None:
            create_table(connection, spec)
            continue
        for field in spec.arrow:
            if columns.get(field.name, sql_type(field.type)) != sql_type(field.type):
                raise LakeProblem(
                    f"{spec.key}.{field.name} is {columns[field.name]} in the lake, {sql_type(field.type)} here.",
                    "Use the version of dmfa and the XSDs that made the lake, or make a new lake.",
                )
        add_columns(connection, spec, [*columns])


@contextmanager
def _transaction(connection: DuckDBPyConnection) -> Iterator[None]:
    connection.execute("BEGIN TRANSACTION")
    try:
        yield
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")
