"""Invented employers: numbers with right check digits, a heavy-tailed size, a trade and a staff that changes little."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist
from typing import Final, Literal

from dmfa.quarter import Quarter
from dmfa.synth.draws import mix, stream
from dmfa.synth.people import LARGEST_STAFF, Kind, Person, person

_SALT_EMPLOYER: Final = 21
_SALT_STAFF: Final = 22
_SALT_SIZE: Final = 23
_SALT_TRADE: Final = 24

# A lognormal law: half of the employers have at most 3 workers, the mean is 17.
MEDIAN_SIZE: Final = 3
MEAN_SIZE: Final = 17
_SPREAD: Final = math.sqrt(2 * math.log(MEAN_SIZE / MEDIAN_SIZE))

# More employers than this would share numbers.
MOST_EMPLOYERS: Final = 299_993


@dataclass(frozen=True, slots=True)
class Trade:
    """What an employer does, as far as a declaration shows it.

    Attributes:
        name: our own word for it.
        employer_class: annex 27.
        sector: `private` or `public`.
        fund: the employer's code at the closure fund: C commercial (809), B non-commercial (811), N none.
        manual_committee, white_collar_committee: joint committees of zone 00046.
        staff: kinds of workers and how many in a thousand.
        per_thousand: how many employers in a thousand.
    """

    name: str
    employer_class: str
    sector: Literal["private", "public"]
    fund: Literal["C", "B", "N"]
    manual_committee: str
    white_collar_committee: str
    staff: tuple[tuple[Kind, int], ...]
    per_thousand: int


TRADES: Final[tuple[Trade, ...]] = (
    Trade(
        "general",
        "000",
        "private",
        "C",
        "100",
        "200",
        (
            ("manual", 400),
            ("white_collar", 430),
            ("student", 70),
            ("apprentice", 40),
            ("activated", 20),
            ("early_retired", 20),
            ("supplemented", 20),
        ),
        305,
    ),
    Trade(
        "services",
        "010",
        "private",
        "C",
        "100",
        "200",
        (("manual", 150), ("white_collar", 780), ("student", 60), ("apprentice", 10)),
        300,
    ),
    Trade(
        "hospitality",
        "017",
        "private",
        "C",
        "302",
        "302",
        (("manual", 420), ("white_collar", 130), ("student", 220), ("flexi", 200), ("apprentice", 30)),
        140,
    ),
    Trade(
        "building",
        "024",
        "private",
        "C",
        "124",
        "200",
        (("manual", 800), ("white_collar", 130), ("student", 20), ("apprentice", 50)),
        150,
    ),
    Trade(
        "care",
        "122",
        "private",
        "B",
        "330",
        "330",
        (("manual", 250), ("white_collar", 700), ("student", 50)),
        70,
    ),
    Trade(
        "federal",
        "001",
        "public",
        "N",
        "999",
        "999",
        (("statutory", 520), ("contractual", 400), ("dismissed", 80)),
        20,
    ),
    Trade(
        "agency",
        "097",
        "private",
        "N",
        "322",
        "322",
        (("agency", 850), ("student", 100), ("white_collar", 50)),
        10,
    ),
    Trade(
        "insurer",
        "027",
        "private",
        "N",
        "306",
        "306",
        (("victim", 1000),),
        5,
    ),
)
TRADE_BY_NAME: Final = {trade.name: trade for trade in TRADES}


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
    """

    index: int
    noss_registration_nbr: int
    company_id: int
    local_units: tuple[int, ...]
    trade: Trade
    usual_size: int
    style: int

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
    return min(cap, max(1, round(MEDIAN_SIZE * math.exp(_SPREAD * NormalDist().inv_cdf(inside)))))


@lru_cache(maxsize=64)
def employer(
    seed: int, index: int, cap: int = 5_000, trade: str | None = None, exact_size: int | None = None
) -> Employer:
    """The employer with this number in the invented country of a seed.

    Args:
        seed: seed of the country.
        index: 0 up to `MOST_EMPLOYERS`, not included.
        cap: largest size.
        trade: name of a trade; drawn by default.
        exact_size: its usual size; drawn by default.

    Raises:
        ValueError: the index is out of range.
    """
    if not 0 <= index < MOST_EMPLOYERS:
        raise ValueError(f"at most {MOST_EMPLOYERS} employers")
    # 17xxxxxxxx and 7xxxxxxxxx are numbers that no register has given out, and every index has its own.
    place = (index * 7_919 + mix(_SALT_EMPLOYER, seed)) % MOST_EMPLOYERS
    rng = stream(_SALT_EMPLOYER, seed, index)
    usual = exact_size or size(stream(_SALT_SIZE, seed, index).random(), min(cap, LARGEST_STAFF))
    units = 1 + min(7, int(math.log2(usual) * rng.random() / 1.5))
    return Employer(
        index=index,
        noss_registration_nbr=noss_registration_nbr(1_700_000 + place),
        company_id=enterprise_nbr(17_000_000 + place),
        local_units=tuple(enterprise_nbr(70_000_000 + place * 8 + unit) for unit in range(units)),
        trade=TRADE_BY_NAME[trade] if trade else _trade(stream(_SALT_TRADE, seed, index).random()),
        usual_size=usual,
        style=(0, 1, 1, 2)[int(rng.random() * 4)],
    )


def _trade(draw: float) -> Trade:
    left = draw * 1000
    for trade in TRADES:
        left -= trade.per_thousand
        if left < 0:
            return trade
    return TRADES[0]


def staff_size(seed: int, who: Employer, quarter: Quarter) -> int:
    """Workers in one quarter: from five workers on, a tenth more or less than usual."""
    if who.usual_size < 5:
        return who.usual_size
    draw = stream(_SALT_STAFF, seed, who.index, quarter.code).random()
    return min(LARGEST_STAFF, max(1, round(who.usual_size * (0.9 + 0.2 * draw))))


def staff(seed: int, who: Employer, quarter: Quarter, count: int | None = None) -> Iterator[Person]:
    """The persons whom an employer declares in a quarter, one by one.

    Args:
        seed: seed of the invented country.
        who: the employer.
        quarter: the quarter.
        count: how many; by default as many as the employer has in that quarter.
    """
    for slot in range(staff_size(seed, who, quarter) if count is None else count):
        yield person(seed, who.index, slot, _kind(seed, who, slot), quarter)


def _kind(seed: int, who: Employer, slot: int) -> Kind:
    left = mix(_SALT_STAFF, seed, who.index, slot) % 1000
    for kind, per_thousand in who.trade.staff:
        left -= per_thousand
        if left < 0:
            return kind
    return who.trade.staff[0][0]
