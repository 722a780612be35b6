"""Numbers of persons and employers that were replaced."""

from __future__ import annotations

from datetime import timedelta

import polars as pl

from dmfa.corrections.replacement import MERGES, NOWHERE, REPLACED, Replacement, replace_numbers
from dmfa.corrections.shape import CHANGE, DELETE
from dmfa.corrections.state import state_of_numbers
from tests.unit.corrections.material import (
    ANN,
    BOB,
    CAS,
    NUMBER,
    QUARTER,
    STARTED,
    TABLES,
    Asking,
    Kept,
    contents,
    original,
    paid,
    pid_of,
)
from tests.unit.corrections.test_apply import CLERK, applied, status

WHEN = STARTED + timedelta(days=30)
DAN = 80010100139


def kept() -> Kept:
    return Kept.of(
        original({ANN: {CLERK: paid(1)}, BOB: {CLERK: paid(2)}}),
        original({ANN: {CLERK: paid(3)}}, 2, 20262),
        original({BOB: {CLERK: paid(4)}}, 3, number=200008),
    )


def replaced(history: Kept, *told: tuple[str, int, int]) -> Replacement:
    rows = pl.DataFrame(told, schema=["kind", "old", "new"], orient="row")
    found = replace_numbers(state_of_numbers(rows, history, TABLES), rows, 88, WHEN)
    history.add(found.applied)
    return found


def told(found: Replacement) -> list[tuple[object, ...]]:
    return found.decisions.select("place", "declaration_id", "version", "decision").rows()


def numbers(history: Kept) -> dict[int, list[int]]:
    rows = history.in_force()["natural_person"].sort("declaration_id", "natural_person_ordinal")
    return {own: rows.filter(pl.col("declaration_id") == own)["inss"].to_list() for own in (1, 2, 3)}


def test_a_person_has_the_new_number_everywhere_and_the_old_one_in_history():
    history = kept()
    found = replaced(history, ("inss", ANN, CAS))
    assert told(found) == [(0, 1, 2, REPLACED), (0, 2, 2, REPLACED)]
    assert numbers(history) == {1: [CAS, BOB], 2: [CAS], 3: [BOB]}
    assert contents(history.in_force())[1] == {CAS: {"000|495": paid(1)}, BOB: {"000|495": paid(2)}}
    assert history.in_force(version=1)["natural_person"]["inss"].sort().to_list() == sorted([ANN, BOB, ANN, BOB])
    assert set(found.applied.rows) == {"natural_person", "employer_declaration"}
    rows = found.applied.rows["natural_person"]
    columns = ("declaration_id", "natural_person_ordinal", "version", "status", "filing_id", "known_from")
    assert rows.select(columns).rows() == [(1, 0, 2, 1, 88, WHEN), (2, 0, 2, 1, 88, WHEN)]
    assert status(history, "worker_record") == (1, 0)


def test_a_correction_quotes_the_identifiers_of_before_under_the_new_number_or_the_old():
    history = kept()
    replaced(history, ("inss", ANN, CAS), ("noss_registration_nbr", NUMBER, 300001))
    old, new = Asking(5001), Asking(5002, 9001, number=300001, pid=pid_of())
    old.line(old.person(ANN, 2), CHANGE, CLERK, paid(11), version=1)
    new.line(new.person(CAS, 3), CHANGE, CLERK, paid(12), version=3)
    new.asked[0] |= identified(ANN)
    found = applied(history, old, new)
    assert found.outcomes.select("state", "version", "codes").rows() == [("applied", 3, None), ("applied", 4, None)]
    assert found.anomalies["code"].to_list() == ["90220-252"]
    assert contents(history.in_force())[1][CAS] == {"000|495": paid(12)}


def test_an_employer_has_the_new_number_in_every_quarter():
    history = kept()
    found = replaced(history, ("noss_registration_nbr", NUMBER, 300001), ("company_id", 206731645, 123))
    assert told(found) == [
        (0, 1, 2, REPLACED),
        (0, 2, 2, REPLACED),
        (1, 1, 2, REPLACED),
        (1, 2, 2, REPLACED),
        (1, 3, 2, REPLACED),
    ]
    top = history.in_force()["employer_declaration"].sort("declaration_id")
    columns = ("declaration_id", "noss_registration_nbr", "company_id", "version", "status")
    assert top.select(columns).rows() == [(1, 300001, 123, 2, 1), (2, 300001, 123, 2, 1), (3, 200008, 123, 2, 1)]
    assert set(found.applied.rows) == {"employer_declaration"}


