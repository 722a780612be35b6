"""A person's own SQL over the lake: it reads the lake's tables, and can do nothing else.

Settings alone do not lock DuckDB: with external access off it still lets SQL attach the catalog's own file and write
to it, and read every file below an allowed folder. So a query is parsed first, and runs only if its tree holds
nothing but the lake's tables and functions that stay inside. What the tree does not name cannot be reached; what is
unknown is refused.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import duckdb
import pyarrow as pa
from duckdb import DuckDBPyConnection

from dmfa.errors import DmfaError, LakeProblem, WrongUsage
from dmfa.lake import catalog
from dmfa.lake.border import engine
from dmfa.lake.location import CATALOG, Location, text
from dmfa.lake.spec import SCHEMAS

_READABLE = frozenset({*SCHEMAS, "information_schema"})
_STATEMENTS = frozenset({duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN})
_GIVE = "Give a SELECT, EXPLAIN, DESCRIBE or SHOW."
_SPACE = r"(?:\s|--[^\n]*\n|/\*.*?\*/)"
_EXPLAIN = re.compile(
    rf"{_SPACE}*EXPLAIN(?:{_SPACE}+(?P<analyze>ANALYZE))?(?:{_SPACE}*(?P<options>\([\w\s,]*\)))?{_SPACE}+",
    re.IGNORECASE | re.DOTALL,
)
_PLAIN_NAME = re.compile(r"[\w -]+")
_SYSTEM_TABLES = ("duckdb_", "pragma_", "pg_", "sqlite_")
_TABLE_REFERENCES = frozenset(
    {"EMPTY", "BASE_TABLE", "SUBQUERY", "JOIN", "TABLE_FUNCTION", "EXPRESSION_LIST", "PIVOT", "SHOW_REF", "COLUMN_DATA"}
)
_LISTINGS = frozenset({'"tables"', '"schemas"', "__show_tables_expanded"})
_TABLE_FUNCTIONS = frozenset(
    {
        "duckdb_columns",
        "duckdb_functions",
        "duckdb_keywords",
        "duckdb_schemas",
        "duckdb_tables",
        "duckdb_types",
        "duckdb_views",
        "generate_series",
        "generate_subscripts",
        "json_each",
        "json_tree",
        "range",
        "regexp_split_to_table",
        "repeat",
        "repeat_row",
        "unnest",
    }
)
_REFUSED_FUNCTIONS = re.compile(
    r"(sqlite|postgres|pg|ducklake|duckdb|pragma|parquet|read|write|copy|query|json_(de)?serialize|json_execute|enable"
    r"|disable|force|truncate|sleep|inet|__internal)_.*"
    r"|query|glob|getenv|getvariable|current_setting|nextval|currval|setseed|sniff_csv|which_secret|summary|checkpoint"
    r"|.*_scan"
)
_VALUE_ERRORS = ("Conversion Error", "Out of Range Error", "Invalid Input Error")
_LONG_NUMBER = re.compile(r"\d{6,}")


class Answer:
    """The result of a query, read batch by batch.

    Attributes:
        schema: names and types of the columns.
    """

    def __init__(self, connection: DuckDBPyConnection, location: Location) -> None:
        self._connection, self._location = connection, location
        self._batches = connection.to_arrow_reader(100_000)
        self.schema: pa.Schema = self._batches.schema

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        """The rows, at most 100,000 at a time.

        Raises:
            WrongUsage: a value met on the way cannot be computed as the query asks.
            LakeProblem: the lake cannot be read.
        """
        try:
            yield from self._batches
        except (duckdb.Error, pa.ArrowException, OSError) as trouble:
            raise _failure(trouble, self._location) from None

    def table(self) -> pa.Table:
        """All rows at once."""
        return pa.Table.from_batches(list(self), schema=self.schema)

    def close(self) -> None:
        """Let the lake go."""
        self._batches.close()
        self._connection.close()


def run_query(location: str | Path | Location, sql: str, *, as_of: datetime | None = None) -> Answer:
    """Run one SELECT, EXPLAIN, DESCRIBE or SHOW over the lake's tables; a bare table name is one of authentic.

    Args:
        location: the lake.
        sql: the query.
        as_of: the lake as it stood then; a time without zone is the machine's local time.

    Raises:
        WrongUsage: the query is not one that may run, or is wrong, or the lake has no state that old.
        LakeProblem: the lake cannot be read.
    """
    place = Location.of(location)
    checked = allowed(sql)
    connection = catalog.connect(place)
    try:
        catalog.attach(connection, place, read_only=True, as_of=as_of)
        with engine(place, "opening"):
            _lock(connection, place)
        try:
            connection.execute(checked)
            return Answer(connection, place)
        except (duckdb.Error, pa.ArrowException) as trouble:
            raise _failure(trouble, place) from None
    except BaseException:
        connection.close()
        raise


def _lock(connection: DuckDBPyConnection, location: Location) -> None:
    connection.execute(f"USE {CATALOG}.authentic")
    # The order matters: once external access is off, the folders can no longer be named.
    connection.execute(f"SET allowed_directories = [{text(f'{location.data}/')}]")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")


def allowed(sql: str) -> str:
    """Check that a query can do nothing but read the lake's tables.

    Args:
        sql: the query.

    Returns:
        The text to run: the very text that was checked.

    Raises:
        WrongUsage: it could do more, or is no SQL; the message says which part.
    """
    # A connection of its own, for nothing but DuckDB's parser.
    with duckdb.connect(config={"autoload_known_extensions": "false", "enable_external_access": "false"}) as parser:
        try:
            statements = parser.extract_statements(sql)
        except duckdb.Error as trouble:
            raise _own_words(trouble) from None
        if len(statements) != 1:
            raise WrongUsage(f"`dmfa sql` runs one statement; this is {len(statements)}.", "Give one SELECT.")
        kind, selected, head = statements[0].type, statements[0].query, ""
        if kind not in _STATEMENTS:
            raise WrongUsage(f"`dmfa sql` only reads; {kind.name} is not allowed.", _GIVE)
        if kind == duckdb.StatementType.EXPLAIN:
            explain = _EXPLAIN.match(selected)
            if explain is None:
                raise WrongUsage("this EXPLAIN cannot be read.", "Write EXPLAIN or EXPLAIN ANALYZE before a SELECT.")
            selected = selected[explain.end() :]
            head = " ".join(("EXPLAIN", explain["analyze"] or "", explain["options"] or "", ""))
        tree = json.loads(parser.execute("SELECT json_serialize_sql(?::VARCHAR)", [selected]).fetchall()[0][0])
    if tree.get("error") or len(tree.get("statements", ())) != 1:
        raise WrongUsage("`dmfa sql` only reads; this is not a SELECT.", _GIVE)
    for node in _nodes(tree):
        _allow_node(node)
    return head + selected


def _nodes(tree: Any) -> Iterator[dict[str, Any]]:
    """Every object in the tree."""
    waiting = [tree]
    while waiting:
        found = waiting.pop()
        if isinstance(found, dict):
            yield found
            waiting.extend(found.values())
        elif isinstance(found, list):
            waiting.extend(found)


def _allow_node(node: dict[str, Any]) -> None:
    kind = node.get("type")
    called = str(node.get("function_name", "")).lower()
    if _REFUSED_FUNCTIONS.fullmatch(called) and called not in _TABLE_FUNCTIONS:
        raise _refused(f"the function {called}")
    if kind == "TABLE_FUNCTION" and "function" in node:
        function = str(node["function"].get("function_name", "")).lower()
        if function not in _TABLE_FUNCTIONS:
            raise _refused(f"the table function {function}")
    elif kind == "BASE_TABLE":
        _allow_table(node)
    elif kind == "SHOW_REF" and node["query"] is None:
        _allow_show(node)
    elif "column_name_alias" in node and kind not in _TABLE_REFERENCES:
        raise _refused(f"a table reference of the kind {kind}")


def _allow_table(node: dict[str, Any]) -> None:
    catalog_name, schema, table = (node[part].lower() for part in ("catalog_name", "schema_name", "table_name"))
    # A bare name is a table of authentic or a subquery of the query's own; one with a dot could be taken for a file.
    bare = not catalog_name and not schema and not table.startswith(_SYSTEM_TABLES)
    in_lake = catalog_name in ("", CATALOG) and schema in _READABLE
    if not _PLAIN_NAME.fullmatch(table) or not (bare or in_lake):
        written = ".".join(node[part] for part in ("catalog_name", "schema_name", "table_name") if node[part])
        raise _refused(f"the table {_LONG_NUMBER.sub('...', written)}")


def _allow_show(node: dict[str, Any]) -> None:
    listing = node["table_name"] in _LISTINGS and not node["schema_name"]
    if not listing and node["schema_name"].lower() not in _READABLE:
        raise _refused("this SHOW")


def _refused(what: str) -> WrongUsage:
    return WrongUsage(
        f"`dmfa sql` reads the lake's tables and nothing else; {what} is not allowed.",
        f"Tables are those of {', '.join(sorted(SCHEMAS))}; `dmfa sql 'SHOW ALL TABLES'` lists them.",
    )


def _failure(trouble: Exception, location: Location) -> DmfaError:
    """What to tell: a parser's or binder's message is about the query's own words, all others quote cells."""
    if isinstance(trouble, duckdb.ParserException | duckdb.BinderException | duckdb.CatalogException):
        return _own_words(trouble)
    if isinstance(trouble, duckdb.PermissionException):
        return _refused("what this names")
    if isinstance(trouble, duckdb.OutOfMemoryException):
        return WrongUsage("the query needs more memory than there is.", "Select fewer rows or columns.")
    if isinstance(trouble, duckdb.InvalidInputException | duckdb.NotImplementedException):
        return WrongUsage("the query cannot be run as it is written.", "See the documentation of DuckDB's SQL.")
    # While rows are read, Arrow passes DuckDB's message on as its own error.
    if isinstance(trouble, duckdb.DataError) or str(trouble).startswith(_VALUE_ERRORS):
        return WrongUsage(
            "a value met on the way cannot be computed as the query asks.",
            "Use TRY_CAST or a wider type; the value itself is not shown.",
        )
    return LakeProblem(f"reading the lake {location} failed.", "Run `dmfa doctor` to look at the lake.")


def _own_words(trouble: Exception) -> WrongUsage:
    """The first lines of DuckDB's message, without its echo of the query, which may hold a person's number."""
    said = _LONG_NUMBER.sub("...", str(trouble).partition("\n\nLINE ")[0])
    return WrongUsage(f"the query is wrong: {' '.join(said.split())}", "`dmfa sql 'SHOW ALL TABLES'` lists the tables.")
