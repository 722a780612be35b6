"""Deduction 1360: the basic employer contribution above the wage limit, quarter by quarter, and what leaves it open."""

import pytest

from contributions import compute, reasons
from contributions.explain import explain
from tests.declared import Declarations


def limited(wage, quarter=20263, employer_class="000", code="495", kind=0, remun="001", amount=0):
    declared = Declarations()
    line = declared.employer(quarter).person().line(employer_class, code)
    line.occupation().remun(remun, wage)
    line.contribution(code, kind, None, 0)
    line.deduction("1360", amount)
    return declared, line


def told(declared):
    return compute(declared.tables()).deduction.select("amount_cents", "trust", "reason").rows()


@pytest.mark.parametrize(
    ("quarter", "wage", "amount"),
    [
        # (100,000.00 - 85,000.00) x 19.88 %
        (20253, 10_000_000, 298_200),
        (20254, 10_000_000, 298_200),
        # (100,000.00 - 86,700.00) x 19.88 %
        (20261, 10_000_000, 264_404),
        (20262, 10_000_000, 264_404),
        # (100,000.00 - 88,434.00) x 19.88 % = 2,299.3208
        (20263, 10_000_000, 229_932),
        (20263, 8_843_400, 0),
        # 0.02 x 19.88 % = 0.003976, 0.03 x 19.88 % = 0.005964
        (20263, 8_843_402, 0),
        (20263, 8_843_403, 1),
        (20263, 0, 0),
    ],
)
def test_what_is_above_the_limit_bears_no_base_rate(quarter, wage, amount):
    assert told(limited(wage, quarter)[0]) == [(amount, "B", None)]


def test_the_base_rate_is_that_of_the_employer_class():
    # (100,000.00 - 88,434.00) x 24.92 % = 2,882.2472
    assert told(limited(10_000_000, employer_class="122")[0]) == [(288_225, "B", None)]


@pytest.mark.parametrize("quarter", [20252, 20221])
def test_before_the_law_there_is_no_rule(quarter):
    assert told(limited(10_000_000, quarter)[0]) == [(None, None, reasons.RULE_NOT_IN_VERSION)]


def test_after_the_last_known_limit_there_is_no_parameter():
    assert told(limited(10_000_000, 20264)[0]) == [(None, None, reasons.PARAMETER_UNKNOWN)]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"code": "015", "kind": 1}, reasons.LIMIT_SHARE_OPEN),
        ({"remun": "003"}, reasons.RIGHT_NOT_DECLARED),
        ({"employer_class": "999"}, reasons.RATE_INCOMPLETE),
        ({"wage": 99_999_999_999_999}, reasons.OUT_OF_BOUNDS),
    ],
)
@pytest.mark.parametrize("quarter", [20253, 20263])
def test_what_leaves_it_open(quarter, changes, reason):
    assert told(limited(**{"wage": 10_000_000, "quarter": quarter, **changes})[0]) == [(None, None, reason)]


def test_below_the_limit_dismissal_pay_leaves_nothing_open():
    assert told(limited(8_188_333, remun="003")[0]) == [(0, "B", None)]


@pytest.mark.parametrize(("wage", "open_"), [(8_188_333, False), (8_188_334, True)])
def test_a_manual_wage_is_open_from_the_limit_at_108_percent_on(wage, open_):
    # 81,883.33 x 108 % = 88,433.9964 and 81,883.34 x 108 % = 88,434.0072
    (row,) = told(limited(wage, code="015", kind=1)[0])
    assert row[2] == (reasons.LIMIT_SHARE_OPEN if open_ else None)


def test_a_manual_line_without_its_own_contribution_is_open_too():
    declared = Declarations()
    line = declared.employer().person().line("000", "015")
    line.occupation().remun("001", 10_000_000)
    line.deduction("1360", 1)
    assert told(declared) == [(None, None, reasons.LIMIT_SHARE_OPEN)]


def test_nothing_is_due_of_a_second_one_and_other_deductions_stay():
    declared, line = limited(10_000_000, amount=229_932)
    line.deduction("0999", 5)
    line.deduction("1360", 7)
    result = compute(declared.tables())
    codes = result.deduction.select("deduction_code", "amount_cents", "reason").rows()
    assert codes == [("1360", 229_932, None), ("0999", None, reasons.RULE_NOT_IN_VERSION), ("1360", 0, None)]
    outcomes = result.difference.filter(result.difference["kind"] == "deduction")["outcome"].to_list()
    assert outcomes == ["equal", "not computable", "superfluous"]
    account = result.employer_account.row(0, named=True)
    assert (account["computed_deduction_cents"], account["covered_deduction_cents"]) == (229_932, 229_932 + 7)


def test_it_is_explained_with_limit_and_source():
    declared, _ = limited(10_000_000, amount=229_932)
    found = list(explain(declared.tables()))[-1]
    assert (found["code"], found["computed_cents"], found["outcome"]) == ("1360", 229_932, "equal")
    limit = next(one for one in found["tree"]["parameters"] if one["name"].endswith("quarterly_wage_limit"))
    assert (limit["value"], limit["since"]) == ("88434.00", "2026-07-01")
    wage = next(node for node in found["tree"]["from"] if node["name"] == "ordinary_wage_cents")
    assert wage["rows"] == [{"remun_code": "001", "remun_amount": 10_000_000, "adds": 10_000_000}]
