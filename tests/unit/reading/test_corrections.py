"""Corrections are read by the path of originals: by their own release, cell by cell, giants and bad ones too."""

import hashlib
from dataclasses import replace

import pytest
from lxml import etree
from polars.testing import assert_frame_equal

from dmfa.reading import tokenizer
from dmfa.reading.batch import Settings, read_batch
from dmfa.reading.keys import declaration_id, filing_id
from dmfa.reading.location import locate
from dmfa.reading.parsing import parse_tree
from dmfa.reading.plan import make_plan
from dmfa.reading.shredder import Document
from dmfa.reading.source import find_filings
from dmfa.reading.tokenizer import tokenize_documents
from dmfa.reading.validator import GIANT_BYTES, judge
from dmfa.reading.walk import walk_documents
from dmfa.schema import UPDATE, home
from tests.making import Maker, filing, to_bytes
from tests.oracle_xml import block_labels, differences, plain
from tests.unit.reading.test_shredder import RELEASES

TOP = "Form/EmployerDeclarationUpdate"


@pytest.fixture(scope="module")
def settings():
    return Settings.of()


def update(release="20231", seed=1, **how):
    return Maker(f"DmfAUpdate_{release}", seed).filing(**how)


def inbox(tmp_path, **files):
    for name, data in files.items():
        (tmp_path / f"{name}.xml").write_bytes(data)
    return find_filings([tmp_path], tmp_path).filings


def shredded(how, data, *, giant=False):
    digest = hashlib.sha256(data).hexdigest()
    return how([Document(filing_id(digest), digest, data, None if giant else parse_tree(data))], PLAN)


PLAN = make_plan(None, UPDATE)


@pytest.mark.parametrize("release", RELEASES)
def test_every_cell_of_every_block_by_both_shredders(release, monkeypatch):
    data = to_bytes(update(release, seed=4, forms=3, persons=4))
    assert judge(data).faults == []
    walked = shredded(walk_documents, data)
    monkeypatch.setattr(tokenizer, "walk_documents", None)  # nothing goes to the walk unseen
    tokens = shredded(tokenize_documents, data)
    assert differences([data], tokens.tables) == []
    for name, table in walked.tables.items():
        assert_frame_equal(table, tokens.tables[name])
    assert_frame_equal(walked.forms, tokens.forms)
    forms = etree.fromstring(data).findall("Form")
    assert tokens.forms["employer_declaration_pid"].to_list() == [
        int(form.findtext("*/EmployerDeclarationPID")) for form in forms
    ]


def test_a_table_for_every_block_below_the_envelope():
    labels = {plain(label) for label in block_labels("DmfAUpdate")} - {"dmfaupdate", "form", "reference"}
    assert {plain(table.name) for table in PLAN.tables} == labels


def test_giants_are_shredded_as_others_are(monkeypatch):
    data = to_bytes(update(seed=2, forms=2, persons=9))
    small = shredded(walk_documents, data)
    monkeypatch.setattr("dmfa.reading.walk._PERSONS_AT_ONCE", 4)
    walked = shredded(walk_documents, data, giant=True)
    monkeypatch.setattr(tokenizer, "SEGMENT_BYTES", 4_000)
    cut = shredded(tokenize_documents, data, giant=True)
    for name, table in small.tables.items():
        assert_frame_equal(walked.tables[name], table)
        assert_frame_equal(cut.tables[name], table)
    assert_frame_equal(small.forms, walked.forms)
    assert_frame_equal(small.forms, cut.forms)


@pytest.mark.parametrize("giant_bytes", [1, GIANT_BYTES])
def test_corrections_stand_beside_originals(tmp_path, settings, giant_bytes):
    original = filing("20231", seed=1, forms=2, persons=3)
    good, odd = to_bytes(update(seed=3, forms=2, persons=2)), to_bytes(update("20222", seed=4, persons=1))
    odd = odd.replace(b"<Form>", b"<!-- odd --><Form>", 1)
    found = inbox(tmp_path, a=good, b=original, c=odd, d=good)
    batch = read_batch(found, replace(settings, giant_bytes=giant_bytes))
    assert [(one.kind, one.state, one.release, one.declarations, one.persons) for one in batch.filings] == [
        ("DmfAUpdate", "judged", "DmfAUpdate_20231.xsd", 2, 4),
        ("DmfAOriginal", "judged", "DmfAOriginal_20231.xsd", 2, 6),
        ("DmfAUpdate", "judged", "DmfAUpdate_20222.xsd", 1, 1),
        ("DmfAUpdate", "judged", "DmfAUpdate_20231.xsd", 2, 4),
    ]
    assert batch.anomalies.is_empty()
    assert differences([original], batch.shredded.tables) == []
    assert batch.shredded.forms["filing_id"].unique().to_list() == [batch.filings[1].filing_id]
    forms = batch.corrections.forms
    keys = {(one.sha256, index) for one in (batch.filings[0], batch.filings[2]) for index in range(one.declarations)}
    assert set(forms["declaration_id"]) == {declaration_id(*key) for key in keys}
    assert forms["quarter"].to_list() == [20231, 20231, 20222]


