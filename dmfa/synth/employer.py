"""Invented employers: numbers with right check digits, a heavy-tailed size, a trade and a staff that changes little."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from statistics import NormalDist
from typing import Final

from dmfa.quarter import Quarter
from dmfa.synth.draws import mix, stream
from dmfa.synth.people import LARGEST_STAFF, Kind, Person, person, serial_of
from dmfa.synth.trades import TRADE_BY_NAME, TRADES, Trade
from dmfa.synth.workdays import bounds, running

_SALT_EMPLOYER: Final = 21
_SALT_STAFF: Final = 22
_SALT_SIZE: Final = 23
_SALT_TRADE: Final = 24

# A lognormal law up to a thousand workers, so that half of the employers have at most 3; beyond that a power law, whose
# tail is heavier: of 240,000 employers eight have more than 10,000 workers. The mean of all is 17.
MEDIAN_SIZE: Final = 3
_NORMAL: Final = NormalDist()
_SPREAD: Final = 1.82
_TAIL_FROM: Final = 1_000
_TAIL_POWER: Final = 1.3
_TAIL_SHARE: Final = 1 - _NORMAL.cdf(math.log(_TAIL_FROM / MEDIAN_SIZE) / _SPREAD)

# Quarters for which a place stays vacant, drawn for each person who takes it.
_VACANT: Final = (0, 0, 0, 0, 0, 0, 0, 1, 1, 2)
# Employers among whose few numbers another person's is surely not one.
_SMALL: Final = 200
_MAIN_JOBS: Final = frozenset({"manual", "white_collar", "contractual"})

# More employers than this would share numbers.
MOST_EMPLOYERS: Final = 299_993


@dataclass(frozen=True, slots=True)
class Employer:
    """One invented employer.

    Attributes:
        index: its number in the invented country.
        noss_registration_nbr, company_id: as declared in zones 00011 and 00014.
        local_units: establishments, zone 00042.
        trade: what it does.
        usual_size: workers in an ordinary quarter; law's size classes go by it.
        style: how its payroll software writes: 0 compact, 1 indented, 2 indented with padded amounts.
        varied: whether rare pay, absences and second jobs occur among its workers, see `variety`; not in the samples.
    """

    index: int
    noss_registration_nbr: int
    company_id: int
    local_units: tuple[int, ...]
    trade: Trade
    usual_size: int
    style: int
    varied: bool = False

    @property
    def twenty_or_more(self) -> bool:
        """Whether it has twenty workers on average (contribution 809)."""
        return self.usual_size >= 20

    @property
    def ten_or_more(self) -> bool:
        """Whether its importance code is 3 or more (contributions 855 and 857)."""
        return self.usual_size >= 10


def noss_registration_nbr(first_seven: int) -> int:
    """An NSSO number: its last two digits make the whole leave 96 when divided by 97.

    Examples:
        >>> noss_registration_nbr(1_999_999)
        199999934
    """
    return first_seven * 100 + 96 - first_seven * 100 % 97


def enterprise_nbr(first_eight: int) -> int:
    """An enterprise or establishment number: its last two digits are 97 less the remainder of the first eight.

    Examples:
        >>> enterprise_nbr(4_498_886), enterprise_nbr(20_000_001)
        (449888671, 2000000141)
    """
    return first_eight * 100 + 97 - first_eight % 97


def size(draw: float, cap: int) -> int:
    """A number of workers from a draw between 0 and 1, at least 1 and at most `cap`."""
    inside = min(max(draw, 1e-12), 1 - 1e-12)
    if 1 - inside < _TAIL_SHARE:
        return min(cap, round(_TAIL_FROM * math.pow(_TAIL_SHARE / (1 - inside), 1 / _TAIL_POWER)))
    return min(cap, max(1, round(MEDIAN_SIZE * math.exp(_SPREAD * _NORMAL.inv_cdf(inside)))))


def usual_size(seed: int, index: int, cap: int = LARGEST_STAFF) -> int:
    """Workers of an employer in an ordinary quarter."""
    return size(mix(_SALT_SIZE, seed, index) / (1 << 64), cap)


@lru_cache(maxsize=64)
def employer(
    seed: int, index: int, cap: int = LARGEST_STAFF, trade: str | None = None, exact_size: int | None = None
) -> Employer:
    """The employer with this number in the invented country of a seed.

    Args:
        seed: seed of the country.
        index: 0 up to `MOST_EMPLOYERS`, not included.
        cap: largest size.
        trade: name of a trade; drawn by default, and then the payroll is varied.
        exact_size: its usual size; drawn by default.

    Raises:
        ValueError: the index is out of range.
    """
    if not 0 <= index < MOST_EMPLOYERS:
        raise ValueError(f"at most {MOST_EMPLOYERS} employers")
    # 17xxxxxxxx and 7xxxxxxxxx are numbers that no register has given out, and every index has its own.
    place = (index * 7_919 + mix(_SALT_EMPLOYER, seed)) % MOST_EMPLOYERS
    rng = stream(_SALT_EMPLOYER, seed, index)
    usual = exact_size or usual_size(seed, index, cap)
    units = 1 + min(7, int(math.log2(usual) * rng.random() / 1.5))
    return Employer(
        index=index,
        noss_registration_nbr=noss_registration_nbr(1_700_000 + place),
        company_id=enterprise_nbr(17_000_000 + place),
        local_units=tuple(enterprise_nbr(70_000_000 + place * 8 + unit) for unit in range(units)),
        trade=TRADE_BY_NAME[trade] if trade else _trade(stream(_SALT_TRADE, seed, index).random()),
        usual_size=usual,
        style=(0, 1, 1, 2)[int(rng.random() * 4)],
        varied=trade is None,
    )


def _trade(draw: float) -> Trade:
    left = draw * 1000
    for trade in TRADES:
        left -= trade.per_thousand
        if left < 0:
            return trade
    return TRADES[0]


def staff(seed: int, who: Employer, quarter: Quarter, count: int | None = None) -> Iterator[Person]:
    """The persons whom an employer declares in a quarter, one by one.

    A place that somebody leaves may stay vacant for a quarter or two; whoever comes then is hired in that quarter.

    Args:
        seed: seed of the invented country.
        who: the employer.
        quarter: the quarter.
        count: exactly so many, without vacancies; by default as many as are there in that quarter, at least one.
    """
    if count is not None:
        for slot in range(count):
            yield person(seed, who.index, slot, _kind(seed, who, slot), quarter)
        return
    now = bounds(running(quarter))
    for slot in range(who.usual_size):
        kind = _kind(seed, who, slot)
        member = person(seed, who.index, slot, kind, quarter, settled=True)
        wait = _VACANT[member.identity // 1_000_003 % len(_VACANT)] if slot else 0
        if wait:
            first = running(Quarter.of(member.hired))
            begins = bounds(first + wait)
            if begins.first > now.first:
                continue
            later = begins.first + (member.hired - bounds(first).first)
            # A quarter may be two days shorter than that in which the place became free.
            member = replace(member, hired=min(later, begins.last))
        if kind == "flexi" and who.varied:
            member = _second_job(seed, who, slot, member, quarter)
        if member.hired <= member.left:
            yield member


def _second_job(seed: int, who: Employer, slot: int, member: Person, quarter: Quarter) -> Person:
    """A flexi-jobber who works at the next employer too, where that is certain not to double an INSZ here.

    A flexi-job supposes a main job with somebody else.
    """
    index = who.index ^ 1
    if who.usual_size > _SMALL or index >= MOST_EMPLOYERS:
        return member
    other = employer(seed, index)
    if slot >= other.usual_size or (kind := _kind(seed, other, slot)) not in _MAIN_JOBS:
        return member
    main = person(seed, index, slot, kind, quarter, settled=True)
    taken = {serial_of(seed, who.index, place) for place in range(who.usual_size)}
    if main.insz // 100 % 1000 in taken:
        return member
    return replace(member, insz=main.insz, born=main.born)


def _kind(seed: int, who: Employer, slot: int) -> Kind:
    left = mix(_SALT_STAFF, seed, who.index, slot) % 1000
    for kind, per_thousand in who.trade.staff:
        left -= per_thousand
        if left < 0:
            return kind
    return who.trade.staff[0][0]
