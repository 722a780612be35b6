"""R18: only what was accepted reaches extracts, with the anomalies that are open in it; from filing to recipient."""

from __future__ import annotations

import copy
import shutil
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from lxml import etree

from dmfa.extracts.authorisations import CHANGE_TABLE, FLAG_TABLE
from dmfa.extracts.mutations import apply_mutations, in_order
from dmfa.lake import Lake
from dmfa.quarter import Quarter
from dmfa.schema import home
from dmfa.synth import Options, make_quarter
from flows.settings import Settings
from flows.stages import extract
from flows.stages import ingest as stage
from tests.conftest import TODAY, SampleRun
from tests.correcting import CHANGE, UNCHANGED, Correction, zone
from tests.making import balance
from tests.unit.extracts.material import register, row

QUARTER = Quarter(2026, 3)
DAY = date.fromisoformat(TODAY)
TOO_MUCH = 100_000
AMOUNT = "00085-044"
"""A contribution that is not the one computed: class P."""

HOURS = "90211-244"
"""More hours a week than full time, in a correction: class P."""

BLOCKS = {
    "EmployerDeclaration": ["Quarter", "NOSSRegistrationNbr"],
    "NaturalPerson": ["INSS"],
    "WorkerRecord": ["EmployerClass", "WorkerCode"],
    "WorkerContribution": ["ContributionWorkerCode", "ContributionType", "ContributionAmount"],
}


def recipient(name: str, **changes: Any) -> dict[str, Any]:
    who = {"name": name, "title": "Invented", "sector": "999", "institution": "1"}
    return row(**{"id": name, "recipient": who, "blocks": BLOCKS, **changes})


@dataclass(frozen=True)
class Given:
    """What each recipient was given of the originals, and once one of them was corrected.

    Attributes:
        folder: of all.
        wrong: numbers of the persons with an amount that is not the one computed.
        refused: number of the employer whose declaration was refused.
    """

    folder: Path
    wrong: list[str]
    refused: str

    def tables(self, step: str, name: str) -> dict[str, pl.DataFrame]:
        folder = self.folder / step / "extracts" / "2026-3" / "attestation" / name
        return {file.stem: pl.read_parquet(file) for file in folder.glob("*.parquet")}

    def flagged(self, step: str, name: str) -> list[str]:
        tables = self.tables(step, name)
        rows = tables[FLAG_TABLE].join(tables["natural_person"], on="attestation")
        assert set(rows["code"]) <= {AMOUNT}
        return rows["inss"].sort().to_list()


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory) -> Given:
    folder = tmp_path_factory.mktemp("flags")
    make_quarter(QUARTER, 2, 5, folder / "in", Options(largest=3))
    paths = sorted((folder / "in").glob("*.xml"), key=lambda path: path.stat().st_size)
    roots = [etree.parse(path).getroot() for path in paths]
    refused = next(roots[0].iter("NOSSRegistrationNbr")).text
    net = next(roots[0].iter("NetOwedAmount"))
    net.text = str(int(net.text) + 1)
    persons = list(roots[1].iter("NaturalPerson"))[:2]
    right = zone("ContributionAmount", next(persons[0].iter("ContributionAmount")).text)
    for person in persons:
        amount = next(person.iter("ContributionAmount"))
        amount.text = str(int(amount.text) + TOO_MUCH)
    balance(roots[1].find("Form"))
    for path, root in zip(paths, roots, strict=True):
        path.write_bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8"))
    file = register(
        folder,
        recipient("whole"),
        recipient("hours", blocks={**BLOCKS, "Occupation": ["RefMeanWorkingHours", "MeanWorkingHours"]}),
        recipient("mutating", delivery="mutation"),
        recipient("narrow", blocks={**BLOCKS, "WorkerContribution": ["ContributionWorkerCode", "ContributionType"]}),
    )
    settings = Settings(
        lake=str(folder / "lake"), out=folder / "first", received_on=DAY, received_on_given=True, workers=1,
        authorisations=file,
    )  # fmt: skip
    stage.run([folder / "in"], settings)
    extract.run(QUARTER, settings)
    (folder / "first").rename(folder / "second")
    for name in ("whole", "narrow", "mutating.1"):
        _copied(folder, name)
    (folder / "correction").mkdir()
    corrected = Correction(paths[1].read_bytes()).line(0, 0, CHANGE, right)
    corrected.line(1, 0, UNCHANGED).line(2, 0, CHANGE, _overtime)
    (folder / "correction" / "1.xml").write_bytes(_told_whole(corrected.data()))
    later = replace(settings, out=folder / "second", received_on=DAY + timedelta(days=1))
    stage.run([folder / "correction"], later)
    extract.run(QUARTER, later)
    return Given(folder, [person.findtext("INSS") for person in persons], refused)


def _copied(folder: Path, name: str) -> None:
    """Keep what was given first: what is given later takes its place."""
    within = Path("extracts") / "2026-3" / "attestation" / name
    shutil.copytree(folder / "second" / within, folder / "first" / within)


