"""The verdict on a batch: classes, and the setting that counts those of class P."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from dmfa.reading.batch import Settings as Reading
from dmfa.reading.batch import read_batch
from dmfa.reading.source import Found
from dmfa.schema import lake_tables
from flows.settings import Settings
from flows.stages.judging import Judgement, judge_batch
from tests.correcting import CHANGE, DELETE, Correction
from tests.correcting import zone as edited
from tests.making import to_bytes
from tests.spoiling import valid, zone

SETTINGS = Settings.gather({})


def judged(folder: Path, **settings: object) -> Judgement:
    """A declaration with one anomaly of class P: the frequency of a bonus beside a pay that is none."""
    root = valid()
    zone("NaturalPerson/WorkerRecord/Occupation/Remun", BonusPaymentFrequency="12")(root)
    path = folder / "one.xml"
    path.write_bytes(to_bytes(root))
    batch = read_batch([Found(path.name, path)], Reading.of())
    blocks = {table.name: table.block.name for table in lake_tables()}
    chosen = replace(SETTINGS, **settings)  # type: ignore[arg-type]
    return judge_batch(batch, chosen, blocks, date(2022, 11, 22))


@pytest.mark.parametrize(("threshold", "verdict"), [(None, "accepted"), (99, "accepted"), (0, "refused")])
def test_anomalies_of_class_p_refuse_only_beyond_the_threshold(
    tmp_path: Path, threshold: int | None, verdict: str
) -> None:
    found = judged(tmp_path, p_threshold=threshold)
    assert set(found.anomalies["severity"]) == {"P"}
    assert found.filings["verdict"].to_list() == [verdict]
    assert found.accepted["employer_declaration"].height == (verdict == "accepted")
    assert len(found.counted_out) == (verdict == "refused")


def test_the_validators_checks_alone_find_nothing_in_it(tmp_path: Path) -> None:
    found = judged(tmp_path, checks="validator", p_threshold=0)
    assert found.anomalies.is_empty()
    assert found.filings["verdict"].to_list() == ["accepted"]


def corrected(folder: Path, *corrections: Correction, **settings: object) -> Judgement:
    """Corrections beside the original of another employer, in one batch."""
    root = valid("services")
    (folder / "a.xml").write_bytes(to_bytes(root))
    for place, correction in enumerate(corrections):
        (folder / f"b{place}.xml").write_bytes(correction.data(date(2022, 11, place + 1)))
    batch = read_batch([Found(path.name, path) for path in sorted(folder.iterdir())], Reading.of())
    blocks = {table.name: table.block.name for table in lake_tables()}
    return judge_batch(batch, replace(SETTINGS, **settings), blocks, date(2022, 11, 22))  # type: ignore[arg-type]


def test_corrections_are_judged_beside_originals(tmp_path: Path) -> None:
    good = Correction(to_bytes(valid())).line(0, 0, CHANGE).line(1, 0, DELETE)
    bad = Correction(to_bytes(valid())).line(0, 0, CHANGE, edited("LocalUnitID", "2000000100"))
    found = corrected(tmp_path, good)
    assert found.filings["verdict"].to_list() == ["accepted", "accepted"]
    assert found.corrections.asked["action"].drop_nulls().to_list() == [1, 0]
    assert found.forms.height == 2
    assert found.forms["refused"].to_list() == [False, False]
    # The tables of originals know nothing of it.
    assert found.accepted["employer_declaration"].height == 1
    with_bad = corrected(tmp_path, bad)
    assert with_bad.filings["verdict"].to_list() == ["accepted", "refused"]
    assert with_bad.corrections.asked.is_empty()


@pytest.mark.parametrize(("threshold", "verdict"), [(None, "accepted"), (99, "accepted"), (0, "refused")])
def test_p_anomalies_of_a_correction_are_counted_against_its_own_contributions(
    tmp_path: Path, threshold: int | None, verdict: str
) -> None:
    root = valid()
    zone("NaturalPerson/WorkerRecord/Occupation/Remun", BonusPaymentFrequency="12")(root)
    found = corrected(tmp_path, Correction(to_bytes(root)).line(0, 0, CHANGE), p_threshold=threshold)
    assert set(found.anomalies["severity"]) == {"P"}
    assert set(found.anomalies["block"]) == {"Remun"}
    assert found.filings["verdict"].to_list() == ["accepted", verdict]
    assert found.corrections.forms.height == (verdict == "accepted")
