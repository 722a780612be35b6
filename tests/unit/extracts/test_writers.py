import itertools
from dataclasses import replace

import polars as pl
import pyarrow.parquet as pq
import pytest
from lxml import etree

from dmfa.errors import NotAuthorised
from dmfa.extracts import EXTRACTS, Permit
from dmfa.extracts.authorisations import FLAG_TABLE
from dmfa.extracts.parquet import ParquetFiles
from dmfa.extracts.selection import attestations
from dmfa.extracts.xml import NAMESPACE, Envelope, XmlFile
from dmfa.schema import home
from tests.unit.extracts.material import NARROW, QUARTER, RUN, TEXT, invented, permit_of

ENVELOPE = Envelope("6c5a48cb-af84-5112-9a1c-633ff6d631a5", RUN.at, QUARTER)
FORMATS = ["parquet", "xml"]


def shape_of(permit: Permit):
    return EXTRACTS["attestation"].shape(permit)


def tables_of(permit: Permit):
    frames = {name: frame.filter(pl.col("quarter") == QUARTER.code) for name, frame in invented().items()}
    shape = shape_of(permit)
    return {**attestations(frames, shape).tables, FLAG_TABLE: pl.DataFrame(shape.flags.arrow_schema.empty_table())}


def writer(folder, permit: Permit, shape, file_format: str):
    if file_format == "parquet":
        return ParquetFiles(folder, permit, shape)
    return XmlFile(folder / "attestation.xml", permit, shape, ENVELOPE)


@pytest.fixture
def wide(tmp_path):
    """A permit for everything."""
    return permit_of(tmp_path)


@pytest.fixture
def narrow(tmp_path):
    """A permit for a few zones."""
    return permit_of(tmp_path, blocks=NARROW)


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "files"
    made.mkdir()
    return made


@pytest.mark.parametrize("file_format", FORMATS)
def test_more_than_the_row_lists_is_refused_before_the_first_byte(wide, narrow, folder, file_format):
    with pytest.raises(NotAuthorised, match=r"does not list activation_information\.activation_information_ordinal"):
        writer(folder, narrow, shape_of(wide), file_format)
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("file_format", FORMATS)
def test_without_the_check_more_would_be_written(wide, narrow, folder, file_format, monkeypatch):
    """The test above holds because of the check, and of nothing else."""
    monkeypatch.setattr(Permit, "refuse_beyond", lambda *_: None)
    with writer(folder, narrow, shape_of(wide), file_format) as open_writer:
        open_writer.write(tables_of(wide))
    assert len(list(folder.iterdir())) == (27 if file_format == "parquet" else 1)


def test_rows_with_a_column_too_many_do_not_pass(narrow, folder):
    tables = tables_of(narrow)
    tables["natural_person"] = tables["natural_person"].with_columns(pl.lit("x").alias("name"))
    with ParquetFiles(folder, narrow, shape_of(narrow)) as files, pytest.raises(ValueError, match="field names"):
        files.write(tables)


def test_every_column_says_what_it_is(wide, folder):
    with ParquetFiles(folder, wide, shape_of(wide)):
        pass
    remun = pq.read_schema(folder / "remun.parquet")
    amount = remun.field("remun_amount").metadata
    assert (amount[b"zone"], amount[b"label"], amount[b"unit"]) == (b"00070", b"RemunAmount", b"cent")
    assert remun.metadata[b"block"] == b"90019"
    for path in folder.iterdir():
        assert all(field.metadata[b"words"] for field in pq.read_schema(path))


