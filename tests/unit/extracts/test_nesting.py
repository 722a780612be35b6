import polars as pl
import pytest
from lxml import etree

from dmfa.extracts import EXTRACTS
from dmfa.extracts.nesting import attestations_as_text
from dmfa.extracts.persons import within
from dmfa.extracts.selection import attestations
from dmfa.schema import home, snake_case
from tests.unit.extracts.material import NARROW, QUARTER, invented, permit_of


def made(folder, **changes):
    """Parts and tables of the invented quarter under one row."""
    permit = permit_of(folder, **changes)
    shape = EXTRACTS["attestation"].shape(permit)
    frames = {name: frame.filter(pl.col("quarter") == QUARTER.code) for name, frame in invented().items()}
    tables = attestations(within(frames, permit.authorisation.population), shape).tables
    return {part.name: part for part in shape.parts}, tables


def read(pieces) -> etree._Element:
    return etree.fromstring(b"<all>" + b"".join(piece.to_pybytes() for piece in pieces) + b"</all>")


@pytest.mark.parametrize("most", [1, 2, 4, 100])
def test_pieces_of_any_size_give_the_same_text(tmp_path, most):
    parts, tables = made(tmp_path)
    whole = attestations_as_text(parts, tables, 1_000)
    assert len(whole) == 1
    pieces = attestations_as_text(parts, tables, most)
    assert len(pieces) == -(-9 // most)
    assert b"".join(piece.to_pybytes() for piece in pieces) == whole[0].to_pybytes()


def test_blocks_stand_in_the_order_of_the_schema(tmp_path):
    """The XSD is a sequence: a block out of its place is not valid."""
    parts, tables = made(tmp_path)
    schema = etree.XMLSchema(etree.parse(home() / "DmfAAttestation_1.xsd"))
    inside = b"".join(piece.to_pybytes() for piece in attestations_as_text(parts, tables, 3))
    head = (
        b'<d:attestationDelivery xmlns:d="urn:dmfa:attestation:1"><sender><ticket>t</ticket>'
        b"<timestampSent>2026-11-22T09:30:00Z</timestampSent><organizationIdentification><cbeNumber>0449888671"
        b"</cbeNumber></organizationIdentification></sender><receiver><organizationIdentification><cbeNumber>0449888671"
        b"</cbeNumber></organizationIdentification></receiver><legalContext>a:b</legalContext><period><beginQuarter>"
        b"2026Q3</beginQuarter><endQuarter>2026Q3</endQuarter></period><dataFilters/>"
    )
    schema.assertValid(etree.fromstring(head + inside + b"</d:attestationDelivery>"))


def test_a_block_hangs_under_that_of_its_two_parents_which_it_has(tmp_path):
    parts, tables = made(tmp_path)
    root = read(attestations_as_text(parts, tables, 100))
    for parent in ("Occupation", "StudentContribution"):
        held = tables["using_employer"][f"{snake_case(parent)}_ordinal"].drop_nulls().len()
        assert len(root.findall(f".//{parent}/UsingEmployer")) == held > 0


def test_a_block_without_zones_is_there_as_often_as_its_rows(tmp_path):
    parts, tables = made(tmp_path, blocks={**NARROW, "Service": []})
    root = read(attestations_as_text(parts, tables, 100))
    assert len(root.findall(".//Service")) == tables["service"].height > 1
    assert len(root.findall(".//WorkerRecord")) == tables["worker_record"].height > 1
    assert {len(node) for node in root.iter("Service")} == {0}


def test_attestations_that_a_population_thinned_out(tmp_path):
    """Ordinals have gaps then, and some attestations lack blocks that others have."""
    parts, tables = made(tmp_path, population={"WorkerRecord.WorkerCode": ["015"]})
    root = read(attestations_as_text(parts, tables, 2))
    assert [node.text for node in root.iterfind("attestation/number")] == [
        str(number) for number in tables["natural_person"]["attestation"]
    ]
    for attestation, number in zip(root, tables["natural_person"]["attestation"], strict=True):
        for name in ("worker_record", "occupation", "service", "remun", "address"):
            inside = tables[name].filter(pl.col("attestation") == number).height
            assert len(attestation.findall(f".//{parts[name].block.name}")) == inside


def test_nobody_gives_no_text(tmp_path):
    parts, tables = made(tmp_path, population={"Occupation.JointCommissionNbr": ["none"]})
    assert attestations_as_text(parts, tables, 100) == []
