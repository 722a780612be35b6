"""One transaction that changes the lake: everything in it appears at once, or nothing does."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import polars as pl
import pyarrow as pa
from duckdb import DuckDBPyConnection

from dmfa.errors import LakeProblem
from dmfa.lake.ledger import known
from dmfa.lake.location import CATALOG, NUMBERS, TEXTS, Location, listed, name
from dmfa.lake.reading import visible
from dmfa.lake.spec import TableSpec
from dmfa.lake.staging import Manifest, StagedFile, discard
from dmfa.lake.writing import INSERTED, ItemWriter, fitted

Rows: TypeAlias = pa.Table | pl.DataFrame | Sequence[StagedFile]


@dataclass(frozen=True)
class Published:
    """What a publication did with the items it was given.

    Attributes:
        items: published now.
        left_out: a filing of theirs stands on the ledger already, or in an item before them.
    """

    items: tuple[str, ...]
    left_out: tuple[str, ...]


class Publication:
    """Changes to several tables in one transaction; made by `Lake.transaction`.

    Attributes:
        added: paths of the files put into tables so far, by schema and table.
    """

    def __init__(self, connection: DuckDBPyConnection, location: Location) -> None:
        self._connection, self._location = connection, location
        self._finished: list[Manifest] = []
        self.added: dict[tuple[str, str], list[str]] = {}

    def add(self, manifests: Iterable[Manifest], *, in_place_of: Iterable[Manifest] = ()) -> Published:
        """Put the files of finished items into their tables.

        An item with a filing that stands on the ledger is left out whole: a file registered twice would double its
        rows, and nothing would say so. An item without filings cannot be checked, and is left out too.

        Args:
            manifests: the items.
            in_place_of: items as they were staged, of which `manifests` holds another form; forgotten after the
                commit, so that until then a rerun can take them over.

        Raises:
            LakeProblem: an item does not bring exactly one ledger row for each of its filings.
        """
        offered = list(manifests)
        standing = known(self._connection, self._location, (digest for item in offered for digest in item.inputs))
        taken, left_out = [], []
        for item in offered:
            if item.inputs and standing.isdisjoint(item.inputs):
                taken.append(item)
                standing.update(item.inputs)
            else:
                left_out.append(item)
        self._register([file for item in taken for file in item.files])
        self._check_ledger(taken)
        self._finished += [*offered, *in_place_of]
        return Published(tuple(item.item_id for item in taken), tuple(item.item_id for item in left_out))

    def append(self, spec: TableSpec, rows: pa.Table | pl.DataFrame) -> None:
        """Add rows to a table, e.g. to the exchange log.

        Raises:
            ValueError: the rows do not fit the table.
        """
        if spec.schema not in INSERTED:
            self.append_parts(spec, [rows])
            return
        table = fitted(spec, rows)
        if table.num_rows:
            with visible(self._connection, {"incoming": table}):
                self._connection.execute(f"INSERT INTO {_table(spec)} BY NAME SELECT * FROM incoming")

    def append_parts(self, spec: TableSpec, parts: Iterable[pa.Table | pl.DataFrame]) -> None:
        """Add rows that come part by part, however many: they go to a file as they come.

        What is inserted stays in memory until the transaction ends, more than half a kilobyte a row.

        Raises:
            ValueError: the rows do not fit the table.
            LakeProblem: the disk is full or cannot be written.
        """
        with ItemWriter(self._location, f"append-{spec.name}", [spec]) as writer:
            for rows in parts:
                writer.append(spec.key, rows)
            manifest = writer.close(())
        self.append_files(manifest.files)

    def append_files(self, files: Sequence[StagedFile]) -> None:
        """Add rows that were staged for this very transaction, by an item without filings of its own."""
        self._register(files)
        self._finished.append(Manifest("appended", (), tuple(files)))

    def replace(
        self,
        spec: TableSpec,
        rows: Rows,
        *,
        quarter: int | None = None,
        declaration_ids: Collection[int] | None = None,
        among: tuple[str, Collection[int] | Collection[str]] | None = None,
        units: pl.DataFrame | None = None,
        differing: bool = False,
    ) -> bool:
        """Put rows in the place of those of a quarter, of some declarations or others, or of the whole table.

        Equal rows, in whatever order, are left as they stand and nothing is written.

        Args:
            spec: the table.
            rows: the new rows, or staged files that hold them.
            quarter: only rows of this quarter (20263) are replaced.
            declaration_ids: only rows of these declarations are replaced.
            among: a column and values: only rows with one of these in it are replaced.
            units: some of the table's columns of integers: only rows that agree with one of its rows are replaced.
            differing: the rows are known not to be those that stand: reading all columns of those is saved.

        Returns:
            Whether the table changed.

        Raises:
            ValueError: the rows do not fit the table, or lie outside what is replaced.
        """
        with visible(self._connection, {} if units is None else {"units": units}):
            return self._replace(spec, rows, *_scope(quarter, declaration_ids, among, units), differing=differing)

    def _replace(self, spec: TableSpec, rows: Rows, where: str, values: list[object], *, differing: bool) -> bool:
        if isinstance(rows, pa.Table | pl.DataFrame):
            with visible(self._connection, {"incoming": fitted(spec, rows)}):
                if not self._differs(spec, "incoming", [], where, values, differing=differing):
                    return False
                self._connection.execute(f"DELETE FROM {_table(spec)} WHERE {where}", values)
                self._connection.execute(f"INSERT INTO {_table(spec)} BY NAME SELECT * FROM incoming")
                return True
        files = list(rows)
        paths = [str(self._location.data / file.path) for file in files]
        empty = ", ".join(f"NULL AS {name(column)}" for column in spec.arrow.names)
        source = "read_parquet(?, hive_partitioning = false)" if files else f"(SELECT {empty} WHERE false)"
        changed = self._differs(spec, source, [paths] if files else [], where, values, differing=differing)
        if changed:
            self._connection.execute(f"DELETE FROM {_table(spec)} WHERE {where}", values)
            self._register(files)
        # An item of this name only says which files to forget once the transaction is over.
        self._finished.append(Manifest(f"replace-{spec.name}", (), tuple(files)))
        return changed

    def tidy(self) -> None:
        """After the commit: remove the manifests, and the files that no table took."""
        if self._finished:
            discard(self._location, self._finished, keep=registered(self._connection))

    def _register(self, files: Iterable[StagedFile]) -> None:
        tables: dict[tuple[str, str], list[str]] = {}
        for file in files:
            tables.setdefault((file.schema, file.table), []).append(str(self._location.data / file.path))
        for (schema, table), paths in tables.items():
            self.added.setdefault((schema, table), []).extend(paths)
            self._connection.execute(
                # A later release, named on another day, may have given the table columns that this file lacks.
                "CALL ducklake_add_data_files('lake', ?, ?::VARCHAR[], schema => ?, allow_missing => true)",
                [table, paths, schema],
            )

    def _check_ledger(self, taken: list[Manifest]) -> None:
        expected = sorted(digest for item in taken for digest in item.inputs)
        if not expected:
            return
        found = self._connection.execute(
            f"SELECT sha256 FROM lake.received.filing WHERE sha256 IN {TEXTS} ORDER BY 1", [listed(expected)]
        ).fetchall()
        if [digest for (digest,) in found] != expected:
            raise LakeProblem(
                f"finished work in {self._location.staging} does not hold one ledger row for each of its filings.",
                "Nothing was published. Remove the folder's content and run again.",
            )

    def _differs(
        self,
        spec: TableSpec,
        source: str,
        source_values: list[object],
        where: str,
        values: list[object],
        *,
        differing: bool,
    ) -> bool:
        """Compare the rows of a source with those that stand, whatever their order, unless they are known to differ."""
        columns = ", ".join(map(name, spec.arrow.names))
        # Sum and number of 64-bit row hashes: equal multisets of rows, short of a collision.
        told = "" if differing else f", sum(hash({columns})::HUGEINT)"
        summary = f"SELECT count(*){told} FROM"
        incoming = self._connection.execute(f"{summary} {source}", source_values).fetchall()[0]
        inside = self._connection.execute(
            f"SELECT count(*) FROM {source} WHERE {where}", [*source_values, *values]
        ).fetchall()[0]
        if inside[0] != incoming[0]:
            raise ValueError(f"rows for {spec.key} lie outside what they are to replace")
        if differing:
            return True
        standing = self._connection.execute(f"{summary} {_table(spec)} WHERE {where}", values).fetchall()[0]
        return bool(incoming != standing)


def _scope(
    quarter: int | None,
    declaration_ids: Collection[int] | None,
    among: tuple[str, Collection[int] | Collection[str]] | None,
    units: pl.DataFrame | None,
) -> tuple[str, list[object]]:
    conditions, values = ["true"], list[object]()
    if quarter is not None:
        conditions.append("quarter = ?")
        values.append(quarter)
    if declaration_ids is not None:
        conditions.append(f"declaration_id IN {NUMBERS}")
        values.append(listed(sorted(declaration_ids)))
    if among is not None:
        column, wanted = among
        conditions.append(f"{name(column)} IN {NUMBERS if all(isinstance(v, int) for v in wanted) else TEXTS}")
        values.append(listed(wanted))
    if units is not None:
        # -1 stands for null, since a join on equality is what is fast; no key is negative.
        own = ", ".join(f"coalesce({name(column)}, -1)" for column in units.columns)
        conditions.append(f"({own}) IN (SELECT ({own}) FROM units)")
    return " AND ".join(conditions), values


def _table(spec: TableSpec) -> str:
    return name(CATALOG, spec.schema, spec.name)


def registered(connection: DuckDBPyConnection) -> frozenset[str]:
    """Paths, relative to the data folder, of every file that a table holds or held, until maintenance removes it."""
    rows = connection.execute(
        """
        SELECT s.path || t.path || f.path
        FROM (SELECT table_id, path FROM __ducklake_metadata_lake.ducklake_data_file
              UNION ALL SELECT table_id, path FROM __ducklake_metadata_lake.ducklake_delete_file) f
        JOIN __ducklake_metadata_lake.ducklake_table t USING (table_id)
        JOIN __ducklake_metadata_lake.ducklake_schema s USING (schema_id)
        UNION SELECT path FROM __ducklake_metadata_lake.ducklake_files_scheduled_for_deletion
        """
    ).fetchall()
    return frozenset(path for (path,) in rows)
