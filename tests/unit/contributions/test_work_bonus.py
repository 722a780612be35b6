"""Who has a work bonus, when its months are known, and what keeps from an amount."""

from datetime import date

import polars as pl
import pytest

from contributions import compute, reasons, refusals
from contributions.explain import explain
from tests.declared import Declarations

PART_TIME = {"contract_type": 1, "ref_mean_working_hours": 3_800}
FEBRUARY = {"occupation_starting_date": date(2025, 2, 1), "occupation_ending_date": date(2025, 2, 28)}


def line_of(quarter=20251, employer_class="000", code="495", kind=0, declared=None, contribution=True):
    declared = declared or Declarations()
    line = declared.employer(quarter).person().line(employer_class, code)
    if contribution:
        line.contribution(code, kind, None, 0)
    return declared, line


def one_month(wage=230_000, amount=0, **zones):
    declared, line = line_of()
    line.occupation(**FEBRUARY, **zones).remun("001", wage).service("001", 2_000)
    line.deduction("0001", amount)
    return declared


def told(declared):
    found = compute(declared.tables())
    rows = found.deduction.filter(pl.col("declared_table") == "worker_deduction")
    names = ("amount_cents", "lowest_cents", "highest_cents", "reason", "refusal")
    return rows.select(names).rows()


def outcome(declared):
    found = compute(declared.tables()).difference
    return found.filter(pl.col("declared_table") == "worker_deduction", pl.col("kind") == "deduction")[
        "outcome"
    ].to_list()


def test_nothing_is_told_where_nothing_is_declared():
    declared, line = line_of()
    line.occupation().remun("001", 690_000).service("001", 6_400)
    found = compute(declared.tables()).deduction
    assert set(found["deduction_code"]) <= {"3000"}


def test_a_month_of_its_own_is_exact():
    assert told(one_month()) == [(24_954, None, None, None, None)]


@pytest.mark.parametrize(
    ("first", "last"),
    [
        (date(2024, 5, 13), date(2025, 1, 31)),
        (date(2025, 1, 1), date(2025, 1, 31)),
        # 1 and 2 February 2025 are a Saturday and a Sunday: no working day lies in February.
        (date(2025, 1, 1), date(2025, 2, 2)),
    ],
)
def test_an_occupation_with_working_days_in_one_month_is_known(first, last):
    declared, line = line_of()
    occupation = line.occupation(occupation_starting_date=first, occupation_ending_date=last)
    occupation.remun("001", 230_000).service("001", 2_300)
    line.deduction("0001", 0)
    # 118.22 + 159.43 - 0.2699 x (2,300.00 - 2,132.59)
    assert told(declared) == [(23_247, None, None, None, None)]


def test_a_declared_amount_within_the_bounds_is_no_difference():
    # A third in each month: 232.47 + 249.54 + 249.54.
    found = {}
    for amount in (73_155, 73_154, 40_000, 27_746, 73_175):
        declared, line = line_of()
        line.occupation().remun("001", 690_000).service("001", 6_400)
        line.deduction("0001", amount)
        assert told(declared) == [(73_155, 27_747, 73_174, None, None)]
        (found[amount],) = outcome(declared)
    expected = ("equal", "rounding", "within bounds", "differs", "differs")
    assert tuple(found.values()) == expected


def test_an_amount_within_its_bounds_counts_as_declared_in_the_account():
    declared, line = line_of()
    line.occupation().remun("001", 690_000).service("001", 6_400)
    line.deduction("0001", 40_000)
    account = compute(declared.tables()).employer_account.row(0, named=True)
    assert account["computed_deduction_cents"] == account["covered_deduction_cents"] == 40_000
    # A contribution and a structural reduction differ; the bonus does not.
    assert account["differences"] == 2


def test_a_second_bonus_of_a_line_is_superfluous():
    declared = one_month(amount=24_954)
    line_of_it = declared.rows["worker_deduction"][0]
    declared.rows["worker_deduction"].append({**line_of_it, "worker_deduction_ordinal": 1})
    assert told(declared) == [(24_954, None, None, None, None), (0, None, None, None, refusals.DECLARED_BEFORE)]
    assert outcome(declared) == ["equal", "superfluous"]