def _overtime(line: etree._Element) -> None:
    """More hours a week than full time."""
    full = line.find("Occupation/RefMeanWorkingHours")
    mean = etree.Element("MeanWorkingHours")
    mean.text = str(int(full.text) + 100)
    full.addnext(mean)


def _told_whole(correction: bytes) -> bytes:
    """A correction in which what is left as it is stands with all below it, as what was changed before it."""
    root = etree.fromstring(correction)
    changed, left, _ = root.iter("WorkerRecordUpdateAction")
    assert left.findtext("UpdateAction") == UNCHANGED
    left.extend(copy.deepcopy([child for child in changed if len(child)]))
    data: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8")
    return data


def test_r18_declarations_with_blocking_anomalies_never_do(given: Given) -> None:
    with Lake.open(given.folder / "lake") as lake:
        found = lake.arrow("SELECT DISTINCT severity FROM lake.received.anomaly").column(0).to_pylist()
    assert sorted(found) == ["B", "P"]
    for step in ("first", "second"):
        told = given.tables(step, "whole")["employer_declaration"]["noss_registration_nbr"]
        assert len(told) >= 2
        assert given.refused.zfill(9) not in told.to_list()


def test_r18_open_anomalies_travel_as_quality_flags(given: Given) -> None:
    assert given.flagged("first", "whole") == given.flagged("first", "mutating.1") == sorted(given.wrong)
    tables = given.tables("first", "whole")
    flags = tables[FLAG_TABLE]
    assert set(flags["class"]) == {"P"}
    about = flags.join(
        tables["worker_contribution"],
        left_on=["attestation", "ordinal"],
        right_on=["attestation", "worker_contribution_ordinal"],
    )
    assert about["contribution_amount"].min() >= TOO_MUCH


def test_r18_of_what_a_recipient_is_not_given_nothing_is_told(given: Given) -> None:
    for step in ("first", "second"):
        assert given.tables(step, "narrow")["worker_contribution"].height > 0
        assert given.flagged(step, "narrow") == []


def test_r18_a_correction_closes_what_stood_on_the_line(given: Given) -> None:
    assert given.flagged("second", "whole") == given.wrong[1:]
    assert given.flagged("second", "mutating.2") == []
    assert given.tables("second", "mutating.2")[CHANGE_TABLE]["status"].to_list() == [1, 1]


def test_r18_what_a_correction_has_at_fault_stands_on_its_very_row(given: Given) -> None:
    """A line that the Form leaves as it is, with all below it, stands between the two that it changes."""
    tables = given.tables("second", "hours")
    (flag,) = tables[FLAG_TABLE].filter(code=HOURS).iter_rows(named=True)
    assert (flag["block"], flag["class"]) == ("Occupation", "P")
    over = tables["occupation"].filter(pl.col("mean_working_hours") > pl.col("ref_mean_working_hours"))
    assert over.select("attestation", "occupation_ordinal").rows() == [(flag["attestation"], flag["ordinal"])]


def test_r13_r18_mutations_lead_to_the_flags_of_a_full_extract(given: Given) -> None:
    base: dict[str, pl.DataFrame] = {}
    for name in ("mutating.1", "mutating.2"):
        base = apply_mutations(base, given.tables("second", name))
    full = in_order(given.tables("second", "whole"))
    assert full[FLAG_TABLE].height == 1
    assert base.keys() == {*full, CHANGE_TABLE}
    for name, rows in full.items():
        assert base[name].equals(rows, null_equal=True)


def test_r18_xml_with_flags_is_valid_and_says_the_same(given: Given) -> None:
    schema = etree.XMLSchema(etree.parse(home() / "DmfAAttestation_1.xsd"))
    for step, name in (("first", "whole"), ("second", "whole"), ("second", "mutating.1")):
        path = given.folder / step / "extracts" / "2026-3" / "attestation" / name / "attestation.xml"
        root = etree.parse(path).getroot()
        schema.assertValid(root)
        told = [
            (int(node.findtext("number")), *(child.text for child in flag))
            for node in root.iter("attestation")
            for flag in node.iterfind("QualityFlag")
        ]
        flags = given.tables(step, name)[FLAG_TABLE].drop("version", "status")
        assert told == [(row[0], *map(str, row[1:])) for row in flags.iter_rows()]
        assert told


def test_r18_the_samples_show_what_is_open_in_them(sample_run: SampleRun) -> None:
    folder = sample_run.out / "extracts" / "2026-3" / "attestation"
    flags = pl.read_parquet(folder / "example-inspection" / "quality_flag.parquet")
    told = flags.select("block", "zone", "code", "class").sort("code").rows()
    assert told == [
        ("WorkerContribution", "ContributionAmount", AMOUNT, "P"),
        ("OccupationDeduction", "DeductionCode", "00086-085", "NP"),
    ]
    assert pl.read_parquet(folder / "example-career-fund" / "quality_flag.parquet").is_empty(), (
        "it has no amounts of them"
    )
