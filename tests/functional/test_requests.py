"""Pull: a recipient asks by person and quarters, or for the workers of an employer; and a delivery by its ticket."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from datetime import date, datetime

import polars as pl
import pytest
from lxml import etree

from dmfa.errors import NotAuthorised, WrongUsage
from dmfa.extracts import Permit, load
from dmfa.extracts.audit import audit
from dmfa.extracts.holdings import attestation_number
from dmfa.extracts.pull import answer
from dmfa.extracts.request import read_request
from dmfa.extracts.retrieval import retrieve
from dmfa.lake import EXCHANGE, Lake
from dmfa.lake.tables import REPLACED
from dmfa.schema import home
from tests.unit.extracts.material import DAY, NARROW, RUN, fill, invented, new_lake, permit_of, register, row
from tests.unit.extracts.material import given as give

UNKNOWN = 85410100203
PERSON = 5123112338
ASKED = {"sector": "999", "institution_type": "005", "qualities": ["101"]}
FEW = {block: NARROW[block] for block in ("EmployerDeclaration", "NaturalPerson", "WorkerRecord")}
PULL = {"id": "asking", "delivery": "pull", "blocks": FEW}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The invented declarations, and a second version of the first person of declaration 5."""
    folder = tmp_path_factory.mktemp("requests")
    lake = new_lake(folder)
    frames = {name: rows.clear() for name, rows in invented().items()}
    first = invented()["natural_person"].filter(
        (pl.col("declaration_id") == 5) & (pl.col("natural_person_ordinal") == 0)
    )
    frames["natural_person"] = first.with_columns(
        pl.lit(2, pl.Int16).alias("version"), pl.lit(1, pl.Int8).alias("status"), pl.lit(PERSON).alias("inss")
    )
    with Lake.open(lake, write=True, wait_seconds=0) as opened:
        fill(opened, frames)
        spec = next(spec for spec in EXCHANGE if spec.name == "directory")
        line = {
            "inss": PERSON, "sector": "999", "institution_type": "005", "quality": "101",
            "begin_date": date(2026, 7, 1), "changed_on": date(2026, 7, 1),
        }  # fmt: skip
        opened.replace(spec, pl.DataFrame([line], schema=pl.DataFrame(spec.arrow.empty_table()).schema))
        with opened.transaction() as publication:
            publication.append(
                REPLACED,
                first.select(
                    "quarter",
                    "declaration_id",
                    pl.lit("natural_person").alias("unit"),
                    pl.col("natural_person_ordinal").alias("ordinal"),
                    "version",
                    pl.lit(2, pl.Int16).alias("ended_by"),
                    "filing_id",
                    pl.lit(datetime(2026, 11, 1)).alias("known_until"),
                ),
            )
    return folder


@pytest.fixture
def lake(made, tmp_path):
    shutil.copytree(made / "lake", tmp_path / "lake")
    return tmp_path / "lake"


def ask(lake, tmp_path, text: str, **changes):
    """The answer to a request under a row for pull."""
    file = tmp_path / "request"
    file.write_text(text, encoding="utf-8")
    (only,) = load(register(tmp_path, row(**{**PULL, **changes})))
    with Lake.open(lake, write=True, wait_seconds=0) as opened:
        run = replace(RUN, id="request", snapshot=opened.snapshot_id())
        return answer(opened, read_request(file), Permit(only, DAY, [("999", "005")]), tmp_path / "out", run)


def read(lake, sql: str) -> list[dict[str, object]]:
    with Lake.open(lake) as opened:
        return opened.arrow(sql).to_pylist()


def expected(quarters: range) -> int:
    """Attestations in force of PERSON in some quarters."""
    persons = invented()["natural_person"].filter(pl.col("quarter").is_in([*quarters]))
    kept = persons.filter((pl.col("declaration_id") != 5) | (pl.col("natural_person_ordinal") != 0))
    return kept.filter(pl.col("inss") == PERSON).height + (20263 in quarters)


