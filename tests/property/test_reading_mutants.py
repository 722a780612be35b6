"""Spoiled declarations and corrections: our verdict is that of two independent XSD engines, with and without a tree."""

import random
from functools import cache

import pytest
import xmlschema
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from dmfa.reading.plan import make_plan
from dmfa.reading.shredder import Document
from dmfa.reading.tokenizer import tokenize_documents as shred
from dmfa.reading.validator import judge
from dmfa.schema import MESSAGES, home
from tests.making import Maker, named, to_bytes
from tests.oracle_xml import differences

RELEASES = ("20221", "20222", "20231", "DmfAUpdate_20221", "DmfAUpdate_20231")
VALUES = (
    "",
    " ",
    "0",
    "-1",
    "+1",
    "00007",
    "999999999999",
    "x",
    "20231",
    "2022-02-30",
    "2022-07-01Z",
    "015",
    "1.5",
    "é" * 99,
)

EXAMPLES = settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


@cache
def second_opinion(release):
    return xmlschema.XMLSchema10(str(home() / f"{named(release)}.xsd"))


def spoil(root, draw):
    """Change one thing somewhere; it may stay valid."""
    elements = list(root.iter())[1:]
    element = draw.choice(elements)
    parent = element.getparent()
    kind = draw.choice(("text", "drop", "repeat", "move", "rename", "attribute", "empty"))
    if kind == "text":
        leaves = [one for one in elements if not len(one)]
        draw.choice(leaves).text = draw.choice(VALUES)
    elif kind == "drop":
        parent.remove(element)
    elif kind == "repeat":
        element.addnext(etree.fromstring(etree.tostring(element)))
    elif kind == "move":
        parent.insert(draw.randrange(len(parent)), element)
    elif kind == "rename":
        element.tag = draw.choice(elements).tag
    elif kind == "attribute":
        element.set("a", "1")
    else:
        for child in list(element):
            element.remove(child)
        element.text = None


@EXAMPLES
@given(release=st.sampled_from(RELEASES), seed=st.integers(1, 50), chance=st.integers(0, 10**9))
def test_three_opinions_agree(release, seed, chance):
    root = Maker(release, seed % 5 + 1, many=1).filing(persons=2)
    draw = random.Random(chance)
    for _ in range(draw.randrange(3)):
        spoil(root, draw)
    data = to_bytes(root)
    judged = judge(data)
    if judged.release is None:
        return
    expected = second_opinion(judged.release.name.removesuffix(".xsd")).is_valid(etree.fromstring(data))
    assert judged.schema_valid == expected
    giant = judge(data, giant_bytes=1)
    assert giant.schema_valid == expected
    # Group by group nothing is missed that the whole tree shows.
    assert {str(fault) for fault in judged.faults} <= {str(fault) for fault in giant.faults}
    assert bool(judged.faults) == (not expected)
    for fault in judged.faults:
        assert fault.code
        assert fault.line >= 1
    if expected and judged.outline.quarters != [None]:
        plan = make_plan(None, MESSAGES[judged.release.message])
        tables = shred([Document(1, "0" * 64, data, judged.root)], plan).tables
        assert differences([data], tables) == []


@pytest.mark.parametrize("release", RELEASES)
def test_made_declarations_are_valid_to_both(release):
    for seed in (1, 2, 3):
        data = to_bytes(Maker(release, seed).filing(forms=2, persons=3))
        assert second_opinion(release).is_valid(etree.fromstring(data))
        assert judge(data).schema_valid


@EXAMPLES
@given(
    seeds=st.lists(st.integers(1, 6), min_size=1, max_size=4, unique=True),
    giants=st.lists(st.booleans(), min_size=4, max_size=4),
)
def test_batching_and_size_change_no_cell(seeds, giants):
    files = [to_bytes(Maker("20231", seed, many=1).filing(forms=2, persons=2)) for seed in seeds]
    documents = [
        Document(number, f"{number:064x}", data, None if giant else judge(data).root)
        for number, (data, giant) in enumerate(zip(files, giants, strict=False), start=1)
    ]
    together = shred(documents, make_plan())
    assert differences(files, together.tables) == []
    for document in documents:
        alone = shred([document], make_plan())
        for name, table in alone.tables.items():
            assert together.tables[name].filter(filing_id=document.filing_id).equals(table)
