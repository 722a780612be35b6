"""The reductions after the work bonus: their order, what the line owes at most, rights and ages."""

from datetime import date

import polars as pl
import pytest

from contributions import compute, reasons, refusals
from contributions.explain import explain
from tests.declared import Declarations

ADULT, NINETEEN, YOUNG = 77101500172, 3_010_100_168, 5_010_100_113
"""Born in 1977; on 1 January 2003: nineteen in 2022; on 1 January 2005: seventeen then."""


def month(quarter, first, last, wage, days, *, inss=ADULT):
    declared = Declarations()
    line = declared.employer(quarter).person(inss).line("000", "495")
    line.occupation(occupation_starting_date=first, occupation_ending_date=last).remun("001", wage).service("001", days)
    line.contribution("495", 0, None, 0)
    return declared, line


def april_2025(wage=300_000, days=2_200):
    return month(20252, date(2025, 4, 1), date(2025, 4, 30), wage, days)


def april_2022(wage, inss=ADULT, days=2_100):
    return month(20222, date(2022, 4, 1), date(2022, 4, 30), wage, days, inss=inss)


def told(declared):
    rows = compute(declared.tables()).deduction.filter(pl.col("declared_table") == "worker_deduction")
    return rows.select("deduction_code", "amount_cents", "lowest_cents", "highest_cents", "reason", "refusal").rows()


def only(declared):
    ((_, amount, _, _, reason, refusal),) = told(declared)
    return amount, reason, refusal


@pytest.mark.parametrize(
    ("began", "result"),
    [
        (date(2024, 9, 30), (None, reasons.RIGHT_NOT_DECLARED, None)),
        (date(2024, 10, 1), (13_333, None, None)),
        (date(2025, 4, 1), (13_333, None, None)),
        (date(2025, 4, 2), (None, reasons.RIGHT_NOT_DECLARED, None)),
        (date(2025, 7, 1), (0, None, refusals.OUTSIDE_PERIOD)),
        (None, (None, reasons.START_NOT_DECLARED, None)),
    ],
)
def test_the_right_after_a_restructuring_has_its_quarters(began, result):
    declared, line = april_2025()
    line.deduction("0601", 0, began)
    assert only(declared) == result


@pytest.mark.parametrize(
    ("wage", "result"),
    [
        (374_463, (13_333, None, None)),
        (374_464, (None, reasons.RIGHT_NOT_DECLARED, None)),
        (549_150, (None, reasons.RIGHT_NOT_DECLARED, None)),
        (549_151, (0, None, None)),
    ],
)
def test_between_the_limits_the_age_decides(wage, result):
    declared, line = april_2025(wage)
    line.deduction("0601", 0, date(2025, 4, 1))
    assert only(declared) == result


