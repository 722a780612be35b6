"""Kinds of workers and employers that few declarations have: numbers, periods, amounts by hand."""

from __future__ import annotations

import re
from datetime import date

import pytest
from lxml import etree

from dmfa.quarter import Quarter
from dmfa.synth import Figures, Law, document, employer, prepare
from dmfa.synth.agency import user
from dmfa.synth.declaration import Declaration, DeclaredPerson, Line, Occupation, Remun, Service
from dmfa.synth.employer import Employer
from dmfa.synth.reliefs import SHORTER_WEEK, shortened_since

QUARTER = Quarter(2026, 3)
# Of those hired in the last two years, every sixteenth day of hiring stands for a restructuring elsewhere.
AFTER_RESTRUCTURING = next(
    date.fromordinal(day) for day in range(date(2026, 1, 1).toordinal(), date.max.toordinal()) if day % 16 == 7
)


def declared(trade: str, quarter: str = "2026/3", index: int = 8, size: int = 80) -> Declaration:
    chosen = Quarter.parse(quarter)
    return prepare(1, employer(1, index, trade=trade, exact_size=size), chosen, Law(Figures.of(chosen)), size)


def lines(declaration: Declaration) -> list[Line]:
    return [line for person in declaration.persons for line in person.lines]


def full_time(who: Employer, start: date, wage: int, ref_hours: int = 3800) -> Occupation:
    return Occupation(
        sequence=1,
        start=start,
        end=None,
        joint_committee="200",
        days_system=500,
        part_time=False,
        ref_hours=ref_hours,
        mean_hours=None,
        local_unit=who.local_units[0],
        services=[Service(1, 6600)],
        remuns=[Remun(1, wage)],
    )


def test_users_are_firms_or_households_with_right_numbers() -> None:
    many = [user(identity) for identity in range(600)]
    for one in many:
        assert (one.company_id is None) is (one.insz is not None)
        if one.company_id is not None:
            assert one.company_id % 100 == 97 - one.company_id // 100 % 97
        if one.insz is not None:
            nine, two = divmod(one.insz, 100)
            assert two in {97 - nine % 97, 97 - (2_000_000_000 + nine) % 97}
        assert one.daily_contracts is None or 0 <= one.daily_contracts <= 999
        assert re.fullmatch(r"\d{4}", one.zip_code)
    assert len({one.company_id for one in many}) > 300
    assert user(5) == user(5) != user(5, 1)


def test_agency_workers_and_students_name_their_users_from_2023_on() -> None:
    for quarter, there in (("2022/4", False), ("2023/1", True), ("2026/3", True)):
        root = etree.fromstring(document([declared("agency", quarter)]))
        above = {item.getparent().tag for item in root.iter("UsingEmployer")}  # type: ignore[union-attr]
        assert above == ({"Occupation", "StudentContribution"} if there else set())


def test_an_agency_declares_on_its_own_word() -> None:
    found = [item for line in lines(declared("agency")) for item in line.contributions if item.code == line.worker_code]
    assert {item.code for item in found} == {"015", "495"}
    for item in found:
        assert item.law.amount is None
        assert item.amount == (2 * 38 * (item.basis or 0) + 100) // 200  # 38 %, half up


def test_victims_of_work_accidents_have_indemnities_and_a_contribution_on_their_sum() -> None:
    for line in lines(declared("insurer", "2022/2")):
        assert (line.employer_class, line.worker_code) == ("027", "010")
        (contribution,) = line.contributions
        basis = sum(item.amount for item in line.indemnities)
        assert contribution.basis == basis
        # 5.34 %, confirmed for 2022/2 only.
        assert contribution.amount == contribution.law.amount == (2 * 534 * basis + 10_000) // 20_000
    for line in lines(declared("insurer", "2022/3")):
        assert line.contributions[0].law.amount is None
    yearly = [line for line in lines(declared("insurer", "2025/4")) if line.contributions[0].type == 1]
    assert yearly
    assert {item.nature for line in yearly for item in line.indemnities} <= {12, 13, 15}


def test_dismissed_statutory_workers_owe_two_contributions() -> None:
    found = {line.worker_code: line for line in lines(declared("federal", size=200)) if line.dismissal}
    assert set(found) == {"876", "877"}
    for code, rate in (("876", 350), ("877", 233)):
        gone = found[code].dismissal
        assert gone is not None
        # 3.50 and 2.33 % of the reference wage, confirmed for 2026/3.
        assert gone.amount == gone.law.amount == (2 * rate * gone.reference_pay + 10_000) // 20_000
        assert gone.first <= gone.last == date(2026, 9, 30)
    old = next(line.dismissal for line in lines(declared("federal", "2022/1", size=200)) if line.dismissal)
    assert old.law.amount is None


