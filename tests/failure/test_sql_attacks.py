"""What a person's SQL must never reach: other files, the catalog, a write, the process."""

import hashlib
import os

import pyarrow as pa
import pytest

from dmfa.errors import WrongUsage
from dmfa.lake import run_query
from dmfa.lake.catalog import FORMAT, connect
from dmfa.lake.location import Location
from dmfa.lake.query import _allow_node, _lock
from tests.unit.lake.material import new_lake, parquet_files, stage, writer

reachable_from_sql = pa.table({"secret": [1]})


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = new_lake(tmp_path_factory.mktemp("attack"))
    with writer(folder) as lake:
        lake.publish([stage(folder, 1)])
    return folder


def state(folder):
    """Every file of the lake with its content."""
    return {
        path.relative_to(folder): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file() and not path.name.endswith(("-shm", "-wal"))
    }


STATEMENTS = [
    "SELECT 1; SELECT 2",
    "SELECT 1; DROP TABLE history.natural_person",
    "INSERT INTO received.meta VALUES ('format', '9')",
    "UPDATE received.meta SET value = '9'",
    "DELETE FROM received.meta",
    "TRUNCATE received.meta",
    "MERGE INTO received.meta USING (SELECT 1 AS a) ON false WHEN NOT MATCHED THEN INSERT VALUES ('a', 'b')",
    "DROP TABLE received.meta",
    "DROP SCHEMA history CASCADE",
    "ALTER TABLE received.meta ADD COLUMN x INT",
    "CREATE TABLE received.x AS SELECT 1",
    "CREATE TEMP TABLE x AS SELECT 1",
    "CREATE VIEW authentic.x AS SELECT 1",
    "CREATE TEMP VIEW x AS SELECT 1",
    "CREATE MACRO f() AS 1",
    "CREATE SECRET s (TYPE s3, KEY_ID 'a', SECRET 'b')",
    "COMMENT ON TABLE received.meta IS 'x'",
    "ATTACH '{folder}/catalog.sqlite' AS c (TYPE sqlite)",
    "ATTACH 'ducklake:sqlite:{folder}/catalog.sqlite' AS c",
    "ATTACH ':memory:' AS c",
    "DETACH lake",
    "USE memory",
    "COPY received.meta TO '{folder}/data/out.csv'",
    "COPY (SELECT 1) TO '/dev/stdout'",
    "COPY received.meta FROM '/etc/passwd'",
    "EXPORT DATABASE '{folder}/data/out'",
    "IMPORT DATABASE '{folder}/data/out'",
    "INSTALL httpfs",
    "LOAD json",
    "PRAGMA database_list",
    "PRAGMA enable_profiling",
    "SET enable_external_access = true",
    "SET VARIABLE x = 1",
    "RESET enable_external_access",
    "CALL ducklake_expire_snapshots('lake', versions => [0])",
    "CALL lake.set_option('data_inlining_row_limit', 10)",
    "CHECKPOINT",
    "FORCE CHECKPOINT lake",
    "VACUUM",
    "BEGIN TRANSACTION",
    "COMMIT",
    "PREPARE p AS SELECT 1",
    "EXECUTE p",
    "PIVOT received.meta ON key",
    "EXPLAIN INSERT INTO received.meta VALUES ('a', 'b')",
    "EXPLAIN ANALYZE INSERT INTO received.meta VALUES ('a', 'b')",
    "EXPLAIN ANALYZE DELETE FROM received.meta",
    "EXPLAIN (ANALYZE) DROP TABLE received.meta",
    "EXPLAIN ANALYZE COPY received.meta TO '{folder}/data/out.csv'",
    "EXPLAIN EXPLAIN SELECT 1",
    "EXPLAIN(SELECT 1)",
    "EXPLAIN ANALYZE CREATE TABLE received.x AS SELECT 1",
    "EXPLAIN ANALYZE FROM read_text('/etc/passwd')",
    "EXPLAIN/**/ANALYZE/**/DELETE FROM received.meta",
    "EXPLAIN /* /* */ SELECT 1 -- */ ANALYZE DELETE FROM received.meta",
    "SUMMARIZE 'x.csv'",
    "DESCRIBE 'x.csv'",
    "SHOW DATABASES",
    "TABLE sqlite_master",
    "SELECT '/etc/passwd'.read_text()",
    "WITH gone AS (DELETE FROM received.meta RETURNING *) SELECT * FROM gone",
    "WITH new AS (INSERT INTO received.meta VALUES ('a', 'b') RETURNING *) SELECT * FROM new",
]

