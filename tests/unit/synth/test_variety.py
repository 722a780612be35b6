"""What is rare in a payroll occurs, stays lawful, and stays out of the samples."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import date

import pytest

from dmfa.quarter import Quarter
from dmfa.synth import Figures, Law, employer, prepare
from dmfa.synth.declaration import DeclaredPerson, Line, Occupation, Remun, Service
from dmfa.synth.trades import TRADES

QUARTER = Quarter(2026, 1)
LAW = Law(Figures.of(QUARTER))
# Annexes 7 and 8: what may be declared for these quarters in DmfA.
PAY = {*range(1, 8), *range(9, 14), *range(20, 30), 41, 42, 43, 44, 45, 46, 51, 61, 62, 65, 66, 67}
TIME = {*range(1, 6), *range(10, 16), *range(20, 23), *range(24, 27), *range(30, 34), *range(41, 44)}
TIME |= {*range(50, 54), 60, 61, *range(70, 77), 80, 101, 102, 110}


def people(size: int = 150) -> Iterator[tuple[str, DeclaredPerson]]:
    """Persons of an employer of each trade."""
    for number, trade in enumerate(TRADES):
        who = replace(employer(2, number, trade=trade.name, exact_size=size), varied=True)
        for person in prepare(2, who, QUARTER, LAW).persons:
            yield trade.name, person


@pytest.fixture(scope="module")
def lines() -> list[tuple[str, Line]]:
    return [(trade, line) for trade, person in people() for line in person.lines]


def occupations(lines: list[tuple[str, Line]]) -> list[tuple[str, Line, Occupation]]:
    return [(trade, line, occupation) for trade, line in lines for occupation in line.occupations]


def test_common_codes_occur_and_all_are_in_the_annexes(lines: list[tuple[str, Line]]) -> None:
    pay = Counter(remun.code for _, _, one in occupations(lines) for remun in one.remuns)
    time = Counter(service.code for _, _, one in occupations(lines) for service in one.services)
    assert {1, 2, 4, 5, 6, 7, 10, 11, 12, 13, 22, 23, 24, 25, 29, 46, 62} <= set(pay) <= PAY
    assert {1, 2, 3, 4, 5, 12, 20, 30, 50, 51, 52, 60, 70, 71, 72} <= set(time) <= TIME
    workers = Counter(line.worker_code for _, line in lines)
    usual = {"015", "495", "035", "840", "050", "675", "876", "877", "010"}
    assert usual <= set(workers) <= usual | {"439", "879", "883"}


def test_no_code_twice_in_an_occupation_and_no_time_out_of_nothing(lines: list[tuple[str, Line]]) -> None:
    for _, _, one in occupations(lines):
        codes = [service.code for service in one.services]
        assert len(codes) == len(set(codes))
        assert all(service.days > 0 for service in one.services)
        assert all((service.hours is not None) == one.part_time for service in one.services)


def test_codes_of_manual_workers_are_theirs_alone(lines: list[tuple[str, Line]]) -> None:
    for trade, line, one in occupations(lines):
        codes = {service.code for service in one.services}
        if not line.worker_code.startswith("0") or trade == "municipality":
            assert not codes & {2, 3, 4, 20, 71, 72}
        else:
            assert not codes & {11, 76}
        if 4 in codes:
            assert trade in {"building", "finishing", "roofing"}


def test_some_have_two_lines_or_two_occupations(lines: list[tuple[str, Line]]) -> None:
    several = [person for _, person in people(60) if len(person.lines) > 1]
    assert {tuple(line.worker_code for line in person.lines) for person in several} >= {("015", "495"), ("876", "877")}
    beside = [line for _, line in lines if len(line.occupations) == 2 and line.occupations[1].mean_hours == 760]
    assert beside
    for line in beside:
        assert line.occupations[0].start == line.occupations[1].start
        assert (line.occupations[0].mean_hours or 0) + 760 <= 3_800


def test_a_student_who_stays_on_begins_in_the_quarter() -> None:
    kept = [person for _, person in people() if [line.worker_code for line in person.lines][:1] == ["840"]]
    seconds = [person.lines[1].occupations[0] for person in kept if len(person.lines) > 1]
    assert seconds
    assert all(QUARTER.first_day < one.start < QUARTER.last_day for one in seconds)
    assert all(service.days for one in seconds for service in one.services)


def test_named_trades_are_plain() -> None:
    """The samples name their trades; their bytes stay."""
    assert employer(2, 1).varied
    assert not employer(2, 1, trade="general").varied
    plain = prepare(2, employer(2, 1, trade="care", exact_size=200), QUARTER, LAW, 200)
    assert {
        remun.code
        for person in plain.persons
        for line in person.lines
        for one in line.occupations
        for remun in one.remuns
    } <= {1, 2, 3, 7, 10, 11, 12, 13}


@pytest.mark.parametrize(
    ("born", "kind", "basis", "amount", "trust"),
    [
        # 62 at the start of the exemption: type 4, 40 % of 6,000.00, above the minimum of 225.60.
        (date(1958, 1, 1), 4, 600_000, 240_000, "A"),
        # 40 % of 500.00 is 200.00: the minimum.
        (date(1958, 1, 1), 4, 50_000, 22_560, "A"),
        # 61: type 3, 45 %.
        (date(1959, 1, 2), 3, 600_000, 270_000, "A"),
        # 59: type 2, for which no rate is confirmed.
        (date(1961, 1, 1), 2, 600_000, 120_000, ""),
    ],
)
def test_activation_by_hand(born: date, kind: int, basis: int, amount: int, trust: str) -> None:
    from dmfa.synth.payroll import _activated
    from dmfa.synth.people import Person

    who = employer(1, 0, trade="general", exact_size=3)
    quarter = Quarter(2026, 3)
    occupation = Occupation(1, date(2019, 1, 1), None, "100", 500, False, 3800, None, 7_000_000_097)
    # Exempt from work, such a worker keeps six tenths of the wage.
    occupation.services, occupation.remuns = [Service(1, 6600)], [Remun(1, -(-basis * 10 // 6))]
    line = Line("000", "495", [occupation])
    member = Person(1, born, "activated", date(2020, 1, 1), date(2027, 1, 1), 5, 0.5)
    _activated(member, line, quarter)
    Law(Figures.of(quarter)).charge(DeclaredPerson(1, [line]), who)
    (found,) = (item for item in line.contributions if item.code == "260")
    assert (found.type, found.basis, found.amount, found.law.trust) == (kind, basis, amount, trust)
