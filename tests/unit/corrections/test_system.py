"""Corrections by the institution: sure amounts become versions, others are proposed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import polars as pl

from dmfa.corrections.shape import CHANGE, DELETE
from dmfa.corrections.state import state_of_lines
from dmfa.corrections.system import APPLIED, NO_ZONE, OVERTAKEN, PROPOSED, SystemCorrection, system_correction
from tests.unit.corrections.material import (
    ANN,
    BOB,
    QUARTER,
    STARTED,
    TABLES,
    Asking,
    Content,
    Kept,
    Occupation,
    contents,
    original,
    paid,
)
from tests.unit.corrections.test_apply import CLERK, applied, status

WHEN = STARTED + timedelta(days=30)
WHOLE = Content(
    (Occupation((("001", 500),), (("3000", 40, None), ("0601", 9, 2))), Occupation((("002", 7),))),
    (("495", 0, 125), ("855", 0, 12)),
    student=3,
    student_user=8,
)
TYPES = dict.fromkeys(("quarter", "natural_person_ordinal", "worker_record_ordinal", "declared_ordinal"), pl.Int32)


def kept() -> Kept:
    people = {ANN: {CLERK: paid(100, contributions=(("495", 0, 25),))}, BOB: {CLERK: WHOLE}}
    return Kept.of(original(people, vehicles=[(1, "1-A")], unrelated=[("000", "870", 50)]))


def difference(table: str, place: int, declared: int | None, computed: int | None, **others: Any) -> dict[str, Any]:
    kind = "deduction" if "deduction" in table else "contribution"
    line = (None, None) if table in {"contribution_unrelated_to_np", "company_vehicle"} else (1, 1)
    keys = {
        "declaration_id": 1,
        "quarter": QUARTER,
        "natural_person_ordinal": line[0],
        "worker_record_ordinal": line[1],
    }
    told = {"declared_table": table, "declared_ordinal": place, "kind": kind, "code": "1", "type": 0}
    amounts = {"declared_cents": declared, "computed_cents": computed, "outcome": "differs", "trust": "A"}
    return {**keys, **told, **amounts, **others}


def corrected(history: Kept, *differences: dict[str, Any]) -> SystemCorrection:
    frame = pl.DataFrame(differences, schema_overrides={**TYPES, "computed_cents": pl.Int64})
    lines = frame.select("declaration_id", "quarter", "natural_person_ordinal", "worker_record_ordinal")
    found = system_correction(state_of_lines(lines, history, TABLES), frame, 77, WHEN)
    history.add(found.applied)
    return found


def test_a_line_becomes_a_version_with_the_computed_amounts_and_all_else_as_it_was():
    history = kept()
    found = corrected(
        history,
        difference("worker_contribution", 1, 125, 130),
        difference("occupation_deduction", 0, 40, 39),
        difference("student_contribution", 0, 3, 4),
    )
    assert contents(history.in_force())[1] == {
        ANN: {"000|495": paid(100, contributions=(("495", 0, 25),))},
        BOB: {
            "000|495": Content(
                (Occupation((("001", 500),), (("3000", 39, None), ("0601", 9, 2))), Occupation((("002", 7),))),
                (("495", 0, 130), ("855", 0, 12)),
                student=4,
                student_user=8,
            )
        },
    }
    assert contents(history.in_force(version=1)) == contents(kept().in_force())
    assert status(history, "worker_record", 1) == (2, 1)
    assert (status(history, "natural_person", 1), status(history, "natural_person", 0)) == ((2, 1), (1, 0))
    assert status(history, "employer_declaration") == (2, 1)
    told = found.decisions.select("zone", "version", "reason")
    assert told.rows() == [
        ("contribution_amount", 2, APPLIED),
        ("deduction_amount", 2, APPLIED),
        ("student_contribution_amount", 2, APPLIED),
    ]
    assert found.applied.touched["natural_person_ordinal"].to_list() == [1]
    new = found.applied.rows["worker_record"]
    assert new.select("filing_id", "known_from").rows() == [(77, WHEN)]
    assert found.applied.outcomes.is_empty()


def test_a_contribution_unrelated_to_a_person_is_corrected_alone():
    history = kept()
    found = corrected(history, difference("contribution_unrelated_to_np", 0, 50, 55))
    unrelated = history.in_force()["contribution_unrelated_to_np"]
    assert unrelated.select("unrelated_amount", "version", "status").rows() == [(55, 2, 1)]
    assert set(found.applied.rows) == {"contribution_unrelated_to_np", "employer_declaration"}
    assert found.applied.touched["natural_person_ordinal"].to_list() == [None]


def test_what_is_not_sure_is_proposed_and_changes_nothing():
    history = kept()
    found = corrected(
        history,
        difference("worker_contribution", 1, 125, 130, trust="B"),
        difference("company_vehicle", 0, 1, 2),
        difference("worker_contribution", 2, 13, 14),
        difference("worker_contribution", 99, 1, 14),
        difference("occupation_deduction", 0, 40, 40, outcome="equal"),
        difference("occupation_deduction", 1, 9, None, outcome="not computable"),
    )
    assert found.decisions.select("declared_table", "declared_ordinal", "version", "reason").rows() == [
        ("worker_contribution", 1, None, PROPOSED),
        ("company_vehicle", 0, None, NO_ZONE),
        ("worker_contribution", 2, None, OVERTAKEN),
        ("worker_contribution", 99, None, OVERTAKEN),
    ]
    assert found.applied.rows == {}
    assert status(history, "employer_declaration") == (1, 0)


def test_a_line_that_was_corrected_since_is_left_alone():
    history = kept()
    form = Asking(5001)
    form.line(form.person(BOB, 1), CHANGE, CLERK, WHOLE, version=1)
    applied(history, form)
    stale = corrected(history, difference("worker_contribution", 1, 125, 130))
    assert stale.decisions["reason"].to_list() == [OVERTAKEN]
    fresh = corrected(history, difference("worker_contribution", 3, 125, 130))
    assert fresh.decisions.select("version", "reason").rows() == [(3, APPLIED)]
    assert contents(history.in_force())[1][BOB]["000|495"].contributions == (("495", 0, 130), ("855", 0, 12))


def test_what_is_cancelled_is_not_corrected():
    history = kept()
    form = Asking(5001)
    form.unrelated(DELETE, ("000", "870"), 50, version=1)
    form.line(form.person(BOB, 1), DELETE, CLERK, version=1)
    applied(history, form)
    found = corrected(
        history, difference("contribution_unrelated_to_np", 0, 50, 55), difference("worker_contribution", 1, 125, 130)
    )
    assert found.decisions["reason"].to_list() == [OVERTAKEN, OVERTAKEN]
    assert found.applied.rows == {}


def test_declarations_have_versions_of_their_own():
    history = Kept.of(*(original({BOB: {CLERK: WHOLE}}, own, number=100006 + 100 * own) for own in (1, 2)))
    line = {"natural_person_ordinal": 0, "worker_record_ordinal": 0}
    corrected(history, difference("worker_contribution", 0, 125, 126, **line))
    both = [difference("worker_contribution", 1, 12, 13, declaration_id=own, **line) for own in (1, 2)]
    both[0]["declared_ordinal"] = 3
    found = corrected(history, *both)
    assert found.decisions.select("declaration_id", "version").rows() == [(1, 3), (2, 2)]
    then = contents(history.in_force())
    assert [then[own][BOB]["000|495"].contributions for own in (1, 2)] == [
        (("495", 0, 126), ("855", 0, 13)),
        (("495", 0, 125), ("855", 0, 13)),
    ]
