"""The work bonus (deduction 0001) of those whose three months are plain: full-time, complete, paid the same.

Everyone else's months cannot be told from a quarter's totals alone, so this payroll keeps the bonus to these.

Sources: NSSO instructions 2023/4 and later, work bonus; the limits by month stand in work_bonus.csv.
"""

from __future__ import annotations

import csv
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

from dmfa.quarter import Quarter
from dmfa.synth.declaration import Deduction, Line
from dmfa.synth.lawful import Lawful
from dmfa.synth.rounding import Ratio, half_up, quotient, whole_cents
from dmfa.synth.workdays import bounds, running

_PAID: Final = frozenset({1, 5})
_PLAIN_PAY: Final = frozenset({1, 10, 13})
_PARTS: Final = 2


class _Slope(NamedTuple):
    """One of the two parts of the bonus in a month, in cents: `most` up to `lower`, nothing from `upper` on."""

    lower: int
    upper: int
    most: int
    slope: Ratio


_Month = tuple[_Slope, ...]


@cache
def _rows() -> tuple[dict[str, str], ...]:
    with (Path(__file__).parent / "work_bonus.csv").open(encoding="utf-8", newline="") as file:
        return tuple(csv.DictReader(file))


@cache
def _slopes(manual: bool, quarter: Quarter) -> tuple[_Month, ...] | None:
    """Both parts in each month of a quarter; None where one is not known."""
    kind = "manual" if manual else "employee"
    months = []
    for number in range(quarter.first_day.month, quarter.first_day.month + 3):
        day = f"{quarter.year}-{number:02d}-01"
        month = tuple(
            _Slope(_cents(row["lower"]), _cents(row["upper"]), _cents(row["max"]), Ratio.of(Fraction(row["slope"])))
            for row in _rows()
            if row["worker_kind"] == kind and row["from_date"] <= day <= row["to_date"]
        )
        if len(month) != _PARTS:
            return None
        months.append(month)
    return tuple(months)


def _cents(euros: str) -> int:
    return whole_cents(Fraction(euros))


def _part(wage: int, part: _Slope) -> int:
    """One part of the bonus on a full month's wage, cents, half up."""
    if wage >= part.upper:
        return 0
    over, each = max(0, wage - part.lower), part.slope
    return quotient(part.most * each.denominator - each.numerator * over, each.denominator)


def work_bonus(line: Line, quarter: Quarter, personal: Fraction | None) -> Deduction | None:
    """The work bonus of a worker line, or None where it has none or its months are not plain.

    Args:
        line: a line of worker codes 015 or 495 whose first contribution is the ordinary one.
        quarter: the quarter.
        personal: the personal contribution as a fraction of the basis; the bonus cannot exceed it.
    """
    if personal is None or len(line.occupations) != 1:
        return None
    occupation = line.occupations[0]
    first, last = bounds(running(quarter))
    whole = occupation.start <= first and (occupation.end is None or occupation.end >= last)
    plain = all(service.code in _PAID for service in occupation.services) and all(
        remun.code in _PLAIN_PAY for remun in occupation.remuns
    )
    wages = sum(remun.amount for remun in occupation.remuns if remun.code == 1)
    if occupation.part_time or not whole or not plain or wages % 3:
        return None
    months = _slopes(line.worker_code.startswith("0"), quarter)
    if months is None:
        return None
    amount = sum(_part(wages // 3, part) for month in months for part in month)
    amount = min(amount, half_up((line.contributions[0].basis or 0) * personal))
    return Deduction("0001", amount, Lawful(amount, "B")) if amount else None
