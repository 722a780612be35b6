"""What is proved valid is valid to libxml2: spoiled documents of every release, rule by rule and at random."""

import random
import re
from functools import cache

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from dmfa.reading.digits import Texts
from dmfa.reading.opener import _first_look
from dmfa.reading.plan import make_plan
from dmfa.reading.prover import find_proved
from dmfa.reading.rules import rule_of
from dmfa.reading.validator import judge, presume, valid_as_presumed
from dmfa.schema import MESSAGE, releases
from dmfa.schema.grammar import grammar
from tests.making import XS, XSD, Maker, _value, to_bytes

RELEASES = [str(release.quarter.code) for release in releases(MESSAGE)]
ZONE = re.compile(rb"<(\w+)>([^<>]*)</\1>")
TAG = re.compile(rb"<(/?)(\w+)>")


@cache
def parsed(release):
    return etree.parse(str(XSD / f"{MESSAGE}_{release}.xsd")).getroot()


@cache
def zones(release):
    """Every type of zone that a release uses, and a schema with an element of each type."""
    root = etree.fromstring(etree.tostring(parsed(release)))
    read = grammar(XSD / f"{MESSAGE}_{release}.xsd", MESSAGE)
    for label in read.zones:
        root.append(root.makeelement(f"{XS}element", {"name": f"Of{label}", "type": label}))
    return read.zones, etree.XMLSchema(root)


def borders(leaf):
    """Texts on both sides of each border that a type of zone has."""
    facets = {name: values[0] for name, values in leaf.facets.items()}
    values = ["", " ", "-0", "-1", "+1", "1.0", "1e1", "0x1", "1_0", "x", "é", "١٢٣", "３", "a\tb", "\ta", "a\n", " a"]
    values += ["2024-02-29", "2023-02-29", "2100-02-29", "2000-02-29", "2026-04-31", "2026-00-01", "2026-13-01"]
    values += ["2026-01-00", "2026-12-31", "0000-01-01", "0999-12-31", "1000-01-01", "9999-12-31", "10000-01-01"]
    values += ["2026-07-01Z", "2026-07-01+01:00", "2026-7-1", "20260701", "2026/07/01", "2026-07-01x", "-2026-07-01"]
    values += ["2026-00", "2026-01", "2026-12", "2026-13", "0000-01", "2026-1", "2026-01Z"]
    values += [
        "23:59:59.999",
        "24:00:00.000",
        "23:60:00.000",
        "23:59:60.000",
        "08:45:00x000",
        "08:45:00.00",
        "8:45:00.000",
    ]
    values += [
        "302",
        "302.",
        "302.1",
        "302.01",
        "302x01",
        "302.01.07",
        "302.01.071",
        "100,00",
        "100.00",
        "BE",
        "BE1",
        "be1",
    ]
    values += ["B1", "BE-1", "BEé", "a", "z", "1a", "a1", "DMFA", "dmfa", "SU", "su"]
    values += [sign * many for sign in "0129" for many in range(1, 20)] + ["1" + "0" * many for many in range(1, 19)]
    numbers = [int(value) for name in ("minInclusive", "maxInclusive") if (value := facets.get(name, "")).isdigit()]
    numbers += [
        10 ** int(facets.get("totalDigits", 0)),
        *(int(one) for one in leaf.facets.get("enumeration", ()) if one.isdigit()),
    ]
    for number in numbers:
        near = [number + by for by in (-1, 0, 1)]
        values += [str(one) for one in near] + [f"{one:0{many}d}" for one in near for many in range(2, 18)]
    for many in {int(facets.get(name, 40)) + by for name in ("length", "minLength", "maxLength") for by in (-1, 0, 1)}:
        values += ["a" * many, "é" * many, "€" * many, "&" * many, " " * many, "a" + " " * (many - 1), "1" * many]
        values += ["a" * (many - 1) + "\n", "a" * (many - 1) + "\t"]
    for one in leaf.facets.get("enumeration", ()):
        values += [one, one + " ", " " + one, one.lower(), one + "0", "0" + one, one[:-1], one + "\n"]
    if leaf.base == "date" and "minInclusive" in facets:
        day = np.datetime64(facets["minInclusive"])
        values += [str(day + by) for by in (-366, -1, 0, 1)]
    return list(dict.fromkeys(values))


def proved_values(leaf, values):
    words = [value.encode().ljust(16, b"\0")[:16] for value in values]
    pairs = np.frombuffer(b"".join(words), "<u8").reshape(-1, 2)
    length = np.array([len(value.encode()) for value in values], np.int64)
    whole = pl.Series([value or None for value in values], dtype=pl.String)
    texts = Texts(pairs[:, 0].copy(), pairs[:, 1].copy(), length, lambda: whole)
    return rule_of(leaf).proves(texts).tolist()


def is_right(schema, element, value):
    element.text = value
    return schema.validate(element)


