"""What an XSD demands, and that nothing is taken from one that holds more than is understood."""

import pytest

from dmfa.schema import MESSAGE, releases
from dmfa.schema.grammar import START, grammar

RELEASES = releases(MESSAGE)

XSD = """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" version="1">
  <!-- a comment is nothing -->
  <xs:element name="A" type="A"/>
  <xs:complexType name="A">
    <xs:annotation><xs:documentation>of all</xs:documentation></xs:annotation>
    <xs:sequence>
      <xs:element name="B" type="B"/>
      <xs:element name="C" type="C" minOccurs="0" maxOccurs="0"/>
      <xs:choice>
        <xs:element name="D" type="D" maxOccurs="3"/>
        <xs:sequence minOccurs="0"><xs:element name="E" type="D"/><xs:element name="D" type="D"/></xs:sequence>
      </xs:choice>
    </xs:sequence>
  </xs:complexType>
  <xs:complexType name="D"><xs:sequence><xs:element name="F" type="B" minOccurs="0"/></xs:sequence></xs:complexType>
  <xs:simpleType name="B"><xs:restriction base="xs:integer"><xs:totalDigits value="3"/></xs:restriction></xs:simpleType>
</xs:schema>"""


def read(tmp_path, xsd):
    path = tmp_path / "A_20261.xsd"
    path.write_text(xsd)
    return grammar(path, "A")


def test_content_models(tmp_path):
    found = read(tmp_path, XSD)
    model = found.blocks["A"]
    assert [(place.name, place.most) for place in model.places] == [("B", 1), ("D", 3), ("E", 1), ("D", 1)]
    assert model.steps[START] == {"B": 1}
    assert model.steps[1] == {"D": 2, "E": 3}
    assert model.steps[2] == {"D": 2}
    assert model.steps[3] == {"D": 4}
    assert model.steps[4] == {}
    assert model.ends == {1, 2, 4}
    assert found.blocks["D"].ends == {START, 1}
    assert found.zones["F"].facets == {"totalDigits": ("3",)}
    assert "C" not in found.zones


@pytest.mark.parametrize("release", RELEASES, ids=lambda release: release.name)
def test_every_release_is_understood(release):
    found = grammar(release.path, MESSAGE)
    assert {"EmployerDeclaration", "WorkerRecord", "Occupation"} < {*found.blocks}
    assert found.zones["INSS"].base == "integer"


FOREIGN = {
    "mixed content": ('<xs:complexType name="A">', '<xs:complexType name="A" mixed="true">'),
    "an attribute": ("</xs:complexType>", '<xs:attribute name="x" type="xs:string"/></xs:complexType>'),
    "any element": ('<xs:element name="B" type="B"/>', '<xs:element name="B" type="B"/><xs:any minOccurs="0"/>'),
    "nillable": ('<xs:element name="B" type="B"/>', '<xs:element name="B" type="B" nillable="true"/>'),
    "a default": ('<xs:element name="B" type="B"/>', '<xs:element name="B" type="B" default="1"/>'),
    "a fixed value": ('<xs:element name="B" type="B"/>', '<xs:element name="B" type="B" fixed="1"/>'),
    "a key": (
        '<xs:element name="A" type="A"/>',
        '<xs:element name="A" type="A"><xs:unique name="u"><xs:selector xpath="B"/><xs:field xpath="."/></xs:unique>'
        "</xs:element>",
    ),
    "a substitution": (
        '<xs:element name="A" type="A"/>',
        '<xs:element name="A" type="A"/><xs:element name="Z" type="B" substitutionGroup="A"/>',
    ),
    "another root": (
        '<xs:element name="A" type="A"/>',
        '<xs:element name="A" type="A"/><xs:element name="Z" type="B"/>',
    ),
    "a reference": ('<xs:element name="B" type="B"/>', '<xs:element ref="A"/>'),
    "a type of its own": (
        '<xs:element name="B" type="B"/>',
        '<xs:element name="B"><xs:simpleType><xs:restriction base="xs:integer"/></xs:simpleType></xs:element>',
    ),
    "a built-in type": ('<xs:element name="B" type="B"/>', '<xs:element name="B" type="xs:integer"/>'),
    "one name, two types": ('<xs:element name="F" type="B" minOccurs="0"/>', '<xs:element name="B" type="D"/>'),
    "a repeated group": ("<xs:choice>", '<xs:choice maxOccurs="2">'),
    "twice at least": ('type="D" maxOccurs="3"', 'type="D" minOccurs="2" maxOccurs="3"'),
    "all in any order": ("<xs:sequence><xs:element name", "<xs:all><xs:element name"),
    "two ways on": ('<xs:element name="E" type="D"/>', ""),
    "a list": (
        '<xs:restriction base="xs:integer"><xs:totalDigits value="3"/></xs:restriction>',
        '<xs:list itemType="xs:integer"/>',
    ),
    "a union": (
        '<xs:restriction base="xs:integer"><xs:totalDigits value="3"/></xs:restriction>',
        '<xs:union memberTypes="xs:integer xs:date"/>',
    ),
    "another base": ("xs:integer", "xs:decimal"),
    "a base of its own": ("xs:integer", "C"),
    "another facet": ("<xs:totalDigits value", "<xs:maxExclusive value"),
    "a facet of another base": ("<xs:totalDigits value", "<xs:maxLength value"),
    "a fixed facet": ('<xs:totalDigits value="3"/>', '<xs:totalDigits value="3" fixed="true"/>'),
    "two patterns": ('<xs:totalDigits value="3"/>', '<xs:pattern value="1"/><xs:pattern value="2"/>'),
    "a namespace": ("<xs:schema ", '<xs:schema targetNamespace="a" '),
    "a default namespace": ("<xs:schema ", '<xs:schema xmlns="http://www.w3.org/2001/XMLSchema" '),
    "another file": (
        '<xs:element name="A" type="A"/>',
        '<xs:include schemaLocation="b.xsd"/><xs:element name="A" type="A"/>',
    ),
    "a type twice": (
        "</xs:schema>",
        '<xs:simpleType name="B"><xs:restriction base="xs:date"/></xs:simpleType></xs:schema>',
    ),
    "a type that is not there": ('name="B" type="B"', 'name="B" type="Q"'),
    "no root": ('<xs:element name="A" type="A"/>', ""),
    "a DTD": ("<xs:schema ", '<!DOCTYPE x [<!ATTLIST element minOccurs CDATA "0">]><xs:schema '),
    "no XML": ("</xs:schema>", ""),
}


@pytest.mark.parametrize("what", FOREIGN)
def test_what_is_not_understood_is_not_taken_by_halves(tmp_path, what):
    before, after = FOREIGN[what]
    assert before in XSD
    changed = XSD.replace(before, after, 1)
    if what == "all in any order":
        changed = changed.replace(
            'minOccurs="0"/></xs:sequence></xs:complexType>', 'minOccurs="0"/></xs:all></xs:complexType>'
        )
    assert read(tmp_path, XSD) is not None
    (tmp_path / "other").mkdir()
    assert read(tmp_path / "other", changed) is None
