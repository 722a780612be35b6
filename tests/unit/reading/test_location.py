"""Path and line of an anomaly, found by a second reading."""

import pytest
from lxml import etree

from dmfa.anomaly import Anomaly, anomaly_frame
from dmfa.reading.keys import declaration_id, filing_id
from dmfa.reading.location import locate
from dmfa.reading.opener import open_filing
from dmfa.reading.source import Found
from tests.making import Maker, to_bytes


@pytest.fixture
def found(tmp_path):
    data = to_bytes(Maker("20231", 1).filing(forms=2, persons=4), pretty=True)
    path = tmp_path / "x.xml"
    path.write_bytes(data)
    return Found("x.xml", path)


def anomaly(found, index, **where):
    sha256 = open_filing(found).sha256
    return Anomaly(filing_id(sha256), "00000-000", "words", declaration_id=declaration_id(sha256, index), **where)


def test_places(found):
    sha256 = open_filing(found).sha256
    rows = [
        anomaly(found, 1, block="NaturalPerson", block_ordinal=2, zone="INSS"),
        anomaly(found, 0, block="EmployerDeclaration", block_ordinal=0, zone="Quarter"),
        anomaly(found, 1, block="Occupation", block_ordinal=3),
        anomaly(found, 1, block="NaturalPerson", block_ordinal=2, zone="NoSuchZone"),
        anomaly(found, 1, block="NaturalPerson", block_ordinal=99),
        anomaly(found, 1),
    ]
    placed = locate(found, sha256, anomaly_frame(rows))
    lines = found.path.read_text(encoding="utf-8").split("\n")
    top = "/DmfAOriginal/Form[2]/EmployerDeclaration"
    assert placed["path"][0] == f"{top}/NaturalPerson[3]/INSS"
    assert placed["path"][1] == "/DmfAOriginal/Form[1]/EmployerDeclaration/Quarter"
    assert placed["path"][3] == f"{top}/NaturalPerson[3]"
    assert placed["path"].to_list()[4:] == [None, None]
    for row, tag in ((0, "<INSS>"), (1, "<Quarter>"), (2, "<Occupation>"), (3, "<NaturalPerson>")):
        assert tag in lines[placed["line"][row] - 1]
    tree = etree.parse(str(found.path))
    assert tree.xpath(placed["path"][2])[0] is tree.xpath("/DmfAOriginal/Form[2]")[0].xpath(".//Occupation")[3]


def test_blocks_beside_the_persons(tmp_path):
    for seed in range(1, 30):
        root = Maker("20231", seed).filing(forms=2, persons=2)
        if len(root.findall("Form[2]/EmployerDeclaration/CompanyVehicle")) > 1:
            break
    path = tmp_path / "x.xml"
    path.write_bytes(to_bytes(root))
    found = Found("x.xml", path)
    where = {"block": "CompanyVehicle", "block_ordinal": 1, "zone": "LicensePlate"}
    placed = locate(found, open_filing(found).sha256, anomaly_frame([anomaly(found, 1, **where)]))
    assert placed["path"].to_list() == ["/DmfAOriginal/Form[2]/EmployerDeclaration/CompanyVehicle[2]/LicensePlate"]


def test_what_has_a_place_keeps_it(found):
    sha256 = open_filing(found).sha256
    frame = anomaly_frame(
        [
            anomaly(found, 0, block="NaturalPerson", block_ordinal=0, path="/a", line=3),
            anomaly(found, 0, block="NaturalPerson", block_ordinal=0),
        ]
    )
    placed = locate(found, sha256, frame)
    assert placed.row(0, named=True)["path"] == "/a"
    assert placed["path"].null_count() == 0


def test_a_file_that_has_changed_keeps_its_anomalies_without_places(found):
    sha256 = open_filing(found).sha256
    assert locate(found, sha256, anomaly_frame()).is_empty()
    frame = anomaly_frame([anomaly(found, 0, block="NaturalPerson", block_ordinal=0)])
    found.path.write_bytes(b"<a/>")
    assert locate(found, sha256, frame).equals(frame)
    found.path.unlink()
    assert locate(found, sha256, frame).equals(frame)


def test_at_most_a_thousand(found):
    sha256 = open_filing(found).sha256
    frame = anomaly_frame([anomaly(found, 0, block="NaturalPerson", block_ordinal=0)] * 1_005)
    assert locate(found, sha256, frame)["path"].null_count() == 5
