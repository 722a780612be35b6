"""The quarter of one invented employer: who worked, in which worker lines and occupations."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Final

from dmfa.quarter import Quarter
from dmfa.synth.agency import user
from dmfa.synth.beneficiaries import dismissed, early_retired, supplemented, victim
from dmfa.synth.company import StaffCounts, finish
from dmfa.synth.declaration import (
    Activation,
    Declaration,
    DeclaredPerson,
    Line,
    Occupation,
    Remun,
    Service,
    Student,
)
from dmfa.synth.draws import Stream, below, between, chance, stream
from dmfa.synth.employer import Employer, staff
from dmfa.synth.employment import FIVE_DAYS, FULL_TIME, monthly_wage, occupation_of
from dmfa.synth.law import Law
from dmfa.synth.people import Kind, Person
from dmfa.synth.public import statutory_career
from dmfa.synth.reliefs import SHORTER_WEEK, shortened_since
from dmfa.synth.variety import vary
from dmfa.synth.workdays import bounds, running, weekdays

_SALT_QUARTER: Final = 31
# Annex 3: from these ages at the start of the exemption on, types 1, 2, 3 and 4 of the activation contribution.
_ACTIVATION_AGES: Final = (55, 58, 60, 62)


def prepare(seed: int, who: Employer, quarter: Quarter, law: Law, count: int | None = None) -> Declaration:
    """The declaration of an employer for a quarter, with contributions, reductions and a right net amount.

    Args:
        seed: seed of the invented country.
        who: the employer.
        quarter: the quarter declared.
        law: contributions and reductions of that quarter.
        count: number of workers; by default what the employer has.
    """
    declaration = Declaration(quarter, who)
    staff_counts = StaffCounts()
    for person, car in declared_persons(seed, who, quarter, law, count):
        staff_counts.add(person, car)
        declaration.persons.append(person)
    finish(declaration, staff_counts, law, seed)
    declaration.balance()
    return declaration


def declared_persons(
    seed: int, who: Employer, quarter: Quarter, law: Law, count: int | None = None
) -> Iterator[tuple[DeclaredPerson, bool]]:
    """The persons of a declaration one by one, each with whether a company car goes with the work.

    Args:
        seed: seed of the invented country.
        who: the employer.
        quarter: the quarter declared.
        law: contributions and reductions of that quarter.
        count: number of workers; by default what the employer has.
    """
    for member in staff(seed, who, quarter, count):
        rng = stream(_SALT_QUARTER, member.identity, quarter.code)
        lines, car = _lines(member, who, quarter, rng)
        if who.varied:
            vary(lines, member, who, quarter)
        person = DeclaredPerson(member.insz, lines, _user_reference(rng, member))
        law.charge(person, who)
        yield person, car


def _user_reference(rng: Stream, member: Person) -> str:
    if not chance(rng, 300):
        return ""
    # Some references hold what XML must escape, or letters outside ASCII.
    return (f"W{member.identity % 100_000:05d}", f"Équipe {member.identity % 9}", "R & D", "Lager <2>")[below(rng, 4)]


def _lines(member: Person, who: Employer, quarter: Quarter, rng: Stream) -> tuple[list[Line], bool]:
    """A person's worker lines, and whether the person drives a company car."""
    kind = member.kind
    trade = who.trade
    if kind in _PLAIN_LINES:
        return _PLAIN_LINES[kind](member, who, quarter, rng), False
    if kind == "apprentice":
        white = trade.name == "services"
        line = Line(trade.employer_class, "439" if white else "035")
        occupation = occupation_of(member, who, quarter, rng, manual=not white, monthly=between(rng, 90_000, 115_000))
        occupation.apprenticeship = 1
        line.occupations.append(occupation)
        return [line], False
    if kind == "statutory":
        line = Line(trade.employer_class, "675")
        line.occupations.append(occupation_of(member, who, quarter, rng, manual=False))
        statutory_career(line.occupations[0], member)
        return [line], False
    return _employees(member, who, quarter, rng)


