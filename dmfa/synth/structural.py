"""The structural reduction (deduction 3000) of categories 1 and 2, in exact whole numbers.

    Ps = R x mu x beta,  R = F + alpha (S0 - S)+ + gamma (S2 - S)+ + delta (W - S1)+

Each term of R and Ps are rounded to the cent, half up. Since 2025/3 W counts up to a limit; wages here stay below it.

Sources: royal decree of 16 May 2003, art. 2-3; royal decree of 24 January 2013 (factor beta); NSSO instructions,
structural reduction.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from dmfa.quarter import Quarter
from dmfa.synth.declaration import DeclaredPerson, Deduction, Line, Occupation
from dmfa.synth.employer import Employer
from dmfa.synth.figures import Figure, Figures
from dmfa.synth.lawful import Lawful
from dmfa.synth.rounding import Ratio, quotient, whole_cents

# Remuneration codes on which ordinary contributions are due (annex 7).
ORDINARY_PAY: Final = frozenset({1, 2, 3, 4, 5, 6, 7, 9, 51, 61, 62, 65, 66})
# Pay that makes W of the structural reduction, and codes that keep an occupation out of it.
REDUCTION_PAY: Final = frozenset({1, 2, 4, 5, 12})
NO_REDUCTION_PAY: Final = frozenset({3, 9, 22})
# Working time that makes J and H (reference wage), and X and Z (mu). Codes 16, 17 and 38 came after annex 8 of 2022/2.
REFERENCE_TIME: Final = frozenset({1, 3, 4, 5, 20, 38})
REDUCTION_TIME: Final = frozenset({1, 2, 3, 4, 5, 12, 16, 17, 20, 38, 72})
# Figures that each category needs, and those that came in 2022/2.
_NEEDED: Final = {"1": ("alpha", "s0"), "2": ("f", "alpha", "s0", "delta", "s1")}
_SINCE_2022_2: Final = ("gamma", "s2")
_WEEKS: Final = 13
# Beta by the sum of all mu: nothing below 27.5 % without a half-time contract, 1.18 up to 55 %, then rising to 80 %.
_LOWEST_THOUSANDTHS: Final = 275
_RISES_FROM: Final = 55
_FREE_FROM: Final = 80
_LOWEST_BETA: Final = 11_800
_SLOPE: Final = 28


def pay(occupations: Iterable[Occupation], codes: frozenset[int]) -> int:
    """Sum of the remuneration of these codes, in cents."""
    return sum([remun.amount for occupation in occupations for remun in occupation.remuns if remun.code in codes])


@dataclass(frozen=True, slots=True)
class _Category:
    """Figures of one category: limits in cents, coefficients as they are; one that it lacks adds nothing."""

    fixed: int
    alpha: Ratio
    s0: int
    gamma: Ratio
    s2: int
    delta: Ratio
    s1: int

    @classmethod
    def of(cls, figures: dict[str, Figure]) -> _Category:
        def coefficient(name: str) -> Ratio:
            return Ratio.of(figures[name].value if name in figures else Fraction(0))

        def cents(name: str) -> int:
            return whole_cents(figures[name].value) if name in figures else 0

        return cls(
            cents("f"),
            coefficient("alpha"),
            cents("s0"),
            coefficient("gamma"),
            cents("s2"),
            coefficient("delta"),
            cents("s1"),
        )

    def full(self, reference: int, wage: int) -> int:
        """R in cents from the reference wage S and the wage W."""
        low = self.alpha.part(max(0, self.s0 - reference)) + self.gamma.part(max(0, self.s2 - reference))
        return self.fixed + low + self.delta.part(max(0, wage - self.s1))


class Structural:
    """The structural reduction in one quarter.

    Args:
        figures: the quarter's parameters.
    """

    def __init__(self, figures: Figures) -> None:
        self._figures = figures
        self._categories: dict[str, _Category] = {}
        self._of_class: dict[str, tuple[_Category, Ratio] | None] = {}
        for category, names in _NEEDED.items():
            needed = names + (_SINCE_2022_2 if figures.quarter >= Quarter(2022, 2) else ())
            found = {name: figures.parameter(f"structural_reduction/category_{category}/{name}") for name in needed}
            known = {name: figure for name, figure in found.items() if figure is not None}
            if len(known) == len(needed):
                self._categories[category] = _Category.of(known)

    def reduce(self, person: DeclaredPerson, lines: Iterable[Line], employer: Employer) -> None:
        """Add the reduction to each occupation of these lines that has a right to it.

        Args:
            person: all lines count for mu(glob).
            lines: those of worker codes insured in all schemes.
            employer: its class gives category and ceiling.
        """
        known = self._known(employer.trade.employer_class)
        if known is None:
            return
        category, ceiling = known
        overall = _overall(person)
        for line in lines:
            for occupation in line.occupations:
                if any(remun.code in NO_REDUCTION_PAY for remun in occupation.remuns):
                    continue
                # Reductions cannot exceed the base contributions of the occupation.
                amount = _amount(occupation, category, _share(occupation), overall)
                amount = min(amount, _cap(line, occupation, ceiling))
                if amount:
                    occupation.deductions.append(Deduction("3000", amount, Lawful(amount, "B")))

    def beside(
        self, person: DeclaredPerson, line: Line, occupation: Occupation, employer: Employer, full: int
    ) -> int | None:
        """A target-group reduction after the structural one, in cents; None without figures that may compute.

        Args:
            person: all lines count for mu(glob).
            line: that of the occupation, with its structural reductions.
            occupation: the one that it is for.
            employer: its class gives the ceiling.
            full: what it is full time for a quarter, in cents.
        """
        known = self._known(employer.trade.employer_class)
        if known is None:
            return None
        if any(remun.code in NO_REDUCTION_PAY for remun in occupation.remuns):
            return 0
        share, overall = _share(occupation), _overall(person)
        if overall >= _FREE_FROM:
            amount = quotient(full * share, overall)
        elif overall >= _RISES_FROM:
            amount = quotient(full * share * (100 + overall - _RISES_FROM), 100 * 100)
        elif 10 * overall >= _LOWEST_THOUSANDTHS or _at_least_half_time(occupation):
            amount = quotient(full * share, 100)
        else:
            return 0
        taken = sum([one.law.amount or 0 for one in occupation.deductions if one.code == "3000"])
        return max(0, min(amount, _cap(line, occupation, known[1]) - taken))

    def _known(self, employer_class: str) -> tuple[_Category, Ratio] | None:
        """Category and ceiling of an employer class; None without figures that may compute."""
        if employer_class not in self._of_class:
            name, trust = self._figures.structural_category(employer_class)
            category = self._categories.get(name)
            ceiling = Ratio.of(self._figures.ceiling(employer_class) or Fraction(0))
            usable = category is not None and trust in ("A", "B")
            self._of_class[employer_class] = (category, ceiling) if category is not None and usable else None
        return self._of_class[employer_class]


def _overall(person: DeclaredPerson) -> int:
    """Mu of all occupations of a person together, in hundredths."""
    return sum([_share(occupation) for line in person.lines for occupation in line.occupations])


def _cap(line: Line, occupation: Occupation, ceiling: Ratio) -> int:
    """The occupation's part of what a ceiling rate yields on its line: parts that add up to the line's."""
    place = next(place for place, one in enumerate(line.occupations) if one is occupation)
    before, until = (pay(line.occupations[:many], ORDINARY_PAY) for many in (place, place + 1))
    if line.worker_code.startswith("0"):
        before, until = quotient(before * 108, 100), quotient(until * 108, 100)
    return ceiling.part(until) - ceiling.part(before)


def _amount(occupation: Occupation, category: _Category, share: int, overall: int) -> int:
    """Ps in cents; the share of the occupation and that of all are hundredths."""
    time, week = _time(occupation, REFERENCE_TIME)
    if not time:
        return 0
    wage = pay([occupation], REDUCTION_PAY)
    # S: W brought to a full quarter by a factor of two decimals.
    factor = quotient(100 * _WEEKS * week, time)
    full = category.full(quotient(wage * factor, 100), wage)
    if overall >= _FREE_FROM:
        return quotient(full * share, overall)
    if overall >= _RISES_FROM:
        beta = _LOWEST_BETA + _SLOPE * (overall - _RISES_FROM)
    elif 10 * overall >= _LOWEST_THOUSANDTHS or _at_least_half_time(occupation):
        beta = _LOWEST_BETA
    else:
        return 0
    return quotient(full * share * beta, 100 * 10_000)


def _time(occupation: Occupation, codes: frozenset[int]) -> tuple[int, int]:
    """Time of these codes and the full-time time of a week, in hundredths: days for full-timers in days, else hours."""
    services = occupation.services
    if not occupation.part_time and all(service.hours is None for service in services):
        return sum([service.days for service in services if service.code in codes]), occupation.days_system
    return sum([service.hours or 0 for service in services if service.code in codes]), occupation.ref_hours


def _share(occupation: Occupation) -> int:
    """Mu in hundredths: time of the occupation in a full quarter of thirteen weeks."""
    time, week = _time(occupation, REDUCTION_TIME)
    return quotient(100 * time, _WEEKS * week) if week else 0


def _at_least_half_time(occupation: Occupation) -> bool:
    return not occupation.part_time or (occupation.mean_hours or 0) * 2 >= occupation.ref_hours
