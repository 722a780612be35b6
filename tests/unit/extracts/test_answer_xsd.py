import runpy

import pytest
from lxml import etree

from tests.conftest import ROOT

FILE = "DmfAAnswer_1.xsd"
HEAD = (
    '<d:answerDelivery xmlns:d="urn:dmfa:answer:1">'
    "<sender><organizationIdentification><sector>999</sector><institution>001</institution>"
    "</organizationIdentification></sender>"
    "<receiver><organizationIdentification><cbeNumber>0449888671</cbeNumber></organizationIdentification></receiver>"
    "<legalContext>x</legalContext><period><beginQuarter>2026Q1</beginQuarter><endQuarter>2026Q3</endQuarter></period>"
    "<dataFilters/>"
)


@pytest.fixture(scope="module")
def xsd():
    return etree.XMLSchema(etree.parse(ROOT / "xsd" / FILE))


def valid(xsd, rows: str) -> bool:
    return xsd.validate(etree.fromstring(f"{HEAD}{rows}</d:answerDelivery>"))


def test_the_file_is_what_the_script_writes(tmp_path):
    runpy.run_path(str(ROOT / "tools" / "xsd" / "answers.py"))["main"](tmp_path)
    assert (tmp_path / FILE).read_bytes() == (ROOT / "xsd" / FILE).read_bytes()


CEILING = "<attestation>1</attestation><version>1</version><status>0</status>"


@pytest.mark.parametrize(
    ("rows", "right"),
    [
        ("", True),
        (f"<Ceiling>{CEILING}<INSS>00010100105</INSS><Above>true</Above></Ceiling>", True),
        (f"<Ceiling>{CEILING}</Ceiling>", True),
        (f"<Ceiling>{CEILING}<Above>100</Above></Ceiling>", False),
        (f"<Ceiling>{CEILING}<INSS>1</INSS></Ceiling>", False),
        (f"<Ceiling>{CEILING}<Pay>100</Pay></Ceiling>", False),
        ("<Ceiling><Above>true</Above></Ceiling>", False),
        ("<Employment><Persons>5</Persons></Employment>", True),
        (f"<Employment>{CEILING}<Persons>5</Persons></Employment>", False),
        ("<Remun><RemunAmount>1</RemunAmount></Remun>", False),
    ],
)
def test_a_row_has_the_columns_of_its_table(xsd, rows, right):
    assert valid(xsd, rows) is right