def test_r12_who_asks_for_a_person_gets_the_version_in_force_and_what_leads_to_the_one_before(lake, tmp_path):
    text = f"authorisation,inss,begin_quarter,end_quarter\nasking,{PERSON},2026/2,2026/3\nasking,{UNKNOWN},2026/3,\n"
    made = ask(lake, tmp_path, text)
    told = pl.read_parquet(made.folder / "answer.parquet")
    found = told.filter(pl.col("item") == 0)
    assert found.height == expected(range(20262, 20264))
    assert found["attestation"].n_unique() == found.height, "at most one version of each"
    first = attestation_number(5, 0)
    (one,) = found.filter(pl.col("attestation") == first).to_dicts()
    assert (one["version"], one["next"], one["status"]) == (2, f"{first}:1", "DATA_FOUND")
    assert found.filter(pl.col("attestation") != first)["next"].to_list() == [None] * (found.height - 1)
    nobody = told.filter(pl.col("item") == 1).to_dicts()
    assert [(line["status"], line["attestation"]) for line in nobody] == [("NO_DATA_FOUND", None)]
    assert (made.manifest["lines"], made.manifest["no_data_found"]) == (2, 1)
    root = etree.parse(made.folder / "attestation.xml").getroot()
    etree.XMLSchema(etree.parse(home() / "DmfAAttestation_1.xsd")).assertValid(root)
    assert [child.tag for child in root][:5] == [
        "informationCustomer", "informationCBSS", "legalContext", "status", "dataFilters",
    ]  # fmt: skip
    assert [node.text for node in root.iterfind("result/status/value")] == ["DATA_FOUND", "NO_DATA_FOUND"]
    assert len(root.findall("attestation")) == found.height


def test_r12_the_version_before_is_what_was_in_force(lake, tmp_path):
    number = attestation_number(5, 0)
    old = invented()["natural_person"].filter(
        (pl.col("declaration_id") == 5) & (pl.col("natural_person_ordinal") == 0)
    )["inss"][0]
    made = ask(lake, tmp_path, f"authorisation,inss,begin_quarter,next\nasking,{old:011d},2026/3,{number}:1\n")
    (person,) = pl.read_parquet(made.folder / "natural_person.parquet").to_dicts()
    assert (person["attestation"], person["version"], person["inss"]) == (number, 1, f"{old:011d}")
    (told,) = pl.read_parquet(made.folder / "answer.parquet").to_dicts()
    assert (told["version"], told["next"]) == (1, None)
    lines = f"asking,{PERSON},2026/3,\nasking,{old:011d},2026/3,{number}:1\n"
    with pytest.raises(WrongUsage, match="asks for two versions of an attestation"):
        ask(lake, tmp_path, f"authorisation,inss,begin_quarter,next\n{lines}")


def test_the_workers_of_an_employer_are_listed_without_content(lake, tmp_path):
    declared = invented()["employer_declaration"].filter(pl.col("declaration_id") == 5)
    number = declared["noss_registration_nbr"][0]
    mine = invented()["employer_declaration"].filter(
        (pl.col("noss_registration_nbr") == number) & (pl.col("quarter") == 20263)
    )
    workers = invented()["natural_person"].filter(pl.col("declaration_id").is_in(mine["declaration_id"].implode()))
    made = ask(lake, tmp_path, f"authorisation,noss_registration_nbr,begin_quarter\nasking,{number},2026/3\n")
    told = pl.read_parquet(made.folder / "answer.parquet")
    assert told.height == workers.height
    assert f"{PERSON:011d}" in set(told["inss"])
    assert pl.read_parquet(made.folder / "natural_person.parquet").is_empty()
    blocks = {entry["blocks"] for entry in read(lake, "SELECT blocks FROM lake.exchange.log WHERE result = 'given'")}
    assert blocks == {"NaturalPerson"}
    hidden = {**FEW, "NaturalPerson": []}
    with pytest.raises(NotAuthorised, match="opens no list of an employer's workers"):
        ask(lake, tmp_path, "authorisation,company_id,begin_quarter\nasking,449888671,2026/3\n", blocks=hidden)


def test_r15_past_quarters_are_answered_inside_the_period_of_the_directory_alone(lake, tmp_path):
    text = f"authorisation,inss,begin_quarter,end_quarter\nasking,{PERSON},2026/2,2026/3\n"
    made = ask(lake, tmp_path, text, directory=ASKED)
    told = pl.read_parquet(made.folder / "answer.parquet")
    assert set(told["quarter"]) == {20263}
    assert made.manifest["not_integrated"] == expected(range(20262, 20263))


def test_r10_r9_every_person_asked_about_has_a_row_in_the_log(lake, tmp_path):
    text = f"authorisation,inss,begin_quarter,end_quarter\nasking,{PERSON},2026/2,2026/3\nasking,{UNKNOWN},2026/3,\n"
    made = ask(lake, tmp_path, text)
    logged = read(lake, "SELECT * FROM lake.exchange.log ORDER BY id")
    assert [entry["inss"] for entry in logged if entry["result"] == "not found"] == [UNKNOWN]
    assert len([entry for entry in logged if entry["result"] == "given"]) == made.manifest["attestations"]
    assert {entry["ticket"] for entry in logged} == {made.manifest["ticket"]}
    with Lake.open(lake) as opened:
        assert audit(opened, tmp_path / "out").findings == ()
    again = ask(lake, tmp_path, text)
    assert (again.changed, again.folder) == (False, made.folder)
    assert len(read(lake, "SELECT * FROM lake.exchange.log")) == len(logged)


