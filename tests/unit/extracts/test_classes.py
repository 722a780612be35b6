"""Classes and the volume of work, against values by hand (R23)."""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl
import pytest

from dmfa.extracts.selections import statistics
from dmfa.extracts.selections.classes import (
    age_class,
    at_the_end,
    nace_division,
    region,
    sex,
    size_class,
    wage_class,
    with_volume,
    worker_status,
)
from tests.unit.extracts.test_selections import TOP, frames, job, read, time

TYPES = {
    **dict.fromkeys(("inss", "pay", "local_unit_id"), pl.Int64),
    "quarter": pl.Int32,
    **dict.fromkeys(("activity_code", "nace", "region_known", "worker_code"), pl.String),
    **dict.fromkeys(("occupation_starting_date", "occupation_ending_date"), pl.Date),
}
NOWHERE = pl.DataFrame(
    schema={"declaration_id": pl.Int64, "occupation_ordinal": pl.Int32, "region": pl.String, "nace": pl.String}
)


def one(expression: pl.Expr, **values: Any) -> object:
    given = {"quarter": 20263, **dict.fromkeys(TYPES.keys() - {"quarter"}), **values}
    return pl.DataFrame([given], schema=TYPES).select(expression.alias("made"))["made"][0]


def numbered(born: str, serial: int, century: int) -> int:
    """A person's number with right check digits: 97 less the remainder of what stands before by 97."""
    first = int(f"{born}{serial:03d}")
    return first * 100 + 97 - ((2 * 10**9 if century == 2000 else 0) + first) % 97


@pytest.mark.parametrize(
    ("born", "century", "told"),
    [
        ("060930", 2000, "20-24"),  # twenty on the last day of the quarter, 30 September 2026
        ("061001", 2000, "under 20"),  # a day too young
        ("610930", 1900, "65 and over"),
        ("611001", 1900, "60-64"),
        ("010101", 1900, "65 and over"),
        ("010101", 2000, "25-29"),
        ("013101", 2000, "20-24"),  # a bis number: 20 added to the month of 1 November 2001
        ("850000", 1900, "unknown"),  # neither month nor day
        ("270101", 2000, "unknown"),  # born after the quarter
    ],
)
def test_r23_age_class_from_the_number(born: str, century: int, told: str) -> None:
    assert one(age_class(), inss=numbered(born, 1, century)) == told


@pytest.mark.parametrize(
    ("number", "age", "said"),
    [
        (numbered("850102", 1, 1900), "40-44", "male"),
        (numbered("850102", 2, 1900), "40-44", "female"),
        (numbered("852102", 1, 1900), "40-44", "unknown"),
        (numbered("854102", 1, 1900), "40-44", "male"),
        (numbered("850102", 1, 1900) + 1, "unknown", "unknown"),
        (0, "unknown", "unknown"),
        (None, "unknown", "unknown"),
    ],
)
def test_r23_sex_from_the_serial_and_bis_numbers_without(number: int | None, age: str, said: str) -> None:
    assert one(age_class(), inss=number) == age
    assert one(sex(), inss=number) == said


@pytest.mark.parametrize(
    ("cents", "told"),
    [(-1, "none"), (0, "none"), (1, "0-1499"), (149_999, "0-1499"), (150_000, "1500-2999"),
     (2_099_999, "19500-20999"), (2_100_000, "21000 and over")],
)  # fmt: skip
def test_r23_wage_class(cents: int, told: str) -> None:
    assert one(wage_class(), pay=cents) == told


@pytest.mark.parametrize(
    ("declared", "known", "told"),
    [("84114", None, "84"), ("01110", None, "01"), (None, "47112", "47"), ("84114", "47112", "84"),
     ("00000", None, "unknown"), (None, None, "unknown"), ("00000", "47112", "47")],
)  # fmt: skip
def test_r23_nace_is_as_declared_else_that_of_the_local_unit(
    declared: str | None, known: str | None, told: str
) -> None:
    assert one(nace_division(), activity_code=declared, nace=known) == told