@pytest.mark.parametrize("quarter", [20221, 20224, 20251, 20253, 20263])
def test_without_limits_it_is_not_computable(quarter):
    declared, line = month(quarter, None, None, 900_000, 6_000)
    line.deduction("0601", 0, date(2024, 1, 1).replace(year=quarter // 10))
    amount, reason, _ = only(declared)
    assert amount is None
    assert reason in (reasons.PARAMETER_UNKNOWN, reasons.RATE_BELOW_TRUST)


def test_three_months_of_it_are_certain_below_the_lower_limit_of_any_month():
    declared, line = month(20252, None, None, 340_000, 6_300)
    line.deduction("0601", 0, date(2025, 4, 1))
    # 22 + 22 + 21 = 65 working days: 63 / 65 = 0.97 of each month, 133.33 x 0.97 = 129.33.
    ((_, amount, lowest, highest, reason, _),) = told(declared)
    assert (amount, reason) == (3 * 12_933, None)
    assert lowest < amount < highest <= 39_999 + 100


def test_high_wages_of_three_months_may_have_none_of_it():
    declared, line = month(20252, None, None, 900_000, 6_500)
    line.deduction("0601", 0, date(2025, 4, 1))
    ((_, amount, lowest, highest, _, _),) = told(declared)
    # 3,000.00 in each month gives all of it; above 3,744.63 in two of them would give a third of it.
    assert amount == 39_999
    assert lowest <= 13_333 < 39_999 <= highest


@pytest.mark.parametrize(("inss", "fixed"), [(ADULT, 28_173), (NINETEEN, 28_173), (YOUNG, 13_781)])
def test_the_sport_bonus_follows_the_year_of_birth(inss, fixed):
    declared, line = april_2022(600_000, inss)
    line.deduction("0610", 0)
    # 13.07 % of 6,000.00 = 784.20; the fixed part and 60 % of the rest.
    left = 78_420 - fixed
    assert only(declared)[0] == fixed + (left * 6 + 5) // 10


def test_a_sport_bonus_without_a_birth_is_not_computable():
    declared, line = april_2022(600_000, 77101500173)
    line.deduction("0610", 0)
    assert only(declared) == (None, reasons.AGE_UNKNOWN, None)


def test_after_2022_no_sport_bonus_is_confirmed():
    declared, line = month(20231, date(2023, 1, 1), date(2023, 1, 31), 600_000, 2_200)
    line.deduction("0610", 0)
    assert only(declared) == (None, reasons.PARAMETER_BELOW_TRUST, None)


def test_bounds_of_the_work_bonus_are_those_of_what_it_leaves():
    declared, line = month(20222, None, None, 660_000, 6_300)
    line.deduction("0001", 0)
    line.deduction("0610", 0)
    bonus, sport = told(declared)
    personal = 86_262  # 13.07 % of 6,600.00
    for end, other in ((2, 3), (3, 2)):
        left = personal - bonus[other]
        fixed = min(left, 3 * 28_173)
        assert abs(sport[end] - (fixed + round((left - fixed) * 0.6))) <= 3 * 28_173 // 200 + 20
    assert sport[2] <= sport[1] <= sport[3]


@pytest.mark.parametrize("codes", [("0601", "0610"), ("0610", "0601"), ("0001", "0601", "0610")])
def test_the_order_of_0601_and_0610_is_open(codes):
    declared, line = month(20223, date(2022, 7, 1), date(2022, 7, 31), 250_000, 2_100)
    for code in codes:
        line.deduction(code, 0, date(2022, 7, 1))
    for code, amount, _, _, reason, _ in told(declared):
        assert (amount is None) == (code != "0001")
        assert reason == (None if code == "0001" else reasons.ORDER_OPEN)


def test_what_keeps_from_a_work_bonus_keeps_from_what_comes_after_it():
    declared, line = month(20221, date(2022, 3, 1), date(2022, 3, 31), 250_000, 2_300)
    line.deduction("0610", 0)
    assert only(declared)[0] is not None
    line.deduction("0001", 0)
    assert [(row[1], row[4]) for row in told(declared)] == [(None, reasons.PARAMETER_BELOW_TRUST)] * 2


@pytest.mark.parametrize(
    ("quarter", "result"),
    [
        (20222, (0, None, refusals.NOT_IN_FORCE)),
        (20223, (None, reasons.AMOUNT_UNCONFIRMED, None)),
        (20224, (None, reasons.AMOUNT_UNCONFIRMED, None)),
        (20231, (0, None, refusals.NOT_IN_FORCE)),
    ],
)
def test_the_amount_of_pensioners_in_care_is_not_confirmed(quarter, result):
    declared, line = month(quarter, None, None, 250_000, 2_300)
    line.deduction("0611", 5)
    assert only(declared) == result


@pytest.mark.parametrize(("amount", "outcome"), [(None, "equal"), (0, "equal"), (3_645, "superfluous")])
def test_the_first_workers_administration_names_no_amount(amount, outcome):
    declared, line = month(20263, None, None, 900_000, 6_600)
    line.deduction("2001", amount)
    assert only(declared) == (0, None, None)
    rows = compute(declared.tables()).difference.filter(pl.col("code") == "2001")
    assert rows["outcome"].to_list() == [outcome]


@pytest.mark.parametrize(
    ("code", "name", "values"),
    [("0601", "restructuring_month_cents", [13_333, 0, 0]), ("0001", "month_a_cents", [6_631, 0, 0])],
)
def test_they_are_explained_month_by_month(code, name, values):
    declared, line = april_2025()
    line.deduction("0001", 6_631)
    line.deduction("0601", 13_333, date(2025, 4, 1))
    (found,) = [one for one in explain(declared.tables()) if one["code"] == code]

    def nodes(node):
        yield node
        for below in node.get("from", ()):
            yield from nodes(below)

    assert found["outcome"] == "equal"
    months = [one for one in nodes(found["tree"]) if one["name"] == name]
    assert [one["value"] for one in months] == values
    assert [one["month"] for one in months] == ["2025/04", "2025/05", "2025/06"]


def test_one_without_a_rule_of_its_amount_is_explained_in_words():
    declared, line = month(20223, None, None, 250_000, 2_300)
    line.deduction("0611", 5)
    found = list(explain(declared.tables()))[-1]
    assert found["tree"] == {"name": "amount_cents", "value": None, "words": reasons.AMOUNT_UNCONFIRMED}
