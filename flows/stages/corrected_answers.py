"""Answers to corrections: the notification, what was changed, and what that does to the account."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from dmfa.answers.account import accounts
from dmfa.answers.changes import changes
from dmfa.answers.filings import ANSWER_SCHEMA, supplemented
from dmfa.answers.notification import KIND as NOTIFICATION
from dmfa.corrections.applied import APPLIED, WAITING, Applied
from dmfa.corrections.differences import compare, earlier, later
from dmfa.corrections.shape import Corrections
from dmfa.corrections.state import DECLARATION, PERSON, State, with_pids
from dmfa.schema import lake_tables
from flows.stages.corrected_amounts import overviews

if TYPE_CHECKING:
    from dmfa.lake import Lake
    from flows.stages.item import Shared
    from flows.stages.versions import Part


@dataclass(frozen=True)
class Handled:
    """Some corrections and what became of them.

    Attributes:
        corrections: what is asked.
        filings: filing_id, sha256, name and received_at of the filings that they came in.
        state: what was known before.
        applied: what applying them gave.
    """

    corrections: Corrections
    filings: pl.DataFrame
    state: State
    applied: Applied

    @property
    def made(self) -> pl.DataFrame:
        """Of each Form that was applied form_id, quarter, declaration_id and version."""
        return self.applied.outcomes.filter(pl.col("state") == APPLIED)


def answers_to(lake: Lake, handled: Handled, new: Sequence[Part], shared: Shared) -> pl.DataFrame:
    """Write the answers to corrections that were just applied or refused, with their amounts in the lake.

    Args:
        lake: in the transaction that applies them.
        handled: the corrections.
        new: the versions that they made.
        shared: what every item needs.

    Returns:
        Columns of `dmfa.answers.ANSWER_SCHEMA`: for each decided Form its NOTI; for each applied one what was changed,
        and its account.

    Raises:
        LakeProblem: the lake cannot be read.
    """
    found = [_notifications(lake, handled, shared)]
    if handled.made.height:
        found += [
            _changes(lake, handled, new, shared),
            accounts(handled.filings, handled.corrections, handled.made, overviews(new)),
        ]
    return pl.concat([answers.select(list(ANSWER_SCHEMA)) for answers in found])


def _notifications(lake: Lake, handled: Handled, shared: Shared) -> pl.DataFrame:
    """The notifications that were written when the Forms were read, with what was found since."""
    outcomes = handled.applied.outcomes.filter(pl.col("state") != WAITING)
    decided = outcomes.select(declaration_id="form_id")
    written = lake.keyed("received").rows("answer", list(ANSWER_SCHEMA), decided).filter(kind=NOTIFICATION)
    told = handled.applied.anomalies.join(decided, on="declaration_id", how="semi", maintain_order="left")
    more = pl.col("declaration_id").is_in(told["declaration_id"].unique().implode())
    corrections, plan = handled.corrections, shared.reading.plan
    later_on = supplemented(written.filter(more), corrections.forms, told, corrections.declared, plan)
    return pl.concat([written.filter(~more), later_on.select(written.columns)])


def _changes(lake: Lake, handled: Handled, new: Sequence[Part], shared: Shared) -> pl.DataFrame:
    tables = lake_tables(shared.settings.xsd)
    nothing = {table.name: pl.DataFrame(table.arrow_schema.empty_table()) for table in tables}

    def read(table: str, keys: pl.DataFrame) -> pl.DataFrame:
        rows = [part.histories.rows[table] for part in new if table in part.histories.rows]
        return pl.concat(rows or [nothing[table]]).join(keys, on=keys.columns, how="semi", maintain_order="left")

    state, rows = handled.state, handled.applied.rows
    compared = compare(earlier(read, handled.applied.replaced, tables), later(rows, tables), tables)
    numbers = [state.numbers]
    numbers += [rows[PERSON].select(state.numbers.columns)] if PERSON in rows else []
    keys = handled.made.select("quarter", "declaration_id", "version").unique()
    ledger = lake.keyed("computed").rows(
        "employer_account", ["declaration_id", "version", "debit_cents", "credit_cents"], keys
    )
    return changes(
        handled.filings,
        handled.corrections,
        handled.made,
        compared,
        persons=with_pids(pl.concat(numbers), state.rows[DECLARATION]),
        ledger=ledger,
    )
