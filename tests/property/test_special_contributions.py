"""Special kinds of contribution against an independent oracle in fractions, and what must hold of every one of them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from fractions import Fraction
from typing import Any

import polars as pl
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contributions import compute
from tests import oracle_special
from tests.declared import Declarations
from tests.oracle import parameter, rate

QUARTERS = [year * 10 + number for year in range(2022, 2027) for number in (1, 2, 3, 4)][:-1]
CLASSES = ["000", "010", "122", "001", "027", "750", "754", "999"]
LINES = ["495", "015", "050", "450", "675", "024", "840", "876"]
ON_LINES = [
    ("050", 0), ("450", 0), ("812", 1), ("812", 3), ("888", 0), ("888", 1), ("889", 0), ("869", 0), ("260", 0),
    ("260", 4), ("261", 5), ("261", 1), ("815", 0), ("815", 1), ("813", 6), ("816", 1), ("818", 1), ("010", 0),
    ("494", 0), ("800", 0), ("804", 0), ("863", 0), ("867", 0), ("840", 0), ("870", 0), ("862", 0),
]  # fmt: skip
UNRELATED = ["861", "864", "865", "866", "870", "875", "817", "805", "867", "802", "495", "888"]
REMUNS = ["001", "002", "022", "023", "029", "010"]
AMOUNTS = st.one_of(st.integers(0, 2_000_000), st.sampled_from([0, 1, 50, 99_999_999_999]))
FEW = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
MANY = settings(max_examples=40, deadline=None)

Answers = dict[tuple[str, int], tuple[int | None, int | None]]


def figures(folder: str, quarter: int) -> Callable[[str], Fraction]:
    """Parameters of a folder in the law's own unit."""

    def figure(name: str) -> Fraction:
        text = parameter(f"{folder}/{name}", quarter)
        assert text is not None, name
        return Fraction(text)

    return figure


def in_cents(folder: str, quarter: int) -> Callable[[str], Fraction]:
    """The same: amounts in cents, and percentages as fractions."""
    plain = figures(folder, quarter)
    return lambda name: plain(name) / 100 if name.endswith("percent") else plain(name) * 100


def computed(declared: Declarations) -> Answers:
    rows = compute(declared.tables()).contribution.to_dicts()
    assert all((row["amount_cents"] is None) == (row["reason"] is not None) for row in rows)
    return {(row["declared_table"], row["declared_ordinal"]): (row["basis_cents"], row["amount_cents"]) for row in rows}


def expected(
    block: str, told: tuple[str, str, int], quarter: int, basis: int | None, remuns: list[dict[str, Any]]
) -> tuple[int | None, int | None]:
    """What the oracle says of a row; a code and type that the rates call ordinary belong to another test."""
    employer_class, code, kind = told
    found = rate(employer_class, code, kind, quarter)
    if found is None or code == "862":
        return None, None
    least = parameter(f"activation/minimum/type_{kind}", quarter) if code in ("260", "261") else None
    cents = None if least is None else Fraction(least) * 100
    return oracle_special.on_own_basis(block, basis, found, remuns, cents)


@FEW
@given(st.data())
def test_contributions_of_lines_agree_with_the_oracle(data: st.DataObject) -> None:
    quarter = data.draw(st.sampled_from(QUARTERS))
    declared, answers = Declarations(), {}
    employer = declared.employer(quarter)
    for _ in range(data.draw(st.integers(1, 4))):
        employer_class, worker_code = data.draw(st.sampled_from(CLASSES)), data.draw(st.sampled_from(LINES))
        line = employer.person().line(employer_class, worker_code)
        remuns = data.draw(st.lists(st.tuples(st.sampled_from(REMUNS), AMOUNTS), max_size=4))
        for code, amount in remuns:
            line.occupation().remun(code, amount)
        told = [{"remun_code": code, "remun_amount": amount} for code, amount in remuns]
        for code, kind in data.draw(st.lists(st.sampled_from(ON_LINES), min_size=1, max_size=6)):
            basis = data.draw(st.one_of(st.none(), AMOUNTS, AMOUNTS))
            found = rate(employer_class, code, kind, quarter)
            if found is not None and found["basis_kind"] in ("ordinary", "line"):
                continue
            ordinal = len(declared.rows["worker_contribution"])
            line.contribution(code, kind, basis, data.draw(st.integers(0, 10**6)))
            table = "worker_contribution"
            answers[table, ordinal] = expected(table, (employer_class, code, kind), quarter, basis, told)
    assert computed(declared) == answers


