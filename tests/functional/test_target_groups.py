"""A right used up by earlier quarters: told by the lake, in whatever way its quarters came in."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from contributions import refusals
from dmfa.lake import Lake
from dmfa.quarter import Quarter
from dmfa.synth import Options, make_quarter
from flows.settings import Settings
from flows.stages import compute, explain, ingest

QUARTERS = [Quarter(2022, 1), Quarter(2022, 2), Quarter(2022, 3), Quarter(2023, 1), Quarter(2023, 2)]
LAST = QUARTERS[-1]
HIRED = (
    b"<OccupationDeduction><DeductionCode>3325</DeductionCode><DeductionAmount>0</DeductionAmount>"
    b"<DeductionRightStartingDate>2021-01-04</DeductionRightStartingDate></OccupationDeduction>"
)


@pytest.fixture(scope="module")
def filings(tmp_path_factory: pytest.TempPathFactory) -> dict[Quarter, bytes]:
    """One invented employer in five quarters, each with the second period of a second worker."""
    folder = tmp_path_factory.mktemp("filings")
    found = {}
    for quarter in QUARTERS:
        own = folder / str(quarter.code)
        make_quarter(quarter, 1, 11, own, Options(largest=2))
        (path,) = own.glob("*.xml")
        data, times = re.subn(rb"<OccupationDeduction>", HIRED + b"<OccupationDeduction>", path.read_bytes(), count=1)
        assert times == 1
        found[quarter] = data
    return found


def settings(folder: Path) -> Settings:
    lake, out = folder / "lake", folder / "out"
    return Settings(lake=str(lake), out=out, received_on=date(2026, 11, 22), received_on_given=True, workers=1)


def take_in(folder: Path, filings: dict[Quarter, bytes]) -> None:
    inbox = folder / f"inbox-{len(filings)}"
    inbox.mkdir(parents=True)
    for quarter, data in filings.items():
        (inbox / f"{quarter.code}.xml").write_bytes(data)
    ingest.run([inbox], settings(folder))


def hired(folder: Path) -> list[tuple[Any, ...]]:
    """Amount and refusal of 3325 in each quarter."""
    sql = "SELECT quarter, amount_cents, refusal FROM lake.computed.deduction WHERE deduction_code = '3325' ORDER BY 1"
    with Lake.open(folder / "lake") as lake:
        return [tuple(row.values()) for row in lake.arrow(sql).to_pylist()]


def test_the_history_of_the_lake_tells_that_a_right_has_no_quarters_left(
    filings: dict[Quarter, bytes], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    take_in(tmp_path, {quarter: filings[quarter] for quarter in QUARTERS[:4]})
    take_in(tmp_path, {LAST: filings[LAST]})
    told = hired(tmp_path)
    assert [refusal for _, _, refusal in told] == [None] * 4 + [refusals.QUARTERS_USED]
    assert told[4][1] == 0
    assert all(amount > 0 for _, amount, _ in told[:4])
    with Lake.open(tmp_path / "lake") as lake:
        codes = lake.arrow("SELECT quarter, code FROM lake.received.anomaly WHERE code = '00086-201'").to_pylist()
    assert codes == [{"quarter": LAST.code, "code": "00086-201"}]
    # The amounts of a run are those of `dmfa compute`.
    assert not compute.run(LAST, settings(tmp_path)).changed

    with Lake.open(tmp_path / "lake") as lake:
        (employer,) = lake.arrow("SELECT DISTINCT noss_registration_nbr AS n FROM lake.computed.deduction")[
            "n"
        ].to_pylist()
    capsys.readouterr()
    explain.run(LAST, settings(tmp_path), employer=employer)
    shown = capsys.readouterr().out
    assert f"deduction 3325: declared 0.00, computed 0.00: equal, trust B, {refusals.QUARTERS_USED}" in shown
    assert "used_quarters = 4" in shown
