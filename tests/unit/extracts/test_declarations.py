"""How an extract is declared, what an authorisation of it must say, and codes of a recipient's own."""

from __future__ import annotations

import hashlib
import re
from datetime import date
from importlib import resources
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow.parquet as pq
import pytest

from dmfa.errors import NotAuthorised, WrongUsage
from dmfa.extracts import EXTRACTS, Permit, load, permits
from dmfa.extracts.declarations import declaration
from dmfa.extracts.making import Making
from dmfa.extracts.own import declared
from dmfa.extracts.shape import Shape
from dmfa.extracts.strict_yaml import strict_document
from tests.unit.extracts.institutions import DIRECTORY, whole_row
from tests.unit.extracts.material import CANARY, DAY, QUARTER, invented, register

SAID = {"words": "Pay", "why": "Tests", "mode": "raw", "blocks": {"EmployerDeclaration": "all", "Remun": ["RemunCode"]}}


@pytest.mark.parametrize("name", list(EXTRACTS))
def test_every_declaration_is_read_strictly_too(name: str) -> None:
    """No key stands twice; every block, zone and sector is one that there is; words end like words."""
    file = Path(str(resources.files("dmfa.extracts.selections"))) / f"{name}.yaml"
    document = strict_document(file)
    assert document.construct_document(document.get_single_node())["words"] == EXTRACTS[name].words
    for block, zones in EXTRACTS[name].held().items():
        assert all(declared(f"{block}.{zone}") for zone in zones)
    for place in (*EXTRACTS[name].population, *EXTRACTS[name].narrowed_by, *EXTRACTS[name].only):
        assert declared(place)
    assert EXTRACTS[name].why.endswith(".")
    assert re.fullmatch(r"any|\d{3}", "".join(EXTRACTS[name].directory[:1]) or "any")


def test_an_extract_of_blocks_is_a_declaration_alone() -> None:
    made = declaration("pay", SAID)
    assert made["blocks"] == {"EmployerDeclaration": None, "Remun": ("RemunCode",)}
    assert (made["answer"], made["population"], made["narrowed_by"], made["directory"]) == ({}, {}, (), ())


COLUMN = {"words": "Pay", "unit": "cent"}
TABLE = {"words": "One", "columns": {"pay": COLUMN}}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"why": None}, "the extract pay must say blocks, mode, why, words"),
        ({"filter": []}, "the extract pay must say"),
        ({"answer": {"pay": {**TABLE, "sum": 1}}}, "the extract pay, pay must say columns, words"),
        ({"answer": {"pay": {"columns": {}}}}, "the extract pay, pay must say columns, words"),
        (
            {"answer": {"pay": {**TABLE, "columns": {"pay": {"unit": "cent"}}}}},
            "the extract pay, pay, pay must say words",
        ),
        ({"answer": {"pay": {**TABLE, "columns": {"pay": {**COLUMN, "kind": "euro"}}}}}, "there is no kind euro"),
    ],
)
def test_a_slip_in_a_declaration_is_told(changes: dict[str, Any], said: str) -> None:
    made = {key: value for key, value in {**SAID, **changes}.items() if value is not None}
    with pytest.raises(WrongUsage, match=said):
        declaration("pay", made)


def test_there_is_no_zone_of_that_name() -> None:
    for place in ("Remun.Pay", "Pay.RemunAmount"):
        with pytest.raises(KeyError):
            declared(place)


@pytest.mark.parametrize("name", list(EXTRACTS))
def test_an_authorisation_of_all_of_it_is_taken(tmp_path: Path, name: str) -> None:
    (made,) = load(register(tmp_path, whole_row(name)))
    assert made.extract == name


OFFICIAL = {"deliberation": "12/345"}
RESEARCH = {"project": "panel", "destroy_by": date(2031, 12, 31)}


@pytest.mark.parametrize(
    ("name", "changes", "said"),
    [
        ("sector-fund", {"population": "all"}, "does not say of whom: sector-fund is given for a part"),
        ("closure", {"population": {"WorkerRecord.WorkerCode": ["015"]}}, "does not say of whom: closure"),
        ("job-seekers", {"directory": None}, "asks for no line of the directory that job-seekers is given by"),
        ("job-seekers", OFFICIAL, "asks for no line of the directory that job-seekers is given by"),
        ("sickness", {"directory": None}, "(?s)the directory that sickness is given by.*of any sector\\."),
        ("occupational-risks", {"directory": DIRECTORY}, "asks for a directory, which occupational-risks of several"),
        ("ledger", {"recipient": None}, "has a recipient that is no employer: ledger is given to it"),
        ("pensions", {"blocks": {"EmployerDeclaration": ["Quarter", "Trusteeship"]}}, "lists EmployerDeclaration/Trus"),
        ("maribel", {"limits": {"inss": 1}}, "has limits for inss"),
        ("ledger", {"answer": {"account": ["debit"]}}, "lists no column that account is summed by"),
        ("statistics", {"groups": ["quarter"]}, "has groups quarter"),
        ("labour-market", {"research": None}, "names no project: labour-market is given for research alone"),
        ("labour-market", {"research": "panel"}, "research: is not a list of `key: value`"),
        ("labour-market", {"research": {"project": "panel"}}, "research: destroy_by is"),
        ("labour-market", {"research": {**RESEARCH, "project": "77101500172"}}, "research: project is not written"),
        ("labour-market", {"research": {**RESEARCH, "key": "00"}}, "research: unknown key key"),
        ("labour-market", {"delivery": "pull"}, "is given by pull: who asks for a person"),
        ("pensions", {"research": RESEARCH}, "is for research, which receives nothing but codes: pensions has none"),
    ],
)
def test_r7_what_an_extract_asks_of_its_authorisation(
    tmp_path: Path, name: str, changes: dict[str, Any], said: str
) -> None:
    if "recipient" in changes:
        changes = {"recipient": {"name": "no-employer", "title": "Invented", "sector": "999", "institution": "1"}}
    with pytest.raises(WrongUsage, match=said):
        load(register(tmp_path, whole_row(name, **changes)))