@FEW
@given(st.data())
def test_blocks_of_their_own_agree_with_the_oracle(data: st.DataObject) -> None:
    quarter = data.draw(st.sampled_from(QUARTERS))
    declared, answers = Declarations(), {}
    employer = declared.employer(quarter)
    for number in range(data.draw(st.integers(1, 5))):
        employer_class, basis = data.draw(st.sampled_from(CLASSES)), data.draw(st.one_of(st.none(), AMOUNTS, AMOUNTS))
        block = data.draw(
            st.sampled_from(
                ["student_contribution", "dismissed_statutory_worker_contribution", "contribution_unrelated_to_np"]
            )
        )
        ordinal = len(declared.rows[block])
        if block == "contribution_unrelated_to_np":
            code = data.draw(st.sampled_from(UNRELATED))
            employer.unrelated(employer_class, code, number, basis)
        else:
            code = data.draw(st.sampled_from(["840", "841", "876", "877", "495", "015"]))
            line = employer.person(number).line(employer_class, code)
            if block == "student_contribution":
                line.student(basis, number, 10)
            else:
                line.dismissed(basis, number)
        answers[block, ordinal] = expected(block, (employer_class, code, 0), quarter, basis, [])
    assert computed(declared) == answers


@MANY
@given(
    st.sampled_from([quarter for quarter in QUARTERS if quarter != 20264]),
    st.one_of(st.integers(0, 3_500_000), st.sampled_from([328_528, 328_529, 583_613, 583_614, 657_054, 657_055])),
    st.one_of(st.integers(0, 20_000), st.sampled_from([0, 1_545, 2_790, 15_492, 18_282])),
)
def test_the_special_contribution_agrees_with_the_oracle(quarter: int, wage: int, amount: int) -> None:
    declared = Declarations()
    line = declared.employer(quarter).person().line("000", "495")
    line.occupation().remun("001", wage)
    line.contribution("856", 0, None, amount)
    told = oracle_special.household(wage, amount, in_cents("special_contribution", quarter), quarter >= 20222)
    assert computed(declared) == {("worker_contribution", 0): (wage, told)}


