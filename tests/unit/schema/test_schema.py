"""The tree, the tables and the releases that follow from the XSDs."""

from __future__ import annotations

import csv
from pathlib import Path

import pyarrow as pa
import pytest
from lxml import etree

from dmfa.quarter import Quarter
from dmfa.schema import KEYS, Release, home, lake_tables, load, newest, release_for, releases, snake_case, tables

FACTS = Path("tools/xsd/facts/DmfAOriginal")
RELEASES = releases("DmfAOriginal")


def facts(name: str, release: Release) -> list[dict[str, str]]:
    code = str(release.quarter.code)
    with (FACTS / name).open(newline="") as file:
        rows = list(csv.DictReader(file))
    return [row for row in rows if (row["since"] or code) <= code <= (row["until"] or code)]


@pytest.mark.parametrize("release", RELEASES, ids=lambda release: release.name)
def test_every_block_has_the_children_of_the_facts_in_their_order(release: Release) -> None:
    expected: dict[str, list[str]] = {}
    for row in facts("blocks.csv", release):
        if row["max"] != "0":
            children = expected.setdefault(row["block"], [])
            if row["child"] not in children:
                children.append(row["child"])
    blocks = load(release).blocks
    found = {
        name: [zone.name for zone in block.zones] + [child.name for child in block.children]
        for name, block in blocks.items()
    }
    assert found == expected


@pytest.mark.parametrize("release", RELEASES, ids=lambda release: release.name)
def test_zone_numbers_base_types_and_facets_are_those_of_the_facts(release: Release) -> None:
    rows = {row["zone"]: row for row in facts("zones.csv", release)}
    for block in load(release).blocks.values():
        for zone in block.zones:
            row = rows[zone.name]
            assert (zone.number, zone.base) == (row["zone_nr"], row["base"])
            assert zone.facets.get("pattern", ("",)) == (row["pattern"],)
            assert "|".join(zone.facets.get("enumeration", ())) == row["enumeration"]
            for fact, facet in (
                ("min_inclusive", "minInclusive"),
                ("max_inclusive", "maxInclusive"),
                ("total_digits", "totalDigits"),
                ("length", "length"),
                ("min_length", "minLength"),
                ("max_length", "maxLength"),
            ):
                assert zone.facets.get(facet, ("",)) == (row[fact],), (zone.name, facet)


def test_the_sizes_of_the_releases() -> None:
    sizes = {
        release.quarter.code: (
            len(load(release).blocks),
            len(tables(load(release))),
        )
        for release in RELEASES
    }
    assert sizes == {20221: (29, 26), 20222: (29, 26), 20223: (29, 26), 20224: (29, 26), 20231: (32, 29)}


def test_the_xsds_are_those_that_the_facts_make(tmp_path: Path) -> None:
    import runpy

    runpy.run_path("tools/xsd/write.py")["main"](tmp_path)
    for path in tmp_path.glob("DmfAOriginal_*.xsd"):
        assert path.read_bytes() == (home() / path.name).read_bytes()
    assert len(list(tmp_path.glob("DmfAOriginal_*.xsd"))) == 5


def test_the_newest_release_not_later_judges_a_quarter() -> None:
    def judge(text: str) -> str | None:
        release = release_for("DmfAOriginal", Quarter.parse(text))
        return release.name if release else None

    assert judge("2021/4") is None
    assert judge("2022/1") == "DmfAOriginal_20221.xsd"
    assert judge("2022/4") == "DmfAOriginal_20224.xsd"
    assert judge("2026/3") == "DmfAOriginal_20231.xsd"
    assert newest("DmfAOriginal") == RELEASES[-1]
    assert release_for("Dimona", Quarter.parse("2026/3")) is None


def test_labels_become_columns() -> None:
    labels = {
        "NOSSRegistrationNbr": "noss_registration_nbr",
        "INSS": "inss",
        "OccupationPSDStartDate": "occupation_psd_start_date",
        "LocalUnitID": "local_unit_id",
        "ContributionUnrelatedToNP": "contribution_unrelated_to_np",
        "VATNbr": "vat_nbr",
    }
    assert {label: snake_case(label) for label in labels} == labels


def test_keys_come_first_and_ordinals_name_the_ancestors() -> None:
    by_name = {table.name: table for table in lake_tables()}
    keys = [column.name for column in KEYS]
    names = {name: [column.name for column in table.columns] for name, table in by_name.items()}
    assert all(columns[: len(keys)] == keys for columns in names.values())
    assert names["service"][len(keys) : len(keys) + 4] == [
        "natural_person_ordinal",
        "worker_record_ordinal",
        "occupation_ordinal",
        "service_ordinal",
    ]
    # A block with two parents carries the ordinals of both.
    assert {"occupation_ordinal", "student_contribution_ordinal", "using_employer_ordinal"} <= set(names["address"])
    assert names["employer_declaration"][len(keys)] == "noss_registration_nbr"
    assert len(set(names["employer_declaration"])) == len(names["employer_declaration"])


