"""R17: what a recipient suspects and the institution accepts becomes a version, which all who had the attestation get.

One employer with two workers. The second has two payments in one line: 12,123.00 euro (code 001) and a bonus of
3,771.60 (code 002, each month). Five recipients were given their attestations; one of them has the first worker alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from lxml import etree

from dmfa.errors import WrongUsage
from dmfa.extracts import deliver_all, load, permits, recorder
from dmfa.extracts.authorisations import CHANGE_TABLE
from dmfa.extracts.delivery import Delivery
from dmfa.extracts.holdings import attestations
from dmfa.extracts.open_anomalies import open_anomalies
from dmfa.extracts.proposals import Value, value_of
from dmfa.extracts.suspicions import Report, put, report, settle, suspicion
from dmfa.lake import Lake, received_bytes
from dmfa.quarter import Quarter
from dmfa.schema import home
from dmfa.synth import Options, make_quarter
from flows.settings import Settings
from flows.stages import filings, ingest, own_corrections, person, suspected
from flows.stages.doubted import Doubted, doubted
from flows.stages.history import run as history
from flows.stages.own_filing import own_filing
from flows.stages.reference import REFERENCE
from flows.stages.tables import COMPUTED
from tests.keeping import left_over
from tests.unit.extracts.material import DAY, RUN, register, row

QUARTER = Quarter(2026, 3)
WHOLE, PUSHED, MUTATING, NARROW, OTHER = "whole", "pushed", "mutating", "narrow", "elsewhere"
BLOCKS = {
    "EmployerDeclaration": ["Quarter", "HolidayStartingDate"],
    "NaturalPerson": ["INSS", "NaturalPersonUserReference"],
    "WorkerRecord": ["WorkerCode", "Border"],
    "Occupation": ["LocalUnitID", "OccupationEndingDate"],
    "Remun": ["RemunCode", "BonusPaymentFrequency", "RemunAmount"],
}
PAY = ("Remun", 0, "RemunAmount", "1212300")
WHY = "the slip shows it"


def _row(name: str, **changes: Any) -> dict[str, Any]:
    recipient = {"name": name, "title": "Invented", "sector": "999", "institution": "1"}
    return row(id=f"of-{name}", recipient=recipient, **{"format": ["parquet"], "blocks": BLOCKS, **changes})


ROWS = (
    _row(WHOLE),
    _row(PUSHED, delivery="push"),
    _row(MUTATING, delivery="mutation"),
    # Is given no zone of pay, and is told of a new version all the same.
    _row(NARROW, delivery="mutation", blocks={"EmployerDeclaration": ["Quarter"], "NaturalPerson": ["INSS"]}),
    _row(OTHER, delivery="mutation", population={"WorkerRecord.WorkerCode": ["015"]}),
)


@dataclass
class Story:
    """The lake, open, and what came of it, step by step."""

    folder: Path
    settings: Settings
    lake: Lake
    number: int = 0
    inss: int = 0
    tickets: dict[str, str] = field(default_factory=dict)
    given: list[dict[str, Delivery]] = field(default_factory=list)
    refusals: dict[str, str] = field(default_factory=dict)
    seen: dict[str, Any] = field(default_factory=dict)

    def read(self, sql: str, *values: object) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self.lake.arrow(sql, list(values)).to_pylist()
        return rows

    def give(self, *names: str) -> None:
        at = datetime(2026, 12, 1 + len(self.given), tzinfo=UTC)
        asked = permits(load(register(self.folder, *ROWS)), DAY, names, [])
        run = replace(RUN, id=f"run-{len(self.given)}", at=at)
        record = recorder(self.lake, lambda: at)
        done = deliver_all(self.lake, QUARTER, asked, self.settings.out, run, record=record, shard=100)
        self.given.append({delivery.recipient: delivery for _, delivery in done})

    def doubt(self, name: str, recipient: str, where: tuple[str, int, str, str], proposed: str | None) -> None:
        """A report that is taken up."""
        block, ordinal, zone, seen = where
        told = Report(recipient, self.number, None, block, ordinal, zone, seen, proposed, "05", "It was more")
        self.tickets[name] = f"TICKET-{name}"
        report(self.lake, told, self.tickets[name], datetime.now(UTC))
        settle(self.lake, self.tickets[name], "taken up", datetime.now(UTC))

    def doubt_too(self, name: str, recipient: str, **told: object) -> None:
        """Another, like the first but for what is told."""
        facts = suspicion(self.lake, self.tickets["pay"]).facts
        self.tickets[name] = f"TICKET-{name}"
        with self.lake.transaction() as publication:
            put(publication, {**facts, "ticket": self.tickets[name], "recipient": recipient, **told})

    def accept(self, name: str) -> Any:
        return suspected.accept(self.lake, self.tickets[name], WHY, self.settings)

    def to_be_told(self, name: str) -> set[str]:
        return set(suspicion(self.lake, self.tickets[name]).to_be_told)

    @contextmanager
    def refused(self, name: str) -> Iterator[None]:
        """What is done inside is refused, and changes nothing."""
        state = self.lake.snapshot_id()
        with pytest.raises(WrongUsage) as caught:
            yield
        assert self.lake.snapshot_id() == state
        self.refusals[name] = str(caught.value)


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """A payment is doubted three times and its bonus once; what is accepted is given to all who had the attestation."""
    folder = tmp_path_factory.mktemp("suspected")
    make_quarter(QUARTER, 1, 5, folder / "inbox", Options(workers=2, first=3))
    where = {"lake": str(folder / "lake"), "out": folder / "out"}
    settings = Settings(**where, received_on=date(2026, 11, 22), received_on_given=True)  # type: ignore[arg-type]
    ingest.run([folder / "inbox"], settings)
    with Lake.open(settings.lake, write=True, extra_tables=(*COMPUTED, *REFERENCE), wait_seconds=0) as lake:
        story = Story(folder, settings, lake)
        story.give()
        pay = pl.read_parquet(story.given[0][MUTATING].folder / "remun.parquet")
        story.number = pay.filter(pl.col("remun_code") == "002")["attestation"].item()
        (log,) = story.read("SELECT DISTINCT inss FROM lake.exchange.log WHERE attestation = ?", story.number)
        story.inss = log["inss"]
        story.doubt("pay", MUTATING, PAY, "1750000")
        story.doubt_too("late", PUSHED, suggested_value="1650000")
        story.doubt_too("open", WHOLE, suggested_value=None)
        story.doubt_too("bonus", PUSHED, zone_path="Remun[1]/BonusPaymentFrequency", seen_value="1", suggested_value="")
        story.seen["waits"] = story.accept("open")
        with story.refused("waits"):
            suspected.corrected_since(lake, story.tickets["open"], settings)
        with story.refused("taken up"):
            suspected.corrected_since(lake, story.tickets["late"], settings)
        _fail(story)
        story.seen["pay"] = story.accept("pay")
        with story.refused("late"):
            story.accept("late")
        story.give(PUSHED)
        story.seen["half told"] = story.to_be_told("pay")
        story.give()
        yield story


def _fail(story: Story) -> None:
    """Accept, and break off once the rows of the version are written."""
    before = story.lake.snapshot_id()

    def broken(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(own_corrections, "correct_amounts", broken)
        with pytest.raises(KeyboardInterrupt):
            story.accept("pay")
    state = suspicion(story.lake, story.tickets["pay"]).state
    story.seen["broken off"] = (story.lake.snapshot_id() - before, state, left_over(Path(story.settings.lake)))


def statuses(delivery: Delivery) -> dict[int, tuple[int, int]]:
    """By attestation in a delivery of changes, its version and status for the recipient."""
    if not delivery.changed:
        return {}
    rows = pl.read_parquet(delivery.folder / f"{CHANGE_TABLE}.parquet").select("attestation", "version", "status")
    return {attestation: (version, status) for attestation, version, status in rows.iter_rows()}


def pays(delivery: Delivery, number: int) -> list[int]:
    rows = pl.read_parquet(delivery.folder / "remun.parquet").filter(pl.col("attestation") == number)
    return rows.sort("remun_code")["remun_amount"].to_list()


def test_r17_an_accepted_suspicion_triggers_one_mutation_per_earlier_recipient(story: Story) -> None:
    _, first, second = story.given
    told = {PUSHED: first[PUSHED], MUTATING: second[MUTATING], NARROW: second[NARROW]}
    for name, delivery in told.items():
        assert statuses(delivery) == {story.number: (2, 1)}, name
    for delivery in (told[PUSHED], told[MUTATING], second[WHOLE]):
        assert pays(delivery, story.number) == [1_750_000, 377_160]
    assert not second[PUSHED].changed, "it is told once"
    # Who never had the attestation gets nothing on that account.
    assert not second[OTHER].changed
    given = story.read(
        "SELECT recipient, version FROM lake.exchange.log WHERE attestation = ? ORDER BY ALL", story.number
    )
    assert [tuple(line.values()) for line in given] == [
        (name, version) for name in (MUTATING, NARROW, PUSHED, WHOLE) for version in (1, 2)
    ]


def test_r17_who_is_still_to_be_told_is_known(story: Story) -> None:
    assert (story.seen["pay"].state, story.seen["pay"].corrected_by) == ("corrected", 2)
    assert set(story.seen["pay"].to_be_told) == {WHOLE, PUSHED, MUTATING, NARROW}
    assert story.seen["half told"] == {WHOLE, MUTATING, NARROW}
    assert story.to_be_told("pay") == set()


def test_r17_the_version_is_a_correction_like_any_other(story: Story, capsys: pytest.CaptureFixture[str]) -> None:
    (made,) = story.read(
        "SELECT e.noss_registration_nbr AS employer, e.version, a.entry, a.debit_cents, a.credit_cents, f.kind,"
        " f.state, f.reason, f.ticket, f.sha256, a.computed_net_cents FROM lake.history.employer_declaration e"
        " JOIN lake.received.filing f USING (filing_id) JOIN lake.computed.employer_account a"
        " ON a.declaration_id = e.declaration_id AND a.version = e.version WHERE e.version > 1"
    )
    why = f"suspected error {story.tickets['pay']}, reason 05"
    # No contribution was declared anew, so that no more is to be paid yet; computed from that pay, more is.
    assert list(made.values())[1:8] == [2, "system correction", 0, 0, "SuspectedError", "accepted", why]
    assert made["computed_net_cents"] > 0
    kept = json.loads(received_bytes(story.lake.location, made["sha256"]))
    assert (kept["suspicion"], kept["zone"], kept["corrected"]) == (
        story.tickets["pay"],
        "Remun[0]/RemunAmount",
        "1750000",
    )
    capsys.readouterr()
    history(QUARTER, story.settings, employer=made["employer"])
    told = capsys.readouterr().out
    for words in (
        "version 2, changed; known from 2026-11-22 12:00:00 UTC; by the NSSO, for an error that a recipient suspected",
        f"why: {why}",
        "RemunAmount (00070): 12,123.00 € -> 17,500.00 €",
    ):
        assert words in told
    filings.run(story.settings, ticket=made["ticket"], quarter=None, state=None, as_json=True)
    steps = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(step["state"], step["what"]) for step in steps] == [
        ("received", None),
        ("acknowledged", None),
        ("accepted", "declarations with a new version: 1"),
    ]


def test_r18_the_contributions_on_the_pay_before_are_anomalies(story: Story) -> None:
    """They stay as declared: those that are not what follows from the pay stand open, all at the new version."""
    (standing, values) = open_anomalies(story.lake, QUARTER) or ("", [])
    found = story.read(f"SELECT DISTINCT block, ordinal, code FROM {standing} ORDER BY ordinal", *values)
    differs = story.read(
        "SELECT declared_ordinal AS ordinal FROM lake.computed.difference WHERE outcome = 'differs' ORDER BY 1"
    )
    assert found == [{"block": "WorkerContribution", **row, "code": "00085-044"} for row in differs]
    assert len(found) > 3


def test_r17_the_employer_is_told_in_messages_that_are_valid(story: Story) -> None:
    for kind, schema in (("DMNO", "DmfAUpdateNotification_20223.xsd"), ("BEWA", "BewareNotification_20233.xsd")):
        (path,) = (story.settings.out / "answers").glob(f"FO.{kind}.*")
        told = etree.parse(path)
        etree.XMLSchema(etree.parse(home() / schema)).assertValid(told)
        why = told.findtext(".//SubGroupInformation/Justification")
        assert why == f"suspected error {story.tickets['pay']}, reason 05"


def test_r17_the_person_is_told_of_it(story: Story) -> None:
    held = attestations(story.lake, story.inss, block="NaturalPerson")
    answer = person._facts(story.lake, story.inss, held)
    (attestation,) = answer["attestations"]
    assert [one["version"] for one in attestation["versions"]] == [1, 2]
    told = {one["ticket"]: (one["state"], one["motive"]) for one in answer["suspicions"]}
    assert told[story.tickets["pay"]] == ("corrected", WHY)


def test_r25_a_colleague_of_whom_nothing_was_corrected_is_told_too(story: Story) -> None:
    """The declaration has a version of which the colleague's attestation knows nothing."""
    (other,) = story.read("SELECT inss FROM lake.authentic.natural_person WHERE inss <> ?", story.inss)
    (held,) = attestations(story.lake, other["inss"], block="NaturalPerson")
    (version,) = held.versions
    assert (version.version, version.status, version.in_force) == (1, 0, True)
    assert version.blocks["block"] == "EmployerDeclaration"
    assert [node["block"] for node in version.blocks["blocks"]] == ["NaturalPerson"]


