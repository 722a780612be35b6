"""The committed sample quarter: made again byte for byte, and what is expected of it checked by plain lxml."""

from __future__ import annotations

import csv
import json
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import xmlschema
from lxml import etree

from dmfa.schema import home, lake_tables
from dmfa.synth.samples import write
from tests.packed import contents

SAMPLES = Path(__file__).parents[2] / "data" / "samples"
EXPECTED: dict[str, Any] = json.loads((SAMPLES / "expected.json").read_text(encoding="utf-8"))
FILINGS: dict[str, dict[str, Any]] = {filing["file"]: filing for filing in EXPECTED["filings"]}
LATER: dict[str, dict[str, Any]] = {filing["file"]: filing for filing in EXPECTED["later"]}
QUARTERS = {20261, 20262, 20263}
OWED = (
    "ContributionAmount",
    "StudentContributionAmount",
    "UnrelatedAmount",
    "EarlyRetirementContributionAmount",
    "GrossRefRemunContributionAmount",
)
GRANTED = ("DeductionAmount", "CompensationAmount")


INBOX = contents(SAMPLES / "inbox")


def readable() -> list[str]:
    return [name for name, filing in FILINGS.items() if "rows" in filing]


@cache
def root(name: str) -> etree._Element:
    return etree.fromstring(INBOX[name])


def owed(form: etree._Element) -> int:
    total = sum(int(item.text or 0) for name in OWED for item in form.iter(name))
    return total - sum(int(item.text or 0) for name in GRANTED for item in form.iter(name))


def insz_right(text: str) -> bool:
    return int(text[9:]) in {97 - int(nine) % 97 for nine in (text[:9], "2" + text[:9])}


def mod_97_right(text: str) -> bool:
    return int(text) % 100 == 97 - int(text) // 100 % 97


def test_made_again_they_are_the_same(tmp_path: Path) -> None:
    """Packed files are compared unpacked: how gzip packs depends on its version."""
    write(tmp_path)
    for folder in ("inbox", "later"):
        assert contents(tmp_path / folder) == contents(SAMPLES / folder)
    for folder in ("rates", "directory"):
        tops = (tmp_path / folder, SAMPLES / folder)
        made, kept = ({path.name: path.read_bytes() for path in top.iterdir()} for top in tops)
        assert made == kept
    for name in ("expected.json", "expected_amounts.csv", "README.md"):
        assert (tmp_path / name).read_bytes() == (SAMPLES / name).read_bytes(), name


def test_each_file_is_foretold_and_nothing_else() -> None:
    # An archive without any filing is known by its own name.
    alone = {name.split("/")[0] if name.startswith("no-filing") else name for name in INBOX}
    assert alone == set(FILINGS)
    assert set(contents(SAMPLES / "later")) == set(LATER)


def test_the_samples_stay_small() -> None:
    assert sum(path.stat().st_size for path in SAMPLES.rglob("*") if path.is_file()) < 4_000_000


def test_what_can_be_read_is_valid_and_what_cannot_is_not() -> None:
    schema = etree.XMLSchema(file=str(home() / "DmfAOriginal_20231.xsd"))
    for name, filing in FILINGS.items():
        if filing["fault"] == "bad_archive":
            continue
        content = INBOX[name]
        if not filing["well_formed"]:
            assert b"<!DOCTYPE" in content or not content or _broken(content), name
        elif filing["schema_valid"] is None:
            assert not schema.validate(etree.fromstring(content)) or b"<Quarter>20214<" in content, name
        else:
            assert schema.validate(etree.fromstring(content)) is filing["schema_valid"], name


def _broken(content: bytes) -> bool:
    try:
        etree.fromstring(content)
    except etree.XMLSyntaxError:
        return True
    return False


def test_a_second_validator_agrees() -> None:
    schema = xmlschema.XMLSchema(str(home() / "DmfAOriginal_20231.xsd"))
    for name in readable()[::12]:
        assert schema.is_valid(INBOX[name].decode("utf-8-sig") if b"UTF-8" in INBOX[name] else INBOX[name]), name