def scale(months: list[int], who: str, quarter: int) -> list[int]:
    """What a household owes on the wages of three months, in cents: by the scale of the quarter, and month by month.

    The steps of single persons are those of the scale since 1 April 2022; the fixed part of each month is a third.
    """
    a, b = 194_538, 219_018
    wage, old = sum(months), quarter < 20222
    spouse, with_income = who != "single", who == "with income"
    percent = Fraction("7.6") if old else Fraction("5.9") if spouse else Fraction("4.22")
    fixed = 5_580 if old else 4_332 if spouse else 3_099
    most = 15_492 if with_income else 18_282
    low = (2_790 if old else 1_545) if with_income else 0

    def part(month: int) -> int:
        return oracle_special.cent(percent / 100 * max(0, min(month, b) - a))

    def beyond(month: int) -> Fraction:
        if who != "single" or old or month <= 373_700:
            return max(Fraction(0), Fraction("0.011") * (month - b))
        if month <= 410_000:
            return Fraction(2_735 - 1_033) + Fraction("0.0338") * (month - 373_700)
        return min(Fraction(6_094), 3_961 + Fraction("0.011") * (month - 410_000)) - 1_033

    if wage < 328_529:
        return [0]
    if wage < 583_614:
        return [low]
    if wage <= 657_054:
        return [max(low, sum(map(part, months)))]
    quarterly = fixed + oracle_special.cent(sum((beyond(month) for month in months), Fraction(0)))
    monthly = sum(
        min(most // 3, part(month) if month <= b else fixed // 3 + oracle_special.cent(beyond(month)))
        for month in months
    )
    return [min(most, quarterly), monthly]


@MANY
@given(
    st.lists(st.one_of(st.integers(0, 700_000), st.sampled_from([0, 194_538, 219_018])), min_size=3, max_size=3),
    st.sampled_from(["with income", "without income", "single"]),
    st.sampled_from([20221, 20222, 20263]),
)
def test_what_a_household_owes_is_never_called_unlawful(months: list[int], who: str, quarter: int) -> None:
    for amount in scale(months, who, quarter):
        declared = Declarations()
        line = declared.employer(quarter).person().line("000", "495")
        for month in months:
            line.occupation().remun("001", month)
        line.contribution("856", 0, None, amount)
        assert compute(declared.tables()).contribution["amount_cents"].to_list() == [amount], amount


@MANY
@given(
    st.sampled_from(QUARTERS),
    st.sampled_from(["petrol", "diesel", "lpg", "electric", "hydrogen"]),
    st.integers(0, 400),
    st.dates(date(2015, 1, 1), date(2026, 9, 30)),
    st.integers(0, 3),
)
def test_company_vehicles_agree_with_the_oracle(quarter: int, fuel: str, grams: int, day: date, months: int) -> None:
    declared = Declarations()
    employer = declared.employer(quarter)
    employer.vehicle(fuel=fuel, co2_grams_per_km=grams, ordered_on=day, months=months)
    employer.unrelated("000", "862", 0)
    late = quarter >= 20233 and day >= date(2023, 7, 1)
    told = oracle_special.vehicle(fuel, grams, late, months, figures("company_vehicles", quarter))
    assert computed(declared)["contribution_unrelated_to_np", 0][1] == told


@FEW
@given(st.lists(AMOUNTS, min_size=2, max_size=5), st.sampled_from(["050", "495"]), st.data())
def test_splitting_remuneration_changes_nothing_and_more_wage_is_never_less(
    parts: list[int], code: str, data: st.DataObject
) -> None:
    remun = "022" if code == "050" else data.draw(st.sampled_from(["001", "029"]))
    amounts = []
    for told in ([sum(parts)], parts, [*parts, 1_000_000]):
        declared = Declarations()
        line = declared.employer().person().line("000", code)
        for amount in told:
            line.occupation().remun(remun, amount)
        line.contribution(code, 0, None, 0)
        line.contribution("869", 0, None, 0)
        amounts.append(compute(declared.tables()).contribution["amount_cents"].to_list())
    assert amounts[0] == amounts[1]
    pairs = zip(amounts[1], amounts[2], strict=True)
    assert all(less is None or more is None or less <= more for less, more in pairs)


@FEW
@given(st.integers(0, 20_000_000))
def test_personal_and_employer_part_add_up_and_stay_below_the_basis(wage: int) -> None:
    """In class 754 the personal part is declared apart, as type 2."""
    declared = Declarations()
    line = declared.employer().person().line("754", "495")
    line.occupation().remun("001", wage)
    line.contribution("495", 0, wage, 0)
    line.contribution("495", 2, wage, 0)
    result = compute(declared.tables())
    employer, personal = result.contribution["amount_cents"]
    assert 0 <= personal <= wage
    # 28.85 % and 13.07 %, each rounded by itself
    assert abs(employer + personal - Fraction(4_192, 10_000) * wage) <= 1
    assert result.employer_account["computed_contribution_cents"].to_list() == [employer + personal]


def test_the_order_and_company_of_rows_do_not_matter() -> None:
    declared = Declarations()
    for number in range(4):
        employer = declared.employer(20263 if number % 2 else 20231)
        line = employer.person(number).line("000", "050")
        line.occupation().remun("022", 100_000 + number).remun("001", 900_000)
        line.contribution("050", 0, None, 0)
        line.contribution("856", 0, None, 0)
        line.contribution("888", 0, 1_000 * number, 0)
        employer.person(number + 10).line("000", "840").student(50_000 + number, 0, 10)
        employer.unrelated("000", "870", 0, 77_777)
    tables = declared.tables()
    together = compute(tables)
    turned = compute({name: frame.reverse() for name, frame in tables.items()})
    for name, frame in together.frames().items():
        assert frame.sort(frame.columns).equals(turned.frames()[name].sort(frame.columns)), name
    apart = [
        compute({name: frame.filter(pl.col("declaration_id") == one) for name, frame in tables.items()})
        for one in tables["employer_declaration"]["declaration_id"]
    ]
    for name, frame in together.frames().items():
        assert pl.concat([one.frames()[name] for one in apart]).sort(frame.columns).equals(frame.sort(frame.columns))
