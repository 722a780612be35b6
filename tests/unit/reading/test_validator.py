"""What a filing is, which release judges it, what is wrong in it."""

import random
import re
from io import BytesIO

import pytest
from lxml import etree

from dmfa.quarter import Quarter
from dmfa.reading.parsing import OPTIONS
from dmfa.reading.validator import (
    judge,
    outline_of_giant,
    outline_of_tree,
    presume,
    valid_as_presumed,
    valid_without_tree,
)
from dmfa.schema import home
from tests.making import Maker, filing, to_bytes

XSI = "{http://www.w3.org/2001/XMLSchema-instance}noNamespaceSchemaLocation"


def made(release="20231", seed=1, **how):
    return Maker(release, seed).filing(**{"persons": 2, **how})


def judged(root, **how):
    return judge(to_bytes(root), **how)


@pytest.mark.parametrize(
    ("quarter", "release"),
    [
        ("20221", "20221"),
        ("20222", "20222"),
        ("20231", "20231"),
        ("20232", "20231"),
        ("20263", "20231"),
    ],
)
def test_the_quarter_decides_the_release(quarter, release):
    root = made("20221", quarter=quarter)
    got = judged(root)
    assert got.release.name == f"DmfAOriginal_{release}.xsd"
    assert got.schema_valid is True


def test_several_quarters_take_the_newest_release():
    root = made("20221", forms=3)
    for declaration, quarter in zip(root.iter("Quarter"), ("20222", "20231", "20034"), strict=True):
        declaration.text = quarter
    assert judged(root).release.quarter == Quarter(2023, 1)


def test_a_quarter_before_the_oldest_release_has_no_judge():
    got = judged(made("20221", quarter="20214"))
    assert (got.release, got.schema_valid, got.refusal, got.well_formed) == (None, None, None, True)


def test_another_schema_or_none_named_is_a_warning():
    root = made("20231")
    assert judged(root).warnings == []
    root.set(XSI, "http://somewhere/schemas/DmfAOriginal_20231.xsd")
    assert judged(root).warnings == []
    root.set(XSI, "DmfAOriginal_20223.xsd")
    got = judged(root)
    assert got.schema_valid
    assert got.warnings == ["it names another schema than that of its quarter; DmfAOriginal_20231.xsd judged it"]
    del root.attrib[XSI]
    assert judged(root).warnings == ["it names no schema; DmfAOriginal_20231.xsd judged it"]


def test_a_correction_of_public_employers_is_known_but_not_read():
    root = made("20223")
    root.tag = "DMFAPPLUpdate"
    got = judged(root)
    assert (got.kind, got.release, got.refusal, got.schema_valid) == ("DMFAPPLUpdate", None, None, None)


@pytest.mark.parametrize(
    "data", [b"<html/>", b"<x:DmfAOriginal xmlns:x='urn:x'/>", b"<DmfAOriginal xmlns='urn:x'/>", b"<Form/>"]
)
@pytest.mark.parametrize("giant_bytes", [1, 1 << 20])
def test_another_root_is_refused(data, giant_bytes):
    got = judge(data, giant_bytes=giant_bytes)
    assert (got.refusal.kind, got.kind, got.well_formed, got.schema_valid) == ("not_dmfa", None, True, None)


def person(root):
    return root.find("Form/EmployerDeclaration/NaturalPerson")


def set_text(path, text):
    def spoil(root):
        root.find(path).text = text

    return spoil


def drop(path):
    def spoil(root):
        element = root.find(path)
        element.getparent().remove(element)

    return spoil


def add(path, name, text="1"):
    def spoil(root):
        etree.SubElement(root.find(path), name).text = text

    return spoil


def swap(root):
    declaration = root.find("Form/EmployerDeclaration")
    declaration.insert(0, declaration.find("NOSSRegistrationNbr"))


def repeat(root):
    quarter = root.find("Form/EmployerDeclaration/Quarter")
    quarter.addnext(etree.fromstring("<Quarter>20231</Quarter>"))


def attribute(root):
    root.find("Form/EmployerDeclaration").set("colour", "77101500172")


def loose_text(root):
    root.find("Form/EmployerDeclaration").text = "77101500172"


