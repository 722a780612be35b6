"""Sums of a simulation: each grouping adds up to the total, however the declarations are cut into shards."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contributions.reference import no_employers
from contributions.simulation.changes import Changes
from contributions.simulation.effect import AMOUNT, LINE, Simulated
from flows.report.simulated import NOT_TOLD, few_together, label
from flows.stages.simulate_sums import (
    EFFECT,
    EMPLOYER,
    GROUPINGS,
    LEFT_OUT,
    SUMS,
    Sums,
    effect,
    employers,
    of_shard,
    together,
)

NOBODY = no_employers().select("noss_registration_nbr", "importance")
CENTS = st.none() | st.integers(0, 10**11)


def simulated(lines: list[tuple[str | None, int]], amounts: list[tuple[object, ...]], number: int = 1) -> Simulated:
    """One declaration: category (and region) and wage of each line; kind, code, type, line, before, after."""
    return Simulated(
        Changes("what"),
        pl.DataFrame({"noss_registration_nbr": [number], "persons": [len(lines)]}),
        pl.DataFrame([(0, one, one, wage) for one, wage in lines], schema=LINE, orient="row"),
        pl.DataFrame([(*one[:3], 0, *one[3:]) for one in amounts], schema=AMOUNT, orient="row"),
    )


def of(*found: Simulated, importance: pl.DataFrame = NOBODY) -> Sums:
    return together([of_shard(one, importance) for one in found])


def group(rows: pl.DataFrame, grouping: str) -> list[dict[str, int]]:
    return list(rows.filter(pl.col("grouping") == grouping).iter_rows(named=True))


@st.composite
def declarations(draw: st.DrawFn) -> Simulated:
    lines = draw(st.lists(st.tuples(st.sampled_from(["1", "2", None]), st.integers(0, 2_000_000)), max_size=6))
    code = st.sampled_from([("contribution", "495", 0), ("contribution", "870", None), ("deduction", "3000", None)])
    line = st.none() | st.integers(0, len(lines) - 1) if lines else st.none()
    amounts = draw(st.lists(st.tuples(code, line, CENTS, CENTS), max_size=12))
    number = draw(st.integers(1, 3))
    return simulated(lines, [(*code, *rest) for code, *rest in amounts], number)


@settings(max_examples=25, deadline=None)
@given(st.lists(declarations(), min_size=1, max_size=4))
def test_every_grouping_adds_up_to_the_total(found: list[Simulated]) -> None:
    sums = of(*found)
    rows = effect(sums)
    assert rows.schema == pl.Schema(EFFECT)
    assert rows["grouping"].unique(maintain_order=True).to_list() == [name for name in GROUPINGS if group(rows, name)]
    (total,) = group(rows, "total")
    own = employers(sums)
    assert own.schema == pl.Schema(EMPLOYER)
    told = ("lines", *SUMS, "net_before_cents", "net_after_cents", "effect_cents")
    for name in told:
        assert own[name].sum() == total[name]
        for grouping in ("structural category", "size", "region", "wage decile"):
            assert sum(row[name] for row in group(rows, grouping)) == total[name], (grouping, name)
    for name in told[1:]:
        codes = [*group(rows, "contribution"), *group(rows, "deduction")]
        assert sum(row[name] for row in codes) == total[name], name
    # An oracle in plain Python: an amount counts where both laws know it.
    known = [row for one in found for row in one.amounts.iter_rows(named=True)]
    both = [row for row in known if None not in (row["before_cents"], row["after_cents"])]
    sign = {"contribution": 1, "deduction": -1}
    assert total["effect_cents"] == sum(sign[row["kind"]] * (row["after_cents"] - row["before_cents"]) for row in both)
    assert (total["rows"], total["left_out"]) == (len(known), len(known) - len(both))
    assert sums.codes.select(LEFT_OUT).sum().sum_horizontal().sum() == total["left_out"]


@settings(max_examples=10, deadline=None)
@given(st.lists(declarations(), min_size=2, max_size=5), st.randoms(use_true_random=False))
def test_shards_and_their_order_do_not_matter(found: list[Simulated], shuffled: object) -> None:
    one = of(*found)
    other = list(found)
    shuffled.shuffle(other)  # type: ignore[attr-defined]
    halves = together([of(*other[: len(other) // 2]), of(*other[len(other) // 2 :])])
    assert effect(one).equals(effect(halves))
    assert employers(one).equals(employers(halves))


def test_a_decile_is_one_more_than_the_whole_tenths_below() -> None:
    # Ten lines, two of 100.00 and 99.01 (both 100 euro), the others one euro apart: the second decile is empty.
    wages = [10_000, 9_901, *(10_000 + 100 * step for step in range(1, 9)), 0]
    lines = [("1", wage) for wage in wages]
    amounts = [("contribution", "495", 0, line, 0, 1) for line in range(len(lines))]
    rows = group(effect(of(simulated(lines, amounts))), "wage decile")
    assert [(row["key"], row["up_to_euro"], row["lines"], row["effect_cents"]) for row in rows] == [
        ("1", 100, 2, 2),
        *((str(decile), 98 + decile, 1, 1) for decile in range(3, 11)),
        ("no wage", None, 1, 1),
    ]
    assert label(rows[0]) == "1: up to 100 €"


@pytest.mark.parametrize(
    ("workers", "importance", "size"), [(0, None, 0), (1, None, 1), (5, None, 5), (3, 9, 1_000), (3, 0, 1), (3, 10, 1)]
)
def test_size_is_the_importance_class_or_else_counted(workers: int, importance: int | None, size: int) -> None:
    known = pl.DataFrame({"noss_registration_nbr": [1], "importance": [importance]}, schema=NOBODY.schema)
    found = simulated([("1", 100)] * workers, [("contribution", "870", None, None, 5, 7)])
    (row,) = employers(of(found, importance=known)).iter_rows(named=True)
    assert (row["size"], row["effect_cents"], row["outcome"]) == (size, 2, "loss")


def test_who_owes_less_gains() -> None:
    found = simulated([("1", 100)], [("deduction", "3000", None, 0, 5, 7)])
    assert employers(of(found))["outcome"].to_list() == ["gain"]


def test_small_groups_are_told_together() -> None:
    rows = [{"grouping": "x", "key": str(n), "up_to_euro": None, "lines": n, "effect_cents": n} for n in (2, 3, 9, 0)]
    told = [(row["key"], row["lines"], row["effect_cents"]) for row in few_together(rows)]
    assert told == [("9", 9, 9), ("0", 0, 0), (NOT_TOLD, 5, 5)]
    # One alone would tell what it is by what the others leave.
    assert [row["lines"] for row in few_together(rows[1:])] == [0, 12]
    assert few_together(rows[2:]) == rows[2:]
    assert [row["lines"] for row in few_together(rows[:1])] == [2]
