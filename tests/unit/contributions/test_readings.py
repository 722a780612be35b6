"""2025/2, where two sources conflict on the structural reduction: a setting chooses, and nothing else does."""

import pytest

from contributions import compute, law_fingerprint, reasons
from contributions.parameters import ParameterFault, load, parse
from tests.declared import Declarations


def reduction(reading, employer_class="000", code="495", wage=750_000, quarter=20252, trust="B"):
    declared = Declarations()
    line = declared.employer(quarter).person().line(employer_class, code)
    line.contribution(code, 0, None, 0)
    line.occupation().remun("001", wage).service("001", 6_500).deduction("3000", 1)
    return compute(declared.tables(), trust=trust, structural_2025_2=reading).deduction.row(0, named=True)


@pytest.mark.parametrize(
    ("reading", "employer_class", "code", "wage", "cents"),
    [
        # 0.14 x (11,233.89 - 7,500.00) = 522.74; S2 7,082.19 is below the wage, 0.21 x (8,400.00 - 7,500.00) = 189.00
        ("published", "000", "495", 750_000, 52_274),
        ("reformed", "000", "495", 750_000, 52_274 + 18_900),
        # 79.00 + 0.2557 x 2,437.21 = 623.19 + 0.40 x 278.16 = 111.26; 79.00 + 0.23 x 2,780.00 + 0.15 x 2,780.00
        ("published", "122", "495", 700_000, 7_900 + 62_319 + 11_126),
        ("reformed", "122", "495", 700_000, 7_900 + 63_940 + 41_700),
        # category 3: 0.14 x (12,172.63 - 7,500.00) = 654.17
        ("published", "073", "495", 750_000, 65_417),
        # category 3bis: 495.00 + 0.1785 x 2,557.16 = 456.45
        ("published", "073", "485", 900_000, 49_500 + 45_645),
        ("reformed", "073", "485", 900_000, 49_500 + 45_645),
    ],
)
def test_a_reading_computes_with_trust_b(reading, employer_class, code, wage, cents):
    row = reduction(reading, employer_class, code, wage)
    assert (row["amount_cents"], row["trust"], row["reason"]) == (cents, "B", None)


def test_without_a_choice_nothing_is_computed():
    assert reduction("")["reason"] == reasons.SOURCES_CONFLICT


def test_a_source_that_says_nothing_of_a_category_leaves_it_open():
    assert reduction("reformed", "073")["reason"] == reasons.SOURCES_CONFLICT


def test_a_choice_is_no_official_figure():
    assert reduction("published", trust="A")["reason"] == reasons.PARAMETER_BELOW_TRUST


@pytest.mark.parametrize("reading", ["published", "reformed"])
def test_no_other_quarter_is_touched(reading):
    for quarter in (20221, 20251, 20253, 20263):
        for employer_class in ("000", "122", "073"):
            same = [reduction(one, employer_class, quarter=quarter) for one in ("", reading)]
            assert same[0] == same[1]


def test_the_choice_enters_the_fingerprint():
    assert len({law_fingerprint(structural_2025_2=reading) for reading in ("", "published", "reformed")}) == 3


def test_alternatives_stand_in_2025_2_alone():
    days = {
        str(value.since)
        for parameter in load().values()
        for value in parameter.values
        if value.alternative is not None and value.conflict
    }
    assert days == {"2025-04-01"}


@pytest.mark.parametrize(
    "entry",
    [
        '{value: "1", source: s, trust: C, alternative: {value: "2", source: t}}',
        '{value: "1", source: s, trust: C, conflict: c, alternative: "2"}',
        '{value: "1", source: s, trust: C, conflict: c, alternative: {value: "2"}}',
        '{value: "1", source: s, trust: C, conflict: c, alternative: {value: 2, source: t}}',
    ],
)
def test_a_malformed_alternative_is_refused(entry):
    page = f"description: d\nunit: percent\nvalues:\n  2025-04-01: {entry}\nchecked_on: 2026-11-22\n"
    with pytest.raises(ParameterFault):
        parse("x", page)
