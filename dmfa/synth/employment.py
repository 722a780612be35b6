"""One occupation of an invented worker: working time and pay of a quarter.

Wages and working patterns belong to the person and stay over the quarters; illness, holidays, bonuses and the like are
drawn anew each quarter. Amounts are cents, days and hours hundredths.
"""

from __future__ import annotations

from datetime import date
from statistics import NormalDist
from typing import Final

from dmfa.quarter import Quarter
from dmfa.synth.declaration import Occupation, Remun, Service
from dmfa.synth.draws import Stream, below, between, chance
from dmfa.synth.employer import Employer
from dmfa.synth.people import Person
from dmfa.synth.workdays import bounds, running, weekdays

FULL_TIME: Final = 3800
FIVE_DAYS: Final = 500
_PART_TIME: Final = (950, 1140, 1520, 1900, 1900, 2280, 2660, 3040, 3040)
_NORMAL: Final = NormalDist()
# Median, spread and floor of monthly wages, in euros, where they are not those of white-collar workers.
_WAGES: Final = {"manual": (2_950, 0.13, 2_300), "agency": (2_700, 0.10, 2_300)}
# Wages are drawn in money of 2026/3 and grow by this many thousandths a quarter.
_GROWTH: Final = 8
_WAGE_QUARTER: Final = 2026 * 4 + 2


def monthly_wage(member: Person, quarter: Quarter) -> int:
    """Full-time monthly wage in cents, a whole number of euros; by where the person stands and the quarter."""
    draw = min(max(member.standing, 1e-9), 1 - 1e-9)
    median, spread, floor = _WAGES.get(member.kind, (3_700, 0.33, 2_350))
    euros = min(20_000, max(floor, median * 2.718281828 ** (spread * _NORMAL.inv_cdf(draw))))
    level = 1000 - _GROWTH * (_WAGE_QUARTER - quarter.year * 4 - quarter.number + 1)
    return int(euros * max(level, 500)) // 1000 * 100


def occupation_of(
    member: Person,
    who: Employer,
    quarter: Quarter,
    rng: Stream,
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
    quarter_begins, quarter_ends = bounds(running(quarter))
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
        end=ends if ends <= quarter_ends else None,
        joint_committee=trade.manual_committee if manual else trade.white_collar_committee,
        days_system=FIVE_DAYS,
        part_time=part_time,
        ref_hours=FULL_TIME,
        mean_hours=weekly if part_time else None,
        local_unit=who.local_units[member.identity % len(who.local_units)],
    )
    present = weekdays(max(begins, quarter_begins), min(ends, quarter_ends))
    # In the public sector the employer pays holidays to everyone.
    times = _times(max(present, 1), trade.name, quarter, rng, manual and trade.sector == "private")
    # An hour of a weekday's fifth part: whole hundredths, as weekly hours are multiples of five hundredths.
    occupation.services = [
        Service(code, days, days * weekly // 500 if part_time else None) for code, days in times if days > 0
    ]
    paid = sum(days for code, days in times if code in (1, 3, 5))
    wage = monthly if monthly is not None else monthly_wage(member, quarter)
    full_days = weekdays(quarter_begins, quarter_ends) * 100
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


def _times(present: int, trade: str, quarter: Quarter, rng: Stream, manual: bool) -> list[tuple[int, int]]:
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
