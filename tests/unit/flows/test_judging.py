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
