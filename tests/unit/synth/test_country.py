"""A generated quarter: valid, balanced, counted, and always the same."""

from __future__ import annotations

from collections import Counter
from datetime import date
from functools import partial
from hashlib import sha256
from pathlib import Path

import polars as pl
import pytest
import xmlschema
from lxml import etree

from dmfa.errors import WrongUsage
from dmfa.quarter import Quarter
from dmfa.reading.pool import run_pool
from dmfa.schema import home, load, release_for
from dmfa.synth import Options, make_quarter
from dmfa.synth.workdays import weekdays

QUARTER = Quarter(2026, 3)
OWED = (
    "ContributionAmount",
    "StudentContributionAmount",
    "UnrelatedAmount",
    "EarlyRetirementContributionAmount",
    "GrossRefRemunContributionAmount",
)
GRANTED = ("DeductionAmount", "CompensationAmount")
TABLE_OF = {
    "EmployerDeclaration": "employer_declaration",
    "NaturalPerson": "natural_person",
    "WorkerRecord": "worker_record",
    "Occupation": "occupation",
    "OccupationInformations": "occupation_informations",
    "SecondPillarInformation": "second_pillar_information",
    "Service": "service",
    "Remun": "remun",
    "OccupationPublicServiceData": "occupation_public_service_data",
    "ScaleSalary": "scale_salary",
    "AdditionalScaleSalary": "additional_scale_salary",
    "ReorgMeasureInformation": "reorg_measure_information",
    "OccupationDeduction": "occupation_deduction",
    "WorkerContribution": "worker_contribution",
    "WorkerDeduction": "worker_deduction",
    "StudentContribution": "student_contribution",
    "CompanyVehicle": "company_vehicle",
    "ContributionUnrelatedToNP": "contribution_unrelated_to_np",
    "UsingEmployer": "using_employer",
    "Address": "address",
    "ActivationInformation": "activation_information",
    "DeductionDetail": "deduction_detail",
    "OccupationDeductionDetail": "occupation_deduction_detail",
    "DismissedStatutoryWorkerContribution": "dismissed_statutory_worker_contribution",
    "EarlyRetirementContribution": "early_retirement_contribution",
    "ComplementaryIndemnity": "complementary_indemnity",
    "ComplIndemnityContribution": "compl_indemnity_contribution",
    "IndemnityWAPM": "indemnity_wapm",
    "EmployerCompensation": "employer_compensation",
}
SINCE_2023 = {"address", "employer_compensation", "using_employer"}


