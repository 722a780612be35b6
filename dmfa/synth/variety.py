"""What is rarer in a payroll: other absences and pay, students who stay on as workers, two jobs with one employer.

Drawn from a stream of its own, so that everything else stays as it is without it. Codes of annexes 7 and 8.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from dmfa.quarter import Quarter
from dmfa.synth.declaration import Line, Occupation, Remun, Service
from dmfa.synth.draws import Stream, below, between, chance, few
from dmfa.synth.employer import Employer
from dmfa.synth.employment import FULL_TIME, occupation_of
from dmfa.synth.people import Person
from dmfa.synth.workdays import bounds, running

_SALT_VARIETY: Final = 33
# Of a thousand absences of a code, how many are of which other kind.
_ABSENCES: Final = {
    50: ((120, 51), (60, 52), (60, 11), (100, 10)),
    30: ((150, 24), (80, 21), (60, 25), (60, 22), (60, 73), (40, 13), (40, 14), (60, 76)),
    60: ((200, 61),),
    71: ((250, 70),),
}
_MANUAL_ONLY: Final = frozenset({10, 71})
_WHITE_COLLAR_ONLY: Final = frozenset({11, 76})
_BUILDING: Final = frozenset({"building", "finishing", "roofing"})
_SECOND_HOURS: Final = 760
_HALF_TIME: Final = 1900


def vary(lines: list[Line], member: Person, who: Employer, quarter: Quarter) -> None:
    """Change the lines of a person, before contributions are due on them.

    Args:
        lines: worker lines with working time and pay.
        member: whose they are.
        who: the employer.
        quarter: the quarter.
    """
    rng = few(_SALT_VARIETY, member.identity, quarter.code)
    line = lines[0]
    if line.student:
        if who.trade.name != "agency" and chance(rng, 40):
            lines.append(_stays_on(member, who, quarter, rng))
        return
    if not line.occupations or member.kind in ("apprentice", "activated"):
        return
    occupation = line.occupations[0]
    if member.kind == "flexi":
        if chance(rng, 60):
            occupation.remuns.append(Remun(23, between(rng, 2_000, 15_000)))
        return
    manual = line.worker_code.startswith("0")
    _absences(occupation, manual, rng)
    if manual and who.trade.sector == "private":
        _paid_otherwise(occupation, who, quarter, rng)
    _pay(occupation, member, who, quarter, rng)
    if member.kind in ("manual", "white_collar") and occupation.part_time and chance(rng, 30):
        _second_occupation(line, member, who, quarter, rng)


def _absences(occupation: Occupation, manual: bool, rng: Stream) -> None:
    """Let some absences be of another kind."""
    codes = {service.code for service in occupation.services}
    not_theirs = _WHITE_COLLAR_ONLY if manual else _MANUAL_ONLY
    for service in occupation.services:
        left = rng.random() * 1000 if service.code in _ABSENCES else 1000
        for per_thousand, code in _ABSENCES.get(service.code, ()):
            left -= per_thousand
            if left < 0:
                if code not in codes | not_theirs:
                    service.code = code
                break


def _paid_otherwise(occupation: Occupation, who: Employer, quarter: Quarter, rng: Stream) -> None:
    """Let a day or two of a manual worker's paid time be another kind of paid time; the pay stays as it is."""
    building = who.trade.name in _BUILDING
    code = 0
    if building and quarter.number in (1, 4) and chance(rng, 120):
        code = 4
    elif building and chance(rng, 60):
        code = 20
    elif chance(rng, 50):
        code = 3
    days = between(rng, 1, 2) * 100
    first = occupation.services[0]
    if not code or first.code != 1 or first.days <= days:
        return
    hours = None
    if first.hours is not None:
        hours = first.hours * days // first.days
        first.hours -= hours
    first.days -= days
    occupation.services.insert(1, Service(code, days, hours))


def _pay(occupation: Occupation, member: Person, who: Employer, quarter: Quarter, rng: Stream) -> None:
    """Rarer kinds of pay, mostly without effect on reductions."""
    remuns, trade = occupation.remuns, who.trade
    draw = below(rng, 1000)
    if member.kind == "statutory":
        if draw < 40:
            remuns.append(Remun(62, between(rng, 10_000, 90_000)))
        return
    if trade.sector == "public":
        if draw < 60:
            remuns.append(Remun((21, 25, 46)[draw // 20], between(rng, 1_000, 40_000)))
        return
    first, last = bounds(running(quarter))
    if draw < 15:
        remuns.append(Remun(6, between(rng, 5_000, 80_000)))
    elif draw < 25 and member.kind == "white_collar":
        remuns.append(Remun(29, between(rng, 20_000, 250_000)))
    elif draw < 30:
        remuns.append(Remun(5, between(rng, 5_000, 40_000)))
    elif draw < 75 and trade.name == "care":
        remuns.append(Remun(24, between(rng, 1_000, 30_000)))
    elif draw < 200 and member.kind == "manual" and first <= member.left <= last:
        remuns.append(Remun(4, between(rng, 50_000, 400_000)))


def _second_occupation(line: Line, member: Person, who: Employer, quarter: Quarter, rng: Stream) -> None:
    """Another part-time contract with the same employer, beside the first one."""
    if len(line.occupations) != 1 or (line.occupations[0].mean_hours or FULL_TIME) + _SECOND_HOURS > FULL_TIME:
        return
    manual = line.worker_code.startswith("0")
    second = occupation_of(member, who, quarter, rng, manual=manual, hours=_SECOND_HOURS)
    second.sequence = 2
    second.ref_hours = line.occupations[0].ref_hours
    second.local_unit = who.local_units[-1]
    line.occupations.append(second)


def _stays_on(member: Person, who: Employer, quarter: Quarter, rng: Stream) -> Line:
    """A student who is kept as a half-time worker after the work as a student."""
    first, last = bounds(running(quarter))
    begins = first + timedelta(days=between(rng, 30, 70))
    manual = who.trade.staff[0][0] == "manual"
    occupation = occupation_of(
        member, who, quarter, rng, manual=manual, first=begins, last=max(member.left, last), hours=_HALF_TIME
    )
    return Line(who.trade.employer_class, "015" if manual else "495", [occupation])
