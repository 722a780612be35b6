"""Reductions that a payroll claims on its own word: first worker, shorter week, reduction after a restructuring.

The first two are lawful by what is declared; the right to the third hangs on facts outside the declaration, so that
the law's word is left open. None takes more than a part of what the line owes: a net amount never falls below zero.

Sources: NSSO instructions, target-group reductions (3315, 3500) and reduction of personal contributions after a
restructuring (0601); annex 4, and the annex on details of reductions.
"""

from __future__ import annotations

from datetime import date
from typing import Final

from dmfa.quarter import Quarter
from dmfa.synth.declaration import DeclaredPerson, Deduction, Detail, Line, Occupation
from dmfa.synth.employer import Employer
from dmfa.synth.lawful import Lawful, unconfirmed
from dmfa.synth.structural import Structural

SHORTER_WEEK: Final = 3600
"""Hours of a full week, in hundredths, at employers who shortened it."""

_FULL_WEEK: Final = 3800
_QUARTER_AMOUNT: Final = 40_000
_MONTH_AMOUNT: Final = 13_333
_QUARTERS: Final = 8

# Amount of a first worker, full time for a quarter, until the quarter before the next one.
_FIRST_WORKER: Final = ((Quarter(2024, 1), 400_000), (Quarter(2026, 3), 310_000), (Quarter(2026, 4), 200_000))


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


def claim(person: DeclaredPerson, line: Line, employer: Employer, quarter: Quarter, structural: Structural) -> None:
    """Add these reductions to a line that has its contributions and other reductions already.

    Args:
        person: whose line it is.
        line: the line.
        employer: who declares it.
        quarter: the quarter.
        structural: what the law leaves after the structural reduction.
    """
    if line.worker_code not in ("015", "495"):
        return
    since = shortened_since(employer, quarter)
    first = _is_first_worker(employer)
    if first:
        _claim_first_worker(person, line, employer, quarter=quarter, structural=structural)
    for occupation in line.occupations:
        if since and not first and occupation.ref_hours == SHORTER_WEEK and not occupation.part_time:
            lawful = structural.beside(person, line, occupation, employer, _QUARTER_AMOUNT)
            amount = min(_QUARTER_AMOUNT if lawful is None else lawful, line.owed() // 2)
            if amount > 0:
                detail = Detail(start=since, hours_before=_FULL_WEEK, hours_after=SHORTER_WEEK)
                law = unconfirmed() if lawful is None else Lawful(lawful, "B")
                occupation.deductions.append(Deduction("3500", amount, law, details=(detail,)))
    if employer.trade.sector == "private" and _after_restructuring(line.occupations[0], quarter):
        month = min(_MONTH_AMOUNT, line.owed() // 6)
        if month > 0:
            right = Lawful(None, "", "depends on the card of the worker, which the declaration does not hold")
            details = (Detail(amount=month),) * 3
            line.deductions.append(
                Deduction("0601", 3 * month, right, right_start=line.occupations[0].start, details=details)
            )


def _is_first_worker(employer: Employer) -> bool:
    """Whether an employer has one worker alone and asks for the reduction: of those, every third does."""
    return employer.usual_size == 1 and employer.trade.sector == "private" and employer.index % 3 == 2


def _claim_first_worker(
    person: DeclaredPerson, line: Line, employer: Employer, *, quarter: Quarter, structural: Structural
) -> None:
    """Ask for what the structural reduction leaves, which a payroll knows where its figures are confirmed."""
    full = next((cents for before, cents in _FIRST_WORKER if quarter < before), None)
    if full is None or not line.contributions or line.contributions[0].code != line.worker_code:
        return
    for occupation in line.occupations:
        amount = structural.beside(person, line, occupation, employer, full)
        if amount:
            law = Lawful(amount, "B")
            occupation.deductions.append(Deduction("3315", amount, law, right_start=occupation.start))


def _after_restructuring(occupation: Occupation, quarter: Quarter) -> bool:
    """Whether the worker came after a restructuring elsewhere: of those hired in the last two years, some."""
    # Most fail this, which is the cheapest to ask.
    if occupation.start.toordinal() % 16 != 7 or occupation.part_time:
        return False
    return 0 <= (quarter.first_day - occupation.start).days < 2 * 365