@pytest.mark.parametrize(
    ("code", "right"),
    [
        ("00015-007", lambda form: owed(form) == int(form.findtext(".//NetOwedAmount") or -1)),
        ("00024-004", lambda form: all(insz_right(item.text or "") for item in form.iter("INSS"))),
        ("00749-004", lambda form: all(insz_right(item.text or "") for item in form.iter("SubstituteINSS"))),
        ("00131-004", lambda form: all(mod_97_right(i.text or "") for i in form.iter("UsingEmployerCompanyID"))),
        ("00011-004", lambda form: int(form.findtext(".//NOSSRegistrationNbr") or 0) % 97 == 96),
        ("00014-004", lambda form: mod_97_right(form.findtext(".//CompanyID") or "")),
        ("00042-004", lambda form: all(mod_97_right(item.text or "") for item in form.iter("LocalUnitID"))),
        ("90017-006", lambda form: max(Counter(i.text for i in form.iterfind(".//NaturalPerson/INSS")).values()) == 1),
        ("00013-008", lambda form: int(form.findtext(".//Quarter") or 0) <= 20263),
    ],
)
def test_each_code_is_expected_exactly_where_it_belongs(code: str, right: Any) -> None:
    wrong = {name for name in readable() if not all(right(form) for form in root(name).iter("Form"))}
    assert wrong == {name for name in readable() if code in FILINGS[name]["codes"]}
    assert wrong


def test_rows_and_persons_equal_an_independent_count() -> None:
    labels = {"natural_person": "NaturalPerson", "worker_record": "WorkerRecord", "occupation": "Occupation"}
    labels |= {"service": "Service", "remun": "Remun", "worker_contribution": "WorkerContribution"}
    labels |= {"worker_deduction": "WorkerDeduction", "occupation_deduction": "OccupationDeduction"}
    labels |= {"student_contribution": "StudentContribution", "company_vehicle": "CompanyVehicle"}
    labels |= {
        "contribution_unrelated_to_np": "ContributionUnrelatedToNP",
        "employer_declaration": "EmployerDeclaration",
    }
    for name in readable():
        filing, tree = FILINGS[name], root(name)
        counted = {table: len(list(tree.iter(label))) for table, label in labels.items()}
        assert {table: filing["rows"].get(table, 0) for table in labels} == counted, name
        assert filing["declarations"] == counted["employer_declaration"]
        assert filing["persons"] == counted["natural_person"]
        pay = sum(int(item.text or 0) for item in tree.iter("RemunAmount"))
        assert filing["sums"].get("remun.remun_amount", 0) == pay


def test_every_block_of_the_newest_release_occurs() -> None:
    assert set(EXPECTED["totals"]["rows"]) == {table.name for table in lake_tables()}


def test_three_quarters_hold_mostly_the_same_persons() -> None:
    persons: dict[int, set[str]] = {quarter: set() for quarter in QUARTERS}
    employers: dict[int, set[str]] = {quarter: set() for quarter in QUARTERS}
    for name in readable():
        for form in root(name).iter("Form"):
            quarter = int(form.findtext(".//Quarter") or 0)
            if quarter in QUARTERS and FILINGS[name]["verdict"] == "accepted":
                persons[quarter].update(item.text or "" for item in form.iterfind(".//NaturalPerson/INSS"))
                employers[quarter].add(form.findtext(".//NOSSRegistrationNbr") or "")
    first, second, third = (persons[quarter] for quarter in sorted(QUARTERS))
    assert min(len(first), len(second), len(third)) > 300
    assert 3 * len(first & second & third) > 2 * len(first)
    assert employers[20261] < employers[20262] < employers[20263]


