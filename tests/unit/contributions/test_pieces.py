"""Single pieces of the law over rows made by hand, at the edges that no amount shows."""

import polars as pl
import pytest

from contributions.algebra import LARGEST_AMOUNT
from contributions.law import law
from dmfa.quarter import Quarter

LAST = Quarter(2026, 3)
CATEGORY_1, CATEGORY_2 = (f"structural_reduction/category_{number}" for number in (1, 2))


def piece(name, scope="", quarter=LAST, **columns):
    """The value of a piece where its columns have these values."""
    found = law(quarter).pieces[scope, name]
    assert found.reads == set(columns), found.reads
    kinds = {column: pl.Boolean if isinstance(value, bool) else pl.Int64 for column, value in columns.items()}
    frame = pl.DataFrame({column: [value] for column, value in columns.items()}, schema=kinds)
    return frame.select(found.expression).item()


@pytest.mark.parametrize(
    ("hours", "without", "time"),
    [(True, 0, 200), (True, 1, None), (False, 0, 10), (False, 2, 10), (None, 0, None)],
)
@pytest.mark.parametrize("kind", ["paid", "counted"])
def test_time_is_told_in_hours_only_if_every_service_is(kind, hours, without, time):
    frame = pl.DataFrame(
        {"in_hours": [hours], "services_without_hours": [without], f"{kind}_hours": [200], f"{kind}_days": [10]},
        schema_overrides={"in_hours": pl.Boolean},
    )
    assert frame.select(law(LAST).pieces["", f"{kind}_time"].expression).item() == time


@pytest.mark.parametrize(("wage", "basis"), [(LARGEST_AMOUNT, LARGEST_AMOUNT), (LARGEST_AMOUNT + 1, None)])
def test_the_basis_of_an_occupation_ends_with_its_zone(wage, basis):
    assert piece("basis_through_cents", wage_through_cents=wage, line_share=10_000) == basis


@pytest.mark.parametrize(("wage", "reference"), [(LARGEST_AMOUNT, LARGEST_AMOUNT), (LARGEST_AMOUNT + 1, None)])
def test_the_reference_wage_ends_with_its_zone(wage, reference):
    assert piece("reference_wage_cents", wage_cents=wage, factor_pct=100) == reference


@pytest.mark.parametrize(
    ("mu", "enough", "numerator", "denominator"),
    [
        (80, True, 100, 80),
        (79, True, 1_247_200, 1_000_000),
        (55, True, 1_180_000, 1_000_000),
        (54, True, 1_180_000, 1_000_000),
        (10, False, 0, 1_000_000),
    ],
)
def test_beta_at_its_edges(mu, enough, numerator, denominator):
    # 1.18 + 0.24 x 0.28 = 1.2472 at 0.79
    assert piece("beta_numerator", mu_glob_pct=mu, enough_mu=enough) == numerator
    assert piece("beta_denominator", mu_glob_pct=mu) == denominator


@pytest.mark.parametrize(("mu", "without", "enough"), [(28, False, True), (27, False, False), (27, True, True)])
def test_the_minimum_of_mu(mu, without, enough):
    assert piece("enough_mu", mu_glob_pct=mu, without_minimum=without) is enough


@pytest.mark.parametrize(("wage", "cents"), [(1_680_398, 0), (1_680_399, 0), (1_680_498, 6), (8_670_000, 419_376)])
def test_the_high_wage_term_begins_above_its_limit(wage, cents):
    assert piece("high_wage_term_cents", CATEGORY_2, Quarter(2026, 1), wage_cents=wage) == cents


@pytest.mark.parametrize(("wage", "cents"), [(1_168_774, 0), (1_168_773, 0), (1_168_674, 14), (1_168_724, 7)])
def test_the_low_wage_term_ends_at_its_limit(wage, cents):
    assert piece("low_wage_term_cents", CATEGORY_1, reference_wage_cents=wage) == cents


@pytest.mark.parametrize(("wage", "agency", "fund"), [(1_001, False, 1_251), (1_001, True, None), (None, False, None)])
def test_the_premium_of_a_fund(wage, agency, fund):
    # 10.01 x 1.25 = 12.5125
    assert piece("fund_premium_wage_cents", quarter=Quarter(2025, 4), wage_cents=wage, agency=agency) == fund


@pytest.mark.parametrize(("wage", "agency", "premium"), [(1_001, True, 1_151), (1_001, False, None)])
def test_the_premium_of_agency_workers(wage, agency, premium):
    # 10.01 x 1.15 = 11.5115
    assert piece("agency_premium_wage_cents", quarter=Quarter(2026, 1), wage_cents=wage, agency=agency) == premium


@pytest.mark.parametrize("name", ["fund_premium_wage_cents", "agency_premium_wage_cents"])
def test_premiums_belong_to_their_quarters(name):
    number = {"fund_premium_wage_cents": 4, "agency_premium_wage_cents": 1}[name]
    held = [quarter for quarter in range(1, 5) if ("", name) in law(Quarter(2024, quarter)).pieces]
    assert held == [number]