def test_accepted_twice_changes_nothing_but_puts_back_what_is_missing(story: Story) -> None:
    state = story.lake.snapshot_id()
    (lost,) = (story.settings.out / "answers").glob("FO.DMNO.*")
    bytes_ = lost.read_bytes()
    lost.unlink()
    assert story.accept("pay").corrected_by == 2
    assert story.lake.snapshot_id() == state
    assert lost.read_bytes() == bytes_


def test_what_was_corrected_meanwhile_is_not_accepted(story: Story) -> None:
    said = (
        "Remun[0]/RemunAmount no longer holds what was received: the attestation was corrected meanwhile (version 2)."
    )
    assert said in story.refusals["late"]


def test_a_block_that_got_another_number_meanwhile_is_found_again_and_a_zone_emptied(story: Story) -> None:
    doubt = doubted(story.lake, suspicion(story.lake, story.tickets["bonus"]).facts)
    # The first worker has payment 0; those of the second are 1 and 2 in version 1, 3 and 4 in version 2, then 5 and 6.
    assert (doubt.stands, doubt.version, doubt.row and doubt.row["remun_ordinal"]) == (True, 2, 4)
    rows = corrected(story, doubt, None)["remun"].select(
        "remun_code", "remun_ordinal", "bonus_payment_frequency", "version", "remun_amount"
    )
    assert rows.rows() == [("001", 5, None, 3, 1_750_000), ("002", 6, None, 3, 377_160)]


