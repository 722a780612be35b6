"""The shredder against an independent reading of the XML, cell by cell."""

import polars as pl
import pytest
from lxml import etree

from dmfa.reading.keys import declaration_id, filing_id
from dmfa.reading.parsing import parse_tree
from dmfa.reading.plan import make_plan
from dmfa.reading.shredder import Document, form_types, table_types
from dmfa.reading.tokenizer import tokenize_documents as shred
from dmfa.reading.validator import judge
from dmfa.schema import lake_tables
from tests.making import Maker, filing, to_bytes
from tests.oracle_xml import block_labels, differences, plain

RELEASES = ["20221", "20222", "20223", "20224", "20231"]
NEW_IN_20231 = {"using_employer", "address", "employer_compensation"}


def document(data, giant=False):
    return Document(1, "ab" * 32, data, None if giant else parse_tree(data))


def shredded(*files, giant=False):
    return shred([document(data, giant) for data in files], make_plan())


@pytest.mark.parametrize("release", RELEASES)
def test_every_cell_of_every_block(release):
    files = [filing(release, seed=seed, forms=4, persons=10) for seed in (1, 2)]
    assert [judge(data).faults for data in files] == [[], []]
    tables = shredded(*files).tables
    assert differences(files, tables) == []
    empty = {name for name, table in tables.items() if table.is_empty()}
    assert empty == (set() if release == "20231" else NEW_IN_20231)


def test_a_table_for_every_block_below_the_envelope():
    labels = {plain(label) for label in block_labels()} - {"dmfaoriginal", "form", "reference"}
    assert {plain(table.name) for table in make_plan().tables} == labels


def test_columns_are_those_of_the_lake():
    tables = shredded(filing("20231", seed=1)).tables
    for table in lake_tables():
        # Since when a row is known is written down by who keeps it.
        wanted = pl.DataFrame(table.arrow_schema.empty_table()).drop("known_from").schema
        assert tables[table.name].schema == wanted, table.name
        assert tables[table.name].columns == wanted.names()
    for table in make_plan().tables:
        assert dict(tables[table.name].schema) == table_types(table)


def test_no_document():
    result = shredded()
    assert result.forms.is_empty()
    assert dict(result.forms.schema) == form_types(make_plan())
    assert len(result.tables) == len(make_plan().tables)


def test_giants_are_shredded_as_others_are():
    files = [filing("20231", seed=seed, forms=3, persons=15) for seed in (1, 4)]
    small, giant = shredded(*files), shredded(*files, giant=True)
    assert small.forms.equals(giant.forms)
    for name, table in small.tables.items():
        assert table.equals(giant.tables[name]), name


def test_giants_are_shredded_in_pieces(monkeypatch):
    monkeypatch.setattr("dmfa.reading.walk._PERSONS_AT_ONCE", 4)
    data = filing("20231", seed=1, forms=2, persons=11)
    assert differences([data], shredded(data, giant=True).tables) == []


def test_giant_without_persons():
    root = Maker("20231", 1).filing(persons=1)
    declaration = root.find("Form/EmployerDeclaration")
    declaration.remove(declaration.find("NaturalPerson"))
    data = to_bytes(root)
    assert (
        shredded(data).tables["employer_declaration"].equals(shredded(data, giant=True).tables["employer_declaration"])
    )


def test_keys_and_ordinals():
    data = filing("20231", seed=1, forms=2, persons=9)
    tables = shredded(data).tables
    ids = [declaration_id("ab" * 32, index) for index in range(2)]
    for name, table in tables.items():
        assert set(table["declaration_id"]) <= set(ids)
        assert table["version"].to_list() == [1] * table.height
        assert table["status"].to_list() == [0] * table.height
        if name != "employer_declaration":
            own = f"{name}_ordinal"
            for key in ids:
                numbers = table.filter(declaration_id=key)[own].to_list()
                assert numbers == list(range(len(numbers))), name
    users = tables["using_employer"]
    assert (users["occupation_ordinal"].is_null() ^ users["student_contribution_ordinal"].is_null()).all()
    assert users["occupation_ordinal"].null_count() not in {0, users.height}


def test_keys_depend_on_content_alone():
    assert declaration_id("0" * 64, 0) != declaration_id("0" * 64, 1)
    assert 0 <= filing_id("9" * 64) < 2**63


