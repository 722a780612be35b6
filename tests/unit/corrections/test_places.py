"""Where the blocks of a Form stand in the declaration that it corrects."""

from __future__ import annotations

import polars as pl

from dmfa.anomaly import Anomaly, anomaly_frame
from dmfa.corrections.apply import apply
from dmfa.corrections.places import PLACE_TYPES, flagged, places
from dmfa.corrections.shape import CHANGE, CREATE, DELETE, UNCHANGED
from dmfa.corrections.state import state_of
from tests.unit.corrections.material import (
    ANN,
    BOB,
    CAS,
    TABLES,
    Asking,
    Content,
    Kept,
    Occupation,
    corrections_of,
    original,
    paid,
)

CLERK, LABOURER, STUDENT = ("000", "495"), ("000", "015"), ("000", "840")
DECLARATION = 1

Place = tuple[int, int | None, int]
"""Ordinal in the Form, person and ordinal in the declaration."""


def kept() -> Kept:
    """Ann with four lines of one pay each (ordinals 0 to 3), Bob with one (4); two vehicles."""
    ann = {CLERK: paid(1), LABOURER: paid(2), STUDENT: paid(3), ("000", "027"): paid(4)}
    return Kept.of(original({ANN: ann, BOB: {CLERK: paid(5)}}, vehicles=[(1, "1ABC001"), (2, "1ABC002")]))


def placed(history: Kept, *forms: Asking, wanted: tuple[int, ...] | None = None) -> pl.DataFrame:
    """Apply Forms, keep what they bring, and tell where their blocks stand."""
    asked, filings = corrections_of(*forms)
    found = apply(state_of(asked, filings, history, TABLES), asked, filings)
    history.add(found)
    ids = pl.Series([form.form_id for form in forms] if wanted is None else wanted, dtype=pl.Int64)
    made = places(found, asked, ids, TABLES)
    assert made.schema == PLACE_TYPES
    assert set(made["declaration_id"]) <= {DECLARATION}
    return made


def of(block: str, found: pl.DataFrame) -> list[Place]:
    rows = found.filter(pl.col("block") == block).sort("place")
    return rows.select("place", "natural_person_ordinal", "ordinal").rows()


def amounts(history: Kept, found: pl.DataFrame) -> dict[int, int]:
    """By its place in the Form, the amount of the pay that stands where the place says."""
    rows = found.filter(pl.col("block") == "Remun").join(
        history.tables["remun"],
        left_on=["declaration_id", "version", "natural_person_ordinal", "ordinal"],
        right_on=["declaration_id", "version", "natural_person_ordinal", "remun_ordinal"],
    )
    assert rows.height == found.filter(pl.col("block") == "Remun").height
    return dict(rows.select("place", "remun_amount").iter_rows())


def test_units_of_several_persons_stand_under_the_ordinals_that_they_have() -> None:
    history = kept()
    form = Asking(5001)
    form.line(form.person(CAS), CREATE, CLERK, paid(70))
    form.line(form.person(BOB, 1), CHANGE, CLERK, paid(71), version=1)
    ann = form.person(ANN, 1)
    form.line(ann, CHANGE, STUDENT, paid(72), version=1)
    form.line(ann, CHANGE, LABOURER, paid(73), version=1)
    found = placed(history, form)
    assert of("EmployerDeclarationUpdate", found) == [(0, None, 0)]
    assert of("NaturalPersonUpdate", found) == [(0, 2, 2), (1, 1, 1), (2, 0, 0)]
    assert of("WorkerRecordUpdateAction", found) == [(0, 2, 5), (1, 1, 4), (2, 0, 2), (3, 0, 1)]
    assert [person for _, person, _ in of("OccupationUpdate", found)] == [2, 1, 0, 0]
    assert amounts(history, found) == {0: 70, 1: 71, 2: 72, 3: 73}
    assert set(found["version"]) == {2}
    assert set(found["quarter"]) == {20263}


