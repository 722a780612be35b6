"""Lines of those who draw a benefit in place of a wage: early retired, dismissed, victims of a work accident.

What they owe on it is mostly the payroll's own word: few of these rates are confirmed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from dmfa.synth.lawful import Lawful


@dataclass(slots=True)
class Dismissal:
    """A dismissed statutory worker who is brought under sickness (876) or unemployment insurance (877).

    Attributes:
        reference_pay: gross reference wage in cents, on which the contribution is due.
        amount: the contribution.
        law: what the law makes of it.
        days: reference days.
        first, last: the period of subjection.
    """

    reference_pay: int
    amount: int
    law: Lawful
    days: int
    first: date
    last: date


@dataclass(slots=True)
class EarlyRetirement:
    """Flat contribution for someone who retired early under the old rules."""

    code: int
    months: int
    amount: int
    law: Lawful


@dataclass(slots=True)
class ComplementContribution:
    """A contribution on a complementary indemnity: code and type, the indemnity a month, and the months."""

    code: str
    type: int
    monthly: int
    months: int
    amount: int
    law: Lawful


@dataclass(slots=True)
class Complement:
    """An indemnity that a former employer pays on top of a social benefit.

    Attributes:
        joint_committee: of the former employment.
        retired: whether the benefit is that of early retirement, else of unemployment.
        first: day of the first indemnity.
        notice: day on which notice was given.
        substitute: INSZ of the one who took over the work, None if nobody did.
        contributions: what is owed on it.
    """

    joint_committee: str
    retired: bool
    first: date
    notice: date
    substitute: int | None
    contributions: list[ComplementContribution] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Indemnity:
    """An indemnity for a work accident: nature (annex 10), degree of incapacity in hundredths of percent, cents."""

    nature: int
    degree: int
    amount: int