REQUEST = """<d:attestationRequest xmlns:d="urn:dmfa:attestation:1">
<informationCustomer><ticket>t-1</ticket><customerIdentification><sector>999</sector><institution>{institution}</institution>
</customerIdentification></informationCustomer><legalContext>attestation:asking</legalContext>
<request><ssin>{ssin}</ssin><period><beginQuarter>2026Q3</beginQuarter><endQuarter>2026Q3</endQuarter></period></request>
</d:attestationRequest>"""


def test_a_request_may_be_xml(lake, tmp_path):
    made = ask(lake, tmp_path, REQUEST.format(institution="001", ssin=f"{PERSON:011d}"))
    assert made.manifest["ticket_of_request"] == "t-1"
    assert made.manifest["attestations"] == expected(range(20263, 20264))
    root = etree.parse(made.folder / "attestation.xml").getroot()
    assert root.findtext("informationCustomer/ticket") == "t-1"
    with pytest.raises(NotAuthorised, match="authorisation asking is not that of who asks"):
        ask(lake, tmp_path, REQUEST.format(institution="002", ssin=f"{PERSON:011d}"))
    with pytest.raises(NotAuthorised, match=r"gives no answers \(delivery push\)"):
        ask(lake, tmp_path, REQUEST.format(institution="001", ssin=f"{PERSON:011d}"), delivery="push")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("inss,begin_quarter\n85210100257,2026/3\n", "does not name one authorisation"),
        ("authorisation,inss,begin_quarter\na,85210100256,2026/3\n", "line 2: inss has wrong check digits"),
        ("authorisation,inss,begin_quarter\na,85210100257,2026-3\n", "line 2: a quarter is not written"),
        ("authorisation,inss,begin_quarter,end_quarter\na,85210100257,2026/3,2026/2\n", "end_quarter lies before"),
        ("authorisation,inss,company_id,begin_quarter\na,85210100257,449888671,2026/3\n", "it must fill one of inss"),
        ("authorisation,company_id,begin_quarter,next\na,449888671,2026/3,5:1\n", "it goes with inss"),
        ("authorisation,inss,begin_quarter,next\na,85210100257,2026/3,five\n", "next is not a pointer"),
        ("authorisation,inss,begin_quarter\na,85210100257\n", "line 2: it has not the columns"),
        ("authorisation,inss,name,begin_quarter\n", "columns that no request has"),
        ("authorisation,inss,begin_quarter\na,85210100257,2026/3\nb,85210100257,2026/3\n", "one authorisation"),
        ("<a/>", "it is no valid request"),
        ("<a", "not well-formed XML"),
        ('<!DOCTYPE a [<!ENTITY b "c">]><a/>', "declares a DOCTYPE"),
    ],
)
def test_what_is_no_request_is_refused_by_its_line_and_quotes_no_number(tmp_path, text, said):
    file = tmp_path / "request"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(WrongUsage, match=said) as caught:
        read_request(file)
    assert "852101002" not in str(caught.value)


def test_r26_a_delivery_that_was_replaced_is_found_by_its_ticket(tmp_path):
    lake, out = new_lake(tmp_path), tmp_path / "out"
    first = give(lake, permit_of(tmp_path, blocks=FEW), out)
    kept = {path.name: path.read_bytes() for path in first.folder.iterdir()}
    second = give(lake, permit_of(tmp_path, blocks={**FEW, "WorkerRecord": ["WorkerCode"]}), out)
    with Lake.open(lake) as opened:
        old, new = (retrieve(opened, one.ticket, out) for one in (first, second))
        assert retrieve(opened, "another", out) is None
        assert audit(opened, out).findings == ()
    assert (old.folder.name, new.folder.name) == ("some-fund.1", "some-fund")
    assert {path.name: path.read_bytes() for path in old.folder.iterdir()} == kept
    assert old.manifest == json.loads(kept["manifest.json"])
    assert (old.manifest["number"], new.manifest["number"]) == (1, 2)
    assert old.facts["purpose"] == "Tests"
    shutil.rmtree(old.folder)
    with Lake.open(lake) as opened:
        assert retrieve(opened, first.ticket, out).folder is None
