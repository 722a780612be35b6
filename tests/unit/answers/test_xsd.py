"""The XSDs of the answers: what the facts make, no more and no less."""

from __future__ import annotations

import csv
import runpy
from pathlib import Path

import pytest
from lxml import etree

from dmfa.answers.zones import ACCOUNT, ACRF, CHANGES, IDENTIFICATION, NOTIFICATION, REPLACEMENT, kinds
from dmfa.schema import home
from tests.unit.answers.probing import XS, schema

FACTS = Path("tools/xsd/facts")
ANSWERS = (ACRF, NOTIFICATION, IDENTIFICATION, CHANGES, ACCOUNT, REPLACEMENT)


def facts(message: str, name: str) -> list[dict[str, str]]:
    with (FACTS / message / name).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("name", ANSWERS)
def test_the_xsd_is_the_one_that_the_facts_make(name: str, tmp_path: Path) -> None:
    runpy.run_path("tools/xsd/write.py")["main"](tmp_path)
    assert (tmp_path / name).read_bytes() == (home() / name).read_bytes()
    schema(name)


@pytest.mark.parametrize("name", ANSWERS)
def test_every_block_has_its_children_and_every_zone_its_facets(name: str) -> None:
    message = name.partition("_")[0]
    root = etree.parse(str(home() / name)).getroot()
    expected: dict[str, list[str]] = {}
    for row in facts(message, "blocks.csv"):
        expected.setdefault(row["block"], []).append(row["child"])
    found = {
        kind.get("name"): [element.get("name") for element in kind.iter(f"{{{XS}}}element")]
        for kind in root.iterfind(f"{{{XS}}}complexType")
    }
    assert found == expected
    zones = {row["zone"]: row for row in facts(message, "zones.csv")}
    assert kinds(name).keys() == zones.keys()
    for label, kind in kinds(name).items():
        row = zones[label]
        limits = (kind.lowest, kind.highest, kind.digits)
        assert [limit if limit is None else str(limit) for limit in limits] == [
            str(int(row[fact])) if row[fact].isdecimal() else None
            for fact in ("min_inclusive", "max_inclusive", "total_digits")
        ]
        assert "|".join(sorted(kind.values)) == "|".join(sorted(filter(None, row["enumeration"].split("|"))))
