"""What a careful payroll declares: contributions and reductions, in exact whole numbers.

Everything here is arithmetic of its own, read from `fractions.Fraction`, so that it can testify about the contributions
package. A code whose figure has no trust A or B in the quarter is not declared.

Sources: NSSO instructions, basis of contributions and special contributions; annexes 2, 3 and 7.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Final, NamedTuple

from dmfa.synth.bonus import work_bonus
from dmfa.synth.declaration import Activation, Contribution, DeclaredPerson, Line, Unrelated
from dmfa.synth.employer import Employer
from dmfa.synth.figures import Figures
from dmfa.synth.lawful import Lawful, unconfirmed
from dmfa.synth.reliefs import claim
from dmfa.synth.rounding import Ratio, quotient, whole_cents
from dmfa.synth.structural import ORDINARY_PAY, Structural, pay
from dmfa.synth.trades import Trade

# Only these codes are insured in every scheme and therefore carry the structural reduction here.
REDUCED_WORKERS: Final = frozenset({"015", "495"})
FLEXI_PAY: Final = frozenset({22, 23})
# What a payroll declares on its own word where a line must name an amount and no rate is confirmed.
_WORD: Final = {
    "015": Ratio(38, 100),
    "495": Ratio(38, 100),
    "010": Ratio(5, 100),
    "260": Ratio(1, 5),
    "876": Ratio(35, 1000),
    "877": Ratio(23, 1000),
}
_FLEXI_CODES: Final = ("050", "450")
_FIRST_PAY: Final = frozenset({1})


class _Tariff(NamedTuple):
    """A confirmed rate: `basis_percent` is 100 or 108, None where the basis is that of the worker line."""

    ratio: Ratio
    trust: str
    basis_percent: int | None
    personal: Fraction | None


class _Due(NamedTuple):
    """A contribution that a kind of line owes: its tariff is None where the payroll declares on its own word."""

    code: str
    type: int
    pay: frozenset[int]
    raised: bool
    tariff: _Tariff | None


class Law:
    """Contributions and reductions of one quarter.

    Args:
        figures: the quarter's rates and parameters.
    """

    def __init__(self, figures: Figures) -> None:
        self.figures = figures
        self._rates: dict[tuple[str, int, str], _Tariff | None] = {}
        self._owed: dict[tuple[str, str, bool, bool], tuple[_Due, ...]] = {}
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
            claim(person, line, employer, self.figures.quarter, self._structural)

    def unrelated(self, code: str, basis: int, employer: Employer) -> Unrelated | None:
        """A contribution unrelated to a person at the rate of its code, or None without a confirmed rate."""
        trade = employer.trade
        tariff = self._rate(code, 0, trade)
        if tariff is None:
            return None
        amount = tariff.ratio.part(basis)
        return Unrelated(trade.employer_class, code, basis, amount, Lawful(amount, tariff.trust))

    def _rate(self, code: str, kind: int, trade: Trade) -> _Tariff | None:
        key = (code, kind, trade.employer_class)
        if key not in self._rates:
            rate = self.figures.rate(code, kind, trade.employer_class, trade.sector)
            self._rates[key] = rate and _Tariff(Ratio.of(rate.value), rate.trust, rate.basis_percent, rate.personal)
        return self._rates[key]

    # -- contributions ------------------------------------------------------------------------------------------------

    def _due(self, line: Line, employer: Employer) -> list[tuple[str, int]]:
        """Codes and types that a line owes, in the order of declaration."""
        trade, code = employer.trade, line.worker_code
        manual = code.startswith("0")
        if code in _FLEXI_CODES:
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

    def _dues(self, line: Line, employer: Employer) -> tuple[_Due, ...]:
        """What a line owes and at which rate; the same for all lines of a worker code, trade and size."""
        trade, worker_code = employer.trade, line.worker_code
        key = (worker_code, trade.name, employer.ten_or_more, employer.twenty_or_more)
        if key not in self._owed:
            manual = worker_code.startswith("0") and trade.sector == "private"
            dues = []
            for code, kind in self._due(line, employer):
                tariff = self._rate(code, kind, trade)
                if code in _FLEXI_CODES:
                    due = _Due(code, kind, FLEXI_PAY, False, tariff)
                elif code == "815":
                    due = _Due(code, kind, _FIRST_PAY, False, tariff)
                else:
                    due = _Due(code, kind, ORDINARY_PAY, manual and (not tariff or tariff.basis_percent != 100), tariff)
                # No rate of an agency's class is confirmed, yet it pays contributions.
                if tariff or (trade.name == "agency" and code == worker_code):
                    dues.append(due)
            self._owed[key] = tuple(dues)
        return self._owed[key]

    def _contributions(self, line: Line, employer: Employer) -> list[Contribution]:
        wages = pay(line.occupations, ORDINARY_PAY)
        raised = quotient(wages * 108, 100)
        declared = []
        for code, kind, paid, is_raised, tariff in self._dues(line, employer):
            basis = raised if is_raised else wages if paid is ORDINARY_PAY else pay(line.occupations, paid)
            if tariff:
                amount = tariff.ratio.part(basis)
                law = Lawful(amount, tariff.trust)
            else:
                amount, law = _WORD[code].part(basis), unconfirmed()
            declared.append(Contribution(code, kind, basis, amount, law))
        if line.activation:
            declared.append(self._activated(line.activation, wages, employer.trade))
        return declared

    def _activated(self, activation: Activation, wages: int, trade: Trade) -> Contribution:
        """The contribution on the wage of a worker who is exempt from work, with the minimum of its type."""
        tariff = self._rate("260", activation.type, trade)
        minimum = self.figures.parameter(f"activation/minimum/type_{activation.type}")
        if tariff is None or minimum is None:
            return Contribution("260", activation.type, wages, _WORD["260"].part(wages), unconfirmed())
        amount = max(tariff.ratio.part(wages), whole_cents(minimum.value))
        return Contribution("260", activation.type, wages, amount, Lawful(amount, max(tariff.trust, minimum.trust)))

    def _amount(self, code: str, kind: int, basis: int, employer: Employer) -> tuple[int, Lawful]:
        """What is declared on a basis, and the law's word on it: the same, or none without a confirmed rate."""
        tariff = self._rate(code, kind, employer.trade)
        if tariff is None:
            return _WORD[code].part(basis), unconfirmed()
        amount = tariff.ratio.part(basis)
        return amount, Lawful(amount, tariff.trust)

    def _dismissal(self, line: Line, employer: Employer) -> None:
        dismissal = line.dismissal
        if dismissal is not None:
            paid = self._amount(line.worker_code, 0, dismissal.reference_pay, employer)
            dismissal.amount, dismissal.law = paid

    def _student(self, line: Line, employer: Employer) -> None:
        student = line.student
        if student is None:
            return
        tariff = self._rate(line.worker_code, 0, employer.trade)
        if tariff is None:
            # The line must name an amount; without a confirmed rate nobody can say which.
            student.law = unconfirmed()
            return
        student.amount = tariff.ratio.part(student.pay)
        student.law = Lawful(student.amount, tariff.trust)

    def _work_bonus(self, line: Line, employer: Employer) -> None:
        if line.worker_code not in REDUCED_WORKERS or not _ordinary_declared(line):
            return
        own = line.contributions[0]
        tariff = self._rate(own.code, own.type, employer.trade)
        bonus = work_bonus(line, self.figures.quarter, tariff.personal if tariff else None)
        if bonus:
            line.deductions.append(bonus)


def _ordinary_declared(line: Line) -> bool:
    """Whether the line's ordinary contribution has a confirmed rate; without it there is nothing to reduce."""
    return bool(line.contributions) and line.contributions[0].code == line.worker_code