def test_without_the_personal_rate_of_13_07_there_is_no_right():
    declared, line = line_of(20263, code="027", kind=1)
    line.occupation().remun("001", 900_000).service("001", 6_600)
    line.deduction("0001", 100)
    (row,) = told(declared)
    assert row[0] == 0 or row[3] is not None
    assert row[4] == refusals.NO_PERSONAL_CONTRIBUTION


def test_students_and_flexi_jobs_owe_no_ordinary_contribution():
    declared, line = line_of(20263, code="840", contribution=False)
    line.occupation().remun("001", 90_000).service("001", 600)
    line.deduction("0001", 100)
    assert told(declared) == [(None, None, None, reasons.LINE_SHARE_UNKNOWN, None)]


@pytest.mark.parametrize(
    ("zones", "remun", "service", "reason"),
    [
        ({"working_days_system": 400}, ("001", 230_000), ("001", 1_600, None), reasons.MONTHS_UNKNOWN),
        ({"working_days_system": None}, ("001", 230_000), ("001", 1_600, None), reasons.WORKING_TIME_UNKNOWN),
        ({"contract_type": None}, ("001", 230_000), ("001", 1_600, None), reasons.WORKING_TIME_UNKNOWN),
        (PART_TIME, ("001", 230_000), ("001", 1_600, None), reasons.SERVICES_INCOMPLETE),
        ({}, ("003", 230_000), ("001", 2_000, None), reasons.RIGHT_NOT_DECLARED),
        ({}, ("001", 230_000), ("050", 2_000, None), reasons.NO_PAID_TIME),
        ({}, ("001", 1_000_000_001), ("001", 2_000, None), reasons.OUT_OF_BOUNDS),
        ({}, ("001", -1), ("001", 2_000, None), reasons.OUT_OF_BOUNDS),
        ({}, ("001", 230_000), ("001", -1, None), reasons.OUT_OF_BOUNDS),
    ],
)  # fmt: skip
def test_what_is_not_told_keeps_from_an_amount(zones, remun, service, reason):
    declared, line = line_of()
    line.occupation(**FEBRUARY, **zones).remun(*remun).service(*service)
    line.deduction("0001", 0)
    assert told(declared) == [(None, None, None, reason, None)]
    assert outcome(declared) == ["not computable"]


@pytest.mark.parametrize(
    ("first", "last"),
    [
        (date(2025, 3, 1), date(2025, 2, 1)),
        (date(2024, 11, 1), date(2024, 12, 31)),
        (date(2025, 4, 1), None),
    ],
)
def test_dates_outside_the_quarter_keep_from_an_amount(first, last):
    declared, line = line_of()
    occupation = line.occupation(occupation_starting_date=first, occupation_ending_date=last)
    occupation.remun("001", 230_000).service("001", 2_000)
    line.deduction("0001", 0)
    assert told(declared) == [(None, None, None, reasons.MONTHS_UNKNOWN, None)]


def test_a_deduction_of_no_line_is_not_computable():
    declared = one_month()
    declared.rows["worker_deduction"][0]["worker_record_ordinal"] = 7
    assert told(declared) == [(None, None, None, reasons.LINE_SHARE_UNKNOWN, None)]
    assert list(explain(declared.tables()))[-1]["tree"]["value"] is None


def test_occupations_of_two_systems_keep_from_an_amount():
    declared, line = line_of()
    line.occupation(**FEBRUARY).remun("001", 230_000).service("001", 2_000)
    line.occupation(**FEBRUARY, working_days_system=600).remun("001", 1).service("001", 100)
    line.deduction("0001", 0)
    assert told(declared) == [(None, None, None, reasons.MONTHS_UNKNOWN, None)]


def test_an_occupation_without_pay_and_time_says_nothing():
    declared, line = line_of()
    line.occupation(**FEBRUARY).remun("001", 230_000).service("001", 2_000)
    line.occupation(working_days_system=600).service("050", 2_300)
    line.deduction("0001", 0)
    assert told(declared) == [(24_954, None, None, None, None)]


