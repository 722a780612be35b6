"""Corrections of invented declarations: valid, told by the truth, and right again when they are applied."""

from functools import cache

import polars as pl
import pyarrow.parquet as pq
import pytest
from lxml import etree

from dmfa.quarter import Quarter
from dmfa.schema import UPDATE, release_for
from dmfa.synth import Options, make_quarter
from dmfa.synth.declaration import Declaration
from dmfa.synth.employer import employer
from dmfa.synth.figures import Figures
from dmfa.synth.law import Law
from dmfa.synth.payroll import prepare
from dmfa.synth.updates import CHANGE, CREATE, DELETE, Update, spoil

QUARTERS = ("2022/1", "2023/1", "2026/3")
EMPLOYERS = 60


@cache
def law(quarter: str) -> Law:
    return Law(Figures.of(Quarter.parse(quarter)))


def good(index: int, quarter: str = "2026/3") -> Declaration:
    return prepare(1, employer(1, index, 40), Quarter.parse(quarter), law(quarter))


def spoilt(index: int, quarter: str = "2026/3") -> Update | None:
    return spoil(good(index, quarter), 1, law(quarter))


@pytest.mark.parametrize("quarter", QUARTERS)
def test_they_are_valid(quarter: str) -> None:
    release = release_for(UPDATE.name, Quarter.parse(quarter))
    assert release is not None
    schema = etree.XMLSchema(file=str(release.path))
    updates = [update for index in range(EMPLOYERS) if (update := spoilt(index, quarter))]
    assert {one.action for update in updates for one in update.wrong} == {CREATE, CHANGE, DELETE}
    for update in updates:
        assert schema.validate(etree.fromstring(update.document())), schema.error_log


def test_declared_and_corrected_make_the_right_declaration() -> None:
    """What is owed after all corrections is what a good declaration owes, without those who did not work there."""
    for index in range(EMPLOYERS):
        update = spoilt(index)
        if update is None:
            continue
        right = good(index)
        gone = {one.declared.insz for one in update.wrong if one.right is None and one.declared is not None}
        owed = sum(person.owed() for person in right.persons if person.insz not in gone) + right.own_owed()
        changes = sum(after - before for *_, before, after in update.lines())
        assert update.declaration.net_owed + changes == owed
        assert update.declaration.net_owed == update.declaration.balance()


def test_pay_declared_wrongly_changes_what_is_owed() -> None:
    updates = [update for index in range(EMPLOYERS) if (update := spoilt(index))]
    changed = [line for update in updates for line in update.lines()]
    of_pay = [(before, after) for *_, action, before, after in changed if action == CHANGE]
    assert len(of_pay) > EMPLOYERS // 2
    assert sum(before != after for before, after in of_pay) > len(of_pay) * 9 // 10


def test_nothing_to_spoil_gives_none() -> None:
    declaration = good(0)
    declaration.persons = []
    assert spoil(declaration, 1, law("2026/3")) is None


def test_the_truth_of_a_quarter_tells_them(tmp_path) -> None:
    out = tmp_path / "q"
    truth = make_quarter(Quarter.parse("2026/3"), 12, 5, out, Options(largest=20, updated_per_million=1_000_000))
    filings = pl.DataFrame(pq.read_table(truth.folder / "filings.parquet"))
    corrections = pl.DataFrame(pq.read_table(truth.folder / "corrections.parquet"))
    updates = filings.filter(pl.col("schema").str.starts_with("DmfAUpdate"))
    assert {path.name for path in (out / "later").iterdir()} == {name.split("/")[1] for name in updates["file"]}
    assert set(corrections["file"]) == set(updates["file"])
    assert updates["verdict"].unique().to_list() == ["accepted"]
    for name in updates["file"]:
        root = etree.parse(out / name).getroot()
        declared = [
            (int(p.findtext("INSS")), len(p.findall("WorkerRecordUpdate"))) for p in root.iter("NaturalPersonUpdate")
        ]
        told = corrections.filter(pl.col("file") == name).group_by("inss", maintain_order=True).len()
        assert declared == list(told.iter_rows())
