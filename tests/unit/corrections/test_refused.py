"""Corrections that may not be: they do not go out from the last situation, or from any, or come too late."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import polars as pl
import pytest

from dmfa.corrections.applied import Applied
from dmfa.corrections.shape import CHANGE, CREATE, DELETE, UNCHANGED
from dmfa.schema.catalogue import catalogue
from tests.unit.corrections.material import ANN, BOB, CAS, STARTED, Asking, Content, Kept, Occupation, original, paid
from tests.unit.corrections.test_apply import CLERK, LABOURER, applied, verdicts

Ask = Callable[[Asking], None]


def history() -> Kept:
    """Two persons, a vehicle and so on at version 1; the clerk's line of Ann is at version 2, that of Bob is gone."""
    people = {ANN: {CLERK: paid(100), LABOURER: paid(70)}, BOB: {CLERK: paid(200), LABOURER: paid(3)}}
    found = Kept.of(original(people, vehicles=[(1, "1-A")], unrelated=[("000", "870", 5)], compensation=7))
    form = Asking(1)
    form.line(form.person(ANN, 1), CHANGE, CLERK, paid(101), version=1)
    form.line(form.person(BOB, 1), DELETE, CLERK, version=1)
    assert applied(found, form).outcomes["state"].to_list() == ["applied"]
    return found


def line(action: int, key: tuple[str, str], *, of: int = ANN, person: int | None = 2, **told: object) -> Ask:
    def ask(form: Asking) -> None:
        form.line(form.person(of, person), action, key, paid(1), **told)  # type: ignore[arg-type]

    return ask


def both(*asks: Ask) -> Ask:
    def ask(form: Asking) -> None:
        for one in asks:
            one(form)

    return ask


def lines(*told: tuple[int, tuple[str, str], tuple[str, str] | None, int | None]) -> Ask:
    def ask(form: Asking) -> None:
        ann = form.person(ANN, 2)
        for action, key, last, version in told:
            form.line(ann, action, key, paid(1), last=last, version=version)

    return ask


def edited(ask: Ask, **facts: object) -> Ask:
    """The same with other facts about the first person that is asked."""

    def then(form: Asking) -> None:
        ask(form)
        form.asked[0] |= facts

    return then


def top(ask: Ask, **zones: object) -> Ask:
    def then(form: Asking) -> None:
        ask(form)
        form.writer.rows["employer_declaration"][0] |= zones

    return then


GOOD = line(CHANGE, CLERK, version=2)
ELSEWHERE = ("010", "027")

CASES: dict[str, tuple[Ask, str]] = {
    "the line was changed since": (line(CHANGE, CLERK, version=1), "00610-180"),
    "a version that never was": (line(CHANGE, CLERK, version=7), "00610-182"),
    "a line that never was": (line(DELETE, ("010", "015"), version=1), "00610-182"),
    "a line that is gone": (line(CHANGE, CLERK, of=BOB, version=1), "00610-180"),
    "left as it is, from an old situation": (line(UNCHANGED, CLERK, version=1), "00610-180"),
    "no situation told": (line(CHANGE, CLERK), "90221-001"),
    "created, with a situation": (line(CREATE, ELSEWHERE, version=1), "00618-174"),
    "created, and there": (line(CREATE, CLERK), "00618-174"),
    "created twice": (lines((CREATE, ELSEWHERE, None, None), (CREATE, ELSEWHERE, None, None)), "90225-006"),
    "moved to where another is": (line(CHANGE, LABOURER, last=CLERK, version=2), "90225-006"),
    "asked twice": (lines((DELETE, CLERK, None, 2), (CHANGE, CLERK, None, 2)), "90225-006"),
    "deleted under another class": (line(DELETE, ("010", "495"), last=CLERK, version=2), "00036-176"),
    "deleted under another code": (line(DELETE, ("000", "027"), last=CLERK, version=2), "00037-176"),
    "the person was changed since": (line(CHANGE, CLERK, person=1, version=2), "00620-180"),
    "a version of the person that never was": (line(CHANGE, CLERK, person=9, version=2), "00620-182"),
    "a person asked twice": (both(GOOD, line(CHANGE, LABOURER, version=1)), "90220-006"),
    "a person not declared": (line(CHANGE, CLERK, of=CAS, version=1), "00024-182 00610-182"),
    "a line of a person not declared": (line(CHANGE, CLERK, of=CAS, person=None, version=1), "00610-182"),
    "identifiers of another person": (edited(GOOD, natural_person_pid=5), "00549-176"),
    "another identifier in the declaration": (edited(GOOD, declared_person_pid=5), "00548-176"),
    "no identifiers": (
        edited(GOOD, declared_person_pid=None, natural_person_pid=None, last_version=None),
        "00548-001 00549-001 00620-001",
    ),
    "another employer": (both(GOOD, lambda form: setattr(form, "number", 200008)), "00011-176"),
    "another trusteeship": (top(GOOD, trusteeship=1), "00012-176"),
    "another system": (top(GOOD, system5=1), "00016-176"),
    "an occupation of another version": (
        both(GOOD, lambda form: form.occupation_version(0, 1)),
        "00619-182",
    ),
    "an occupation of a new line": (
        both(line(CREATE, ELSEWHERE), lambda form: form.occupation_version(0, 2)),
        "00619-182",
    ),
    "a vehicle of another version": (lambda form: form.vehicle(CHANGE, 1, "1-A", 2), "00782-182"),
    "a vehicle without a version": (lambda form: form.vehicle(DELETE, 1, "1-A"), "00782-001"),
    "a vehicle not declared": (lambda form: form.vehicle(DELETE, 5, "1-A", 1), "00782-182"),
    "a vehicle with another plate": (lambda form: form.vehicle(CHANGE, 1, "1-B", 1), "00781-176"),
    "a vehicle that is there": (lambda form: form.vehicle(CREATE, 1, "1-C"), "90312-174"),
    "a plate that is there": (lambda form: form.vehicle(CREATE, 2, "1-A"), "90312-006"),
    "a vehicle left as it is": (lambda form: form.vehicle(UNCHANGED, 1, "1-A", 1), "00618-174"),
    "a contribution of another version": (
        lambda form: form.unrelated(DELETE, ("000", "870"), 5, version=3),
        "00611-182",
    ),
    "a contribution without a situation": (lambda form: form.unrelated(DELETE, ("000", "870"), 5), "90222-001"),
    "a contribution that is there": (lambda form: form.unrelated(CREATE, ("000", "870"), 5), "00618-174"),
    "a contribution deleted under another code": (
        lambda form: form.unrelated(DELETE, ("000", "871"), 5, last="000|870", version=1),
        "00020-176",
    ),
    "a compensation of another version": (lambda form: form.compensation(CHANGE, 5, 4), "01253-182"),
    "a compensation without a situation": (lambda form: form.compensation(CHANGE, 5), "01253-001"),
}