TOP = "Form/EmployerDeclaration"
PERSON = f"{TOP}/NaturalPerson"
RECORD = f"{PERSON}/WorkerRecord"


@pytest.mark.parametrize(
    ("spoil", "code", "block", "zone", "words"),
    [
        (set_text(f"{PERSON}/INSS", "7710150017"), "00024-093", "NaturalPerson", "INSS", "wrong length"),
        (set_text(f"{PERSON}/INSS", ""), "00024-001", "NaturalPerson", "INSS", "is empty"),
        (set_text(f"{TOP}/Quarter", "2023"), "00013-093", "EmployerDeclaration", "Quarter", "wrong length"),
        (set_text(f"{RECORD}/Border", "7x"), "00040-002", "WorkerRecord", "Border", "whole number"),
        (set_text(f"{TOP}/Trusteeship", "2"), "00012-008", "EmployerDeclaration", "Trusteeship", "highest"),
        (set_text(f"{TOP}/NetOwedAmount", "-5"), "00015-008", "EmployerDeclaration", "NetOwedAmount", "lowest"),
        (set_text(f"{TOP}/NetOwedAmount", "9" * 16), "00015-093", "EmployerDeclaration", "NetOwedAmount", "length"),
        (set_text(f"{TOP}/Quarter", "20235"), "00013-003", "EmployerDeclaration", "Quarter", "form"),
        (set_text("Form/FormCreationDate", "2023-02-30"), "00218-003", "Form", "FormCreationDate", "valid value"),
        (set_text("Form/TypeForm", "XX"), "00297-008", "Form", "TypeForm", "values allowed"),
        (drop(f"{TOP}/Trusteeship"), "00012-001", "EmployerDeclaration", "Trusteeship", "missing before CompanyID"),
        (
            drop(f"{PERSON}/WorkerRecord"),
            "90012-134",
            "NaturalPerson",
            None,
            "WorkerRecord is missing in NaturalPerson",
        ),
        (drop("Form/TypeForm"), "00297-001", "Form", "TypeForm", "TypeForm is missing before"),
        (drop("Form/EmployerDeclaration"), "90007-134", "Form", None, "EmployerDeclaration is missing in Form"),
        (swap, "00011-091", "EmployerDeclaration", "NOSSRegistrationNbr", "wrong place"),
        (repeat, "00013-090", "EmployerDeclaration", "Quarter", "too often"),
        (add(TOP, "Person77101500172"), "90007-146", "EmployerDeclaration", None, "does not know"),
        (add(f"{PERSON}", "NetOwedAmount"), "00015-146", "NaturalPerson", "NetOwedAmount", "not allowed"),
        (attribute, "90007-146", "EmployerDeclaration", None, "attribute"),
        (loose_text, "90007-146", "EmployerDeclaration", None, "text"),
        (add(f"{PERSON}/INSS", "B", "77101500172"), "00024-146", "NaturalPerson", "INSS", "element"),
    ],
)
@pytest.mark.parametrize("giant_bytes", [1, 1 << 30])
def test_each_kind_of_fault(spoil, code, block, zone, words, giant_bytes):
    root = made("20231", persons=1)
    spoil(root)
    data = to_bytes(root, pretty=True)
    got = judge(data, giant_bytes=giant_bytes)
    assert (got.well_formed, got.schema_valid) == (True, False)
    fault = got.faults[0]
    assert (fault.code, fault.block, fault.zone) == (code, block, zone)
    assert words in fault.message
    assert fault.path.startswith("/DmfAOriginal/Form")
    assert 0 < fault.line <= data.count(b"\n")
    for one in got.faults:
        assert "7710150" not in one.message + one.path, "a person's number must not come back"


def test_one_fault_per_element_at_its_place():
    root = made("20231", persons=3)
    for number in root.iter("INSS"):
        number.text = "1"
    data = to_bytes(root, pretty=True)
    got = judge(data)
    lines = [number for number, line in enumerate(data.split(b"\n"), start=1) if b"<INSS>" in line]
    own = [fault for fault in got.faults if fault.block == "NaturalPerson"]
    assert [fault.path for fault in own] == [
        f"/DmfAOriginal/Form/EmployerDeclaration/NaturalPerson[{number}]/INSS" for number in (1, 2, 3)
    ]
    assert {fault.line for fault in own} <= set(lines)