def test_types_of_columns() -> None:
    types = {
        (table.name, column.name): column.type for table in lake_tables() for column in table.columns if column.zone
    }
    assert types["remun", "remun_amount"] == pa.int64()
    assert types["remun", "remun_code"] == pa.string()
    assert types["natural_person", "inss"] == pa.int64()
    assert types["occupation", "local_unit_id"] == pa.int64()
    assert types["occupation", "joint_commission_nbr"] == pa.string()
    assert types["occupation", "occupation_starting_date"] == pa.date32()
    assert types["worker_contribution", "contribution_type"] == pa.int64()
    assert types["scale_salary", "pecuniary_seniority_start_date"] == pa.string()


def test_a_zone_that_a_newer_release_dropped_stays_in_the_lake() -> None:
    columns = [column.name for column in next(t for t in lake_tables() if t.name == "occupation_informations").columns]
    assert columns[-1] == "definitive_nomination_date"


def test_every_column_has_a_comment_with_its_zone_number() -> None:
    for table in lake_tables():
        assert table.comment[:5].isdigit()
        for column in table.columns:
            assert column.comment
            assert column.zone is None or column.comment[:5] == column.zone.number


FOREIGN = """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">
<xs:element name="DmfAOriginal"><xs:complexType><xs:sequence>
  <xs:element ref="Form" maxOccurs="unbounded"/></xs:sequence></xs:complexType></xs:element>
<xs:element name="Form"><xs:complexType><xs:sequence>
  <xs:element ref="EmployerDeclaration"/></xs:sequence></xs:complexType></xs:element>
<xs:element name="EmployerDeclaration"><xs:complexType><xs:sequence>
  <xs:element ref="Quarter"/><xs:element ref="EmployerClass"/><xs:element ref="Novelty" minOccurs="0"/>
  <xs:element name="NewBlock" maxOccurs="9"><xs:complexType><xs:sequence>
    <xs:element ref="Novelty"/></xs:sequence></xs:complexType></xs:element>
  </xs:sequence></xs:complexType></xs:element>
<xs:element name="Quarter"><xs:annotation><xs:documentation>Zone 00013: quarter</xs:documentation></xs:annotation>
  <xs:simpleType><xs:restriction base="xs:int"><xs:pattern value="\\d{5}"/></xs:restriction></xs:simpleType>
  </xs:element>
<xs:element name="EmployerClass"><xs:simpleType><xs:restriction base="xs:nonNegativeInteger">
  <xs:totalDigits value="3"/></xs:restriction></xs:simpleType></xs:element>
<xs:element name="Novelty" type="xs:date"/>
</xs:schema>"""


def test_a_foreign_release_with_blocks_never_seen_needs_no_code(tmp_path: Path) -> None:
    (tmp_path / "DmfAOriginal_20263.xsd").write_text(FOREIGN)
    etree.XMLSchema(etree.fromstring(FOREIGN))
    release = release_for("DmfAOriginal", Quarter.parse("2026/4"), tmp_path)
    assert release is not None
    assert release.path.parent == tmp_path
    top, new = tables(load(release))
    assert [column.name for column in top.columns[len(KEYS) :]] == ["employer_class", "novelty"]
    # EmployerClass has no documentation there: number, words and code width come from the project's own releases.
    assert top.columns[len(KEYS)].type == pa.string()
    assert top.columns[len(KEYS)].comment.startswith("00036 ")
    assert [(column.name, column.type) for column in new.columns[len(KEYS) :]] == [
        ("new_block_ordinal", pa.int32()),
        ("novelty", pa.date32()),
    ]
    merged = {table.name: table for table in lake_tables(tmp_path)}
    assert merged["new_block"].arrow_schema == new.arrow_schema
    assert "net_owed_amount" in merged["employer_declaration"].arrow_schema.names


def test_the_folder_given_first_wins_for_the_same_quarter(tmp_path: Path) -> None:
    (tmp_path / "DmfAOriginal_20223.xsd").write_text(FOREIGN)
    (tmp_path / "notes.xsd").write_text("no release")
    found = releases("DmfAOriginal", tmp_path)
    assert [release.quarter.code for release in found] == [20221, 20222, 20223, 20224, 20231]
    assert found[2].path.parent == tmp_path


def test_a_file_that_is_no_schema_says_so(tmp_path: Path) -> None:
    (tmp_path / "DmfAOriginal_20271.xsd").write_text("<a/>")
    release = newest("DmfAOriginal", tmp_path)
    assert release is not None
    with pytest.raises(ValueError, match="is not a schema of DmfAOriginal"):
        load(release)
