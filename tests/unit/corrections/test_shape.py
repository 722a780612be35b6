"""The frames of corrections, against the same corrections rewritten as originals and read by plain XPath."""

from copy import deepcopy
from typing import Any

import polars as pl
import pytest
from lxml import etree

from dmfa.corrections.shape import CREATE, LABELS, Corrections, concat
from dmfa.reading.batch import Batch, Settings, read_batch
from dmfa.reading.keys import declaration_id
from dmfa.reading.source import find_filings
from tests.making import Maker, to_bytes
from tests.oracle_xml import differences

RELEASES = ["20221", "20231"]
SEEDS = (1, 3, 4)

ONLY_CORRECTIONS = {
    "EmployerDeclarationPID", "Justification", "NaturalPersonPID", "DeclNaturalPersonPID",
    "DeclNaturalPersonVersionNbr", "UpdateAction", "OccupationVersionNbr", "CompanyVehicleVersionNbr",
}  # fmt: skip
AROUND = {
    "WorkerRecordUpdate": ("WorkerRecordUpdateAction", "LastSituationWR"),
    "ContributionUnrelatedToNPUpdate": ("CUNPUpdateAction", "LastSituationCUNP"),
    "EmployerCompensationUpdate": ("EmpCompensationUpdateAction", "LastSituationEmpCompensation"),
}
NAMES = {
    "EmployerDeclarationUpdate": "EmployerDeclaration",
    "NaturalPersonUpdate": "NaturalPerson",
    "WorkerRecordUpdateAction": "WorkerRecord",
    "OccupationUpdate": "Occupation",
    "CompanyVehicleUpdateAction": "CompanyVehicle",
    "CUNPUpdateAction": "ContributionUnrelatedToNP",
    "EmpCompensationUpdateAction": "EmployerCompensation",
}
"""What stands for what, by the names of the glossary."""


def as_original(data: bytes) -> bytes:
    """A correction with its new states alone, under the labels of an original."""
    root = etree.fromstring(data)
    root.tag = "DmfAOriginal"
    for zone in [one for one in root.iter() if one.tag in ONLY_CORRECTIONS]:
        zone.getparent().remove(zone)
    for label, (action, _) in AROUND.items():
        for block in list(root.iter(label)):
            block.getparent().replace(block, block.find(action))
    for block in root.iter(*NAMES):
        block.tag = NAMES[block.tag]
    return etree.tostring(root)


def number(element: etree._Element, path: str) -> int | None:
    """The number in a zone; None where there is none."""
    text = element.findtext(path)
    return int(text) if text else None


def text(element: etree._Element, path: str) -> str | None:
    """The text of a zone without the white space around it; None where there is none."""
    return (element.findtext(path) or "").strip() or None


def units(form: etree._Element) -> list[dict[str, Any]]:
    """What a Form asks of each unit."""
    found = []
    lines = list(form.iter("WorkerRecordUpdate"))
    people = list(form.iter("NaturalPersonUpdate"))
    for place, person in enumerate(people):
        found.append(
            {
                "unit": "natural_person",
                "natural_person_ordinal": place,
                "ordinal": place,
                "last_version": number(person, "DeclNaturalPersonVersionNbr"),
                "natural_person_pid": number(person, "NaturalPersonPID"),
                "declared_person_pid": number(person, "DeclNaturalPersonPID"),
                "justification": text(person, "Justification"),
            }
        )
    for place, line in enumerate(lines):
        found.append(
            {
                "unit": "worker_record",
                "natural_person_ordinal": people.index(line.getparent()),
                "ordinal": place,
                **_last(line, "LastSituationWR", ("EmployerClass", "WorkerCode"), "WorkerRecordVersionNbr"),
                "action": number(line, "WorkerRecordUpdateAction/UpdateAction"),
            }
        )
    for place, vehicle in enumerate(form.iter("CompanyVehicleUpdateAction")):
        action = number(vehicle, "UpdateAction")
        version = None if action == CREATE else number(vehicle, "CompanyVehicleVersionNbr")
        found.append({"unit": "company_vehicle", "ordinal": place, "last_version": version, "action": action})
    keys = ("UnrelatedEmployerClass", "UnrelatedWorkerCode")
    for place, one in enumerate(form.iter("ContributionUnrelatedToNPUpdate")):
        last = _last(one, "LastSituationCUNP", keys, "ContUnrelatedToNPVersionNbr")
        action = number(one, "CUNPUpdateAction/UpdateAction")
        found.append({"unit": "contribution_unrelated_to_np", "ordinal": place, **last, "action": action})
    for place, one in enumerate(form.iter("EmployerCompensationUpdate")):
        last = _last(one, "LastSituationEmpCompensation", ("CompensationCode",), "EmpCompensationVersionNbr")
        action = number(one, "EmpCompensationUpdateAction/UpdateAction")
        found.append({"unit": "employer_compensation", "ordinal": place, **last, "action": action})
    return found


