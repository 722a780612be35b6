"""What is wrong in corrections by themselves: their new states as originals, and what they say beside."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from pathlib import Path

import polars as pl
import pytest
from lxml import etree

from dmfa.checks import Context, corrections
from dmfa.checks.corrections import correction_anomalies
from dmfa.corrections.shape import Corrections
from dmfa.reading.batch import Settings, read_batch
from dmfa.reading.location import locate
from dmfa.reading.source import find_filings
from dmfa.schema.catalogue import catalogue
from dmfa.synth.trades import TRADES
from tests.correcting import CHANGE, CREATE, DELETE, UNCHANGED, Correction
from tests.making import to_bytes
from tests.spoiling import RECEIVED, valid

Change = Callable[[etree._Element], None]
SETTINGS = Settings.of()
CONTEXT = Context(RECEIVED, {table.name: table.label for table in SETTINGS.plan.tables})


def read(folder: Path, data: bytes) -> Corrections:
    (folder / "a.xml").write_bytes(data)
    batch = read_batch(find_filings([folder], folder).filings, SETTINGS)
    assert batch.filings[0].schema_valid, batch.anomalies["message"].to_list()
    return batch.corrections


def told(folder: Path, data: bytes, context: Context = CONTEXT) -> list[tuple[str, str, int, str | None]]:
    """Code, block, ordinal and zone of each anomaly, limitation left out."""
    found = correction_anomalies(read(folder, data), context).anomalies.filter(pl.col("code") != "00013-313")
    return found.select("code", "block", "block_ordinal", "zone").rows()


def original(trade: str = "general") -> bytes:
    return to_bytes(valid(trade))


def lines_of(data: bytes) -> list[tuple[int, int]]:
    """Place of each person, and of each line below it."""
    persons = etree.fromstring(data).findall("Form/EmployerDeclaration/NaturalPerson")
    return [
        (place, line) for place, person in enumerate(persons) for line in range(len(person.findall("WorkerRecord")))
    ]


def correction(action: str = CHANGE, trade: str = "general", many: int | None = None) -> Correction:
    """A correction of the lines of a declaration, all alike."""
    data = original(trade)
    made = Correction(data)
    for person, line in lines_of(data)[:many]:
        made.line(person, line, action)
    return made


def spoiled(change: Change, action: str = CHANGE, many: int = 3) -> bytes:
    root = etree.fromstring(correction(action, many=many).data())
    change(root)
    return to_bytes(root)


@pytest.mark.parametrize("trade", [trade.name for trade in TRADES])
def test_right_corrections_have_no_anomaly(tmp_path: Path, trade: str) -> None:
    assert told(tmp_path, correction(trade=trade).data()) == []


@pytest.mark.parametrize("action", [DELETE, CREATE, UNCHANGED])
def test_right_actions_have_no_anomaly(tmp_path: Path, action: str) -> None:
    made = Correction(original())
    for person, line in lines_of(original()):
        made.line(person, line, action, of_person=None if action == CREATE else 1)
    assert told(tmp_path, made.data()) == []


def drop(path: str) -> Change:
    def change(root: etree._Element) -> None:
        for element in root.findall(path):
            element.getparent().remove(element)

    return change


def put(path: str, value: str) -> Change:
    def change(root: etree._Element) -> None:
        element = root.find(path)
        assert element is not None
        element.text = value

    return change


def copied(path: str, to: str) -> Change:
    """The value of a zone into another one."""

    def change(root: etree._Element) -> None:
        put(to, root.findtext(path) or "")(root)

    return change


TOP = "Form/EmployerDeclarationUpdate"
PERSON = f"{TOP}/NaturalPersonUpdate"
LINE = f"{PERSON}[2]/WorkerRecordUpdate"
ACTION = f"{LINE}/WorkerRecordUpdateAction"
OF_LINE = "WorkerRecordUpdateAction"
WITH = "WorkerRecord/Occupation/LocalUnitID"
BAD = "2000000100"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (drop(f"{LINE}/LastSituationWR"), ("90221-001", "WorkerRecordUpdate", 1, None)),
        (put(f"{ACTION}/UpdateAction", CREATE), ("00618-174", OF_LINE, 1, "UpdateAction")),
        (drop(f"{ACTION}/Border"), ("00040-001", OF_LINE, 1, "Border")),
        (drop(f"{ACTION}/NOSSQuarterStartingDate"), ("00038-001", OF_LINE, 1, "NOSSQuarterStartingDate")),
        (drop(f"{ACTION}/NOSSQuarterEndingDate"), ("00039-001", OF_LINE, 1, "NOSSQuarterEndingDate")),
        (drop(f"{PERSON}[3]/NaturalPersonPID"), ("00549-001", "NaturalPersonUpdate", 2, "NaturalPersonPID")),
        (drop(f"{PERSON}[3]/DeclNaturalPersonPID"), ("00548-001", "NaturalPersonUpdate", 2, "DeclNaturalPersonPID")),
        (
            drop(f"{PERSON}[3]/DeclNaturalPersonVersionNbr"),
            ("00620-001", "NaturalPersonUpdate", 2, "DeclNaturalPersonVersionNbr"),
        ),
        (
            copied(f"{PERSON}[1]/NaturalPersonPID", f"{PERSON}[3]/NaturalPersonPID"),
            ("00549-006", "NaturalPersonUpdate", 2, "NaturalPersonPID"),
        ),
        (
            copied(f"{PERSON}[1]/DeclNaturalPersonPID", f"{PERSON}[2]/DeclNaturalPersonPID"),
            ("00548-006", "NaturalPersonUpdate", 1, "DeclNaturalPersonPID"),
        ),
        # Of the new state, by the checks of originals.
        (copied(f"{PERSON}[1]/INSS", f"{PERSON}[2]/INSS"), ("90220-006", "NaturalPersonUpdate", 1, None)),
        (put(f"{PERSON}[2]/INSS", "77101500173"), ("00024-004", "NaturalPersonUpdate", 1, "INSS")),
    ],
)
def test_one_fault(tmp_path: Path, change: Change, expected: tuple[object, ...]) -> None:
    assert told(tmp_path, spoiled(change)) == [expected]


def test_the_quarter_must_have_ended(tmp_path: Path) -> None:
    found = told(tmp_path, spoiled(put(f"{TOP}/Quarter", "20264")))
    assert ("00013-008", "EmployerDeclarationUpdate", 0, "Quarter") in found


def bare(root: etree._Element) -> None:
    for child in root.xpath(f"({ACTION})[1]/*[*]"):
        child.getparent().remove(child)


def test_a_change_needs_its_new_state(tmp_path: Path) -> None:
    assert told(tmp_path, spoiled(bare)) == [("90225-134", OF_LINE, 1, None)]


def test_a_line_that_is_deleted_has_nothing_below_it(tmp_path: Path) -> None:
    found = told(tmp_path, spoiled(put(f"{ACTION}/UpdateAction", DELETE)))
    codes = {code for code, *_ in found}
    assert "90211-146" in codes
    assert {code[-3:] for code in codes} == {"146"}
    places = [(block, ordinal) for code, block, ordinal, _ in found if code == "90211-146"]
    assert places == [("OccupationUpdate", 1)]


def test_what_stays_is_placed_where_it_stands_in_the_form(tmp_path: Path) -> None:
    """The first line is deleted and has no occupation; a fault of the third is told of the second occupation there."""
    data = original()
    persons = etree.fromstring(data).findall("Form/EmployerDeclaration/NaturalPerson")
    chosen = [place for place, person in enumerate(persons) if person.find(WITH) is not None]
    made = Correction(data)
    for place, action in zip(chosen, (DELETE, CHANGE, CHANGE), strict=False):
        made.line(place, 0, action)
    root = etree.fromstring(made.data())
    root.findall(f"{PERSON}/WorkerRecordUpdate/WorkerRecordUpdateAction/OccupationUpdate/LocalUnitID")[1].text = BAD
    found = correction_anomalies(read(tmp_path, to_bytes(root)), CONTEXT).anomalies
    (row,) = found.filter(code="00042-004").iter_rows(named=True)
    assert (row["block"], row["block_ordinal"]) == ("OccupationUpdate", 1)
    (path,) = tmp_path.iterdir()
    (filing,) = find_filings([path], tmp_path).filings
    (opened,) = read_batch([filing], SETTINGS).filings
    (located,) = locate(filing, opened.sha256 or "", found.filter(code="00042-004")).iter_rows(named=True)
    assert root.xpath(located["path"])[0].text == BAD


def test_a_line_may_take_the_class_and_code_of_one_that_is_deleted(tmp_path: Path) -> None:
    made = Correction(original())
    made.line(0, 0, DELETE).line(0, 0, CREATE)
    assert told(tmp_path, made.data()) == []
    twice = Correction(original()).line(0, 0, CHANGE).line(0, 0, CREATE)
    assert ("90225-006", OF_LINE, 1, None) in told(tmp_path, twice.data())


def test_only_a_line_can_be_left_as_it_is(tmp_path: Path) -> None:
    """A vehicle may be created with a version beside it, as in the example that the NSSO publishes: it says nothing."""
    root = etree.fromstring(correction(many=1).data())
    top = root.find("Form/EmployerDeclarationUpdate")
    for place, (action, version) in enumerate(((UNCHANGED, "1"), (CHANGE, None), (CREATE, "1"), (CREATE, None)), 1):
        vehicle = etree.SubElement(top, "CompanyVehicleUpdateAction")
        etree.SubElement(vehicle, "CompanyVehicleSequenceNbr").text = str(place)
        etree.SubElement(vehicle, "LicensePlate").text = f"1ABC00{place}"
        etree.SubElement(vehicle, "EcoVehicle").text = "0"
        if version:
            etree.SubElement(vehicle, "CompanyVehicleVersionNbr").text = version
        etree.SubElement(vehicle, "UpdateAction").text = action
    of_vehicle = "CompanyVehicleUpdateAction"
    own = [one for one in told(tmp_path, to_bytes(root)) if one[1] == of_vehicle]
    assert own == [
        ("00618-174", of_vehicle, 0, "UpdateAction"),
        ("00782-001", of_vehicle, 1, "CompanyVehicleVersionNbr"),
    ]


def test_the_net_amount_owed_is_not_asked_of_a_correction(tmp_path: Path) -> None:
    codes = correction_anomalies(read(tmp_path, correction(many=1).data()), CONTEXT).anomalies["code"]
    assert not [code for code in codes if code.startswith("00015")]


def test_only_what_the_validator_checks(tmp_path: Path) -> None:
    context = Context(RECEIVED, CONTEXT.blocks, validator_only=True)
    data = spoiled(drop(f"{LINE}/LastSituationWR"))
    assert told(tmp_path, data, context) == []
    twice = spoiled(copied(f"{PERSON}[1]/INSS", f"{PERSON}[2]/INSS"))
    assert [code for code, *_ in told(tmp_path, twice, context)] == ["90220-006"]


def test_a_person_may_stand_in_two_forms_of_a_filing(tmp_path: Path) -> None:
    root = etree.fromstring(correction(many=2).data())
    root.append(deepcopy(root.find("Form")))
    assert told(tmp_path, to_bytes(root)) == []
    put(f"{PERSON}[2]/INSS", root.findtext(f"{PERSON}[1]/INSS"))(root)
    assert told(tmp_path, to_bytes(root)) == [("90220-006", "NaturalPersonUpdate", 1, None)]


def test_every_code_of_its_own_blocks() -> None:
    known = catalogue("DmfAUpdate")
    assert {known.severity(code, 20231) for code in corrections.codes()} == {"B"}
