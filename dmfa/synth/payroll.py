"""The quarter of one invented employer: who worked, how long, for what pay.

Wages and working patterns belong to the person and stay over the quarters; illness, holidays, bonuses and the like are
drawn anew each quarter. Amounts are cents, days and hours hundredths.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from functools import lru_cache
from random import Random
from statistics import NormalDist
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
from dmfa.synth.draws import below, between, chance, stream
from dmfa.synth.employer import Employer, staff
from dmfa.synth.law import Law
from dmfa.synth.people import Kind, Person
from dmfa.synth.public import statutory_career
from dmfa.synth.reliefs import SHORTER_WEEK, shortened_since

_SALT_QUARTER: Final = 31
FULL_TIME: Final = 3800
FIVE_DAYS: Final = 500
_PART_TIME: Final = (950, 1140, 1520, 1900, 1900, 2280, 2660, 3040, 3040)
_NORMAL: Final = NormalDist()
# Median, spread and floor of monthly wages, in euros, where they are not those of white-collar workers.
_WAGES: Final = {"manual": (2_950, 0.13, 2_300), "agency": (2_700, 0.10, 2_300)}
# Wages are drawn in money of 2026/3 and grow by this many thousandths a quarter.
_GROWTH: Final = 8
_WAGE_QUARTER: Final = 2026 * 4 + 2


@lru_cache(maxsize=4096)
def weekdays(first: date, last: date) -> int:
    """Mondays to Fridays from one day to another, both included.

    Examples:
        >>> weekdays(date(2026, 7, 1), date(2026, 9, 30))
        66
    """
    days = (last - first).days + 1
    if days <= 0:
        return 0
    weeks, rest = divmod(days, 7)
    return weeks * 5 + sum((first.weekday() + day) % 7 < 5 for day in range(rest))


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
        person = DeclaredPerson(member.insz, lines, _user_reference(rng, member))
        law.charge(person, who)
        yield person, car


def _user_reference(rng: Random, member: Person) -> str:
    if not chance(rng, 300):
        return ""
    # Some references hold what XML must escape, or letters outside ASCII.
    return (f"W{member.identity % 100_000:05d}", f"Équipe {member.identity % 9}", "R & D", "Lager <2>")[below(rng, 4)]


def _lines(member: Person, who: Employer, quarter: Quarter, rng: Random) -> tuple[list[Line], bool]:
    """A person's worker lines, and whether the person drives a company car."""
    kind = member.kind
    trade = who.trade
    if kind in _PLAIN_LINES:
        return _PLAIN_LINES[kind](member, who, quarter, rng), False
    if kind == "apprentice":
        white = trade.name == "services"
        line = Line(trade.employer_class, "439" if white else "035")
        occupation = _occupation(member, who, quarter, rng, manual=not white, monthly=between(rng, 90_000, 115_000))
        occupation.apprenticeship = 3
        line.occupations.append(occupation)
        return [line], False
    if kind == "statutory":
        line = Line(trade.employer_class, "675")
        line.occupations.append(_occupation(member, who, quarter, rng, manual=False))
        statutory_career(line.occupations[0], member)
        return [line], False
    return _employees(member, who, quarter, rng)