def _last(one: etree._Element, label: str, keys: tuple[str, ...], version: str) -> dict[str, Any]:
    block = one.find(label)
    if block is None:
        return {}
    widths = [2 if key == "CompensationCode" else 3 for key in keys]
    key = "|".join(f"{int(block.findtext(key)):0{width}d}" for key, width in zip(keys, widths, strict=True))
    return {"last_key": key, "last_version": number(block, version)}


@pytest.fixture(scope="module", params=RELEASES)
def read(request, tmp_path_factory) -> tuple[list[bytes], Batch]:
    folder = tmp_path_factory.mktemp("corrections")
    files = [to_bytes(Maker(f"DmfAUpdate_{request.param}", seed).filing(forms=2, persons=3)) for seed in SEEDS]
    for place, data in enumerate(files):
        (folder / f"{place}.xml").write_bytes(data)
    return files, read_batch(find_filings([folder], folder).filings, Settings.of())


def test_the_new_states_read_as_originals_do(read):
    files, batch = read
    assert differences([as_original(data) for data in files], batch.corrections.declared) == []
    for name, table in batch.corrections.declared.items():
        assert table.schema == batch.shredded.tables[name].schema, name
    filled = {name for name, table in batch.corrections.declared.items() if table.height}
    assert set(LABELS) - filled <= {"employer_compensation", "contribution_unrelated_to_np"}


def test_what_is_asked_of_each_unit(read):
    files, batch = read
    corrections = batch.corrections
    for filing, data in zip(batch.filings, files, strict=True):
        for index, form in enumerate(etree.fromstring(data).findall("Form")):
            own = corrections.of_forms([declaration_id(filing.sha256, index)])
            assert own.forms.height == 1
            empty = dict.fromkeys(own.asked.columns[1:])
            assert own.asked.drop("form_id").to_dicts() == [{**empty, **unit} for unit in units(form)]
            (row,) = own.forms.iter_rows(named=True)
            top = form.find("EmployerDeclarationUpdate")
            assert row["employer_declaration_pid"] == number(top, "EmployerDeclarationPID")
            assert row["noss_registration_nbr"] == number(top, "NOSSRegistrationNbr")
            assert (row["justification"], row["net_owed_amount"]) == (text(top, "Justification"), None)
            versions = [number(one, "OccupationVersionNbr") for one in form.iter("OccupationUpdate")]
            told = [(place, version) for place, version in enumerate(versions) if version is not None]
            assert own.occupation_versions.drop("form_id").rows() == told


def test_parts_make_the_whole(read):
    _, batch = read
    whole: Corrections = batch.corrections
    ids = whole.forms["declaration_id"].to_list()
    joined = concat([whole.of_forms(ids[:2]), whole.of_forms(ids[2:])])
    assert joined.forms.equals(whole.forms)
    assert joined.occupation_versions.equals(whole.occupation_versions)
    for name, table in whole.declared.items():
        assert joined.declared[name].equals(table)
    order = ["form_id", "unit", "ordinal"]
    assert joined.asked.sort(order).equals(whole.asked.sort(order))
    nothing = whole.of_forms([1, 2])
    assert (nothing.forms.height, nothing.asked.height, nothing.asked.schema) == (0, 0, whole.asked.schema)


def test_each_form_is_its_own(tmp_path):
    """Two Forms alike share nothing: neither keys nor situations."""
    root = Maker("DmfAUpdate_20231", 3).filing(persons=2)
    root.append(deepcopy(root.find("Form")))
    (tmp_path / "a.xml").write_bytes(to_bytes(root))
    corrections = read_batch(find_filings([tmp_path], tmp_path).filings, Settings.of()).corrections
    first, second = (corrections.of_forms([one]).asked for one in corrections.forms["declaration_id"])
    assert first.drop("form_id").equals(second.drop("form_id"))
    assert pl.concat([first, second]).height == corrections.asked.height > 0