@pytest.mark.parametrize(
    ("name", "sector"), [("job-seekers", "053"), ("job-seekers", "056"), ("sickness", "999"), ("maribel", "018")]
)
def test_the_sectors_that_an_extract_is_given_by(tmp_path: Path, name: str, sector: str) -> None:
    asked = {**DIRECTORY, "sector": sector}
    (made,) = load(register(tmp_path, whole_row(name, directory=asked, **OFFICIAL)))
    assert made.directory is not None
    assert made.directory.sector == sector


def coding_of(secret: str) -> Any:
    def code(kind: str, numbers: pl.Series) -> pl.Series:
        made = [n if n is None else hashlib.sha256(f"{secret}{kind}{n}".encode()).hexdigest()[:16] for n in numbers]
        return pl.Series(made, dtype=pl.String)

    return code


@pytest.fixture
def permit(tmp_path: Path) -> Permit:
    (made,) = permits(load(register(tmp_path, whole_row("labour-market"))), DAY)
    return made


def test_r22_without_codes_of_its_own_a_project_gets_nothing(permit: Permit) -> None:
    with pytest.raises(NotAuthorised, match="it is given under codes of the recipient's own, and none are at hand"):
        EXTRACTS["labour-market"].shape(permit)


def test_r22_numbers_are_given_under_the_codes_of_the_project(permit: Permit) -> None:
    made = [_made(permit, EXTRACTS["labour-market"].shape(permit, coding=coding_of(secret))) for secret in "ab"]
    declared_rows = {name: rows.filter(pl.col("quarter") == QUARTER.code) for name, rows in invented().items()}
    persons = declared_rows["natural_person"]["inss"].n_unique()
    for tables in made:
        assert tables["dmfa"]["person"].n_unique() <= persons
        assert tables["dmfa"].height == declared_rows["occupation"].height
        assert set(tables["c"]["line"]) & set(tables["dmfa"]["line"])
        assert set(tables["cm"]["employer"]) <= {*tables["dmfa"]["employer"]} | {*tables["cm"]["employer"]}
        for rows in tables.values():
            assert not {"attestation", "version", "status", "inss"} & {*rows.columns}
            assert str(CANARY) not in rows.write_csv()
    one, other = (tables["dmfa"] for tables in made)
    for column in ("person", "employer", "line"):
        assert not set(one[column].drop_nulls()) & set(other[column].drop_nulls())
    assert one["pay"].sum() == other["pay"].sum()


def _made(permit: Permit, shape: Shape) -> dict[str, pl.DataFrame]:
    reads = EXTRACTS["labour-market"].reads(permit.authorisation, shape)
    rows = {name: frame.filter(pl.col("quarter") == QUARTER.code) for name, frame in invented().items()}
    making = Making(permit, shape)
    numbers = {"declaration_id": pl.Int64, "occupation_ordinal": pl.Int32}
    frames = {
        name: rows[name].select(columns)
        if name in rows
        else pl.DataFrame(schema={column: numbers.get(column, pl.String) for column in columns})
        for name, columns in reads.items()
    }
    passed = making.of(frames)
    rest = making.rest()
    assert rest is not None
    assert passed.tables["cm"].is_empty()
    return {**passed.tables, "cm": rest.tables["cm"]}


def test_an_own_table_has_field_metadata_as_a_block_has(permit: Permit, tmp_path: Path) -> None:
    shape = EXTRACTS["labour-market"].shape(permit, coding=coding_of("a"))
    part = next(part for part in shape.parts if part.name == "dmfa")
    pq.write_table(part.arrow_schema.empty_table(), tmp_path / "dmfa.parquet")
    schema = pq.read_schema(tmp_path / "dmfa.parquet")
    assert schema.field("worker_code").metadata[b"zone"] == b"00037"
    assert schema.field("pay").metadata[b"unit"] == b"cent"
    assert b"zone" not in schema.field("person").metadata
    assert str(schema.field("person").type) == "string"