SOURCES = [
    "sqlite_scan('{folder}/catalog.sqlite', 'ducklake_table')",
    "SQLITE_SCAN('{folder}/catalog.sqlite', 'ducklake_table')",
    "\"sqlite_scan\"('{folder}/catalog.sqlite', 'ducklake_table')",
    "system.main.sqlite_scan('{folder}/catalog.sqlite', 'ducklake_table')",
    "sqlite_query('lake', 'SELECT 1')",
    "sqlite_attach('{folder}/catalog.sqlite')",
    "postgres_scan('host=localhost', 'public', 't')",
    "postgres_query('lake', 'SELECT 1')",
    "ducklake_add_data_files('lake', 'meta', '{file}', schema => 'received')",
    "ducklake_snapshots('lake')",
    "ducklake_list_files('lake', 'meta', schema => 'received')",
    "ducklake_expire_snapshots('lake', versions => [0])",
    "ducklake_delete_orphaned_files('lake', cleanup_all => true)",
    "ducklake_table_changes('lake', 'received', 'meta', 0, 1)",
    "lake.snapshots()",
    "lake.table_changes('meta', 0, 1)",
    "read_text('/etc/passwd')",
    "read_blob('{folder}/catalog.sqlite')",
    "read_csv('/etc/passwd')",
    "read_csv_auto('/etc/passwd')",
    "read_json('/etc/passwd')",
    "read_ndjson_objects('/etc/passwd')",
    "read_parquet('{file}')",
    "read_parquet(['{file}'])",
    "parquet_scan('{file}')",
    "parquet_metadata('{file}')",
    "parquet_schema('{file}')",
    "parquet_kv_metadata('{file}')",
    "read_duckdb('x.db')",
    "sniff_csv('/etc/passwd')",
    "glob('{folder}/**')",
    "'/etc/passwd'",
    "'{file}'",
    '"{file}"',
    "'x.parquet'",
    "'x.csv'",
    "'https://example.org/x.parquet'",
    "'s3://bucket/x.parquet'",
    "query('SELECT 1')",
    "query_table('received.meta')",
    "query_table(['meta'])",
    "json_execute_serialized_sql('{{}}')",
    "arrow_scan(1, 2, 3)",
    "pandas_scan(1)",
    "python_map_function(1)",
    "reachable_from_sql",
    "duckdb_settings()",
    "duckdb_settings",
    "duckdb_databases()",
    "duckdb_secrets()",
    "duckdb_logs",
    "duckdb_variables()",
    "duckdb_external_file_cache()",
    "pragma_storage_info('received.meta')",
    "pragma_database_size()",
    "which_secret('s3://x', 's3')",
    "enable_logging()",
    "checkpoint()",
    "force_checkpoint('lake')",
    "truncate_duckdb_logs()",
    "__ducklake_metadata_lake.ducklake_table",
    "__ducklake_metadata_lake.main.ducklake_table",
    '"__ducklake_metadata_lake"."ducklake_table"',
    "lake.main.x",
    "memory.main.x",
    "system.main.duckdb_settings",
    "pg_catalog.pg_class",
    "main.sqlite_master",
    "sqlite_master",
    "(SHOW DATABASES)",
    "(DESCRIBE __ducklake_metadata_lake.ducklake_table)",
    "(SHOW TABLES FROM __ducklake_metadata_lake)",
]

EXPRESSIONS = [
    "getenv('HOME')",
    "getvariable('x')",
    "current_setting('allowed_directories')",
    "nextval('x')",
    "write_log('x')",
    "json_serialize_plan('SELECT 1')",
    "sleep_ms(1)",
    "pg_sleep(1)",
    "sqlite_anything(1)",
    "ducklake_anything(1)",
    "'x'.getenv()",
    "system.main.getenv('HOME')",
]

