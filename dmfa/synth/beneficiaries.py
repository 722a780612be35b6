"""Worker lines of persons who draw a benefit: what they and their former employer owe on it.

Annexes 2, 3 and 10 give codes and types. Where no rate is confirmed the amount is the payroll's own word, in round
shares that claim nothing about the law.
"""

from __future__ import annotations

from datetime import date, timedelta
from fractions import Fraction
from typing import Final

from dmfa.quarter import Quarter
from dmfa.synth.benefits import Complement, ComplementContribution, Dismissal, EarlyRetirement, Indemnity
from dmfa.synth.declaration import Contribution, Line
from dmfa.synth.draws import Stream, between, chance
from dmfa.synth.employer import Employer
from dmfa.synth.lawful import Lawful, unconfirmed
from dmfa.synth.people import Person, insz
from dmfa.synth.rounding import half_up

# Worker code, for how many years back subjection may be asked, and the most days of a six-day week.
_SUBJECTED: Final = (("876", 1, 312), ("877", 2, 624))
# Natures of annex 10: paid each quarter, or once a year because the incapacity stays below 10 %.
_QUARTERLY: Final = ((1, 10_000), (2, 1_600), (3, 2_500), (5, 4_000))
_YEARLY: Final = ((12, 300), (13, 700), (15, 500))


def early_retired(_: Person, who: Employer, __: Quarter, rng: Stream) -> list[Line]:
    """A line of someone who retired early under the old rules: a flat contribution for each month."""
    months = 3 if chance(rng, 900) else between(rng, 1, 2)
    line = Line(who.trade.employer_class, "879")
    line.early_retirement = EarlyRetirement(0, months, months * 2_500, unconfirmed())
    return [line]


def supplemented(member: Person, who: Employer, quarter: Quarter, rng: Stream) -> list[Line]:
    """A line of someone whose former employer pays an indemnity on top of a benefit, with what both owe on it."""
    retired = member.identity % 2 == 0
    notice = member.hired - timedelta(days=180)
    took_over = insz(date(1980 + member.identity % 20, 6, 1), 1 + member.identity // 3 % 997)
    complement = Complement(
        joint_committee=who.trade.white_collar_committee,
        retired=retired,
        first=member.hired,
        notice=notice,
        substitute=took_over if retired and member.identity % 3 == 0 else None,
    )
    age = quarter.year - member.born.year
    # Type 5 from the age of 62 on, 4 from 60, 3 from 58, 2 from 55.
    kind = 5 if age > 62 else 4 if age > 60 else 3 if age > 58 else 2
    monthly = between(rng, 150, 600) * 100
    for code, of_type, share in (
        (("270", kind, Fraction(3, 10)), ("295", 0, Fraction(6, 100)))
        if retired
        else (("281", kind, Fraction(3, 10)), ("290", 0, Fraction(6, 100)))
    ):
        amount = half_up(3 * monthly * share)
        complement.contributions.append(ComplementContribution(code, of_type, monthly, 3, amount, unconfirmed()))
    return [Line(who.trade.employer_class, "879" if retired else "883", complements=[complement])]


def dismissed(member: Person, who: Employer, quarter: Quarter, rng: Stream) -> list[Line]:
    """Two lines of a statutory worker who was dismissed: one for sickness insurance, one for unemployment.

    What is owed is known to the law alone; the payroll leaves it open until it is charged.
    """
    pay = between(rng, 240, 420) * 1_000
    begins, ends = quarter.first_day, quarter.last_day
    lines = []
    for code, years, most in _SUBJECTED:
        first = min(max(member.hired, begins.replace(year=begins.year - years)), ends)
        days = min(most, ((ends - first).days + 7) * 6 // 7)
        days = min(days, (ends - first).days + 1)
        lines.append(Line(who.trade.employer_class, code, dismissal=Dismissal(pay, 0, Lawful(), days, first, ends)))
    return lines


def victim(member: Person, who: Employer, quarter: Quarter, rng: Stream) -> list[Line]:
    """A line of a victim of a work accident, declared by the insurer who pays the indemnities.

    The contribution (010) is charged later; type 1 is that of indemnities paid once a year, in the fourth quarter.
    """
    line = Line(who.trade.employer_class, "010")
    if quarter.number == 4 and member.identity % 4 == 0:
        nature, degree = _YEARLY[member.identity // 5 % len(_YEARLY)]
        kind = 1
    else:
        nature, degree = _QUARTERLY[member.identity // 5 % len(_QUARTERLY)]
        kind = 0
    line.indemnities.append(Indemnity(nature, degree, between(rng, 300, 4_500) * 100))
    if kind == 0 and chance(rng, 100):
        line.indemnities.append(Indemnity(4, degree, between(rng, 300, 900) * 100))
    basis = sum(item.amount for item in line.indemnities)
    line.contributions.append(Contribution("010", kind, basis, 0, Lawful()))
    return [line]
