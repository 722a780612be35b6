"""Messages about what the NSSO corrected by itself: what was declared, what holds now, and the account."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import polars as pl

from dmfa.answers import ANSWER_SCHEMA, answer_name, system_accounts, system_changes
from dmfa.corrections.applied import Applied
from dmfa.corrections.differences import STEP, compare, earlier, later
from dmfa.corrections.state import DECLARATION, PERSON, with_pids
from dmfa.lake import RECEIVED, Lake, Publication
from dmfa.pid import declaration_pid
from dmfa.schema import lake_tables, ordinal
from flows.settings import Settings
from flows.stages.corrected_amounts import overviews
from flows.stages.versions import frame, new_versions

_ANSWER = next(spec for spec in RECEIVED if spec.name == "answer")
_NUMBERS = ("noss_registration_nbr", "company_id")
_KEYS: Final = ["declaration_id", "quarter"]


def tell(
    lake: Lake,
    publication: Publication,
    applied: Applied,
    filing: Mapping[str, Any],
    settings: Settings,
    *,
    place: tuple[int, int, int],
    why: str | None = None,
) -> int:
    """Write the messages about some declarations, one notification and one account each.

    Args:
        lake: in the transaction that corrects them, with their amounts.
        publication: the transaction.
        applied: what corrects them.
        filing: the filing of these corrections, as a row of received.filing.
        settings: those of the run.
        place: sequence of the messages in the day, how many declarations were told of before, and how many are in all.
        why: the reason in words, if there is one to tell.

    Returns:
        How many declarations were told of.

    Raises:
        LakeProblem: the lake's disk is full, or it cannot be read or written.
    """
    number, before, parts = place
    tables = lake_tables(settings.xsd)
    history = lake.keyed("history")

    def read(table: str, keys: pl.DataFrame) -> pl.DataFrame:
        return history.rows(table, None, keys)

    was = earlier(read, applied.replaced, tables)
    compared, declared = compare(was, later(applied.rows, tables), tables), compare(was, was, tables)
    made = applied.rows[DECLARATION].sort("declaration_id")
    keys = made.select(_KEYS)
    top = history.rows(DECLARATION, [*_KEYS, "version", *_NUMBERS], keys)
    first = top.filter(pl.col("version") == pl.col("version").min().over("declaration_id"))
    pids = first.select("declaration_id", pid=declaration_pid(*map(pl.col, (*_NUMBERS, "quarter"))))
    numbers = history.rows(PERSON, [*_KEYS, "version", "status", ordinal(PERSON), "inss"], keys)
    tickets = lake.keyed("received").rows("form", ["declaration_id", "ticket"], keys.select("declaration_id"))
    steps = (
        made.select(*_KEYS, *_NUMBERS, pl.col("version").alias(STEP))
        .join(pids, on="declaration_id")
        .join(tickets, on="declaration_id", how="left", maintain_order="left")
        .with_columns(
            # A declaration that was not taken in here has no Form: then that of these corrections is named.
            ticket=pl.coalesce("ticket", pl.lit(filing["ticket"])),
            form_id="declaration_id",
            form_index=pl.int_range(before, before + pl.len()),
            theirs=pl.lit(None, pl.String),
            justification=pl.lit(why, pl.String),
            **{name: pl.lit(filing[name]) for name in ("filing_id", "sha256", "received_at")},
        )
    )
    ledger = frame(
        lake.arrow(
            "SELECT a.declaration_id, a.version, debit_cents, credit_cents FROM lake.computed.employer_account a"
            " JOIN made m ON m.declaration_id = a.declaration_id AND m.version = a.version AND m.quarter = a.quarter",
            beside={"made": made.select(*_KEYS, "version")},
        )
    )
    answers = [
        system_changes(steps, compared, declared, persons=with_pids(numbers, top), ledger=ledger),
        system_accounts(steps, overviews(new_versions(lake, made.select(*_KEYS, "version"), settings))),
    ]
    day = filing["received_at"].date()
    for written in answers:
        names = [
            answer_name(kind, day, number, settings.environment, part=before + part, parts=parts)
            for part, kind in enumerate(written["kind"], 1)
        ]
        named = written.select(list(ANSWER_SCHEMA)).with_columns(name=pl.Series(names, dtype=pl.String))
        publication.append_parts(_ANSWER, [named])
    return steps.height
