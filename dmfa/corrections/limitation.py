"""Corrections that come late: those that lower what was declared must say why, and past limitation do nothing else.

Source: NSSO glossary of zone 00545 (a remuneration lowered more than two quarters after its quarter); administrative
instructions on limitation (three years from the day on which the quarter falls due, seven in case of fraud); since
1 July 2018 all changes of a Form are refused that gives money back past limitation without a justification.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from dmfa.corrections.decision import Steps
from dmfa.corrections.faults import Told
from dmfa.corrections.request import Form
from dmfa.corrections.situation import Place
from dmfa.corrections.state import CANCELLED, DECLARATION, PERSON, is_late
from dmfa.quarter import Quarter

YEARS = 3
"""Years of limitation, unless a setting says seven."""

Pay = tuple[int, int]
"""Remuneration and net amount of a unit, in cents."""


Amounts = Mapping[tuple[int, str, int, int], Pay]
"""What situations amount to: by declaration or Form, unit's table and ordinal, version (0 in a Form)."""


def check_late(form: Form, declaration_id: int, found: list[Steps], amounts: Amounts, years: int) -> Iterator[Told]:
    """Tell what a Form may not do so late.

    The changes of a person's lines are taken together: what is moved from one line to another lowers nothing.

    Args:
        form: the Form.
        declaration_id: the declaration that it corrects.
        found: what it does.
        amounts: what the units amount to before and after.
        years: years of limitation.

    Yields:
        What may not be.
    """
    if not is_late(form.quarter, form.received_at):
        return
    prescribed = form.received_at.date() > Quarter.from_code(form.quarter).limitation(years)
    credit = debit = False
    for part in found:
        wage, net = _change(declaration_id, part, amounts)
        debit |= net > 0
        credit |= net < 0
        if form.justified or (part.asked is not None and part.asked.justified):
            continue
        place = (PERSON, part.asked.ordinal) if part.asked is not None else (DECLARATION, 0)
        if prescribed and net < 0:
            yield ("00545-001", *place, "is missing: money is given back past limitation")
        elif wage < 0:
            yield ("00545-001", *place, "is missing: a remuneration is lowered more than two quarters later")
    if prescribed and credit and debit:
        yield ("90219-323", DECLARATION, 0, "gives money back and asks for more past limitation")


def _change(declaration_id: int, part: Steps, amounts: Amounts) -> Pay:
    """By how much remuneration and net amount change."""
    wage = net = 0
    for step in part.steps:
        table = step.asked.table
        if step.status != CANCELLED:
            after = _at(amounts, declaration_id, table, step.place)
            wage, net = wage + after[0], net + after[1]
        if step.unit is not None and step.unit.in_force:
            before = _at(amounts, declaration_id, table, step.unit.place)
            wage, net = wage - before[0], net - before[1]
    return wage, net


def _at(amounts: Amounts, declaration_id: int, table: str, place: Place) -> Pay:
    """What the situation at a place amounts to; nothing where it has no amounts."""
    source = declaration_id if place.form_id is None else place.form_id
    return amounts.get((source, table, place.ordinal, place.version), (0, 0))
