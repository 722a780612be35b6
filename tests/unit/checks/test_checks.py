"""Each check of the NSSO's validator on random declarations spoiled in one place, told without a person's number."""

from datetime import date

import polars as pl
import pytest

from dmfa.anomaly import ANOMALY_SCHEMA
from dmfa.checks import Context, checks, run_checks
from dmfa.checks.quarter import oldest_unprescribed
from dmfa.checks.registry import anomaly
from dmfa.quarter import Quarter
from dmfa.reading.plan import make_plan
from dmfa.reading.shredder import Document
from dmfa.reading.tokenizer import tokenize_documents as shred
from tests.making import Maker, balance, net_of, to_bytes

RECEIVED = date(2023, 5, 2)
TOP = "Form/EmployerDeclaration"


def context(**settings):
    blocks = {table.name: table.label for table in make_plan().tables}
    # Random declarations are valid, but they make no sense: only the validator's checks let them pass.
    return Context(**{"received_on": RECEIVED, "blocks": blocks, "validator_only": True, **settings})


def made(seed=1, **how):
    return Maker("20231", seed).filing(**{"persons": 6, **how})


def found(*roots, **settings):
    documents = [Document(number, f"{number:064x}", to_bytes(root), root) for number, root in enumerate(roots, start=1)]
    return run_checks(shred(documents, make_plan()).tables, context(**settings))


def codes(*roots, **settings):
    return found(*roots, **settings)["code"].to_list()


def test_right_declarations_have_no_anomaly():
    anomalies = found(*(made(seed, forms=2) for seed in (1, 2, 3)))
    assert anomalies.is_empty()
    assert dict(anomalies.schema) == ANOMALY_SCHEMA


def test_no_declaration():
    assert found().is_empty()


def test_net_owed_amount():
    root = made(forms=3)
    second = root.findall(TOP)[1]
    right = net_of(second)
    second.find("NetOwedAmount").text = "9999"
    (row,) = found(root).iter_rows(named=True)
    assert (row["code"], row["severity"], row["block"], row["zone"]) == (
        "00015-007",
        "B",
        "EmployerDeclaration",
        "NetOwedAmount",
    )
    assert (row["filing_id"], row["seen_value"], row["block_ordinal"]) == (1, "9999", 0)
    assert "9999" in row["message"]
    assert str(right) in row["message"]


def test_net_owed_amount_has_no_tolerance():
    root = made()
    zone = root.find(f"{TOP}/NetOwedAmount")
    zone.text = str(int(zone.text) + 1)
    assert codes(root) == ["00015-007"]


@pytest.mark.parametrize(
    "zone",
    [
        "ContributionAmount",
        "UnrelatedAmount",
        "StudentContributionAmount",
        "EarlyRetirementContributionAmount",
        "GrossRefRemunContributionAmount",
        "DeductionAmount",
        "CompensationAmount",
    ],
)
def test_every_amount_counts_wherever_it_stands(zone):
    seen = set()
    wanted = {"ContributionAmount": 2, "DeductionAmount": 2}.get(zone, 1)
    for seed in range(1, 60):
        if len(seen) == wanted:
            break
        root = made(seed, forms=2)
        places = {element.getparent().tag: element for element in root.iter(zone)}
        for parent, element in places.items():
            if parent not in seen:
                seen.add(parent)
                element.text = str(int(element.text or 0) + 1)
                assert codes(root) == ["00015-007"], f"{zone} of {parent}"
                balance(next(one for one in element.iterancestors("Form")))
                assert codes(root) == []
    assert len(seen) == wanted


@pytest.mark.parametrize("zone", ["DeductionDetailAmount", "IndemnityAmount", "RemunAmount", "ComplIndemnityAmount"])
def test_other_amounts_do_not_count(zone):
    element = next(element for seed in range(1, 9) for element in made(seed).iter(zone))
    element.text = str(int(element.text or 1) + 1)
    assert codes(element.getroottree().getroot()) == []


