"""Start tags and texts found in a buffer: the same as a plain reading finds, whatever their length and place."""

import random
import re
import string

import numpy as np
import pytest

from dmfa.reading import tags as tags_module
from dmfa.reading import texts as texts_module
from dmfa.reading.plan import make_plan
from dmfa.reading.tags import IGNORED, Labels
from dmfa.reading.texts import Odd, referring_texts, resolved, texts, views
from dmfa.reading.vocabulary import vocabulary
from dmfa.reading.words import BACK, FRONT, first_bytes, last_bytes, words_of
from tests.making import filing

LABELS = ("A", "Ab", "Abcdefg", "Abcdefgh", "Abcdefghi", "Abcdefgh01234567", "Abcdefgh-middle-01234567", "Zone", "Form")


def unknown(tag):
    raise AssertionError(tag)


def found(xml, other=unknown):
    buffer = FRONT + xml + BACK
    tags = Labels(LABELS).find(buffer, other)
    read = texts(buffer, views(buffer, tags.start, tags.length)).to_list()
    return list(zip(tags.label.tolist(), read, strict=True))


@pytest.mark.parametrize("piece", [1, 50, 1 << 20])
def test_labels_and_texts_of_any_length(piece, monkeypatch):
    """Also of texts longer than a piece of what is looked at together."""
    monkeypatch.setattr(tags_module, "_PIECE", piece)
    monkeypatch.setattr(texts_module, "_AT_ONCE", 1 + piece % 7)
    draw = random.Random(4)
    told = []
    for _ in range(500):
        label = draw.randrange(len(LABELS))
        told.append((label, "".join(draw.choices(string.ascii_letters + "é€𝄞 .", k=draw.randrange(40)))))
    xml = "".join(f"<{LABELS[label]}>{text}</{LABELS[label]}>" for label, text in told)
    assert found(xml.encode()) == [(label, text or None) for label, text in told]


def test_white_space_and_empty_elements():
    xml = b"<A ><Zone/>\n <Zone />\n <Form\n\t/> <Ab>x</Ab></A>"
    # Behind a container stands the white space up to what it holds.
    assert found(xml) == [(0, None), (7, None), (7, None), (8, None), (1, "x")]


def test_a_tag_that_is_no_label_is_asked_for():
    asked = []

    def other(tag):
        asked.append(tag)
        return IGNORED if tag.startswith("?xml") else 8

    xml = b"<?xml version='1.0'?>\n<Form a='b'><Abcdefgx>1</Abcdefgx></Form>"
    assert found(xml, other) == [(8, None), (8, "1")]
    assert asked == ["?xml version='1.0'?", "Form a='b'", "Abcdefgx"]


@pytest.mark.parametrize(
    "xml", [b"<A>1 > 0</A>", b"<A><!-- <Zone> --></A>", b"<A><![CDATA[<Zone>]]></A>", b"<Form a='>'></Form>"]
)
def test_marks_that_are_no_tags_are_odd(xml):
    with pytest.raises(Odd):
        found(xml, lambda tag: 0)


def test_labels_that_look_alike_are_refused():
    with pytest.raises(ValueError, match="look alike"):
        Labels(("Abcdefgh-one-01234567", "Abcdefgh-two-01234567"))


def test_every_label_of_the_declaration_is_recognised():
    words = vocabulary(make_plan())
    labels = [*words.blocks, *dict.fromkeys(cell.label for _, cell in words.cells)]
    buffer = FRONT + "".join(f"<{label}></{label}>" for label in labels).encode() + BACK
    known = dict(zip(labels, words.labels.find(buffer, unknown).label.tolist(), strict=True))
    assert sorted(known.values()) == list(range(len(labels)))
    assert [known[label] for label in words.blocks] == list(range(len(words.blocks)))
    for (block, cell), slot in zip(words.cells, range(len(words.cells)), strict=True):
        assert words.slots[known[block], known[cell.label] - len(words.blocks)] == slot


def test_tags_of_a_declaration():
    data = filing("20231", seed=5, forms=2, persons=3)
    words = vocabulary(make_plan())
    tags = words.labels.find(FRONT + data + BACK, words.other)
    plain = re.findall(rb"<(\w+)", data)
    assert len(tags.label) == len(plain)
    assert [at for at in tags.label.tolist() if at < len(words.blocks)] == [
        words.number[tag.decode()] for tag in plain if tag.decode() in words.number
    ]


def test_words_from_any_place():
    text = bytes(range(65, 91))
    words = words_of(FRONT + text + BACK)
    for place in range(len(text)):
        for many in range(1, 9):
            at, number = np.array([place + len(FRONT)]), np.array([many])
            part = text[place : place + many]
            if len(part) == many:
                assert first_bytes(words, at, number)[0] == int.from_bytes(part, "little")
                assert last_bytes(words, at + many, number)[0] == int.from_bytes(part, "little")


def test_references():
    xml = b"<Zone>a &amp; b</Zone>&<Zone>plain</Zone><Zone>&#8364;&#x41;&lt;</Zone><Zone></Zone>"
    buffer = FRONT + xml + BACK
    tags = Labels(LABELS).find(buffer, unknown)
    referring = referring_texts(buffer, tags.start, tags.length)
    assert referring.tolist() == [True, False, True, False]
    declared = texts(buffer, views(buffer, tags.start, tags.length))
    assert resolved(declared, referring).to_list() == ["a & b", "plain", "€A<", None]
    assert declared[0] == "a &amp; b"


def test_a_reference_that_xml_does_not_know_is_odd():
    buffer = FRONT + b"<Zone>&own;</Zone>" + BACK
    tags = Labels(LABELS).find(buffer, unknown)
    with pytest.raises(Odd):
        resolved(
            texts(buffer, views(buffer, tags.start, tags.length)),
            referring_texts(buffer, tags.start, tags.length),
        )
