"""What a correction declares wrongly is told of it as of an original: in its answer, on the ledger and in extracts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from lxml import etree

from dmfa.extracts.authorisations import FLAG_TABLE
from dmfa.lake import Lake
from dmfa.quarter import Quarter
from dmfa.schema import home
from dmfa.synth import Options, make_quarter
from flows.settings import Settings
from flows.stages import extract
from flows.stages import ingest as stage
from tests.conftest import TODAY
from tests.correcting import CHANGE, Correction, zone
from tests.making import balance
from tests.unit.extracts.material import register, row

QUARTER = Quarter(2026, 3)
DAY = date.fromisoformat(TODAY)
TOO_MUCH = 100_000
CONTRIBUTION, DEDUCTION, LEVY, NO_RIGHT = "00085-044", "00089-044", "00022-044", "00086-050"
"""Amounts that are not those computed, and a reduction for restaurants that this employer has no right to."""

BLOCKS = {
    "EmployerDeclaration": ["Quarter", "NOSSRegistrationNbr"],
    "NaturalPerson": ["INSS"],
    "WorkerRecord": ["EmployerClass", "WorkerCode"],
    "Occupation": ["OccupationStartingDate"],
    "OccupationDeduction": ["DeductionCode", "DeductionAmount"],
    "WorkerContribution": ["ContributionWorkerCode", "ContributionType", "ContributionAmount"],
}
WRONG = {"2-wrong": "495", "3-wrong-again": "495", "5-no-right": "015", "6-levy": None}
"""What is wrong, by name of the filing, and the worker code of its line; a levy on vehicles is of none."""

RIGHT = "4-right"


FOUND = """
    SELECT f.name, a.code, a.severity, a.block_keys, a.zone, a.message, a.seen_value FROM lake.received.anomaly a
    JOIN lake.received.filing f USING (filing_id) ORDER BY ALL
"""
TOLD = """
    SELECT f.name, a.content FROM lake.received.answer a JOIN lake.received.filing f USING (filing_id)
    WHERE f.kind = 'DmfAUpdate' AND a.kind = 'NOTI'
"""
STATES = """
    SELECT f.name, arg_max(s.state, s.step) FROM lake.received.filing_state s
    JOIN lake.received.correction c ON c.form_id = s.declaration_id
    JOIN lake.received.filing f ON f.filing_id = c.filing_id GROUP BY ALL
"""
PLACES = """
    SELECT f.name, p.block, p.place, p.version FROM lake.received.correction_place p
    JOIN lake.received.correction USING (form_id) JOIN lake.received.filing f USING (filing_id) ORDER BY ALL