def test_the_usual_and_the_unusual_occur() -> None:
    seen: dict[str, set[int]] = {"RemunCode": set(), "ServiceCode": set(), "WorkerCode": set()}
    several_lines = several_occupations = ends = bis_numbers = 0
    for name in readable():
        tree = root(name)
        for label, codes in seen.items():
            codes.update(int(item.text or 0) for item in tree.iter(label))
        several_lines += sum(len(person.findall("WorkerRecord")) > 1 for person in tree.iter("NaturalPerson"))
        several_occupations += sum(len(line.findall("Occupation")) > 1 for line in tree.iter("WorkerRecord"))
        ends += sum(1 for _ in tree.iter("OccupationEndingDate"))
        bis_numbers += sum(int((item.text or "")[2:4]) > 12 for item in tree.iter("INSS"))
    assert seen["RemunCode"] == {1, 2, 3, 7, 10, 11, 12, 13, 22}
    assert seen["ServiceCode"] == {1, 2, 5, 12, 30, 50, 60, 71, 72}
    assert seen["WorkerCode"] == {10, 15, 35, 50, 439, 495, 675, 840, 876, 877, 879, 883}
    assert min(several_lines, several_occupations, ends, bis_numbers) > 0


def test_amounts_add_up_to_what_is_declared() -> None:
    with (SAMPLES / "expected_amounts.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    net: Counter[tuple[str, str]] = Counter()
    for row in rows:
        sign = 1 if row["kind"] == "contribution" else -1
        net[row["file"], row["form_index"]] += sign * int(row["declared_cents"] or 0)
    for (name, place), total in net.items():
        assert FILINGS[name]["net_owed_cents"][int(place)] == total
    assert {row["outcome"] for row in rows} == {
        "equal",
        "rounding",
        "differs",
        "missing",
        "superfluous",
        "not computable",
    }
    lines = sum(entry["lines"] for entry in EXPECTED["totals"]["amounts"])
    assert lines == len(rows)


def test_one_file_repeats_another_and_one_employer_declares_twice() -> None:
    copies = [(name, filing["same_bytes_as"]) for name, filing in FILINGS.items() if filing["same_bytes_as"]]
    assert len(copies) == 1
    copy, original = copies[0]
    assert INBOX[copy] == INBOX[original]
    assert original < copy
    seen: dict[tuple[str | None, str | None], list[str]] = {}
    for name in readable():
        for form in root(name).iter("Form"):
            key = (form.findtext(".//Quarter"), form.findtext(".//NOSSRegistrationNbr"))
            seen.setdefault(key, []).append(name)
    repeated = [sorted(names) for names in seen.values() if len(names) > 1 and copy not in names]
    assert [[FILINGS[name]["codes"] for name in names] for names in repeated] == [[[], ["90007-006"]]]


def test_verdicts_are_counted() -> None:
    told = Counter(filing["verdict"] for filing in FILINGS.values() if not filing["same_bytes_as"])
    assert dict(told) == EXPECTED["totals"]["filings"]
    assert {"accepted", "refused", "not_processed"} == set(told)


def test_what_comes_later_corrects_repeats_and_comes_late() -> None:
    later = contents(SAMPLES / "later")
    told = sorted(
        (filing["verdict"], filing["name_known"], filing["same_bytes_as"] is not None, tuple(filing["codes"]))
        for filing in LATER.values()
    )
    assert told == [
        ("accepted", False, False, ()),
        ("accepted", False, False, ()),
        ("accepted", False, False, ()),
        ("accepted", True, False, ()),
        ("accepted", True, True, ()),
        ("not_processed", False, False, ()),
        ("refused", False, False, ("00610-180", "00620-180")),
        ("refused", False, False, ("90007-006",)),
    ]
    for name, filing in LATER.items():
        assert filing["name_known"] is (name in INBOX)
        if filing["same_bytes_as"]:
            assert later[name] == INBOX[filing["same_bytes_as"]]
        else:
            assert later[name] not in INBOX.values()
    (wrong,) = [
        name for name, filing in FILINGS.items() if filing["fault"] == "net_wrong" and filing["declarations"] == 1
    ]
    number = root(wrong).findtext(".//NOSSRegistrationNbr")
    (corrected,) = [
        data for data in later.values() if etree.fromstring(data).findtext(".//NOSSRegistrationNbr") == number
    ]
    assert int(etree.fromstring(corrected).findtext(".//NetOwedAmount") or 0) == owed(root(wrong))
