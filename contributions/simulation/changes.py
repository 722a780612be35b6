"""Figures that take the place of those of the law: assumptions, each marked as one wherever it is told.

A changed figure is no fact, so that no trust can be put in it: it counts as A, and the trust of a result stays that of
the other figures. Its source begins with SIMULATION.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from contributions.parameters import Parameter
from dmfa.errors import WrongUsage

SIMULATION: Final = "simulation: "
"""So begins the source of every changed figure; what follows is the name of the changes."""


class ChangeFault(WrongUsage):
    """A file of changes asks for what cannot be changed so."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a change is written down.

    Attributes:
        file: name of the file as it was given.
        line: number of the line, from 1.
    """

    file: str
    line: int

    def fault(self, what: str, todo: str = "") -> ChangeFault:
        """A fault at this place, in words."""
        return ChangeFault(f"{self.file}, line {self.line}: {what}", todo)


@dataclass(frozen=True, slots=True)
class RateChange:
    """Another rate of one contribution code and type; figures in ten-thousandths, None where they stay.

    Attributes:
        classes: employer classes concerned; empty for all that have a rate.
        whose: the same in words.
        total: alone, it leaves the shares untold.
    """

    code: str
    type: int
    classes: tuple[str, ...]
    whose: str
    total: int | None = None
    personal: int | None = None
    base: int | None = None
    moderation: int | None = None
    place: Place = field(default=Place("", 0), compare=False, repr=False)

    @property
    def words(self) -> str:
        """What is changed."""
        return f"contribution {self.code} type {self.type} of {self.whose}"


@dataclass(frozen=True, slots=True)
class CategoryChange:
    """Another structural category or ceiling rate (ten-thousandths) of an employer class; None where it stays.

    Attributes:
        worker_code: only this worker code of the class; empty for the class itself.
    """

    employer_class: str
    worker_code: str = ""
    category: str | None = None
    ceiling: int | None = None
    place: Place = field(default=Place("", 0), compare=False, repr=False)

    @property
    def words(self) -> str:
        """What is changed."""
        own = f", worker code {self.worker_code}" if self.worker_code else ""
        return f"structural category of class {self.employer_class}{own}"


@dataclass(frozen=True)
class Changes:
    """All that is changed for one quarter; equal ones are equal keys of whatever is remembered of a law.

    Attributes:
        name: what they are called.
        parameters: the changed ones, each with all its values.
        rates, categories: those in force in the quarter.
    """

    name: str
    parameters: tuple[Parameter, ...] = ()
    rates: tuple[RateChange, ...] = ()
    categories: tuple[CategoryChange, ...] = ()

    @cached_property
    def digest(self) -> str:
        """SHA-256 over everything changed."""
        return hashlib.sha256(repr(self).encode()).hexdigest()

    @cached_property
    def by_name(self) -> dict[str, Parameter]:
        """The changed parameters by name."""
        return {parameter.name: parameter for parameter in self.parameters}

    @property
    def source(self) -> str:
        """Source of a changed figure, in words."""
        return f"{SIMULATION}{self.name}"
