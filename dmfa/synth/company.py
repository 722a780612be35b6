"""What an invented employer declares beside its persons: vehicles, contributions of its own, a compensation."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from dmfa.quarter import Quarter
from dmfa.synth.declaration import Compensation, Declaration, DeclaredPerson, Unrelated
from dmfa.synth.draws import Stream, below, between, chance, stream
from dmfa.synth.law import Law
from dmfa.synth.lawful import Lawful
from dmfa.synth.rounding import half_up

_SALT_EMPLOYER: Final = 32
_LETTERS: Final = "ABCDEFGHJKLMNPRSTUVWXYZ"
# The compensation came with 2023/1 and was given on the contributions of two quarters.
_FIRST_COMPENSATION: Final = Quarter(2023, 1)
_LAST_COMPENSATION: Final = Quarter(2023, 2)
_LEFT_OVERS: Final = Quarter(2024, 1)


@dataclass(slots=True)
class StaffCounts:
    """What the employer's own blocks need to know of its persons.

    Attributes:
        owed: contributions less reductions so far, in cents.
        cars: company cars.
        white_collar: lines of white-collar workers.
        persons: how many persons.
    """

    owed: int = 0
    cars: int = 0
    white_collar: int = 0
    persons: int = 0

    def add(self, person: DeclaredPerson, car: bool) -> None:
        """Count one person."""
        self.owed += person.owed()
        self.cars += car
        self.white_collar += sum(line.worker_code == "495" for line in person.lines)
        self.persons += 1


def finish(declaration: Declaration, counts: StaffCounts, law: Law, seed: int) -> None:
    """Add the employer's own blocks to a declaration.

    Args:
        declaration: of which the persons are known; they need not be in it.
        counts: what they count.
        law: contributions of the quarter.
        seed: seed of the invented country.
    """
    who = declaration.employer
    rng = stream(_SALT_EMPLOYER, seed, who.index, declaration.quarter.code)
    if who.trade.sector != "private":
        return
    if counts.cars:
        _vehicles(declaration, counts.cars, rng)
    # Most double holiday pay is paid in the second quarter.
    if counts.white_collar and chance(rng, 800 if declaration.quarter.number == 2 else 150):
        double_pay = counts.white_collar * between(rng, 150_000, 280_000)
        unrelated = law.unrelated("870", double_pay, who)
        if unrelated:
            declaration.unrelated.append(unrelated)
    declaration.compensation = _compensation(declaration, counts.owed, rng)


def _vehicles(declaration: Declaration, cars: int, rng: Stream) -> None:
    for _ in range(cars):
        plate = "".join(_LETTERS[below(rng, len(_LETTERS))] for _ in range(3))
        declaration.vehicles.append(f"2{plate}{between(rng, 100, 999)}")
    amount = sum(3 * between(rng, 4_300, 11_000) for _ in range(cars))
    depends = Lawful(None, "", "depends on each vehicle's emissions, which the declaration does not hold")
    declaration.unrelated.append(Unrelated(declaration.employer.trade.employer_class, "862", None, amount, depends))


def _compensation(declaration: Declaration, owed: int, rng: Stream) -> Compensation | None:
    """A share of what is owed in the first two quarters; a year later a left-over of that, or the exception."""
    quarter = declaration.quarter
    if quarter < _FIRST_COMPENSATION or owed <= 0:
        return None
    if quarter <= _LAST_COMPENSATION:
        return Compensation(half_up(owed * Fraction(7, 100))) if chance(rng, 700) else None
    # In the two quarters after, the only compensation is another one, which no release at hand has.
    if quarter < _LEFT_OVERS or not chance(rng, 30):
        return None
    return Compensation(None, exception=True) if chance(rng, 500) else Compensation(owed // 200)