def test_no_correction_leaves_empty_frames(tmp_path, settings):
    batch = read_batch(inbox(tmp_path, a=filing("20231", seed=1, persons=1)), settings)
    assert batch.corrections.forms.is_empty()
    assert batch.corrections.asked.is_empty()
    assert {name: table.schema for name, table in batch.corrections.declared.items()} == {
        name: table.schema for name, table in batch.shredded.tables.items()
    }


def told(tmp_path, settings, data):
    """State of a filing, and code, block, zone and line of each anomaly."""
    (found,) = inbox(tmp_path, a=data)
    batch = read_batch([found], settings)
    anomalies = locate(found, batch.filings[0].sha256, batch.anomalies)
    return batch, [(row["code"], row["block"], row["zone"], row["line"]) for row in anomalies.iter_rows(named=True)]


def without(path):
    root = update(persons=2)
    zone = root.find(path)
    zone.getparent().remove(zone)
    return to_bytes(root, pretty=True)


@pytest.mark.parametrize("giant_bytes", [1, GIANT_BYTES])
@pytest.mark.parametrize(
    ("path", "code", "block", "zone"),
    [
        (f"{TOP}/EmployerDeclarationPID", "00534-001", "EmployerDeclarationUpdate", "EmployerDeclarationPID"),
        (f"{TOP}/NaturalPersonUpdate[2]/INSS", "00024-001", "NaturalPersonUpdate", "INSS"),
        (
            f"{TOP}/NaturalPersonUpdate[2]/WorkerRecordUpdate[1]/WorkerRecordUpdateAction/UpdateAction",
            "00618-001",
            "WorkerRecordUpdateAction",
            "UpdateAction",
        ),
    ],
)
def test_a_zone_that_is_missing(tmp_path, settings, path, code, block, zone, giant_bytes):
    batch, anomalies = told(tmp_path, replace(settings, giant_bytes=giant_bytes), without(path))
    assert (batch.filings[0].state, batch.filings[0].schema_valid) == ("refused", False)
    assert (code, block, zone) in [one[:3] for one in anomalies]
    assert all(line for *_, line in anomalies)
    # The envelope of what is refused is known all the same.
    assert batch.corrections.forms.height == 1
    assert all(table.is_empty() for table in batch.corrections.declared.values())
    (place,) = {row["path"].split("/")[1] for row in batch.anomalies.iter_rows(named=True)}
    assert place == "DmfAUpdate"


def test_bad_files(tmp_path, settings):
    good = to_bytes(update(persons=1))
    old = update("20221", persons=1)
    old.find(f"{TOP}/Quarter").text = "20214"
    wide = update("20221", persons=1)
    wide.find(f"{TOP}/NaturalPersonUpdate/INSS").text = "1" * 12
    assert told(tmp_path, settings, good[:-40])[1][0][0] == "not_well_formed"
    assert told(tmp_path, settings, b'<!DOCTYPE a SYSTEM "b">' + good[good.index(b"<DmfA") :])[1][0][0] == "doctype"
    batch, anomalies = told(tmp_path, settings, to_bytes(old))
    assert (batch.filings[0].state, batch.filings[0].release) == ("judged", None)
    assert anomalies[0][:3] == ("00013-008", "EmployerDeclarationUpdate", "Quarter")
    assert told(tmp_path, settings, to_bytes(wide))[1][0][0] == "00024-093"
    # An original under the name of a correction, and the reverse.
    swapped = filing("20231", seed=1, persons=1).replace(b"DmfAOriginal", b"DmfAUpdate")
    assert told(tmp_path, settings, swapped)[0].filings[0].state == "refused"
    swapped = good.replace(b"DmfAUpdate", b"DmfAOriginal")
    assert told(tmp_path, settings, swapped)[0].filings[0].state == "refused"


def test_a_correction_of_two_quarters_is_judged_by_the_newer(tmp_path, settings):
    root = update("20222", seed=3, forms=2, persons=1)
    root.findall(TOP)[1].find("Quarter").text = "20231"
    batch = read_batch(inbox(tmp_path, a=to_bytes(root), b=filing("20231", seed=1, persons=1)), settings)
    assert [one.release for one in batch.filings] == ["DmfAUpdate_20231.xsd", "DmfAOriginal_20231.xsd"]
    assert batch.corrections.forms["quarter"].to_list() == [20222, 20231]


def test_a_cell_that_no_column_holds_refuses_its_filing_alone(tmp_path, settings):
    """A foreign release may let pass what the tables can not keep."""
    folder = tmp_path / "xsd"
    folder.mkdir()
    xsd = (home() / "DmfAUpdate_20231.xsd").read_text()
    (folder / "DmfAUpdate_20231.xsd").write_text(
        xsd.replace('<xs:totalDigits value="11"/>', "").replace('<xs:maxInclusive value="99999999999"/>', "")
    )
    wide = update(persons=1)
    wide.find(f"{TOP}/EmployerDeclarationPID").text = "9" * 30
    files = tmp_path / "in"
    files.mkdir()
    found = inbox(files, a=to_bytes(update(seed=2, persons=1)), b=to_bytes(wide), c=filing("20231", persons=1))
    batch = read_batch(found, Settings.of(folder))
    assert [one.state for one in batch.filings] == ["judged", "refused", "judged"]
    assert batch.anomalies["code"].to_list() == ["unfit"]
    assert batch.corrections.forms.height == 2
    assert batch.corrections.declared["employer_declaration"].height == 1
    assert batch.shredded.forms.height == 1
