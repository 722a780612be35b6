"""What a row of the register may say beside blocks and zones: a line of the directory, and modes other than raw."""

from dataclasses import replace
from datetime import date

import pytest

from dmfa.errors import NotAuthorised, WrongUsage
from dmfa.extracts import EXTRACTS, Extract, Permit, load, permits, refusals
from dmfa.extracts.authorisations import FLAG_TABLE, Inscription
from dmfa.extracts.own import ABOVE, WHOLE, OwnColumn, OwnTable
from dmfa.extracts.retention import last_day
from dmfa.extracts.selection import attestations
from tests.unit.extracts.material import DAY, NARROW, permit_of, register, row

DIRECTORY = {"sector": "999", "institution_type": "5", "qualities": ["902", "101", "101"]}
ASKED = Inscription("999", ("101", "902"), "005")
ANSWER = {"ceiling": ["inss", "above"]}


def read(folder, **changes):
    (made,) = load(register(folder, row(**changes)))
    return made


@pytest.fixture
def of_mode(monkeypatch):
    """An extract of a mode, with one own table."""

    def made(mode):
        above = OwnColumn("above", words="Tests", kind=ABOVE if mode == "threshold" else WHOLE)
        columns = (OwnColumn("inss", zone="NaturalPerson.INSS"), above)
        own = OwnTable("ceiling", "Tests", columns, by=("above",) if mode == "aggregate" else ())
        blocks = {block: tuple(zones) for block, zones in NARROW.items()}
        declared = Extract("answers", "Tests", attestations, mode=mode, blocks=blocks, answer={"ceiling": own})
        monkeypatch.setitem(EXTRACTS, "answers", declared)
        return {"extract": "answers", "mode": mode, "blocks": NARROW, "answer": ANSWER}

    return made


def test_a_line_of_the_directory(tmp_path):
    assert read(tmp_path, directory=DIRECTORY).directory == ASKED
    anywhere = {name: value for name, value in DIRECTORY.items() if name != "institution_type"}
    assert read(tmp_path, directory=anywhere).directory == replace(ASKED, institution_type=None)
    assert read(tmp_path).directory is None


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("999", "directory: is not a list of `key: value`"),
        ({"qualities": ["101"]}, "sector is missing"),
        ({**DIRECTORY, "sector": 999}, "sector is missing or not a text"),
        ({**DIRECTORY, "sector": "9999"}, "sector is not written as it must be"),
        ({**DIRECTORY, "institution_type": "x"}, "institution_type is not written"),
        ({**DIRECTORY, "qualities": []}, "qualities is not a list of quality codes"),
        ({**DIRECTORY, "qualities": [101]}, "qualities is not a list"),
        ({**DIRECTORY, "qualities": ["901"]}, "qualities is not a list"),
        ({**DIRECTORY, "phase": "1"}, "unknown key phase"),
    ],
)
def test_a_slip_in_it_is_told(tmp_path, wrong, said):
    with pytest.raises(WrongUsage, match=said):
        read(tmp_path, directory=wrong)


@pytest.mark.parametrize(
    ("inscribed", "opens"),
    [
        ((), False),
        ([("999", "006")], False),
        ([("998", "005")], False),
        ([("998", "005"), ("999", "005")], True),
    ],
)
def test_r4_a_row_that_asks_for_a_directory_opens_nothing_without_one(tmp_path, inscribed, opens):
    rows = [read(tmp_path, directory=DIRECTORY)]
    reason = "authorisation all-of-it asks for persons of sector 999, type 005, in the directory, which holds none"
    assert len(permits(rows, DAY, inscribed=inscribed)) == opens
    assert [one.reason for one in refusals(rows, DAY, inscribed=inscribed)] == [reason] * (not opens)
    if not opens:
        with pytest.raises(NotAuthorised, match=reason):
            permits(rows, DAY, ["some-fund"], inscribed)
        with pytest.raises(NotAuthorised, match=reason):
            Permit(rows[0], DAY, inscribed)


@pytest.mark.parametrize("inscribed", [(), [("999", "005")]])
def test_r8_an_expired_row_opens_nothing_whatever_the_directory_holds(tmp_path, inscribed):
    rows = [read(tmp_path, directory=DIRECTORY, valid_to=date(2026, 11, 21))]
    assert permits(rows, DAY, inscribed=inscribed) == []
    assert [one.reason for one in refusals(rows, DAY, inscribed=inscribed)] == [
        "authorisation all-of-it expired on 2026-11-21"
    ]


@pytest.mark.parametrize(
    ("mode", "more", "held"),
    [
        ("derived", {}, {}),
        ("threshold", {"limits": {"above": 250_000}}, {"limits": {"above": 250_000}}),
        ("aggregate", {"groups": ["above"], "smallest_group": 10}, {"groups": ("above",), "smallest_group": 10}),
    ],
)
def test_r20_each_mode_has_a_form_of_its_own(tmp_path, of_mode, mode, more, held):
    made = read(tmp_path, **of_mode(mode), **more)
    assert made.mode == mode
    flags = {} if mode == "aggregate" else {FLAG_TABLE: ()}
    assert made.columns == {"ceiling": ("inss", "above"), **flags}
    assert {name: getattr(made, name) for name in held} == held
    Permit(made, DAY).refuse_beyond({"ceiling": ["attestation", "above"]}, "parquet")
    for beyond in ({"ceiling": ["remun_amount"]}, {"remun": ["remun_amount"]}):
        with pytest.raises(NotAuthorised, match=r"does not list \w+\.remun_amount"):
            Permit(made, DAY).refuse_beyond(beyond, "parquet")


