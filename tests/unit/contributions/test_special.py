"""Special kinds of contribution: where their results stand, what they leave alone, and how they are told."""

import polars as pl
import pytest

from contributions import compute, reasons
from contributions.bearing import bearing
from contributions.explain import explain
from contributions.law import law
from dmfa.quarter import Quarter
from tests.declared import Declarations

LAST = Quarter(2026, 3)


def mixed():
    declared = Declarations()
    employer = declared.employer(net=0)
    line = employer.person().line("017", "050")
    line.occupation().remun("022", 100_000).remun("001", 900_000)
    line.contribution("050", 0, 100_001, 28_000)
    line.contribution("888", 0, 10_000, 4_607)
    line.contribution("255", 0, 900_000, 180)
    line.contribution("856", 0, None, 0)
    student = employer.person(2).line("000", "840")
    student.student(100_000, 8_140, 80)
    employer.person(3).line("001", "876").dismissed(300_000, 10_500)
    employer.unrelated("000", "870", 1_961, 15_000)
    return declared


def test_results_stand_in_the_order_of_what_is_declared():
    rows = compute(mixed().tables()).contribution
    told = ("declared_table", "contribution_worker_code", "contribution_type", "basis_cents", "amount_cents", "trust")
    assert rows.select(told).rows() == [
        ("worker_contribution", "050", 0, 100_000, 28_000, "B"),
        ("worker_contribution", "888", 0, 10_000, 4_607, "A"),
        ("worker_contribution", "255", 0, 900_000, 180, "A"),
        ("worker_contribution", "856", 0, 900_000, None, None),
        ("student_contribution", "840", None, 100_000, 8_140, "A"),
        ("dismissed_statutory_worker_contribution", "876", None, 300_000, 10_500, "A"),
        ("contribution_unrelated_to_np", "870", None, 15_000, 1_961, "A"),
    ]
    assert rows["reason"].to_list() == [None, None, None, reasons.NO_HOUSEHOLD, None, None, None]
    assert rows["rate_source"].to_list()[4] == "seed all 2026/2-2026/3"


def test_a_flexi_wage_has_a_basis_of_its_own():
    rows = compute(mixed().tables()).basis
    told = ("basis_kind", "wage_cents", "basis_cents", "declared_lowest_cents", "contributions", "outcome")
    assert rows.select(told).rows() == [
        ("ordinary", 900_000, 900_000, 900_000, 1, "equal"),
        ("flexi", 100_000, 100_000, 100_001, 1, "rounding"),
    ]


def test_a_flexi_wage_beyond_every_zone_has_no_basis():
    declared = Declarations()
    line = declared.employer().person().line("017", "050")
    line.occupation().remun("022", 10**11)
    line.contribution("050", 0, None, 0)
    (row,) = compute(declared.tables()).contribution.to_dicts()
    assert (row["amount_cents"], row["reason"]) == (None, reasons.OUT_OF_BOUNDS)


def test_the_account_adds_up_all_blocks():
    account = compute(mixed().tables()).employer_account.row(0, named=True)
    assert (account["contributions"], account["contributions_not_computable"]) == (7, 1)
    assert account["computed_contribution_cents"] == 28_000 + 4_607 + 180 + 8_140 + 10_500 + 1_961


def test_what_is_declared_in_another_block_than_its_kind_has_no_rate():
    declared = Declarations()
    employer = declared.employer()
    line = employer.person().line("000", "495")
    line.contribution("840", 0, 100_000, 8_140)
    line.contribution("870", 0, 100_000, 13_070)
    employer.unrelated("000", "888", 46_070, 100_000)
    employer.unrelated("000", "495", 38_070, 100_000)
    assert set(compute(declared.tables()).contribution["reason"]) == {reasons.NO_RATE}


def test_a_block_without_its_line_is_told_too():
    declared = mixed()
    tables = declared.tables()
    tables["worker_record"] = tables["worker_record"].filter(pl.col("worker_code") != "840")
    rows = compute(tables).contribution.filter(pl.col("declared_table").cast(pl.String) == "student_contribution")
    assert rows.select("amount_cents", "reason").rows() == [(None, reasons.NO_RATE)]


def test_kinds_with_the_same_rules_are_worked_out_together():
    kinds = bearing(law(LAST)).kinds
    assert set(kinds) == {"reference_wage", "student", "flexi", "mobility", "activation", "household", "vehicles"}


