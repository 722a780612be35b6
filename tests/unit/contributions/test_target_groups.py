"""Target groups: what the official file, history and other rows of a declaration change, and how they are explained."""

import json
import runpy
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from contributions import compute, reasons, refusals
from contributions.explain import explain
from contributions.law import law
from contributions.rates.book import RateBook
from contributions.rates.official import read_rate_file
from contributions.reference import USED, Reference
from contributions.rules.target_groups import OF_RULES, TARGET_GROUPS
from contributions.target_groups import OF_PERSONS, allowed_quarters, code_facts, codes, name_of
from dmfa.quarter import Quarter
from dmfa.synth.rate_files import markup
from tests.declared import Declarations

ROOT = Path(__file__).parents[3]
LAST = Quarter(2026, 3)
START = date(2025, 1, 6)


def full_time(wage=1_400_000, code="495", employer_class="000", quarter=20263, **zones):
    declared = Declarations()
    line = declared.employer(quarter).person().line(employer_class, code)
    line.contribution(code, int(code[0] == "0"), None, 0)
    return declared, line, line.occupation(**zones).remun("001", wage).service("001", 6_500)


def of(declared, **given):
    rows = compute(declared.tables(), **given).deduction.filter(pl.col("deduction_code") != "3000")
    return [(row["amount_cents"], row["reason"] or row["refusal"]) for row in rows.to_dicts()]


def ceilings(*rows, quarter=LAST):
    labels = ("EmployerClass", "WorkerCode", "DeductionCode", "MaxBaseRate")
    data = markup("x", "DeductionRate", quarter, [zip(labels, row, strict=True) for row in rows])
    data = data.replace(b"<Fictitious>1</Fictitious>", b"")
    book = RateBook.of([read_rate_file(f"NOSSDeductionRate_{quarter.year}_{quarter.number}.xml", data)])
    return {quarter.code: Reference(book)}


@pytest.mark.parametrize(
    ("mu", "numerator", "denominator"),
    [
        (20, 1_000_000, 1_000_000),
        (54, 1_000_000, 1_000_000),
        (55, 1_000_000, 1_000_000),
        (56, 1_010_000, 1_000_000),
        (79, 1_240_000, 1_000_000),
        (80, 100, 80),
        (100, 100, 100),
        (250, 100, 250),
    ],
)
def test_beta_of_target_groups_has_no_step(mu, numerator, denominator):
    pieces = law(LAST).pieces
    frame = pl.DataFrame({"mu_glob_pct": [mu]})
    told = frame.select(
        pieces[TARGET_GROUPS, f"target_beta_{name}"].expression for name in ("numerator", "denominator")
    )
    assert told.row(0) == (numerator, denominator)


def test_the_official_file_gives_the_ceiling_of_each_code():
    declared, _, occupation = full_time(500_000)
    occupation.deduction("3315", 0)
    # 0.14 x 6,687.74 + 0.16 x 4,738.14 = 1,694.38 takes all of 25 %, and leaves 805.62 of 50 %.
    assert of(declared) == [(0, None)]
    official = ceilings(("000", "495", "3000", "25.00"), ("000", "495", "3315", "50.00"))
    assert of(declared, references=official) == [(125_000, None)]


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ([("000", "015", "3315", "25.00")], (0, refusals.NOT_FOR_WORKER)),
        ([("000", "495", "3315", "25.00")], (200_000, None)),
        ([("000", "495", "3500", "25.00")], (200_000, None)),
        ([("010", "495", "3315", "25.00")], (0, refusals.NOT_FOR_WORKER)),
    ],
)
def test_an_official_file_with_rows_of_a_code_tells_who_has_a_right(rows, told):
    declared, _, occupation = full_time()
    occupation.deduction("3315", 0)
    assert of(declared, references=ceilings(("000", "495", "3000", "25.00"), *rows)) == [told]


@pytest.mark.parametrize(
    "zones",
    [(None, 3_800, 3_600), (date(2025, 4, 1), None, 3_600), (date(2025, 4, 1), 3_800, None)],
    ids=["since", "before", "after"],
)
def test_a_shorter_week_needs_each_zone_of_its_detail_block(zones):
    declared, _, occupation = full_time()
    occupation.deduction("3500", 0).detail(*zones)
    assert of(declared) == [(None, reasons.SHORTENING_NOT_DECLARED)]


def test_an_official_file_without_the_class_says_nothing_of_it():
    declared, _, occupation = full_time()
    occupation.deduction("3315", 0)
    assert of(declared, references=ceilings(("010", "495", "3315", "25.00"))) == [(200_000, None)]


def test_the_official_file_opens_a_right_to_worker_codes_of_which_no_ceiling_is_known():
    declared, _, occupation = full_time(300_000, "439")
    occupation.deduction("3510", 0, start=date(2026, 7, 1))
    assert of(declared) == [(None, reasons.CEILING_UNKNOWN)]
    assert of(declared, references=ceilings(("000", "439", "3510", "1.35"))) == [(4_050, None)]


