import polars as pl
import pytest

from contributions import SCHEMAS, ComputationFailed, compute, reasons, refusals
from contributions.engine import worked_out
from contributions.inputs import Declared
from contributions.law import law
from dmfa.quarter import Quarter
from tests.declared import Declarations


def white_collar(quarter=20263, employer_class="000", net=0):
    declared = Declarations()
    employer = declared.employer(quarter, net=net)
    return declared, employer, employer.person().line(employer_class, "495")


def full_time(line, wage=677_100, days=6_600, **zones):
    return line.occupation(**zones).remun("001", wage).service("001", days)


def outcomes(declared):
    return compute(declared.tables()).difference["outcome"].to_list()


def test_nothing_declared_is_nothing_computed():
    for name, frame in compute({}).frames().items():
        assert frame.is_empty()
        assert frame.schema == SCHEMAS[name]


def test_absent_tables_and_columns_count_as_not_declared():
    declared, _, line = white_collar()
    line.contribution("495", 0, 100, 38)
    tables = declared.tables()
    tables["employer_declaration"] = tables["employer_declaration"].drop("net_owed_amount", "filing_id")
    result = compute(tables)
    assert result.contribution["amount_cents"].to_list() == [0]
    assert result.difference["outcome"].to_list() == ["superfluous"]
    assert result.employer_account["declared_net_cents"].to_list() == [None]


def test_several_quarters_are_each_computed_under_their_own_law():
    declared = Declarations()
    for quarter in (20263, 20221, 20241):
        line = declared.employer(quarter).person().line("000", "495")
        line.occupation().remun("001", 900_000)
        line.contribution("495", 0, 900_000, 0)
    result = compute(declared.tables()).contribution.sort("quarter")
    assert result["amount_cents"].to_list() == [342_900, 342_630, 342_630]


@pytest.mark.parametrize(
    ("declared_cents", "outcome"),
    [(257_772, "equal"), (257_773, "rounding"), (257_771, "rounding"), (257_774, "differs"), (0, "differs")],
)
def test_outcomes_of_a_contribution(declared_cents, outcome):
    declared, _, line = white_collar()
    line.occupation().remun("001", 677_100)
    line.contribution("495", 0, 677_100, declared_cents)
    assert outcomes(declared) == [outcome]


def test_only_remuneration_that_bears_contributions_counts():
    declared, _, line = white_collar()
    line.occupation().remun("001", 100_000).remun("010", 50_000).remun("011", 7).remun("002", 1_000)
    line.occupation().remun("006", 500)
    line.contribution("495", 0, 999, 0)
    basis = compute(declared.tables()).basis.row(0, named=True)
    assert (basis["wage_cents"], basis["basis_cents"], basis["share_percent"]) == (101_500, 101_500, 100)
    assert (basis["declared_lowest_cents"], basis["outcome"]) == (999, "differs")


def test_a_line_with_two_shares_has_two_bases():
    declared = Declarations()
    line = declared.employer().person().line("000", "015")
    line.occupation().remun("001", 100_000)
    line.contribution("015", 1, 108_000, 41_116)
    line.contribution("831", 0, 100_001, 230)
    rows = compute(declared.tables()).basis
    assert rows.select("share_percent", "basis_cents", "outcome").rows() == [
        (100, 100_000, "rounding"),
        (108, 108_000, "equal"),
    ]


def test_bases_of_one_share_are_put_together_wherever_they_stand():
    declared = Declarations()
    line = declared.employer().person().line("010", "015")
    line.occupation().remun("001", 1_000)
    for code, kind, basis in (("015", 1, 1_080), ("495", 0, 1_000), ("027", 1, 1_081), ("035", 1, None)):
        line.contribution(code, kind, basis, 0)
    rows = compute(declared.tables()).basis
    told = ("share_percent", "contributions", "declared_lowest_cents", "declared_highest_cents", "outcome")
    assert rows.select(told).rows() == [(100, 1, 1_000, 1_000, "equal"), (108, 3, 1_080, 1_081, "rounding")]


def test_a_basis_not_declared_is_missing():
    declared, _, line = white_collar()
    line.occupation().remun("001", 100)
    line.contribution("495", 0, None, 38)
    assert compute(declared.tables()).basis["outcome"].to_list() == ["missing"]