NESTINGS = [
    "SELECT * FROM {source}",
    "FROM {source}",
    "SELECT (SELECT count(*) FROM {source})",
    "SELECT 1 WHERE EXISTS (FROM {source})",
    "WITH x AS (SELECT * FROM {source}) SELECT 1 FROM x",
    "WITH ducklake_table AS (SELECT 1), meta AS (SELECT 1) SELECT * FROM {source}",
    "SELECT 1 UNION ALL (SELECT 1 FROM {source})",
    "SELECT * FROM received.meta m, LATERAL (SELECT m.key, * FROM {source})",
    "SELECT * FROM received.meta JOIN {source} ON true",
    "SELECT 1 ORDER BY (SELECT count(*) FROM {source})",
    "EXPLAIN SELECT * FROM {source}",
    "DESCRIBE SELECT * FROM {source}",
    "SELECT list_transform([1], lambda x: (SELECT count(*) FROM {source}))",
    "PIVOT (FROM {source}) ON a IN (1) USING count(*)",
    "FROM received.meta AT (VERSION => (SELECT count(*) FROM {source}))",
]


def refused(folder, sql):
    file = folder / "data" / sorted(parquet_files(folder))[0]
    before = state(folder)
    with pytest.raises(WrongUsage), run_query(folder, sql.format(folder=folder, file=file)) as answer:
        answer.table()
    assert state(folder) == before


@pytest.mark.parametrize("sql", STATEMENTS)
def test_a_statement_that_is_not_one_reading_one(folder, sql):
    refused(folder, sql)


@pytest.mark.parametrize("source", SOURCES)
def test_a_source_outside_the_tables(folder, source):
    refused(folder, f"SELECT * FROM {source}")


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_a_function_that_leaves_the_tables(folder, expression):
    refused(folder, f"SELECT {expression}")


@pytest.mark.parametrize("nesting", NESTINGS)
@pytest.mark.parametrize("source", ["read_text('/etc/passwd')", "__ducklake_metadata_lake.ducklake_table", "'x.csv'"])
def test_a_source_outside_the_tables_wherever_it_stands(folder, nesting, source):
    refused(folder, nesting.format(source=source))


def test_what_runs_is_what_was_checked(folder):
    """A comment that DuckDB may nest and the check does not cannot hide a second meaning."""
    before = state(folder)
    with run_query(folder, "EXPLAIN ANALYZE /* /* */ SELECT 1 -- */ DELETE FROM received.meta") as answer:
        assert "DELETE" not in str(answer.table().column(1)[0]).split("Total Time")[1]
    assert state(folder) == before


def test_a_file_that_a_table_name_could_mean(folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "history.csv").write_text("a\n1\n")
    (tmp_path / "history").mkdir()
    refused(folder, "FROM history.csv")


def test_the_second_line_of_defence_stands_by_itself(folder):
    """The settings alone: no file outside the lake's data, no change of the settings, no variable of the program."""
    import duckdb

    place = Location.of(folder)
    connection = connect(place)
    connection.execute(place.attach(read_only=True, create=False))
    _lock(connection, place)
    for sql in (
        "FROM read_text('/etc/passwd')",
        f"COPY (SELECT 1) TO '{folder}/out.csv'",
        "SET enable_external_access = true",
        "INSTALL httpfs",
        "FROM reachable_from_sql",
        "DELETE FROM received.meta",
    ):
        with pytest.raises(duckdb.Error):
            connection.execute(sql)
    assert connection.execute("FROM received.meta").fetchall() == [("format", str(FORMAT))]
    connection.close()


def test_a_kind_of_source_that_is_not_known_is_refused():
    with pytest.raises(WrongUsage, match="a table reference of the kind NEW_REF"):
        _allow_node({"type": "NEW_REF", "column_name_alias": []})


def test_the_environment_is_left_alone(folder):
    before = dict(os.environ)
    with run_query(folder, "SELECT 1") as answer:
        assert answer.table().num_rows == 1
    assert dict(os.environ) == before