"""


@dataclass(frozen=True)
class Taken:
    """What came of a person with two lines, and of what corrects the second of them, then the first.

    Attributes:
        folder: of all.
        found: name of the filing, and an anomaly in it: code, class, place, zone, message, value seen.
        notifications: of the corrections, by name.
        states: of their Forms, by name.
        places: name, block, place in the Form and version of the declaration.
        amount: the first contribution of the second line, as it is right.
    """

    folder: Path
    found: list[tuple[Any, ...]]
    notifications: dict[str, str]
    states: dict[str, str]
    places: list[tuple[str, str, int, int]]
    amount: int

    def of(self, name: str) -> list[tuple[Any, ...]]:
        """Code, class, place and zone of what was found in a filing."""
        return [told[1:5] for told in self.found if told[0] == f"{name}.xml"]

    def flags(self, step: int) -> list[tuple[str, str, Any]]:
        """Code and block of each flag after a step, and the amount or code of the row that it stands on."""
        folder = self.folder / f"out{step}" / "extracts" / "2026-3" / "attestation" / "some-fund"
        tables = {file.stem: pl.read_parquet(file) for file in folder.glob("*.parquet")}
        told = []
        for flag in tables[FLAG_TABLE].iter_rows(named=True):
            table, column = {
                "WorkerContribution": ("worker_contribution", "contribution_amount"),
                "OccupationDeduction": ("occupation_deduction", "deduction_code"),
            }[flag["block"]]
            on = tables[table].filter(pl.col(f"{table}_ordinal") == flag["ordinal"])
            told.append((flag["code"], flag["block"], on[column].item()))
        return sorted(told)


@pytest.fixture(scope="module")
def taken(tmp_path_factory: pytest.TempPathFactory) -> Taken:
    folder = tmp_path_factory.mktemp("differences")
    make_quarter(QUARTER, 1, 1, folder / "1", Options(largest=4))
    (path,) = (folder / "1").glob("*.xml")
    root = etree.parse(path).getroot()
    one, other = root.iter("NaturalPerson")
    # The reduction of the first line is that of a worker who has no second one.
    line = other.find("WorkerRecord")
    one.find("WorkerRecord").addnext(line)
    other.getparent().remove(other)
    balance(root.find("Form"))
    original = etree.tostring(root, xml_declaration=True, encoding="UTF-8")
    path.unlink()
    (folder / "1" / "1-original.xml").write_bytes(original)
    make_quarter(QUARTER, 5, 1, folder / "others", Options(largest=3))
    other = sorted((folder / "others").glob("*.xml"))[-1].read_bytes()
    (folder / "1" / "1-other.xml").write_bytes(other)
    amount = int(line.findtext(".//ContributionAmount"))
    wrong = zone("ContributionAmount", amount + TOO_MUCH)
    corrections = {
        "2-wrong": Correction(original).line(0, 1, CHANGE, wrong),
        "3-wrong-again": Correction(original).line(0, 1, CHANGE, wrong, version=2, of_person=2),
        RIGHT: Correction(original).line(0, 1, version=3, of_person=3),
        "5-no-right": Correction(original).line(0, 0, CHANGE, zone("DeductionCode", "3900"), of_person=4),
    }
    corrections["6-levy"] = Correction(other).unrelated(0, CHANGE, zone("UnrelatedAmount", TOO_MUCH))
    for step, names in {2: ("2-wrong",), 3: ("3-wrong-again", RIGHT, "5-no-right", "6-levy")}.items():
        (folder / str(step)).mkdir()
        for name in names:
            (folder / str(step) / f"{name}.xml").write_bytes(corrections[name].data())
    settings = Settings(
        lake=str(folder / "lake"), received_on_given=True, workers=1,
        authorisations=register(folder, row(id="whole", blocks=BLOCKS)),
    )  # fmt: skip
    for step in (1, 2, 3):
        day = replace(settings, out=folder / f"out{step}", received_on=DAY + timedelta(days=step - 1))
        stage.run([folder / str(step)], day)
        if step > 1:
            extract.run(QUARTER, day)
    with Lake.open(folder / "lake") as lake:
        found, told, states, places = (
            [tuple(read.values()) for read in lake.arrow(sql).to_pylist()] for sql in (FOUND, TOLD, STATES, PLACES)
        )
    return Taken(folder, found, dict(told), dict(states), places, amount)


def test_an_amount_that_a_correction_declares_wrongly_is_its_anomaly(taken: Taken) -> None:
    told = [(CONTRIBUTION, "P", "WorkerContribution[0]", "ContributionAmount")]
    assert taken.of("2-wrong") == taken.of("3-wrong-again") == told


def test_what_the_form_does_not_state_was_told_of_the_original(taken: Taken) -> None:
    """The reduction of the first line is wrong from the first, and each version computes the whole person anew."""
    assert taken.of("1-original") == [(DEDUCTION, "NP", "OccupationDeduction[0]", "DeductionAmount")]
    assert taken.of(RIGHT) == []


def test_a_reduction_without_a_right_has_its_own_code(taken: Taken) -> None:
    assert taken.of("5-no-right") == [(NO_RIGHT, "NP", "OccupationDeduction[0]", "DeductionCode")]


def test_what_is_tied_to_no_person_is_told_too(taken: Taken) -> None:
    assert taken.of("6-levy") == [(LEVY, "P", "CUNPUpdateAction[0]", "UnrelatedAmount")]
    assert taken.of("1-other") == []


def test_no_message_tells_an_amount(taken: Taken) -> None:
    starts = ("the amount declared for ", "nothing is due of deduction 3900: ")
    for *_, message, seen in taken.found:
        assert seen is None
        assert message.startswith(starts)
        assert str(taken.amount) not in message


@pytest.mark.parametrize(("name", "worker"), [*WRONG.items(), (RIGHT, None)])
def test_the_notification_tells_it_at_its_place(taken: Taken, name: str, worker: str | None) -> None:
    notification = etree.fromstring(taken.notifications[f"{name}.xml"].encode())
    etree.XMLSchema(etree.parse(home() / "NOTIFICATION_20223.xsd")).assertValid(notification)
    assert notification.findtext(".//ResultCode") == "1"
    told = [(one.findtext("ErrorID"), one.findtext("Path/WorkerCode")) for one in notification.iter("AnomalyReport")]
    assert told == [(code, worker) for code, *_ in taken.of(name)]


def test_the_ledger_says_that_something_stands_open(taken: Taken) -> None:
    assert taken.states == {**{f"{name}.xml": "accepted_open" for name in WRONG}, f"{RIGHT}.xml": "accepted"}
    assert taken.places == [
        ("2-wrong.xml", "WorkerContribution", 0, 2),
        ("3-wrong-again.xml", "WorkerContribution", 0, 3),
        ("5-no-right.xml", "OccupationDeduction", 0, 5),
        ("6-levy.xml", "CUNPUpdateAction", 0, 2),
    ]


def test_r18_it_travels_until_the_line_is_right(taken: Taken) -> None:
    assert taken.flags(2) == [
        (CONTRIBUTION, "WorkerContribution", taken.amount + TOO_MUCH),
        (DEDUCTION, "OccupationDeduction", "3000"),
    ]
    assert taken.flags(3) == [(NO_RIGHT, "OccupationDeduction", "3900")]
