"""A newer official release dropped into a folder: judged, typed, shredded and kept without a line of code.

It is written as official schemas often are: every element global, put together by references, its types anonymous.
"""

from __future__ import annotations

import json
import shutil
from copy import deepcopy
from datetime import date
from pathlib import Path

import pytest
from lxml import etree

from dmfa.lake import Lake
from dmfa.schema import home
from tests.conftest import ROOT, Dmfa, dmfa, dmfa_process
from tests.making import Maker, balance, to_bytes

XS = "{http://www.w3.org/2001/XMLSchema}"
NAME = "DmfAOriginal_20261.xsd"

NEW_BLOCK = """<xs:element xmlns:xs="http://www.w3.org/2001/XMLSchema" name="TrainingAccount">
  <xs:complexType><xs:sequence>
    <xs:element ref="TrainingRight"/>
    <xs:element ref="TrainingSince" minOccurs="0"/>
    <xs:element name="TrainingCourse" minOccurs="0" maxOccurs="9"><xs:complexType><xs:sequence>
      <xs:element name="CourseName"><xs:simpleType><xs:restriction base="xs:string"><xs:maxLength value="20"/>
      </xs:restriction></xs:simpleType></xs:element>
    </xs:sequence></xs:complexType></xs:element>
  </xs:sequence></xs:complexType></xs:element>"""
NEW_ZONES = (
    """<xs:element xmlns:xs="http://www.w3.org/2001/XMLSchema" name="TrainingRight"><xs:annotation>
    <xs:documentation>09901 right to training in hundredths of days</xs:documentation></xs:annotation>
    <xs:simpleType><xs:restriction base="xs:integer"><xs:totalDigits value="4"/></xs:restriction></xs:simpleType>
    </xs:element>""",
    """<xs:element xmlns:xs="http://www.w3.org/2001/XMLSchema" name="TrainingSince"><xs:simpleType>
    <xs:restriction base="xs:date"/></xs:simpleType></xs:element>""",
)


def official() -> bytes:
    """The newest release rewritten with global elements and anonymous types, a new block and a new code in a list."""
    schema = etree.parse(str(home() / "DmfAOriginal_20231.xsd")).getroot()
    types = {kind.get("name"): kind for kind in schema if kind.get("name") and kind.tag != f"{XS}element"}
    for element in schema.iter(f"{XS}element"):
        if element.getparent() is not schema:
            element.set("ref", element.attrib.pop("type"))
            del element.attrib["name"]
    for name, kind in types.items():
        wrapper = etree.Element(f"{XS}element", name=name)
        schema.replace(kind, wrapper)
        del kind.attrib["name"]
        wrapper.append(kind)
    (root,) = [one for one in schema if one.get("type")]
    schema.remove(root)
    assert schema.find(f"{XS}element[@name='DmfAOriginal']") is not None
    occupation = schema.find(f"{XS}element[@name='Occupation']/{XS}complexType/{XS}sequence")
    etree.SubElement(occupation, f"{XS}element", ref="TrainingAccount", minOccurs="0", maxOccurs="2")
    for text in (NEW_BLOCK, *NEW_ZONES):
        schema.append(etree.fromstring(text))
    codes = schema.find(f"{XS}element[@name='CompensationCode']/{XS}simpleType/{XS}restriction")
    etree.SubElement(codes, f"{XS}enumeration", value="02")
    return etree.tostring(schema, xml_declaration=True, encoding="UTF-8")


def declared(right: str = "0150") -> bytes:
    """A filing that uses the new block in its first occupation, and the new code."""
    root = Maker("20231", 3).filing(persons=3, quarter="20263")
    first = next(root.iter("Occupation"))
    account = etree.SubElement(first, "TrainingAccount")
    etree.SubElement(account, "TrainingRight").text = right
    etree.SubElement(account, "TrainingSince").text = "2026-07-01"
    for name in ("welding", "first aid"):
        etree.SubElement(etree.SubElement(account, "TrainingCourse"), "CourseName").text = name
    first.append(deepcopy(account))
    for place in root.iter("EmployerCompensation"):
        place.find("CompensationCode").text = "02"
    balance(root.find("Form"))
    return to_bytes(root, pretty=True)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / NAME).write_bytes(official())
    (tmp_path / "good.xml").write_bytes(declared())
    (tmp_path / "bad.xml").write_bytes(declared("12345"))
    return tmp_path


