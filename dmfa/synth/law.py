"""What a careful payroll declares: contributions and reductions, in exact fractions.

Everything here is arithmetic of its own with `fractions.Fraction`, so that it can testify about the contributions
package. A code whose figure has no trust A or B in the quarter is not declared.

Sources: NSSO instructions, basis of contributions and special contributions; annexes 2, 3 and 7.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Final

from dmfa.synth.bonus import work_bonus
from dmfa.synth.declaration import (
    Contribution,
    DeclaredPerson,
    Line,
    Unrelated,
)
from dmfa.synth.employer import Employer
from dmfa.synth.figures import Figures, Rate
from dmfa.synth.lawful import Lawful, unconfirmed
from dmfa.synth.reliefs import claim
from dmfa.synth.rounding import half_up
from dmfa.synth.structural import ORDINARY_PAY, Structural, pay

# Only these codes are insured in every scheme and therefore carry the structural reduction here.
REDUCED_WORKERS: Final = frozenset({"015", "495"})
FLEXI_PAY: Final = frozenset({22, 23})
# What a payroll declares on its own word where a line must name an amount and no rate is confirmed.
_WORD: Final = {
    "015": Fraction(38, 100),
    "495": Fraction(38, 100),
    "010": Fraction(5, 100),
    "260": Fraction(1, 5),
    "876": Fraction(35, 1000),
    "877": Fraction(23, 1000),
}


class Law:
    """Contributions and reductions of one quarter.

    Args:
        figures: the quarter's rates and parameters.
    """

    def __init__(self, figures: Figures) -> None:
        self.figures = figures
        self._rates: dict[tuple[str, int, str], Rate | None] = {}
        self._structural = Structural(figures)

    def charge(self, person: DeclaredPerson, employer: Employer) -> None:
        """Add contributions and reductions to all lines of a person."""
        for line in person.lines:
            if line.student:
                self._student(line, employer)
            elif line.dismissal:
                self._dismissal(line, employer)
            elif line.indemnities:
                for item in line.contributions:
                    item.amount, item.law = self._amount(item.code, item.type, item.basis or 0, employer)
            elif line.occupations:
                line.contributions += self._contributions(line, employer)
                self._work_bonus(line, employer)
        reduced = [line for line in person.lines if line.worker_code in REDUCED_WORKERS and _ordinary_declared(line)]
        self._structural.reduce(person, reduced, employer)
        for line in person.lines:
            claim(line, employer, self.figures.quarter)

    def unrelated(self, code: str, basis: int, employer: Employer) -> Unrelated | None:
        """A contribution unrelated to a person at the rate of its code, or None without a confirmed rate."""
        trade = employer.trade
        rate = self._rate(code, 0, employer)
        if rate is None:
            return None
        amount = half_up(basis * rate.value)
        return Unrelated(trade.employer_class, code, basis, amount, Lawful(amount, rate.trust))

    def _rate(self, code: str, kind: int, employer: Employer) -> Rate | None:
        key = (code, kind, employer.trade.employer_class)
        if key not in self._rates:
            self._rates[key] = self.figures.rate(code, kind, key[2], employer.trade.sector)
        return self._rates[key]

    # -- contributions ------------------------------------------------------------------------------------------------

    def _due(self, line: Line, employer: Employer) -> list[tuple[str, int]]:
        """Codes and types that a line owes, in the order of declaration."""
        trade, code = employer.trade, line.worker_code
        manual = code.startswith("0")
        if code in ("050", "450"):
            return [(code, 0)]
        if code == "675":
            return [("675", 0), ("815", 0), ("256", 0), ("257", 0)]
        if trade.sector == "public":
            return [(code, 0), ("256", 0)]
        apprentice = code in ("035", "439")
        due = [(code, 1 if manual else 0)]
        if manual:
            due.append(("253", 0))
        due += [("255", 0), ("256", 0)]
        if trade.fund == "C":
            # Types with wage moderation are 0 and 5, without it 2 and 4; the second of each from twenty workers on.
            types = (2, 4) if apprentice else (0, 5)
            due.append(("809", types[employer.twenty_or_more]))
        elif trade.fund == "B":
            due.append(("811", 2 if apprentice else 0))
        if not apprentice:
            due.append(("810", 0))
        if employer.ten_or_more:
            due.append(("857" if apprentice else "855", 0))
        due.append(("859", 0))
        if not manual and not apprentice and trade.name == "services":
            due.append(("831", 0))
        return due

    def _contributions(self, line: Line, employer: Employer) -> list[Contribution]:
        trade = employer.trade
        manual = line.worker_code.startswith("0")
        wages = pay(line.occupations, ORDINARY_PAY)
        declared = []
        for code, kind in self._due(line, employer):
            rate = self._rate(code, kind, employer)
            if rate is None:
                if trade.name == "agency" and code == line.worker_code:
                    # No rate of an agency's class is confirmed, yet it pays contributions.
                    basis = half_up(Fraction(wages * 108, 100)) if manual else wages
                    amount, law = self._amount(code, kind, basis, employer)
                    declared.append(Contribution(code, kind, basis, amount, law))
                continue
            if code in ("050", "450"):
                basis = pay(line.occupations, FLEXI_PAY)
            elif code == "815":
                basis = pay(line.occupations, frozenset({1}))
            elif rate.basis_percent == 100 or not (manual and trade.sector == "private"):
                basis = wages
            else:
                basis = half_up(Fraction(wages * 108, 100))
            amount = half_up(basis * rate.value)
            declared.append(Contribution(code, kind, basis, amount, Lawful(amount, rate.trust)))
        if line.activation:
            # Its minimum and its type follow facts that the declaration does not hold.
            declared.append(Contribution("260", 4, wages, half_up(wages * _WORD["260"]), unconfirmed()))
        return declared

    def _amount(self, code: str, kind: int, basis: int, employer: Employer) -> tuple[int, Lawful]:
        """What is declared on a basis, and the law's word on it: the same, or none without a confirmed rate."""
        rate = self._rate(code, kind, employer)
        if rate is None:
            return half_up(basis * _WORD[code]), unconfirmed()
        amount = half_up(basis * rate.value)
        return amount, Lawful(amount, rate.trust)

    def _dismissal(self, line: Line, employer: Employer) -> None:
        dismissal = line.dismissal
        if dismissal is not None:
            paid = self._amount(line.worker_code, 0, dismissal.reference_pay, employer)
            dismissal.amount, dismissal.law = paid

    def _student(self, line: Line, employer: Employer) -> None:
        student = line.student
        if student is None:
            return
        rate = self._rate(line.worker_code, 0, employer)
        if rate is None:
            # The line must name an amount; without a confirmed rate nobody can say which.
            student.law = unconfirmed()
            return
        student.amount = half_up(student.pay * rate.value)
        student.law = Lawful(student.amount, rate.trust)

    def _work_bonus(self, line: Line, employer: Employer) -> None:
        if line.worker_code not in REDUCED_WORKERS or not _ordinary_declared(line):
            return
        own = line.contributions[0]
        rate = self._rate(own.code, own.type, employer)
        bonus = work_bonus(line, self.figures.quarter, rate.personal if rate else None)
        if bonus:
            line.deductions.append(bonus)


def _ordinary_declared(line: Line) -> bool:
    """Whether the line's ordinary contribution has a confirmed rate; without it there is nothing to reduce."""
    return bool(line.contributions) and line.contributions[0].code == line.worker_code