@pytest.mark.parametrize("mode", ["derived", "threshold", "aggregate"])
def test_r20_a_mode_that_the_extract_has_not_is_refused_with_a_clear_word(tmp_path, mode):
    more = {"threshold": {"limits": {"above": 1}}, "aggregate": {"groups": ["above"], "smallest_group": 10}}
    with pytest.raises(WrongUsage, match=f"is for {mode} data of attestation, which gives raw data"):
        read(tmp_path, mode=mode, answer=ANSWER, **more.get(mode, {}))


def test_an_extract_that_does_not_exist_is_refused_when_the_register_is_read(tmp_path):
    with pytest.raises(WrongUsage, match="there is no extract attestations"):
        read(tmp_path, extract="attestations")


@pytest.mark.parametrize(
    ("mode", "changes", "said"),
    [
        ("raw", {"answer": ANSWER}, "answer has no place in mode raw"),
        ("raw", {"answer": None, "limits": {"above": 1}}, "limits has no place in mode raw"),
        ("derived", {"answer": None}, "answer is missing: mode derived"),
        ("derived", {"smallest_group": 10}, "smallest_group has no place in mode derived"),
        ("derived", {"answer": {"ceiling": []}}, "the columns of ceiling are not a list"),
        ("derived", {"answer": {"ceiling": ["Above"]}}, "the columns of ceiling are not a list"),
        ("derived", {"answer": ["ceiling"]}, "answer is not a list of tables"),
        ("threshold", {}, "limits is missing: mode threshold"),
        ("threshold", {"limits": {"above": "1"}}, "limits is not a list of columns with whole cents"),
        ("threshold", {"limits": {"above": True}}, "limits is not a list of columns with whole cents"),
        ("threshold", {"limits": {"below": 1}}, "the answer does not list below"),
        ("aggregate", {"groups": ["above"]}, "smallest_group is missing: mode aggregate"),
        ("aggregate", {"smallest_group": 10}, "groups is missing: mode aggregate"),
        ("aggregate", {"groups": "above", "smallest_group": 10}, "groups is not a list of columns"),
        ("aggregate", {"groups": ["above"], "smallest_group": 1}, "smallest_group is not a whole number of 2 or more"),
        ("aggregate", {"groups": ["inss"], "smallest_group": 10}, "has groups inss"),
        ("threshold", {"limits": {"inss": 1}}, "has limits for inss"),
        ("derived", {"answer": {"ceiling": ["inss", "pay"], "wages": ["pay"]}}, "lists ceiling.pay, wages.pay, which"),
        ("derived", {"blocks": {**NARROW, "Remun": ["RemunCode"]}}, "does not list Remun/RemunAmount, which"),
        ("derived", {"blocks": {**NARROW, "Service": []}}, "lists Service, which extract answers does not hold"),
        (
            "derived",
            {"blocks": {**NARROW, "Remun": [*NARROW["Remun"], "PercentagePaid"]}},
            "lists Remun/PercentagePaid, which extract answers does not hold",
        ),
    ],
)
def test_what_has_no_place_in_a_mode_or_is_missing_is_told(tmp_path, of_mode, mode, changes, said):
    with pytest.raises(WrongUsage, match=said):
        read(tmp_path, **{**of_mode(mode), **changes})


def test_r19_a_second_purpose_is_a_second_row_with_a_recipient_of_its_own(tmp_path):
    other = {"name": "some-fund-study", "title": "Invented", "sector": "999", "institution": "1"}
    rows = load(register(tmp_path, row(), row(id="other", recipient=other, purpose="Another one")))
    assert len({(one.extract, one.recipient.name) for one in rows}) == 2
    with pytest.raises(WrongUsage, match="says again what row all-of-it says"):
        load(register(tmp_path, row(), row(id="other", purpose="Another one")))


@pytest.mark.parametrize(
    ("first", "retention", "last"),
    [
        (date(2026, 11, 20), "5 years", date(2031, 11, 20)),
        (date(2024, 2, 29), "1 year", date(2025, 2, 28)),
        (date(2026, 11, 30), "3 months", date(2027, 2, 28)),
        (date(2026, 12, 31), "1 month", date(2027, 1, 31)),
        (date(2026, 12, 31), "60 days", date(2027, 3, 1)),
        (date(2026, 1, 1), "9000 years", date.max),
    ],
)
def test_how_long_something_may_be_kept(first, retention, last):
    assert last_day(first, retention) == last


def test_a_permit_says_nothing_of_who_is_in_the_directory(tmp_path):
    assert "inscribed" not in repr(permit_of(tmp_path))
