"""Suspected errors: who received an attestation reports a zone of it, and what becomes of the report.

    reported -> taken up -> accepted -> corrected    by a version of the attestation, given to all who had it before
                         -> rejected                 with the reason

A recipient never changes a declared value: whoever keeps the declarations makes the version, in the transaction that
accepts the report; what nobody proposes a value for waits for its employer. Each step is a row of exchange.suspicion;
rows are only added.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

import polars as pl

from dmfa.errors import WrongUsage
from dmfa.extracts.authorisations import ELEVEN_DIGITS
from dmfa.extracts.exchange import GIVEN, TABLES, WritableLake, naive, schema
from dmfa.extracts.holdings import Lake, Node, attestations
from dmfa.extracts.persons import PERSON
from dmfa.extracts.proposals import ELSEWHERE, value_of
from dmfa.identifiers import insz_valid
from dmfa.schema import TOP, snake_case

if TYPE_CHECKING:
    from dmfa.lake import Publication

REPORTED: Final = "reported"
TAKEN_UP: Final = "taken up"
ACCEPTED: Final = "accepted"
CORRECTED: Final = "corrected"
REJECTED: Final = "rejected"

NEXT: Final[Mapping[str, frozenset[str]]] = {
    REPORTED: frozenset({TAKEN_UP}),
    TAKEN_UP: frozenset({ACCEPTED, REJECTED}),
    ACCEPTED: frozenset({CORRECTED, REJECTED}),
    CORRECTED: frozenset(),
    REJECTED: frozenset(),
}
"""By state, those that may follow it."""

_DECIDED: Final = (ACCEPTED, REJECTED)

REASONS: Final[Mapping[str, range]] = {
    "NSSO or employer": range(1, 12),
    "annual holidays": range(30, 44),
    "individual pension account": range(51, 64),
    "number of a person or an employer": range(90, 94),
}
"""Families of reason codes (annex 40 of the NSSO glossaries): whose they are, and their codes."""

_RECEIVED: Final = """
    SELECT l.inss, l.version, l.quarter, l.blocks, l."authorisation" AS permitted_by, a.zones
    FROM lake.exchange.log l LEFT JOIN lake.exchange.authorisation a ON a."authorisation" = l."authorisation"
    WHERE l.attestation = ? AND l.recipient = ? AND l.result = ? ORDER BY l."at" DESC, l.id DESC
"""
# Each authorisation is given to by itself; of a correction that is not made yet nobody was told.
_TO_BE_TOLD: Final = """
    SELECT DISTINCT recipient FROM (
        SELECT recipient FROM lake.exchange.log
        WHERE attestation = ?1 AND result = ?2 AND "authorisation" IS NOT NULL
        GROUP BY recipient, "authorisation" HAVING ?3 IS NULL OR max(version) < ?3
    ) ORDER BY recipient