def test_a_manual_line_without_ordinary_contribution_is_open():
    declared = Declarations()
    line = declared.employer().person().line("000", "015")
    full_time(line).deduction("3000", 1)
    line.contribution("255", 0, 100, 1)
    result = compute(declared.tables())
    assert result.contribution["reason"].to_list() == [reasons.LINE_SHARE_UNKNOWN]
    assert result.deduction["reason"].to_list() == [reasons.LINE_SHARE_UNKNOWN]


def test_a_wage_beyond_the_zone_is_out_of_bounds():
    declared, _, line = white_collar()
    full_time(line, wage=99_999_999_999).remun("001", 1).deduction("3000", 1)
    line.contribution("495", 0, 1, 1)
    result = compute(declared.tables())
    assert result.contribution["reason"].to_list() == [reasons.OUT_OF_BOUNDS]
    assert result.deduction["reason"].to_list() == [reasons.OUT_OF_BOUNDS]


def test_the_largest_amounts_stay_exact():
    declared, _, line = white_collar()
    line.occupation().remun("001", 99_999_999_999)
    line.contribution("495", 0, 99_999_999_999, 38_070_000_000)
    assert outcomes(declared) == ["equal"]


def test_trust_a_computes_on_official_figures_alone():
    declared, _, line = white_collar()
    full_time(line).deduction("3000", 120_371)
    line.contribution("495", 0, 677_100, 257_772)
    other = declared.employer().person().line("010", "495")
    other.occupation().remun("001", 677_100)
    other.contribution("495", 0, 677_100, 257_772)
    strict = compute(declared.tables(), trust="A")
    assert strict.contribution.select("amount_cents", "trust", "reason").rows() == [
        (257_772, "A", None),
        (None, None, reasons.RATE_BELOW_TRUST),
    ]
    assert strict.deduction["reason"].to_list() == [reasons.PARAMETER_BELOW_TRUST]
    assert compute(declared.tables()).contribution["trust"].to_list() == ["A", "B"]


@pytest.mark.parametrize("quarter", [20214, 20264])
def test_a_quarter_without_law_computes_nothing(quarter):
    declared, _, line = white_collar(quarter)
    full_time(line).deduction("3000", 5)
    line.contribution("495", 0, 677_100, 257_772)
    result = compute(declared.tables())
    assert result.contribution["reason"].to_list() == [reasons.NO_RATE]
    assert result.deduction["reason"].to_list() == [reasons.PARAMETER_UNKNOWN]
    assert result.difference["outcome"].to_list() == ["not computable"] * 2


def test_blocks_without_a_rate_or_rule_are_told_apart():
    declared, employer, line = white_collar(net=2_500)
    line.student(10_000, 814)
    line.deduction("0001", 100)
    line.deduction("2001", None)
    full_time(line, wage=0).deduction("3324", 7)
    employer.unrelated("000", "870", 1_793)
    result = compute(declared.tables())
    assert set(result.contribution["reason"]) == {reasons.NO_RATE, reasons.BASIS_NOT_DECLARED}
    assert result.deduction["reason"][0] == reasons.START_NOT_DECLARED
    keys = ["declared_table", "declared_ordinal", "contribution_worker_code", "inss", "worker_code"]
    assert result.contribution.select(keys).rows() == [
        ("student_contribution", 0, "495", 77101500172, "495"),
        ("contribution_unrelated_to_np", 0, "870", None, None),
    ]
    assert result.deduction.select("declared_table", "occupation_sequence_nbr", "deduction_code").rows() == [
        ("occupation_deduction", 1, "3324"),
        ("worker_deduction", None, "0001"),
        ("worker_deduction", None, "2001"),
    ]
    account = result.employer_account.row(0, named=True)
    assert account["declared_contribution_cents"] == 814 + 1_793
    assert account["declared_deduction_cents"] == 100 + 7
    assert (account["declared_net_cents"], account["summed_net_cents"], account["computed_net_cents"]) == (2_500,) * 3
    assert account["covered_contribution_cents"] == account["computed_contribution_cents"] == 0


