import pickle
from datetime import date

import pytest

from dmfa.errors import NotAuthorised
from dmfa.extracts import Denied, Permit, Refusal, load, permit, permits, refusals, shown
from tests.unit.extracts.material import DAY, NARROW, permit_of, register, row


@pytest.fixture
def rows(tmp_path):
    """One row in force, one expired, one not yet valid, for three recipients."""
    place = {"title": "Invented", "sector": "999", "institution": "1"}
    return load(
        register(
            tmp_path,
            row(id="now", recipient={"name": "fund-now", **place}),
            row(id="past", recipient={"name": "fund-past", **place}, valid_to=date(2026, 3, 31)),
            row(id="coming", recipient={"name": "fund-coming", **place}, valid_from=date(2026, 12, 1)),
        )
    )


def test_a_row_in_force_gives_a_permit(rows):
    assert permit(rows, "attestation", "fund-now", DAY).authorisation.id == "now"


@pytest.mark.parametrize("day", [date(2026, 1, 1), date(2026, 12, 31)], ids=["first day", "last day"])
def test_first_and_last_day_count(rows, day):
    assert permit(rows, "attestation", "fund-now", day)


@pytest.mark.parametrize(
    ("extract", "recipient", "why"),
    [
        ("attestation", "fund-past", "authorisation past expired on 2026-03-31"),
        ("attestation", "fund-coming", "authorisation coming is not valid before 2026-12-01"),
        ("attestation", "fund-unknown", "no authorisation names both"),
        ("pensions", "fund-now", "no authorisation names both"),
    ],
)
def test_r4_r8_without_a_row_in_force_there_is_no_permit(rows, extract, recipient, why):
    with pytest.raises(NotAuthorised, match=why) as refusal:
        permit(rows, extract, recipient, DAY)
    assert refusal.value.exit_code == 12


def test_an_empty_register_gives_nothing():
    assert permits([], DAY) == []
    with pytest.raises(NotAuthorised, match="no authorisation"):
        permit([], "attestation", "fund-now", DAY)


def test_a_permit_cannot_be_made_of_an_expired_row(rows):
    with pytest.raises(NotAuthorised, match="expired"):
        Permit(rows[1], DAY)


def test_without_names_all_rows_in_force_are_given(rows):
    assert [made.authorisation.id for made in permits(rows, DAY)] == ["now"]


@pytest.mark.parametrize("name", ["fund-now", "attestation"])
def test_recipients_and_extracts_can_be_asked_for(rows, name):
    assert [made.authorisation.id for made in permits(rows, DAY, [name])] == ["now"]


@pytest.mark.parametrize(
    ("name", "why"),
    [("fund-past", "past expired on 2026-03-31"), ("fund-coming", "not valid before"), ("nobody", "no row names it")],
)
def test_a_name_asked_for_without_a_row_in_force(rows, name, why):
    with pytest.raises(NotAuthorised, match=why) as refusal:
        permits(rows, DAY, ["fund-now", name])
    assert refusal.value.exit_code == 12


@pytest.mark.parametrize(
    "given",
    [
        {"natural_person": ["attestation", "inss"], "occupation": ["local_unit_id"]},
        {"occupation": ["attestation", "version", "status", "worker_record_ordinal", "occupation_ordinal"]},
        {},
    ],
)
def test_listed_columns_and_keys_pass(tmp_path, given):
    permit_of(tmp_path, blocks=NARROW).refuse_beyond(given, "parquet")


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"natural_person": ["inss", "natural_person_user_reference"]}, "natural_person.natural_person_user_reference"),
        ({"service": ["attestation"]}, "service.attestation"),
        ({"service": []}, "service"),
        ({"remun": ["service_ordinal"]}, "remun.service_ordinal"),
        ({"employer_declaration": ["declaration_id"]}, "employer_declaration.declaration_id"),
        ({"occupation": ["inss"]}, "occupation.inss"),
    ],
)
def test_r6_anything_more_is_refused_by_name(tmp_path, given, named):
    with pytest.raises(NotAuthorised, match=rf"does not list {named}\."):
        permit_of(tmp_path, blocks=NARROW).refuse_beyond(given, "parquet")


def test_a_format_that_is_not_listed_is_refused(tmp_path):
    with pytest.raises(NotAuthorised, match="does not list format xml"):
        permit_of(tmp_path, format=["parquet"]).refuse_beyond({}, "xml")


def test_what_a_run_leaves_out_is_every_row_that_opens_nothing(rows):
    assert refusals(rows, DAY) == [
        Refusal("attestation", "fund-past", "authorisation past expired on 2026-03-31", rows[1]),
        Refusal("attestation", "fund-coming", "authorisation coming is not valid before 2026-12-01", rows[2]),
    ]
    assert refusals(rows[:1], DAY) == []


def test_what_is_asked_for_in_vain(rows):
    assert refusals(rows, DAY, ["fund-now", "attestation"]) == []
    assert refusals(rows, DAY, ["fund-now", "fund-past", "nobody"]) == [
        Refusal("attestation", "fund-past", "authorisation past expired on 2026-03-31", rows[1]),
        Refusal(None, "nobody", "no row names it"),
    ]


def test_a_denial_brings_everything_that_was_refused_even_out_of_another_process(rows):
    with pytest.raises(Denied) as caught:
        permits(rows, DAY, ["fund-past", "fund-now", "nobody"])
    assert caught.value.refusals == tuple(refusals(rows, DAY, ["fund-past", "nobody"]))
    back = pickle.loads(pickle.dumps(caught.value))
    assert (back.what, back.todo, back.refusals) == (caught.value.what, caught.value.todo, caught.value.refusals)
    assert (str(back), back.exit_code) == (str(caught.value), 12)


def test_a_column_too_many_is_a_refusal_of_its_row(tmp_path):
    allowed = permit_of(tmp_path, blocks=NARROW)
    with pytest.raises(Denied) as caught:
        allowed.refuse_beyond({"service": ["service_nbr_days"]}, "parquet")
    reason = "authorisation all-of-it does not list service.service_nbr_days"
    assert caught.value.refusals == (Refusal("attestation", "some-fund", reason, allowed.authorisation),)


@pytest.mark.parametrize("name", ["85210100257", "fund-85210100257", "Fund", "a", "a name", "", "x" * 41, "fund\n"])
def test_a_name_that_nothing_can_have_is_not_repeated(rows, name):
    assert shown(name) == "a name that nothing can have"
    with pytest.raises(Denied) as caught:
        permits(rows, DAY, [name])
    assert caught.value.what == "no valid authorisation for a name that nothing can have: no row names it."


def test_a_name_that_could_be_is_repeated():
    assert shown("some-fund-2") == "some-fund-2"
