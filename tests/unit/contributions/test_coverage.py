"""No confirmed figure is left out: whatever has a rate of trust A or B is computed, in each of its quarters."""

import csv
from pathlib import Path

import polars as pl
import pytest

from contributions import reasons
from contributions.bearing import LINES, bearing
from contributions.law import law
from contributions.parameters import load
from contributions.rates import seed
from contributions.rules import all_rules
from dmfa.quarter import Quarter

CODES = Path(__file__).parents[3] / "contributions" / "codes"
QUARTERS = [Quarter(year, number) for year in range(2022, 2027) for number in (1, 2, 3, 4)][:-1]


def rows(name):
    with (CODES / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("quarter", QUARTERS, ids=str)
def test_each_rate_that_may_compute_does(quarter):
    rates = bearing(law(quarter))
    confirmed = rates.rates.with_row_index("row").filter(pl.col("rate_reason").is_null())["row"]
    assert len(confirmed) > 16
    computes = rates.computes[confirmed] | rates.worked_out[confirmed].is_not_null()
    assert computes.all(), rates.rates[confirmed.filter(~computes)]


@pytest.mark.parametrize("quarter", QUARTERS, ids=str)
def test_the_contributions_of_parameters_alone_compute_in_each_quarter(quarter):
    rates = bearing(law(quarter))
    for code in ("856", "862"):
        row = rates.of_classes.with_columns(row=rates.row).filter(pl.col("contribution_worker_code") == code)["row"]
        assert len(row) > 200
        worked_out = rates.worked_out[row]
        assert worked_out.is_not_null().all()
        assert set(rates.texts["trust"][worked_out].cast(pl.String)) == {"B"}


def test_every_kind_of_basis_of_the_seed_rates_has_a_rule():
    kinds = {scope for rule in all_rules() if rule.kind == "contribution" for scope in rule.scopes}
    assert set(seed.table("contribution_rates")["basis_kind"]) <= kinds
    blocks = {block for rule in all_rules() if rule.kind == "contribution" for block in rule.blocks}
    assert {LINES, "student_contribution", "contribution_unrelated_to_np"} < blocks


def test_a_code_of_annex_2_or_later_is_behind_every_rate():
    codes = {row["code"] for row in rows("contributions")}
    assert set(seed.table("contribution_rates")["contribution_code"]) <= codes
    assert {row["code"] for row in rows("types")} <= codes | {"0xx", "4xx", "6xx", "ALL"}


@pytest.mark.parametrize("name", ["contributions", "types"])
def test_codes_have_quarters_and_a_source(name):
    for row in rows(name):
        assert row["source"], row
        assert "2022/1" <= row["from_quarter"] <= row["to_quarter"], row


def test_no_confirmed_parameter_lies_idle():
    used = {name for quarter in QUARTERS for piece in law(quarter, "B").pieces.values() for name in piece.figures}
    never = {name for name in load() if name not in used}
    # The formula of wage moderation is part of the rates, not of the rules.
    never = {name for name in never if not name.startswith("wage_moderation/")}
    assert all(value.trust == "C" or value.text is None for name in never for value in load()[name].values), never


def test_no_rate_is_the_reason_where_there_is_none():
    rates = bearing(law(Quarter(2026, 3)))
    assert rates.texts["reason"][rates.rates.height] == reasons.NO_RATE
