"""The reader of the official rate files: what is kept, and what refuses a file whole."""

import json

import pytest

from contributions.rates.markup import RateFileRefused
from contributions.rates.official import LAYOUTS, SCHEMAS, kind_of, read_rate_file
from dmfa.quarter import Quarter
from dmfa.synth.rate_files import markup, rate_files

QUARTER = Quarter(2026, 3)
NAME = "NOSSContributionRate_2026_3.xml"
RATE = {
    "EmployerClass": "000",
    "ContributionWorkerCode": "015",
    "ContributionType": "1",
    "PersonalRate": "10.00",
    "EmployerRate": "20.00",
    "SalaryModerationRate": "5.12",
    "TotalRate": "35.12",
    "IsFlatRate": "0",
}


def rates(*rows, quarter=QUARTER):
    return markup("NOSSContributionRate", "ContributionRate", quarter, [row.items() for row in rows])


def without(element, **others):
    return {name: text for name, text in {**RATE, **others}.items() if name != element}


def refused(data, name=NAME):
    with pytest.raises(RateFileRefused) as error:
        read_rate_file(name, data)
    assert error.value.exit_code == 11
    assert error.value.what.startswith(f"{name} is refused whole: ")
    assert "\n" not in error.value.what
    return error.value.what


def test_each_kind_is_read_into_its_columns():
    files = [read_rate_file(name, data) for name, data in rate_files(QUARTER).items()]
    assert [file.kind for file in files] == list(LAYOUTS)
    for file in files:
        assert (file.quarter, file.created_on, file.fictitious) == (QUARTER, "2026-07-01", True)
        assert file.rows.schema == SCHEMAS[file.kind]
        assert file.unknown == {}
    rows = files[0].rows.to_dicts()
    assert rows[0] == {
        "employer_class": "000",
        "code_element": "ContributionWorkerCode",
        "contribution_worker_code": "015",
        "contribution_type": 1,
        "personal_rate": 1000,
        "employer_rate": 2000,
        "moderation_rate": 512,
        "total_rate": 3512,
        "flat": False,
        "minimum_flat": None,
        "state": None,
        "further": None,
    }
    (activation,) = (row for row in rows if row["contribution_worker_code"] == "260" and row["employer_class"] == "010")
    assert (activation["minimum_flat"], activation["state"]) == (200_000, "NEW")


def test_codes_get_their_leading_zeros_and_each_owedness_code_its_row():
    rows = [[("EmployerClass", "10"), ("WorkerCode", "15"), ("ContributionWorkerCode", "809")]]
    rows[0] += [("OwednessCode", "6"), ("OwednessCode", "1"), ("OwednessCode", "6")]
    data = markup("x", "WorkerAndContributionComb", QUARTER, rows)
    file = read_rate_file("NOSSWorkerAndContributionComb_2026_3.xml", data)
    assert file.rows.drop("further").rows() == [("010", "015", "809", 1), ("010", "015", "809", 6)]


def test_a_file_of_the_office_is_not_called_invented():
    data = rates(RATE).replace(b"<Fictitious>1</Fictitious>", b"")
    assert not read_rate_file(NAME, data).fictitious
    assert read_rate_file("NOSSContributionRate_2026_3_INVENTED.xml", data).fictitious
    assert read_rate_file(NAME, rates(RATE)).fictitious


def test_what_is_unknown_is_kept_and_counted():
    data = rates({**RATE, "Scheme": "a & b"}, without("", EmployerClass="010", Scheme="c"))
    data = data.replace(b"</Header>", b"<Release>7</Release></Header><Legend>x</Legend>")
    data = data.replace(b"<ContributionRate>", b'<ContributionRate since="2026">', 1)
    file = read_rate_file(NAME, data)
    assert file.unknown == {
        "@since (in ContributionRate)": 1,
        "Legend (below the root)": 1,
        "Release (in Header)": 1,
        "Scheme (in ContributionRate)": 2,
    }
    assert [json.loads(text) for text in file.rows["further"]] == [
        {"@since": "2026", "Scheme": "a & b"},
        {"Scheme": "c"},
    ]
    assert json.loads(file.further) == {"Release": "7", "Legend": "x"}


