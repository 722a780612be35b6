"""What each selection makes of a few declared blocks, against sums by hand."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

import polars as pl
import pytest

from dmfa.extracts import EXTRACTS
from dmfa.extracts.selections import (
    child_benefit,
    holidays,
    labour_market,
    ledger,
    maribel,
    occupational_risks,
    sickness,
)
from dmfa.extracts.selections.working_time import BEARING, PAID, SICK
from dmfa.schema import lake_tables, snake_case

TYPES = {table.name: pl.DataFrame(table.arrow_schema.empty_table()).schema for table in lake_tables()}
EMPLOYER = {"noss_registration_nbr": 100006, "company_id": 449888671}


def frames(*rows: tuple[str, dict[str, Any]]) -> dict[str, pl.DataFrame]:
    """Tables of the lake with some rows: one declaration, one person, one line and one occupation unless told."""
    ordinals = ("natural_person_ordinal", "worker_record_ordinal", "occupation_ordinal")
    first = {"declaration_id": 1, "quarter": 20263, **dict.fromkeys(ordinals, 0)}
    content: dict[str, list[dict[str, Any]]] = {name: [] for name in TYPES}
    for table, zones in rows:
        content[table].append({name: value for name, value in (first | zones).items() if name in TYPES[table]})
    return {name: pl.DataFrame(content[name], schema=kind) for name, kind in TYPES.items()}


def read(tables: dict[str, pl.DataFrame], extract: str) -> dict[str, pl.DataFrame]:
    """The same, with just the columns that an extract lists: a selection reads nothing else."""
    listed = {snake_case(block): {"declaration_id", *map(snake_case, zones)} for block, zones in _held(extract)}
    listed["natural_person"] |= {"inss", "version", "status"}
    places = {"declaration_id": pl.Int64, "occupation_ordinal": pl.Int32, "region": pl.String, "nace": pl.String}
    none = {"exchange.local_unit": pl.DataFrame(schema=places)} if EXTRACTS[extract].of_places else {}
    return none | {
        name: tables[name].select(c for c in tables[name].columns if c in columns or c.endswith("_ordinal"))
        for name, columns in listed.items()
    }


def _held(extract: str) -> Iterable[tuple[str, tuple[str, ...]]]:
    return EXTRACTS[extract].held().items()


def job(number: int = 0, **zones: Any) -> list[tuple[str, dict[str, Any]]]:
    """A person with one line and one occupation, each of that number."""
    place = dict.fromkeys(("natural_person_ordinal", "worker_record_ordinal", "occupation_ordinal"), number)
    line = {"employer_class": "010", "worker_code": "015", "occupation_sequence_nbr": 1}
    return [
        (table, {**place, **line, "inss": 85210100257 + number, **zones})
        for table in ("natural_person", "worker_record", "occupation")
    ]


def time(code: str, days: int, hours: int | None = None, **place: Any) -> tuple[str, dict[str, Any]]:
    return "service", {"service_code": code, "service_nbr_days": days, "service_nbr_hours": hours, **place}


def pay(code: str, amount: int, **place: Any) -> tuple[str, dict[str, Any]]:
    return "remun", {"remun_code": code, "remun_amount": amount, **place}


TOP = ("employer_declaration", EMPLOYER)


def test_a_voucher_tells_paid_time_that_of_sickness_and_other_apart() -> None:
    tables = frames(
        TOP, *job(), time("001", 5000, 38000), time("002", 500), time("050", 1000, 7600), time("010", 200),
        time("071", 300), pay("001", 500_000), pay("002", 20_000), pay("010", 9_999), pay("011", 7),
    )  # fmt: skip
    (voucher,) = sickness.select(read(tables, "sickness"))["voucher"].to_dicts()
    assert (voucher["paid_days"], voucher["paid_hours"]) == (5500, 38000)
    assert (voucher["sick_days"], voucher["sick_hours"]) == (1200, 7600)
    assert (voucher["other_days"], voucher["other_hours"]) == (300, 0)
    assert voucher["pay"] == 520_000
    assert (voucher["worker_code"], voucher["noss_registration_nbr"]) == ("015", 100006)


def test_a_line_without_time_and_pay_has_a_voucher_of_nought() -> None:
    (voucher,) = sickness.select(read(frames(TOP, *job()), "sickness"))["voucher"].to_dicts()
    sums = ("pay", "paid_days", "paid_hours", "sick_days", "sick_hours", "other_days", "other_hours")
    assert [voucher[name] for name in sums] == [0] * 7


def test_no_code_of_time_counts_twice() -> None:
    assert not {*PAID} & {*SICK}
    assert len({*PAID}) == len(PAID)
    assert len({*BEARING}) == len(BEARING)


@pytest.mark.parametrize("contract_type", [0, 1])
@pytest.mark.parametrize(
    ("hours", "reference", "degree"),
    [(1900, 3800, 5000), (3800, 3800, 10_000), (2533, 3800, 6666), (1, 3, 3333), (2, 3, 6667), (0, 3800, 0),
     (1900, None, None), (1900, 0, None)],
)  # fmt: skip
def test_the_degree_of_employment(
    hours: int | None, reference: int | None, degree: int | None, contract_type: int
) -> None:
    """What is declared decides: the NSSO's own example has a full-time contract with no hours in 38, on full leave."""
    assert degree_of(hours, reference, contract_type) == degree


