"""Waiting is counted in calendar days from the verdict to the delivery, for each authorisation since its last one.

Requirement of the exchange: R16.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import duckdb
import polars as pl
import pyarrow as pa
import pytest

from dmfa.extracts.availability import late
from tests.unit.extracts.material import QUARTER

VERDICTS = {1: "2026-11-01 23:59", 2: "2026-11-02 00:01", 3: "2026-11-20 10:00"}
"""By filing: when it was accepted. Of the quarter filing 1 has two persons, 2 and 3 one each; 1 has one of another."""


class Tables:
    """The three tables that count, in memory."""

    def __init__(self) -> None:
        self.connection = duckdb.connect(":memory:")
        self.connection.execute(
            """ATTACH ':memory:' AS lake; CREATE SCHEMA lake.exchange; CREATE SCHEMA lake.received;
            CREATE SCHEMA lake.authentic;
            CREATE TABLE lake.exchange.delivery ("at" TIMESTAMP, quarter INT, "authorisation" TEXT, ticket TEXT);
            CREATE TABLE lake.received.filing (filing_id BIGINT, processed_at TIMESTAMP);
            CREATE TABLE lake.authentic.natural_person (filing_id BIGINT, quarter INT);
            INSERT INTO lake.authentic.natural_person VALUES (1, 20263), (1, 20263), (2, 20263), (3, 20263), (1, 20262)
            """
        )
        self.connection.executemany("INSERT INTO lake.received.filing VALUES (?, ?)", list(VERDICTS.items()))

    def gave(self, at: str, *, row: str = "fund", ticket: str = "earlier", quarter: int = 20263) -> None:
        self.connection.execute("INSERT INTO lake.exchange.delivery VALUES (?, ?, ?, ?)", [at, quarter, row, ticket])

    def arrow(
        self, sql: str, values: Sequence[object] | None = None, beside: Mapping[str, pl.DataFrame] | None = None
    ) -> pa.Table:
        return self.connection.execute(sql, list(values or ())).to_arrow_table()

    def late(self, at: datetime, days: int = 4) -> int:
        one: Any = SimpleNamespace(quarter=QUARTER, authorisation=SimpleNamespace(id="fund"), ticket="now")
        source: Any = self
        return late(source, one, at, days)


@pytest.fixture
def tables() -> Iterator[Tables]:
    made = Tables()
    yield made
    made.connection.close()


@pytest.mark.parametrize(
    ("day", "expected"),
    [(5, 0), (6, 2), (7, 3), (24, 3), (25, 4)],
    ids=["in time", "a minute before midnight", "a minute after", "the third in time", "all"],
)
def test_r16_the_days_are_those_of_the_calendar(tables: Tables, day: int, expected: int) -> None:
    assert tables.late(datetime(2026, 11, day, 0, 5, tzinfo=UTC)) == expected


def test_r16_how_many_days_is_a_setting(tables: Tables) -> None:
    at = datetime(2026, 11, 12, 12, tzinfo=UTC)
    assert [tables.late(at, days) for days in (9, 10, 11)] == [3, 2, 0]


def test_r16_what_was_given_before_does_not_wait(tables: Tables) -> None:
    tables.gave("2026-11-02 00:00")
    assert tables.late(datetime(2026, 11, 30, tzinfo=UTC)) == 2
    tables.gave("2026-11-21 00:00")
    assert tables.late(datetime(2026, 11, 30, tzinfo=UTC)) == 0


def test_r16_what_another_has_or_this_delivery_itself_ends_no_wait(tables: Tables) -> None:
    tables.gave("2026-11-29", row="another")
    tables.gave("2026-11-29", quarter=20262)
    tables.gave("2026-11-29", ticket="now")
    assert tables.late(datetime(2026, 11, 30, tzinfo=UTC)) == 4