def test_the_account_counts_what_is_computed_and_what_is_not():
    declared, _, line = white_collar()
    full_time(line).deduction("3000", 120_000)
    line.contribution("495", 0, 677_100, 257_770)
    line.contribution("856", 0, None, 1_000)
    account = compute(declared.tables()).employer_account.row(0, named=True)
    assert (account["contributions"], account["contributions_not_computable"], account["differences"]) == (2, 1, 2)
    assert (account["declared_contribution_cents"], account["covered_contribution_cents"]) == (258_770, 257_770)
    assert account["computed_contribution_cents"] == 257_772
    assert account["summed_net_cents"] == 258_770 - 120_000
    assert account["computed_net_cents"] == 257_772 + 1_000 - 120_371


def test_compensation_of_the_employer_lowers_the_net():
    declared, employer, line = white_collar()
    line.contribution("856", 0, None, 1_000)
    tables = declared.tables()
    tables["employer_compensation"] = pl.DataFrame(
        {"declaration_id": [employer.declaration_id], "quarter": [20263], "compensation_amount": [300]}
    )
    account = compute(tables).employer_account.row(0, named=True)
    assert (account["declared_compensation_cents"], account["summed_net_cents"]) == (300, 700)


def test_a_declaration_without_contributions_has_an_account_of_zeros():
    declared, _, _ = white_collar()
    account = compute(declared.tables()).employer_account.row(0, named=True)
    assert account["contributions"] == account["summed_net_cents"] == account["differences"] == 0


def test_only_trust_a_and_b_compute():
    with pytest.raises(ValueError, match="never computes"):
        compute({}, trust="C")


def test_an_error_quotes_no_value():
    declared, _, line = white_collar()
    line.contribution("495", 0, 100, 38)
    tables = declared.tables()
    person = tables["natural_person"].with_columns(inss=pl.lit("secret-77101500172"))
    with pytest.raises(ComputationFailed) as refused:
        compute({**tables, "natural_person": person})
    assert "secret" not in str(refused.value)
    assert refused.value.__context__ is None


def test_a_block_with_its_own_code_keeps_it():
    declared, _, line = white_collar()
    tables = declared.tables()
    tables["compl_indemnity_contribution"] = pl.DataFrame(
        {**line.keys, "complementary_indemnity_ordinal": 0, "compl_indemnity_contribution_ordinal": 0}
        | {"contribution_worker_code": "883", "contribution_type": 3, "contribution_amount": 1_234}
    )
    row = compute(tables).contribution.row(0, named=True)
    assert (row["contribution_worker_code"], row["contribution_type"], row["worker_code"]) == ("883", 3, "495")
    assert (row["declared_table"], row["declared_ordinal"]) == ("compl_indemnity_contribution", 0)


@pytest.mark.parametrize(
    ("declared", "share"),
    [([("015", 1)], 108), ([("015", 0)], 100), ([("015", 0), ("256", 1)], 100), ([("015", 1), ("255", 0)], 108)],
)
def test_only_the_own_code_of_a_line_tells_its_holiday_scheme(declared, share):
    declarations = Declarations()
    line = declarations.employer(20263).person().line("000", "015")
    line.occupation().remun("001", 1_000_000).service("001", 6_500)
    for code, kind in declared:
        line.contribution(code, kind, 1_000_000, 1)
    lines = worked_out(Declared(declarations.tables()), law(Quarter(2026, 3))).lines
    assert lines["line_share"].to_list() == [100 * share]


def test_what_stands_twice_on_a_line_is_told_in_its_own_order_however_rows_come():
    declared, _, line = white_collar(20243)
    full_time(line, 600_000, 6_500)
    line.contribution("495", 0, 600_000, 228_420)
    line.contribution("495", 1, 600_000, 0)
    line.deduction("0001", 5_000)
    line.deduction("0001", 4_000)
    line.deduction("1360", 100)
    tables = declared.tables()
    one, other = (
        compute({name: rows[order] for name, rows in tables.items()}).deduction
        for order in (slice(None), slice(None, None, -1))
    )
    keys = ["declared_table", "declared_ordinal"]
    assert one.sort(keys).equals(other.sort(keys))
    bonus = other.filter(deduction_code="0001").sort(keys)
    assert bonus["refusal"].to_list() == [None, refusals.DECLARED_BEFORE]
