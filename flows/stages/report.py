"""What a run prints when it ends: what was received and why it was refused, declared against computed, where it all is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from dmfa.errors import DmfaError
from dmfa.lake import Lake
from dmfa.money import euro
from dmfa.quarter import Quarter
from flows import console
from flows.settings import Settings
from flows.stages.compute import Recomputed
from flows.stages.extract import Extracted
from flows.stages.ingest import Ingested
from flows.stages.whole import Whole

SHOWN = 20
"""Lines of a list on a terminal; the lake holds all."""

_BY_CODE = """
SELECT kind, code, type, count(*) AS rows,
    sum(declared_cents)::BIGINT AS declared,
    sum(CASE WHEN outcome <> 'not computable' THEN declared_cents END)::BIGINT AS covered,
    sum(computed_cents)::BIGINT AS computed,
    count(*) FILTER (WHERE outcome = 'equal') AS equal,
    count(*) FILTER (WHERE outcome = 'rounding') AS rounding,
    count(*) FILTER (WHERE outcome IN ('differs', 'missing', 'superfluous')) AS differing,
    count(*) FILTER (WHERE outcome = 'not computable') AS not_computable
FROM lake.computed.difference WHERE quarter = ? GROUP BY kind, code, type ORDER BY kind, code, type
"""
_BY_REASON = """
SELECT reason, count(*) AS rows, sum(declared_cents)::BIGINT AS declared, string_agg(DISTINCT code, ' ' ORDER BY code)
    AS codes
FROM lake.computed.difference WHERE quarter = ? AND outcome = 'not computable' GROUP BY reason ORDER BY rows DESC, reason
"""
_QUERIES = (
    (
        "What was refused, and why",
        "SELECT name, state, reason FROM received.filing WHERE state <> 'accepted' ORDER BY name",
    ),
    (
        "Where declared and computed differ",
        "SELECT kind, code, worker_code, declared_cents, computed_cents, outcome FROM computed.difference"
        " WHERE outcome IN ('differs', 'missing') ORDER BY abs(coalesce(declared_cents, 0) - computed_cents) DESC LIMIT 10",
    ),
    (
        "Pay by joint committee",
        "SELECT joint_commission_nbr, count(DISTINCT declaration_id) AS employers, sum(remun_amount) / 100 AS euro"
        " FROM occupation JOIN remun USING (declaration_id, quarter, occupation_ordinal) GROUP BY 1 ORDER BY euro DESC LIMIT 10",
    ),
)


def show(quarter: Quarter, result: Whole, settings: Settings) -> None:
    """Report a whole run."""
    _received(result.ingest)
    with Lake.open(settings.lake) as lake:
        _amounts(lake, quarter)
    show_extracts(result.extract, settings, end=False)
    places = [("lake", settings.lake), ("files received", f"{settings.lake}/received")]
    if result.extract.deliveries:
        places.append(("extracts", settings.out / "extracts"))
    console.table("Where it is", ("what", "where"), places)
    console.say("To go on:")
    for words, query in _QUERIES:
        lake = "" if settings.lake == Settings.lake else f" --lake {settings.lake}"
        console.say(f"  # {words}")
        console.say(f'  dmfa sql{lake} "{query}"')
    console.say()
    _control(result.ingest)


def show_ingest(result: Ingested, settings: Settings) -> None:
    """Report an ingest."""
    _received(result)
    console.say(f"lake: {settings.lake}")
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
        ("extract", "recipient", "authorisation", "attestations", "state", "folder"),
        (
            (
                delivery.extract,
                delivery.recipient,
                delivery.authorisation.id,
                f"{delivery.attestations:,}",
                "delivered" if delivery.changed else "in place already",
                delivery.folder,
            )
            for delivery in result.deliveries
        ),
        right=(3,),
    )
    for notice in result.notices:
        console.say(notice)
    if end and result.deliveries:
        given = sum(delivery.attestations for delivery in result.deliveries if delivery.changed)
        console.say(
            f"control: {len(result.deliveries):,} extracts; {given:,} attestations given and logged; {settings.out}"
        )


def _received(result: Ingested) -> None:
    console.table(
        "Received",
        ("filings", "number"),
        [
            ("accepted", f"{result.states['accepted']:,}"),
            ("refused", f"{result.states['refused']:,}"),
            ("not processed (a kind kept for later)", f"{result.states['not_processed']:,}"),
            *_asides(result),
        ],
        right=(1,),
    )
    console.table("Refused, and why", ("filing", "code", "why"), _first(result.refusals), right=())
    for name, reason in result.unreadable:
        console.complain(DmfaError(f"{name} is left out: {reason}"))
    for name in result.conflicts[:SHOWN]:
        console.say(f"conflict: {name} stands on the ledger with other bytes; both are kept")
    for name, first in result.repeated[:SHOWN]:
        console.say(f"{name} is the same, byte for byte, as {first}; it stands on the ledger once")


def _asides(result: Ingested) -> Iterator[tuple[str, str]]:
    for words, number in (
        ("on the ledger before", result.known),
        ("twice in this run, byte for byte", len(result.repeated)),
        ("unreadable, left out", len(result.unreadable)),
        ("signatures and go files beside them", result.sources.companions),
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


def _amounts(lake: Lake, quarter: Quarter) -> None:
    rows = lake.arrow(_BY_CODE, [quarter.code]).to_pylist()
    console.table(
        f"Declared against computed, {quarter} (euro)",
        (
            "kind",
            "code/type",
            "rows",
            "declared",
            "of it computed",
            "computed",
            "equal",
            "1 cent",
            "differ",
            "not computable",
        ),
        (
            (
                row["kind"],
                row["code"] if row["type"] is None else f"{row['code']}/{row['type']}",
                f"{row['rows']:,}",
                euro(row["declared"] or 0),
                euro(row["covered"] or 0),
                euro(row["computed"] or 0),
                f"{row['equal']:,}",
                f"{row['rounding']:,}",
                f"{row['differing']:,}",
                f"{row['not_computable']:,}",
            )
            for row in rows
        ),
        right=range(2, 10),
    )
    totals = Counter[str]()
    for row in rows:
        if row["kind"] == "contribution":
            totals.update(declared=row["declared"] or 0, covered=row["covered"] or 0)
    if totals["declared"]:
        per_mille = totals["covered"] * 1000 // totals["declared"]
        console.say(f"{per_mille // 10}.{per_mille % 10} % of the contributions declared are computed anew")
    console.table(
        "Not computable, and why",
        ("why", "rows", "declared", "codes"),
        (
            (row["reason"], f"{row['rows']:,}", euro(row["declared"] or 0), row["codes"])
            for row in lake.arrow(_BY_REASON, [quarter.code]).to_pylist()
        ),
        right=(1, 2),
    )


def _control(result: Ingested) -> None:
    states, counts = result.states, result.counts
    console.say(
        f"control: {result.received:,} filings received = {states['accepted']:,} accepted + {states['refused']:,} refused"
        f" + {states['not_processed']:,} not processed; {counts['declarations']:,} declarations, {counts['accepted']:,}"
        f" accepted: {counts['persons']:,} persons, {counts['lines']:,} lines, wages {euro(counts['wages'])},"
        f" contributions declared {euro(counts['declared'])}, of it {euro(counts['covered'])} computed anew as"
        f" {euro(counts['computed'])}"
    )