@pytest.mark.parametrize("quarter", [Quarter(2022, 1), Quarter(2022, 2), Quarter(2023, 3), LAST])
def test_each_special_kind_has_a_basis_an_amount_and_words(quarter):
    rules = law(quarter)
    kinds = {scope for scope, name in rules.rules if name == "amount_cents"}
    for kind in kinds:
        function = rules.rules[kind, "amount_cents"].function
        assert function.__doc__, kind
        assert (kind, "basis_cents") in rules.rules or kind in ("ordinary", "line")


def test_every_special_amount_is_explained_as_it_is_computed():
    tables = mixed().tables()
    told = list(explain(tables))
    rows = compute(tables).difference.to_dicts()
    compared = ("kind", "code", "type", "declared_cents", "computed_cents", "outcome", "trust", "reason")
    assert [{name: one[name] for name in compared} for one in told] == [
        {name: row[name] for name in compared} for row in rows
    ]
    assert [one["tree"]["value"] for one in told] == [row["computed_cents"] for row in rows]
    flexi = next(node for node in told[0]["tree"]["from"] if node["name"] == "basis_cents")
    (wage,) = flexi["from"]
    assert wage["rows"] == [{"remun_code": "022", "remun_amount": 100_000, "adds": 100_000}]
    assert told[-1]["line"] == {"person": None, "line": None, "employer_class": "000", "worker_code": None}
    assert told[-1]["block"] == "contribution_unrelated_to_np"


def test_a_vehicle_is_explained_by_its_facts_and_not_by_its_plate():
    declared = Declarations()
    employer = declared.employer()
    employer.vehicle(fuel="electric", ordered_on=pl.Series(["2024-05-01"]).str.to_date()[0], months=2)
    employer.unrelated("000", "862", 8_468)
    (told,) = explain(declared.tables())
    (vehicles,) = told["tree"]["from"]
    (row,) = vehicles["rows"]
    assert (row["fuel"], row["ordered_on"], row["adds"]) == ("electric", "2024-05-01", 8_468)
    assert "license_plate" not in row


def test_the_household_wage_is_told_line_by_line():
    declared = Declarations()
    person = declared.employer().person()
    for code, kind, wage in (("495", 0, 200_000), ("015", 1, 200_000)):
        line = person.line("000", code)
        line.occupation().remun("001", wage)
        line.contribution(code, kind, None, 0)
    line.contribution("856", 0, None, 1_545)
    told = list(explain(declared.tables()))[-1]
    assert (told["computed_cents"], told["outcome"]) == (1_545, "equal")
    basis = compute(declared.tables()).contribution["basis_cents"][-1]
    assert basis == 200_000 + 216_000


def test_the_highest_wage_of_all_still_has_its_exact_range():
    declared = Declarations()
    line = declared.employer().person().line("000", "495")
    line.occupation().remun("001", 99_999_999_999)
    for amount in (18_282, 18_283, 18_284):
        line.contribution("856", 0, None, amount)
    assert compute(declared.tables()).contribution["amount_cents"].to_list() == [18_282, 18_283, None]


def test_trust_a_computes_on_official_figures_alone():
    declared = Declarations()
    employer = declared.employer()
    line = employer.person().line("000", "495")
    line.occupation().remun("001", 100_000)
    line.contribution("888", 0, 10_000, 4_607)
    line.contribution("856", 0, None, 0)
    employer.unrelated("000", "862", 1)
    strict = compute(declared.tables(), trust="A").contribution
    assert strict.select("amount_cents", "trust", "reason").rows() == [
        (4_607, "A", None),
        (None, None, reasons.PARAMETER_BELOW_TRUST),
        (None, None, reasons.PARAMETER_BELOW_TRUST),
    ]


@pytest.mark.parametrize("quarter", [20214, 20264])
def test_a_quarter_without_law_computes_nothing(quarter):
    declared = Declarations()
    employer = declared.employer(quarter)
    line = employer.person().line("000", "840")
    line.student(100_000, 8_140, 10)
    line.contribution("856", 0, None, 0)
    employer.vehicle(fuel="electric", months=1)
    employer.unrelated("000", "862", 1)
    assert set(compute(declared.tables()).contribution["reason"]) == {reasons.NO_RATE}