@pytest.fixture(scope="module")
def refused() -> Applied:
    """Every case as a Form of one filing: what is refused leaves the next one the same situation."""
    forms = []
    for place, (ask, _) in enumerate(CASES.values()):
        form = Asking(5000 + place, 9001, place)
        ask(form)
        forms.append(form)
    return applied(history(), *forms)


def test_nothing_of_a_refused_form_is_applied(refused: Applied):
    assert refused.rows == {}
    assert refused.outcomes["form_id"].to_list() == list(range(5000, 5000 + len(CASES)))
    assert refused.replaced.is_empty()


@pytest.mark.parametrize("case", CASES)
def test_a_form_is_refused_with_the_code_of_what_does_not_agree(refused: Applied, case: str):
    codes, form_id = CASES[case][1], 5000 + list(CASES).index(case)
    assert (form_id, "refused", None, codes) in verdicts(refused)
    found = refused.anomalies.filter(pl.col("declaration_id") == form_id)
    assert sorted(set(found["code"])) == codes.split()
    known = catalogue("DmfAUpdate").codes
    for code, block, zone, message in found.select("code", "block", "zone", "message").rows():
        assert known[code].element in (zone, message.split()[0])
        assert block.endswith(("Update", "UpdateAction"))
        assert str(ANN) not in message


def test_every_case_but_its_fault_is_right():
    form = Asking(5001, 9001)
    GOOD(form)
    form.vehicle(CHANGE, 1, "1-A", 1)
    form.unrelated(DELETE, ("000", "870"), 5, version=1)
    form.compensation(CHANGE, 5, 1)
    form.occupation_version(0, 2)
    assert verdicts(applied(history(), form)) == [(5001, "applied", 3, None)]


def test_the_same_correction_sent_again_meets_a_later_situation():
    kept = history()
    forms = [Asking(5001, 9001), Asking(5002, 9002)]
    for form in forms:
        GOOD(form)
    assert verdicts(applied(kept, *forms)) == [
        (5001, "applied", 3, None),
        (5002, "refused", None, "00610-180 00620-180"),
    ]


def test_what_a_run_itself_made_may_be_the_last_no_more():
    forms = [Asking(5001 + place, 9001 + place) for place in range(3)]
    for form, version in zip(forms, (2, 3, 3), strict=True):
        form.line(form.person(ANN, version), CHANGE, CLERK, paid(1), version=version)
    assert verdicts(applied(history(), *forms)) == [
        (5001, "applied", 3, None),
        (5002, "applied", 4, None),
        (5003, "refused", None, "00610-180 00620-180"),
    ]


LATE, QUIET = datetime(2027, 4, 1, 0, 0), datetime(2027, 3, 31, 23, 59)
"""More than two quarters after 2026/3, and not yet."""
LIMIT = datetime(2029, 10, 31, 23, 59)
"""Last minute before limitation of 2026/3: three years after 31 October 2026."""


def lowering(at: datetime, amount: int = 99, **how: str | None) -> Asking:
    form = Asking(5001, received_at=at, justification=how.get("form"))
    ann = form.person(ANN, 1, justification=how.get("person"))
    form.line(ann, CHANGE, CLERK, paid(amount), version=1)
    return form


def declared() -> Kept:
    owing = {ANN: {CLERK: paid(100, contributions=(("495", 0, 25),)), LABOURER: paid(50)}, BOB: {CLERK: paid(10)}}
    return Kept.of(original(owing, unrelated=[("000", "870", 5)]))


