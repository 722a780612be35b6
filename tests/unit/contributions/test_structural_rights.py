"""When a structural reduction is due, absent, superfluous, or cannot be told."""

import pytest

from contributions import compute, reasons
from contributions.outcomes import MISSING
from tests.declared import Declarations


def declared_with(code="495", employer_class="000", quarter=20263, **zones):
    declared = Declarations()
    line = declared.employer(quarter).person().line(employer_class, code)
    line.contribution(code, int(code[0] == "0"), None, 0)
    return declared, line, line.occupation(**zones).remun("001", 600_000)


def deductions(declared):
    return compute(declared.tables()).deduction.to_dicts()


def test_a_reduction_due_but_not_declared_is_missing():
    declared, _, occupation = declared_with()
    occupation.service("001", 6_500)
    (row,) = [row for row in compute(declared.tables()).difference.to_dicts() if row["kind"] == "deduction"]
    # 0.14 x 5,687.74 + 0.16 x 3,738.14 = 796.28 + 598.10
    assert (row["outcome"], row["declared_cents"], row["computed_cents"]) == (MISSING, None, 139_438)
    assert (row["declared_table"], row["declared_ordinal"], row["occupation_ordinal"]) == (None, None, 0)


def test_an_employer_specific_reduction_keeps_it_from_being_missing():
    declared, _, occupation = declared_with()
    occupation.service("001", 6_500).deduction("1511", 1)
    assert [row["deduction_code"] for row in deductions(declared)] == ["1511"]


def test_a_reduction_declared_twice_is_superfluous_the_second_time():
    declared, _, occupation = declared_with()
    occupation.service("001", 6_500).deduction("3000", 139_438).deduction("3000", 139_438)
    assert [(row["declared_ordinal"], row["amount_cents"]) for row in deductions(declared)] == [(0, 139_438), (1, 0)]


def test_a_declared_reduction_without_amount_counts_as_zero():
    declared, _, occupation = declared_with()
    occupation.service("001", 6_500).deduction("3000", None)
    row = compute(declared.tables()).difference.to_dicts()[-1]
    assert (row["declared_cents"], row["outcome"]) == (0, "differs")


@pytest.mark.parametrize("code", ["027", "487", "035", "439", "050", "840"])
def test_codes_without_right_get_nothing(code):
    declared, _, occupation = declared_with(code)
    occupation.deduction("3000", 100)
    assert [row["amount_cents"] for row in deductions(declared)] == [0]


def test_no_counted_time_gives_nothing():
    declared, _, occupation = declared_with()
    occupation.service("050", 6_500).deduction("3000", 100)
    assert [row["amount_cents"] for row in deductions(declared)] == [0]


@pytest.mark.parametrize(
    ("code", "employer_class", "zones", "hours", "reason"),
    [
        ("495", "000", {"retired": 1}, None, reasons.RIGHT_NOT_DECLARED),
        ("495", "000", {"apprenticeship": "1"}, None, reasons.RIGHT_NOT_DECLARED),
        ("495", "006", {}, None, reasons.CATEGORY_UNKNOWN),
        ("495", "999", {}, None, reasons.CATEGORY_UNKNOWN),
        ("495", "001", {}, None, reasons.CATEGORY_UNKNOWN),
        ("011", "017", {}, None, reasons.WORKER_CODE_UNCONFIRMED),
        ("495", "000", {"working_days_system": 0}, None, reasons.WORKING_TIME_UNKNOWN),
        ("495", "000", {"contract_type": None}, None, reasons.WORKING_TIME_UNKNOWN),
        ("495", "000", {"contract_type": 1}, 40_000, reasons.WORKING_TIME_UNKNOWN),
        ("495", "000", {"contract_type": 1, "ref_mean_working_hours": 3_800}, None, reasons.SERVICES_INCOMPLETE),
        ("495", "000", {"contract_type": 1, "ref_mean_working_hours": 3_800}, 5_000, reasons.WORKING_TIME_UNKNOWN),
        ("495", "000", {"ref_mean_working_hours": 1}, 9_999_999, reasons.OUT_OF_BOUNDS),
    ],
)
def test_where_the_declaration_tells_too_little(code, employer_class, zones, hours, reason):
    declared, _, occupation = declared_with(code, employer_class, **zones)
    occupation.service("001", 6_500, hours).deduction("3000", 100)
    assert [row["reason"] for row in deductions(declared)] == [reason]


