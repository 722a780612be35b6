"""Invented persons: identification numbers with right check digits, and how long each one stays.

A person is fixed by the seed, the employer and a slot in its staff, never by the quarter of a declaration, so the same
people come back in the next quarter. When someone leaves, the slot's next person takes over a quarter later.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Final, Literal

from dmfa.quarter import Quarter
from dmfa.synth.draws import below, between, few, mix, stream
from dmfa.synth.workdays import bounds, running

Kind = Literal[
    "manual", "white_collar", "student", "flexi", "apprentice", "statutory", "contractual",
    "agency", "activated", "early_retired", "supplemented", "dismissed", "victim",
]  # fmt: skip

_SALT_PERSON: Final = 11
_SALT_NUMBERS: Final = 12
# Serials 1 to 997 and days of birth in 61 classes: two slots of one employer never share both.
_SERIALS: Final = 997
_DAY_CLASSES: Final = 61
LARGEST_STAFF: Final = _SERIALS * _DAY_CLASSES


def check_digits(first_nine: int, born_from_2000: bool) -> int:
    """The last two digits of an INSZ: 97 less the remainder of the first nine.

    For births from 2000 on a 2 stands before the nine.

    Examples:
        >>> check_digits(771015001, False), check_digits(101001, True)
        (72, 5)
    """
    return 97 - (first_nine + 2_000_000_000 * born_from_2000) % 97


def insz(born: date, serial: int, bis: int = 0) -> int:
    """An INSZ as a number.

    Args:
        born: day of birth.
        serial: 1 to 997, odd for men.
        bis: 0, or 20 or 40 added to the month for someone outside the national register.

    Examples:
        >>> f"{insz(date(2000, 1, 1), 1):011d}"
        '00010100105'
    """
    first_nine = (born.year % 100 * 10_000 + (born.month + bis) * 100 + born.day) * 1000 + serial
    return first_nine * 100 + check_digits(first_nine, born.year >= 2000)


@dataclass(frozen=True, slots=True)
class Person:
    """One invented person at one employer.

    Attributes:
        insz: identification number, 11 digits with leading zeros.
        born: day of birth.
        kind: what the person is employed as.
        hired, left: first and last day at the employer.
        identity: a number of the person's own, for further draws.
        standing: how its wage stands among those of its kind, from 0 to 1.
    """

    insz: int
    born: date
    kind: Kind
    hired: date
    left: date
    identity: int
    standing: float


def _stay(kind: Kind, draw: float, settled: bool) -> int:
    """How many quarters a person of this kind stays, from a draw between 0 and 1."""
    if kind == "student":
        return 4 + int(draw * 9)
    if kind in ("apprentice", "activated", "early_retired", "supplemented", "dismissed"):
        return 8
    # On average a twelfth of the settled leave in a quarter, students included, of the others a seventh.
    return 4 + int(draw * draw * 100) if settled else 2 + int(draw * draw * 54)


def _born(kind: Kind, first: int, last: int, day_class: int, draw: float) -> date:
    """A day of birth that suits the kind and the years at the employer, within a class of days."""
    if kind == "student":
        low, high = date(last - 24, 1, 1), date(first - 17, 12, 31)
    elif kind == "apprentice":
        # Worker codes 035 and 439 end with the year of the eighteenth birthday.
        low, high = date(last - 18, 1, 1), date(last - 18, 12, 31)
    elif kind in ("activated", "early_retired", "supplemented"):
        low, high = date(last - 65, 1, 1), date(first - 56, 12, 31)
    else:
        low, high = date(last - 63, 1, 1), date(first - 20, 12, 31)
    lowest = low.toordinal() + (day_class - low.toordinal()) % (2 * _DAY_CLASSES)
    choices = (high.toordinal() - lowest) // (2 * _DAY_CLASSES) + 1
    return date.fromordinal(lowest + int(draw * choices) * 2 * _DAY_CLASSES)


def serial_of(seed: int, employer: int, slot: int) -> int:
    """The three digits behind the day of birth of whoever fills a slot, one generation after the other."""
    return _serial(_numbers(seed, employer), slot)


@lru_cache(maxsize=64)
def _numbers(seed: int, employer: int) -> int:
    return mix(_SALT_NUMBERS, seed, employer)


def _serial(numbers: int, slot: int) -> int:
    return 1 + ((numbers % (_SERIALS - 1) + 1) * (slot % _SERIALS) + numbers // 1009) % _SERIALS


def person(seed: int, employer: int, slot: int, kind: Kind, quarter: Quarter, *, settled: bool = False) -> Person:
    """The person who fills a slot of an employer's staff in a quarter.

    Args:
        seed: seed of the invented country.
        employer: number of the employer in it.
        slot: 0 up to `LARGEST_STAFF`, not included; two slots never share an INSZ.
        kind: what the slot is for.
        quarter: any quarter.
        settled: whether people stay longer, as in a whole country; those of the samples come and go.

    Raises:
        ValueError: the slot is out of range.
    """
    if not 0 <= slot < LARGEST_STAFF:
        raise ValueError(f"an employer has at most {LARGEST_STAFF} workers")
    begin = few if settled else stream
    of_slot = begin(_SALT_PERSON, seed, employer, slot)
    stay = _stay(kind, of_slot.random(), settled)
    offset = below(of_slot, stay)
    generation = (running(quarter) + offset) // stay
    first, last = bounds(generation * stay - offset), bounds((generation + 1) * stay - offset - 1)

    numbers = _numbers(seed, employer)
    serial = _serial(numbers, slot)
    # The two halves of a class serve a slot's persons by turns, so that nobody follows on himself.
    day_class = (slot // _SERIALS + numbers // 1_000_003) % _DAY_CLASSES + generation % 2 * _DAY_CLASSES

    identity = mix(_SALT_PERSON, seed, employer, slot, generation)
    own = begin(identity)
    born = _born(kind, first.first.year, last.last.year, day_class, own.random())
    bis = 0 if own.random() < 0.985 else (20, 40)[below(own, 2)]
    days = (first.last - first.first).days
    hired = date.fromordinal(first.first.toordinal() + (0 if own.random() < 0.35 else between(own, 1, days - 7)))
    left = date.fromordinal(last.last.toordinal() - (0 if own.random() < 0.35 else between(own, 1, days - 7)))
    return Person(insz(born, serial, bis), born, kind, hired, left, identity, begin(identity, 1).random())
