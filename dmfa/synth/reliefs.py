"""Reductions that a payroll claims on its own word: working-time reduction and reduction after a restructuring.

Their amounts are known, but the rights hang on facts outside the declaration, so the law's word is left open. None
takes more than a part of what the line owes, so that a net amount never falls below zero.

Sources: NSSO instructions, target-group reductions (3500) and reduction of personal contributions after a restructuring
(0601); annex 4, and the annex on details of reductions.
"""

from __future__ import annotations

from datetime import date
from typing import Final

from dmfa.quarter import Quarter
from dmfa.synth.declaration import Deduction, Detail, Line, Occupation
from dmfa.synth.employer import Employer
from dmfa.synth.lawful import Lawful

SHORTER_WEEK: Final = 3600
"""Hours of a full week, in hundredths, at employers who shortened it."""

_FULL_WEEK: Final = 3800
_QUARTER_AMOUNT: Final = 40_000
_MONTH_AMOUNT: Final = 13_333
_QUARTERS: Final = 8


def shortened_since(employer: Employer, quarter: Quarter) -> date | None:
    """Since when an employer's full week is shorter, or None.

    Every twelfth employer of some trades shortens it now and then: for eight quarters in sixteen, each in its own turn.
    """
    if employer.trade.name not in ("general", "services") or employer.index % 12 != 4:
        return None
    turn = quarter.year * 4 + quarter.number - 1
    begun = turn - (turn + 5 * (employer.index // 12)) % (2 * _QUARTERS)
    # The reduction starts in the quarter after the week was shortened.
    if not 0 < turn - begun <= _QUARTERS:
        return None
    return Quarter(begun // 4, begun % 4 + 1).first_day


def claim(line: Line, employer: Employer, quarter: Quarter) -> None:
    """Add these reductions to a line that has its contributions and other reductions already."""
    if line.worker_code not in ("015", "495"):
        return
    since = shortened_since(employer, quarter)
    for occupation in line.occupations:
        if since and occupation.ref_hours == SHORTER_WEEK and not occupation.part_time:
            amount = min(_QUARTER_AMOUNT, line.owed() // 2)
            if amount > 0:
                detail = Detail(start=since, hours_before=_FULL_WEEK, hours_after=SHORTER_WEEK)
                open_to_facts = Lawful(None, "", "depends on the working time before, which nobody declares again")
                occupation.deductions.append(Deduction("3500", amount, open_to_facts, details=(detail,)))
    if employer.trade.sector == "private" and _after_restructuring(line.occupations[0], quarter):
        month = min(_MONTH_AMOUNT, line.owed() // 6)
        if month > 0:
            right = Lawful(None, "", "depends on the card of the worker, which the declaration does not hold")
            details = (Detail(amount=month),) * 3
            line.deductions.append(
                Deduction("0601", 3 * month, right, right_start=line.occupations[0].start, details=details)
            )


def _after_restructuring(occupation: Occupation, quarter: Quarter) -> bool:
    """Whether the worker came after a restructuring elsewhere: of those hired in the last two years, some."""
    # Most fail this, which is the cheapest to ask.
    if occupation.start.toordinal() % 16 != 7 or occupation.part_time:
        return False
    return 0 <= (quarter.first_day - occupation.start).days < 2 * 365