def numbers_of(form):
    return [person.find("INSS") for person in form.iter("NaturalPerson")]


def test_a_person_twice():
    root = made()
    numbers = numbers_of(root)
    numbers[4].text = numbers[1].text
    (row,) = found(root).iter_rows(named=True)
    assert (row["code"], row["severity"], row["block"], row["zone"]) == ("90017-006", "B", "NaturalPerson", None)
    assert (row["block_ordinal"], row["seen_value"]) == (4, None)
    assert numbers[1].text not in row["message"]
    assert "2 times" in row["message"]


def test_a_person_three_times_is_told_once():
    root = made()
    numbers = numbers_of(root)
    numbers[5].text = numbers[4].text = numbers[1].text
    assert found(root)["block_ordinal"].to_list() == [4]


def test_a_person_in_two_forms_of_one_employer_is_told_of_both():
    root = made(forms=3)
    first, second, third = root.findall("Form")
    for form in (second, third):
        numbers_of(form)[2].text = numbers_of(first)[0].text
    second.find(".//NOSSRegistrationNbr").text = first.find(".//NOSSRegistrationNbr").text
    rows = found(root)
    assert rows["code"].to_list() == ["90017-006"] * 2
    assert sorted(rows["block_ordinal"]) == [0, 2]
    assert rows["declaration_id"].n_unique() == 2


def test_a_person_at_two_employers_or_in_two_quarters_or_files_is_no_anomaly():
    root = made(forms=2)
    first, second = root.findall("Form")
    numbers_of(second)[2].text = numbers_of(first)[0].text
    assert codes(root) == []
    second.find(".//NOSSRegistrationNbr").text = first.find(".//NOSSRegistrationNbr").text
    second.find(".//Quarter").text = "20224"
    assert codes(root) == []
    assert codes(made(), made()) == []


def test_zero_is_no_double():
    root = made()
    for zone in numbers_of(root)[:2]:
        zone.text = "00000000000"
    assert codes(root) == ["00024-004", "00024-004"]


IDENTIFIERS = [
    ("00011-004", "B", "NOSSRegistrationNbr", {"EmployerDeclaration"}, "199999935"),
    ("00014-004", "B", "CompanyID", {"EmployerDeclaration"}, "0449888672"),
    ("00024-004", "B", "INSS", {"NaturalPerson", "UsingEmployer"}, "77101500173"),
    ("00042-004", "B", "LocalUnitID", {"WorkerRecord", "Occupation", "StudentContribution"}, "2000000142"),
    ("00092-004", "NP", "ReplacedINSS", {"WorkerDeduction", "OccupationDeduction"}, "77101500173"),
    ("00093-004", "NP", "ApplicantINSS", {"WorkerDeduction", "OccupationDeduction"}, "77101500173"),
    ("00131-004", "B", "UsingEmployerCompanyID", {"UsingEmployer"}, "0449888672"),
    ("00749-004", "B", "SubstituteINSS", {"ComplementaryIndemnity"}, "77101500173"),
    ("00815-004", "B", "EmployerNotion", {"ComplementaryIndemnity"}, "10449888672"),
]


@pytest.mark.parametrize(("code", "severity", "zone", "blocks", "wrong"), IDENTIFIERS)
def test_check_digits(code, severity, zone, blocks, wrong):
    seen = set()
    for seed in range(1, 9):
        root = made(seed)
        for element in root.iter(zone):
            block = element.getparent()
            if block.tag in seen:
                continue
            seen.add(block.tag)
            kept, element.text = element.text, wrong
            (row,) = found(root).iter_rows(named=True)
            assert (row["code"], row["severity"], row["block"], row["zone"]) == (code, severity, block.tag, zone)
            assert row["block_ordinal"] == list(root.iter(block.tag)).index(block)
            assert row["seen_value"] == (None if "INSS" in zone else wrong)
            assert wrong not in row["message"]
            (lenient,) = found(root, lenient_identifiers=True).iter_rows(named=True)
            assert lenient["severity"] == {"B": "W", "NP": "NP"}[severity]
            element.text = kept
    assert seen == blocks