def _employees(member: Person, who: Employer, quarter: Quarter, rng: Stream) -> tuple[list[Line], bool]:
    manual = member.kind == "manual" or (member.kind == "agency" and member.identity % 3 > 0)
    code = "015" if manual else "495"
    line = Line(who.trade.employer_class, code)
    occupation = occupation_of(member, who, quarter, rng, manual=manual)
    line.occupations.append(occupation)
    lines = [line]
    begins, ends = bounds(running(quarter))
    whole = member.hired <= begins and member.left >= ends
    if whole and not occupation.part_time and chance(rng, 60):
        lines = _changed(member, who, quarter, rng, manual)
        line, occupation = lines[0], lines[-1].occupations[-1]
    elif begins <= member.left <= ends:
        _leaving(member, line, quarter, rng, manual)
    if not manual and member.hired >= begins and chance(rng, 200):
        occupation.remuns.append(Remun(12, monthly_wage(member, quarter) * between(rng, 5, 40) // 100))
    if member.kind == "contractual" and member.identity % 5 < 2:
        month = f"{quarter.year}-{quarter.first_day.month:02d}"
        occupation.second_pillar = (month, monthly_wage(member, quarter), 1 + member.identity % 2)
    if member.kind == "agency":
        for number, one in enumerate(one for line in lines for one in line.occupations):
            one.user = user(member.identity, number)
    if member.kind == "activated":
        _activated(member, line, quarter)
    if shortened_since(who, quarter):
        for one in (one for line in lines for one in line.occupations):
            one.ref_hours = one.ref_hours if one.part_time else SHORTER_WEEK
    car = member.kind == "white_collar" and who.trade.sector == "private" and member.identity % 9 == 0
    if car:
        occupation.remuns.append(Remun(10, between(rng, 15_000, 60_000)))
    if chance(rng, 100):
        line.user_reference = f"C{member.identity % 1000:03d}"
    return lines, car


def _changed(member: Person, who: Employer, quarter: Quarter, rng: Stream, manual: bool) -> list[Line]:
    """A full-timer who changed in the middle of the quarter: fewer hours, or from manual to white-collar work."""
    middle = quarter.first_day + timedelta(days=between(rng, 30, 60))
    before = occupation_of(member, who, quarter, rng, manual=manual, last=middle, hours=FULL_TIME)
    line = Line(who.trade.employer_class, "015" if manual else "495", [before])
    if manual and chance(rng, 400):
        after = occupation_of(member, who, quarter, rng, manual=False, first=middle + timedelta(1), hours=FULL_TIME)
        return [line, Line(who.trade.employer_class, "495", [after])]
    hours = (1900, 3040)[below(rng, 2)]
    after = occupation_of(member, who, quarter, rng, manual=manual, first=middle + timedelta(1), hours=hours)
    after.sequence = 2
    line.occupations.append(after)
    return [line]


def _leaving(member: Person, line: Line, quarter: Quarter, rng: Stream, manual: bool) -> None:
    """Pay of someone who leaves: holiday pay of white-collar workers, sometimes an indemnity for the notice."""
    if manual:
        return
    wage = monthly_wage(member, quarter)
    line.occupations[0].remuns += [
        Remun(7, wage * between(rng, 30, 60) // 100),
        Remun(11, wage * between(rng, 5, 15) // 100),
    ]
    # Only high wages: how an indemnity counts beside a reduction is not said clearly, and these have none.
    if wage > 520_000 and not line.occupations[0].part_time and chance(rng, 500):
        first = member.left + timedelta(1)
        # What lies in another year is declared as an occupation of its own, later.
        last = min(first + timedelta(days=7 * between(rng, 4, 26) - 1), date(first.year, 12, 31))
        days = weekdays(first, last)
        pay_of_notice = Occupation(
            sequence=2,
            start=first,
            end=last,
            joint_committee=line.occupations[0].joint_committee,
            days_system=FIVE_DAYS,
            part_time=False,
            ref_hours=FULL_TIME,
            mean_hours=None,
            local_unit=line.occupations[0].local_unit,
            services=[Service(1, days * 100)],
            remuns=[Remun(3, wage * 3 * days // 65)],
        )
        line.occupations.append(pay_of_notice)


def _student(member: Person, who: Employer, _: Quarter, rng: Stream) -> list[Line]:
    hours = between(rng, 8, 190)
    line = Line(who.trade.employer_class, "840")
    line.student = Student(hours * between(rng, 1_290, 1_690), hours, who.local_units[0])
    if who.trade.name == "agency":
        line.student.users = tuple(user(member.identity, turn) for turn in range(1 + member.identity % 2))
    return [line]


def _activated(member: Person, line: Line, quarter: Quarter) -> None:
    """Make a worker one who is paid without having to work."""
    exempt_from = max(member.hired, date(2018, 1, 1))
    kind = bisect(_ACTIVATION_AGES, _age(member.born, exempt_from))
    line.activation = Activation(exempt_from, exempt_from + timedelta(30), quarter.number % 2 == 0, kind)
    for occupation in line.occupations:
        occupation.exempt = True
        # Exempt from work, such a worker keeps a part of the wage.
        occupation.remuns[0].amount = occupation.remuns[0].amount * 6 // 10


def _age(born: date, day: date) -> int:
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def _flexi(member: Person, who: Employer, quarter: Quarter, rng: Stream) -> list[Line]:
    hours = between(rng, 12, 160)
    occupation = Occupation(
        sequence=1,
        start=quarter.first_day,
        end=quarter.last_day,
        joint_committee=who.trade.manual_committee,
        days_system=between(rng, 1, 3) * 100,
        part_time=True,
        ref_hours=FULL_TIME,
        mean_hours=max(5, hours * 100 // 13),
        local_unit=who.local_units[0],
        services=[Service(1, (hours + 7) // 8 * 100, hours * 100)],
        remuns=[Remun(22, hours * between(rng, 1_250, 1_600))],
        retired=member.identity % 6 == 0,
    )
    return [Line(who.trade.employer_class, "050", [occupation])]


# Kinds whose lines follow from themselves alone.
_PLAIN_LINES: Final[dict[Kind, Callable[[Person, Employer, Quarter, Stream], list[Line]]]] = {
    "student": _student,
    "flexi": _flexi,
    "early_retired": early_retired,
    "supplemented": supplemented,
    "dismissed": dismissed,
    "victim": victim,
}