def test_the_official_file_alone_says_who_has_the_structural_reduction():
    declared, _, occupation = full_time(650_000, "011", "010")
    occupation.deduction("3000", 0)
    rows = [("010", "011", "3000", "20.00"), ("010", "495", "3000", "25.00")]

    def structural(**given):
        row = compute(declared.tables(), **given).deduction.row(0, named=True)
        return row["amount_cents"], row["reason"] or row["refusal"]

    assert structural() == (None, reasons.WORKER_CODE_UNCONFIRMED)
    # 0.14 x 5,187.74 + 0.16 x 3,238.14 = 1,244.38
    assert structural(references=ceilings(*rows)) == (124_438, None)
    assert structural(references=ceilings(*rows[1:])) == (0, refusals.NOT_FOR_WORKER)


@pytest.mark.parametrize("code", ["027", "439", "840", "450"])
def test_apprentices_students_and_flexi_jobs_are_no_first_engagements(code):
    declared, _, occupation = full_time(300_000, code)
    occupation.deduction("3315", 1)
    assert of(declared) == [(0, refusals.NOT_FOR_WORKER)]


def test_a_code_stands_at_its_own_level():
    declared, line, occupation = full_time()
    line.deduction("3315", 100)
    occupation.deduction("2001", 100)
    assert of(declared) == [(0, refusals.WRONG_LEVEL), (0, refusals.WRONG_LEVEL)]


def test_a_code_that_annex_4_does_not_have_has_no_rule():
    declared, _, occupation = full_time()
    occupation.deduction("7777", 100)
    assert of(declared) == [(None, reasons.RULE_NOT_IN_VERSION)]


def test_an_occupation_has_one_target_group_the_first_to_which_there_is_a_right():
    declared, _, occupation = full_time()
    occupation.deduction("8320", 1).deduction("3324", 1, start=START).deduction("3315", 1)
    assert of(declared) == [(0, refusals.AGE), (155_000, None), (0, refusals.ANOTHER_CHOSEN)]


def test_a_second_target_group_is_open_where_the_first_is():
    declared, _, occupation = full_time()
    occupation.deduction("3800", 1).deduction("3315", 1)
    assert of(declared) == [(None, reasons.AMOUNT_UNCONFIRMED), (None, reasons.EXCLUSIVE_TOGETHER)]


def test_a_reduction_of_single_employers_goes_with_no_target_group():
    declared, _, occupation = full_time()
    occupation.deduction("1511", 1).deduction("3315", 1)
    assert of(declared) == [(None, reasons.AMOUNT_UNCONFIRMED), (None, reasons.EXCLUSIVE_TOGETHER)]


def test_the_parts_of_a_line_lose_no_cent():
    declared, line, first = full_time(10_001, "015")
    first.deduction("3315", 0)
    line.occupation().remun("001", 10_001).service("001", 6_500).deduction("3315", 0)
    rows = compute(declared.tables()).deduction
    # Bases 108.01 and 216.02 - 108.01; 25 % of them 27.00 and 54.01 - 27.00, all of it for the structural reduction.
    structural = rows.filter(deduction_code="3000")["amount_cents"].to_list()
    assert structural == [2_700, 2_701]
    assert rows.filter(deduction_code="3315")["amount_cents"].to_list() == [0, 0]


def test_family_help_is_under_maribel_though_of_category_1():
    declared, _, occupation = full_time(joint_commission_nbr="318.01")
    occupation.deduction("3315", 0)
    rows = compute(declared.tables()).deduction
    assert rows["reservation"].to_list() == [refusals.MARIBEL]


@pytest.mark.parametrize(
    ("employer_class", "told"), [("022", refusals.MARIBEL), ("073", None), ("473", refusals.MARIBEL)]
)
def test_amounts_say_that_maribel_is_not_deducted(employer_class, told):
    declared, _, occupation = full_time(500_000, "495", employer_class, quarter=20261)
    occupation.deduction("3000", 0)
    assert compute(declared.tables()).deduction["reservation"].to_list() == [told]


def test_a_reduction_of_nothing_has_no_reservation():
    declared, _, occupation = full_time(500_000, "495", "022", quarter=20261)
    occupation.deduction("8320", 0)
    assert compute(declared.tables()).deduction.filter(deduction_code="8320")["reservation"].to_list() == [None]


def used(code, quarters, start=START, inss=None):
    row = {"noss_registration_nbr": 100006, "deduction_code": code, "inss": inss, "right_start": start}
    return {LAST.code: Reference(used=pl.DataFrame([{**row, "quarters": quarters}], schema=USED))}


