"""The parts of an invented declaration, before they become XML. Amounts are cents, days and hours hundredths."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from dmfa.quarter import Quarter
from dmfa.synth.employer import Employer


@dataclass(slots=True)
class Service:
    """Working time of one code; hours only where the occupation is declared in hours."""

    code: int
    days: int
    hours: int | None = None


@dataclass(slots=True)
class Remun:
    """Remuneration of one code; the payment frequency in months belongs to bonuses."""

    code: int
    amount: int
    frequency: int | None = None


@dataclass(slots=True)
class Lawful:
    """What the law says about an amount.

    Attributes:
        amount: cents by the law, or None where no confirmed figure gives it.
        trust: `A` or `B`, trust in the figures used; empty without amount.
        note: why there is no amount.
    """

    amount: int | None = None
    trust: str = ""
    note: str = ""


@dataclass(slots=True)
class Contribution:
    """A contribution of a worker line as it will be declared, with what the law makes of it."""

    code: str
    type: int
    basis: int | None
    amount: int
    law: Lawful


@dataclass(slots=True)
class Deduction:
    """A reduction of a worker line or an occupation, with what the law makes of it; one not declared has no amount."""

    code: str
    amount: int | None
    law: Lawful
    declared: bool = True


@dataclass(slots=True)
class PublicService:
    """Public career data of an occupation, with its scale of pay and supplements to it."""

    start: date
    institution: int
    category: int
    grade: str
    language: int
    seniority: str
    scale: int
    scale_amount: int
    week_hours: int
    supplements: tuple[tuple[int, int], ...] = ()


@dataclass(slots=True)
class Occupation:
    """One occupation of a worker line."""

    sequence: int
    start: date
    end: date | None
    joint_committee: str
    days_system: int
    part_time: bool
    ref_hours: int
    mean_hours: int | None
    local_unit: int
    services: list[Service] = field(default_factory=list)
    remuns: list[Remun] = field(default_factory=list)
    deductions: list[Deduction] = field(default_factory=list)
    status: str = ""
    reorganisations: tuple[tuple[int, int], ...] = ()
    retired: bool = False
    apprenticeship: int | None = None
    hour_pay: int | None = None
    training_hours: int | None = None
    second_pillar: tuple[str, int, int] | None = None
    public_service: PublicService | None = None


@dataclass(slots=True)
class Student:
    """Solidarity contribution of a student."""

    pay: int
    hours: int
    local_unit: int
    amount: int = 0
    law: Lawful = field(default_factory=Lawful)


@dataclass(slots=True)
class Line:
    """One worker line: an employer class and a worker code."""

    employer_class: str
    worker_code: str
    occupations: list[Occupation] = field(default_factory=list)
    contributions: list[Contribution] = field(default_factory=list)
    deductions: list[Deduction] = field(default_factory=list)
    student: Student | None = None
    user_reference: str = ""


@dataclass(slots=True)
class DeclaredPerson:
    """One natural person and the worker lines."""

    insz: int
    lines: list[Line]
    user_reference: str = ""


@dataclass(slots=True)
class Unrelated:
    """A contribution that belongs to no person."""

    employer_class: str
    code: str
    basis: int | None
    amount: int
    law: Lawful


@dataclass(slots=True)
class Declaration:
    """What one employer declares for one quarter.

    Attributes:
        quarter: the quarter declared.
        employer: who declares.
        persons: natural persons in the order of the file.
        vehicles: licence plates of company vehicles.
        unrelated: contributions unrelated to a person.
        net_owed: declared net amount in cents; `balance` sets it.
        reference: the sender's own reference.
        made_on: day on which the form was made; by default a day in the month after the quarter.
    """

    quarter: Quarter
    employer: Employer
    persons: list[DeclaredPerson] = field(default_factory=list)
    vehicles: list[str] = field(default_factory=list)
    unrelated: list[Unrelated] = field(default_factory=list)
    net_owed: int = 0
    reference: str = ""
    made_on: date | None = None

    def balance(self) -> int:
        """Set the net amount owed to contributions less reductions, and return it."""
        owed = sum(item.amount for item in self.unrelated)
        for person in self.persons:
            for line in person.lines:
                owed += sum(item.amount for item in line.contributions)
                owed += line.student.amount if line.student else 0
                owed -= sum(item.amount or 0 for item in line.deductions)
                for occupation in line.occupations:
                    owed -= sum(item.amount or 0 for item in occupation.deductions)
        self.net_owed = owed
        return owed