"""
_STEPS: Final = "SELECT * FROM lake.exchange.suspicion ORDER BY opened_at, ticket, step"
_STEPS_OF: Final = "SELECT * FROM lake.exchange.suspicion WHERE ticket = ? ORDER BY step"
_LONE: Final = (TOP, PERSON)
"""Blocks of which an attestation has one."""

_MAY_BE_A_NUMBER: Final = re.compile(r"(?<!\d)\d(?:[ .\-/]{0,2}\d){10}(?!\d)")


class _OpenLake(Lake, WritableLake, Protocol):
    """A lake open for writing."""


@dataclass(frozen=True)
class Report:
    """What a recipient reports.

    Attributes:
        recipient: who reports; it must have received the attestation.
        attestation: number of the attestation.
        version: version received; the newest of them if None.
        block: label of the block.
        ordinal: its number in the attestation, from 0, as in the files given out; None for a block that is there once.
        zone: label of the zone.
        seen: value received, as it was given; None where the zone was empty.
        proposed: what it should be; empty where it should be empty, None where who reports does not know.
        reason: code of the reason, two digits.
        explanation: what the recipient says to it.
    """

    recipient: str
    attestation: int
    version: int | None
    block: str
    ordinal: int | None
    zone: str
    seen: str | None
    proposed: str | None
    reason: str
    explanation: str

    @property
    def zone_path(self) -> str:
        """The zone, as the lake keeps it."""
        place = "" if self.ordinal is None else f"[{self.ordinal}]"
        return f"{self.block}{place}/{self.zone}"


@dataclass(frozen=True)
class Suspicion:
    """A reported error and where it stands.

    Attributes:
        ticket: its ticket.
        state: its state.
        facts: row of its last step in exchange.suspicion.
        steps: state, time and motive of each step.
        to_be_told: recipients that had the attestation and not yet its correction; only of an accepted one.
        corrected_by: version of the attestation that corrects it; None before.
    """

    ticket: str
    state: str
    facts: Mapping[str, Any]
    steps: tuple[Mapping[str, Any], ...]
    to_be_told: tuple[str, ...] = ()
    corrected_by: int | None = None


def report(lake: _OpenLake, told: Report, ticket: str, at: datetime, *, xsd: Path | None = None) -> Suspicion:
    """Keep a report, if the recipient has received what it doubts.

    Args:
        lake: the lake, open for writing.
        told: the report.
        ticket: ticket of the report; where it stands already, nothing is written.
        at: when, with its zone.
        xsd: folder with further releases.

    Raises:
        WrongUsage: the recipient never received that attestation, version, block or zone, the value seen is not the
            one given, the value proposed none that the zone can hold, or a text holds the number of a person; the
            message repeats no value.
        LakeProblem: the lake cannot be read or written.
    """
    _checked(told)
    standing = lake.arrow(_STEPS_OF, [ticket]).to_pylist()
    if standing:
        return _suspicion(lake, standing)
    received = _received(lake, told)
    _compare(lake, told, received, xsd)
    if told.proposed is not None:
        value_of(told.block, told.zone, told.proposed, received["quarter"], xsd)
    row = {
        "ticket": ticket,
        "attestation": told.attestation,
        "version": received["version"],
        "zone_path": told.zone_path,
        "seen_value": told.seen,
        "suggested_value": told.proposed,
        "reason_code": told.reason,
        "recipient": told.recipient,
        "state": REPORTED,
        "opened_at": naive(at),
        "quarter": received["quarter"],
        "step": 0,
        "reached_at": naive(at),
        "explanation": told.explanation,
    }
    with lake.transaction() as publication:
        put(publication, row)
    return suspicion(lake, ticket)


def settle(
    lake: _OpenLake, ticket: str, state: str, at: datetime, motive: str = "", *, corrected_by: int | None = None
) -> Suspicion:
    """Take a report to its next state.

    Args:
        lake: the lake, open for writing.
        ticket: its ticket.
        state: the next state.
        at: when, with its zone.
        motive: why; a rejection needs one.
        corrected_by: version of the attestation that corrects it, once one does.

    Raises:
        WrongUsage: there is no such report, the state cannot follow, a rejection has no motive, or the motive holds
            the number of a person.
        LakeProblem: the lake cannot be read or written.
    """
    row = following(suspicion(lake, ticket).facts, state, at, motive, corrected_by=corrected_by)
    with lake.transaction() as publication:
        put(publication, row)
    return suspicion(lake, ticket)


def suspicion(lake: Lake, ticket: str) -> Suspicion:
    """A report by its ticket.

    Raises:
        WrongUsage: there is no such report.
        LakeProblem: the lake cannot be read.
    """
    steps = lake.arrow(_STEPS_OF, [ticket]).to_pylist()
    if not steps:
        raise WrongUsage("there is no suspected error of this ticket.", "`dmfa suspect list` tells their tickets.")
    return _suspicion(lake, steps)


def following(
    last: Mapping[str, Any], state: str, at: datetime, motive: str = "", *, corrected_by: int | None = None
) -> dict[str, Any]:
    """The row of the next step of a report, after the row of its last one; as for `settle`.

    Raises:
        WrongUsage: the state cannot follow, a rejection has no motive, or the motive holds the number of a person.
    """
    if state not in NEXT[last["state"]]:
        next_ones = " or ".join(sorted(NEXT[last["state"]]))
        raise WrongUsage(
            f"suspected error {last['ticket']} is {last['state']}: it cannot become {state}.",
            f"It can become {next_ones}." if next_ones else "It is settled; a new report gets a new ticket.",
        )
    if state == REJECTED and not motive.strip():
        raise WrongUsage("a rejection needs its reason, which the recipient is told.", "Give it: --motive TEXT.")
    _no_number(motive, "the motive")
    more = {"state": state, "step": last["step"] + 1, "reached_at": naive(at), "corrected_by": corrected_by}
    if state in _DECIDED:
        more["closed_at"] = naive(at)
    return {**last, **more, "motive": motive.strip() or None}


def put(publication: Publication, *rows: Mapping[str, Any]) -> None:
    """Add steps of reports.

    Args:
        publication: the running transaction.
        rows: rows of exchange.suspicion; what one lacks is null.
    """
    publication.append(TABLES["suspicion"], pl.DataFrame(rows, schema=schema("suspicion")))


def suspicions(lake: Lake, state: str | None = None) -> Iterator[Suspicion]:
    """All reports, or those in a state, in the order of their receipt."""
    rows = lake.arrow(_STEPS).to_pylist()
    for _, steps in groupby(rows, key=lambda row: row["ticket"]):
        found = list(steps)
        if state in (None, found[-1]["state"]):
            yield _suspicion(lake, found)


def masked(text: str | None) -> str | None:
    """A value as a list may show it: the number of a person is not told."""
    return None if text is None else ELEVEN_DIGITS.sub("(a person's number)", text)


def _suspicion(lake: Lake, steps: Sequence[Mapping[str, Any]]) -> Suspicion:
    last = steps[-1]
    corrected_by = last.get("corrected_by")  # a lake that an earlier program made lacks it until it is written to
    had: tuple[str, ...] = ()
    if last["state"] in (ACCEPTED, CORRECTED):
        had = tuple(lake.arrow(_TO_BE_TOLD, [last["attestation"], GIVEN, corrected_by]).column(0).to_pylist())
    told = tuple({name: step[name] for name in ("state", "reached_at", "motive")} for step in steps)
    return Suspicion(last["ticket"], last["state"], last, told, had, corrected_by)


def _checked(told: Report) -> None:
    """What can be said of a report without the lake."""
    if not any(int(told.reason) in codes for codes in REASONS.values()):
        known = ", ".join(f"{codes[0]:02d} to {codes[-1]} ({whose})" for whose, codes in REASONS.items())
        raise WrongUsage(f"there is no reason {told.reason}.", f"Reasons are {known}.")
    if told.proposed == (told.seen or ""):
        raise WrongUsage("the value proposed is the value seen.", "Say what it should be.")
    if (told.ordinal is None) != (told.block in _LONE):
        many = "its number in the attestation: ordinal, from 0" if told.ordinal is None else "it without ordinal"
        raise WrongUsage(f"block {told.block} is not named rightly.", f"Give {many}.")
    _no_number(told.explanation, "the explanation")


def _no_number(text: str, what: str) -> None:
    for found in _MAY_BE_A_NUMBER.findall(text):
        if insz_valid(int(re.sub(r"\D", "", found))):
            raise WrongUsage(f"{what} holds the number of a person.", "Leave it out: the attestation tells who it is.")


def parted(zone_path: str) -> tuple[str, int | None, str]:
    """Block, its number in the attestation if it has one, and zone of a path.

    Examples:
        >>> parted("Remun[2]/RemunAmount"), parted("NaturalPerson/INSS")
        (('Remun', 2, 'RemunAmount'), ('NaturalPerson', None, 'INSS'))
    """
    place, _, zone = zone_path.partition("/")
    block, _, number = place.rstrip("]").partition("[")
    return block, int(number) if number else None, zone


def elsewhere(facts: Mapping[str, Any]) -> str | None:
    """How a zone in doubt is put right where no proposed value corrects it; None where one does.

    Args:
        facts: a row of exchange.suspicion.
    """
    block, _, zone = parted(facts["zone_path"])
    return ELSEWHERE.get((block, zone))


def waits(facts: Mapping[str, Any]) -> bool:
    """Whether a report, once accepted, waits for the employer: nothing is proposed, or no value corrects its zone.

    Args:
        facts: a row of exchange.suspicion.
    """
    return facts["suggested_value"] is None or elsewhere(facts) is not None


def _received(lake: Lake, told: Report) -> dict[str, Any]:
    """The newest row of the log by which the recipient received what it doubts."""
    rows: list[dict[str, Any]] = lake.arrow(_RECEIVED, [told.attestation, told.recipient, GIVEN]).to_pylist()
    if not rows:
        raise WrongUsage(
            f"{told.recipient} has not received an attestation of this number.", "Give the number as it was received."
        )
    of_version = [row for row in rows if told.version in (None, row["version"])]
    if not of_version:
        known = ", ".join(str(version) for version in sorted({row["version"] for row in rows}))
        raise WrongUsage(f"{told.recipient} has not received version {told.version}.", f"It received version {known}.")
    newest = max(row["version"] for row in of_version)
    column = f"{snake_case(told.block)}.{snake_case(told.zone)}"
    for row in of_version:
        within = told.block in (row["blocks"] or "").split(",")
        # What the row of authorisation lists today; of one that is gone only the blocks are known.
        if row["version"] == newest and within and (row["zones"] is None or column in row["zones"]):
            return row
    raise WrongUsage(f"{told.recipient} has not received {told.block}/{told.zone}.", "Only what was given is doubted.")


def _compare(lake: Lake, told: Report, received: Mapping[str, Any], xsd: Path | None) -> None:
    """Refuse a report of a value that was never given."""
    known = attestations(lake, received["inss"], quarter=received["quarter"], block=told.block, others=True, xsd=xsd)
    versions = {
        version.version: version.blocks for one in known if one.number == told.attestation for version in one.versions
    }
    blocks = versions.get(received["version"])
    node = None if blocks is None else _node(blocks, told)
    if node is None:
        raise WrongUsage(
            f"the attestation has no {told.zone_path.partition('/')[0]}.", "Count from 0, as in its files."
        )
    value = next((str(zone["value"]) for zone in node["zones"] if zone["zone"] == told.zone), None)
    if value != told.seen:
        raise WrongUsage(
            f"the value seen is not the one given in {told.zone_path}.",
            "Write it as it stands in the files: amounts in cents, codes and numbers with their leading zeros.",
        )


def _node(blocks: Node, told: Report) -> Node | None:
    waiting = [blocks]
    while waiting:
        node = waiting.pop()
        if node["block"] == told.block and told.ordinal in (None, node.get("ordinal")):
            return node
        waiting += node["blocks"]
    return None


def content(told: Report) -> dict[str, Any]:
    """A report as plain data, from which its ticket follows."""
    return asdict(told)