def test_counted_but_unpaid_time_has_no_reference_wage():
    declared, _, occupation = declared_with()
    occupation.service("002", 6_500).deduction("3000", 100)
    assert [row["reason"] for row in deductions(declared)] == [reasons.NO_PAID_TIME]


def test_an_unknown_occupation_of_the_person_leaves_mu_glob_open():
    declared, line, occupation = declared_with()
    occupation.service("001", 6_500).deduction("3000", 100)
    line.occupation(contract_type=1).service("001", 100, 800)
    assert [row["reason"] for row in deductions(declared)] == [reasons.OTHER_OCCUPATION_INCOMPLETE]


def test_occupations_of_other_persons_do_not_count_for_mu_glob():
    declared, _, occupation = declared_with()
    occupation.service("001", 6_500).deduction("3000", 139_438)
    other = declared.employer().person().line()
    other.occupation(contract_type=1).service("001", 100, 800)
    assert [row["amount_cents"] for row in deductions(declared)] == [139_438]


@pytest.mark.parametrize(("code", "status", "amount"), [("495", "A1", 8_179), ("046", None, 8_179), ("495", "D", 0)])
def test_artists_have_no_minimum(code, status, amount):
    declared, _, _ = declared_with(quarter=20223)
    line = declared.employer(20223).person().line("000", code)
    line.contribution(code, int(code[0] == "0"), None, 0)
    zones = {"contract_type": 1, "ref_mean_working_hours": 3_800, "mean_working_hours": 760, "worker_status": status}
    occupation = line.occupation(**zones).remun("001", 150_000)
    occupation.service("001", 1_300, 9_880).deduction("3000", 1)
    assert [row["amount_cents"] for row in deductions(declared)] == [amount]


@pytest.mark.parametrize(("hours_a_week", "amount"), [(1_900, 25_000), (1_899, 0)])
def test_a_contract_of_half_time_has_no_minimum(hours_a_week, amount):
    declared = Declarations()
    line = declared.employer(20263).person().line("000", "495")
    line.contribution("495", 0, None, 0)
    occupation = line.occupation(contract_type=1, ref_mean_working_hours=3_800, mean_working_hours=hours_a_week)
    # S = 1,000.00 x 4.94, R = 944.68 + 767.70, mu 0.20: 1,712.38 x 0.20 x 1.18 = 404.12, at most 25 % of 1,000.00
    occupation.remun("001", 100_000).service("001", 1_300, 10_000).deduction("3000", 1)
    assert [row["amount_cents"] for row in deductions(declared)] == [amount]


def test_hours_count_as_soon_as_a_full_timer_declares_them():
    declared, _, occupation = declared_with(ref_mean_working_hours=3_800)
    # 13 x 38 / 494 = 1.00, though 60 days alone would give 1.08
    occupation.service("001", 6_000, 49_400).deduction("3000", 139_438)
    assert [row["amount_cents"] for row in deductions(declared)] == [139_438]


def test_code_401_has_its_own_ceiling_in_class_002_alone():
    declared, _, occupation = declared_with("401", "002")
    occupation.service("001", 6_500).deduction("3000", 1)
    declared_elsewhere, _, other = declared_with("401", "000")
    other.service("001", 6_500).deduction("3000", 1)
    # 19.88 % x 6,000.00 = 1,192.80, below 1,394.38
    assert [row["amount_cents"] for row in deductions(declared)] == [119_280]
    assert [row["reason"] for row in deductions(declared_elsewhere)] == [reasons.WORKER_CODE_UNCONFIRMED]