def corrected(story: Story, doubt: Doubted, value: Value) -> dict[str, pl.DataFrame]:
    filing = own_filing("suspected.json", b"", "SuspectedError", story.settings)
    return suspected._corrected(story.lake, doubt, value, filing, story.settings).rows


def test_a_doubt_without_a_proposal_waits_until_another_value_stands(story: Story) -> None:
    assert (story.seen["waits"].state, story.seen["waits"].corrected_by) == ("accepted", None)
    assert set(story.seen["waits"].to_be_told) == {WHOLE, PUSHED, MUTATING, NARROW}
    assert "still holds what was received" in story.refusals["waits"]
    assert "is taken up: it cannot become corrected" in story.refusals["taken up"]
    assert suspected.corrected_since(story.lake, story.tickets["open"], story.settings) == 2


def test_what_is_broken_off_leaves_neither_the_state_nor_the_version(story: Story) -> None:
    assert story.seen["broken off"] == (0, "taken up", [])
    assert story.read("SELECT count(*) AS n FROM lake.history.employer_declaration WHERE version = 2") == [{"n": 1}]


@pytest.mark.parametrize(
    ("where", "seen", "proposed", "codes"),
    [
        ("Occupation/LocalUnitID", None, "7201774404", "00042-004"),
        ("Remun/RemunAmount", "1212300", "1750000", ""),
    ],
)
def test_what_would_be_refused_of_an_employer_is_refused_and_not_told(
    story: Story, where: str, seen: str | None, proposed: str, codes: str
) -> None:
    block, zone = where.split("/")
    told = {"quarter": QUARTER.code, "attestation": story.number, "version": 1, "seen_value": seen}
    doubt = doubted(story.lake, {**told, "zone_path": f"{block}[0]/{zone}"})
    value = value_of(block, zone, proposed, QUARTER.code)
    if not codes:
        suspected._must_pass(doubt, value, story.settings)
        return
    with pytest.raises(WrongUsage, match=f"would be refused: .*{codes}") as caught:
        suspected._must_pass(doubt, value, story.settings)
    assert proposed not in str(caught.value)


@pytest.mark.parametrize(
    ("where", "proposed", "tables"),
    [
        ("EmployerDeclaration/HolidayStartingDate", "2026-12-24", {"employer_declaration", "natural_person"}),
        ("NaturalPerson/NaturalPersonUserReference", "A & B", {"employer_declaration", "natural_person"}),
        ("WorkerRecord[0]/Border", "1", {"employer_declaration", "natural_person", "worker_record", "remun"}),
    ],
)
def test_whatever_zone_is_corrected_the_attestation_gets_a_version(
    story: Story, where: str, proposed: str, tables: set[str]
) -> None:
    told = {"quarter": QUARTER.code, "attestation": story.number, "version": 1, "seen_value": None}
    doubt = doubted(story.lake, {**told, "zone_path": where})
    place, zone = where.split("/")
    value = value_of(place.partition("[")[0], zone, proposed, QUARTER.code)
    rows = corrected(story, doubt, value)
    assert rows.keys() >= tables
    assert rows["natural_person"].select("natural_person_ordinal", "version", "status").rows() == [(1, 3, 1)]
    assert rows[doubt.table.name][doubt.zone.column].to_list() == [value]
    assert ("remun" in rows) == ("remun" in tables)
