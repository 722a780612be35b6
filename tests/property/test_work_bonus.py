"""The work bonus against an oracle in fractions: the computation of the quarter, its bounds, and what always holds."""

from __future__ import annotations

from datetime import timedelta
from fractions import Fraction
from math import floor
from typing import Any

import polars as pl
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contributions import compute
from tests import oracle_work_bonus as oracle
from tests.declared import Declarations
from tests.oracle import cent
from tests.oracle_work_bonus import Month, Occupation

# No rate of 2022/4 is confirmed, and no limit of March 2022.
QUARTERS = [year * 10 + number for year in range(2022, 2027) for number in (1, 2, 3, 4)][1:-1]
QUARTERS.remove(20224)
FEW = settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
LINES = 5

Draw = st.DataObject


def occupations(data: Draw, quarter: int) -> list[Occupation]:
    """One to three occupations after one another, of one system, each with paid time."""
    first, last = oracle.months_of(quarter)[0][0], oracle.months_of(quarter)[2][1]
    days = (last - first).days
    hours = data.draw(st.booleans())
    system = Fraction(data.draw(st.sampled_from([38, 40] if hours else [5, 5, 6])))
    cuts = sorted(data.draw(st.sets(st.integers(7, days - 7), max_size=2)))
    found = []
    for start, end in zip([0, *cuts], [*(cut - 1 for cut in cuts), days], strict=True):
        one = Occupation(first + timedelta(start), first + timedelta(end), system, hours, 0, Fraction(0))
        most = sum(oracle.room(quarter, month, one) for month in range(3) if oracle.runs(quarter, month, one))
        part = data.draw(st.one_of(st.just(1), st.fractions(Fraction(1, 20), 1, max_denominator=20)))
        time = Fraction(floor(most * part * 100), 100)
        wage = data.draw(st.one_of(st.integers(0, 1_200_000), st.integers(100_000, 400_000)))
        if time:
            found.append(one._replace(wage=cent(wage * part), time=time))
    return found


def declare(declared: Declarations, quarter: int, told: list[Occupation], manual: bool) -> None:
    code = "015" if manual else "495"
    line = declared.employer(quarter).person().line("000", code)
    for one in told:
        zones: dict[str, Any] = {"occupation_starting_date": one.first, "occupation_ending_date": one.last}
        if one.hours:
            zones |= {"contract_type": 1, "ref_mean_working_hours": int(one.system * 100), "mean_working_hours": 100}
        else:
            zones["working_days_system"] = int(one.system * 100)
        time = int(one.time * 100)
        line.occupation(**zones).remun("001", one.wage).service(
            "001", 0 if one.hours else time, time if one.hours else None
        )
    line.contribution(code, int(manual), None, 0)
    line.deduction("0001", 0)


def some_way(data: Draw, quarter: int, told: list[Occupation], full: list[Fraction]) -> list[Month]:
    """One way in which the quarter can lie on its months, corners and their neighbours among them."""
    months = [(0, Fraction(0))] * 3
    for one in told:
        left, time = one.wage, one.time
        order = data.draw(st.permutations([month for month in range(3) if oracle.runs(quarter, month, one)]))
        for place, month in enumerate(order):
            rest = order[place + 1 :]
            least = max(Fraction(0), time - sum(oracle.room(quarter, other, one) for other in rest))
            most = min(time, oracle.room(quarter, month, one)) if rest else time
            here = Fraction(
                round((least + (most - least) * data.draw(st.sampled_from([0, Fraction(1, 3), 1]))) * 100), 100
            )
            here = min(max(here, least), most)
            day = oracle.months_of(quarter)[month][0]
            limits = [oracle.figure(f"{name}_limit", day) or Fraction(0) for name in ("lower", "middle", "upper")]
            corners = [floor(limit * here / full[month]) + data.draw(st.integers(-1, 1)) for limit in limits]
            wage = min(max(data.draw(st.sampled_from([0, left, left // 2, *corners])), 0), left) if rest else left
            months[month] = (months[month][0] + wage, months[month][1] + here)
            left, time = left - wage, time - here
    return months


@FEW
@given(st.data())
def test_the_amount_is_the_oracles_and_no_way_of_the_months_leaves_the_bounds(data: Draw) -> None:
    quarter = data.draw(st.sampled_from(QUARTERS))
    lines = [(occupations(data, quarter), data.draw(st.booleans())) for _ in range(LINES)]
    lines = [(told, manual) for told, manual in lines if told]
    declared = Declarations()
    for told, manual in lines:
        declare(declared, quarter, told, manual)
    rows = compute(declared.tables()).deduction.filter(pl.col("deduction_code") == "0001").to_dicts()
    assert len(rows) == len(lines)
    for (told, manual), row in zip(lines, rows, strict=True):
        at = "at_108" if manual else "at_100"
        wage = sum(one.wage for one in told)
        personal = cent(cent(wage * Fraction(108 if manual else 100, 100)) * Fraction(1307, 10_000))
        full = [oracle.full_month(quarter, month, told[0]) for month in range(3)]
        plain = oracle.of_months(quarter, at, oracle.spread(quarter, told), full)
        assert plain is not None
        assert row["amount_cents"] == min(plain, personal)
        known = all(sum(oracle.runs(quarter, month, one) for month in range(3)) == 1 for one in told)
        lowest, highest = row["lowest_cents"], row["highest_cents"]
        assert not known or lowest is highest is None
        if lowest is None:
            lowest = highest = row["amount_cents"]
        assert 0 <= lowest <= row["amount_cents"] <= highest <= personal
        for _ in range(3):
            amount = oracle.of_months(quarter, at, some_way(data, quarter, told, full), full)
            assert amount is not None
            assert lowest <= min(amount, personal) <= highest


@FEW
@given(st.sampled_from(QUARTERS), st.booleans(), st.lists(st.integers(0, 1_200_000), min_size=2, max_size=12))
def test_bonus_and_bounds_fall_with_the_wage_once_nothing_is_cut(quarter: int, manual: bool, wages: list[int]) -> None:
    declared, days = Declarations(), sum(oracle.working_days(*month, 5) for month in oracle.months_of(quarter))
    first, last = oracle.months_of(quarter)[0][0], oracle.months_of(quarter)[2][1]
    wages = sorted(wage + 800_000 for wage in wages)
    for wage in wages:
        one = Occupation(first, last, Fraction(5), False, wage, Fraction(days))
        declare(declared, quarter, [one], manual)
    found = compute(declared.tables()).deduction.filter(pl.col("deduction_code") == "0001")
    for name in ("amount_cents", "lowest_cents", "highest_cents"):
        assert found[name].is_sorted(descending=True)
    assert (found["highest_cents"] > found["lowest_cents"]).all()


@settings(FEW, max_examples=5)
@given(st.sampled_from(QUARTERS), st.booleans(), st.data())
def test_order_and_batches_of_lines_do_not_matter(quarter: int, manual: bool, data: Draw) -> None:
    lines = [told for told in (occupations(data, quarter) for _ in range(3)) if told]

    def amounts(some: list[list[Occupation]]) -> list[tuple[Any, ...]]:
        declared = Declarations()
        for told in some:
            declare(declared, quarter, told, manual)
        found = compute(declared.tables()).deduction.filter(pl.col("deduction_code") == "0001")
        return found.select("amount_cents", "lowest_cents", "highest_cents").rows()

    assert amounts(lines[::-1]) == amounts(lines)[::-1]
    assert [amounts([told])[0] for told in lines] == amounts(lines)