@pytest.mark.parametrize(
    ("contract_type", "measure", "reference", "degree"),
    [(0, None, 3800, 10_000), (0, None, None, 10_000), (1, None, 3800, None), (0, "004", 3800, None),
     (0, "599", None, None)],
)  # fmt: skip
def test_who_works_full_time_declares_no_hours(
    contract_type: int, measure: str | None, reference: int | None, degree: int | None
) -> None:
    """Zone 00048 is asked of part-time work, and of measures such as a career break; else 00050 tells all."""
    assert degree_of(None, reference, contract_type, measure) == degree


def degree_of(hours: int | None, reference: int | None, contract_type: int, measure: str | None = None) -> int | None:
    zones = {"mean_working_hours": hours, "ref_mean_working_hours": reference, "contract_type": contract_type}
    tables = frames(TOP, *job(**zones, reorganisation_measure=measure))
    (row,) = child_benefit.select(read(tables, "child-benefit"))["employment_degree"].to_dicts()
    return row["degree"]


def test_the_ceiling_counts_ordinary_pay_of_all_lines_of_a_person() -> None:
    second = {"worker_record_ordinal": 5, "occupation_ordinal": 5}
    tables = frames(TOP, *job(), *job(1), pay("001", 400), pay("001", 100, **second), pay("002", 9_000))
    found = maribel.select(read(tables, "maribel"))["ceiling"]
    assert found.sort("natural_person_ordinal")["above"].to_list() == [500, 0]


def test_premium_basis_takes_the_year_of_the_quarter_and_benefits_their_nature() -> None:
    tables = frames(
        TOP, *job(local_unit_id=2000000141, activity_with_risk="001"), time("001", 6000, 45600), time("050", 100),
        pay("001", 700_000), pay("010", 5), ("indemnity_wapm", {"indemnity_nature": "01", "indemnity_amount": 300}),
    )  # fmt: skip
    made = occupational_risks.select(read(tables, "occupational-risks"))
    (basis,) = made["premium_basis"].to_dicts()
    assert {name: basis[name] for name in ("year", "occupations", "pay", "days", "hours", "activity_with_risk")} == {
        "year": 2026, "occupations": 1, "pay": 700_000, "days": 6000, "hours": 45600, "activity_with_risk": "001",
    }  # fmt: skip
    (benefit,) = made["benefits"].to_dicts()
    assert (benefit["year"], benefit["payments"], benefit["indemnity_nature"], benefit["amount"]) == (
        2026,
        1,
        "01",
        300,
    )


GOOD = {
    "working_days_system": 500,
    "contract_type": 0,
    "ref_mean_working_hours": 3800,
    "occupation_starting_date": date(2020, 1, 1),
}
DONE = [time("001", 4000), pay("001", 500_000)]


@pytest.mark.parametrize(
    ("zones", "more", "rules"),
    [
        ({}, [], []),
        ({}, [time("002", 2001)], ["more legal holidays than four weeks"]),
        ({}, [time("002", 2000)], []),
        ({"working_days_system": None}, [], ["no regime of working days"]),
        ({}, [time("030", 3001)], ["more days than the quarter has"]),
        ({}, [time("030", 3000)], []),
        ({"mean_working_hours": 3700}, [], ["full time with fewer hours than the reference"]),
        ({"mean_working_hours": 3700, "reorganisation_measure": "003"}, [], []),
        ({"contract_type": 1, "mean_working_hours": 1900}, [], []),
        ({"contract_type": 1}, [], ["part time without hours"]),
        ({"contract_type": 1, "mean_working_hours": 3801}, [], ["more hours than the reference"]),
        ({}, [pay("007", 10)], ["single holiday pay of an employer"]),
        ({"occupation_ending_date": date(2026, 6, 30)}, [], ["dates outside the quarter"]),
        ({"occupation_ending_date": date(2026, 7, 1)}, [], []),
        ({"occupation_starting_date": date(2026, 10, 1)}, [], ["dates outside the quarter"]),
        ({"occupation_ending_date": date(2019, 12, 31)}, [], ["dates outside the quarter"]),
        ({}, [pay("003", 10)], ["severance pay beside ordinary pay"]),
    ],
)  # fmt: skip
def test_what_does_not_agree_with_annual_holidays_is_found(
    zones: dict[str, Any], more: list[tuple[str, dict[str, Any]]], rules: list[str]
) -> None:
    tables = frames(TOP, *job(**GOOD | zones), *DONE, *more)
    assert holidays.select(read(tables, "holidays"))["finding"]["rule"].to_list() == rules