def test_what_stands_below_a_line_left_as_it_is_or_deleted_moves_nothing() -> None:
    history = kept()
    form = Asking(5001)
    ann = form.person(ANN, 1)
    pair = Content((Occupation((("001", 70), ("002", 71))), Occupation((("001", 72),))))
    form.line(ann, CHANGE, STUDENT, pair, version=1)
    form.line(ann, UNCHANGED, CLERK, Content((Occupation((("001", 1), ("002", 9))),)), version=1)
    form.line(ann, DELETE, LABOURER, paid(2), version=1)
    form.line(ann, CHANGE, ("000", "027"), paid(73), version=1)
    bob = form.person(BOB, 1)
    form.line(bob, UNCHANGED, CLERK, paid(5), version=1)
    found = placed(history, form)
    assert of("NaturalPersonUpdate", found) == [(0, 0, 0)], "of Bob there is no new row"
    assert of("WorkerRecordUpdateAction", found) == [(0, 0, 2), (2, 0, 1), (3, 0, 3)]
    assert [place for place, *_ in of("OccupationUpdate", found)] == [0, 1, 4]
    assert amounts(history, found) == {0: 70, 1: 71, 2: 72, 6: 73}


def test_blocks_of_several_tables_below_lines_each_count_for_themselves() -> None:
    history = kept()
    whole = Content(
        (Occupation((("001", 7),), (("3000", 9, None), ("0601", 7, 2)), 206731645), Occupation(user=206731646)),
        (("495", 0, 26), ("855", 0, 3)),
        student=5,
        student_user=206731647,
    )
    form = Asking(5001)
    ann = form.person(ANN, 1)
    form.line(ann, UNCHANGED, CLERK, whole, version=1)
    form.line(ann, CHANGE, STUDENT, whole, version=1)
    found = placed(history, form)
    zones = {
        "UsingEmployer": ("using_employer", "using_employer_company_id"),
        "WorkerContribution": ("worker_contribution", "contribution_amount"),
        "OccupationDeduction": ("occupation_deduction", "deduction_amount"),
        "OccupationDeductionDetail": ("occupation_deduction_detail", "deduction_detail_sequence_nbr"),
        "StudentContribution": ("student_contribution", "student_contribution_amount"),
    }
    told = {}
    for block, (table, zone) in zones.items():
        rows = dict(history.tables[table].filter(version=2).select(f"{table}_ordinal", zone).iter_rows())
        told[block] = {place: rows[own] for place, _, own in of(block, found)}
    assert told == {
        "UsingEmployer": {3: 206731645, 4: 206731646, 5: 206731647},
        "WorkerContribution": {2: 26, 3: 3},
        "OccupationDeduction": {2: 9, 3: 7},
        "OccupationDeductionDetail": {1: 2},
        "StudentContribution": {1: 5},
    }


def test_vehicles_and_what_else_is_beside_persons() -> None:
    history = kept()
    form = Asking(5001)
    form.vehicle(CREATE, 3, "1ABC003")
    form.vehicle(CHANGE, 2, "1ABC002", version=1)
    form.unrelated(CREATE, ("000", "870"), 5)
    form.compensation(CREATE, 6)
    found = placed(history, form)
    assert of("CompanyVehicleUpdateAction", found) == [(0, None, 2), (1, None, 1)]
    assert of("CUNPUpdateAction", found) == of("EmpCompensationUpdateAction", found) == [(0, None, 0)]
    assert found.height == 5


def test_each_form_has_its_own_places_and_only_those_asked_for_have_any() -> None:
    history = kept()
    first, second = Asking(5001), Asking(5002, index=1)
    first.line(first.person(ANN, 1), CHANGE, LABOURER, paid(70), version=1)
    ann = second.person(ANN, 2)
    second.line(ann, CHANGE, CLERK, paid(71), version=1)
    second.line(ann, CHANGE, LABOURER, paid(72), version=2)
    found = placed(history, first, second)
    assert amounts(history, found.filter(form_id=5001)) == {0: 70}
    assert amounts(history, found.filter(form_id=5002)) == {0: 71, 1: 72}
    assert set(found.select("form_id", "version").iter_rows()) == {(5001, 2), (5002, 3)}
    third, fourth = Asking(5003, 9001), Asking(5004, 9001, index=1)
    third.line(third.person(BOB, 1), CHANGE, CLERK, paid(8), version=1)
    fourth.line(fourth.person(BOB, 1), CHANGE, CLERK, paid(9), version=1)
    found = placed(history, third, fourth, wanted=(5004,))
    assert found.is_empty(), "it was refused: it quotes a version that is not the last"
    assert history.tables["employer_declaration"]["version"].max() == 4


def test_forms_with_what_is_to_be_put_right_are_told() -> None:
    rows = [Anomaly(1, "00070-008", "Invented", kind, number) for number, kind in enumerate(("B", "P", "W", "NP", "D"))]
    assert sorted(flagged(anomaly_frame([*rows, rows[1]]))) == [1, 3]