@pytest.mark.parametrize(
    ("number", "known", "told"),
    [(8999999104, None, "Flanders"), (8999999401, None, "German-speaking Community"), (8999999005, None, "unknown"),
     (2000000141, None, "unknown"), (2000000141, "Wallonia", "Wallonia"), (None, None, "unknown")],
)  # fmt: skip
def test_r23_region_of_the_local_unit(number: int | None, known: str | None, told: str) -> None:
    assert one(region(), local_unit_id=number, region_known=known) == told


@pytest.mark.parametrize(
    ("code", "told"),
    [("015", "manual"), ("495", "white-collar"), ("675", "civil servant"), ("840", "other"), (None, "unknown")],
)
def test_kind_of_worker(code: str | None, told: str) -> None:
    assert one(worker_status(), worker_code=code) == told


@pytest.mark.parametrize(
    ("starts", "ends", "there"),
    [(date(2020, 1, 1), None, True), (date(2026, 9, 30), None, True), (date(2026, 10, 1), None, False),
     (date(2020, 1, 1), date(2026, 9, 29), False), (date(2020, 1, 1), date(2026, 9, 30), True), (None, None, True)],
)  # fmt: skip
def test_in_force_on_the_last_day(starts: date | None, ends: date | None, there: bool) -> None:
    assert one(at_the_end(), occupation_starting_date=starts, occupation_ending_date=ends) is there


def test_size_of_the_employer() -> None:
    made = pl.DataFrame({"n": [0, 1, 4, 5, 49, 50, 999, 1000]}).select(size_class(pl.col("n")))
    assert made.to_series().to_list() == ["0", "1-4", "1-4", "5-9", "20-49", "50-99", "500-999", "1000 and over"]


FULL = {"contract_type": 0, "working_days_system": 500, "ref_mean_working_hours": 3800}


@pytest.mark.parametrize(
    ("zones", "done", "fte"),
    [
        (FULL, [time("001", 6500)], 10_000),  # 65 days of 13 weeks of 5
        (FULL, [time("001", 3000), time("002", 250)], 5_000),  # 32.5 of 65
        (FULL, [time("001", 1000)], 1_538),  # 10 / 65 = 0.153846
        (FULL, [time("050", 6500)], 0),  # sickness is no paid work
        (FULL, [], 0),
        ({**FULL, "working_days_system": None}, [time("001", 6500)], None),
        ({**FULL, "working_days_system": 0}, [time("001", 6500)], None),
        ({**FULL, "contract_type": 1}, [time("001", 3250, 24_700)], 5_000),  # 247 hours of 13 weeks of 38
        ({**FULL, "contract_type": 1}, [time("001", 3250, None)], None),
    ],
)
def test_volume_of_work(zones: dict[str, Any], done: list[Any], fte: int | None) -> None:
    tables = frames(TOP, *job(**zones), *done)
    assert with_volume(tables["occupation"], tables)["fte"].to_list() == [fte]


def test_a_job_is_a_person_at_an_employer_and_stands_at_its_main_occupation() -> None:
    second = {"occupation_ordinal": 3, "local_unit_id": 8999999302}
    gone = {"occupation_ending_date": date(2026, 8, 1)}
    tables = frames(
        TOP, *job(**FULL, local_unit_id=8999999104), ("occupation", {**FULL, **second}), *job(7, **FULL, **gone),
        time("001", 1000), time("001", 5500, occupation_ordinal=3),
    )  # fmt: skip
    lake = {**read(tables, "statistics"), "exchange.local_unit": NOWHERE}
    made = statistics.select(lake)["employment"].sort("natural_person_ordinal")
    told = made.select("region", "worker_status", "size_class", "sex", "persons", "jobs", "fte").rows()
    # 10/65 + 55/65 of a full time; the person whose work ended counts for the volume alone
    assert told == [
        ("Wallonia", "manual", "1-4", "unknown", 1, 1, 1_538 + 8_462),
        ("unknown", "manual", "1-4", "unknown", 0, 0, 0),
    ]


def test_the_file_of_local_units_tells_region_and_activity() -> None:
    tables = frames(TOP, *job(**FULL, local_unit_id=2000000141))
    known = pl.DataFrame([(1, 0, "Brussels", "62010")], schema=NOWHERE.schema, orient="row")
    made = statistics.select({**read(tables, "statistics"), "exchange.local_unit": known})["employment"]
    assert made.select("region", "nace_division").rows() == [("Brussels", "62")]
