"""Answers to corrections: the notification, what was changed, and what that does to the account."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from dmfa.answers.account import accounts
from dmfa.answers.changes import changes
from dmfa.answers.filings import ANSWER_SCHEMA, supplemented
from dmfa.answers.names import answer_names
from dmfa.corrections.applied import APPLIED, WAITING, Applied
from dmfa.corrections.differences import compare, earlier, later
from dmfa.corrections.shape import Corrections
from dmfa.corrections.state import DECLARATION, PERSON, State, with_pids
from dmfa.schema import ordinal
from flows.stages.corrected_amounts import Amounts, overviews

if TYPE_CHECKING:
    from dmfa.lake import Histories
    from dmfa.reading.plan import Plan
    from flows.stages.versions import Part


@dataclass(frozen=True)
class Handled:
    """Some corrections and what became of them.

    Attributes:
        corrections: what is asked.
        filings: filing_id, sha256, name, received_at, declarations (how many Forms) and receipt (name of the answer
            that told of its receipt) of the filings that they came in.
        state: what was known before.
        applied: what applying them gave.
        histories: all rows of the units that they touch, with those that they bring.
    """

    corrections: Corrections
    filings: pl.DataFrame
    state: State
    applied: Applied
    histories: Histories

    @property
    def made(self) -> pl.DataFrame:
        """Of each Form that was applied form_id, quarter, declaration_id and version."""
        return self.applied.outcomes.filter(pl.col("state") == APPLIED)


def answers_to(
    handled: Handled, notified: pl.DataFrame, new: Sequence[Part], amounts: Iterable[Amounts], plan: Plan
) -> pl.DataFrame:
    """Write the answers to corrections that were just applied or refused.

    Args:
        handled: the corrections.
        notified: columns of `dmfa.answers.ANSWER_SCHEMA`: the notifications that were written when the Forms were read.
        new: the versions that they made.
        amounts: what these amount to.
        plan: what the tables of a declaration hold.

    Returns:
        Columns of `dmfa.answers.ANSWER_SCHEMA` and name: for each decided Form its NOTI; for each applied one what was
        changed, and its account.
    """
    found = [_notifications(handled, notified, plan)]
    if handled.made.height:
        found += [
            _changes(handled, amounts),
            accounts(handled.filings, handled.corrections, handled.made, overviews(new)),
        ]
    return _named(pl.concat([answers.select(list(ANSWER_SCHEMA)) for answers in found]), handled)


def _notifications(handled: Handled, notified: pl.DataFrame, plan: Plan) -> pl.DataFrame:
    """The notifications of decided Forms, with what was found since."""
    outcomes = handled.applied.outcomes.filter(pl.col("state") != WAITING)
    decided = outcomes.select(declaration_id="form_id")
    written = notified.join(decided, on="declaration_id", how="semi", maintain_order="left")
    told = handled.applied.anomalies.join(decided, on="declaration_id", how="semi", maintain_order="left")
    more = pl.col("declaration_id").is_in(told["declaration_id"].unique().implode())
    corrections = handled.corrections
    later_on = supplemented(written.filter(more), corrections.forms, told, corrections.declared, plan)
    return pl.concat([written.filter(~more), later_on.select(written.columns)])


def _changes(handled: Handled, amounts: Iterable[Amounts]) -> pl.DataFrame:
    state, rows = handled.state, handled.applied.rows
    held = handled.histories.rows
    nothing = {table.name: table.arrow_schema for table in state.tables}

    def read(table: str, _: pl.DataFrame) -> pl.DataFrame:
        return held[table] if table in held else pl.DataFrame(nothing[table].empty_table())

    compared = compare(earlier(read, handled.applied.replaced, state.tables), later(rows, state.tables), state.tables)
    persons = [state.rows[PERSON], *([rows[PERSON]] if PERSON in rows else ())]
    numbers = pl.concat([some.select("declaration_id", ordinal(PERSON), "version", "inss") for some in persons])
    booked = ["declaration_id", "version", "debit_cents", "credit_cents"]
    return changes(
        handled.filings,
        handled.corrections,
        handled.made,
        compared,
        persons=with_pids(numbers, state.rows[DECLARATION]),
        ledger=pl.concat([part.entries.select(booked) for part in amounts]),
    )


def _named(answers: pl.DataFrame, handled: Handled) -> pl.DataFrame:
    """Answers with their names, which follow from the receipt of their filing and the place of the Form in it."""
    places = handled.corrections.forms.select("declaration_id", "form_index")
    told = answers.join(places, on="declaration_id", how="left", maintain_order="left").join(
        handled.filings.select("filing_id", "receipt", "declarations"),
        on="filing_id",
        how="left",
        maintain_order="left",
    )
    names = answer_names(pl.col("receipt"), pl.col("kind"), part=pl.col("form_index") + 1, parts=pl.col("declarations"))
    return answers.with_columns(told.select(name=names))