def _employees(member: Person, who: Employer, quarter: Quarter, rng: Random) -> tuple[list[Line], bool]:
    manual = member.kind == "manual" or (member.kind == "agency" and member.identity % 3 > 0)
    code = "015" if manual else "495"
    line = Line(who.trade.employer_class, code)
    occupation = _occupation(member, who, quarter, rng, manual=manual)
    line.occupations.append(occupation)
    lines = [line]
    whole = member.hired <= quarter.first_day and member.left >= quarter.last_day
    if whole and not occupation.part_time and chance(rng, 60):
        lines = _changed(member, who, quarter, rng, manual)
        line, occupation = lines[0], lines[-1].occupations[-1]
    elif quarter.first_day <= member.left <= quarter.last_day:
        _leaving(member, line, quarter, rng, manual)
    if not manual and member.hired >= quarter.first_day and chance(rng, 200):
        occupation.remuns.append(Remun(12, _monthly(member, quarter) * between(rng, 5, 40) // 100))
    if member.kind == "contractual" and member.identity % 5 < 2:
        month = f"{quarter.year}-{quarter.first_day.month:02d}"
        occupation.second_pillar = (month, _monthly(member, quarter), 1 + member.identity % 2)
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


def _monthly(member: Person, quarter: Quarter) -> int:
    """Full-time monthly wage in cents, a whole number of euros; from a person's own draw and the quarter's level."""
    draw = min(max(stream(member.identity, 1).random(), 1e-9), 1 - 1e-9)
    median, spread, floor = _WAGES.get(member.kind, (3_700, 0.33, 2_350))
    euros = min(20_000, max(floor, median * 2.718281828 ** (spread * _NORMAL.inv_cdf(draw))))
    level = 1000 - _GROWTH * (_WAGE_QUARTER - quarter.year * 4 - quarter.number + 1)
    return int(euros * max(level, 500)) // 1000 * 100


def _occupation(
    member: Person,
    who: Employer,
    quarter: Quarter,
    rng: Random,
    *,
    manual: bool,
    monthly: int | None = None,
    first: date | None = None,
    last: date | None = None,
    hours: int | None = None,
) -> Occupation:
    """One occupation with its working time and pay.

    Args:
        member: who works.
        who: the employer.
        quarter: the quarter.
        rng: this quarter's draws.
        manual: whether the worker is manual.
        monthly: full-time monthly wage in cents; the person's own by default.
        first: first day of the occupation; by default the person's first.
        last: last day of the occupation; by default the person's last.
        hours: weekly hours; by default the person's pattern.
    """
    trade = who.trade
    begins, ends = first or member.hired, last or member.left
    usual = (
        _PART_TIME[member.identity // 7 % len(_PART_TIME)] if member.identity % 100 < (24 if manual else 30) else None
    )
    if member.kind in ("apprentice", "statutory") and member.identity % 100 >= 20:
        usual = None
    weekly = hours if hours is not None else usual or FULL_TIME
    part_time = weekly < FULL_TIME
    occupation = Occupation(
        sequence=1,
        start=begins,
        end=ends if ends <= quarter.last_day else None,
        joint_committee=trade.manual_committee if manual else trade.white_collar_committee,
        days_system=FIVE_DAYS,
        part_time=part_time,
        ref_hours=FULL_TIME,
        mean_hours=weekly if part_time else None,
        local_unit=who.local_units[member.identity % len(who.local_units)],
    )
    present = weekdays(max(begins, quarter.first_day), min(ends, quarter.last_day))
    times = _times(max(present, 1), trade.name, quarter, rng, manual)
    # An hour of a weekday's fifth part: whole hundredths, as weekly hours are multiples of five hundredths.
    occupation.services = [
        Service(code, days, days * weekly // 500 if part_time else None) for code, days in times if days > 0
    ]
    paid = sum(days for code, days in times if code in (1, 3, 5))
    wage = monthly if monthly is not None else _monthly(member, quarter)
    full_days = weekdays(quarter.first_day, quarter.last_day) * 100
    occupation.remuns = [Remun(1, max(1, 3 * wage * weekly * paid // (FULL_TIME * full_days)))]
    if chance(rng, 700 if quarter.number == 4 else 140):
        occupation.remuns.append(
            Remun(2, wage * between(rng, 20, 100) // 100 * weekly // FULL_TIME, (12, 3, 1)[below(rng, 3)])
        )
    if manual and chance(rng, 60):
        occupation.remuns.append(Remun(13, between(rng, 5_000, 60_000)))
    if manual and trade.sector == "private" and chance(rng, 250):
        occupation.hour_pay = wage * 3 // (13 * 38)
    if any(code == 5 for code, _ in times):
        occupation.training_hours = sum(days for code, days in times if code == 5) * weekly // 500
    return occupation


def _times(present: int, trade: str, quarter: Quarter, rng: Random, manual: bool) -> list[tuple[int, int]]:
    """Working-time codes and hundredths of days that share out the weekdays of presence; code 1 first, never empty."""
    other: list[tuple[int, int]] = []
    left = present * 100 - 100

    def take(code: int, days: int) -> None:
        nonlocal left
        taken = min(days, left)
        if taken > 0:
            other.append((code, taken))
            left -= taken

    if manual:
        take(2, (between(rng, 10, 30) if quarter.number == 3 else between(rng, 0, 10)) * 50)
        if trade == "building" and chance(rng, 150):
            take(72, between(rng, 1, 4) * 100)
        if chance(rng, 60):
            take(71, between(rng, 1, 10) * 100)
        if chance(rng, 40):
            take(12, 100)
    if chance(rng, 90):
        take(50, between(rng, 1, 15) * 100)
    if chance(rng, 25):
        take(5, between(rng, 1, 3) * 100)
    if chance(rng, 20):
        take(30, between(rng, 1, 6) * 50)
    if chance(rng, 10):
        take(60, between(rng, 2, 12) * 100)
    return [(1, left + 100), *other]


def _changed(member: Person, who: Employer, quarter: Quarter, rng: Random, manual: bool) -> list[Line]:
    """A full-timer who changed in the middle of the quarter: fewer hours, or from manual to white-collar work."""
    middle = quarter.first_day + timedelta(days=between(rng, 30, 60))
    before = _occupation(member, who, quarter, rng, manual=manual, last=middle, hours=FULL_TIME)
    line = Line(who.trade.employer_class, "015" if manual else "495", [before])
    if manual and chance(rng, 400):
        after = _occupation(member, who, quarter, rng, manual=False, first=middle + timedelta(1), hours=FULL_TIME)
        return [line, Line(who.trade.employer_class, "495", [after])]
    hours = (1900, 3040)[below(rng, 2)]
    after = _occupation(member, who, quarter, rng, manual=manual, first=middle + timedelta(1), hours=hours)
    after.sequence = 2
    line.occupations.append(after)
    return [line]


def _leaving(member: Person, line: Line, quarter: Quarter, rng: Random, manual: bool) -> None:
    """Pay of someone who leaves: holiday pay of white-collar workers, sometimes an indemnity for the notice."""
    if manual:
        return
    wage = _monthly(member, quarter)
    line.occupations[0].remuns += [
        Remun(7, wage * between(rng, 30, 60) // 100),
        Remun(11, wage * between(rng, 5, 15) // 100),
    ]
    # Only high wages: how an indemnity counts beside a reduction is not said clearly, and these have none.
    if wage > 520_000 and not line.occupations[0].part_time and chance(rng, 500):
        first = member.left + timedelta(1)
        last = first + timedelta(days=7 * between(rng, 4, 26) - 1)
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


def _student(member: Person, who: Employer, _: Quarter, rng: Random) -> list[Line]:
    hours = between(rng, 8, 190)
    line = Line(who.trade.employer_class, "840")
    line.student = Student(hours * between(rng, 1_290, 1_690), hours, who.local_units[0])
    if who.trade.name == "agency":
        line.student.users = tuple(user(member.identity, turn) for turn in range(1 + member.identity % 2))
    return [line]


def _activated(member: Person, line: Line, quarter: Quarter) -> None:
    """Make a worker one who is paid without having to work."""
    exempt_from = max(member.hired, date(2018, 1, 1))
    line.activation = Activation(exempt_from, exempt_from + timedelta(30), quarter.number % 2 == 0)
    for occupation in line.occupations:
        occupation.exempt = True
        # Exempt from work, such a worker keeps a part of the wage.
        occupation.remuns[0].amount = occupation.remuns[0].amount * 6 // 10


def _flexi(member: Person, who: Employer, quarter: Quarter, rng: Random) -> list[Line]:
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
_PLAIN_LINES: Final[dict[Kind, Callable[[Person, Employer, Quarter, Random], list[Line]]]] = {
    "student": _student,
    "flexi": _flexi,
    "early_retired": early_retired,
    "supplemented": supplemented,
    "dismissed": dismissed,
    "victim": victim,
}
