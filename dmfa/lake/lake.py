"""A lake, opened: one writer at a time, any number of readers."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

import duckdb
import polars as pl
import pyarrow as pa
from duckdb import DuckDBPyConnection

from dmfa.address import Place, below
from dmfa.errors import LakeProblem
from dmfa.lake import catalog, ledger, maintenance, reading, staging, versions
from dmfa.lake.border import disk, engine
from dmfa.lake.exchange import EXCHANGE
from dmfa.lake.histories import Histories
from dmfa.lake.keyed import Keyed
from dmfa.lake.location import Location
from dmfa.lake.lock import Lock, writers_place
from dmfa.lake.maintenance import Maintained
from dmfa.lake.publication import Publication, Published, Rows, registered
from dmfa.lake.scanning import Added
from dmfa.lake.spec import TableSpec
from dmfa.lake.staging import Manifest
from dmfa.lake.store import let_in
from dmfa.lake.tables import RECEIVED, REPLACED, history_tables


class Lake:
    """An open lake; made by `Lake.open`, closed as a context manager.

    Attributes:
        location: where it is.
    """

    def __init__(self, location: Location, connection: DuckDBPyConnection, lock: Lock | None) -> None:
        self.location = location
        self._connection = connection
        self._lock = lock
        self._within = False
        self._added: Added = {}

    @classmethod
    def open(
        cls,
        location: str | Path | Location,
        *,
        write: bool = False,
        create: bool = False,
        extra_tables: Sequence[TableSpec] = (),
        wait_seconds: float | None = None,
        as_of: datetime | None = None,
        xsd: Path | None = None,
    ) -> Lake:
        """Open a lake.

        Args:
            location: its folder, or its catalog in PostgreSQL and the place of its data; see Location.
            write: take the writer's place; missing tables and columns are added.
            create: make the lake where there is none; only with write.
            extra_tables: the tables of the schemas computed and reference, when writing.
            wait_seconds: how long to wait for another writer; DMFA_LAKE_WAIT or 30 when not given.
            as_of: read the lake as it stood then; a time without zone is the machine's local time.
            xsd: a folder with further releases of the XSD, whose tables the lake shall hold too.

        Raises:
            LakeProblem: no lake there, in use by another writer, damaged, made by a newer program, or the folder
                cannot be used.
            WrongUsage: the location names no folder that can hold a lake, or it has no state as old as that asked for.
        """
        place = Location.of(location)
        if write and not create:
            catalog.must_exist(place)
        lock = writers_place(place, wait_seconds) if write else None
        connection = None
        try:
            connection = catalog.connect(place)
            if not write:
                catalog.attach(connection, place, read_only=True, as_of=as_of)
                return cls(place, connection, None)
            specs = (*RECEIVED, *EXCHANGE, REPLACED, *history_tables(xsd), *extra_tables)
            new = create and not catalog.exists(place)
            if new:
                catalog.create(connection, place, specs)
            catalog.attach(connection, place, read_only=False)
            if not new:
                catalog.complete(connection, place, specs)
        except BaseException:
            if connection is not None:
                connection.close()
            if lock is not None:
                lock.release()
            raise
        return cls(place, connection, lock)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let the lake go; a second call does nothing."""
        self._connection.close()
        if self._lock is not None:
            self._lock.release()

    # Reading

    def arrow(
        self, sql: str, values: Sequence[object] | None = None, beside: Mapping[str, pl.DataFrame] | None = None
    ) -> pa.Table:
        """The result of a query of our own (tables are lake.<schema>.<table>) as an Arrow table.

        Args:
            sql: the query.
            values: its parameters; one that is a list of many values is slow.
            beside: rows in memory, by the name under which the query reads them.

        Raises:
            LakeProblem: the lake cannot be read.
        """
        return reading.arrow(self._connection, self.location, sql, values, beside)

    def frames(
        self,
        schema: str,
        tables: Iterable[str],
        *,
        quarter: int | tuple[int, int] | None = None,
        declaration_ids: Collection[int] | None = None,
        employer: int | None = None,
        persons: Collection[int] | None = None,
    ) -> dict[str, pl.DataFrame]:
        """Tables by name, or their rows of a quarter, of declarations, an employer, persons' places; all of one state.

        Raises:
            WrongUsage: the lake has no such table.
            LakeProblem: the lake cannot be read.
        """
        with self.one_state():
            return reading.frames(
                self._connection,
                self.location,
                schema,
                tables,
                quarter=quarter,
                declaration_ids=declaration_ids,
                employer=employer,
                persons=persons,
            )

    def at_version(
        self, tables: Mapping[str, Sequence[str]], quarter: int, units: pl.DataFrame
    ) -> dict[str, pl.DataFrame]:
        """Declared tables as they stood at versions of some declarations; see `Histories.at_version`."""
        return self.histories(quarter, units, tables).at_version(tables, units)

    def histories(
        self, quarter: int, units: pl.DataFrame, tables: Mapping[str, Sequence[str]] | None = None
    ) -> Histories:
        """All rows of some persons of declarations, and of what is of no person; see `dmfa.lake.versions.histories`."""
        with self.one_state():
            return versions.histories(self._connection, self.location, quarter, units, tables, added=self._added)

    def keyed(self, schema: str) -> Keyed:
        """The tables of a schema, read by key; in a transaction with what that has added."""
        return Keyed(self._connection, self.location, schema, self._added)

    @contextmanager
    def one_state(self) -> Iterator[None]:
        """All that is read inside is of one state: that of the running transaction, or of one of its own.

        Raises:
            LakeProblem: the lake cannot be read.
        """
        if self._within:
            yield
            return
        with engine(self.location, "reading"):
            self._connection.execute("BEGIN TRANSACTION")
            self._within = True
            try:
                yield
            finally:
                self._within = False
                self._connection.execute("ROLLBACK")

    def known(self, digests: Iterable[str]) -> set[str]:
        """Those of the SHA-256 digests that stand on the ledger already."""
        return ledger.known(self._connection, self.location, digests)

    def known_names(self, names: Iterable[str]) -> set[str]:
        """Those of the names of files under which a filing stands on the ledger already."""
        return ledger.known_names(self._connection, self.location, names)

    def names_received(self, names: Iterable[str]) -> dict[str, set[str]]:
        """By name of a file, the SHA-256 digests of the filings that were received under it, not turned away."""
        return ledger.names_received(self._connection, self.location, names)

    def snapshot_id(self) -> int:
        """Number of the state that is read: the newest, or that of the moment as of which the lake was opened.

        It grows by one with every publication that changes something.
        """
        number: int = self.arrow("SELECT id FROM ducklake_current_snapshot('lake')").column(0)[0].as_py()
        return number

    def as_of(self, time: datetime) -> Lake:
        """The same lake, read as it stood at a time of the lake (not of the business: that is the version)."""
        return Lake.open(self.location, as_of=time)

    # Writing

    @contextmanager
    def transaction(self) -> Iterator[Publication]:
        """Changes to several tables that appear at once when the block ends, or not at all when it fails.

        Raises:
            LakeProblem: the lake cannot be written, or is open for reading only.
        """
        lock = self._must_write()
        let_in(self._connection, self.location)
        publication = Publication(self._connection, self.location)
        with engine(self.location, "publishing to"):
            self._connection.execute("BEGIN TRANSACTION")
            self._within, self._added = True, publication.added
            try:
                yield publication
                lock.must_hold()
            except BaseException:
                with suppress(duckdb.Error):  # the first failure is the one to tell
                    self._connection.execute("ROLLBACK")
                raise
            finally:
                self._within, self._added = False, {}
            self._connection.execute("COMMIT")
            publication.tidy()

    def environment(self) -> str:
        """Environment of its filings: production (R) unless the first ones were of another (T, S)."""
        found = self.arrow("SELECT value FROM lake.received.meta WHERE key = 'environment'").column(0).to_pylist()
        return str(found[0]) if found else "R"

    def claim(self, environment: str) -> None:
        """Make sure that the lake is of an environment, or make it so while it holds no filing.

        Args:
            environment: R, T or S.

        Raises:
            LakeProblem: it is of another one.
        """
        self._must_write()
        mine = self.environment()
        if mine == environment:
            return
        if mine != "R" or self.arrow("SELECT count(*) FROM lake.received.filing").column(0)[0].as_py():
            raise LakeProblem(
                f"the lake {self.location} is of environment {mine}; this run is of environment {environment}.",
                "Tests and production never share a lake: name another with --lake, or change DMFA_ENVIRONMENT.",
            )
        with engine(self.location, "publishing to"):
            self._connection.execute("INSERT INTO lake.received.meta VALUES ('environment', ?)", [environment])

    def publish(self, manifests: Iterable[Manifest]) -> Published:
        """Put all files of finished items into their tables in one transaction, and remove the manifests.

        An item with a filing that stands on the ledger is left out whole; with nothing new there is no new state.

        Raises:
            LakeProblem: the lake cannot be written; nothing was published.
        """
        with self.transaction() as publication:
            return publication.add(manifests)

    def replace(
        self,
        spec: TableSpec,
        rows: Rows,
        *,
        quarter: int | None = None,
        declaration_ids: Collection[int] | None = None,
    ) -> bool:
        """Put rows in the place of those of a quarter, of some declarations, or of the table; see Publication."""
        with self.transaction() as publication:
            return publication.replace(spec, rows, quarter=quarter, declaration_ids=declaration_ids)

    def keep(self, digest: str, data: bytes) -> Place:
        """Keep the bytes of a file received; workers use `keep_bytes`."""
        return ledger.keep_bytes(self.location, digest, data)

    def maintain(
        self,
        *,
        states_before: datetime | None = None,
        received_before: datetime | None = None,
        grace: timedelta = maintenance.GRACE,
    ) -> Maintained:
        """Merge small files, rewrite those with deleted rows, and remove what is kept long enough.

        The content of every table stays as it is.

        Args:
            states_before: forget the states of the lake before this moment of the machine's clock; none if not given.
            received_before: drop the kept bytes of filings received before this moment, UTC; none if not given.
            grace: how long a file that no state needs any more stays for those who are reading it.

        Raises:
            LakeProblem: the lake is open for reading only, or its disk is full or cannot be written.
        """
        self._must_write()
        before, after = maintenance.tidy_tables(self._connection, self.location)
        states = 0
        if states_before is not None:
            states = maintenance.expire(self._connection, self.location, states_before)
        removed = maintenance.clean(self._connection, self.location, grace)
        removed += maintenance.clear_spool(self.location, grace) + self.sweep()
        received = 0
        if received_before is not None:
            received = maintenance.drop_received(self._connection, self.location, received_before)
        return Maintained(before, after, states, removed, received)

    def sweep(self) -> int:
        """Remove what a killed run left: files in no table and in no finished item, and items that are published.

        A finished item with a filing that stands on the ledger can never be published, so it is left over too.
        Only for the writer before its workers start: what they are writing is in no finished item either.

        Returns:
            Number of files removed.

        Raises:
            LakeProblem: the lake is open for reading only, or cannot be written.
        """
        self._must_write()
        with engine(self.location, "reading"):
            wanted = set(registered(self._connection))
        waiting = staging.staged(self.location)
        standing = self.known(digest for manifest in waiting for digest in manifest.inputs)
        waiting = [manifest for manifest in waiting if standing.isdisjoint(manifest.inputs)]
        wanted.update(file.path for manifest in waiting for file in manifest.files)
        finished = {f"{manifest.item_id}.json" for manifest in waiting}
        with disk(self.location, "tidying"):
            left: list[Place] = [
                path for path in self.location.data.rglob("*.parquet") if below(path, self.location.data) not in wanted
            ]
            left += [path for path in self.location.staging.glob("*") if path.name not in finished]
            if isinstance(self.location.received, Path):  # a store never holds half a file
                left += self.location.received.glob("*.part")
            for path in left:
                path.unlink()
        return len(left)

    def _must_write(self) -> Lock:
        if self._lock is None:
            raise LakeProblem(f"the lake {self.location} is open for reading only.")
        return self._lock
