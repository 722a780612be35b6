"""Suspected errors that are accepted: the correction that the institution makes of them.

What a recipient proposed becomes a version of the declaration like any other, in the transaction that accepts its
report: kept as a filing, by its digest, with its amounts, its entry in the account and the messages to the employer.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

import polars as pl

from dmfa.checks import Context
from dmfa.checks.corrections import refusing
from dmfa.corrections.applied import Applied
from dmfa.corrections.renewal import renewed
from dmfa.corrections.state import DECLARATION, PERSON, state_of_lines
from dmfa.errors import WrongUsage
from dmfa.extracts.proposals import Value, value_of
from dmfa.extracts.suspicions import ACCEPTED, CORRECTED, Suspicion, following, parted, put, suspicion, waits
from dmfa.lake import Lake
from dmfa.quarter import Quarter
from dmfa.schema import LINE, lake_tables, ordinal, unit_of
from flows.settings import Settings
from flows.stages.answers import next_number, put_answers
from flows.stages.doubted import Doubted, doubted
from flows.stages.own_corrections import bring
from flows.stages.own_filing import own_filing, publishing, put_filing
from flows.stages.reference import references
from flows.stages.versions import SUSPECTED

_BROUGHT: Final = "SELECT filing_id FROM lake.received.filing WHERE name = ? AND kind = ?"


def accept(lake: Lake, ticket: str, motive: str, settings: Settings) -> Suspicion:
    """Accept a report, and make the correction that it proposes; one that proposes none waits for its employer.

    What was accepted before stays as it is: only messages that are missing are put back.

    Args:
        lake: open for writing, with the tables of schemas computed and reference.
        ticket: the report's ticket.
        motive: why.
        settings: those of the run.

    Raises:
        WrongUsage: there is no such report, it is not taken up, the attestation was corrected meanwhile, or the
            declaration would be refused with the value proposed; the message repeats no value.
        LakeProblem: the lake cannot be read or written; nothing was changed.
    """
    found = suspicion(lake, ticket)
    if found.state in (ACCEPTED, CORRECTED):
        for filing_id in lake.arrow(_BROUGHT, [_name(ticket), SUSPECTED]).column(0).to_pylist():
            put_answers(lake, filing_id, settings)
        return found
    now = datetime.now(UTC)
    accepted = following(found.facts, ACCEPTED, now, motive)
    doubt = doubted(lake, found.facts, settings.xsd)
    if not doubt.stands:
        raise WrongUsage(
            f"{found.facts['zone_path']} no longer holds what was received: the attestation was corrected meanwhile"
            f" (version {doubt.version}).",
            "Reject the report, and say so; who still doubts it reports what the correction gave.",
        )
    if waits(found.facts):
        with lake.transaction() as publication:
            put(publication, accepted)
        return suspicion(lake, ticket)
    block, _, label = parted(found.facts["zone_path"])
    value = value_of(block, label, found.facts["suggested_value"], doubt.quarter, settings.xsd)
    _must_pass(doubt, value, settings)
    data = (json.dumps(_told(found.facts, doubt), ensure_ascii=False) + "\n").encode()
    why = f"suspected error {ticket}, reason {found.facts['reason_code']}"
    filing = own_filing(_name(ticket), data, SUSPECTED, settings, reason=why)
    with publishing(lake, filing, data) as publication:
        put_filing(publication, filing, doubt.quarter)
        place = (next_number(filing["received_at"].date(), lake), 0, 1)
        known = references(lake, [doubt.quarter])
        made = _corrected(lake, doubt, value, filing, settings)
        bring(lake, publication, made, filing, settings, known=known, place=place, why=why, judged=True)
        version = made.rows[PERSON]["version"].item()
        put(publication, accepted, following(accepted, CORRECTED, now, motive, corrected_by=version))
    put_answers(lake, filing["filing_id"], settings)
    return suspicion(lake, ticket)


def corrected_since(lake: Lake, ticket: str, settings: Settings) -> int:
    """The version of the attestation by which its employer corrected what an accepted report doubts.

    Raises:
        WrongUsage: there is no such report, it does not wait, or what it doubts still stands.
        LakeProblem: the lake cannot be read.
    """
    found = suspicion(lake, ticket)
    following(found.facts, CORRECTED, datetime.now(UTC))
    doubt = doubted(lake, found.facts, settings.xsd)
    if doubt.stands:
        raise WrongUsage(
            f"{found.facts['zone_path']} still holds what was received: no correction of it has come.",
            "It waits; `dmfa history` tells the versions of the declaration.",
        )
    return doubt.version


def _name(ticket: str) -> str:
    return f"suspected-error-{ticket}.json"


def _told(facts: Mapping[str, Any], doubt: Doubted) -> dict[str, Any]:
    """What is kept of the correction; the person by its place in the declaration."""
    return {
        "suspicion": facts["ticket"],
        "recipient": facts["recipient"],
        "reason": facts["reason_code"],
        "quarter": str(Quarter.from_code(doubt.quarter)),
        "employer": doubt.employer,
        "person": doubt.person + 1,
        "zone": facts["zone_path"],
        "version": facts["version"],
        "seen": facts["seen_value"],
        "corrected": facts["suggested_value"],
    }


def _key(doubt: Doubted, name: str) -> pl.DataFrame:
    """The key of a row around or of the block in doubt: declaration_id and an ordinal; the declaration has none."""
    key: dict[str, object] = {"declaration_id": doubt.declaration}
    if name != DECLARATION and doubt.row is not None:
        key[ordinal(name)] = doubt.person if name == PERSON else doubt.row[ordinal(name)]
    return pl.DataFrame([key], schema={name: pl.Int64 if name == "declaration_id" else pl.Int32 for name in key})


def _corrected(lake: Lake, doubt: Doubted, value: Value, filing: Mapping[str, Any], settings: Settings) -> Applied:
    """The new version."""
    lines = doubt.frames[LINE].select("declaration_id", "quarter", ordinal(PERSON), ordinal(LINE))
    state = state_of_lines(lines, lake.keyed("history"), lake_tables(settings.xsd))
    # Whatever is corrected, it is the attestation that gets a version.
    unit = LINE if unit_of(doubt.table.arrow_schema.names)[0] == LINE else PERSON
    fix = _key(doubt, doubt.table.name).with_columns(value=pl.lit(value))
    fixes = {(doubt.table.name, doubt.zone.column): fix}
    return renewed(state, {unit: _key(doubt, unit)}, fixes, filing["filing_id"], filing["received_at"])


def _must_pass(doubt: Doubted, value: Value, settings: Settings) -> None:
    """Refuse a value with which the person would not be accepted from an employer either.

    Raises:
        WrongUsage: a correction by the employer that said so would be refused; the message tells the codes.
    """
    context = Context(
        settings.received_on,
        {table.name: table.block.name for table in lake_tables(settings.xsd)},
        validator_only=settings.checks == "validator",
        lenient_identifiers=settings.lenient_identifiers,
        refuse_prescribed=settings.prescription == "refuse",
        limitation_years=settings.limitation_years,
    )
    tables = {table.name: pl.DataFrame(table.arrow_schema.empty_table()) for table in lake_tables(settings.xsd)}
    tables |= doubt.frames
    rows = tables[doubt.table.name]
    name, key = doubt.zone.column, _key(doubt, doubt.table.name)
    mine = pl.all_horizontal(pl.col(column) == key[column].item() for column in key.columns)
    fixed = pl.when(mine).then(pl.lit(value).cast(rows.schema[name])).otherwise(name).alias(name)
    corrected = tables | {doubt.table.name: rows.with_columns(fixed)}
    new = sorted({str(code) for code, *_ in refusing(corrected, context) - refusing(tables, context)})
    if new:
        raise WrongUsage(
            f"with the value proposed, a correction by the employer would be refused: {', '.join(new)}.",
            "Reject the report, or let the employer correct what else is to be corrected with it.",
        )
