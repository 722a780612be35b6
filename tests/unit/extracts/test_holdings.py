"""R25: a person is told all that is held of them, who received it, and that they were told."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from dmfa.extracts.audit import audit
from dmfa.extracts.communications import about, communications, new_ticket, record_access
from dmfa.extracts.holdings import ANOTHER, Attestation, Node, attestations, directory_lines, labels
from dmfa.lake import EXCHANGE, Lake, history_tables
from dmfa.schema import lake_tables
from flows.stages.tables import COMPUTED
from tests.unit.extracts.material import CANARY, given, invented, new_lake, permit_of

NUMBERS_OF_PERSONS = {"00024", "00092", "00093", "00749"}
DIGITS = {**dict.fromkeys(NUMBERS_OF_PERSONS, 11), "00011": 9, "00014": 10, "00131": 10, "00042": 10}
CANCELLED = 10100105
"""A person of whom a declaration was cancelled; the material declares it elsewhere too."""

AT = datetime(2026, 11, 25, 10, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lake]:
    """The invented declarations, given out once; a cancelled one, a line of the directory, a computed amount beside."""
    folder = tmp_path_factory.mktemp("holdings")
    place = new_lake(folder)
    given(place, permit_of(folder), folder / "out")
    tables = {spec.name: spec for spec in (*history_tables(), *EXCHANGE, *COMPUTED)}
    frames = invented()
    gone = {"declaration_id": 77, "status": 3}
    with Lake.open(place, write=True, extra_tables=COMPUTED, wait_seconds=0) as opened:
        with opened.transaction() as publication:
            for name in ("employer_declaration", "natural_person"):
                row = frames[name].filter(pl.col("declaration_id") == 5).head(1)
                person = {"inss": CANCELLED, "natural_person_ordinal": 3} if name == "natural_person" else {}
                changes = [pl.lit(value).cast(row.schema[key]).alias(key) for key, value in {**gone, **person}.items()]
                publication.append(tables[name], row.with_columns(*changes))
            line = {"inss": CANARY, "sector": "018", "institution_type": "1", "quality": "000"}
            publication.append(tables["directory"], pl.DataFrame([line]))
            publication.append(tables["difference"], _differences(frames["worker_contribution"]))
        yield opened


def _differences(contributions: pl.DataFrame) -> pl.DataFrame:
    row = {"inss": CANARY, "kind": "contribution", "code": "495", "outcome": "differs", "computed_cents": 4321}
    first = _own(contributions).row(0, named=True)
    keys = ("declaration_id", "natural_person_ordinal", "quarter")
    place = {**{key: first[key] for key in keys}, "declared_table": "worker_contribution"}
    missing = {**row, **place, "declared_table": None, "code": "859", "outcome": "missing"}
    told = {**row, **place, "declared_ordinal": first["worker_contribution_ordinal"]}
    return pl.DataFrame([told, missing], infer_schema_length=None)


def _own(frame: pl.DataFrame) -> pl.DataFrame:
    """Rows of a table about the person, wherever they stand in it."""
    people = invented()["natural_person"].filter(pl.col("inss") == CANARY)
    keys = [name for name in ("declaration_id", "natural_person_ordinal") if name in frame.columns]
    return frame.join(people.select(keys).unique(), on=keys, how="semi")


def nodes(blocks: Node) -> Iterator[Node]:
    yield blocks
    for below in blocks["blocks"]:
        yield from nodes(below)


_HELD: dict[str, list[Attestation]] = {}
"""What is told without any choice, read once."""


def held(lake: Lake, **how: Any) -> list[Attestation]:
    if not how and "all" not in _HELD:
        _HELD["all"] = attestations(lake, CANARY)
    return attestations(lake, CANARY, **how) if how else _HELD["all"]


def expected(*, others: bool) -> Counter[tuple[str, str, str]]:
    """Block, zone and value of all that the tables say of the person, by rules of the test's own."""
    found: Counter[tuple[str, str, str]] = Counter()
    for table in lake_tables():
        if table.name != "employer_declaration" and "natural_person_ordinal" not in table.arrow_schema.names:
            continue
        rows = _own(invented()[table.name])
        if table.name == "employer_declaration":
            people = _own(invented()["natural_person"]).select("declaration_id")
            rows = people.join(rows, on="declaration_id")
            found.update(("EmployerDeclaration", "Quarter", str(quarter)) for quarter in rows["quarter"])
        for column in table.columns:
            zone = column.zone
            if zone is None or (not others and table.name == "employer_declaration" and zone.unit == "cent"):
                continue
            for value in rows[column.name].drop_nulls():
                told = str(value).rjust(DIGITS.get(zone.number, 0), "0")
                if not others and zone.number in NUMBERS_OF_PERSONS and int(value) not in (0, CANARY):
                    told = ANOTHER
                found[table.block.name, zone.name, told] += 1
    return found