@pytest.mark.parametrize("release", RELEASES)
def test_every_zone_on_both_sides_of_its_borders(release):
    leaves, schema = zones(release)
    kinds = {kind.get("name"): kind for kind in parsed(release).iter(f"{XS}simpleType")}
    draw = random.Random(release)
    seen = set()
    for label, leaf in leaves.items():
        key = (leaf.base, repr(leaf.facets))
        if key in seen:
            continue
        seen.add(key)
        element = etree.Element(f"Of{label}")
        values = borders(leaf)
        refused = 0
        for value, proved in zip(values, proved_values(leaf, values), strict=True):
            valid = is_right(schema, element, value)
            refused += not valid
            assert valid or not proved, (label, value)
        assert refused
        usual = [value for _ in range(20) if (value := _value(kinds[label], draw)) and is_right(schema, element, value)]
        assert usual
        assert all(proved_values(leaf, usual)), (label, usual)


@cache
def made(release, seed):
    """A valid document of one person: of this seed, or of the next one that owes nobody."""
    for chosen in range(seed, seed + 99):
        try:
            return to_bytes(Maker(release, chosen, many=1).filing(persons=1))
        except AssertionError:
            continue
    raise AssertionError


def proofs(files):
    return [finding.proved for finding in find_proved(files, make_plan())]


def is_valid(data):
    presumed = presume(data)
    quarters = {*re.findall(rb"<Quarter>(.*?)</Quarter>", data)}
    return presumed is not None and valid_as_presumed(presumed, data) and len(quarters) == 1


@cache
def children(release):
    """For each block and label in it, a document with it and where it is; all kinds of children that a release has."""
    found = {}
    for seed in range(1, 150):
        for number, element in enumerate(etree.fromstring(made(release, seed)).iter()):
            parent = element.getparent()
            if parent is not None:
                found.setdefault((parent.tag, element.tag), (seed, number))
    return found


def copies(element, many):
    for _ in range(many):
        element.addnext(etree.fromstring(etree.tostring(element)))


def swapped(element):
    following = element.getnext()
    if following is not None:
        following.addnext(element)


def renamed(element):
    element.tag = "Form" if len(element) else "Quarter"


def beside(element):
    """Out of its block, to stand behind it; a Form stays where it is."""
    if element.tag != "Form":
        element.getparent().addnext(element)


CHANGES = {
    "dropped": lambda element: element.getparent().remove(element),
    "twice": lambda element: copies(element, 1),
    "three times": lambda element: copies(element, 2),
    "a hundred times": lambda element: copies(element, 99),
    "after the next": swapped,
    "first of all": lambda element: element.getparent().insert(0, element),
    "last of all": lambda element: element.getparent().append(element),
    "renamed": renamed,
    "outside": beside,
}


@pytest.mark.parametrize("release", ["20221", "20231"])
def test_every_child_of_every_block(release):
    """Dropped, repeated, moved: what is valid is proved, and nothing else."""
    read = grammar(XSD / f"{MESSAGE}_{release}.xsd", MESSAGE)
    wanted = {(block, place.name) for block, model in read.blocks.items() for place in model.places}
    assert {*children(release)} == wanted
    mutants = []
    for (parent, label), (seed, number) in children(release).items():
        for name, change in CHANGES.items():
            if name in {"three times", "a hundred times"} and label in read.zones:
                continue
            root = etree.fromstring(made(release, seed))
            change(list(root.iter())[number])
            mutants.append(((parent, label, name), to_bytes(root)))
    valid = 0
    for start in range(0, len(mutants), 250):
        part = mutants[start : start + 250]
        for (what, data), proved in zip(part, proofs([data for _, data in part]), strict=True):
            accepted = is_valid(data)
            valid += accepted
            # Whether a block may be without a child is left to libxml2.
            empty = any(f"<{block}/>".encode() in data for block in read.blocks)
            assert proved == (accepted and not empty), what
    assert 0 < valid < len(mutants) / 2