def test_forms():
    data = filing("20231", seed=1, forms=3, persons=2)
    forms = shredded(data).forms
    root = etree.fromstring(data)
    assert forms["form_index"].to_list() == [0, 1, 2]
    assert forms["quarter"].to_list() == [20231] * 3
    for column, label in (("net_owed_amount", "NetOwedAmount"), ("noss_registration_nbr", "NOSSRegistrationNbr")):
        assert forms[column].to_list() == [int(zone.text) for zone in root.iter(label)]
    assert forms["form_creation_hour"].to_list() == [zone.text for zone in root.iter("FormCreationHour")]
    assert forms["reference_nbr"].to_list() == [form.findtext("Reference/ReferenceNbr") for form in root]


ODD = b"""<?xml version="1.0" encoding="%s"?>
<!-- before --><?pi before?>
<DmfAOriginal xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:unused="urn:x"
 xsi:noNamespaceSchemaLocation="DmfAOriginal_20231.xsd">
<Form><Identification>DMFA</Identification><FormCreationDate> 2023-05-0<!-- in a date -->2
</FormCreationDate><FormCreationHour>08:45:00.000</FormCreationHour><AttestationStatus> +0 </AttestationStatus>
<TypeForm><![CDATA[SU]]></TypeForm><EmployerDeclaration><?pi here?><!-- here --><Quarter>2<![CDATA[023]]>1</Quarter>
<NOSSRegistrationNbr> 0%d </NOSSRegistrationNbr><Trusteeship>-0</Trusteeship><CompanyID>0</CompanyID>
<NetOwedAmount>+000000000000%d</NetOwedAmount>
<NaturalPerson><NaturalPersonSequenceNbr>&#49;</NaturalPersonSequenceNbr><INSS>771<!-- a -->015<?p?>00172</INSS>
<NaturalPersonUserReference>%s &amp; <![CDATA[<b>&]]>&#233;</NaturalPersonUserReference>
<WorkerRecord><EmployerClass> 010 </EmployerClass><WorkerCode>015</WorkerCode>
<NOSSQuarterStartingDate>2023-01-01</NOSSQuarterStartingDate><NOSSQuarterEndingDate>2023-03-31</NOSSQuarterEndingDate>
<Border>0</Border><WorkerRecordUserReference/><Occupation><OccupationSequenceNbr>01</OccupationSequenceNbr>
<JointCommissionNbr>302</JointCommissionNbr><WorkingDaysSystem>500</WorkingDaysSystem><ContractType>0</ContractType>
<Retired>0</Retired><OccupationUserReference></OccupationUserReference><LocalUnitID>2000000141</LocalUnitID>
</Occupation><WorkerContribution><ContributionWorkerCode>015</ContributionWorkerCode><ContributionType>0</ContributionType>
<ContributionAmount>
 %d
</ContributionAmount></WorkerContribution></WorkerRecord></NaturalPerson></EmployerDeclaration></Form>
</DmfAOriginal>
<!-- after -->"""


def odd(encoding="UTF-8", name="Zoë", noss=199999934, amount=1234):
    return ODD % (encoding.encode(), noss, amount, name.encode(encoding), amount)


@pytest.mark.parametrize("giant", [False, True])
@pytest.mark.parametrize(
    "data",
    [
        odd(),
        odd("ISO-8859-1"),
        b"\xef\xbb\xbf" + odd(),
        odd().replace(b"\n", b"\r\n"),
        odd().decode().replace("UTF-8", "UTF-16").encode("utf-16"),
    ],
    ids=["utf-8", "iso-8859-1", "bom", "crlf", "utf-16"],
)
def test_oddities_of_xml(data, giant):
    judged = judge(data, giant_bytes=1 if giant else 1 << 20)
    assert (judged.schema_valid, judged.faults) == (True, [])
    result = shredded(data, giant=giant)
    assert differences([data], result.tables) == []
    form = result.forms.row(0, named=True)
    assert (form["quarter"], form["noss_registration_nbr"], form["net_owed_amount"]) == (20231, 199999934, 1234)
    assert (form["attestation_status"], form["type_form"], str(form["form_creation_date"])) == (0, "SU", "2023-05-02")
    person = result.tables["natural_person"].row(0, named=True)
    assert (person["inss"], person["natural_person_sequence_nbr"]) == (77101500172, 1)
    assert person["natural_person_user_reference"] == "Zoë & <b>&é"
    record = result.tables["worker_record"].row(0, named=True)
    assert (record["employer_class"], record["worker_code"]) == ("010", "015")
    assert record["worker_record_user_reference"] is None
    assert result.tables["occupation"]["occupation_user_reference"].to_list() == [None]
    assert result.tables["worker_contribution"]["contribution_amount"].to_list() == [1234]
