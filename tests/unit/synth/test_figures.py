"""The package's own reader of rates and parameters."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from dmfa.quarter import Quarter
from dmfa.synth.figures import Figures
from dmfa.synth.rounding import whole_cents

RATES = """\
contribution_code,contribution_type,employer_group,basis_percent,personal,total,from_quarter,to_quarter,trust
495,0,class_099,100,,10.00,2026/1,2026/2,C
495,0,profit,100,13.07,20.00,2026/1,2026/4,A
495,0,all,100,,30.00,2022/1,2026/4,B
809,0,private,,,0.30,2026/1,2026/4,A
"""
CLASSES = """\
employer_class,employer_group,structural_category,ceiling_rate,trust,structural_trust
000,profit,1,25.00,A,B
099,profit,1,25.00,B,B
"""
PARAMETER = """\
description: A limit
unit: euro per quarter
values:
  2024-01-01: {value: "10.01", source: "one", trust: A}
  2025-01-01: {value: "20.02", source: "two", trust: C}
  2026-01-01: {value: null}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    seed = tmp_path / "rates" / "seed"
    seed.mkdir(parents=True)
    (seed / "contribution_rates.csv").write_text(RATES)
    (seed / "category_groups.csv").write_text(CLASSES)
    (tmp_path / "parameters").mkdir()
    (tmp_path / "parameters" / "limit.yaml").write_text(PARAMETER)
    return tmp_path


def test_the_nearest_level_decides_even_if_it_has_no_confirmed_rate(folder: Path) -> None:
    first = Figures(Quarter(2026, 1), folder)
    assert first.rate("495", 0, "099", "private") is None
    group = first.rate("495", 0, "000", "private")
    assert group is not None
    assert (group.value, group.trust, group.personal) == (Fraction(1, 5), "A", Fraction(1307, 10_000))
    later = Figures(Quarter(2026, 3), folder).rate("495", 0, "099", "private")
    assert later is not None
    assert (later.value, later.trust) == (Fraction(1, 5), "B"), "the class is in the group with trust B only"


def test_levels_fall_back_to_sector_and_everyone(folder: Path) -> None:
    figures = Figures(Quarter(2026, 3), folder)
    everyone = figures.rate("495", 0, "777", "public")
    assert everyone is not None
    assert everyone.value == Fraction(3, 10)
    assert figures.rate("809", 0, "000", "public") is None
    private = figures.rate("809", 0, "000", "private")
    assert private is not None
    assert private.basis_percent is None
    assert figures.rate("810", 0, "000", "private") is None


def test_a_parameter_holds_from_its_day_and_only_with_trust(folder: Path) -> None:
    def at(quarter: str) -> Fraction | None:
        figure = Figures(Quarter.parse(quarter), folder).parameter("limit")
        return figure.value if figure else None

    assert at("2023/4") is None
    assert at("2024/4") == Fraction(1001, 100)
    assert at("2025/2") is None
    assert at("2026/1") is None
    assert Figures(Quarter(2024, 1), folder).parameter("no_such_limit") is None


def test_an_amount_with_parts_of_a_cent_is_no_limit() -> None:
    assert whole_cents(Fraction("11687.74")) == 1_168_774
    with pytest.raises(ValueError, match="no whole number of cents"):
        whole_cents(Fraction("0.145"))
