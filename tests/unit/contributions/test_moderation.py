"""The wage moderation against figures read in the official file of 2026/3, and against every seed rate."""

import polars as pl
import pytest

from contributions.rates import seed
from contributions.rates.moderation import GENERAL, NONE, PRIVATE_HOLIDAYS, SHARE, TAX_SHIFT, followed
from dmfa.quarter import Quarter

QUARTER = Quarter(2026, 3)


def formula(code, base, moderation, total=None):
    shares = {"personal": [0], "base": [base], "moderation": [moderation], "total": [total or base + moderation]}
    return followed(pl.DataFrame({"contribution_worker_code": [code], **shares}), QUARTER).rows(named=True)


@pytest.mark.parametrize(
    ("code", "base", "moderation", "name"),
    [
        # 4.27 + 4.27 % x 19.88 = 5.1189
        ("495", 1988, 512, TAX_SHIFT),
        # 5.67 + 5.67 % x 24.92 + 0.40 = 7.4830
        ("495", 2492, 748, PRIVATE_HOLIDAYS),
        # 5.67 + 5.67 % x 21.94 = 6.9140, and 7.3140 with the supplement
        ("495", 2194, 691, GENERAL),
        ("495", 2194, 731, PRIVATE_HOLIDAYS),
        # 5.67 % x 1.60 = 0.0907
        ("855", 160, 9, SHARE),
        ("855", 160, 10, NONE),
        ("495", 1988, 511, NONE),
        # A share alone is no wage moderation of an ordinary contribution, nor the whole one of a supplementary.
        ("495", 160, 9, NONE),
        ("855", 1988, 512, NONE),
    ],
)
def test_the_formula_that_a_moderation_follows(code, base, moderation, name):
    assert [row["formula"] for row in formula(code, base, moderation)] == [name]


def test_shares_that_do_not_add_up_are_told():
    assert [row["adds_up"] for row in formula("495", 1988, 512)] == [True]
    assert [row["adds_up"] for row in formula("495", 1988, 512, total=2501)] == [False]


def test_without_moderation_or_figures_nothing_is_told():
    assert formula("495", 1988, 0) == []
    rates = pl.DataFrame(
        {"contribution_worker_code": ["495"], "personal": [0], "base": [1], "moderation": [1], "total": [2]}
    )
    assert followed(rates, Quarter(2021, 4)).is_empty()


def test_every_trusted_seed_rate_follows_a_formula():
    rows = seed.table("contribution_rates").filter(pl.col("trust").is_in(["A", "B"]))
    for quarter in (Quarter(2024, 1), Quarter(2025, 4), QUARTER):
        rates = seed.in_force(rows, quarter).select(
            contribution_worker_code="contribution_code",
            **{name: seed.ten_thousandths(pl.col(name)) for name in ("personal", "base", "moderation", "total")},
        )
        found = followed(rates, quarter)
        assert not found.is_empty()
        assert found.filter((pl.col("formula") == NONE) | ~pl.col("adds_up")).is_empty()
