"""Pitfalls found by measurement, each held by a test; docs/reading.md lists them with the test that holds them."""

import re
from io import BytesIO
from pathlib import Path

import pytest
from lxml import etree

from dmfa.reading import validator
from dmfa.reading.parsing import OPTIONS
from dmfa.reading.validator import judge
from dmfa.schema import newest
from tests.making import filing

ROOT = Path(__file__).parents[3]
GOOD = filing("20231", seed=1, persons=3)
BAD = re.sub(rb"<Border>\d</Border>", b"<Border>x</Border>", GOOD)


class Nothing:
    def close(self):
        return None


def compiled():
    return etree.XMLSchema(etree.parse(str(newest("DmfAOriginal").path)))


def test_fed_piece_by_piece_the_parser_without_a_tree_validates_nothing():
    """Pitfall 1: its error log stays empty then, so that no verdict may ever rest on it."""
    parser = etree.XMLParser(schema=compiled(), target=Nothing(), **OPTIONS)
    parser.feed(BAD)
    parser.close()
    assert len(parser.error_log) == 0
    assert judge(BAD, giant_bytes=1).schema_valid is False


def test_a_stream_yields_everything_before_it_tells_that_it_is_invalid():
    """Pitfall 2: rows taken from a validating stream would be those of an invalid file, and its errors have no line."""
    seen = []
    events = etree.iterparse(BytesIO(BAD), schema=compiled(), events=("end",), tag="NaturalPerson")
    with pytest.raises(etree.XMLSyntaxError) as caught:
        seen.extend(element.tag for _, element in events)
    assert len(seen) == 3
    assert caught.value.lineno in (0, None)
    assert all(fault.line > 0 for fault in judge(BAD, giant_bytes=1).faults)


def test_a_date_with_a_time_zone_is_refused():
    """Pitfall 3: a date as XML Schema has it may end in Z; the pattern of the zone forbids it."""
    data = re.sub(rb"(<NOSSQuarterStartingDate>[\d-]+)<", rb"\1Z<", GOOD)
    assert data != GOOD
    assert judge(data).schema_valid is False


def test_a_schema_is_compiled_once(monkeypatch):
    """Pitfall 4: compiling takes longer than judging a filing."""
    made = []
    real = etree.XMLSchema
    monkeypatch.setattr(validator.etree, "XMLSchema", lambda tree: made.append(1) or real(tree))
    validator._compiled.cache_clear()
    assert [judge(data).schema_valid for data in (GOOD, BAD, GOOD)] == [True, False, True]
    assert len(made) == 1
    validator._compiled.cache_clear()


def test_one_verdict_leaves_no_trace_in_the_next():
    """Pitfall 7: a compiled schema keeps the errors of its last document."""
    first = judge(BAD).faults
    assert judge(GOOD).faults == []
    assert judge(BAD).faults == first
    assert judge(GOOD, giant_bytes=1).schema_valid is True


def test_every_pitfall_names_a_test_that_is_there():
    page = (ROOT / "docs" / "reading.md").read_text(encoding="utf-8")
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", page)
    assert len(named) >= 14
    for path, test in named:
        assert re.search(rf"^def {test}\(", (ROOT / path).read_text(encoding="utf-8"), re.MULTILINE), (path, test)
