"""The steps of a batch: each filing from receipt to acknowledgement, each declaration to its verdict."""

from __future__ import annotations

from datetime import datetime, timedelta

import polars as pl

from dmfa.states import NEXT
from flows.stages.steps import first_steps, refused_instead

NOON = datetime(2026, 11, 22, 12)
LATER = NOON + timedelta(minutes=5)

FILINGS = pl.DataFrame(
    {
        "filing_id": [1, 2, 3, 4],
        "ticket": ["F1", "F2", "F3", "F4"],
        "state": ["accepted", "refused", "refused", "not_processed"],
        "received_at": [NOON] * 4,
        "processed_at": [LATER, LATER, LATER, NOON - timedelta(hours=1)],
    }
)
FORMS = pl.DataFrame(
    {
        "filing_id": [1, 1, 2],
        "declaration_id": [10, 11, 20],
        "ticket": ["D10", "D11", "D20"],
        "state": ["accepted", "accepted", "refused"],
    }
)
ANOMALIES = pl.DataFrame({"declaration_id": [10, 11, 20, None], "severity": ["W", "NP", "B", "B"]})


def steps() -> pl.DataFrame:
    return first_steps(FILINGS, FORMS, ANOMALIES)


def test_every_step_with_its_ticket_and_time() -> None:
    found = steps().sort("filing_id", "step", "declaration_id")
    assert found.select(pl.exclude("reached_at")).rows() == [
        (1, None, 0, "received", "F1"),
        (1, None, 1, "acknowledged", "F1"),
        (1, 10, 2, "accepted", "D10"),
        (1, 11, 2, "accepted_open", "D11"),
        (2, None, 0, "received", "F2"),
        (2, None, 1, "acknowledged", "F2"),
        (2, 20, 2, "refused", "D20"),
        (3, None, 0, "received", "F3"),
        (3, None, 1, "refused", "F3"),
        (4, None, 0, "received", "F4"),
        (4, None, 1, "acknowledged", "F4"),
        (4, None, 2, "not_processed", "F4"),
    ]
    times = dict(found.group_by("step").agg(pl.col("reached_at").unique().sort()).sort("step").rows())
    # The fourth was worked on before the day of receipt that was told.
    assert times == {0: [NOON], 1: [NOON, LATER], 2: [NOON, LATER]}


def test_every_step_may_follow_the_one_before() -> None:
    rows = steps().rows(named=True)
    before = {(row["filing_id"], row["step"]): row["state"] for row in rows if row["declaration_id"] is None}
    for row in rows:
        if row["step"]:
            assert row["state"] in NEXT[before[row["filing_id"], row["step"] - 1]]


def test_a_declaration_that_comes_second_is_refused_instead() -> None:
    found = refused_instead(steps(), pl.Series([11]))
    states = dict(found.filter(pl.col("declaration_id").is_not_null()).select("declaration_id", "state").rows())
    assert states == {10: "accepted", 11: "refused", 20: "refused"}
    assert found.filter(pl.col("declaration_id").is_null()).equals(steps().filter(pl.col("declaration_id").is_null()))


def test_a_batch_of_nothing_takes_no_step() -> None:
    assert first_steps(FILINGS.clear(), FORMS.clear(), ANOMALIES.clear()).is_empty()
