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
from dmfa.synth.rounding import half_up

_PAID: Final = frozenset({1, 5})
_PLAIN_PAY: Final = frozenset({1, 10, 13})


class _Slope(NamedTuple):
    """One of the two parts of the bonus in a month, amounts in cents: `most` up to `lower`, nothing from `upper` on."""

    lower: Fraction
    upper: Fraction
    most: Fraction
    slope: Fraction
    trust: str


@cache
def _slopes(manual: bool, month: str) -> tuple[_Slope, ...]:
    """Both parts in a month (`2026-07`); empty where they are not known."""
    kind = "manual" if manual else "employee"
    with (Path(__file__).parent / "work_bonus.csv").open(encoding="utf-8", newline="") as file:
        return tuple(
            _Slope(
                Fraction(row["lower"]) * 100,
                Fraction(row["upper"]) * 100,
                Fraction(row["max"]) * 100,
                Fraction(row["slope"]),
                row["trust"],
            )
            for row in csv.DictReader(file)
            if row["worker_kind"] == kind and row["from_date"] <= f"{month}-01" <= row["to_date"]
        )


def _part(wage: int, part: _Slope) -> int:
    """One part of the bonus on a full month's wage, cents, half up."""
    if wage >= part.upper:
        return 0
    return half_up(part.most - part.slope * max(Fraction(0), wage - part.lower))


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
    whole = occupation.start <= quarter.first_day and (occupation.end is None or occupation.end >= quarter.last_day)
    plain = all(service.code in _PAID for service in occupation.services) and all(
        remun.code in _PLAIN_PAY for remun in occupation.remuns
    )
    wages = sum(remun.amount for remun in occupation.remuns if remun.code == 1)
    if occupation.part_time or not whole or not plain or wages % 3:
        return None
    manual = line.worker_code.startswith("0")
    amount = 0
    for month in range(quarter.first_day.month, quarter.first_day.month + 3):
        parts = _slopes(manual, f"{quarter.year}-{month:02d}")
        if len(parts) != 2:
            return None
        amount += sum(_part(wages // 3, part) for part in parts)
    amount = min(amount, half_up((line.contributions[0].basis or 0) * personal))
    return Deduction("0001", amount, Lawful(amount, "B")) if amount else None
