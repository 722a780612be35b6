"""Declared tables as they stood: by the units that stand, whether their own table was read or not."""

import polars as pl
import pytest

from dmfa.lake import Histories

KEYS = {"declaration_id": pl.Int64, "version": pl.Int16, "status": pl.Int8, "natural_person_ordinal": pl.Int32}
LINES = pl.DataFrame(
    # Two lines of a person: the first is changed by version 2, the second cancelled by version 3.
    [(7, 1, 0, 0, 0, "495"), (7, 1, 0, 0, 1, "015"), (7, 2, 1, 0, 0, "840"), (7, 3, 3, 0, 1, "015")],
    schema={**KEYS, "worker_record_ordinal": pl.Int32, "worker_code": pl.String},
    orient="row",
)
REMUN = pl.DataFrame(
    [(7, 2, 1, 0, 0, 2, 120), (7, 1, 0, 0, 1, 1, 300), (7, 1, 0, 0, 0, 0, 100)],
    schema={**KEYS, "worker_record_ordinal": pl.Int32, "remun_ordinal": pl.Int32, "remun_amount": pl.Int64},
    orient="row",
)
SERVICES = pl.DataFrame(
    [(7, 1, 0, 0, 0, 0, "001")],
    schema={**KEYS, "worker_record_ordinal": pl.Int32, "service_ordinal": pl.Int32, "service_code": pl.String},
    orient="row",
)
REPLACED = pl.DataFrame(
    [(7, "worker_record", 0, 1, 2), (7, "worker_record", 1, 1, 3)],
    schema={
        "declaration_id": pl.Int64,
        "unit": pl.String,
        "ordinal": pl.Int32,
        "version": pl.Int16,
        "ended_by": pl.Int16,
    },
    orient="row",
)
UNITS = pl.DataFrame(
    [(100, 7, 3, 0), (101, 7, 2, 0), (102, 7, 1, 0)],
    schema={
        "state": pl.Int64,
        "declaration_id": pl.Int64,
        "version": pl.Int16,
        "natural_person_ordinal": pl.Int32,
    },
    orient="row",
)
WANTED = {"worker_record": ["worker_code"], "remun": ["remun_amount"], "service": ["service_code"], "address": []}


def test_each_state_holds_what_stood_then():
    rows = {"worker_record": LINES, "remun": REMUN, "service": SERVICES}
    found = Histories(rows, REPLACED).at_version(WANTED, UNITS)
    assert set(found) == set(rows)
    assert found["worker_record"].rows() == [
        (100, "840"),
        (101, "840"),
        (101, "015"),
        (102, "495"),
        (102, "015"),
    ]
    assert found["remun"].rows() == [(100, 120), (101, 300), (101, 120), (102, 100), (102, 300)]
    assert found["service"].rows() == [(102, "001")]


@pytest.mark.parametrize("tables", [{"remun": REMUN}, {"remun": REMUN, "service": SERVICES}], ids=len)
def test_a_unit_whose_own_table_was_not_read_stands_by_its_rows(tables):
    whole = Histories({"worker_record": LINES, **tables}, REPLACED).at_version(WANTED, UNITS)
    part = Histories(tables, REPLACED).at_version(WANTED, UNITS)
    assert {name: part[name].rows() for name in tables} == {name: whole[name].rows() for name in tables}


def test_a_table_without_rows_has_none_in_any_state():
    found = Histories({"worker_record": LINES, "remun": REMUN.clear()}, REPLACED).at_version(WANTED, UNITS)
    assert found["remun"].rows() == []
    assert found["remun"].schema == {"declaration_id": pl.Int64, "remun_amount": pl.Int64}