@pytest.mark.parametrize(
    "zone", ["CompanyID", "LocalUnitID", "ReplacedINSS", "ApplicantINSS", "UsingEmployerCompanyID", "SubstituteINSS"]
)
def test_zero_and_absence_pass(zone):
    for seed in (1, 2):
        root = made(seed)
        for element in root.iter(zone):
            element.text = "0"
        assert codes(root) == []


def test_registration_number_zero_needs_an_enterprise_number():
    root = made()
    root.find(f"{TOP}/NOSSRegistrationNbr").text = "0"
    assert codes(root) == []
    root.find(f"{TOP}/CompanyID").text = "0"
    assert codes(root) == ["00011-004"]


@pytest.mark.parametrize(
    ("received", "expected"),
    [(date(2023, 3, 31), ["00013-008"]), (date(2023, 4, 1), []), (date(2023, 1, 1), ["00013-008"])],
)
def test_quarter_must_have_ended(received, expected):
    rows = found(made(), received_on=received)
    assert rows["code"].to_list() == expected
    assert rows["seen_value"].to_list() == ["20231"] * len(expected)


def limitation(day, **settings):
    rows = found(made(), received_on=day, validator_only=False, **settings).filter(code="00013-313")
    return rows["severity"].to_list()


def test_limitation_warns_unless_told_to_refuse():
    # 2023/1 falls due on 30 April 2023; the limitation ends three years later.
    assert limitation(date(2026, 4, 30)) == []
    assert limitation(date(2026, 5, 1)) == ["W"]
    assert limitation(date(2026, 5, 1), refuse_prescribed=True) == ["B"]
    assert limitation(date(2030, 4, 30), limitation_years=7) == []
    assert limitation(date(2030, 5, 1), limitation_years=7) == ["W"]


@pytest.mark.parametrize("quarter", [Quarter(2022, number) for number in (1, 2, 3, 4)])
def test_limitation_of_each_quarter(quarter):
    due = {1: date(2025, 4, 30), 2: date(2025, 7, 31), 3: date(2025, 10, 31), 4: date(2026, 1, 31)}[quarter.number]
    assert oldest_unprescribed(due, 3) == quarter
    assert oldest_unprescribed(date.fromordinal(due.toordinal() + 1), 3) == quarter.next


def test_validator_alone():
    names = {check.code for check in checks() if check.always}
    assert names == {"00013-008", "00015-007", "90017-006", *(code for code, *_ in IDENTIFIERS)}
    assert codes(made(), received_on=date(2026, 5, 1)) == []


def test_order_and_batching_do_not_matter():
    roots = [made(seed, forms=2) for seed in (1, 2, 3)]
    for root in roots:
        root.find(f"{TOP}/NetOwedAmount").text = "1"
        for zone in numbers_of(root)[:3]:
            zone.text = "77101500173"
    documents = [Document(number, f"{number:064x}", to_bytes(root), root) for number, root in enumerate(roots, start=1)]
    together = run_checks(shred(documents, make_plan()).tables, context())
    backwards = run_checks(shred(documents[::-1], make_plan()).tables, context())
    alone = pl.concat(run_checks(shred([document], make_plan()).tables, context()) for document in documents)
    assert together.equals(backwards)
    assert together.equals(alone)
    assert set(together["code"]) == {"00015-007", "90017-006", "00024-004"}


def test_registry():
    assert [check.code for check in checks()] == sorted(check.code for check in checks())
    assert all(check.words and not check.words.endswith(".") for check in checks())
    with pytest.raises(ValueError, match="two checks"):
        anomaly("00015-007", severity="B")(lambda: None)
