"""Giants: judged and explained group by group, within bounded memory."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from lxml import etree

from dmfa.reading import giants, tokenizer
from dmfa.reading.batch import Settings, read_batch
from dmfa.reading.opener import Refusal
from dmfa.reading.plan import make_plan
from dmfa.reading.shredder import Document
from dmfa.reading.source import Found
from dmfa.reading.tokenizer import tokenize_documents
from dmfa.reading.validator import judge, outline_of_giant
from dmfa.reading.walk import walk_documents
from tests.making import Maker, filing, to_bytes

TOP = "Form/EmployerDeclaration"


def spoiled(**how):
    """Three Forms with a fault in each, in the head, in persons and behind them."""
    root = Maker("20231", 3).filing(**{"forms": 3, "persons": 5, **how})
    forms = root.findall("Form")
    forms[0].find("EmployerDeclaration/Trusteeship").text = "7"
    for person in (1, 4):
        forms[1].findall("EmployerDeclaration/NaturalPerson")[person].find("INSS").text = "1"
    etree.SubElement(forms[2].find("EmployerDeclaration"), "Unknown")
    etree.SubElement(root, "Form")
    return root


@pytest.mark.parametrize("group", [1, 2, 3, 7, 1_000])
def test_faults_are_those_of_the_whole_tree(monkeypatch, group):
    monkeypatch.setattr(giants, "GROUP", group)
    data = to_bytes(spoiled(), pretty=True)
    expected, got = judge(data).faults, judge(data, giant_bytes=1).faults
    assert len(expected) >= 5
    assert sorted(got, key=str) == sorted(expected, key=str)
    assert [fault.line for fault in got] == sorted(fault.line for fault in got)


@pytest.mark.parametrize("group", [1, 1_000])
def test_persons_between_other_blocks(monkeypatch, group):
    """A run of persons that is broken by what may not stand there keeps the places of both."""
    monkeypatch.setattr(giants, "GROUP", group)
    root = Maker("20231", 3).filing(persons=6)
    people = root.findall(f"{TOP}/NaturalPerson")
    people[1].addnext(etree.Element("Unknown"))
    people[3].addnext(etree.Element("Unknown"))
    people[5].find("INSS").text = "1"
    data = to_bytes(root, pretty=True)
    places = {(fault.path, fault.line) for fault in judge(data, giant_bytes=1).faults}
    assert {(fault.path, fault.line) for fault in judge(data).faults} <= places
    tree = etree.fromstring(data)
    for path, line in places:
        (element,) = tree.xpath(path)
        assert element.sourceline == line


def test_no_person_at_all():
    root = Maker("20231", 3).filing(persons=1)
    root.find(TOP).remove(root.find(f"{TOP}/NaturalPerson"))
    root.find(f"{TOP}/Trusteeship").text = "7"
    data = to_bytes(root)
    assert "00012-008" in {fault.code for fault in judge(data, giant_bytes=1).faults}


def test_a_person_inside_a_person_is_not_lost():
    root = Maker("20231", 3).filing(persons=3)
    first, second, _ = root.findall(f"{TOP}/NaturalPerson")
    first.append(second)
    data = to_bytes(root)
    assert [fault.code for fault in judge(data, giant_bytes=1).faults] == [fault.code for fault in judge(data).faults]


def test_what_is_too_long_without_an_end_is_refused():
    data = filing("20231", seed=1, persons=3).replace(b"<City>", b"<City>" + b" " * (5 << 20))
    if data.count(b" " * 100) == 0:
        data = data.replace(b"<INSS>", b"<INSS>" + b" " * (5 << 20), 1)
    got = outline_of_giant(data, most_uncut=2 << 20)
    assert isinstance(got, Refusal)
    assert got.kind == "too_large"
    assert not isinstance(outline_of_giant(data, most_uncut=64 << 20), Refusal)


@pytest.mark.parametrize(("kind", "persons"), [("DmfAUpdate", 3), ("DMFAPPLUpdate", 0)])
def test_a_giant_correction_is_not_refused_for_its_size(kind, persons):
    data = filing("DmfAUpdate_20231", seed=1, persons=3).replace(b"DmfAUpdate", kind.encode())
    got = outline_of_giant(data, most_uncut=1)
    assert (got.kind, got.persons) == (kind, persons)


def test_persons_that_no_cut_finds_go_to_the_walk(monkeypatch):
    monkeypatch.setattr(tokenizer, "_LONGEST_PIECE", 2_000)
    monkeypatch.setattr(tokenizer, "SEGMENT_BYTES", 500)
    asked = []
    walk = tokenizer.walk_documents
    monkeypatch.setattr(tokenizer, "walk_documents", lambda *told: asked.append(1) or walk(*told))
    data = filing("20231", seed=1, persons=9).replace(b"<NaturalPerson>", b"<NaturalPerson >")
    document = Document(1, "ab" * 32, data)
    got, expected = tokenize_documents([document], make_plan()), walk_documents([document], make_plan())
    assert asked == [1]
    for name, table in expected.tables.items():
        assert table.equals(got.tables[name]), name


def test_an_encoding_behind_much_white_space_is_seen():
    data = filing("20231", seed=1, persons=1)
    named = b'<?xml version="1.0"' + b" " * 400 + b'encoding="ISO-8859-1"?>'
    text = data.split(b"?>", 1)[1].decode().replace("<TypeForm>SU", "<TypeForm>SU")
    data = named + text.encode("latin-1", "xmlcharrefreplace")
    assert judge(data).schema_valid
    assert not tokenizer.is_plain(data)


MEMORY = """
import resource, sys
from pathlib import Path
from dmfa.reading.batch import Settings, read_batch
from dmfa.reading.source import Found
settings = Settings.of()
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
path = Path(sys.argv[1])
batch = read_batch([Found("x", path, size=path.stat().st_size)], settings)
grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
print(batch.filings[0].state, grown >> 10, batch.anomalies.height)
"""


@pytest.mark.parametrize("valid", [True, False])
def test_memory_of_a_giant(tmp_path, valid):
    """A tree of it would take 250 MB beside its bytes; it is read in less, valid or not."""
    data = filing("20231", seed=1, persons=20)
    start, end = data.index(b"<NaturalPerson>"), data.rindex(b"</NaturalPerson>") + len(b"</NaturalPerson>")
    persons = data[start:end]
    last = persons if valid else persons.replace(b"<INSS>", b"<INSS>x", 1)
    path = tmp_path / "giant.xml"
    path.write_bytes(data[:start] + persons * ((48 << 20) // len(persons)) + last + data[end:])
    done = subprocess.run(
        [sys.executable, "-c", MEMORY, str(path)],
        env={"PYTHONPATH": str(Path(__file__).parents[3]), "POLARS_MAX_THREADS": "1"},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    state, grown, many = done.stdout.split()
    assert (state, many) == (("judged", "0") if valid else ("refused", "1"))
    assert int(grown) < 48 + 200, "megabytes"


def test_a_line_past_65535(tmp_path):
    """libxml2 counts lines of a node in sixteen bits; the place must not stop there."""
    data = filing("20231", seed=1, persons=2).replace(b"<INSS>", b"\n" * 40_000 + b"<INSS>")
    data = data[::-1].replace(b"<INSS>"[::-1], b"<INSS>x"[::-1], 1)[::-1]
    path = tmp_path / "x.xml"
    path.write_bytes(data)
    found = Found("x.xml", path, size=len(data))
    made = Settings.of()
    for giant_bytes in (1, 1 << 30):
        batch = read_batch([found], replace(made, giant_bytes=giant_bytes))
        line = batch.anomalies["line"][0]
        assert line > 65_535
        assert b"<INSS>x" in data.split(b"\n")[line - 1]