def test_a_deduction_without_amount_is_one_of_zero():
    assert outcome(one_month(amount=None)) == ["differs"]


def test_trust_a_alone_computes_no_bonus():
    declared, line = line_of(20263)
    line.occupation().remun("001", 900_000).service("001", 6_600)
    line.deduction("0001", 1)
    (row,) = compute(declared.tables(), trust="A").deduction.filter(pl.col("deduction_code") == "0001").to_dicts()
    assert (row["amount_cents"], row["trust"], row["reason"]) == (None, None, reasons.PARAMETER_BELOW_TRUST)


@pytest.mark.parametrize(
    ("quarter", "reason"),
    [
        (20221, reasons.PARAMETER_BELOW_TRUST),
        (20224, reasons.RATE_BELOW_TRUST),
        (20264, reasons.PARAMETER_UNKNOWN),
    ],
)
def test_quarters_without_figures_are_not_computable(quarter, reason):
    declared, line = line_of(quarter)
    line.occupation().remun("001", 690_000).service("001", 6_400)
    line.deduction("0001", 1)
    (row,) = told(declared)
    assert row[0] is None
    assert row[3] in (reason, reasons.NO_RATE)


def test_what_class_and_code_do_not_owe_leaves_no_personal_contributions():
    declared, line = line_of(20263, code="495")
    line.occupation().remun("001", 0).service("001", 6_600)
    line.deduction("0001", 1)
    # Nothing is paid, so nothing is owed and nothing can be reduced: certain, whatever the months.
    assert told(declared) == [(0, None, None, None, None)]
    assert outcome(declared) == ["rounding"]


def test_it_is_explained_month_by_month_down_to_limits_and_pay():
    declared, line = line_of(20263)
    line.occupation().remun("001", 900_000).service("001", 6_600)
    line.deduction("0001", 32_594)
    found = list(explain(declared.tables()))[-1]
    assert (found["code"], found["computed_cents"], found["outcome"]) == ("0001", 32_594, "equal")
    assert found["lowest_cents"] < 32_594 < found["highest_cents"]

    def nodes(node):
        yield node
        for below in node.get("from", ()):
            yield from nodes(below)

    every = list(nodes(found["tree"]))
    months = {one["month"]: one["value"] for one in every if one["name"] == "month_a_cents"}
    # 127.54 - 0.3196 x 62.07 in July and August, 127.54 - 0.2739 x 62.07 in September
    assert months == {"2026/07": 10_770, "2026/08": 10_770, "2026/09": 11_054}
    assert [one["value"] for one in every if one["name"] == "reference_wage_cents"][:3] == [300_000] * 3
    limits = {one["name"]: one["value"] for node in every for one in node.get("parameters", ())}
    assert limits["work_bonus/middle_limit"] == "2937.93"
    assert "work_bonus/at_100/a_slope" in limits
    assert "work_bonus/at_108/a_slope" not in limits
    (rate,) = [one for one in every if one["name"] == "personal_rate"]
    assert rate["rate"]["rate_personal"] == 1307
    assert found["tree"]["trust"] == "B"
    (rows,) = [one["rows"] for one in every if one["name"] == "declared"]
    assert {"remun_code": "001", "remun_amount": 900_000} in rows


def test_what_is_above_the_contributions_is_cut_on_component_b():
    # A 120.59, B 162.62; 13.07 % of 2,100.00 = 274.47 leaves 153.88 of B.
    found = list(explain(one_month(210_000).tables()))[-1]
    left = {one["name"]: one["value"] for one in found["tree"]["from"]}
    assert found["computed_cents"] == 27_447
    assert (left["bonus_a_cents"], left["bonus_b_cents"]) == (12_059, 15_388)


def test_a_refusal_is_explained_in_words():
    declared = one_month(amount=24_954)
    first = declared.rows["worker_deduction"][0]
    declared.rows["worker_deduction"].append({**first, "worker_deduction_ordinal": 1})
    found = list(explain(declared.tables()))[-1]
    assert (found["computed_cents"], found["refusal"]) == (0, refusals.DECLARED_BEFORE)
    assert found["tree"]["words"] == refusals.DECLARED_BEFORE
