"""Applies corrections: each Form as a whole or not at all, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import polars as pl

from dmfa.anomaly import Anomaly, anomaly_frame
from dmfa.corrections.amounts import AMOUNT_TYPES, amounts
from dmfa.corrections.applied import APPLIED, OUTCOME_TYPES, REFUSED, WAITING, Applied
from dmfa.corrections.decision import Steps, decide
from dmfa.corrections.faults import Faults
from dmfa.corrections.limitation import YEARS, Amounts, check_late
from dmfa.corrections.request import Form, requests
from dmfa.corrections.rows import Made, history, made_frame, replaced, touched, units
from dmfa.corrections.shape import LABELS, Corrections
from dmfa.corrections.situation import Declaration, Unit, declarations
from dmfa.corrections.state import CANCELLED, CHANGED, DECLARATION, NEW, PERSON, REACTIVATED, State
from dmfa.schema import Table

Make = Callable[[Unit, int, int | None], None]
"""Makes the new row of a unit with a status; the last is the unit's ordinal in the Form."""

Outcome = tuple[int | None, int | None, str, list[str]]
"""Declaration, version that was made, state, codes."""


def apply(state: State, corrections: Corrections, filings: pl.DataFrame, limitation_years: int = YEARS) -> Applied:
    """Apply corrections in the order in which they were received, then by name of the filing and place in it.

    Args:
        state: what is known of the declarations concerned, as `dmfa.corrections.state.state_of` gives it.
        corrections: what is asked, without Forms that are refused for what they hold themselves.
        filings: filing_id, name and received_at of the filings that they came in.
        limitation_years: years of limitation, seven where fraud is dealt with.
    """
    labels = {table.name: LABELS.get(table.name, table.block.name) for table in state.tables}
    known = declarations(state, corrections.asked)
    matched = {form_id: (own, elsewhere) for form_id, own, elsewhere in state.matched.iter_rows()}
    sums = _sums(state, corrections)
    made: list[Made] = []
    found: list[Anomaly] = []
    outcomes = []
    for form in requests(corrections, filings):
        faults = Faults(form.filing_id, form.form_id, form.quarter, labels)
        outcome: Outcome
        declaration_id, elsewhere = matched[form.form_id]
        if declaration_id is None:
            if elsewhere:
                faults.add("00534-182", DECLARATION, 0, "is not that of the declaration of this employer and quarter")
            outcome = (None, None, REFUSED if elsewhere else WAITING, faults.blocking)
        else:
            declaration = known[declaration_id]
            steps = decide(form, declaration, faults)
            for told in check_late(form, declaration_id, steps, sums, limitation_years):
                faults.add(*told)
            if faults.blocking:
                outcome = (declaration_id, None, REFUSED, faults.blocking)
            else:
                made += _commit(form, declaration, steps)
                outcome = (declaration_id, declaration.version, APPLIED, [])
        found += faults.found
        outcomes.append(_outcome(form, outcome))
    frame = made_frame(made)
    return Applied(
        history(frame, state, corrections.declared),
        replaced(frame),
        pl.DataFrame(outcomes, schema=OUTCOME_TYPES, orient="row"),
        anomaly_frame(found),
        touched(frame),
        units(frame),
    )


def _outcome(form: Form, outcome: Outcome) -> tuple[object, ...]:
    declaration_id, version, state, codes = outcome
    told = " ".join(codes) if state == REFUSED else None
    return (
        form.filing_id, form.form_id, form.quarter, form.pid, declaration_id, version, state, told, form.received_at
    )  # fmt: skip


def _sums(state: State, corrections: Corrections) -> Amounts:
    """What units amount to, where the state tells it of any: then somebody may have to say why."""
    if state.amounts.is_empty():
        return {}

    def read(table: Table, columns: Sequence[str]) -> pl.DataFrame:
        return corrections.declared[table.name].select(columns).with_columns(version=pl.lit(0, pl.Int16))

    both = pl.concat([state.amounts, amounts(state.tables, read)]).select(list(AMOUNT_TYPES))
    return {row[:4]: (row[4], row[5]) for row in both.iter_rows()}


def _commit(form: Form, declaration: Declaration, found: list[Steps]) -> list[Made]:
    """Bring a declaration to its next version; the new rows of its units."""
    version = declaration.version + 1
    # A correction that came before its original is known from then on: versions follow each other in time too.
    declaration.known_from = max(declaration.known_from, form.received_at)
    rows: list[Made] = []

    def make(unit: Unit, status: int, form_ordinal: int | None) -> None:
        own = unit.ordinal if unit.table == PERSON else unit.person
        rows.append(
            Made(
                declaration.quarter, declaration.declaration_id, version, form.form_id, unit.table, own, unit.ordinal,
                status, unit.version, form_ordinal, form.filing_id, declaration.known_from,
                unit.place.form_id, unit.place.ordinal, unit.place.version,
                declaration.holiday if unit.table == DECLARATION else None,
            )
        )  # fmt: skip
        unit.version, unit.in_force = version, status != CANCELLED

    for part in found:
        if not part.steps:
            continue
        person = part.person
        if person is not None and person.unit.version is None:
            person.unit.ordinal = declaration.next_ordinal(PERSON)
            declaration.persons[person.inss] = person
        before = len(part.group.in_force)
        _settle(declaration, part, make)
        if person is None or part.asked is None:
            declaration.in_force += len(part.group.in_force) - before
        else:
            was = person.unit.in_force
            make(person.unit, _status(person.unit, bool(part.group.in_force)), part.asked.ordinal)
            person.versions.add(version)
            declaration.in_force += person.unit.in_force - was
    if form.holiday is not None:
        declaration.holiday = form.holiday
    make(declaration.top, _status(declaration.top, declaration.in_force > 0), 0)
    return rows


def _settle(declaration: Declaration, part: Steps, make: Make) -> None:
    """Bring the units of a group to their new situation; keys are freed before any is taken."""
    for step in part.steps:
        if step.unit is not None:
            part.group.release(step.unit)
    for step in part.steps:
        unit = step.unit
        if unit is None:
            table = step.asked.table
            person = None if part.person is None else part.person.unit.ordinal
            unit = Unit(table, person, declaration.next_ordinal(table), step.key, step.place)
        unit.key, unit.place = step.key, step.place
        if step.status != CANCELLED:
            unit.mark = step.asked.mark
        make(unit, step.status, step.asked.ordinal)
        part.group.take(unit)


def _status(unit: Unit, in_force: bool) -> int:
    """Status of a unit that follows from what it holds."""
    if not in_force:
        return CANCELLED
    if unit.version is None:
        return NEW
    return CHANGED if unit.in_force else REACTIVATED
