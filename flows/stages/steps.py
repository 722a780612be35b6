"""The steps that filings and their declarations take: rows of received.filing_state."""

from __future__ import annotations

import polars as pl

from dmfa.states import OPEN_CLASSES, START, State, step

TABLE = "received.filing_state"

_COLUMNS = ("filing_id", "declaration_id", "step", "state", "ticket", "reached_at")


def first_steps(filings: pl.DataFrame, forms: pl.DataFrame, anomalies: pl.DataFrame) -> pl.DataFrame:
    """The steps of a batch from receipt to verdict.

    Args:
        filings: rows of received.filing: filing_id, ticket, state, received_at, processed_at. A day of receipt that is
            told may lie behind the clock: then no step is dated before the receipt.
        forms: rows of received.form: filing_id, declaration_id, ticket, state.
        anomalies: declaration_id and severity of what was found.

    Returns:
        Columns of received.filing_state.
    """
    read = pl.col("filing_id").is_in(forms["filing_id"].unique().implode())
    unread = (pl.col("state") == "refused") & ~read
    acknowledged = _lit(step(START, "acknowledged"))
    decided = pl.max_horizontal("received_at", "processed_at")
    whole = filings.with_columns(declaration_id=pl.lit(None, pl.Int64), processed_at=decided)
    received = whole.with_columns(step=_at(0), state=_lit(START), reached_at="received_at")
    answered = whole.with_columns(
        step=_at(1),
        state=pl.when(unread).then(_lit(step(START, "refused"))).otherwise(acknowledged),
        reached_at="processed_at",
    )
    aside = whole.filter(pl.col("state") == "not_processed").with_columns(
        step=_at(2), state=_lit(step("acknowledged", "not_processed")), reached_at="processed_at"
    )
    left_open = anomalies.filter(pl.col("severity").is_in(OPEN_CLASSES))["declaration_id"].drop_nulls().unique()
    refused = pl.col("state") == "refused"
    judged = forms.join(
        filings.select("filing_id", reached_at=decided), on="filing_id", how="left", maintain_order="left"
    ).with_columns(
        step=_at(2),
        state=pl.when(refused)
        .then(_lit(step("acknowledged", "refused")))
        .when(pl.col("declaration_id").is_in(left_open.implode()))
        .then(_lit(step("acknowledged", "accepted_open")))
        .otherwise(_lit(step("acknowledged", "accepted"))),
    )
    return pl.concat([frame.select(_COLUMNS) for frame in (received, answered, aside, judged)])


def refused_instead(steps: pl.DataFrame, declarations: pl.Series) -> pl.DataFrame:
    """Steps in which some declarations are refused after all, before anybody was told that they are accepted.

    Args:
        steps: columns of received.filing_state.
        declarations: declaration_id of those.
    """
    mine = pl.col("declaration_id").is_in(declarations.implode())
    verdict = _lit(step("acknowledged", "refused"))
    return steps.with_columns(state=pl.when(mine).then(verdict).otherwise("state"))


def _at(number: int) -> pl.Expr:
    return pl.lit(number, pl.Int16)


def _lit(state: State) -> pl.Expr:
    return pl.lit(state, pl.String)
