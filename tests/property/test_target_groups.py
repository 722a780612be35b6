"""Target-group reductions against an independent oracle in fractions, and what holds of all of them."""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from contributions import compute
from contributions.columns import SCHEMAS
from contributions.engine import worked_out
from contributions.inputs import Declared
from contributions.law import law
from contributions.reference import USED, Reference
from dmfa.quarter import Quarter
from tests.declared import Declarations, Line, insz_of
from tests.oracle_target_groups import ABROAD, COMPUTED, REGIONS, TargetGroups
from tests.property.test_contributions import USUAL, _only, _ordered

QUARTERS = [20221, 20222, 20223, 20224, 20232, 20241, 20242, 20243, 20251, 20253, 20261, 20263]
CLASSES = [*["000", "010"] * 6, "022", "073", "173", "001", "999"]
WORKERS = [*["015", "495"] * 8, "024", "012", "027", "439", "840", "046"]
CODES = [*sorted(COMPUTED) * 3, "3800", "9300", "8321", "1511", "0001", "7777"]
UNITS = [*[None] * 6, *REGIONS, ABROAD, 2000000141]
BIRTHS = st.one_of(st.dates(date(1955, 1, 1), date(1970, 12, 31)), st.dates(date(1995, 1, 1), date(2004, 12, 31)))
FEW = settings(USUAL, max_examples=12)
STARTS = st.one_of(st.none(), st.dates(date(2017, 1, 1), date(2026, 12, 31)))


@st.composite
def declarations(draw: st.DrawFn) -> Declarations:
    found = Declarations()
    for _ in range(draw(st.integers(1, 3))):
        employer = found.employer(draw(st.sampled_from(QUARTERS)))
        for _ in range(draw(st.integers(1, 4))):
            person = employer.person(draw(st.sampled_from([insz_of(draw(BIRTHS))] * 9 + [77000000164, 5])))
            code = draw(st.sampled_from(WORKERS))
            line = person.line(draw(st.sampled_from(CLASSES)), code)
            line.contribution(code, int(code[0] == "0"), None, 0)
            for _ in range(draw(st.sampled_from([1, 1, 1, 2, 3]))):
                _occupation(draw, line)
    return found


def _occupation(draw: st.DrawFn, line: Line) -> None:
    part_time = draw(st.sampled_from([False, False, True]))
    zones: dict[str, Any] = {
        "contract_type": int(part_time),
        "ref_mean_working_hours": 3_800,
        "mean_working_hours": draw(st.sampled_from([1_900, 800, None])),
        "worker_status": draw(st.sampled_from([None] * 6 + ["A1"])),
        "joint_commission_nbr": draw(st.sampled_from(["302", "302.01", "200", None])),
        "local_unit_id": draw(st.sampled_from(UNITS)),
    }
    occupation = line.occupation(**zones)
    occupation.remun("001", draw(st.one_of(st.integers(100_000, 2_000_000), st.sampled_from([0, 7, 79_999_999_999]))))
    if draw(st.integers(0, 30)) == 0:
        occupation.remun("003", 100)
    hours = draw(st.sampled_from([49_400, 39_520, 29_640, 27_170, 24_700, 9_880, 12_345])) if part_time else None
    occupation.service(
        draw(st.sampled_from(["001"] * 9 + ["050", "072"])), draw(st.sampled_from([6_500, 6_000])), hours
    )
    if draw(st.booleans()):
        occupation.deduction("3000", draw(st.integers(0, 100_000)))
    for _ in range(draw(st.sampled_from([0, 1, 1, 1, 1, 2]))):
        occupation.deduction(draw(st.sampled_from(CODES)), draw(st.integers(0, 200_000)), start=draw(STARTS))
        for _ in range(draw(st.sampled_from([0, 1, 1, 2]))):
            since = draw(st.one_of(st.none(), st.dates(date(2020, 1, 1), date(2026, 9, 30))))
            occupation.detail(
                since, draw(st.sampled_from([3_800, 3_750, None])), draw(st.sampled_from([3_700, 3_600, 3_500, 3_720]))
            )