@pytest.mark.parametrize(
    ("reference", "told"),
    [
        (used("3324", 5), (0, refusals.QUARTERS_USED)),
        (used("3324", 4), (155_000, None)),
        (used("3325", 5), (155_000, None)),
        (used("3324", 5, date(2025, 1, 7)), (155_000, None)),
        (None, (155_000, None)),
    ],
)
def test_earlier_declarations_may_have_used_the_right_up(reference, told):
    declared, _, occupation = full_time()
    occupation.deduction("3324", 0, start=START)
    assert of(declared, references=reference) == [told]


def test_the_right_of_a_worker_is_counted_by_worker():
    start = date(2026, 1, 5)
    declared, _, occupation = full_time()
    occupation.deduction("3510", 0, start=start)
    assert of(declared, references=used("3510", 4, start)) == [(40_000, None)]
    assert of(declared, references=used("3510", 4, start, 77101500172)) == [(0, refusals.QUARTERS_USED)]


def test_rights_that_are_counted_have_a_number_of_quarters():
    allowed = allowed_quarters(LAST)
    assert (allowed["3324"], allowed["3325"], allowed["3333"], allowed["3361"]) == (5, 4, 9, 4)
    assert set(OF_PERSONS) <= set(allowed)
    assert allowed_quarters(Quarter(2026, 4)) == {}


def test_history_is_part_of_what_a_quarter_was_computed_by():
    empty, one, other = Reference(), used("3324", 5)[LAST.code], used("3324", 6)[LAST.code]
    assert not empty.digest
    assert len({one.digest, other.digest, used("3325", 5)[LAST.code].digest}) == 3


def test_every_code_with_rules_is_one_of_annex_4():
    listed = {row["code"] for row in codes() if row["level"] == "occupation"}
    assert {scope.rpartition("/")[2] for scope in OF_RULES} <= listed
    assert code_facts(LAST)["deduction_code"].is_unique().all()
    assert name_of("3315") == "First hire, 1st worker."
    assert not name_of("7777")


@pytest.mark.parametrize("quarter", [20214, 20264])
def test_outside_its_quarters_nothing_is_computed(quarter):
    declared, _, occupation = full_time(quarter=quarter)
    occupation.deduction("3315", 0).deduction("3800", 0)
    assert [amount for amount, _ in of(declared)] == [None, None]


def test_figures_of_trust_b_do_not_compute_where_a_is_asked_for():
    declared, _, occupation = full_time()
    occupation.deduction("3315", 0)
    assert of(declared, trust="A")[0][0] is None


def nodes(tree):
    yield tree
    for below in tree.get("from", ()):
        yield from nodes(below)


def test_a_target_group_is_explained_down_to_every_figure():
    declared, _, occupation = full_time(677_100)
    occupation.deduction("3315", 48_904)
    told = next(one for one in explain(declared.tables()) if one["code"] == "3315")
    found = {node["name"]: node["value"] for node in nodes(told["tree"])}
    expected = {"target_group_reduction": 48_904 + 3_471, "theoretical_target_cents": 200_000}
    # mu 1.00: S = 6,771.00, R = 0.14 x 4,916.74 + 0.16 x 2,967.14 = 688.34 + 474.74 = 1,163.08
    expected |= {"target_amount_cents": 200_000, "structural_cents": 116_308, "target_ceiling_cents": 169_275}
    expected |= {"target_ceiling_rate": 2_500, "mu_pct": 100, "mu_glob_pct": 100, "balance_cents": 52_967}
    expected["target_group_reduction"] = 52_967
    assert expected.items() <= found.items()
    amount = next(node for node in nodes(told["tree"]) if node["name"] == "target_amount_cents")
    assert (amount["parameters"][0]["name"], amount["parameters"][0]["value"]) == (
        "target_groups/3315/amount",
        "2000.00",
    )


def test_a_refusal_is_explained_by_its_condition_and_names_nobody():
    declared, _, occupation = full_time()
    occupation.deduction("8320", 1).deduction("3800", 1)
    told = list(explain(declared.tables()))[-2:]
    refused, unknown = (one["tree"] for one in told)
    assert told[0]["refusal"] == refusals.AGE
    assert [node["name"] for node in refused["from"]] == ["too_young"]
    assert {node["name"]: node["value"] for node in nodes(refused)}["age_years"] == 48
    assert unknown == {"name": "target_group_reduction", "value": None, "words": "Tutors (mentors) of trainees."}
    assert "77101500172" not in json.dumps(told)


def test_the_page_of_codes_has_each_code_and_computes_those_with_rules():
    covers = list(runpy.run_path(str(ROOT / "tools" / "deduction_coverage.py"))["_covers"]())
    assert {cover.code for cover in covers} == {row["code"] for row in codes()}
    computed = {cover.code for cover in covers if cover.computed}
    assert {scope.rpartition("/")[2] for scope in OF_RULES} <= computed
    cells = {cell for cover in covers for cell in cover.cells.values()}
    assert cells - {"A", "B", "no code of this quarter"} <= set(reasons.ALL)
