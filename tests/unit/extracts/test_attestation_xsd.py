import importlib.util
from pathlib import Path

import pytest
from lxml import etree

ROOT = Path(__file__).parents[3]
HEAD = (
    '<d:attestationDelivery xmlns:d="urn:dmfa:attestation:1">'
    "<sender><organizationIdentification><sector>999</sector><institution>001</institution>"
    "</organizationIdentification></sender>"
    "<receiver><organizationIdentification><cbeNumber>0449888671</cbeNumber></organizationIdentification></receiver>"
    "<legalContext>x</legalContext><period><beginQuarter>2026Q3</beginQuarter><endQuarter>2026Q3</endQuarter></period>"
    "<dataFilters/>"
)


@pytest.fixture(scope="module")
def xsd():
    return etree.XMLSchema(etree.parse(ROOT / "xsd" / "DmfAAttestation_1.xsd"))


def valid(xsd, attestation: str) -> bool:
    return xsd.validate(etree.fromstring(f"{HEAD}{attestation}</d:attestationDelivery>"))


def test_the_file_is_what_the_script_writes(tmp_path):
    spec = importlib.util.spec_from_file_location("attestation", ROOT / "tools" / "xsd" / "attestation.py")
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    script.main(tmp_path)
    assert (tmp_path / "DmfAAttestation_1.xsd").read_bytes() == (ROOT / "xsd" / "DmfAAttestation_1.xsd").read_bytes()


def test_every_zone_may_be_left_out(xsd):
    assert valid(xsd, "")
    assert valid(
        xsd,
        "<attestation><number>1</number><version>1</version><status>0</status><EmployerDeclaration/></attestation>",
    )


@pytest.mark.parametrize(
    "inside",
    [
        "<number>0</number><version>1</version><status>0</status><EmployerDeclaration/>",
        "<number>1</number><version>1</version><status>2</status><EmployerDeclaration/>",
        "<number>1</number><version>1</version><EmployerDeclaration/>",
        "<number>1</number><version>1</version><status>0</status><EmployerDeclaration><CompanyVehicle/></EmployerDeclaration>",
        "<number>1</number><version>1</version><status>0</status>"
        "<EmployerDeclaration><NaturalPerson><INSS>5123112338</INSS></NaturalPerson></EmployerDeclaration>",
        "<number>1</number><version>1</version><status>0</status>"
        "<EmployerDeclaration><NaturalPerson/><NaturalPerson/></EmployerDeclaration>",
        "<number>1</number><version>1</version><status>0</status>"
        "<EmployerDeclaration><NaturalPerson><WorkerRecord><WorkerCode>15</WorkerCode></WorkerRecord></NaturalPerson>"
        "</EmployerDeclaration>",
    ],
    ids=["number", "status", "no status", "vehicle", "ten digits", "two persons", "code of two digits"],
)
def test_what_no_attestation_may_hold(xsd, inside):
    assert not valid(xsd, f"<attestation>{inside}</attestation>")
