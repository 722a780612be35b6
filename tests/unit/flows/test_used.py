"""Rights that earlier quarters of a lake have used up."""

from collections.abc import Sequence
from datetime import date
from typing import cast

import duckdb
import pyarrow as pa
import pytest

from dmfa.lake import Lake
from flows.stages.used import used

START = date(2024, 1, 8)
INSS = 77101500172


class Tables:
    """Stands for a lake with the tables that rights are counted from."""

    def __init__(self) -> None:
        self.connection = duckdb.connect()
        for sql in (
            "ATTACH ':memory:' AS lake",
            "CREATE SCHEMA lake.authentic",
            "CREATE TABLE lake.authentic.employer_declaration"
            " (quarter INTEGER, declaration_id BIGINT, noss_registration_nbr BIGINT)",
            "CREATE TABLE lake.authentic.natural_person"
            " (quarter INTEGER, declaration_id BIGINT, natural_person_ordinal INTEGER, inss BIGINT)",
            "CREATE TABLE lake.authentic.occupation_deduction (quarter INTEGER, declaration_id BIGINT,"
            " natural_person_ordinal INTEGER, deduction_code VARCHAR, deduction_right_starting_date DATE)",
        ):
            self.connection.execute(sql)

    def arrow(self, sql: str, values: Sequence[object] | None = None) -> pa.Table:
        return self.connection.execute(sql, values).to_arrow_table()

    def declare(self, quarter: int, *codes: str, employer: int = 100006, start: date | None = START) -> None:
        """One declaration of two persons, each with these reductions."""
        declaration = employer * 100_000 + quarter
        put = self.connection.execute
        put("INSERT INTO lake.authentic.employer_declaration VALUES (?, ?, ?)", [quarter, declaration, employer])
        for person in (0, 1):
            put(
                "INSERT INTO lake.authentic.natural_person VALUES (?, ?, ?, ?)",
                [quarter, declaration, person, INSS + person],
            )
            for code in codes:
                row = [quarter, declaration, person, code, start]
                put("INSERT INTO lake.authentic.occupation_deduction VALUES (?, ?, ?, ?, ?)", row)

    def found(self, quarters: Sequence[int] | None = None) -> dict[int, list[tuple[object, ...]]]:
        return {quarter: frame.rows() for quarter, frame in used(cast("Lake", self), quarters).items()}


FIVE = (20241, 20242, 20243, 20244, 20251)


def test_a_right_is_the_employers_and_counts_its_quarters_once() -> None:
    tables = Tables()
    for quarter in FIVE:
        tables.declare(quarter, "3324", "3000")
    assert tables.found([20252]) == {20252: [(100006, "3324", None, START, 5)]}
    # Before the fifth quarter has passed, one is left.
    assert tables.found([20251]) == {}


def test_without_asking_for_quarters_those_of_the_lake_and_the_next_are_told() -> None:
    tables = Tables()
    for quarter in FIVE:
        tables.declare(quarter, "3325")
    assert list(tables.found()) == [20251, 20252]


def test_a_right_with_another_start_or_employer_is_another() -> None:
    tables = Tables()
    for number, quarter in enumerate(FIVE):
        tables.declare(quarter, "3324", start=START if number else date(2020, 1, 1))
        tables.declare(quarter, "3324", employer=199999934, start=None)
    assert tables.found([20252]) == {}


def test_the_right_to_a_four_day_week_is_the_workers() -> None:
    tables = Tables()
    for quarter in FIVE[:4]:
        tables.declare(quarter, "3510")
    assert tables.found([20251]) == {20251: [(100006, "3510", INSS, START, 4), (100006, "3510", INSS + 1, START, 4)]}


@pytest.mark.parametrize("quarters", [None, [20252]])
def test_an_empty_lake_knows_nothing(quarters: list[int] | None) -> None:
    assert Tables().found(quarters) == {}
