"""`dmfa filings`: the ledger, one line per file ever received."""

from __future__ import annotations

import json
import sys
from collections import Counter
from typing import Any

from dmfa.lake import Lake
from dmfa.quarter import Quarter
from flows import console
from flows.settings import Settings

STATES = ("accepted", "refused", "not_processed")
SHOWN = 1_000
"""Filings that a table on a terminal shows at most; --json gives all."""

_LEDGER = """
SELECT name, kind, quarter, state, reason, declarations, refused, persons, ticket,
    strftime(received_at, '%Y-%m-%d %H:%M:%S') AS received, schema_release AS schema, size, sha256
FROM lake.received.filing
WHERE (?1 IS NULL OR quarter = ?1
        OR filing_id IN (SELECT filing_id FROM lake.received.form WHERE quarter = ?1))
    AND (?2 IS NULL OR state = ?2)
ORDER BY received_at, name, sha256
"""


def run(settings: Settings, *, quarter: Quarter | None, state: str | None, as_json: bool) -> int:
    """Print the ledger, or the filings of one quarter or state, in the order of receipt.

    Args:
        settings: where the lake is.
        quarter: only filings that declare this quarter.
        state: only filings in this state, one of STATES.
        as_json: one JSON object a line, all of them, instead of a table.

    Returns:
        Exit code 0.

    Raises:
        LakeProblem: there is no lake, or it cannot be read.
    """
    with Lake.open(settings.lake) as lake:
        rows = lake.arrow(_LEDGER, [quarter.code if quarter else None, state]).to_pylist()
    if as_json:
        for row in rows:
            sys.stdout.write(json.dumps(row, ensure_ascii=False) + "\n")
        return 0
    _show(rows)
    return 0


def _show(rows: list[dict[str, Any]]) -> None:
    console.table(
        "Filings",
        ("received", "ticket", "name", "kind", "quarter", "state", "declarations", "refused", "persons", "why"),
        (
            (
                row["received"],
                row["ticket"],
                row["name"],
                row["kind"],
                console.quarter(row["quarter"]),
                row["state"].replace("_", " "),
                row["declarations"],
                row["refused"],
                row["persons"],
                row["reason"],
            )
            for row in rows[:SHOWN]
        ),
        right=(6, 7, 8),
    )
    if len(rows) > SHOWN:
        console.say(f"the first {SHOWN:,} of them; --json gives all")
    states = Counter(row["state"] for row in rows)
    told = " + ".join(f"{states[state]:,} {state.replace('_', ' ')}" for state in STATES)
    console.say(f"control: {len(rows):,} filings = {told}")
