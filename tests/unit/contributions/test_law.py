import polars as pl
import pytest

from contributions import law as law_module
from contributions import reasons
from contributions.law import law
from contributions.rules import all_rules
from contributions.rules.registry import Rule
from dmfa.quarter import Quarter

CATEGORY = "structural_reduction/category_1"
LAST = Quarter(2026, 3)


def rule(name, function, since="2022/1", until="9999/4", scopes=()):
    return Rule(name, "quantity", "line", function, Quarter.parse(since), Quarter.parse(until), scopes=scopes)


def compiled(monkeypatch, *rules, quarter=LAST):
    monkeypatch.setattr(law_module, "all_rules", lambda: rules)
    return law_module.law.__wrapped__(quarter, "B")


def test_rules_are_ordered_by_what_they_read(monkeypatch):
    found = compiled(
        monkeypatch,
        rule("third", lambda o, p: o.second + o.first),
        rule("second", lambda o, p: o.first + 1),
        rule("first", lambda o, p: o.given * 2),
    )
    frame = pl.DataFrame({"given": [5]})
    for stage in found.stages("line"):
        frame = frame.with_columns(stage)
    assert frame.row(0) == (5, 10, 11, 21)


def test_rules_that_read_one_another_are_refused(monkeypatch):
    with pytest.raises(RuntimeError, match="circle: one, two"):
        compiled(monkeypatch, rule("one", lambda o, p: o.two), rule("two", lambda o, p: o.one))


def test_a_law_is_that_of_its_quarter(monkeypatch):
    rules = (
        rule("x", lambda o, p: pl.lit(1), until="2024/4"),
        rule("x", lambda o, p: pl.lit(2), since="2025/1"),
    )
    for quarter, value in ((Quarter(2024, 4), 1), (Quarter(2025, 1), 2)):
        stages = compiled(monkeypatch, *rules, quarter=quarter).stages("line")
        assert pl.DataFrame({"a": [0]}).with_columns(stages[0])["x"].to_list() == [value]


@pytest.mark.parametrize("quarter", [Quarter(year, number) for year in range(2022, 2027) for number in (1, 2, 3, 4)])
def test_no_two_versions_of_one_law_hold_in_a_quarter(quarter):
    keys = [(scope, rule.name) for rule in all_rules() if rule.in_force(quarter) for scope in rule.scopes or ("",)]
    assert len(keys) == len(set(keys))


def test_a_missing_parameter_is_handed_on_with_its_reason(monkeypatch):
    found = compiled(
        monkeypatch,
        rule("early", lambda o, p: o.a * p.number("no/such")),
        rule("late", lambda o, p: o.early + 1),
        rule("apart", lambda o, p: o.a),
    )
    assert found.missing == {("", "early"): reasons.PARAMETER_UNKNOWN, ("", "late"): reasons.PARAMETER_UNKNOWN}
    assert list(found.pieces) == [("", "apart")]


def test_trust_is_the_lowest_of_all_that_is_read():
    pieces = law(LAST).pieces
    assert pieces["", "basis_cents"].trust == "A"
    assert pieces[CATEGORY, "structural_reduction"].trust == "B"


def test_a_piece_names_the_figures_it_used():
    piece = law(LAST).pieces[CATEGORY, "low_wage_term_cents"]
    assert {name: value.text for name, value in piece.figures.items()} == {
        f"{CATEGORY}/s0": "11687.74",
        f"{CATEGORY}/alpha": "0.1400",
        "rounding/reduction": "half up to the cent",
    }
    assert piece.rule.function.__doc__


def test_2025_2_is_in_conflict_and_2026_4_is_unknown():
    key = (CATEGORY, "structural_reduction")
    assert law(Quarter(2025, 2)).missing[key] == reasons.SOURCES_CONFLICT
    assert law(Quarter(2026, 4)).missing[key] == reasons.PARAMETER_UNKNOWN
    assert key in law(Quarter(2022, 1)).pieces


def test_every_quarter_of_category_1_but_the_disputed_one_is_known():
    quarters = [Quarter(year, number) for year in range(2022, 2027) for number in range(1, 5)][:-1]
    lacking = [str(quarter) for quarter in quarters if (CATEGORY, "structural_reduction") in law(quarter).missing]
    assert lacking == ["2025/2"]


def test_versions_of_one_rule_do_not_overlap_and_all_are_documented():
    for one in all_rules():
        assert one.function.__doc__, one.name
        for other in all_rules():
            shared = set(one.scopes or ("",)) & set(other.scopes or ("",))
            if one is not other and one.name == other.name and shared:
                assert one.until < other.since or other.until < one.since, one.name


def test_what_is_computed_once_for_a_levy_is_the_same_for_all_its_contributions():
    rules = law(LAST)
    special = {scope for scope, name in rules.rules if scope and name == "basis_cents"}
    own = {name for (scope, name), rule in rules.rules.items() if rule.level == "contribution" and scope not in special}
    of_line = {name for (_, name), rule in rules.rules.items() if rule.level == "line"}
    for (scope, name), piece in rules.pieces.items():
        if piece.rule.level == "contribution" and scope not in special:
            allowed = {"rate", "basis_cents"} if piece.rule.kind == "contribution" else own | of_line | {"rate_share"}
            assert piece.reads <= allowed, name
