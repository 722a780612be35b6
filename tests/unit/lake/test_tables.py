import pickle

import pyarrow as pa
import pytest

from dmfa.lake import EXCHANGE, RECEIVED, Lake, history_tables
from dmfa.lake.definition import sql_type
from dmfa.lake.spec import SCHEMAS
from tests.unit.lake.material import BASIS, new_lake, writer


@pytest.mark.parametrize("spec", (*RECEIVED, *EXCHANGE), ids=lambda spec: spec.key)
def test_every_table_and_column_says_what_it_is(spec):
    assert spec.comment
    assert set(spec.comments) == set(spec.arrow.names)
    assert all(spec.comments.values())
    assert len(set(spec.arrow.names)) == len(spec.arrow.names)


def test_history_has_the_keys_first_and_lies_by_quarter():
    tables = {spec.name: spec for spec in history_tables()}
    assert len(tables) == 29
    for spec in tables.values():
        assert spec.partitioned
        keys = ["declaration_id", "quarter", "filing_id", "version", "status", "known_from"]
        assert spec.arrow.names[:6] == keys
    assert tables["occupation"].arrow.names[6:9] == [
        "natural_person_ordinal",
        "worker_record_ordinal",
        "occupation_ordinal",
    ]


def test_every_type_has_a_name_in_sql():
    for spec in (*RECEIVED, *EXCHANGE, *history_tables()):
        for field in spec.arrow:
            assert sql_type(field.type)
    with pytest.raises(KeyError):
        sql_type(pa.float64())


def test_a_worker_process_can_be_given_the_tables():
    spec = history_tables()[0]
    assert pickle.loads(pickle.dumps(spec)) == spec


def test_a_new_lake_has_all_tables_views_and_comments(tmp_path):
    with Lake.open(new_lake(tmp_path)) as lake:
        rows = lake.arrow(
            "SELECT schema_name, table_name, column_name, data_type, comment FROM duckdb_columns()"
            " WHERE database_name = 'lake'"
        ).to_pylist()
        schemas = lake.arrow("SELECT schema_name FROM duckdb_schemas() WHERE database_name = 'lake'")
        about = lake.arrow(
            "SELECT comment FROM duckdb_tables() WHERE schema_name = 'history' AND table_name = 'natural_person'"
            " UNION ALL SELECT comment FROM duckdb_views() WHERE schema_name = 'authentic'"
            " AND view_name = 'natural_person'"
        ).column(0)
    assert set(SCHEMAS) <= set(schemas.column(0).to_pylist())
    found = {(row["schema_name"], row["table_name"], row["column_name"]): row for row in rows}
    for spec in (*RECEIVED, *EXCHANGE, *history_tables(), BASIS):
        for field in spec.arrow:
            row = found[spec.schema, spec.name, field.name]
            assert row["data_type"] == sql_type(field.type)
            assert row["comment"] == spec.comments.get(field.name)
            if spec.schema == "history":
                assert ("authentic", spec.name, field.name) in found
    assert about.to_pylist()[0].startswith("90017")
    assert about.to_pylist()[1].startswith("In force: 90017")


def test_a_column_of_a_newer_release_is_added_and_the_view_shows_it(tmp_path, monkeypatch):
    folder = new_lake(tmp_path)
    old = history_tables()
    more = old[0].arrow.append(pa.field("new_zone", pa.int64()))
    changed = type(old[0])("history", old[0].name, more, old[0].comment, {"new_zone": "09999 New"}, partitioned=True)
    monkeypatch.setattr("dmfa.lake.lake.history_tables", lambda xsd: (changed, *old[1:]))
    with writer(folder) as lake:
        assert "new_zone" in lake.frames("authentic", [old[0].name])[old[0].name].columns
        newest = lake.snapshot_id()
    with writer(folder) as lake:
        assert lake.snapshot_id() == newest
