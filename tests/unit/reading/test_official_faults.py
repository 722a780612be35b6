"""Every code that the XSD is said to give is given: by a file that is wrong in that way, at its line."""

from copy import deepcopy
from functools import cache

import pytest
from lxml import etree

from dmfa.reading.batch import Settings, read_batch
from dmfa.reading.source import Found
from dmfa.reading.validator import judge
from dmfa.schema import newest
from dmfa.schema.catalogue import catalogue
from dmfa.schema.given import given
from tests.making import XS, Maker, to_bytes

VALUES = (
    "",
    "x",
    "x" * 300,
    "7x",
    "30x",
    "0",
    "9",
    "-1",
    "-15",
    "20001",
    "99999",
    "9" * 60,
    "-1234567890",
    "99999999999",
)
VALUES += ("12.5", "123,45", "12,345", "é", "20-1", "2023-02-30", "2023-13", "1900-01-01", "99:99:99.999", "abcd-ef-gh")
NEWEST = newest("DmfAOriginal")


@cache
def allowed():
    """Blocks and their children as the release has them: label of the block, element of the XSD."""
    root = etree.parse(str(NEWEST.path)).getroot()
    kinds = root.iterfind(f"{XS}complexType")
    return [(kind.get("name"), element) for kind in kinds for element in kind.iter(f"{XS}element")]


@cache
def places():
    """Of each child of each block one, in a small filing, beside as many others as can be found there."""
    wanted = {(block, child.get("name")) for block, child in allowed() if child.get("maxOccurs") != "0"}
    found = {}
    for seed in range(160):
        root = etree.Element("DmfAOriginal")
        root.append(Maker("20231", seed, many=1)._block("Form", 1))
        root.find("Form/EmployerDeclaration/Quarter").text = "20231"
        for element in root.iter():
            above = element.getparent()
            key = (above.tag if above is not None else None, element.tag)
            others = len({one.tag for one in above}) if above is not None else 0
            if key in wanted and others > found.get(key, (0,))[0]:
                found[key] = (others, root, root.getroottree().getpath(element))
    assert wanted == found.keys()
    return {key: place for key, (_, *place) in found.items()}


def spoiled(block, child):
    """A copy of a filing, and the element of a place in it."""
    root, path = places()[block, child]
    copy = deepcopy(root)
    return copy, copy.xpath(path)[0]


def codes(root):
    """The codes of a filing's faults; all are official and their lines those of the elements at fault."""
    data = to_bytes(root, pretty=True)
    found = judge(data).faults
    lines = data.decode().splitlines()
    for fault in found:
        assert fault.code in catalogue().codes, fault
        label = fault.path.rsplit("/", 1)[1].partition("[")[0]
        assert f"<{label}" in lines[fault.line - 1], fault
    return {fault.code for fault in found}


def of_values():
    """Each zone is given one value after the other."""
    zones = {}
    for root, _ in places().values():
        for element in root.iter():
            if len(element) == 0:
                zones.setdefault(element.tag, root)
    found = set()
    for root in {id(root): root for root in zones.values()}.values():
        copy = deepcopy(root)
        for value in VALUES:
            for element in copy.iter():
                if len(element) == 0 and zones[element.tag] is root:
                    element.text = value
            found |= codes(copy)
    return found


def of_places():
    """Each child is once too many, left out, first and last."""
    found = set()
    most = {(block, child.get("name")): child.get("maxOccurs", "1") for block, child in allowed()}
    for key in places():
        copy, element = spoiled(*key)
        above = element.getparent()
        for _ in range(int(most[key]) if most[key] != "unbounded" else 0):
            element.addnext(deepcopy(element))
        found |= codes(copy)
        for other in list(above.iterchildren(element.tag)):
            above.remove(other)
        found |= codes(copy)
        if len(element):  # a block: it and the other blocks beside it are left out
            alone, other = spoiled(*key)
            around = other.getparent()
            for block in [one for one in around if len(one)]:
                around.remove(block)
            found |= codes(alone)
        for place in (0, len(above) + 1):
            above.insert(place, element)
            found |= codes(copy)
    return found


def of_forbidden_zones():
    """Each zone that may not occur does so: alone, twice, behind what follows it, with wrong values."""
    found = set()
    for block, child in allowed():
        if child.get("maxOccurs") == "0":
            for values in (["a"], ["x", "x"], ["x" * 300], ["12345678901234567890"], ["abcd-ef-gh"]):
                copy, element = spoiled(*next(key for key in places() if key[1] == block))
                for value in values:
                    etree.SubElement(element, child.get("name")).text = value
                found |= codes(copy)
                element.insert(1, element[-1])
                found |= codes(copy)
    return found


def of_strangers():
    """Each zone and block stands where none of its kind may stand: in a Form, or inside a declaration."""
    inside = {child.get("name") for block, child in allowed() if block == "Form"}
    copy, form = spoiled("DmfAOriginal", "Form")
    form.find("EmployerDeclaration").clear()
    for label in sorted({one.element for one in catalogue().codes.values()} - inside):
        other = deepcopy(form)
        etree.SubElement(other, label)
        copy.append(other)
    copy.set("colour", "red")
    found = codes(copy)
    for label in sorted(inside):
        copy, element = spoiled("Form", "EmployerDeclaration")
        etree.SubElement(element, label)
        found |= codes(copy)
    return found


def test_every_code_that_the_schema_gives():
    found = of_values() | of_places() | of_forbidden_zones() | of_strangers()
    # The quarter decides the release: one before the oldest has no judge.
    assert given(NEWEST).keys() - found == {"00013-008"}


def test_the_codes_are_those_of_the_catalogue():
    assert given(NEWEST).keys() <= catalogue().codes.keys()
    assert len(given(NEWEST)) > 1_300


SPOILED = {
    "missing": (("NaturalPerson", "INSS"), "", "00024-001"),
    "number": (("NaturalPerson", "INSS"), "x", "00024-002"),
    "length": (("WorkerRecord", "EmployerClass"), "12", "00036-093"),
    "outside": (("WorkerRecord", "Border"), "7", "00040-008"),
    "form": (("EmployerDeclaration", "NetOwedAmount"), "85210100257x", "00015-002"),
}


@pytest.mark.parametrize("proof", [True, False])
@pytest.mark.parametrize("kind", SPOILED)
def test_faults_are_the_same_with_and_without_proof(tmp_path, kind, proof):
    place, value, code = SPOILED[kind]
    root, element = spoiled(*place)
    element.text = value
    data = to_bytes(root, pretty=True)
    (tmp_path / "bad.xml").write_bytes(data)
    batch = read_batch([Found("bad.xml", tmp_path / "bad.xml")], Settings.of(proof=proof))
    row = batch.anomalies.row(0, named=True)
    assert (row["code"], row["severity"], row["zone"]) == (code, "B", place[1])
    assert f"<{place[1]}" in data.decode().splitlines()[row["line"] - 1]
    # A value is shown where it can be nobody's number, whatever zone it was put into.
    assert row["seen_value"] == {"outside": "7", "length": "12"}.get(kind)
    assert "85210100257" not in str(batch.anomalies.rows())
