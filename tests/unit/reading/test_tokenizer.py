"""The fast shredder equals the walk, cell by cell, on every block and on every oddity of XML."""

from __future__ import annotations

import dataclasses
import hashlib
import random

import pytest
from polars.testing import assert_frame_equal

from dmfa.reading import tokenizer
from dmfa.reading.keys import filing_id
from dmfa.reading.parsing import parse_tree
from dmfa.reading.plan import make_plan
from dmfa.reading.shredder import Document, Shredded
from dmfa.reading.tokenizer import tokenize_documents
from dmfa.reading.validator import judge
from dmfa.reading.walk import walk_documents
from tests.making import filing
from tests.unit.reading.test_shredder import RELEASES, odd

PLAN = make_plan()


def document(data: bytes, *, giant: bool = False) -> Document:
    digest = hashlib.sha256(data).hexdigest()
    return Document(filing_id(digest), digest, data, None if giant else parse_tree(data))


def assert_same(one: Shredded, other: Shredded) -> None:
    assert one.tables.keys() == other.tables.keys()
    for name, table in one.tables.items():
        keys = ["declaration_id", *(column for column in table.columns if column.endswith("_ordinal"))]
        assert_frame_equal(table.sort(keys), other.tables[name].sort(keys))
        # Within a declaration, rows stand in document order.
        own = keys[-1]
        for _, rows in other.tables[name].group_by("declaration_id"):
            assert own == "declaration_id" or rows[own].is_sorted()
    assert_frame_equal(one.forms.sort("declaration_id"), other.forms.sort("declaration_id"))


def both(*files: bytes, giant: bool = False) -> None:
    documents = [document(data, giant=giant) for data in files]
    assert_same(walk_documents(documents, PLAN), tokenize_documents(documents, PLAN))


def only_tokens(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nothing go to the walk unseen."""

    def refuse(*_: object) -> Shredded:
        raise AssertionError("the walk was asked")

    monkeypatch.setattr(tokenizer, "walk_documents", refuse)


@pytest.mark.parametrize("release", RELEASES)
def test_every_block_of_every_release(release: str, monkeypatch: pytest.MonkeyPatch) -> None:
    files = [filing(release, seed=seed, forms=3, persons=8) for seed in (3, 4, 5)]
    expected = walk_documents([document(data) for data in files], PLAN)
    only_tokens(monkeypatch)
    found = tokenize_documents([document(data) for data in files], PLAN)
    assert_same(expected, found)
    empty = {name for name, table in found.tables.items() if table.is_empty()}
    assert empty == (set() if release == "20231" else {"using_employer", "address", "employer_compensation"})


@pytest.mark.parametrize("piece", [1, 700, 5_000, 10**9])
def test_a_giant_in_segments_of_any_size(piece: int, monkeypatch: pytest.MonkeyPatch) -> None:
    data = filing("20231", seed=6, forms=3, persons=12)
    expected = walk_documents([document(data)], PLAN)
    monkeypatch.setattr(tokenizer, "SEGMENT_BYTES", piece)
    only_tokens(monkeypatch)
    assert_same(expected, tokenize_documents([document(data, giant=True)], PLAN))


def test_giants_and_others_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokenizer, "SEGMENT_BYTES", 20_000)
    both(*(filing("20231", seed=seed, forms=1 + seed % 2, persons=1 + 7 * (seed % 4)) for seed in range(8)))


def test_no_document() -> None:
    both()


PRETTY = filing(
    "20231",
    seed=7,
    forms=2,
    persons=3,
)
REFERENCES = PRETTY.replace(b"<TypeForm>SU", b"<TypeForm>&#83;&#x55;").replace(b"<Border>0", b"<Border>&#48;")


@pytest.mark.parametrize(
    "data",
    [
        odd(),
        odd("ISO-8859-1"),
        b"\xef\xbb\xbf" + odd(),
        odd().decode().replace("UTF-8", "UTF-16").encode("utf-16"),
        PRETTY.replace(b"\n", b"\r\n"),
        b"\xef\xbb\xbf" + PRETTY,
        REFERENCES,
        PRETTY.replace(b"<Form>", b"<Form >").replace(b"</Form>", b"</Form\n>"),
        PRETTY.replace(b"<NaturalPerson>", b"<NaturalPerson >"),
        PRETTY.replace(b"<Form>", b"<?pi with > in it?><Form>"),
        PRETTY.replace(b"<Form>", b"<!-- <Form> --><Form>"),
        PRETTY.replace(b"DmfAOriginal_20231.xsd", b"a>b/DmfAOriginal_20231.xsd"),
        PRETTY.split(b"?>", 1)[1].strip(),
    ],
    ids=[
        "odd", "iso-8859-1", "bom-odd", "utf-16", "crlf", "bom", "references", "spaces-in-tags", "spaced-persons", "pi",
        "comment", "angle-in-attribute", "no-declaration",
    ],
)  # fmt: skip
@pytest.mark.parametrize("giant", [False, True])
def test_oddities_of_xml(data: bytes, giant: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    judged = judge(data)
    assert (judged.schema_valid, judged.faults) == (True, [])
    if giant:
        monkeypatch.setattr(tokenizer, "SEGMENT_BYTES", 300)
    both(data, giant=giant)
    both(PRETTY, data, filing("20231", seed=8))


TEXTS = (
    "a > b",
    "a &gt; b",
    "&lt;b&gt;",
    "line\nbreak",
    "tab\tbed",
    "ü€𝄞",
    "&quot;&apos;",
    "<![CDATA[x]]>",
    "  padded  ",
    "a&#10;b",
)


def test_texts_of_every_kind() -> None:
    draw = random.Random(1)
    for text in TEXTS:
        data = filing("20231", seed=9, forms=1, persons=4)
        marks = [b"<UsingEmployerName>", b"<City>", b"<NaturalPersonUserReference>"]
        for mark in marks:
            start = data.find(mark)
            if start >= 0:
                end = data.find(b"<", start + len(mark))
                data = data[: start + len(mark)] + text.encode() + data[end:]
        assert data.count(text.encode()) >= 1, text
        assert judge(data).schema_valid, text
        both(data, filing("20231", seed=draw.randrange(99)))


def test_what_no_release_knows_goes_to_the_walk(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr(
        tokenizer, "walk_documents", lambda documents, plan: asked.append(1) or walk_documents(documents, plan)
    )
    good, spoiled = filing("20231", seed=1), PRETTY.replace(b"<Form>", b"<?pi?><Form>")
    tokenize_documents([document(good), document(spoiled)], PLAN)
    assert asked == [1]


def test_a_release_with_zones_behind_blocks_goes_to_the_walk(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr(
        tokenizer, "walk_documents", lambda documents, plan: asked.append(1) or walk_documents(documents, plan)
    )
    other = dataclasses.replace(PLAN, leaves_first=False)
    one = document(filing("20231", seed=1))
    assert_same(walk_documents([one], other), tokenize_documents([one], other))
    assert asked == [1]