@pytest.mark.parametrize("file_format", FORMATS)
def test_the_shards_leave_no_trace_in_the_bytes(wide, tmp_path, file_format, monkeypatch):
    monkeypatch.setattr("dmfa.extracts.parquet.ROW_GROUP", 4)
    monkeypatch.setattr("dmfa.extracts.xml.CHUNK", 2)
    tables = tables_of(wide)
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    for place, shards in ((whole, 1), (parts, 3)):
        place.mkdir()
        with writer(place, wide, shape_of(wide), file_format) as files:
            people = tables["natural_person"]["attestation"]
            for shard in range(shards):
                inside = people.gather_every(1).slice(shard * 9 // shards, 9 // shards)
                files.write(
                    {name: t.filter(pl.col("attestation").is_in(inside.implode())) for name, t in tables.items()}
                )
    assert {path.name: path.read_bytes() for path in whole.iterdir()} == {
        path.name: path.read_bytes() for path in parts.iterdir()
    }


def test_the_envelope_has_the_fields_of_the_cbss_in_its_order(narrow, folder):
    with XmlFile(folder / "a.xml", narrow, shape_of(narrow), ENVELOPE):
        pass
    root = etree.parse(folder / "a.xml").getroot()
    assert root.tag == f"{{{NAMESPACE}}}attestationDelivery"
    assert [child.tag for child in root] == [
        "sender", "receiver", "legalContext", "period", "sequenceNumber", "status", "dataFilters",
    ]  # fmt: skip
    assert root.findtext("status/value") == "NO_DATA_FOUND"
    assert root.findtext("sender/ticket") == ENVELOPE.ticket
    assert root.findtext("sender/timestampSent") == "2026-11-22T09:30:00Z"
    assert root.findtext("receiver/organizationIdentification/sector") == "999"
    assert root.findtext("period/beginQuarter") == "2026Q3"
    assert "kszbcss" not in (folder / "a.xml").read_text()


@pytest.mark.parametrize("shards", [1, 3])
@pytest.mark.parametrize("room", [1, 2_000])
def test_beyond_a_size_the_next_file_begins_with_a_whole_attestation(narrow, folder, shards, room):
    tables = tables_of(narrow)
    people = tables["natural_person"]["attestation"]
    with XmlFile(folder / "a.xml", narrow, shape_of(narrow), replace(ENVELOPE, file_bytes=room)) as file:
        for shard in range(shards):
            inside = people.slice(shard * 9 // shards, 9 // shards)
            file.write({name: t.filter(pl.col("attestation").is_in(inside.implode())) for name, t in tables.items()})
    found, sizes = [], []
    schema = etree.XMLSchema(etree.parse(home() / "DmfAAttestation_1.xsd"))
    count = len(list(folder.iterdir()))
    for number in range(1, count + 1):
        path = folder / ("a.xml" if number == 1 else f"a.{number}.xml")
        root = etree.parse(path).getroot()
        schema.assertValid(root)
        assert (root.findtext("sequenceNumber"), root.findtext("status/value")) == (str(number), "DATA_FOUND")
        found += [int(text) for text in root.xpath("attestation/number/text()")]
        sizes.append([len(etree.tostring(node)) for node in root.iterfind("attestation")])
    assert found == people.to_list()
    assert count == 9 if room == 1 else 1 < count < 9
    # No file could have taken the first attestation of the next one.
    for size, following in itertools.pairwise(sizes):
        assert sum(size) + following[0] > room


def test_what_is_left_out_is_named(narrow, wide, folder):
    assert shape_of(wide).filtered == ()
    left_out = shape_of(narrow).filtered
    assert "Service" in left_out
    assert "Occupation/ContractType" in left_out
    assert not {"Occupation", "Occupation/LocalUnitID", "Service/ServiceCode"} & set(left_out)


def test_text_comes_back_whatever_it_holds(wide, folder):
    with XmlFile(folder / "a.xml", wide, shape_of(wide), ENVELOPE) as file:
        tables = tables_of(wide)
        tables["using_employer"] = tables["using_employer"].with_columns(
            pl.lit("]]> \r & <b/> &amp; 'é'").alias("using_employer_name")
        )
        file.write(tables)
    root = etree.parse(folder / "a.xml").getroot()
    assert {node.text for node in root.iter("UsingEmployerName")} == {"]]> \r & <b/> &amp; 'é'"}
    assert TEXT in {node.text for node in root.iter("JointCommissionNbr")}


def test_an_institution_outside_the_network_is_named_by_its_enterprise_number(tmp_path, folder):
    recipient = {"name": "fund", "title": "F", "cbe_number": "0449888671"}
    permit = permit_of(tmp_path, blocks=NARROW, recipient=recipient)
    with XmlFile(folder / "a.xml", permit, shape_of(permit), ENVELOPE):
        pass
    root = etree.parse(folder / "a.xml").getroot()
    assert root.findtext("receiver/organizationIdentification/cbeNumber") == "0449888671"
    assert etree.XMLSchema(etree.parse(home() / "DmfAAttestation_1.xsd")).validate(root)