def test_a_namespace_and_further_digits_of_zero_do_not_matter():
    data = rates({**RATE, "TotalRate": "35.1200"}).replace(
        b"<NOSSContributionRate>", b'<NOSSContributionRate xmlns="urn:x">'
    )
    assert read_rate_file(NAME, data).rows["total_rate"].to_list() == [3512]


@pytest.mark.parametrize("element", [name for name in RATE if name != "ContributionWorkerCode"])
def test_without_an_element_that_must_be_there_the_file_is_refused(element):
    said = refused(
        rates(RATE, without(element, EmployerClass="010") if element != "EmployerClass" else without(element))
    )
    assert f"ContributionRate 2 (line 6) has no {element}" in said
    assert f"ContributionRate 1 (line 5) has no {element}" in refused(rates({**RATE, element: " "}))


@pytest.mark.parametrize(
    ("element", "text"),
    [
        ("EmployerClass", "A10"),
        ("ContributionType", "-1"),
        ("TotalRate", "35,12"),
        ("TotalRate", "35.125"),
        ("TotalRate", "1e2"),
        ("IsFlatRate", "perhaps"),
        ("MinimumFlatRate", "much"),
    ],
)
def test_a_value_of_another_kind_refuses_the_file(element, text):
    assert f"has no readable {element}: {text!r}" in refused(rates({**RATE, element: text}))


def test_exactly_one_element_names_the_code():
    assert "has none of ContributionWorkerCode" in refused(rates(without("ContributionWorkerCode")))
    assert "has 2 of ContributionWorkerCode" in refused(rates({**RATE, "WorkerCode": "015"}))


def test_a_double_key_refuses_the_file():
    said = refused(rates(RATE, without("", ContributionType="0"), {**RATE, "TotalRate": "1.00"}))
    assert "ContributionRate 3 (line 7) is ContributionRate 1 once more" in said
    assert "employer_class 000" in said
    other = without("ContributionWorkerCode", UnrelatedWorkerCode="015")
    assert read_rate_file(NAME, rates(RATE, other)).rows.height == 2


def test_another_quarter_refuses_the_file():
    assert "its name says 2026/3, its Header 2026/2" in refused(rates(RATE, quarter=Quarter(2026, 2)))
    assert "its Header has no Quarter" in refused(rates(RATE).replace(b"<Quarter>20263</Quarter>", b""))
    assert "'20265' of its Header is none" in refused(rates(RATE).replace(b"20263", b"20265"))
    assert "does not tell year and quarter" in refused(rates(RATE), "NOSSContributionRate_new.xml")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "not well-formed"),
        (b"<a><Header></a>", "not well-formed"),
        (b"<a/>", "it has no Header"),
        (rates(), "it holds no ContributionRate"),
        (rates(RATE).replace(b"</Header>", b"</Header><Header><Quarter>1</Quarter></Header>"), "a second Header"),
        (b'<!DOCTYPE a [<!ENTITY e "x">]>' + rates(RATE)[len(b'<?xml version="1.0" encoding="UTF-8"?>') :], "DOCTYPE"),
    ],
)
def test_what_is_no_rate_file_is_refused(data, words):
    assert words in refused(data)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("NOSSContributionRate_2026_3.xml", "contribution_rate"),
        ("NOSSDeductionRate_2026_3_v2.XML", "deduction_rate"),
        ("NOSSWorkerAndContributionComb_2026_3.xml", "owedness"),
        ("NOSSContributionRate_2026_3.txt", None),
        ("tauxdmfa_2026_3_F.xlsm", None),
    ],
)
def test_the_name_tells_the_kind(name, kind):
    assert kind_of(name) == kind
