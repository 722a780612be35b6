"""What a run prints when it ends: what was received, what was refused and why, the amounts, and where it all is."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from dmfa.errors import DmfaError
from dmfa.lake import Lake
from dmfa.money import euro
from dmfa.quarter import Quarter
from flows import console
from flows.report import queries
from flows.report.unknown import gaps_of_classes, sizes_unknown
from flows.report.words import amount_words, anomaly_words
from flows.settings import Settings
from flows.stages.answers import FOLDER
from flows.stages.compute import Recomputed

if TYPE_CHECKING:  # who only takes filings in does not wait for what gives them out
    from dmfa.extracts import Delivery
    from flows.stages.extract import Extracted
    from flows.stages.ingest import Ingested
    from flows.stages.whole import Whole

SHOWN = 20
"""Lines of a list on a terminal; the lake holds all."""

CODES_SHOWN = 40
"""Anomaly codes told on a terminal, those first that refuse most."""

_QUERIES = (
    (
        "What was refused, and why",
        "SELECT name, state, reason FROM received.filing WHERE state <> 'accepted' ORDER BY name",
    ),
    (
        "Where declared and computed differ most",
        "SELECT kind, code, worker_code, declared_cents, computed_cents FROM computed.difference",
        "WHERE outcome IN ('differs', 'missing')",
        "ORDER BY abs(coalesce(declared_cents, 0) - computed_cents) DESC LIMIT 10",
    ),
    (
        "Pay by joint committee",
        "SELECT joint_commission_nbr, count(DISTINCT declaration_id) AS employers,",
        "sum(remun_amount) / 100 AS euro",
        "FROM occupation JOIN remun USING (declaration_id, quarter, occupation_ordinal)",
        "GROUP BY 1 ORDER BY euro DESC LIMIT 10",
    ),
)
"""What each asks, in words, then its SQL, line by line."""


def show(quarter: Quarter, result: Whole, settings: Settings) -> None:
    """Report a whole run."""
    _received(result.ingest)
    with Lake.open(settings.lake) as lake:
        _anomalies(lake, quarter)
        _amounts(lake, quarter)
        if settings.system_corrections != "off":
            from flows.stages import system_corrections  # few runs do

            system_corrections.show(system_corrections.Corrected(quarter, system_corrections.propose(lake, quarter)))
    show_extracts(result.extract, settings, end=False)
    places: list[tuple[str, object]] = [("lake", settings.lake), ("files received", settings.received)]
    places.append(("answers to senders", settings.out / FOLDER))
    if result.extract.deliveries:
        places.append(("extracts", settings.out / "extracts"))
    if result.page:
        places.append(("report", result.page))
    console.table("Where it is", ("what", "where"), places)
    console.say("To go on:")
    lake_option = "" if settings.lake == Settings.lake else f" --lake {shlex.quote(settings.lake)}"
    for words, *lines in _QUERIES:
        console.say(f"  # {words}")
        console.say(f'  dmfa sql{lake_option} "' + "\n            ".join(lines) + '"')
    console.say()
    _control(result.ingest)


def show_ingest(result: Ingested, settings: Settings) -> None:
    """Report an ingest."""
    _received(result)
    console.say(f"lake: {settings.lake}; answers to senders: {settings.out / FOLDER}")
    _control(result)


def show_compute(quarter: Quarter, result: Recomputed, settings: Settings) -> None:
    """Report a computation."""
    with Lake.open(settings.lake) as lake:
        _amounts(lake, quarter)
    changed = "the amounts in the lake are new" if result.changed else "the amounts in the lake were the same already"
    console.say(f"{result.declarations:,} declarations of {quarter} computed; {changed}")


def show_extracts(result: Extracted, settings: Settings, *, end: bool = True) -> None:
    """Report what was given out."""
    console.table(
        "Extracts",
        ("extract", "recipient", "authorisation", "attestations", "state"),
        (
            (
                delivery.extract,
                delivery.recipient,
                delivery.authorisation.id,
                f"{delivery.attestations:,}",
                _state_of(delivery),
            )
            for delivery in result.deliveries
        ),
        right=(3,),
    )
    for notice in result.notices:
        console.say(notice)
    if end and settings.authorisations is not None:
        given = sum(delivery.attestations for delivery in result.deliveries if delivery.changed)
        told = "nothing is given"
        if result.deliveries:
            told = f"{given:,} attestations given and logged; {result.deliveries[0].out}"
        console.say(f"control: {len(result.deliveries):,} extracts; {told}")


def _state_of(delivery: Delivery) -> str:
    """What was done for one recipient, in words."""
    if delivery.changed:
        words = {name: number for name, number in (delivery.manifest.get("changes") or {}).items() if number}
        told = ", ".join(f"{number:,} {name}" for name, number in words.items())
        return f"delivered: {told} of {delivery.quarter}" if told else "delivered"
    return "nothing new" if delivery.authorisation.gives_changes else "in place already"


def _received(result: Ingested) -> None:
    console.table(
        f"Received: {result.received:,} filings",
        ("filings", "number"),
        [
            ("accepted", f"{result.states['accepted']:,}"),
            ("refused", f"{result.states['refused']:,}"),
            ("not processed (kept for later)", f"{result.states['not_processed']:,}"),
            *_asides(result),
        ],
        right=(1,),
    )
    console.table("Refused, and why", ("filing", "code", "why"), _first(result.refusals), right=())
    _corrections(result)
    for name, reason in result.unreadable:
        console.complain(DmfaError(f"{name} is left out: {reason}"))
    for name, reason in result.warned[:SHOWN]:
        console.say(f"warned of: {name}: {reason}")
    for name in result.gathered.waiting[:SHOWN]:
        console.say(f"waiting: {name} is taken in once its go file (GO) and all its parts are there")
    for name in result.gathered.cancelled[:SHOWN]:
        told = (
            "was received before its sender cancelled it, and stays" if name in result.too_late else "is cancelled (TD)"
        )
        console.say(f"cancelled: {name} {told}")
    for environment, many in sorted(result.gathered.elsewhere.items()):
        console.say(
            f"{many:,} filings of environment {environment} left aside: take them in with "
            f"DMFA_ENVIRONMENT={environment} and a lake of their own"
        )
    for name in result.conflicts[:SHOWN]:
        console.say(f"conflict: {name} stands on the ledger with other bytes; both are kept")
    for name, first in result.repeated[:SHOWN]:
        console.say(f"{name} is the same, byte for byte, as {first}; it stands on the ledger once")


def _corrections(result: Ingested) -> None:
    """What became of corrections: those of the run, and those of earlier ones whose original came with it."""
    counts, late = result.corrected.counts, result.corrected.late
    if total := counts.total():
        console.say(
            f"corrections: {total:,} = {counts['applied']:,} applied + {counts['refused']:,} refused"
            f" + {counts['waiting']:,} waiting for their original"
        )
    if late:
        console.say(
            f"corrections that waited: {late.total():,} taken up now that their original is there"
            f" = {late['applied']:,} applied + {late['refused']:,} refused"
        )
    for name in result.corrected.lost[:SHOWN]:
        console.say(f"waiting: the bytes of {name} are no longer kept; its sender has to send it anew, in other bytes")


def _asides(result: Ingested) -> Iterator[tuple[str, str]]:
    for words, number in (
        ("on the ledger before", result.known),
        ("of it taken over from an interrupted run", result.taken_over),
        ("twice in this run, byte for byte", len(result.repeated)),
        ("unreadable, left out", len(result.unreadable)),
        ("waiting for their go file", len(result.gathered.waiting)),
        ("cancelled by their sender", len(result.gathered.cancelled)),
        ("of another environment, left aside", result.gathered.elsewhere.total()),
        ("with a signature that is missing or does not hold, warned of", len(result.warned)),
        ("signatures, go files and cancellations beside them", len(result.sources.companions)),
        ("of them without a declaration", result.gathered.alone),
        ("other files, left alone", result.sources.left_alone),
    ):
        if number:
            yield words, f"{number:,}"


def _first(refusals: Iterable[object]) -> Iterator[tuple[str, str, str]]:
    refusals = list(refusals)
    for refusal in refusals[:SHOWN]:
        yield refusal.name, refusal.code, refusal.message  # type: ignore[attr-defined]
    if len(refusals) > SHOWN:
        yield "", "", f"... and {len(refusals) - SHOWN:,} more: see received.anomaly"


def _anomalies(lake: Lake, quarter: Quarter) -> None:
    """By code, those that refuse first; of the quarter as it stands, so a second run tells the same."""
    found = queries.anomalies(lake, quarter)
    console.table(
        f"Anomalies by code, {quarter}: class B refuses",
        ("code", "class", "what it is", "anomalies", "filings"),
        [
            (one.code, one.severity, anomaly_words(one), f"{one.anomalies:,}", f"{one.filings:,}")
            for one in found[:CODES_SHOWN]
        ],
        right=(3, 4),
    )
    if len(found) > CODES_SHOWN:
        console.say(f"... and {len(found) - CODES_SHOWN:,} more codes: see received.anomaly")


def _account(lake: Lake, quarter: Quarter) -> None:
    console.table(
        f"Account, {quarter}: what is owed as declared, and what corrections changed, in euro",
        ("entry", "entries", "declarations", "debit", "credit", "net", "net computed"),
        [
            (
                one.entry,
                f"{one.entries:,}",
                f"{one.declarations:,}",
                *map(euro, (one.debit, one.credit, one.debit - one.credit, one.computed)),
            )
            for one in queries.entries(lake, quarter)
        ],
        right=range(1, 7),
    )


def _amounts(lake: Lake, quarter: Quarter) -> None:
    _account(lake, quarter)
    amounts = queries.amounts(lake, quarter)
    for kind in ("contribution", "deduction"):
        _compared(
            f"Declared against computed, {quarter}: {kind}s, in euro", [one for one in amounts if one.kind == kind]
        )
    if amounts:
        console.say("rows that are equal (a cent apart, or within bounds), that differ, or that have none: no amount")
    totals = queries.totals(lake, quarter)
    if totals.declared:
        per_mille = totals.covered * 1000 // totals.declared
        console.say(f"{per_mille // 10}.{per_mille % 10} % of the contributions declared are computed anew")
    console.table(
        "Not computable, and why",
        ("why", "codes", "rows", "declared"),
        ((gap.reason, gap.codes, f"{gap.rows:,}", euro(gap.declared)) for gap in queries.gaps(lake, quarter)),
        right=(2, 3),
    )
    of_classes = gaps_of_classes(lake, quarter)
    console.table(
        f"Not computable, {quarter}: by code and employer class",
        ("code", "why", "rows", "declared", "rows by employer class"),
        ((one.label, one.reason, f"{one.rows:,}", euro(one.declared), one.classes) for one in of_classes[:SHOWN]),
        right=(2, 3),
    )
    if len(of_classes) > SHOWN:
        console.say(f"... and {len(of_classes) - SHOWN:,} more: see computed.difference")
    console.table(
        "Priced as declared, though the size of the employer is not known, and with it the right to the type",
        ("code", "rows", "employers"),
        ((one.code, f"{one.rows:,}", f"{one.employers:,}") for one in sizes_unknown(lake, quarter)),
        right=(1, 2),
    )


def _compared(title: str, amounts: Iterable[queries.Amounts]) -> None:
    console.table(
        title,
        ("code", "what it is", "declared", "computed", "difference", "equal", "differ", "none"),
        (
            (
                one.label,
                amount_words(one),
                euro(one.declared),
                euro(one.computed) if one.covered or one.computed else "-",
                euro(one.difference) if one.difference else "-",
                *(f"{rows:,}" if rows else "-" for rows in (one.equal + one.close, one.differing, one.not_computable)),
            )
            for one in amounts
        ),
        right=range(2, 8),
    )


def _control(result: Ingested) -> None:
    states, counts = result.states, result.counts
    console.say(
        f"control: {result.received:,} filings received = {states['accepted']:,} accepted + {states['refused']:,}"
        f" refused + {states['not_processed']:,} not processed; {counts['declarations']:,} declarations,"
        f" {counts['accepted']:,} accepted: {counts['persons']:,} persons, {counts['lines']:,} lines, wages"
        f" {euro(counts['wages'])}, contributions declared {euro(counts['declared'])}, of it"
        f" {euro(counts['covered'])} computed anew as {euro(counts['computed'])}"
    )