def answer(*words: object, cwd: Path | None = None, by: Dmfa = dmfa, **environment: str) -> dict[str, object]:
    # Its declarations are made at random: only the validator's checks let them pass.
    done = by("validate", "--json", *words, cwd=cwd, DMFA_CHECKS="validator", **environment)
    assert done.returncode in (0, 1), done.stderr
    (line,) = done.stdout.splitlines()
    answered = json.loads(line)
    assert isinstance(answered, dict)
    return answered


def test_a_later_quarter_is_judged_by_the_newest_release_and_the_refusal_names_it(folder: Path) -> None:
    old = answer(folder / "good.xml")
    assert (old["verdict"], old["schema"], old["quarter"]) == ("refused", "DmfAOriginal_20231.xsd", 20263)
    codes = [anomaly["code"] for anomaly in old["anomalies"]]  # type: ignore[attr-defined]
    assert codes
    done = dmfa("validate", folder / "good.xml")
    assert "DmfAOriginal_20231.xsd" in done.stdout
    assert "2026/3" in done.stdout


@pytest.mark.parametrize("by", ["option", "variable"])
def test_the_release_in_a_folder_judges(folder: Path, by: str) -> None:
    words, environment = (("--xsd", folder / "new"), {}) if by == "option" else ((), {"DMFA_XSD": str(folder / "new")})
    good = answer(folder / "good.xml", *words, **environment)
    assert (good["verdict"], good["schema"]) == ("accepted", NAME), good
    bad = answer(folder / "bad.xml", *words, **environment)
    (first, *_) = bad["anomalies"]  # type: ignore[misc]
    assert (bad["verdict"], bad["schema"]) == ("refused", NAME)
    assert (first["code"], first["block"], first["zone"]) == ("09901-093", "TrainingAccount", "TrainingRight")


def test_its_blocks_and_zones_come_into_the_lake(folder: Path) -> None:
    done = dmfa("ingest", "good.xml", "--xsd", "new", cwd=folder, DMFA_CHECKS="validator")
    assert done.returncode == 0, done.stdout + done.stderr
    with Lake.open(folder / "lake", xsd=folder / "new") as lake:
        account = lake.arrow("SELECT * FROM lake.authentic.training_account ORDER BY training_account_ordinal")
        courses = lake.arrow("SELECT * FROM lake.authentic.training_course ORDER BY training_course_ordinal")
        (filing,) = lake.arrow("SELECT schema_release, state FROM lake.received.filing").to_pylist()
    columns = ("occupation_ordinal", "training_right", "training_since")
    assert [str(account.schema.field(name).type) for name in columns] == ["int32", "int64", "date32[day]"]
    assert account.select(columns).to_pylist() == [dict(zip(columns, (0, 150, date(2026, 7, 1)), strict=True))] * 2
    assert [(row["training_account_ordinal"], row["course_name"]) for row in courses.to_pylist()] == [
        (0, "welding"), (0, "first aid"), (1, "welding"), (1, "first aid"),
    ]  # fmt: skip
    assert filing == {"schema_release": NAME, "state": "accepted"}


def test_a_release_that_is_no_schema_is_told_plainly(folder: Path) -> None:
    (folder / "new" / NAME).write_text("<html/>")
    done = dmfa("validate", folder / "good.xml", "--xsd", folder / "new")
    assert done.returncode == 2, (done.returncode, done.stderr)
    assert NAME in done.stderr
    assert len(done.stderr.splitlines()) <= 2


def test_a_release_dropped_beside_the_packaged_ones_is_the_newest(tmp_path: Path) -> None:
    """What a new quarter needs: one file in xsd/."""
    for name in ("dmfa", "flows", "contributions", "xsd"):
        shutil.copytree(ROOT / name, tmp_path / "program" / name, ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "program" / "xsd" / NAME).write_bytes(official())
    (tmp_path / "good.xml").write_bytes(declared())
    good = answer("good.xml", cwd=tmp_path, by=dmfa_process, PYTHONPATH=str(tmp_path / "program"))
    assert (good["verdict"], good["schema"]) == ("accepted", NAME)
