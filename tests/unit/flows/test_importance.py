"""The importance class of employers: by the directory, else by the workers of four reference quarters."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import cast

import duckdb
import pyarrow as pa
import pytest

from dmfa.lake import Lake
from flows.stages import sizes
from flows.stages.reference import references

QUARTERS = (20244, 20251, 20252, 20253)


class Tables:
    """Stands for a lake with the tables that sizes are read from."""

    def __init__(self) -> None:
        self.connection = duckdb.connect()
        for sql in (
            "ATTACH ':memory:' AS lake",
            "CREATE SCHEMA lake.authentic",
            "CREATE SCHEMA lake.reference",
            "CREATE TABLE lake.authentic.employer_declaration"
            " (quarter INTEGER, declaration_id BIGINT, noss_registration_nbr BIGINT)",
            "CREATE TABLE lake.authentic.occupation (quarter INTEGER, declaration_id BIGINT,"
            " natural_person_ordinal INTEGER, occupation_starting_date DATE, occupation_ending_date DATE)",
            "CREATE TABLE lake.authentic.occupation_deduction (quarter INTEGER, declaration_id BIGINT,"
            " natural_person_ordinal INTEGER, deduction_code VARCHAR, deduction_right_starting_date DATE)",
            "CREATE TABLE lake.authentic.natural_person"
            " (quarter INTEGER, declaration_id BIGINT, natural_person_ordinal INTEGER, inss BIGINT)",
            "CREATE TABLE lake.reference.employer"
            " (noss_registration_nbr BIGINT, year INTEGER, importance BIGINT, ffe VARCHAR, source VARCHAR)",
        ):
            self.connection.execute(sql)

    def arrow(self, sql: str, values: Sequence[object] | None = None) -> pa.Table:
        return self.connection.execute(sql, values).to_arrow_table()

    def declare(self, employer: int, quarter: int, workers: int, ending: str | None = None) -> None:
        declaration = employer * 100_000 + quarter
        self.connection.execute(
            "INSERT INTO lake.authentic.employer_declaration VALUES (?, ?, ?)", [quarter, declaration, employer]
        )
        self.connection.execute(
            "INSERT INTO lake.authentic.occupation SELECT ?, ?, unnest(range(?)), DATE '2020-01-01', ?::DATE",
            [quarter, declaration, workers, ending],
        )

    def classes(self, years: Sequence[int] | None = None, *, directory: bool = True) -> dict[int, dict[int, object]]:
        found = sizes.employers(cast("Lake", self), years, directory=directory)
        return {
            year: {number: (importance, ffe) for number, importance, ffe in frame.iter_rows()}
            for year, frame in found.items()
        }


@pytest.fixture
def tables() -> Iterator[Tables]:
    made = Tables()
    yield made
    made.connection.close()


def test_the_four_reference_quarters_of_a_year() -> None:
    assert sizes.reference_quarters(2026) == QUARTERS


@pytest.mark.parametrize(
    ("workers", "importance"),
    [
        ((1, 0, 0, 0), 1),
        ((4, 5, 5, 5), 1),
        ((5, 5, 5, 5), 2),
        ((9, 10, 10, 10), 2),
        ((10, 10, 10, 10), 3),
        ((19, 20, 20, 20), 3),
        ((20, 20, 20, 20), 4),
        ((80, 0, 0, 0), 4),
        ((50, 50, 50, 50), 5),
        ((100, 100, 100, 100), 6),
        ((200, 200, 200, 200), 7),
        ((500, 500, 500, 500), 8),
        ((1000, 1000, 1000, 1000), 9),
        ((0, 0, 0, 0), None),
    ],
)
def test_the_class_follows_the_average_of_four_quarters(
    tables: Tables, workers: tuple[int, ...], importance: int | None
) -> None:
    for quarter, many in zip(QUARTERS, workers, strict=True):
        tables.declare(100006, quarter, many)
    assert tables.classes([2026]) == ({2026: {100006: (importance, None)}} if importance else {})
    assert tables.classes([2025]) == {}


def test_who_left_before_the_last_day_does_not_count(tables: Tables) -> None:
    last_days = ("2024-12-31", "2025-03-31", "2025-06-30", "2025-09-30")
    for quarter, day in zip(QUARTERS, last_days, strict=True):
        tables.declare(100006, quarter, 5, day)
        tables.declare(100006 + 99, quarter, 5, f"{day[:-2]}15")
        tables.declare(100006 + 198, quarter, 20)
    # Two occupations of one worker are one worker.
    tables.connection.execute("INSERT INTO lake.authentic.occupation FROM lake.authentic.occupation")
    assert tables.classes([2026]) == {2026: {100006: (2, None), 100204: (4, None)}}


def test_without_all_four_quarters_the_class_is_not_known(tables: Tables) -> None:
    for quarter in QUARTERS[:3]:
        tables.declare(100006, quarter, 50)
    assert tables.classes() == {}
    tables.declare(100204, QUARTERS[3], 50)
    assert tables.classes() == {}


def test_each_quarter_of_a_year_is_told_and_a_lake_without_rate_files_has_no_book(tables: Tables) -> None:
    tables.connection.execute("INSERT INTO lake.reference.employer VALUES (100006, 2026, 3, 'C', 'x')")
    found = references(cast("Lake", tables))
    assert sorted(found) == [20261, 20262, 20263, 20264]
    assert {known.book for known in found.values()} == {None}
    assert {known.digest for known in found.values()} == {found[20261].digest}
    assert references(cast("Lake", tables), [20254]) == {}
    tables.connection.execute("DROP TABLE lake.reference.employer")
    assert references(cast("Lake", tables)) == {}


def test_the_directory_comes_first(tables: Tables) -> None:
    for quarter in QUARTERS:
        tables.declare(100006, quarter, 50)
        tables.declare(100204, quarter, 5)
    tables.connection.execute(
        "INSERT INTO lake.reference.employer VALUES (100006, 2026, 3, 'C', 'x'), (100204, 2026, NULL, 'B', 'x'),"
        " (100006, 2024, 9, NULL, 'x')"
    )
    assert tables.classes() == {2024: {100006: (9, None)}, 2026: {100006: (3, "C"), 100204: (2, "B")}}
    assert tables.classes([2026], directory=False) == {2026: {100006: (5, None), 100204: (2, None)}}