def test_the_early_retired_and_supplemented_owe_on_benefits_only() -> None:
    found = [line for line in lines(declared("general", size=300)) if line.worker_code in ("879", "883")]
    assert {line.worker_code for line in found} == {"879", "883"}
    for line in found:
        assert not line.occupations
        assert not line.contributions
        assert bool(line.early_retirement) != bool(line.complements)
        if line.early_retirement:
            assert line.owed() == line.early_retirement.amount == 2_500 * line.early_retirement.months
        for complement in line.complements:
            assert complement.notice < complement.first <= QUARTER.last_day
            former, own = complement.contributions
            assert (former.code, own.code) == (("270", "295") if line.worker_code == "879" else ("281", "290"))
            # 30 and 6 % of three months.
            assert former.amount == former.monthly * 90 // 100
            assert own.amount == own.monthly * 18 // 100


def test_the_activated_are_paid_without_work_and_told_so() -> None:
    found = [line for line in lines(declared("general", size=300)) if line.activation]
    assert found
    for line in found:
        assert all(occupation.exempt for occupation in line.occupations)
        assert line.activation is not None
        assert line.activation.exempt_from < line.activation.training_from
        extra = next(item for item in line.contributions if item.code == "260")
        assert extra.type == line.activation.type
        # Half for the youngest, 45 % at 60 and 61, 40 % from 62 on; no rate is confirmed for the ages between.
        share = {0: 50, 3: 45, 4: 40}.get(extra.type)
        assert extra.law.amount == (None if share is None else extra.amount)
        assert 100 * extra.amount == pytest.approx((share or 20) * extra.basis, abs=100)


def test_a_shorter_week_gives_400_euros_and_tells_since_when() -> None:
    """Employer 28 shortened its week in 2025/4, so 2026/3 is the third quarter after it."""
    who = employer(1, 28, trade="services", exact_size=5)
    begun = shortened_since(who, QUARTER)
    assert begun is not None
    assert begun < QUARTER.first_day
    line = Line("010", "495", [full_time(who, date(2015, 1, 1), 1_200_000, SHORTER_WEEK)])
    Law(Figures.of(QUARTER)).charge(DeclaredPerson(77101500172, [line]), who)
    (cut,) = line.occupations[0].deductions
    assert (cut.code, cut.amount, cut.law.amount) == ("3500", 40_000, 40_000)
    assert [(one.start, one.hours_before, one.hours_after) for one in cut.details] == [(begun, 3800, 3600)]
    turns = [shortened_since(who, Quarter(year, number)) for year in range(2020, 2028) for number in (1, 2, 3, 4)]
    assert turns.count(None) == len(turns) // 2
    assert shortened_since(employer(1, 29, trade="services"), QUARTER) is None


def test_after_a_restructuring_the_reduction_lists_its_months() -> None:
    who = employer(1, 3, trade="services", exact_size=5)
    line = Line("010", "495", [full_time(who, AFTER_RESTRUCTURING, 1_200_000)])
    Law(Figures.of(QUARTER)).charge(DeclaredPerson(77101500172, [line]), who)
    (cut,) = line.deductions
    assert (cut.code, cut.amount, cut.right_start, cut.law.amount) == ("0601", 39_999, AFTER_RESTRUCTURING, None)
    assert [one.amount for one in cut.details] == [13_333] * 3


def test_no_reduction_takes_more_than_half_of_what_is_owed() -> None:
    who = employer(1, 3, trade="services", exact_size=5)
    line = Line("010", "495", [full_time(who, AFTER_RESTRUCTURING, 1_000)])
    Law(Figures.of(QUARTER)).charge(DeclaredPerson(77101500172, [line]), who)
    owed = sum(item.amount for item in line.contributions)
    taken = sum(cut.amount or 0 for cut in line.deductions)
    assert 0 < taken <= owed // 2


def test_a_compensation_is_a_share_in_2023_and_a_left_over_or_an_exception_later() -> None:
    first = [declared("general", "2023/1", index, 3) for index in range(40)]
    given = [one for one in first if one.compensation]
    assert 15 < len(given) < 40
    for one in given:
        before = sum(person.owed() for person in one.persons) + sum(item.amount for item in one.unrelated)
        assert one.compensation is not None
        assert one.compensation.amount is not None
        assert one.net_owed == before - one.compensation.amount > 0
    assert not any(declared("general", "2022/4", index, 3).compensation for index in range(40))
    later = [declared("general", "2026/3", index, 2).compensation for index in range(200)]
    kinds = {(one.exception, one.amount is None) for one in later if one}
    assert kinds == {(True, True), (False, False)}


def test_a_single_worker_may_be_a_first_one() -> None:
    """66 days, S 6,000.00 x 0.98 = 5,880.00: 0.14 x 5,807.74 + 0.16 x 3,858.14 = 1,430.38 of 1,500.00 leave 69.62."""
    first, second = (employer(1, index, trade="services", exact_size=1) for index in (5, 6))
    for who, expected in ((first, [("3000", 143_038), ("3315", 6_962)]), (second, [("3000", 143_038)])):
        line = Line("010", "495", [full_time(who, date(2015, 1, 1), 600_000)])
        Law(Figures.of(QUARTER)).charge(DeclaredPerson(77101500172, [line]), who)
        cuts = line.occupations[0].deductions
        assert [(cut.code, cut.amount) for cut in cuts] == expected
        assert all(cut.law.amount == cut.amount for cut in cuts)
    assert [cut.right_start for cut in cuts] == [None]
