"""Filings read together: each has its own end, and none stops the others."""

import gzip
import pickle
from dataclasses import replace

import pytest
from lxml import etree

from dmfa.anomaly import ANOMALY_SCHEMA
from dmfa.reading.batch import Settings, plan_batches, read_batch
from dmfa.reading.filing import FILING_TYPES
from dmfa.reading.keys import declaration_id, filing_id
from dmfa.reading.source import Found, find_filings
from dmfa.reading.validator import GIANT_BYTES
from dmfa.schema import home
from tests.making import Maker, filing, to_bytes
from tests.oracle_xml import differences


@pytest.fixture(scope="module")
def settings():
    return Settings.of()


def inbox(tmp_path, **files):
    folder = tmp_path / "inbox"
    folder.mkdir()
    for name, data in files.items():
        (folder / f"{name}.xml").write_bytes(data)
    return find_filings([folder], tmp_path).filings


def invalid(**how):
    root = Maker("20231", 5).filing(persons=2, **how)
    for zone in root.iter("Border"):
        zone.text = "9"
    return to_bytes(root)


@pytest.mark.parametrize("giant_bytes", [1, GIANT_BYTES])
def test_one_of_each(tmp_path, settings, giant_bytes):
    settings = replace(settings, giant_bytes=giant_bytes)
    good = [filing("20231", seed=1, forms=2, persons=3), gzip.compress(filing("20222", seed=2, persons=4))]
    old = Maker("20221", 3).filing(forms=2, persons=1)
    old.find("Form/EmployerDeclaration/Quarter").text = "20211"
    very_old = filing("20221", seed=4, persons=1, quarter="20034")
    later = good[0].replace(b"DmfAOriginal", b"DMFAPPLUpdate")
    found = inbox(
        tmp_path,
        a=good[0],
        b=b"",
        c=b"<a",
        d=invalid(forms=2),
        e=later,
        f=good[1],
        g=to_bytes(old),
        h=very_old,
        i=b"<a/>",
    )
    found.append(Found("z.xml", tmp_path / "gone.xml"))
    batch = read_batch(found, settings)
    states = {filing.name[0]: filing.state for filing in batch.filings}
    assert states == {
        "a": "judged", "b": "refused", "c": "refused", "d": "refused", "e": "not_processed", "f": "judged",
        "g": "judged", "h": "judged", "i": "refused", "z": "unreadable",
    }  # fmt: skip
    by_name = {filing.name[0]: filing for filing in batch.filings}
    assert [by_name[name].schema_valid for name in "abcdefghiz"] == [
        True, None, None, False, None, True, True, None, None, None,
    ]  # fmt: skip
    assert [by_name[name].well_formed for name in "abcdei"] == [True, False, False, True, True, True]
    assert (by_name["a"].declarations, by_name["a"].persons, by_name["a"].quarter) == (2, 6, 20231)
    assert (by_name["d"].declarations, by_name["d"].persons) == (2, 4)
    assert (by_name["h"].release, by_name["h"].quarter, by_name["g"].release) == (None, 20034, "DmfAOriginal_20221.xsd")
    assert by_name["z"].unreadable == "it can not be read (No such file or directory)"
    files = [good[0], gzip.decompress(good[1]), to_bytes(old)]
    assert differences(files, batch.shredded.tables) == []
    forms = batch.shredded.forms
    assert forms.height == 2 + 2 + 1 + 2 + 1
    assert forms.filter(filing_id=by_name["h"].filing_id)["quarter"].to_list() == [20034]
    kinds = {
        name: batch.anomalies.filter(filing_id=by_name[name].filing_id)["code"].unique().to_list()
        for name in "abcdefghi"
    }
    assert kinds == {
        "a": [], "b": ["empty"], "c": ["not_well_formed"], "d": ["00040-008"], "e": [], "f": [], "g": ["00013-008"],
        "h": ["00013-008"], "i": ["not_dmfa"],
    }  # fmt: skip
    assert dict(batch.anomalies.schema) == ANOMALY_SCHEMA
    (early,) = batch.anomalies.filter(filing_id=by_name["g"].filing_id).iter_rows(named=True)
    assert early["declaration_id"] == declaration_id(by_name["g"].sha256, 0), "only the declaration of the old quarter"
    frame = batch.filing_frame()
    assert (frame.height, dict(frame.schema)) == (9, FILING_TYPES)


def test_same_bytes_twice_are_shredded_once(tmp_path, settings):
    data = filing("20231", seed=1, persons=2)
    batch = read_batch(inbox(tmp_path, a=data, b=data), settings)
    assert differences([data], batch.shredded.tables) == []
    first, second = batch.filings
    assert (first.filing_id, first.state) == (second.filing_id, second.state)
    assert second.name == "b.xml"
    assert second.warnings[-1] == "it is the same, byte for byte, as a.xml"


def test_packing_and_order_change_no_key(tmp_path, settings):
    data = filing("20231", seed=1, persons=2)
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    plain = read_batch(inbox(tmp_path / "one", b=data, a=filing("20231", seed=2, persons=2)), settings)
    packed = read_batch(inbox(tmp_path / "two", x=gzip.compress(data)), settings)
    assert packed.filings[0].filing_id == plain.filings[1].filing_id == filing_id(plain.filings[1].sha256)
    for name, table in packed.shredded.tables.items():
        assert plain.shredded.tables[name].filter(filing_id=packed.filings[0].filing_id).equals(table)