PIECES = [
    b"<",
    b">",
    b"&",
    b"/",
    b" ",
    b"\0",
    b"\x01",
    b"\t",
    b"\n",
    b"\r",
    b"\x1f",
    b"\x7f",
    b"\xc3\xa9",
    b"\xff",
    b"\xc3",
]
PIECES += [
    b"\xed\xa0\x80",
    b"\xef\xbf\xbf",
    b"\xef\xbf\xbe",
    b"\xf4\x90\x80\x80",
    b"\xc0\x80",
    b'"',
    b"0",
    b"-",
    b"+",
    b".",
]
PIECES += [b"&amp;", b"&lt;", b"&#1;", b"&#65;", b"&x;", b"&amp", b"<!-- -->", b"<![CDATA[x]]>", b"]]>", b"<?a b?>"]
PIECES += [
    b'<?xml version="1.0"?>',
    b"</Form>",
    b"<Form>",
    b"<Form/>",
    b"\xc2\x85",
    b"\xe2\x80\xa8",
    b"\xef\xbb\xbf",
    b" a='1'",
]
VALUES = [
    b"",
    b" ",
    b"0",
    b"-1",
    b"+1",
    b"00007",
    b"9" * 16,
    b"9" * 17,
    b"0" * 20,
    b"x",
    b"20231",
    b"20224",
    b"2026-02-30",
]
VALUES += [
    b"2022-07-01Z",
    b" 2022-07-01",
    b"015",
    b"1.5",
    b"a" * 40,
    b"a" * 41,
    b"a" * 201,
    b"&amp;" * 40,
    b"&amp;" * 41,
]
VALUES += [
    "é".encode() * 40,
    "é".encode() * 41,
    "١٢٣".encode(),
    b"a\tb",
    b"a\x0bb",
    b"24:00:00.000",
    b"302.1",
    b"2022-13",
]
HEADS = [
    (b"UTF-8", b"utf-8"),
    (b"UTF-8", b"US-ASCII"),
    (b"UTF-8", b"ISO-8859-1"),
    (b"1.0", b"1.1"),
    (b"<?xml", b" <?xml"),
]
HEADS += [(b"<?xml", b"\xef\xbb\xbf<?xml"), (b'.xsd"', b'.xsd" a="1"'), (b'.xsd"', b'.xsd" xsi:nil="true"')]
HEADS += [
    (b'.xsd"', b'.xsd" xsi:type="Form"'),
    (b"xmlns:xsi", b"xmlns:xs"),
    (b"<?xml", b"<!DOCTYPE a><?xml"),
    (b"<Form>", b"<Form >"),
]
ENDS = [b"x", b" ", b"\r\n", b"<!-- -->", b"<a/>", b"</Form>", b"\0", b"&amp;", b">", b"<"]


def spoil(data, draw):
    """Change some bytes somewhere; it may stay valid."""
    place = draw.randrange(len(data))
    tag, other = draw.choice([*TAG.finditer(data)]), draw.choice([*TAG.finditer(data)])
    zone = draw.choice([*ZONE.finditer(data)])
    letter = tag.start(2) + draw.randrange(len(tag[2]))
    return draw.choice(
        (
            lambda: data[:place] + data[place + 1 :],
            lambda: data[:place] + draw.choice(PIECES) + data[place:],
            lambda: data[:place] + draw.choice(PIECES) + data[place + 1 :],
            lambda: data[:place] + data[place + draw.randrange(60) :],
            lambda: data[:place],
            lambda: data[place:],
            lambda: data[: zone.start(2)] + draw.choice(VALUES) + data[zone.end(2) :],
            lambda: data[: zone.start(2)] + draw.choice(VALUES) + zone[2] + data[zone.end(2) :],
            lambda: data[: zone.end(2)] + draw.choice(PIECES) + data[zone.end(2) :],
            lambda: data[: tag.start(2)] + other[2] + data[tag.end(2) :],
            lambda: data[:letter] + draw.choice((b"x", b"_", b"\xc3\xa9")) + data[letter + 1 :],
            lambda: data[: tag.start()] + data[tag.end() :],
            lambda: data[: tag.end()] + tag[0] + data[tag.end() :],
            lambda: (
                data[: tag.end()]
                + draw.choice((b"x", b" ", b"\r\n\t", b" " * 70, b"\xc2\xa0", b"\x0b"))
                + data[tag.end() :]
            ),
            lambda: (
                data[: zone.start()] + b"<" + other[2] + b">" + zone[2] + b"</" + other[2] + b">" + data[zone.end() :]
            ),
            lambda: data.replace(*draw.choice(HEADS), 1),
            lambda: data.replace(b"\n", b"\r\n"),
            lambda: data + draw.choice(ENDS),
        )
    )()


@settings(max_examples=12, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(release=st.sampled_from(RELEASES), seed=st.integers(1, 30), chance=st.integers(0, 10**9), pretty=st.booleans())
def test_bytes_changed_at_random(release, seed, chance, pretty):
    """Spoiled documents among good ones: what is proved is valid, and a good one is proved whoever stands beside it."""
    draw = random.Random(chance)
    good = to_bytes(etree.fromstring(made(release, seed)), pretty=pretty)
    spoiled = [good]
    for _ in range(60):
        data = good
        for _ in range(draw.choice((1, 1, 2, 3))):
            data = spoil(data, draw) if TAG.search(data) and ZONE.search(data) else good
        spoiled.append(data)
    draw.shuffle(spoiled)
    for data, proved in zip(spoiled, proofs(spoiled), strict=True):
        if proved:
            assert _first_look(data) is None
            assert is_valid(data)
            assert judge(data).schema_valid
    assert proofs([good]) == [True]
