"""Applying corrections: what becomes of lines, persons, vehicles and declarations."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import polars as pl

from dmfa.corrections.applied import Applied
from dmfa.corrections.apply import apply
from dmfa.corrections.shape import CHANGE, CREATE, DELETE, UNCHANGED
from dmfa.corrections.state import state_of
from tests.unit.corrections.material import (
    ANN,
    BOB,
    CAS,
    QUARTER,
    STARTED,
    TABLES,
    Asking,
    Content,
    Kept,
    Occupation,
    contents,
    corrections_of,
    original,
    paid,
)

CLERK, LABOURER, STUDENT = ("000", "495"), ("000", "015"), ("000", "840")

DAN = 80010100139


def kept(**others: object) -> Kept:
    people = {ANN: {CLERK: paid(100, contributions=(("495", 0, 25),)), LABOURER: paid(70)}, BOB: {CLERK: paid(200)}}
    return Kept.of(original(people, **others))  # type: ignore[arg-type]


def applied(history: Kept, *forms: Asking, **how: object) -> Applied:
    """Apply Forms, keep what they bring, and tell what became of them."""
    asked, filings = corrections_of(*forms)
    found = apply(state_of(asked, filings, history, TABLES), asked, filings, **how)  # type: ignore[arg-type]
    history.add(found)
    return found


def verdicts(found: Applied) -> list[tuple[object, ...]]:
    return found.outcomes.select("form_id", "state", "version", "codes").rows()


def status(history: Kept, table: str, ordinal: int = 0) -> tuple[int, int]:
    """Version and status of the last row of a unit."""
    rows = history.tables[table]
    if table != "employer_declaration":
        rows = rows.filter(pl.col(f"{table}_ordinal") == ordinal)
    return rows.sort("version").select("version", "status").rows()[-1]  # type: ignore[return-value]


def test_a_changed_line_is_whole_what_the_form_says_and_the_others_stay_as_they_were():
    history = kept()
    form = Asking(5001)
    new = Content(
        (Occupation((("001", 5), ("002", 6)), (("3000", 9, None), ("0601", 7, 2)), 206731645), Occupation()),
        (("495", 0, 26), ("855", 0, 3)),
    )
    form.line(form.person(ANN, 1), CHANGE, CLERK, new, version=1)
    assert verdicts(applied(history, form)) == [(5001, "applied", 2, None)]
    then = contents(history.in_force())[1]
    assert then == {ANN: {"000|495": new, "000|015": paid(70)}, BOB: {"000|495": paid(200)}}
    assert status(history, "worker_record", 0) == (2, 1)
    assert status(history, "worker_record", 1) == (1, 0)
    assert (status(history, "natural_person", 0), status(history, "natural_person", 1)) == ((2, 1), (1, 0))
    assert status(history, "employer_declaration") == (2, 1)


def test_blocks_below_a_line_take_numbers_that_none_has_had():
    history = kept()
    form = Asking(5001)
    student = Content((Occupation(user=1),), student=5, student_user=2)
    form.line(form.person(ANN, 1), CHANGE, CLERK, student, version=1)
    applied(history, form)
    form = Asking(5002, 9001, received_at=STARTED + timedelta(days=2))
    form.line(form.person(ANN, 2), CHANGE, CLERK, student, version=2)
    applied(history, form)
    occupations = history.tables["occupation"].sort("occupation_ordinal")
    assert occupations["occupation_ordinal"].to_list() == [0, 1, 2, 3, 4]
    assert occupations["version"].to_list() == [1, 1, 1, 2, 3]
    users = history.tables["using_employer"].filter(pl.col("version") == 3).sort("using_employer_ordinal")
    columns = ("using_employer_ordinal", "occupation_ordinal", "student_contribution_ordinal")
    assert users.select(columns).rows() == [(2, 4, None), (3, None, 1)]


def test_a_line_may_move_to_another_class_or_code_and_two_may_change_places():
    history = kept()
    form = Asking(5001)
    ann = form.person(ANN, 1)
    form.line(ann, CHANGE, LABOURER, paid(1), last=CLERK, version=1)
    form.line(ann, CHANGE, CLERK, paid(2), last=LABOURER, version=1)
    assert verdicts(applied(history, form)) == [(5001, "applied", 2, None)]
    assert contents(history.in_force())[1][ANN] == {"000|015": paid(1), "000|495": paid(2)}
    lines = history.tables["worker_record"].filter(pl.col("version") == 2).sort("worker_record_ordinal")
    assert lines.select("worker_record_ordinal", "worker_code").rows() == [(0, "015"), (1, "495")]


def test_a_line_left_as_it_is_gets_no_row_and_neither_does_its_person():
    history = kept()
    form = Asking(5001)
    form.line(form.person(ANN, 1), UNCHANGED, CLERK, version=1)
    assert verdicts(applied(history, form)) == [(5001, "applied", 2, None)]
    assert status(history, "natural_person") == (1, 0)
    assert status(history, "employer_declaration") == (2, 1)
    assert contents(history.in_force()) == contents(kept().in_force())


def test_the_last_line_takes_the_person_along_and_the_last_person_the_declaration():
    history = kept()
    form = Asking(5001)
    ann = form.person(ANN, 1)
    form.line(ann, DELETE, CLERK, version=1)
    form.line(ann, DELETE, LABOURER, version=1)
    applied(history, form)
    assert (status(history, "natural_person"), status(history, "employer_declaration")) == ((2, 3), (2, 1))
    form = Asking(5002, 9001)
    form.line(form.person(BOB, 1), DELETE, CLERK, version=1)
    assert verdicts(applied(history, form)) == [(5002, "applied", 3, None)]
    assert status(history, "employer_declaration") == (3, 3)
    assert all(rows.is_empty() for rows in history.in_force().values())
    cancelled = history.tables["worker_record"].filter(pl.col("status") == 3)
    assert cancelled["worker_code"].sort().to_list() == ["015", "495", "495"]
    assert history.tables["occupation"]["version"].to_list() == [1, 1, 1]


def test_what_was_cancelled_comes_back_under_its_number():
    history = kept()
    form = Asking(5001)
    form.line(form.person(BOB, 1), DELETE, CLERK, version=1)
    applied(history, form)
    form = Asking(5002, 9001)
    bob = form.person(BOB)
    form.line(bob, CREATE, CLERK, paid(300))
    form.line(bob, CREATE, LABOURER, paid(4))
    assert verdicts(applied(history, form)) == [(5002, "applied", 3, None)]
    assert status(history, "natural_person", 1) == (3, 4)
    assert (status(history, "worker_record", 2), status(history, "worker_record", 3)) == ((3, 4), (3, 0))
    assert contents(history.in_force())[1][BOB] == {"000|495": paid(300), "000|015": paid(4)}
    bob = history.in_force()["natural_person"].filter(pl.col("inss") == BOB)
    assert bob["natural_person_sequence_nbr"].to_list() == [1]


def test_a_line_that_came_back_and_moved_on_is_not_taken_up_again():
    forms = [Asking(5001 + place, 9001 + place) for place in range(5)]
    forms[0].line(forms[0].person(BOB, 1), DELETE, CLERK, version=1)
    forms[1].line(forms[1].person(BOB), CREATE, CLERK, paid(1))
    forms[2].line(forms[2].person(BOB, 3), CHANGE, STUDENT, paid(2), last=CLERK, version=3)
    forms[3].line(forms[3].person(BOB, 4), CREATE, CLERK, paid(3))
    bob = forms[4].person(BOB, 5)
    forms[4].line(bob, DELETE, STUDENT, version=4)
    forms[4].line(bob, DELETE, CLERK, version=5)
    at_once, apart = kept(), kept()
    assert set(applied(at_once, *forms).outcomes["state"]) == {"applied"}
    for form in forms:
        applied(apart, form)
    for history in (at_once, apart):
        lines = history.tables["worker_record"].filter(pl.col("version") > 1).sort("version", "worker_record_ordinal")
        assert lines.select("version", "worker_record_ordinal", "worker_code", "status").rows() == [
            (2, 2, "495", 3),
            (3, 2, "495", 4),
            (4, 2, "840", 1),
            (5, 3, "495", 0),
            (6, 2, "840", 3),
            (6, 3, "495", 3),
        ]


def test_of_two_lines_that_had_the_same_class_and_code_the_one_cancelled_last_comes_back():
    forms = [Asking(5001 + place, 9001 + place) for place in range(4)]
    forms[0].line(forms[0].person(ANN, 1), DELETE, CLERK, version=1)
    forms[1].line(forms[1].person(ANN, 2), CHANGE, CLERK, paid(1), last=LABOURER, version=1)
    forms[2].line(forms[2].person(ANN, 3), DELETE, CLERK, version=3)
    forms[3].line(forms[3].person(ANN), CREATE, CLERK, paid(4))
    at_once, apart = kept(), kept()
    applied(at_once, *forms)
    for form in forms:
        applied(apart, form)
    for history in (at_once, apart):
        lines = history.in_force()["worker_record"].filter(pl.col("natural_person_ordinal") == 0)
        assert lines.select("worker_record_ordinal", "version", "status").rows() == [(1, 5, 4)]


def test_a_declaration_stands_as_long_as_anything_in_it_does():
    history = Kept.of(original({BOB: {CLERK: paid(1)}}, unrelated=[("000", "870", 5)], vehicles=[(1, "1-A")]))
    for place, ask in enumerate(
        (
            lambda form: form.line(form.person(BOB, 1), DELETE, CLERK, version=1),
            lambda form: form.vehicle(DELETE, 1, "1-A", 1),
            lambda form: form.unrelated(DELETE, ("000", "870"), 5, version=1),
        )
    ):
        form = Asking(5001 + place, 9001 + place)
        ask(form)
        applied(history, form)
        assert status(history, "employer_declaration") == (place + 2, 3 if place == 2 else 1)


def test_the_order_of_rows_in_frames_tells_nothing():
    form = Asking(5001)
    form.line(form.person(CAS), CREATE, CLERK, Content((Occupation((("001", 1), ("002", 2))), Occupation(user=3))))
    dan = form.person(DAN)
    form.line(dan, CREATE, LABOURER, paid(4))
    form.line(dan, CREATE, CLERK, paid(5))
    asked, filings = corrections_of(form)
    turned = replace(
        asked, asked=asked.asked.reverse(), declared={name: rows.reverse() for name, rows in asked.declared.items()}
    )
    history = kept()
    state = state_of(asked, filings, history, TABLES)
    first, second = (apply(state, one, filings) for one in (asked, turned))
    for name, rows in first.rows.items():
        assert rows.equals(second.rows[name])
    assert first.rows["natural_person"]["inss"].to_list() == [CAS, DAN]
    assert first.rows["remun"]["remun_ordinal"].to_list() == [3, 4, 5, 6, 7]


def test_a_line_deleted_and_created_in_one_form_is_another_line():
    history = kept()
    form = Asking(5001)
    bob = form.person(BOB, 1)
    form.line(bob, DELETE, CLERK, version=1)
    form.line(bob, CREATE, CLERK, paid(3))
    applied(history, form)
    assert (status(history, "worker_record", 2), status(history, "worker_record", 3)) == ((2, 3), (2, 0))
    assert (status(history, "natural_person", 1), contents(history.in_force())[1][BOB]) == (
        (2, 1),
        {"000|495": paid(3)},
    )


def test_a_person_who_was_not_declared_takes_the_next_number_and_may_be_corrected_at_once():
    history = kept()
    first, second = Asking(5001), Asking(5002, 9001, received_at=STARTED + timedelta(days=2))
    first.line(first.person(CAS), CREATE, STUDENT, paid(5))
    second.line(second.person(CAS, 2), CHANGE, STUDENT, paid(6), version=2)
    # Order of receipt counts, not the order in which they are given.
    assert verdicts(applied(history, second, first)) == [(5001, "applied", 2, None), (5002, "applied", 3, None)]
    cas = history.tables["natural_person"].filter(pl.col("inss") == CAS).sort("version")
    columns = ("natural_person_ordinal", "version", "status", "filing_id")
    assert cas.select(columns).rows() == [(2, 2, 0, 9000), (2, 3, 1, 9001)]
    assert contents(history.in_force())[1][CAS] == {"000|840": paid(6)}
    assert contents(history.in_force(version=2))[1][CAS] == {"000|840": paid(5)}


def test_vehicles_contributions_and_the_compensation_have_versions_of_their_own():
    history = kept(vehicles=[(1, "1-ABC-001"), (2, "1-ABC-002")], unrelated=[("000", "870", 5)], compensation=7)
    form = Asking(5001)
    form.vehicle(CHANGE, 1, "1-ABC-001", 1)
    form.vehicle(DELETE, 2, "1-ABC-002", 1)
    form.vehicle(CREATE, 3, "1-ABC-003")
    form.unrelated(CHANGE, ("000", "871"), 6, last="000|870", version=1)
    form.unrelated(CREATE, ("000", "870"), 8)
    form.compensation(DELETE, 7, 1)
    found = applied(history, form)
    assert verdicts(found) == [(5001, "applied", 2, None)]
    assert found.touched["natural_person_ordinal"].to_list() == [None]
    vehicles = history.in_force()["company_vehicle"].sort("company_vehicle_ordinal")
    assert vehicles.select("company_vehicle_ordinal", "license_plate", "version", "status").rows() == [
        (0, "1-ABC-001", 2, 1),
        (2, "1-ABC-003", 2, 0),
    ]
    unrelated = history.in_force()["contribution_unrelated_to_np"].sort("contribution_unrelated_to_np_ordinal")
    assert unrelated.select("unrelated_worker_code", "unrelated_amount", "status").rows() == [
        ("871", 6, 1),
        ("870", 8, 0),
    ]
    assert status(history, "employer_compensation") == (2, 3)
    assert status(history, "natural_person") == (1, 0)


def test_a_declaration_without_persons_ends_with_its_last_contribution_and_comes_back():
    history = Kept.of(original({}, unrelated=[("000", "870", 5)]))
    form = Asking(5001)
    form.unrelated(DELETE, ("000", "870"), 5, version=1)
    applied(history, form)
    assert status(history, "employer_declaration") == (2, 3)
    form = Asking(5002)
    form.line(form.person(ANN), CREATE, CLERK, paid(5))
    applied(history, form)
    assert status(history, "employer_declaration") == (3, 4)


def test_the_holiday_date_is_corrected_and_the_net_amount_stays_as_declared():
    history = kept()
    form = Asking(5001)
    form.writer.rows["employer_declaration"][0] |= {"holiday_starting_date": STARTED.date(), "net_owed_amount": None}
    form.line(form.person(ANN, 1), UNCHANGED, CLERK, version=1)
    quiet = Asking(5002, 9001)
    quiet.line(quiet.person(ANN, 1), UNCHANGED, CLERK, version=1)
    applied(history, form, quiet)
    top = history.tables["employer_declaration"].sort("version")
    assert top["holiday_starting_date"].to_list() == [None, STARTED.date(), STARTED.date()]
    assert top["net_owed_amount"].to_list() == [0, 0, 0]


def test_a_form_without_its_original_waits_and_one_with_another_identifier_is_refused():
    history = kept()
    waiting, wrong = Asking(5001, number=200008), Asking(5002, pid=17)
    for form in (waiting, wrong):
        form.line(form.person(ANN, 1), CHANGE, CLERK, paid(1), version=1)
    found = applied(history, waiting, wrong)
    assert verdicts(found) == [(5001, "waiting", None, None), (5002, "refused", None, "00534-182")]
    assert found.rows == {}
    assert found.outcomes["declaration_id"].to_list() == [None, None]


def test_a_form_is_applied_whole_or_not_at_all_and_the_next_one_goes_on():
    history = kept()
    bad, good = Asking(5001), Asking(5002, index=1)
    ann = bad.person(ANN, 1)
    bad.line(ann, CHANGE, CLERK, paid(1), version=1)
    bad.line(ann, DELETE, LABOURER, version=5)
    good.line(good.person(BOB, 1), CHANGE, CLERK, paid(9), version=1)
    assert verdicts(applied(history, bad, good)) == [
        (5001, "refused", None, "00610-182"),
        (5002, "applied", 2, None),
    ]
    assert contents(history.in_force())[1][ANN] == contents(kept().in_force())[1][ANN]


def test_rows_tell_when_they_were_known_and_what_they_replaced_until_when():
    history = kept()
    form = Asking(5001)
    form.line(form.person(ANN, 1), CHANGE, CLERK, paid(1), version=1)
    found = applied(history, form)
    assert {tuple(rows.select("filing_id", "known_from").unique().rows()) for rows in found.rows.values()} == {
        ((9000, form.received_at),)
    }
    assert found.replaced.select("unit", "ordinal", "version", "ended_by", "filing_id", "known_until").rows() == [
        ("worker_record", 0, 1, 2, 9000, form.received_at),
        ("natural_person", 0, 1, 2, 9000, form.received_at),
        ("employer_declaration", 0, 1, 2, 9000, form.received_at),
    ]
    before = form.received_at - timedelta(seconds=1)
    assert contents(history.in_force(at=before)) == contents(kept().in_force())
    assert contents(history.in_force(at=form.received_at)) == contents(history.in_force())


def test_a_correction_that_came_before_its_original_is_known_from_then_on():
    later = STARTED + timedelta(days=9)
    history = kept(known_from=later)
    early, after = Asking(5001), Asking(5002, 9001, received_at=later + timedelta(days=1))
    early.line(early.person(ANN, 1), CHANGE, CLERK, paid(1), version=1)
    after.line(after.person(ANN, 2), CHANGE, CLERK, paid(2), version=2)
    found = applied(history, early, after)
    assert found.rows["worker_record"]["known_from"].to_list() == [later, later + timedelta(days=1)]
    assert contents(history.in_force(at=later - timedelta(days=1))) == {}
    assert contents(history.in_force(at=later))[1][ANN]["000|495"] == paid(1)
    assert found.outcomes["received_at"].to_list() == [early.received_at, after.received_at]


def test_two_declarations_of_one_quarter_are_corrected_apart():
    history = Kept.of(
        original({ANN: {CLERK: paid(1)}}, 1), original({ANN: {CLERK: paid(2)}}, 2, number=200008), kept_elsewhere()
    )
    forms = [Asking(5001), Asking(5002, index=1, number=200008), Asking(5003, index=2, quarter=20262)]
    for form in forms:
        form.line(form.person(ANN, 1), CHANGE, CLERK, paid(form.form_id), version=1)
    applied(history, *forms)
    then = contents(history.in_force())
    assert {own: then[own][ANN]["000|495"] for own in then} == {1: paid(5001), 2: paid(5002), 3: paid(5003)}


def kept_elsewhere() -> dict[str, pl.DataFrame]:
    return original({ANN: {CLERK: paid(3)}}, 3, 20262)


def test_a_filing_may_hold_no_unit_at_all():
    asked, filings = corrections_of(Asking(5001))
    nothing = replace(
        asked, forms=asked.forms.clear(), declared={name: rows.clear() for name, rows in asked.declared.items()}
    )
    history = kept()
    found = apply(state_of(nothing, filings, history, TABLES), nothing, filings)
    assert (found.rows, found.outcomes.height, found.replaced.height) == ({}, 0, 0)
    assert QUARTER in history.tables["natural_person"]["quarter"]
