"""The NSSO's own validator, experiment by experiment: our four checks give its verdict.

Each case is a variant of a correct declaration whose named schema is that of its quarter, with the steps at which the
NSSO's validator (2.20231.3) complains: 1 well-formed, 2 XSD, 3 double INSZ, 4 net amount owed. It goes on after a fault
of step 2, we do not; the verdict on the filing is the same. Check digits are no step of it and are left out.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from datetime import date
from pathlib import Path

import pytest
from lxml import etree

from dmfa.reading.batch import Settings as Reading
from dmfa.reading.batch import read_batch
from dmfa.reading.source import Found
from dmfa.schema import lake_tables
from flows.settings import Settings
from flows.stages.judging import judge_batch
from tests.making import MINUS, PLUS, XSI, Maker, balance, to_bytes

TOP = "Form/EmployerDeclaration"
LOCATION = f"{{{XSI}}}noNamespaceSchemaLocation"
STEPS = {"90017-006": 3, "90220-006": 3, "00015-007": 4}

Spoil = Callable[[etree._Element], "bytes | None"]


def steps(tmp_path: Path, data: bytes) -> tuple[str, set[int], int]:
    """Verdict, steps at which we complain, and number of complaints."""
    path = tmp_path / "one.xml"
    path.write_bytes(data)
    batch = read_batch([Found("one.xml", path, size=len(data))], Reading.of())
    settings = Settings(checks="validator", lenient_identifiers=True)
    blocks = {table.name: table.block.name for table in lake_tables()}
    judged = judge_batch(batch, settings, blocks, date(2026, 11, 22))
    (filing,) = batch.filings
    codes = judged.anomalies.filter(severity="B")["code"].to_list()
    if not filing.well_formed:
        found = {1}
    elif filing.schema_valid is False:
        found = {2}
    else:
        found = {STEPS[code] for code in codes}
    return judged.filings["verdict"][0], found, len(codes)


def filing(release: str = "20231", forms: int = 1) -> etree._Element:
    return Maker(release, 3).filing(forms=forms, persons=3)


def text(path: str, value: str) -> Spoil:
    def spoil(root: etree._Element) -> None:
        root.find(path).text = value

    return spoil


def off_by(cents: int) -> Spoil:
    def spoil(root: etree._Element) -> None:
        net = root.find(f"{TOP}/NetOwedAmount")
        net.text = str(int(net.text) + cents)

    return spoil


def again(times: int, *, form: int = 0, to: int = 0) -> Spoil:
    """The first person of one Form stands again in a Form."""

    def spoil(root: etree._Element) -> None:
        forms = root.findall("Form")
        person = forms[form].find("EmployerDeclaration/NaturalPerson")
        if to != form:
            for zone in ("NOSSRegistrationNbr", "Quarter"):
                other = forms[to].find(f"EmployerDeclaration/{zone}")
                other.text = forms[form].findtext(f"EmployerDeclaration/{zone}")
        for _ in range(times):
            forms[to].find("EmployerDeclaration/NaturalPerson").addnext(deepcopy(person))
        for one in forms:
            balance(one)

    return spoil


def both(*spoils: Spoil) -> Spoil:
    def spoil(root: etree._Element) -> None:
        for one in spoils:
            one(root)

    return spoil


def zero_twice(root: etree._Element) -> None:
    for person in root.findall(f"{TOP}/NaturalPerson")[:2]:
        person.find("INSS").text = "0"


def leading_zero(root: etree._Element) -> None:
    again(1, to=1)(root)
    number = root.findall("Form")[1].find("EmployerDeclaration/NOSSRegistrationNbr")
    number.text = number.text.zfill(9)


def other_employer(root: etree._Element) -> None:
    again(1, to=1)(root)
    root.findall("Form")[1].find("EmployerDeclaration/NOSSRegistrationNbr").text = "199999934"


def in_user(root: etree._Element) -> None:
    """The INSZ of a user is not that of a person declared."""
    number = root.find(f"{TOP}/NaturalPerson/INSS").text
    users = [zone for zone in root.iter("INSS") if zone.getparent().tag == "UsingEmployer"]
    assert users
    for zone in users:
        zone.text = number


def swapped(root: etree._Element) -> None:
    top = root.find(TOP)
    top.insert(0, top[1])


def many_errors(root: etree._Element) -> None:
    top, person = root.find(TOP), root.find(f"{TOP}/NaturalPerson")
    for _ in range(1_200):
        one = deepcopy(person)
        one.find("NaturalPersonSequenceNbr").text = "x"
        person.addnext(one)
    assert top is not None


def cut(root: etree._Element) -> bytes:
    return to_bytes(root)[:-40]


def with_path(root: etree._Element) -> None:
    root.set(LOCATION, f"https://example.org/schemas/{root.get(LOCATION)}")


def empty_optional_text(root: etree._Element) -> None:
    person = root.find(f"{TOP}/NaturalPerson")
    reference = person.find("NaturalPersonUserReference")
    if reference is None:
        reference = etree.Element("NaturalPersonUserReference")
        person.find("INSS").addnext(reference)
    reference.text = None


def compensation(cents: int) -> Spoil:
    """An employer compensation is subtracted from the net amount."""

    def spoil(root: etree._Element) -> None:
        top = root.find(TOP)
        for held in top.findall("EmployerCompensation"):
            top.remove(held)
        block = etree.SubElement(top, "EmployerCompensation")
        etree.SubElement(block, "CompensationCode").text = "01"
        etree.SubElement(block, "CompensationAmount").text = "25"
        balance(root.find("Form"))
        off_by(cents)(root)

    return spoil


def counted(zone: str) -> Spoil:
    """A cent less in an amount, or one more than nothing; the net amount as before."""

    def spoil(root: etree._Element) -> None:
        place = next(root.iter(zone))
        held = int(place.text or 0)
        place.text = str(held - 1 if held else 1)

    return spoil


CASES: dict[str, tuple[Spoil, set[int]]] = {
    "correct": (lambda root: None, set()),
    "malformed": (cut, {1}),
    "bad value": (text(f"{TOP}/Trusteeship", "7"), {2}),
    "empty optional text": (empty_optional_text, set()),
    "empty required": (text(f"{TOP}/NaturalPerson/INSS", ""), {2}),
    "empty number": (text(f"{TOP}/Trusteeship", ""), {2}),
    "same person twice": (again(1), {3}),
    "same person three times": (again(2), {3}),
    "same person in a second Form of the same employer": (again(1, to=1), {3}),
    "registration number with a leading zero": (leading_zero, {3}),
    "same person in a second Form of another employer": (other_employer, set()),
    "INSZ of a person at a user": (in_user, set()),
    "1,200 errors": (many_errors, {2}),
    "net off by a cent": (off_by(1), {4}),
    "net off by a cent the other way": (off_by(-1), {4}),
    "net off and a person twice": (both(again(1), off_by(1)), {3, 4}),
    "schema error and a person twice": (both(again(1), text(f"{TOP}/Trusteeship", "7")), {2, 3}),
    "empty net": (text(f"{TOP}/NetOwedAmount", ""), {2, 4}),
    "non-numeric net": (text(f"{TOP}/NetOwedAmount", "ten"), {2, 3}),
    "negative net": (text(f"{TOP}/NetOwedAmount", "-1"), {2}),
    "wrong order": (swapped, {2}),
    "schema with a path": (with_path, set()),
    "employer compensation": (compensation(0), set()),
    "employer compensation, net off": (compensation(25), {4}),
}
CASES |= {f"a cent beside in {zone}": (counted(zone), {4}) for zone in ("ContributionAmount", "DeductionAmount")}
CASES |= {f"a cent beside in {zone}": (counted(zone), set()) for zone in ("RemunAmount",)}


@pytest.mark.parametrize("name", CASES)
def test_experiment(tmp_path: Path, name: str) -> None:
    spoil, expected = CASES[name]
    root = filing(forms=2)
    data = spoil(root)
    verdict, found, many = steps(tmp_path, data if isinstance(data, bytes) else to_bytes(root))
    assert verdict == ("refused" if expected else "accepted")
    assert found == ({2} if 2 in expected else expected)
    assert many <= 1_000


def test_zero_is_no_person(tmp_path: Path) -> None:
    """INSZ 0 twice is no double to the validator, where the schema lets it pass at all."""
    root = filing()
    zero_twice(root)
    _, found, _ = steps(tmp_path, to_bytes(root))
    assert 3 not in found


def test_each_double_is_told_once(tmp_path: Path) -> None:
    root = filing()
    again(2)(root)
    assert steps(tmp_path, to_bytes(root))[2] == 1


@pytest.mark.parametrize("zone", [*PLUS, *MINUS])
def test_every_amount_that_it_sums_we_sum(tmp_path: Path, zone: str) -> None:
    made = (Maker("20231", seed).filing(persons=4) for seed in range(1, 40))
    root = next(root for root in made if root.find(f".//{zone}") is not None)
    place = root.find(f".//{zone}")
    ends = []
    for cents in (1, -1):
        held = place.text
        place.text = str(int(held or 0) + cents)
        ends.append(steps(tmp_path, to_bytes(root))[1])
        place.text = held
    # One of the two may be past the bounds of the zone.
    assert {4} in ends
    assert ends in ([{4}, {4}], [{4}, {2}], [{2}, {4}])


def test_where_it_is_silent_or_looks_elsewhere(tmp_path: Path) -> None:
    """Outside the comparison: no schema named, an unknown one, that of another quarter. The quarter decides, and warns.

    A double INSZ is told of a correction too; a correction of public employers is kept and not processed.
    """
    for named in (None, "DmfAOriginal_20251.xsd", "DmfAOriginal_20221.xsd"):
        root = filing()
        del root.attrib[LOCATION]
        if named:
            root.set(LOCATION, named)
        assert steps(tmp_path, to_bytes(root))[:2] == ("accepted", set())
    root = filing()
    again(1)(root)
    update = Maker("DmfAUpdate_20231", 3).filing(persons=3)
    assert steps(tmp_path, to_bytes(update)) == ("accepted", set(), 0)
    numbers = [person.find("INSS") for person in update.iter("NaturalPersonUpdate")]
    numbers[2].text = numbers[0].text
    assert steps(tmp_path, to_bytes(update)) == ("refused", {3}, 1)
    later = to_bytes(root).replace(b"DmfAOriginal", b"DMFAPPLUpdate")
    assert steps(tmp_path, later)[0] == "not_processed"
