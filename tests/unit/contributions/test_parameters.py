import re
from datetime import date

import pytest

from contributions import reasons
from contributions.parameters import (
    SCALES,
    ParameterFault,
    Parameters,
    ParameterUnknown,
    Value,
    load,
    parse,
    scaled,
)
from dmfa.quarter import Quarter

ENTRY = '{value: "9779.77", source: "a page", trust: A}'


def text(values: str, unit: str = "euro per quarter") -> str:
    return f"description: A limit\nunit: {unit}\nvalues:\n{values}\nchecked_on: 2026-11-22\n"


def test_a_file_is_read_by_first_day_of_effect():
    parameter = parse("s0", text(f"  2022-04-01: {ENTRY}\n  2022-10-01: {{value: null}}"))
    assert parameter.values[0] == Value(date(2022, 4, 1), "9779.77", "a page", "A")
    assert parameter.in_force(Quarter(2022, 3)).text == "9779.77"


@pytest.mark.parametrize("quarter", [Quarter(2022, 1), Quarter(2022, 4), Quarter(2030, 1)])
def test_outside_its_range_a_parameter_is_unknown(quarter):
    parameter = parse("s0", text(f"  2022-04-01: {ENTRY}\n  2022-10-01: {{value: null}}"))
    with pytest.raises(ParameterUnknown) as refused:
        parameter.in_force(quarter)
    assert refused.value.reason == reasons.PARAMETER_UNKNOWN


@pytest.mark.parametrize(
    ("values", "unit", "words"),
    [
        ("  2022-04-01: {value: 9779.77, source: s, trust: A}", "euro per quarter", "not quoted text"),
        ("  2022-04-01: {value: 9779, source: s, trust: A}", "euro per quarter", "not quoted text"),
        ("  2022-04-02: " + ENTRY, "euro per quarter", "not the first day of a quarter"),
        ("  2022-05-01: " + ENTRY, "euro per quarter", "not the first day of a quarter"),
        ("  soon: " + ENTRY, "euro per quarter", "not the first day of a quarter"),
        ('  2022-04-01: {value: "1", trust: A}', "euro per quarter", "needs its source"),
        ('  2022-04-01: {value: "1", source: s}', "euro per quarter", "needs its source and its trust"),
        ('  2022-04-01: {value: "1", source: s, trust: D}', "euro per quarter", "trust"),
        ('  2022-04-01: {value: "1", source: s, trust: A, note: n}', "euro per quarter", "expected value, source"),
        ("  2022-04-01: 1", "euro per quarter", "expected value, source"),
        ('  2022-04-01: {value: "1.005", source: s, trust: A}', "euro per quarter", "finer than the scale"),
        ('  2022-04-01: {value: "much", source: s, trust: A}', "percent", "not a number"),
        ('  2022-04-01: {value: "Infinity", source: s, trust: A}', "percent", "finer than the scale"),
        ("  2022-04-01: " + ENTRY, "francs", "unknown unit"),
        ("  2022-07-01: " + ENTRY + "\n  2022-04-01: " + ENTRY, "euro per quarter", "must rise"),
        ("  - 1", "euro per quarter", "must map"),
    ],
)
def test_a_malformed_file_is_refused(values, unit, words):
    with pytest.raises(ParameterFault, match=re.escape(words)):
        parse("s0", text(values, unit))


@pytest.mark.parametrize("content", ["- a list", "description: only this", "a: [", text("") + "more: 1\n"])
def test_a_file_of_other_shape_is_refused(content):
    with pytest.raises(ParameterFault, match="parameter s0"):
        parse("s0", content)


def test_checked_on_must_be_a_day():
    with pytest.raises(ParameterFault, match="checked_on"):
        parse("s0", text(f"  2022-04-01: {ENTRY}").replace("2026-11-22", "lately"))


def test_numbers_become_integers_of_their_unit():
    found = {unit: scaled("x", "3", unit) for unit in SCALES}
    assert found == {
        **dict.fromkeys(("euro", "euro per month", "euro per quarter", "percent", "points"), 300),
        **dict.fromkeys(("fraction", "factor"), 30_000),
        **dict.fromkeys(("grams per km", "hours", "years", "quarters"), 3),
    }


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "category_1").mkdir()
    (tmp_path / "category_1" / "s0.yaml").write_text(text(f"  2022-04-01: {ENTRY}"))
    (tmp_path / "s0.yaml").write_text(text('  2022-04-01: {value: "2.00", source: s, trust: B}'))
    (tmp_path / "doubtful.yaml").write_text(text('  2022-04-01: {value: "3.00", source: memory, trust: C}'))
    (tmp_path / "disputed.yaml").write_text(
        text('  2022-04-01: {value: "4.00", source: s, trust: C, conflict: "5.00 elsewhere"}')
    )
    (tmp_path / "round.yaml").write_text(text('  2022-04-01: {value: "half up", source: s, trust: B}', "rule"))
    (tmp_path / "codes.yaml").write_text(text('  2022-04-01: {value: "001 002", source: s, trust: A}', "codes"))
    return tmp_path


def test_a_scope_is_searched_first(folder):
    scoped = Parameters(Quarter(2022, 3), scope="category_1", folder=folder)
    assert (scoped.number("s0"), scoped.trust) == (977977, "A")
    assert Parameters(Quarter(2022, 3), scope="category_2", folder=folder).number("s0") == 200
    assert list(scoped.used) == ["category_1/s0"]


@pytest.mark.parametrize(
    ("name", "asked", "reason"),
    [
        ("doubtful", "B", reasons.PARAMETER_BELOW_TRUST),
        ("disputed", "B", reasons.SOURCES_CONFLICT),
        ("s0", "A", reasons.PARAMETER_BELOW_TRUST),
        ("nowhere", "B", reasons.PARAMETER_UNKNOWN),
    ],
)
def test_what_is_not_trusted_does_not_compute(folder, name, asked, reason):
    with pytest.raises(ParameterUnknown) as refused:
        Parameters(Quarter(2022, 3), asked, folder=folder).number(name)
    assert refused.value.reason == reason


def test_a_rounding_rule_does_not_lower_trust(folder):
    parameters = Parameters(Quarter(2022, 3), "A", folder=folder)
    assert (parameters.method("round"), parameters.codes("codes"), parameters.trust) == ("half up", ["001", "002"], "A")


def test_every_file_of_the_package_ends_after_2026_3_and_covers_nothing_twice():
    for name, parameter in load().items():
        assert parameter.values[-1].text is None, name
        equal = [one for one, two in zip(parameter.values, parameter.values[1:], strict=False) if _same(one, two)]
        assert not equal, name


def _same(one: Value, two: Value) -> bool:
    return (one.text, one.source, one.trust, one.conflict) == (two.text, two.source, two.trust, two.conflict)


def test_the_slope_of_beta_is_exact_in_a_million():
    for value in load()["structural_reduction/beta/slope"].values:
        assert value.text is None or scaled("slope", value.text, "factor") % 100 == 0