def test_at_most_a_thousand_faults():
    root = made("20231", persons=1)
    declaration = root.find(TOP)
    source = etree.tostring(declaration.find("NaturalPerson/WorkerRecord").getparent())
    for _ in range(1_100):
        declaration.insert(list(declaration).index(declaration.find("NaturalPerson")), etree.fromstring(source))
    for number in root.iter("NaturalPersonSequenceNbr"):
        number.text = "x"
    assert len(judged(root).faults) == 1_000


def test_an_official_release_in_a_folder_comes_first(tmp_path):
    text = (home() / "DmfAOriginal_20231.xsd").read_text(encoding="utf-8")
    text = text.replace('<xs:element name="Trusteeship" ', '<xs:element name="Guardian" ')
    (tmp_path / "DmfAOriginal_20261.xsd").write_text(text, encoding="utf-8")
    root = made("20231", quarter="20261")
    assert judged(root).schema_valid
    got = judged(root, folder=tmp_path)
    assert (got.schema_valid, got.release.path) == (False, tmp_path / "DmfAOriginal_20261.xsd")


def test_outlines_agree():
    for seed in (1, 2):
        data = filing("20231", seed=seed, forms=3, persons=5)
        assert outline_of_tree(etree.fromstring(data)) == outline_of_giant(data)


SEEDS = (0, 1, 2, 3, 5, 6)


class Target:
    def close(self):
        return "the end"


def test_the_parser_without_a_tree_does_not_raise_on_an_invalid_document():
    """The whole verdict on giants rests on it: only the error log tells, and only after fromstring or parse."""
    schema = etree.XMLSchema(etree.parse(str(home() / "DmfAOriginal_20231.xsd")))
    good = filing("20231", seed=1, persons=2)
    bad = good.replace(b"<Border>0</Border>", b"<Border>x</Border>").replace(
        b"<Border>1</Border>", b"<Border>x</Border>"
    )
    assert bad != good
    for read in (etree.fromstring, lambda data, parser: etree.parse(BytesIO(data), parser)):
        parser = etree.XMLParser(schema=schema, target=Target(), **OPTIONS)
        assert read(bad, parser) == "the end"
        assert len(parser.error_log) > 0
        assert read(good, parser) == "the end"
        assert len(parser.error_log) == 0
    assert valid_without_tree(good, schema)
    assert not valid_without_tree(bad, schema)
    assert not valid_without_tree(b"<Unknown/>", schema)
    assert not valid_without_tree(good[:-200], schema)
    missing = good.replace(b"<Trusteeship>0</Trusteeship>", b"").replace(b"<Trusteeship>1</Trusteeship>", b"")
    assert not valid_without_tree(missing, schema)


def spoilt(data, draw):
    """A filing with one small change: a byte, a piece left out or doubled, an element left out or doubled."""
    at = draw.randrange(len(data))
    way = draw.randrange(5)
    if way == 0:
        return data[:at] + bytes([draw.randrange(256)]) + data[at + 1 :]
    if way == 1:
        return data[:at] + data[at + draw.randrange(1, 40) :]
    if way == 2:
        return data[: at + 9] + data[at:]
    zones = list(re.finditer(rb"<(\w+)>([^<]*)</\1>", data))
    zone = draw.choice(zones)
    if way == 3:
        return data[: zone.start()] + data[zone.end() :]
    return data[: zone.start(2)] + draw.choice((b"", b"0", b"-1", b"99999999999999999999", b"x")) + data[zone.end(2) :]


def test_judged_without_a_tree_is_judged_the_same():
    """Whatever is wrong in a filing: what passes at the first look passes at the second, with the same answer."""
    draw = random.Random(20263)
    verdicts = []
    for number in range(400):
        data = spoilt(filing("20231", seed=SEEDS[number % len(SEEDS)], persons=2), draw)
        quick, full = presume(data), judge(data)
        valid = quick is not None and valid_as_presumed(quick, data)
        verdicts.append(valid)
        if valid:
            assert full.schema_valid
            assert (quick.release, quick.kind, quick.warnings) == (full.release, full.kind, full.warnings)
        elif full.schema_valid:
            assert data.count(b"<Quarter>20231</Quarter>") != 1
    assert 20 < sum(verdicts) < 380
