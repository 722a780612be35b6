"""The engine against an independent oracle in fractions, over generated declarations."""

from __future__ import annotations

from typing import Any

import polars as pl
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contributions import Computed, compute
from contributions.columns import SCHEMAS
from contributions.inputs import Tables
from contributions.reasons import ALL
from tests.declared import Declarations, Employer, Line
from tests.oracle import Oracle

QUARTERS = [year * 10 + number for year in range(2022, 2027) for number in (1, 2, 3)] + [20224, 20234]
CLASSES = [*["000", "010", "122", "073"] * 4, "173", "373", "001", "754", "180", "221", "006", "999"]
CODES = [*["015", "495"] * 7, "024", "484", "012", "492", "027", "487", "035", "046", "675", "011", "401", "050"]
SMALL = [
    *["253", "255", "256", "809", "810", "859"] * 2,
    "257",
    "811",
    "831",
    "852",
    "855",
    "857",
    "859",
    "820",
    "862",
    "856",
]
WAGES = st.one_of(
    *[st.integers(250_000, 1_300_000)] * 4,
    st.integers(0, 9_000_000),
    st.sampled_from([0, 1, 50, 125, 962_963, 1_168_774, 99_999_999_999, 1_000_000]),
)
REMUNS = [*["001"] * 12, "002", "003", "004", "005", "006", "007", "009", "010", "012", "022", "051", "061"]
SERVICES = [*["001"] * 8, "002", "003", "012", "050", "071", "072", "016"]
USUAL = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


def _mostly(draw: st.DrawFn) -> bool:
    return draw(st.sampled_from([True] * 19 + [False]))


def _type_of(draw: st.DrawFn, code: str) -> int:
    usual = int(code[0] == "0")
    return usual if _mostly(draw) else draw(st.sampled_from([0, 1, 2]))


@st.composite
def lines(draw: st.DrawFn, employer: Employer) -> None:
    person = employer.person(draw(st.integers(1, 9)))
    for _ in range(draw(st.integers(1, 2))):
        code = draw(st.sampled_from(CODES))
        line = person.line(draw(st.sampled_from(CLASSES)), code)
        _occupations(draw, line)
        if _mostly(draw):
            line.contribution(code, _type_of(draw, code), draw(WAGES), draw(WAGES))
        for small in draw(st.lists(st.sampled_from(SMALL), max_size=4)):
            line.contribution(small, draw(st.sampled_from([0, 0, 5, 2])), None, draw(st.integers(0, 10_000)))


def _occupations(draw: st.DrawFn, line: Line) -> None:
    for _ in range(draw(st.integers(1, 3))):
        part_time = draw(st.booleans())
        zones: dict[str, Any] = {
            "contract_type": int(part_time),
            "working_days_system": draw(st.sampled_from([500] * 8 + [600, 0])),
            "ref_mean_working_hours": draw(st.sampled_from([3800] * 6 + [3700, 4000, None])),
            "mean_working_hours": draw(st.sampled_from([1900, 1899, 800, 0, None])),
            "worker_status": draw(st.sampled_from([None] * 6 + ["A1", "D"])),
            "retired": int(not _mostly(draw)),
            "apprenticeship": None if _mostly(draw) else "1",
        }
        occupation = line.occupation(**zones)
        in_hours = part_time or draw(st.sampled_from([False] * 4 + [True]))
        for remun in draw(st.lists(st.sampled_from(REMUNS), min_size=1, max_size=3)):
            occupation.remun(remun, draw(WAGES))
        for service in draw(st.lists(st.sampled_from(SERVICES), min_size=1, max_size=3)):
            hours = draw(st.integers(100, 50_000)) if in_hours and _mostly(draw) else None
            occupation.service(service, draw(st.integers(0, 7_000)), hours)
        if not _mostly(draw):
            occupation.user()
        if draw(st.booleans()):
            occupation.deduction("3000", draw(st.integers(0, 100_000)))


@st.composite
def declarations(draw: st.DrawFn, quarters: list[int] | None = None) -> Declarations:
    found = Declarations()
    for _ in range(draw(st.integers(1, 3))):
        employer = found.employer(draw(st.sampled_from(quarters or QUARTERS)), net=draw(st.integers(0, 10**9)))
        for _ in range(draw(st.integers(1, 4))):
            draw(lines(employer))
    return found


def _ordered(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.sort(frame.columns, nulls_last=True)


def _assert_same(one: Computed, other: Computed) -> None:
    for name, frame in one.frames().items():
        assert _ordered(frame).equals(_ordered(other.frames()[name])), name


@USUAL
@given(declarations())
def test_contributions_agree_with_the_oracle(declared: Declarations) -> None:
    tables = declared.tables()
    oracle = Oracle(tables).contributions
    rows = compute(tables).contribution.to_dicts()
    found = {
        (row["declaration_id"], row["declared_ordinal"]): (row["basis_cents"], row["amount_cents"]) for row in rows
    }
    assert found == oracle


@USUAL
@given(declarations())
def test_structural_reductions_agree_with_the_oracle(declared: Declarations) -> None:
    tables = declared.tables()
    expected = Oracle(tables).structural
    rows = compute(tables).deduction.to_dicts()
    found = {(row["declaration_id"], row["occupation_ordinal"]): row["amount_cents"] for row in rows}
    declared_or_due = {(row["declaration_id"], row["occupation_ordinal"]) for row in rows}
    for key, amount in expected.items():
        if key in declared_or_due:
            assert found[key] == amount
        else:
            assert not amount


@USUAL
@given(declarations(), st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(declared: Declarations, random: Any) -> None:
    tables = declared.tables()
    shuffled = {}
    for name, frame in tables.items():
        places = list(range(frame.height))
        random.shuffle(places)
        shuffled[name] = frame[places]
    _assert_same(compute(tables), compute(shuffled))


@USUAL
@given(declarations())
def test_batching_does_not_matter(declared: Declarations) -> None:
    tables = declared.tables()
    singles = [compute(_only(tables, number)) for number in tables["employer_declaration"]["declaration_id"]]
    together = compute(tables)
    for name in SCHEMAS:
        apart = pl.concat([single.frames()[name] for single in singles])
        assert _ordered(apart).equals(_ordered(together.frames()[name])), name


def _only(tables: Tables, declaration: int) -> dict[str, pl.DataFrame]:
    return {name: frame.filter(pl.col("declaration_id") == declaration) for name, frame in tables.items()}


@USUAL
@given(declarations())
def test_lines_add_up_and_every_row_is_told(declared: Declarations) -> None:
    tables = declared.tables()
    result = compute(tables)
    for name, frame in result.frames().items():
        assert frame.schema == SCHEMAS[name]
        assert not any(kind.is_float() for kind in frame.dtypes), name
    difference, account = result.difference, result.employer_account
    assert set(difference["reason"].drop_nulls()) <= set(ALL)
    assert difference.filter(pl.col("reason").is_null() != pl.col("computed_cents").is_not_null()).is_empty()
    of_contributions = difference.filter(pl.col("kind") == "contribution")
    assert of_contributions.height == tables.get("worker_contribution", pl.DataFrame()).height
    assert account["declared_contribution_cents"].sum() == of_contributions["declared_cents"].sum()
    assert account["computed_contribution_cents"].sum() == of_contributions["computed_cents"].sum()
    assert account["contributions_not_computable"].sum() == of_contributions["computed_cents"].null_count()
    declared_sum = account["declared_contribution_cents"] - account["declared_deduction_cents"]
    assert account["summed_net_cents"].equals(declared_sum.alias("summed_net_cents"))