@pytest.mark.parametrize(
    ("form", "codes"),
    [
        (lowering(QUIET), None),
        (lowering(LATE), "00545-001"),
        (lowering(LATE, 100), None),
        (lowering(LATE, 101), None),
        (lowering(LATE, form="counted twice"), None),
        (lowering(LATE, person="counted twice"), None),
        (lowering(LATE, form="  "), "00545-001"),
    ],
)
def test_a_remuneration_lowered_more_than_two_quarters_later_needs_a_reason(form: Asking, codes: str | None):
    assert applied(declared(), form).outcomes["codes"].to_list() == [codes]


def test_what_is_moved_from_one_line_of_a_person_to_another_lowers_nothing():
    form = Asking(5001, received_at=LATE)
    ann = form.person(ANN, 1)
    form.line(ann, DELETE, CLERK, version=1)
    form.line(ann, CHANGE, LABOURER, paid(150), version=1)
    assert applied(declared(), form).outcomes["codes"].to_list() == [None]
    form.writer.rows["remun"][0]["remun_amount"] = 149
    assert applied(declared(), form).outcomes["codes"].to_list() == ["00545-001"]


def test_a_line_that_comes_back_lowers_nothing():
    kept = declared()
    gone = lowering(QUIET)
    gone.asked[-1] |= {"action": DELETE}
    again = Asking(5002, 9001, received_at=LATE)
    again.line(again.person(ANN, 2), CREATE, CLERK, paid(5))
    assert applied(kept, gone, again).outcomes["state"].to_list() == ["applied", "applied"]


def paying(at: datetime, contribution: int, unrelated: int | None = None, reason: str | None = None) -> Asking:
    """Ann's contribution of 25 cents becomes another, and so does the 5 cents unrelated to a person."""
    form = Asking(5001, received_at=at, justification=reason)
    content = Content((Occupation((("001", 100),)),), (("495", 0, contribution),))
    form.line(form.person(ANN, 1), CHANGE, CLERK, content, version=1)
    if unrelated is not None:
        form.unrelated(CHANGE, ("000", "870"), unrelated, version=1)
    return form


@pytest.mark.parametrize(
    ("form", "codes"),
    [
        (paying(LIMIT, 24), None),
        (paying(LIMIT + timedelta(minutes=1), 24), "00545-001"),
        (paying(LIMIT + timedelta(minutes=1), 25), None),
        (paying(LIMIT + timedelta(minutes=1), 26), None),
        (paying(LIMIT + timedelta(minutes=1), 24, reason="letter of 3 May 2028"), None),
        (paying(LIMIT + timedelta(minutes=1), 26, 4, reason="letter of 3 May 2028"), "90219-323"),
        (paying(LIMIT + timedelta(minutes=1), 26, 4), "00545-001 90219-323"),
        (paying(LIMIT + timedelta(minutes=1), 26, 6), None),
        (paying(LIMIT, 26, 4), None),
    ],
)
def test_past_limitation_money_goes_one_way_and_back_only_for_a_reason(form: Asking, codes: str | None):
    assert applied(declared(), form).outcomes["codes"].to_list() == [codes]


@pytest.mark.parametrize(("granted", "codes"), [(3, "00545-001"), (2, None), (1, None)])
def test_a_higher_reduction_gives_money_back(granted: int, codes: str | None):
    kept = Kept.of(original({ANN: {CLERK: Content((Occupation(deductions=(("3000", 2, None),)),))}}))
    form = Asking(5001, received_at=LIMIT + timedelta(minutes=1))
    content = Content((Occupation(deductions=(("3000", granted, None),)),))
    form.line(form.person(ANN, 1), CHANGE, CLERK, content, version=1)
    assert applied(kept, form).outcomes["codes"].to_list() == [codes]


def test_limitation_may_be_seven_years():
    form = paying(LIMIT.replace(year=2033), 24)
    assert applied(declared(), form, limitation_years=7).outcomes["state"].to_list() == ["applied"]
    form = paying(LIMIT.replace(year=2033) + timedelta(minutes=1), 24)
    assert applied(declared(), form, limitation_years=7).outcomes["codes"].to_list() == ["00545-001"]


def test_a_number_that_was_replaced_still_leads_to_its_person_and_is_told():
    kept = declared()
    rows = kept.tables["natural_person"]
    again = rows.filter(pl.col("inss") == BOB).with_columns(
        inss=pl.lit(CAS, pl.Int64), version=pl.lit(2, pl.Int16), status=pl.lit(1, pl.Int8)
    )
    kept.tables["natural_person"] = pl.concat([rows, again])
    form = Asking(5001, received_at=STARTED)
    form.line(form.person(BOB, 2), CHANGE, CLERK, paid(11), version=1)
    found = applied(kept, form)
    assert found.outcomes["state"].to_list() == ["applied"]
    assert found.anomalies.select("code", "severity").rows() == [("90220-252", "W")]
    assert kept.tables["natural_person"].sort("version", "natural_person_ordinal")["inss"].to_list()[-1] == CAS