@pytest.mark.parametrize("giant_bytes", [1, 1 << 20])
def test_a_cell_past_64_bits_refuses_its_filing_alone(tmp_path, giant_bytes):
    """Only a release with an integer without bounds can let such a number in."""
    text = (home() / "DmfAOriginal_20231.xsd").read_text(encoding="utf-8")
    schema = etree.fromstring(text.encode())
    xs = "{http://www.w3.org/2001/XMLSchema}"
    restriction = next(kind for kind in schema.iter(f"{xs}simpleType") if kind.get("name") == "NetOwedAmount").find(
        f"{xs}restriction"
    )
    for facet in list(restriction):
        restriction.remove(facet)
    folder = tmp_path / "xsd"
    folder.mkdir()
    (folder / "DmfAOriginal_20261.xsd").write_bytes(etree.tostring(schema))
    root = Maker("20231", 1).filing(persons=2, quarter="20261")
    good = to_bytes(root)
    root.find("Form/EmployerDeclaration/NetOwedAmount").text = "7" * 20
    made = Settings.of(folder)
    settings = replace(made, giant_bytes=giant_bytes)
    batch = read_batch(inbox(tmp_path, a=to_bytes(root), b=good), settings)
    assert [filing.state for filing in batch.filings] == ["refused", "judged"]
    assert batch.anomalies["code"].to_list() == ["unfit"]
    assert "777" not in batch.anomalies["message"][0]
    assert differences([good], batch.shredded.tables) == []
    assert batch.shredded.forms["net_owed_amount"].null_count() == 1


def test_nothing_to_read_gives_empty_tables(settings):
    batch = read_batch([], settings)
    assert (batch.filings, batch.shredded.forms.height, batch.anomalies.height) == ([], 0, 0)
    assert batch.filing_frame().is_empty()


def test_settings_travel_light(settings):
    assert len(pickle.dumps(settings)) < 60_000


def test_batches():
    found = [Found(str(size), home(), size=size) for size in (5, 6, 20, 1, 2, 9)]
    sizes = [[one.size for one in batch] for batch in plan_batches(found, most_bytes=10)]
    assert sizes == [[5], [6], [20], [1, 2], [9]]
    assert plan_batches([]) == []


def test_a_filing_of_two_quarters_is_judged_by_the_newer(tmp_path):
    """Its first quarter's release would let it pass."""
    text = (home() / "DmfAOriginal_20231.xsd").read_text(encoding="utf-8")
    folder = tmp_path / "xsd"
    folder.mkdir()
    stricter = text.replace('<xs:element name="Trusteeship" ', '<xs:element name="Guardian" ')
    (folder / "DmfAOriginal_20261.xsd").write_text(stricter, encoding="utf-8")
    root = Maker("20231", 1).filing(forms=2, persons=1)
    root.findall("Form")[1].find("EmployerDeclaration/Quarter").text = "20261"
    both, other = to_bytes(root), filing("20231", seed=2, persons=2)
    batch = read_batch(inbox(tmp_path, a=other, b=both), Settings.of(folder))
    assert [(one.state, one.quarter, one.declarations, one.persons) for one in batch.filings] == [
        ("judged", 20231, 1, 2),
        ("refused", 20261, 2, 2),
    ]
    assert batch.filings[1].release == "DmfAOriginal_20261.xsd"
    assert differences([other], batch.shredded.tables) == []


@pytest.mark.parametrize(
    "spoil",
    [
        (b"<EmployerDeclaration>", b"<EmployerDeclaration><!-- <Quarter>20222</Quarter> -->"),
        (b"<Quarter>", b"<Quarter >"),
        (b"<Quarter>20231", b"<Quarter>&#50;0231"),
    ],
    ids=["in-a-comment", "spaced-tag", "reference"],
)
def test_a_quarter_that_is_not_where_it_is_looked_for_first(tmp_path, settings, spoil):
    data = filing("20231", seed=1, forms=2, persons=2).replace(*spoil)
    plain = filing("20222", seed=2, persons=3)
    batch = read_batch(inbox(tmp_path, a=data, b=plain), settings)
    assert [(one.state, one.quarter, one.release, one.declarations, one.persons) for one in batch.filings] == [
        ("judged", 20231, "DmfAOriginal_20231.xsd", 2, 4),
        ("judged", 20222, "DmfAOriginal_20222.xsd", 1, 3),
    ]
    # What is odd goes another way, and stands behind the others.
    files = [plain, data] if b"<!--" in data else [data, plain]
    assert differences(files, batch.shredded.tables) == []


def test_a_repetition_has_the_counts_of_the_first(tmp_path, settings):
    data = filing("20231", seed=1, forms=2, persons=3)
    batch = read_batch(inbox(tmp_path, a=data, b=data), settings)
    assert [(one.declarations, one.persons) for one in batch.filings] == [(2, 6), (2, 6)]


def test_one_odd_filing_among_many(tmp_path, settings):
    files = {f"f{seed}": filing("20231", seed=1 + seed % 5, persons=1 + seed) for seed in range(9)}
    files["f4"] = files["f4"].replace(b"<Form>", b"<!-- > --><Form>")
    files["f7"] = files["f7"].replace(b"<Form>", b"<Form><?pi?>")
    batch = read_batch(inbox(tmp_path, **files), settings)
    assert {one.state for one in batch.filings} == {"judged"}
    ordered = [data for name, data in files.items() if name not in ("f4", "f7")] + [files["f4"], files["f7"]]
    assert differences(ordered, batch.shredded.tables) == []