def test_two_persons_of_a_declaration_never_become_one():
    history = kept()
    found = replaced(history, ("inss", ANN, BOB))
    assert told(found) == [(0, 1, None, MERGES), (0, 2, 2, REPLACED)]
    assert numbers(history) == {1: [ANN, BOB], 2: [BOB], 3: [BOB]}
    # Neither may take the same number, nor one that its owner has to keep for that.
    found = replaced(history, ("inss", BOB, DAN), ("inss", ANN, DAN), ("inss", CAS, ANN))
    assert told(found)[:2] == [(0, 1, None, MERGES), (0, 2, 3, REPLACED)]
    assert numbers(history) == {1: [ANN, BOB], 2: [DAN], 3: [DAN]}


def test_who_has_to_keep_a_number_keeps_another_from_getting_it():
    history = Kept.of(original({inss: {CLERK: paid(1)} for inss in (ANN, BOB, CAS)}))
    found = replaced(history, ("inss", ANN, BOB), ("inss", BOB, DAN), ("inss", CAS, DAN))
    assert told(found) == [(0, 1, None, MERGES), (1, 1, None, MERGES), (2, 1, None, MERGES)]
    assert (found.applied.rows, numbers(history)[1]) == ({}, [ANN, BOB, CAS])


def test_of_two_persons_who_had_a_number_the_one_in_force_is_meant():
    history = Kept.of(original({inss: {CLERK: paid(1)} for inss in (ANN, BOB)}))
    form = Asking(5001)
    form.line(form.person(BOB, 1), DELETE, CLERK, version=1)
    applied(history, form)
    assert told(replaced(history, ("inss", ANN, BOB))) == [(0, 1, 3, REPLACED)]
    form = Asking(5002, 9001)
    form.line(form.person(BOB, 3), CHANGE, CLERK, paid(2), version=1)
    form.asked[0] |= identified(ANN)
    assert applied(history, form).outcomes.select("state", "codes").rows() == [("applied", None)]
    assert contents(history.in_force())[1] == {BOB: {"000|495": paid(2)}}


def identified(inss: int) -> dict[str, int]:
    """The identifiers of a person, which follow from the first number."""
    form = Asking(0)
    form.person(inss, 1)
    return {name: form.asked[0][name] for name in ("natural_person_pid", "declared_person_pid")}


def test_numbers_may_move_on_from_one_person_to_another():
    history = kept()
    replaced(history, ("inss", ANN, BOB), ("inss", BOB, ANN))
    assert numbers(history) == {1: [BOB, ANN], 2: [BOB], 3: [ANN]}
    # Whoever has the number now is meant by it.
    form = Asking(5001)
    person = form.person(ANN, 2)
    form.asked[0] |= dict.fromkeys(("natural_person_pid", "declared_person_pid"))
    form.line(person, DELETE, CLERK, version=1)
    found = applied(history, form)
    assert found.outcomes["codes"].to_list() == ["00548-001 00549-001"]
    assert found.anomalies["block_ordinal"].to_list() == [0, 0]


def test_what_is_declared_nowhere_or_no_more_is_told():
    history = kept()
    form = Asking(5001, quarter=20262)
    form.line(form.person(ANN, 1), DELETE, CLERK, version=1)
    applied(history, form)
    found = replaced(history, ("inss", DAN, CAS), ("inss", ANN, CAS), ("noss_registration_nbr", 5, 6))
    assert told(found) == [(0, None, None, NOWHERE), (1, 1, 2, REPLACED), (2, None, None, NOWHERE)]
    assert QUARTER in found.applied.touched["quarter"]
    nothing = replaced(history, ("inss", DAN, CAS))
    assert (nothing.applied.rows, nothing.applied.replaced.height) == ({}, 0)
