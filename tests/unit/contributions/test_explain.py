"""Explanations rest on the pieces that compute, and name nobody."""

import json

import pytest

from contributions import compute, reasons
from contributions.explain import explain
from contributions.law import law
from dmfa.quarter import Quarter
from tests.declared import Declarations

INSS = 77101500172


def manual(quarter=20263):
    declared = Declarations()
    line = declared.employer(quarter).person(INSS).line("000", "015")
    line.contribution("015", 1, 648_000, 246_694)
    line.contribution("856", 0, None, 2_000)
    line.occupation().remun("001", 600_000).remun("010", 5_000).service("001", 6_500).deduction("3000", 139_438)
    return declared, line


def nodes(tree):
    yield tree
    for below in tree.get("from", ()):
        yield from nodes(below)


def named(amount, name):
    found = [node for node in nodes(amount["tree"]) if node["name"] == name]
    assert found, name
    return found[0]


def test_every_amount_is_told_as_it_is_computed():
    declared, _ = manual()
    told = list(explain(declared.tables()))
    rows = compute(declared.tables()).difference.to_dicts()
    compared = ("kind", "code", "type", "declared_cents", "computed_cents", "outcome", "trust", "reason")
    assert [{name: one[name] for name in compared} for one in told] == [
        {name: row[name] for name in compared} for row in rows
    ]
    assert [one["tree"]["value"] for one in told] == [row["computed_cents"] for row in rows]


def test_an_amount_leads_to_its_rows_percentage_rate_and_rounding():
    told = next(explain(manual()[0].tables()))
    assert told["line"] == {"person": 0, "line": 0, "employer_class": "000", "worker_code": "015"}
    assert (told["quarter"], told["declared_basis_cents"]) == ("2026/3", 648_000)
    wage = named(told, "ordinary_wage_cents")
    assert wage["value"] == 600_000
    assert wage["rows"] == [{"remun_code": "001", "remun_amount": 600_000, "adds": 600_000}]
    assert named(told, "contribution_share")["value"] == 10_800
    assert named(told, "basis_cents")["value"] == 648_000
    rate = named(told, "rate")["rate"]
    assert (rate["rate_personal"], rate["rate_base"], rate["rate_moderation"]) == (1307, 1988, 512)
    assert (rate["rate_trust"], rate["rate_words"]) == ("A", "NSSO rate files 2026/2 and 2026/3 (copies)")
    (rounding,) = told["tree"]["parameters"]
    assert (rounding["name"], rounding["value"], rounding["trust"]) == (
        "rounding/contribution",
        "half up to the cent",
        "B",
    )
    assert rounding["conflict"] == "one official sample line is a cent lower"


def test_a_reduction_leads_to_its_parameters_with_date_and_source():
    told = list(explain(manual()[0].tables()))[-1]
    assert told["occupation"] == {"ordinal": 0, "sequence": 1}
    _, slope, limit = sorted(named(told, "low_wage_term_cents")["parameters"], key=lambda one: one["name"])
    assert (limit["name"], limit["value"], limit["since"]) == (
        "structural_reduction/category_1/s0",
        "11687.74",
        "2026-07-01",
    )
    assert limit["source"] and limit["trust"] in ("A", "B")
    assert slope["value"] == "0.1400"
    # 0.14 x (11,687.74 - 6,000.00)
    assert named(told, "low_wage_term_cents")["value"] == 79_628
    assert named(told, "ceiling_cents")["value"] == 162_000
    assert named(told, "counted_days")["rows"] == [
        {"service_code": "001", "service_nbr_days": 6_500, "service_nbr_hours": None, "adds": 6_500}
    ]


def test_the_tree_is_that_of_the_law():
    told = list(explain(manual()[0].tables()))[-1]
    pieces = law(Quarter(2026, 3)).pieces
    for node in nodes(told["tree"]):
        if node.get("from"):
            scopes = [key for key in pieces if key[1] == node["name"]]
            assert any({below["name"] for below in node["from"]} == pieces[key].reads for key in scopes), node["name"]
            assert node["words"]


def test_a_node_is_told_in_full_once():
    for told in explain(manual()[0].tables()):
        full = [node["name"] for node in nodes(told["tree"]) if "words" in node]
        assert len(full) == len(set(full))


def test_what_cannot_be_computed_says_what_is_missing():
    declared, _ = manual(20252)
    told = list(explain(declared.tables()))
    assert [one["reason"] for one in told[1:]] == [None, reasons.SOURCES_CONFLICT]
    assert told[-1]["tree"]["missing"] == reasons.SOURCES_CONFLICT
    chosen = list(explain(declared.tables(), structural_2025_2="published"))[-1]
    assert (chosen["reason"], chosen["trust"]) == (None, "B")


def test_a_reduction_without_right_names_the_rule_that_says_so():
    declared = Declarations()
    line = declared.employer().person().line("000", "487")
    line.occupation().remun("001", 600_000).service("001", 6_500).deduction("3000", 100)
    (told,) = explain(declared.tables())
    assert (told["computed_cents"], told["outcome"]) == (0, "superfluous")
    assert told["nothing_due"] == [
        "Worker codes without a ceiling in the official file; else those not in all schemes, students and flexi-jobs."
    ]
    assert told["refusal"] == "reduction is not for this worker code of this employer class"


def test_a_premium_of_a_fund_is_told_beside_the_wage():
    declared = Declarations()
    line = declared.employer(20234).person().line("000", "495")
    line.contribution("495", 0, None, 0)
    line.occupation().remun("001", 750_000).service("001", 6_500).deduction("3000", 16_953)
    told = list(explain(declared.tables()))[-1]
    wage = named(told, "wage_cents")
    assert (wage["value"], wage["rows"][0]["adds"]) == (937_500, 750_000)
    assert wage["premium"] == "fund_premium_wage_cents"


@pytest.mark.parametrize("quarter", [20211, 20264])
def test_a_quarter_without_law_is_told_too(quarter):
    told = list(explain(manual(quarter)[0].tables()))
    assert {one["outcome"] for one in told} == {"not computable"}


def test_no_number_of_a_person_is_told():
    declared, _ = manual()
    text = json.dumps(list(explain(declared.tables())))
    assert str(INSS) not in text
    assert "inss" not in text
