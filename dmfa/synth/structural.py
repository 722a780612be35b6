"""The structural reduction (deduction 3000) of categories 1 and 2, in exact fractions.

    Ps = R x mu x beta,  R = F + alpha (S0 - S)+ + gamma (S2 - S)+ + delta (W - S1)+

Each term of R and Ps are rounded to the cent, half up. Since 2025/3 W counts up to a limit; wages here stay below it.

Sources: royal decree of 16 May 2003, art. 2-3; royal decree of 24 January 2013 (factor beta); NSSO instructions,
structural reduction.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import Final

from dmfa.quarter import Quarter
from dmfa.synth.declaration import DeclaredPerson, Deduction, Line, Occupation
from dmfa.synth.employer import Employer
from dmfa.synth.figures import Figure, Figures
from dmfa.synth.lawful import Lawful
from dmfa.synth.rounding import half_up, hundredths

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
_ZERO: Final = Fraction(0)


def pay(occupations: Iterable[Occupation], codes: frozenset[int]) -> int:
    """Sum of the remuneration of these codes, in cents."""
    return sum(remun.amount for occupation in occupations for remun in occupation.remuns if remun.code in codes)


class Structural:
    """The structural reduction in one quarter.

    Args:
        figures: the quarter's parameters.
    """

    def __init__(self, figures: Figures) -> None:
        self._figures = figures
        self._categories: dict[str, dict[str, Figure]] = {}
        for category, names in _NEEDED.items():
            needed = names + (_SINCE_2022_2 if figures.quarter >= Quarter(2022, 2) else ())
            found = {name: figures.parameter(f"structural_reduction/category_{category}/{name}") for name in needed}
            known = {name: figure for name, figure in found.items() if figure is not None}
            if len(known) == len(needed):
                self._categories[category] = known

    def reduce(self, person: DeclaredPerson, lines: Iterable[Line], employer: Employer) -> None:
        """Add the reduction to each occupation of these lines that has a right to it.

        Args:
            person: all lines count for mu(glob).
            lines: those of worker codes insured in all schemes.
            employer: its class gives category and ceiling.
        """
        category, trust = self._figures.structural_category(employer.trade.employer_class)
        values = self._categories.get(category)
        if values is None or trust not in ("A", "B"):
            return
        shares = {id(o): _share(o) for line in person.lines for o in line.occupations}
        overall = sum(shares.values(), _ZERO)
        for line in lines:
            manual = line.worker_code.startswith("0")
            for occupation in line.occupations:
                if any(remun.code in NO_REDUCTION_PAY for remun in occupation.remuns):
                    continue
                amount = _amount(occupation, values, shares[id(occupation)], overall)
                amount = min(amount, self._cap(occupation, manual, employer))
                if amount:
                    occupation.deductions.append(Deduction("3000", amount, Lawful(amount, "B")))

    def _cap(self, occupation: Occupation, manual: bool, employer: Employer) -> int:
        """Base contributions of the occupation: reductions cannot exceed them."""
        ceiling = self._figures.ceiling(employer.trade.employer_class)
        wages = Fraction(pay([occupation], ORDINARY_PAY))
        return half_up((half_up(wages * 108 / 100) if manual else wages) * (ceiling or _ZERO))


def _amount(occupation: Occupation, values: dict[str, Figure], share: Fraction, overall: Fraction) -> int:
    reference = _reference_wage(occupation)
    if reference is None:
        return 0
    full = half_up(values["f"].value * 100) if "f" in values else 0
    full += half_up(values["alpha"].value * max(_ZERO, values["s0"].value * 100 - reference))
    if "gamma" in values:
        full += half_up(values["gamma"].value * max(_ZERO, values["s2"].value * 100 - reference))
    if "delta" in values:
        wage = pay([occupation], REDUCTION_PAY)
        full += half_up(values["delta"].value * max(_ZERO, wage - values["s1"].value * 100))
    return half_up(full * share * _beta(overall, _at_least_half_time(occupation)))


def _time(occupation: Occupation, codes: frozenset[int]) -> tuple[Fraction, Fraction]:
    """Time of these codes and the full-time time of a week: days for full-timers in days, else hours."""
    counted = [service for service in occupation.services if service.code in codes]
    if not occupation.part_time and all(service.hours is None for service in occupation.services):
        return Fraction(sum(s.days for s in counted), 100), Fraction(occupation.days_system, 100)
    return Fraction(sum(s.hours or 0 for s in counted), 100), Fraction(occupation.ref_hours, 100)


def _share(occupation: Occupation) -> Fraction:
    """Mu: time of the occupation in a full quarter of thirteen weeks, two decimals."""
    time, week = _time(occupation, REDUCTION_TIME)
    return hundredths(time / (13 * week)) if week else _ZERO


def _reference_wage(occupation: Occupation) -> int | None:
    """S in cents: W brought to a full quarter by a factor of two decimals; None without paid time."""
    time, week = _time(occupation, REFERENCE_TIME)
    if not time:
        return None
    return half_up(pay([occupation], REDUCTION_PAY) * hundredths(13 * week / time))


def _at_least_half_time(occupation: Occupation) -> bool:
    return not occupation.part_time or (occupation.mean_hours or 0) * 2 >= occupation.ref_hours


def _beta(overall: Fraction, half_time: bool) -> Fraction:
    """The fixed multiplication factor; never rounded."""
    if overall >= Fraction(80, 100):
        return 1 / overall
    if overall >= Fraction(55, 100):
        return Fraction(118, 100) + (overall - Fraction(55, 100)) * Fraction(28, 100)
    if overall >= Fraction(275, 1000) or half_time:
        return Fraction(118, 100)
    return _ZERO