@pytest.mark.parametrize(
    ("done", "rules"),
    [([], []), ([time("001", 100)], []), ([time("030", 100)], ["ordinary pay without paid time"])],
)
def test_pay_without_paid_time_is_found(done: list[tuple[str, dict[str, Any]]], rules: list[str]) -> None:
    paid = [pay("001", 100)] if done else [pay("002", 100)]
    tables = frames(TOP, *job(**GOOD), *done, *paid)
    assert holidays.select(read(tables, "holidays"))["finding"]["rule"].to_list() == rules


def test_pay_at_108_percent_is_rounded_half_up_and_codes_without_contributions_have_no_basis() -> None:
    tables = frames(TOP, *job(**GOOD), pay("001", 664_943), pay("002", 25), pay("010", 500), pay("006", -25))
    made = holidays.select(read(tables, "holidays"))["remun"]
    # 664943 x 1.08 = 718138.44; 25 x 1.08 = 27.00; -25 x 1.08 = -27.00
    assert dict(made.select("remun_code", "basis").iter_rows()) == {"001": 718_138, "002": 27, "010": None, "006": -27}


def test_situations_are_numbered_from_nought_in_each_attestation() -> None:
    tables = frames(
        TOP, *job(), *job(7), ("occupation", {"occupation_ordinal": 3}), ("occupation", {"occupation_ordinal": 1})
    )
    made = holidays.select(read(tables, "holidays"))["occupation"]
    found = made.select("natural_person_ordinal", "occupation_ordinal", "situation").sort("occupation_ordinal").rows()
    assert found == [(0, 0, 0), (0, 1, 1), (0, 3, 2), (7, 7, 0)]


def test_the_sets_of_the_warehouse_join_on_line_and_occupation() -> None:
    deduction = {"deduction_code": "3000", "deduction_amount": 400}
    tables = frames(
        TOP, *job(local_unit_id=2000000141, employment_promotion="010"), *job(1), time("001", 100), pay("001", 900),
        ("occupation_deduction", deduction), ("worker_deduction", {**deduction, "deduction_code": "0001"}),
        ("worker_contribution", {"contribution_worker_code": "855", "contribution_amount": 12}),
        ("contribution_unrelated_to_np", {"unrelated_worker_code": "862", "unrelated_amount": 50}),
    )  # fmt: skip
    made = labour_market.select(read(tables, "labour-market"))
    lines = dict(made["dmfa"].select("natural_person_ordinal", "line").iter_rows())
    assert len(set(lines.values())) == 2
    deductions = made["f"].select("line", "occupation_sequence_nbr", "deduction_code").sort("deduction_code").rows()
    assert deductions == [(lines[0], None, "0001"), (lines[0], 1, "3000")]
    assert made["c"].select("line", "contribution_amount").rows() == [(lines[0], 12)]
    assert made["plus"].select("line", "employment_promotion").rows() == [(lines[0], "010")]
    assert made["cm"].select("employer", "amount").rows() == [(100006, 50)]
    assert sorted(made["d"].select("line", "place").rows()) == sorted([(lines[0], 2000000141), (lines[1], None)])
    assert made["dmfa"].sort("natural_person_ordinal")["pay"].to_list() == [900, 0]


def test_the_ledger_counts_what_could_not_be_computed() -> None:
    rows = pl.DataFrame({"declaration_id": [1, 1, 2], "status": ["computed", "not computable", "computed"]})
    money = rows.with_columns(basis_cents=pl.lit(10), amount_cents=pl.lit(1))
    sums = {name: [5, 6] for name in ledger._ACCOUNT}
    account = pl.DataFrame({"declaration_id": [1, 2], "entry": ["original", "correction"], **sums})
    tables = {
        "employer_declaration": pl.DataFrame({"declaration_id": [1]}),
        "computed.employer_account": account,
        "computed.contribution": money,
        "computed.deduction": money.drop("basis_cents"),
    }
    made = ledger.select(tables)
    (entry,) = made["account"].to_dicts()
    assert [entry[name] for name in ("entry", "entry_nbr", "declared_net", "debit")] == ["original", 5, 5, 5]
    assert made["contribution"].select("contributions", "not_computable").rows() == [(1, 0), (1, 1)]
    assert made["deduction"].select("deductions", "not_computable").rows() == [(1, 0), (1, 1)]
