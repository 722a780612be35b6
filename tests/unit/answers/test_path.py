"""The keys that lead to an anomaly, against those read from the XML itself by walking up."""

from __future__ import annotations

import random
from pathlib import Path

import polars as pl
import pytest
from lxml import etree

from dmfa.answers.path import paths
from dmfa.answers.zones import NOTIFICATION, zones_of
from dmfa.reading.batch import Settings, read_batch
from dmfa.reading.keys import declaration_id
from dmfa.reading.source import find_filings
from tests.making import Maker, to_bytes
from tests.unit.answers.probing import allowed

TOP = "EmployerDeclaration"
LABELS = zones_of(NOTIFICATION, "Path")


def keys_above(block: etree._Element) -> dict[str, str]:
    """Zones of the block and all around it that Path knows; the innermost wins."""
    found: dict[str, str] = {}
    above = [block, *block.iterancestors()]
    for element in reversed(above[: [one.tag for one in above].index(TOP) + 1]):
        found.update({zone.tag: zone.text for zone in element if zone.tag in LABELS and not len(zone) and zone.text})
    return found


def read(keys: str) -> list[tuple[str, str]]:
    """The zones of a Path as they are written."""
    return [(zone.tag, zone.text) for zone in etree.fromstring(f"<Path>{keys}</Path>")]


def same(zone: str, one: str, other: str) -> bool:
    return int(one) == int(other) if one.isdecimal() and other.isdecimal() else one.strip() == other.strip()


@pytest.mark.parametrize("seed", range(3))
def test_each_block_has_the_keys_of_all_around_it(seed: int, tmp_path: Path) -> None:
    root = Maker("20231", seed).filing(forms=2, persons=6)
    (tmp_path / "a.xml").write_bytes(to_bytes(root))
    settings = Settings.of()
    batch = read_batch(find_filings([tmp_path], tmp_path).filings, settings)
    digest = batch.filings[0].sha256 or ""
    places, blocks = [], []
    for index, top in enumerate(root.iter(TOP)):
        for block in top.iter():
            if len(block):
                same_kind = list(top.iter(block.tag))
                places.append((declaration_id(digest, index), block.tag, same_kind.index(block)))
                blocks.append(block)
    chosen = random.Random(seed).sample(range(len(places)), 200)
    frame = pl.DataFrame(
        [places[number] for number in chosen],
        schema={"declaration_id": pl.Int64, "block": pl.String, "block_ordinal": pl.Int32},
        orient="row",
    )
    seen: set[str] = set()
    for number, keys in zip(chosen, paths(frame, batch.shredded.tables, settings.plan), strict=True):
        found, expected = dict(read(keys)), keys_above(blocks[number])
        assert [label for label in LABELS if label in found] == [label for label, _ in read(keys)]
        for label, text in found.items():
            assert allowed(NOTIFICATION, label, text)
            assert same(label, text, expected.pop(label))
        # What is left may not stand in an answer: the declaration allows more there.
        assert not [label for label, text in expected.items() if allowed(NOTIFICATION, label, text)]
        seen |= found.keys()
    assert {"Quarter", "INSS", "WorkerCode", "OccupationSequenceNbr", "ServiceCode", "ContributionType"} <= seen


def test_a_block_of_a_correction_has_the_keys_of_what_it_declares(tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_bytes(to_bytes(Maker("20231", 3).filing(persons=3)))
    settings = Settings.of()
    tables = read_batch(find_filings([tmp_path], tmp_path).filings, settings).shredded.tables
    key = tables["employer_declaration"]["declaration_id"][0]
    labels = {table.name: table.label for table in settings.plan.tables}
    pairs = [
        ("NaturalPersonUpdate", labels["natural_person"]),
        ("WorkerRecordUpdate", labels["worker_record"]),
        ("WorkerRecordUpdateAction", labels["worker_record"]),
        ("OccupationUpdate", labels["occupation"]),
        ("CUNPUpdateAction", labels["contribution_unrelated_to_np"]),
    ]
    for pair in pairs:
        frame = pl.DataFrame({"declaration_id": [key] * 2, "block": pair, "block_ordinal": [0, 0]})
        correction, original = paths(frame, tables, settings.plan)
        assert correction == original
        assert len(read(correction)) > 3


def test_what_is_not_in_the_tables_has_no_keys(tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_bytes(to_bytes(Maker("20231", 1).filing(persons=1)))
    settings = Settings.of()
    batch = read_batch(find_filings([tmp_path], tmp_path).filings, settings)
    known = batch.shredded.forms["declaration_id"][0]
    schema = {"declaration_id": pl.Int64, "block": pl.String, "block_ordinal": pl.Int32}
    rows = [(1, "NaturalPerson", 0), (None, None, None), (known, None, None), (known, "Service", 9_999)]
    found = paths(pl.DataFrame(rows, schema=schema, orient="row"), batch.shredded.tables, settings.plan)
    assert found[0] == found[1] == ""
    assert found[2] == found[3]
    assert [label for label, _ in read(found[2])][:2] == ["Quarter", "NOSSRegistrationNbr"]
