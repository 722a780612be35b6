"""The parts of an invented declaration, before they become XML. Amounts are cents, days and hours hundredths."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from dmfa.quarter import Quarter
from dmfa.synth.benefits import Complement, Dismissal, EarlyRetirement, Indemnity
from dmfa.synth.employer import Employer
from dmfa.synth.lawful import Lawful


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
class Contribution:
    """A contribution of a worker line as it will be declared, with what the law makes of it."""

    code: str
    type: int
    basis: int | None
    amount: int
    law: Lawful


@dataclass(frozen=True, slots=True)
class Detail:
    """A detail of a reduction: the amount of one month, or how much a week was shortened and since when."""

    amount: int | None = None
    start: date | None = None
    hours_before: int | None = None
    hours_after: int | None = None


@dataclass(slots=True)
class Deduction:
    """A reduction of a worker line or an occupation, with what the law makes of it; one not declared has no amount."""

    code: str
    amount: int | None
    law: Lawful
    declared: bool = True
    right_start: date | None = None
    details: tuple[Detail, ...] = ()


@dataclass(frozen=True, slots=True)
class User:
    """Where an agency worker works: a firm with its number, or a household with the number of a person.

    Attributes:
        name: the firm's or family's name.
        company_id: enterprise number, None for a household.
        insz: a person's number, None for a firm.
        daily_contracts: number of contracts of one day, None if there was none.
        street, house, box, zip_code, city: its address.
    """

    name: str
    company_id: int | None
    insz: int | None
    daily_contracts: int | None
    street: str
    house: str
    box: str
    zip_code: str
    city: str


@dataclass(frozen=True, slots=True)
class Activation:
    """A worker who is paid without having to work: since when, since when trained, and whether in training now.

    `type` is that of the contribution (annex 3), which follows from the worker's age then.
    """

    exempt_from: date
    training_from: date
    in_training: bool
    type: int


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
    user: User | None = None
    exempt: bool = False


@dataclass(slots=True)
class Student:
    """Solidarity contribution of a student."""

    pay: int
    hours: int
    local_unit: int
    amount: int = 0
    law: Lawful = field(default_factory=Lawful)
    users: tuple[User, ...] = ()


@dataclass(slots=True)
class Line:
    """One worker line: an employer class and a worker code, and one of the ways in which a line is filled."""

    employer_class: str
    worker_code: str
    occupations: list[Occupation] = field(default_factory=list)
    contributions: list[Contribution] = field(default_factory=list)
    deductions: list[Deduction] = field(default_factory=list)
    student: Student | None = None
    user_reference: str = ""
    activation: Activation | None = None
    dismissal: Dismissal | None = None
    early_retirement: EarlyRetirement | None = None
    complements: list[Complement] = field(default_factory=list)
    indemnities: list[Indemnity] = field(default_factory=list)

    def owed(self) -> int:
        """Contributions less reductions of this line, in cents."""
        owed = sum([item.amount for item in self.contributions])
        owed += self.student.amount if self.student else 0
        owed += self.dismissal.amount if self.dismissal else 0
        owed += self.early_retirement.amount if self.early_retirement else 0
        owed += sum([item.amount for complement in self.complements for item in complement.contributions])
        owed -= sum([item.amount or 0 for item in self.deductions])
        return owed - sum([item.amount or 0 for occupation in self.occupations for item in occupation.deductions])


@dataclass(slots=True, weakref_slot=True)
class DeclaredPerson:
    """One natural person and the worker lines."""

    insz: int
    lines: list[Line]
    user_reference: str = ""

    def owed(self) -> int:
        """Contributions less reductions of all lines, in cents."""
        return sum(line.owed() for line in self.lines)


@dataclass(slots=True)
class Unrelated:
    """A contribution that belongs to no person."""

    employer_class: str
    code: str
    basis: int | None
    amount: int
    law: Lawful


@dataclass(frozen=True, slots=True)
class Compensation:
    """What an employer takes off the whole of its contributions; an exception is declared without an amount."""

    amount: int | None
    exception: bool = False


@dataclass(slots=True)
class Declaration:
    """What one employer declares for one quarter.

    Attributes:
        quarter: the quarter declared.
        employer: who declares.
        persons: natural persons in the order of the file.
        vehicles: licence plates of company vehicles.
        unrelated: contributions unrelated to a person.
        compensation: what the employer takes off the whole.
        net_owed: declared net amount in cents; `balance` sets it.
        reference: the sender's own reference.
        made_on: day on which the form was made; by default a day in the month after the quarter.
    """

    quarter: Quarter
    employer: Employer
    persons: list[DeclaredPerson] = field(default_factory=list)
    vehicles: list[str] = field(default_factory=list)
    unrelated: list[Unrelated] = field(default_factory=list)
    compensation: Compensation | None = None
    net_owed: int = 0
    reference: str = ""
    made_on: date | None = None

    def balance(self) -> int:
        """Set the net amount owed to contributions less reductions, and return it."""
        self.net_owed = sum(person.owed() for person in self.persons) + self.own_owed()
        return self.net_owed

    def own_owed(self) -> int:
        """The part of the net amount that belongs to no person."""
        taken_off = self.compensation.amount or 0 if self.compensation else 0
        return sum(item.amount for item in self.unrelated) - taken_off