def _amounts(tables: dict[str, pl.DataFrame], **given_: Any) -> dict[tuple[int, int], int | None]:
    rows = compute(tables, **given_).deduction.filter(
        pl.col("deduction_code") != "3000", pl.col("declared_table") == "occupation_deduction"
    )
    return {(row["declaration_id"], row["declared_ordinal"]): row["amount_cents"] for row in rows.to_dicts()}


@FEW
@given(declarations())
def test_target_groups_agree_with_the_oracle(declared: Declarations) -> None:
    tables = declared.tables()
    assert _amounts(tables) == TargetGroups(tables).amounts


@FEW
@given(declarations())
def test_rights_that_are_used_up_agree_with_the_oracle(declared: Declarations) -> None:
    tables = declared.tables()
    rows = declared.rows.get("occupation_deduction", [])
    used = {(row["deduction_code"], row["deduction_right_starting_date"]): 6 for row in rows[::2]}
    frame = pl.DataFrame(
        [
            {"noss_registration_nbr": 100006, "deduction_code": code, "inss": None, "right_start": start, "quarters": 6}
            for code, start in used
            if code not in ("3510", "6321") and start is not None
        ],
        schema=USED,
    )
    of_employers = {key: many for key, many in used.items() if key[0] not in ("3510", "6321") and key[1] is not None}
    found = _amounts(tables, references={quarter: Reference(used=frame) for quarter in QUARTERS})
    assert found == TargetGroups(tables, of_employers).amounts


@settings(USUAL, max_examples=6)
@given(declarations(), st.randoms(use_true_random=False))
def test_order_and_batches_do_not_matter(declared: Declarations, random: Any) -> None:
    tables = declared.tables()
    shuffled = {name: frame[random.sample(range(frame.height), frame.height)] for name, frame in tables.items()}
    together = compute(tables)
    singles = [compute(_only(tables, number)) for number in tables["employer_declaration"]["declaration_id"]]
    for name in SCHEMAS:
        expected = _ordered(together.frames()[name])
        assert _ordered(compute(shuffled).frames()[name]).equals(expected), name
        assert _ordered(pl.concat([single.frames()[name] for single in singles])).equals(expected), name


@FEW
@given(declarations())
def test_reductions_stay_below_the_contributions_of_their_line(declared: Declarations) -> None:
    tables = declared.tables()
    keys = ["declaration_id", "worker_record_ordinal"]
    rows = compute(tables).deduction.filter(
        pl.col("declared_table").fill_null("occupation_deduction") == "occupation_deduction"
    )
    assert rows.filter(pl.col("amount_cents") < 0).is_empty()
    assert rows.filter(pl.col("refusal").is_not_null(), pl.col("amount_cents") != 0).is_empty()
    assert rows.filter((pl.col("reason").is_null()) != (pl.col("amount_cents").is_not_null())).is_empty()
    taken = rows.group_by(keys).agg(pl.col("amount_cents").sum())
    wage = tables["remun"].group_by(keys).agg(pl.col("remun_amount").sum())
    both = taken.join(wage, on=keys)
    # 32.40 % of 108 % is the highest ceiling there is.
    assert both.filter(pl.col("amount_cents") > pl.col("remun_amount") * 108 * 3240 // 1_000_000 + 1).is_empty()


@FEW
@given(
    st.lists(st.integers(0, 3_000_000), min_size=2, max_size=5),
    st.sampled_from([("000", "495"), ("000", "015"), ("022", "495"), ("073", "015"), ("473", "012")]),
)
def test_splitting_an_occupation_leaves_the_ceiling_of_its_line(wages: list[int], kind: tuple[str, str]) -> None:
    declared = Declarations()
    for parts in (wages, [sum(wages)]):
        line = declared.employer(20261).person().line(*kind)
        line.contribution(kind[1], int(kind[1][0] == "0"), None, 0)
        for wage in parts:
            line.occupation().remun("001", wage).service("001", 6_500)
    found = worked_out(Declared(declared.tables()), law(Quarter(2026, 1))).occupations
    *ceilings, whole = found["ceiling_cents"].to_list()
    assert sum(ceilings) == whole