@pytest.mark.parametrize("others", [False, True])
def test_r25_all_that_is_declared_is_told_and_nothing_of_others(lake: Lake, others: bool) -> None:
    told = Counter(
        (node["block"], zone["zone"], str(zone["value"]))
        for one in (held(lake, others=True) if others else held(lake))
        for node in nodes(one.versions[0].blocks)
        for zone in node["zones"]
    )
    assert told == expected(others=others)
    assert any(value == ANOTHER for _, _, value in told) is not others


def test_r25_blocks_stand_inside_their_own(lake: Lake) -> None:
    frames = {name: _own(invented()[name]) for name in ("occupation", "remun", "worker_record", "service")}
    for one in held(lake):
        found = [node for node in nodes(one.versions[0].blocks) if node["block"] == "Occupation"]
        quarter = frames["occupation"].filter(pl.col("quarter") == one.quarter)
        assert [node["ordinal"] for node in found] == list(range(len(found)))
        assert len(found) <= quarter.height
    wanted = Counter(
        tuple(rows["remun_amount"].to_list())
        for _, rows in frames["remun"].sort("remun_ordinal").group_by("declaration_id", "occupation_ordinal")
    )
    told = Counter(
        tuple(next((zone["value"] for zone in below["zones"] if zone["zone"] == "RemunAmount"), None) for below in pay)
        for one in held(lake)
        for node in nodes(one.versions[0].blocks)
        if node["block"] == "Occupation"
        for pay in [[below for below in node["blocks"] if below["block"] == "Remun"]]
        if pay
    )
    assert told == wanted


def test_r25_attestations_have_the_numbers_under_which_they_were_given(lake: Lake) -> None:
    log = {(row["attestation"], row["version"]) for row in about(lake, CANARY) if row["flow"] == "attestation"}
    quarter = held(lake, quarter=20263, block="NaturalPerson")
    told = {(one.number, version.version) for one in quarter for version in one.versions}
    assert log == told
    assert {label for one in quarter for label in labels(one.versions[0].blocks)} == {
        "EmployerDeclaration", "NaturalPerson",
    }  # fmt: skip
    assert log
    assert [one.quarter for one in held(lake)] == sorted(one.quarter for one in held(lake))


def test_r25_computed_amounts_stand_beside_the_declared_ones(lake: Lake) -> None:
    found = [
        (node["block"], computed["computed_cents"], computed["outcome"])
        for one in held(lake)
        for node in nodes(one.versions[0].blocks)
        for computed in node.get("computed", ())
    ]
    assert found == [("WorkerContribution", 4321, "differs")]
    missing = [row for one in held(lake) for row in one.not_declared]
    assert [(row["code"], row["outcome"]) for row in missing] == [("859", "missing")]


def test_r25_a_cancelled_attestation_is_told_as_history(lake: Lake) -> None:
    (one,) = [one for one in attestations(lake, CANCELLED) if one.in_force is None]
    (version,) = one.versions
    assert (version.version, version.status, version.in_force) == (1, 3, False)
    assert labels(version.blocks) == ["EmployerDeclaration", "NaturalPerson"]
    own = next(zone["value"] for zone in version.blocks["blocks"][0]["zones"] if zone["zone"] == "INSS")
    assert own == f"{CANCELLED:011d}"


def test_r25_lines_of_the_directory_are_told(lake: Lake) -> None:
    (line,) = directory_lines(lake, CANARY)
    assert (line["sector"], line["institution_type"], line["quality"]) == ("018", "1", "000")
    assert "inss" not in line
    assert directory_lines(lake, 77101500172) == []
    assert attestations(lake, 77101500172) == []


def test_r25_an_answer_is_a_communication_of_its_own(lake: Lake, tmp_path: Path) -> None:
    told, before = held(lake), about(lake, CANARY)
    ticket = new_ticket()
    assert ticket != new_ticket()
    record_access(lake, CANARY, ticket, AT, told, state=lake.snapshot_id(), sha256="0" * 64)
    rows = about(lake, CANARY)[len(before) :]
    assert {(row["flow"], row["recipient"], row["ticket"]) for row in rows} == {
        ("right-of-access", "person-concerned", ticket)
    }
    assert Counter((row["attestation"], row["version"], row["quarter"]) for row in rows) == Counter(
        (one.number, version.version, one.quarter) for one in told for version in one.versions
    )
    assert {row["legal_basis"] for row in rows} == {"Regulation (EU) 2016/679, article 15"}
    record_access(lake, 77101500172, new_ticket(), AT, [], state=lake.snapshot_id(), sha256="1" * 64)
    (alone,) = about(lake, 77101500172)
    assert (alone["quarter"], alone["attestation"], alone["result"]) == (20264, None, "given")
    assert audit(lake, tmp_path).findings == ()
    assert str(CANARY) not in json.dumps(communications(lake), default=str)
    assert str(CANARY) not in str(lake.arrow("SELECT * FROM lake.exchange.delivery").to_pylist())
