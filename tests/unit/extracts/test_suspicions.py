"""R17: a recipient reports a suspected error of what it received; it never changes a declared value."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from dmfa.errors import WrongUsage
from dmfa.extracts import authorisation_rows
from dmfa.extracts.communications import new_ticket, record_access
from dmfa.extracts.holdings import Node, attestations
from dmfa.extracts.suspicions import (
    ACCEPTED,
    CORRECTED,
    NEXT,
    REJECTED,
    REPORTED,
    TAKEN_UP,
    Report,
    masked,
    report,
    settle,
    suspicion,
    suspicions,
    waits,
)
from dmfa.lake import EXCHANGE, Lake
from flows.stages.tables import COMPUTED
from tests.unit.extracts.material import CANARY, NARROW, given, new_lake, permit_of

AT = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
WRITTEN = f"{CANARY:011d}"


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lake]:
    """The invented declarations, of which some-fund received all and other-fund a few zones."""
    folder = tmp_path_factory.mktemp("suspicions")
    place = new_lake(folder)
    other = {"name": "other-fund", "title": "Invented", "sector": "999", "institution": "2"}
    permits = [permit_of(folder), permit_of(folder, id="narrow", recipient=other, blocks=NARROW)]
    for permit in permits:
        given(place, permit, folder / "out")
    register = next(spec for spec in EXCHANGE if spec.name == "authorisation")
    with Lake.open(place, write=True, extra_tables=COMPUTED, wait_seconds=0) as opened:
        opened.replace(register, authorisation_rows([permit.authorisation for permit in permits]))
        yield opened


@pytest.fixture(scope="module")
def doubt(lake: Lake) -> Report:
    """A pay line of the person, as some-fund received it."""
    for one in attestations(lake, CANARY, quarter=20263, block="Remun"):
        for node in _nodes(one.versions[0].blocks):
            zones = {zone["zone"]: zone["value"] for zone in node["zones"]}
            if node["block"] == "Remun" and "RemunAmount" in zones:
                told = (node["block"], node["ordinal"], "RemunAmount", str(zones["RemunAmount"]), "1")
                return Report("some-fund", one.number, None, *told, "35", "The pay slip tells otherwise")
    raise AssertionError("the material has no pay line of the person")


WAYS = {
    REPORTED: [],
    TAKEN_UP: [TAKEN_UP],
    ACCEPTED: [TAKEN_UP, ACCEPTED],
    CORRECTED: [TAKEN_UP, ACCEPTED, CORRECTED],
    REJECTED: [TAKEN_UP, REJECTED],
}
"""How a report comes to each state."""

_numbers = itertools.count()


def ticket() -> str:
    return f"TICKET{next(_numbers):07d}"


def _nodes(blocks: Node) -> Iterator[Node]:
    yield blocks
    for below in blocks["blocks"]:
        yield from _nodes(below)


def state(lake: Lake) -> int:
    return lake.snapshot_id()


def test_r17_a_report_gets_a_ticket_and_goes_its_way(lake: Lake, doubt: Report) -> None:
    number = ticket()
    remun = lake.arrow("SELECT bit_xor(hash(x)) AS h FROM lake.history.remun x").to_pylist()
    first = report(lake, doubt, number, AT)
    assert (first.ticket, first.state, first.to_be_told) == (number, REPORTED, ())
    assert first.facts["zone_path"] == f"Remun[{doubt.ordinal}]/RemunAmount"
    assert (first.facts["version"], first.facts["quarter"]) == (1, 20263)
    settle(lake, number, TAKEN_UP, AT + timedelta(days=1))
    last = settle(lake, number, ACCEPTED, AT + timedelta(days=2), "right")
    # It waits for its correction, which all who had the attestation will be told, not its reporter alone.
    assert last.to_be_told == ("other-fund", "some-fund")
    (kept,) = [one for one in suspicions(lake, ACCEPTED) if one.ticket == number]
    assert [(step["state"], step["motive"]) for step in kept.steps] == [
        (REPORTED, None), (TAKEN_UP, None), (ACCEPTED, "right"),
    ]  # fmt: skip
    times = [datetime(2026, 11, day, 9, 30) for day in (22, 23, 24)]
    assert [step["reached_at"] for step in kept.steps] == times
    assert (kept.facts["opened_at"], kept.facts["closed_at"]) == (times[0], times[2])
    assert lake.arrow("SELECT bit_xor(hash(x)) AS h FROM lake.history.remun x").to_pylist() == remun


def test_r17_rows_are_only_added(lake: Lake, doubt: Report) -> None:
    number = ticket()
    report(lake, doubt, number, AT)
    before = lake.arrow("SELECT * FROM lake.exchange.suspicion WHERE ticket = ?", [number]).to_pylist()
    settle(lake, number, TAKEN_UP, AT)
    settle(lake, number, REJECTED, AT, "the slip is of another quarter")
    rows = lake.arrow("SELECT * FROM lake.exchange.suspicion WHERE ticket = ? ORDER BY step", [number]).to_pylist()
    assert rows[0] == before[0]
    assert [row["step"] for row in rows] == [0, 1, 2]
    assert rows[2]["motive"] == "the slip is of another quarter"


def test_r17_a_report_that_waits_for_its_correction_may_prove_wrong(lake: Lake, doubt: Report) -> None:
    number = ticket()
    report(lake, doubt, number, AT)
    settle(lake, number, TAKEN_UP, AT)
    settle(lake, number, ACCEPTED, AT)
    with pytest.raises(WrongUsage, match="needs its reason"):
        settle(lake, number, REJECTED, AT)
    last = settle(lake, number, REJECTED, AT, "the employer shows the slip of the next month")
    assert (last.state, last.to_be_told) == (REJECTED, ())


def test_the_same_report_is_kept_once(lake: Lake, doubt: Report) -> None:
    number = ticket()
    report(lake, doubt, number, AT)
    at = state(lake)
    settled = report(lake, doubt, number, AT + timedelta(days=9))
    assert settled.state == REPORTED
    assert state(lake) == at


@pytest.mark.parametrize(("before", "after"), [(one, two) for one in NEXT for two in NEXT if two not in NEXT[one]])
def test_r17_no_other_step_can_be_taken(lake: Lake, doubt: Report, before: str, after: str) -> None:
    number = f"STEPS-{before}"
    if not lake.arrow("SELECT 1 FROM lake.exchange.suspicion WHERE ticket = ?", [number]).num_rows:
        report(lake, doubt, number, AT)
        for step in WAYS[before]:
            settle(lake, number, step, AT, "because")
    with pytest.raises(WrongUsage, match=f"is {before}: it cannot become {after}"):
        settle(lake, number, after, AT, "because")


def test_r17_a_rejection_says_why(lake: Lake, doubt: Report) -> None:
    number = ticket()
    report(lake, doubt, number, AT)
    settle(lake, number, TAKEN_UP, AT)
    with pytest.raises(WrongUsage, match="a rejection needs its reason"):
        settle(lake, number, REJECTED, AT, " ")
    with pytest.raises(WrongUsage, match="the motive holds the number of a person"):
        settle(lake, number, REJECTED, AT, f"see {WRITTEN[:6]}-{WRITTEN[6:9]}.{WRITTEN[9:]}")
    with pytest.raises(WrongUsage, match="no suspected error of this ticket"):
        settle(lake, "NO-SUCH", TAKEN_UP, AT)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"recipient": "third-fund"}, "third-fund has not received an attestation of this number"),
        ({"attestation": 1}, "some-fund has not received an attestation of this number"),
        ({"version": 2}, "some-fund has not received version 2"),
        ({"recipient": "other-fund", "zone": "RemunCode"}, "the value seen is not the one given"),
        ({"recipient": "other-fund", "zone": "PercentagePaid"}, "other-fund has not received Remun/PercentagePaid"),
        ({"recipient": "other-fund", "block": "Service"}, "other-fund has not received Service/RemunAmount"),
        ({"block": "Nothing"}, "some-fund has not received Nothing/RemunAmount"),
        ({"ordinal": 9_999}, r"the attestation has no Remun\[9999\]"),
        ({"ordinal": None}, "block Remun is not named rightly"),
        ({"seen": WRITTEN}, "the value seen is not the one given in Remun"),
        ({"seen": None}, "the value seen is not the one given in Remun"),
        ({"seen": "1"}, "the value proposed is the value seen"),
        ({"seen": None, "proposed": ""}, "the value proposed is the value seen"),
        ({"proposed": ""}, "Remun/RemunAmount cannot be empty"),
        ({"proposed": "12,50"}, "the value proposed is none that Remun/RemunAmount can hold"),
        ({"reason": "29"}, "there is no reason 29"),
        ({"explanation": f"look at {WRITTEN}"}, "the explanation holds the number of a person"),
        ({"explanation": "look at 85.21.01-002.57"}, "the explanation holds the number of a person"),
    ],
)
def test_r17_what_was_not_received_is_not_doubted(
    lake: Lake, doubt: Report, change: dict[str, object], said: str
) -> None:
    at = state(lake)
    with pytest.raises(WrongUsage, match=said) as caught:
        report(lake, replace(doubt, **change), ticket(), AT)  # type: ignore[arg-type]
    assert WRITTEN not in str(caught.value)
    assert str(doubt.seen) not in str(caught.value)
    assert state(lake) == at


def test_r17_who_doubts_need_not_know_what_is_right(lake: Lake, doubt: Report) -> None:
    kept = report(lake, replace(doubt, proposed=None), ticket(), AT)
    assert kept.facts["suggested_value"] is None
    assert waits(kept.facts)
    assert not waits({**kept.facts, "suggested_value": "1"})


def test_r17_what_stands_once_in_an_attestation_is_doubted_too(lake: Lake, doubt: Report) -> None:
    known = attestations(lake, CANARY, quarter=20263, block="EmployerDeclaration")
    (held,) = (one for one in known if one.number == doubt.attestation)
    seen = next((zone["value"] for zone in held.versions[0].blocks["zones"] if zone["zone"] == "System5"), None)
    told = replace(doubt, block="EmployerDeclaration", ordinal=None, zone="System5", seen=seen, proposed=None)
    assert report(lake, told, ticket(), AT).facts["zone_path"] == "EmployerDeclaration/System5"


def test_r17_a_correction_is_to_be_told_to_whom_had_an_earlier_version(lake: Lake, doubt: Report) -> None:
    number = ticket()
    report(lake, doubt, number, AT)
    for step in (TAKEN_UP, ACCEPTED):
        settle(lake, number, step, AT)
    # All were given version 1, and no later one.
    assert settle(lake, number, CORRECTED, AT, corrected_by=2).to_be_told == ("other-fund", "some-fund")
    assert suspicion(lake, number).corrected_by == 2
    assert {one.ticket: one for one in suspicions(lake, CORRECTED)}[number].to_be_told == ("other-fund", "some-fund")


def test_r17_a_number_of_a_person_may_be_doubted_and_is_masked(lake: Lake, doubt: Report) -> None:
    number = replace(doubt, block="NaturalPerson", ordinal=None, zone="INSS", seen=WRITTEN, proposed="77101500172")
    kept = report(lake, replace(number, reason="90"), ticket(), AT)
    assert kept.facts["zone_path"] == "NaturalPerson/INSS"
    assert masked(kept.facts["seen_value"]) == "(a person's number)"
    assert (masked(None), masked("1250")) == (None, "1250")
    # Whoever puts it right, it is no number of a person that way.
    for wrong, said in (("7710150017", "is none that NaturalPerson/INSS can hold"), ("", "cannot be empty")):
        with pytest.raises(WrongUsage, match=said):
            report(lake, replace(number, proposed=wrong), ticket(), AT)


def test_the_person_may_report_what_was_told(lake: Lake, doubt: Report) -> None:
    own = replace(doubt, recipient="person-concerned", explanation="I was paid more")
    with pytest.raises(WrongUsage, match="has not received"):
        report(lake, own, ticket(), AT)
    record_access(
        lake,
        CANARY,
        new_ticket(),
        AT,
        attestations(lake, CANARY, block="Remun"),
        state=lake.snapshot_id(),
        sha256="0" * 64,
    )
    number = ticket()
    assert report(lake, own, number, AT).state == REPORTED
    settle(lake, number, TAKEN_UP, AT)
    # A correction goes to institutions; the person asks for the data again.
    assert settle(lake, number, ACCEPTED, AT).to_be_told == ("other-fund", "some-fund")