def digests(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("country") / "quarter"
    make_quarter(QUARTER, 150, 11, out, Options(largest=60))
    return out


@pytest.mark.parametrize("quarter", ["2022/1", "2022/2", "2022/3", "2022/4", "2023/1", "2024/4", "2026/3"])
def test_every_block_of_the_release_occurs_and_every_file_is_valid(quarter: str, tmp_path: Path) -> None:
    truth = make_quarter(Quarter.parse(quarter), 250, 3, tmp_path / "out", Options(largest=20))
    release = release_for("DmfAOriginal", Quarter.parse(quarter))
    assert release is not None
    blocks = set(load(release).blocks)
    assert set(truth.rows) == {table for block, table in TABLE_OF.items() if block in blocks}
    assert blocks - set(TABLE_OF) == {"DmfAOriginal", "Form", "Reference"}
    assert set(TABLE_OF.values()) - set(truth.rows) == (SINCE_2023 if quarter < "2023/1" else set())
    schemas: dict[str, etree.XMLSchema] = {}
    for path in sorted((tmp_path / "out").glob("*.xml")):
        tree = etree.parse(path)
        name = next(value for key, value in tree.getroot().attrib.items() if "noNamespaceSchemaLocation" in str(key))
        schema = schemas.setdefault(str(name), etree.XMLSchema(file=str(home() / str(name))))
        assert schema.validate(tree), f"{path.name}: {schema.error_log.last_error}"
    assert len(schemas) == 1


def test_a_second_validator_agrees(folder: Path) -> None:
    schema = xmlschema.XMLSchema(str(home() / "DmfAOriginal_20231.xsd"))
    for path in sorted(folder.glob("*.xml"))[::15]:
        assert schema.is_valid(str(path))


def test_net_amounts_are_right(folder: Path) -> None:
    for path in sorted(folder.glob("*.xml")):
        root = etree.parse(path).getroot()
        owed = sum(int(item.text or 0) for name in OWED for item in root.iter(name))
        owed -= sum(int(item.text or 0) for name in GRANTED for item in root.iter(name))
        assert [int(item.text or 0) for item in root.iter("NetOwedAmount")] == [owed]


def test_truth_equals_an_independent_count(folder: Path) -> None:
    counted: Counter[tuple[str, str]] = Counter()
    summed: Counter[tuple[str, str]] = Counter()
    for path in sorted(folder.glob("*.xml")):
        for element in etree.parse(path).getroot().iter():
            if element.tag in TABLE_OF:
                counted[path.name, TABLE_OF[element.tag]] += 1
            elif element.tag in ("RemunAmount", "ContributionAmount", "DeductionAmount", "ServiceNbrHours"):
                summed[path.name, element.tag] += int(element.text or 0)
    rows = pl.read_parquet(folder / "truth" / "rows.parquet")
    assert {(row["file"], row["table"]): row["rows"] for row in rows.to_dicts()} == dict(counted)
    sums = pl.read_parquet(folder / "truth" / "sums.parquet")
    told: Counter[tuple[str, str]] = Counter()
    for row in sums.to_dicts():
        label = "".join(word.capitalize() for word in row["column"].split("_"))
        if label in ("RemunAmount", "ContributionAmount", "DeductionAmount", "ServiceNbrHours"):
            told[row["file"], label] += row["sum"]
    assert told == summed
    assert {row["table"] for row in rows.to_dicts()} <= set(TABLE_OF.values())


def test_truth_of_amounts_adds_up_to_the_net_amounts(folder: Path) -> None:
    amounts = pl.read_parquet(folder / "truth" / "amounts.parquet")
    declarations = pl.read_parquet(folder / "truth" / "declarations.parquet")
    signed = amounts.with_columns(
        pl.when(pl.col("kind") != "contribution")
        .then(-pl.col("declared_cents"))
        .otherwise(pl.col("declared_cents"))
        .alias("due")
    )
    per_file = dict(signed.group_by("file").agg(pl.col("due").sum()).iter_rows())
    net = dict(declarations.select("file", "net_owed_cents").iter_rows())
    assert {name: per_file.get(name, 0) for name in net} == net
    assert set(amounts["outcome"].unique()) == {"equal", "not computable"}


def test_no_insz_twice_in_a_declaration(folder: Path) -> None:
    for path in sorted(folder.glob("*.xml")):
        numbers = [item.text for item in etree.parse(path).getroot().iterfind(".//NaturalPerson/INSS")]
        assert len(numbers) == len(set(numbers))


def test_the_same_seed_gives_the_same_bytes_whatever_the_number_of_processes(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_quarter(QUARTER, 150, 11, tmp_path / "again", Options(largest=60))
    assert digests(tmp_path / "again") == digests(folder)
    monkeypatch.setattr("dmfa.synth.country._PART_EMPLOYERS", 15)
    make_quarter(QUARTER, 50, 11, tmp_path / "one", Options(largest=10))
    make_quarter(QUARTER, 50, 11, tmp_path / "two", Options(largest=10), run=partial(run_pool, workers=2))
    assert digests(tmp_path / "one") == digests(tmp_path / "two")
    make_quarter(QUARTER, 5, 12, tmp_path / "other", Options(largest=60))
    assert digests(tmp_path / "other")["20263_000000.xml"] != digests(folder)["20263_000000.xml"]


def test_totals_are_those_of_the_tables(folder: Path, tmp_path: Path) -> None:
    truth = make_quarter(QUARTER, 150, 11, tmp_path / "again", Options(largest=60))
    filings = pl.read_parquet(folder / "truth" / "filings.parquet")
    assert truth.filings == filings.height == 150
    assert truth.persons == filings["persons"].sum() == truth.rows["natural_person"]
    assert truth.bytes == sum(path.stat().st_size for path in folder.glob("*.xml"))
    amounts = pl.read_parquet(folder / "truth" / "amounts.parquet").filter(pl.col("code") == "495")
    assert truth.declared_cents["contribution 495"] == amounts["declared_cents"].sum()


def test_faults_come_in_the_share_asked_for(tmp_path: Path) -> None:
    options = Options(largest=8, faulty_per_million=500_000, fi_names=True, faults=("net_wrong", "empty"))
    truth = make_quarter(QUARTER, 80, 5, tmp_path / "out", options)
    filings = pl.read_parquet(tmp_path / "out" / "truth" / "filings.parquet")
    faulty = filings.filter(pl.col("fault").is_not_null())
    assert 20 < faulty.height < 60
    assert set(faulty["fault"]) == {"net_wrong", "empty"}
    assert truth.verdicts["refused"] == faulty.height
    assert all(name.startswith("FI.DMFA.700000.202610") for name in filings["file"])
    assert sorted(filings["file"]) == sorted(path.name for path in (tmp_path / "out").glob("FI.*"))


def test_a_folder_with_something_in_it_is_refused(folder: Path) -> None:
    with pytest.raises(WrongUsage, match="not empty"):
        make_quarter(QUARTER, 1, 1, folder)


@pytest.mark.parametrize(
    ("employers", "options", "words"),
    [
        (0, Options(), "cannot invent 0"),
        (300_000, Options(), "cannot invent"),
        (1, Options(faults=("gremlins",)), "no fault named gremlins"),
        (1, Options(workers=0), "cannot have 0 workers"),
        (1, Options(workers=70_000), "cannot have 70000 workers"),
    ],
)
def test_wrong_wishes_are_refused(employers: int, options: Options, words: str, tmp_path: Path) -> None:
    with pytest.raises(WrongUsage, match=words):
        make_quarter(QUARTER, employers, 1, tmp_path / "out", options)


def test_weekdays_of_a_quarter() -> None:
    """July, August and September 2026 have 23, 21 and 22 weekdays."""
    assert weekdays(date(2026, 7, 1), date(2026, 9, 30)) == 66
    assert weekdays(date(2026, 8, 1), date(2026, 8, 2)) == 0
    assert weekdays(date(2026, 8, 3), date(2026, 8, 2)) == 0
