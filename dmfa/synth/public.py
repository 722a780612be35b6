"""Career data of invented statutory staff."""

from __future__ import annotations

from datetime import date

from dmfa.synth.declaration import Occupation, PublicService
from dmfa.synth.people import Person

# Annexes 42 and 43: institution and staff category; titles of posts are our own.
_INSTITUTIONS = (1, 4)
_CATEGORIES = (1, 2)
_GRADES = ("file manager", "administrative assistant", "attaché", "inspector", "archivist")


def statutory_career(occupation: Occupation, member: Person) -> None:
    """Give an occupation its public career data, and to part-timers the measure that shortens their week."""
    identity = member.identity
    started = max(member.hired, date(2011, 1, 1))
    supplements = ((identity // 11 % 10_000_000 + 1, 20_000 + identity // 13 % 80_000),) if identity % 2 == 0 else ()
    occupation.public_service = PublicService(
        start=started,
        institution=_INSTITUTIONS[identity // 3 % 2],
        category=_CATEGORIES[identity // 5 % 2],
        grade=_GRADES[identity % len(_GRADES)],
        language=1 + identity // 7 % 3,
        seniority=f"{member.hired.year}-{member.hired.month:02d}",
        scale=100_000_000_000 + identity % 100_000_000,
        scale_amount=2_400_000 + identity // 17 % 2_000_000,
        week_hours=occupation.ref_hours,
        supplements=supplements,
    )
    if occupation.part_time and occupation.mean_hours:
        # Measure 7: reduced work, public sector. 4 and 7 together are declared as 599, with shares of the absence.
        first = 2_500 * (1 + identity // 2 % 3)
        occupation.reorganisations = ((7, 10_000),) if identity % 2 else ((4, first), (7, 10_000 - first))
