"""`dmfa filings`: the ledger, one line per file ever received, or the steps of one of them."""

from __future__ import annotations

import json
import sys
from collections import Counter
from typing import Any

from dmfa.errors import NothingToRead
from dmfa.lake import Lake
from dmfa.quarter import Quarter
from dmfa.states import WORDS
from flows import console
from flows.settings import Settings

STATES = ("accepted", "refused", "not_processed")
SHOWN = 1_000
"""Filings that a table on a terminal shows at most; --json gives all."""

_LEDGER = """
SELECT name, kind, quarter, state,
    coalesce(reason, if(state = 'not_processed', 'this version does not read its kind', NULL)) AS reason,
    filing.declarations, refused, persons, ticket,
    strftime(received_at, '%Y-%m-%d %H:%M:%S') AS received, schema_release AS schema, size, sha256,
    coalesce(open.declarations, 0) AS open
FROM lake.received.filing
LEFT JOIN ({open}) open USING (filing_id)
WHERE (?1 IS NULL OR quarter = ?1
        OR filing_id IN (SELECT filing_id FROM lake.received.form WHERE quarter = ?1))
    AND (?2 IS NULL OR state = ?2)
ORDER BY received_at, name, sha256
"""
_OPEN = """
SELECT filing_id, count(*) AS declarations
FROM (SELECT filing_id, declaration_id, max_by(state, step) AS state FROM lake.received.filing_state GROUP BY ALL)
WHERE state = 'accepted_open' GROUP BY filing_id
"""
_NONE = "SELECT NULL::BIGINT AS filing_id, NULL::BIGINT AS declarations WHERE false"
_STEPS = """
SELECT f.name, s.step, s.state, s.ticket, o.form_index + 1 AS declaration,
    strftime(s.reached_at, '%Y-%m-%d %H:%M:%S') AS reached,
    CASE WHEN s.state = 'corrected' THEN 'by the correction of this ticket'
        WHEN s.state = 'not_processed' AND c.form_id IS NOT NULL THEN 'waits for its original'
        WHEN s.state = 'refused' THEN c.codes
        WHEN c.state = 'applied' AND s.state <> 'not_processed'
            THEN 'made version ' || c.version || ' of the declaration ' || d.ticket
        WHEN s.state = 'accepted' AND f.filing_id NOT IN (SELECT filing_id FROM lake.received.form)
            THEN format('declarations with a new version: {:,}', coalesce(v.declarations, 0))
    END AS what
FROM lake.received.filing f JOIN lake.received.filing_state s USING (filing_id)
LEFT JOIN lake.received.form o ON o.declaration_id = s.declaration_id
LEFT JOIN lake.received.correction c ON c.form_id = s.declaration_id
LEFT JOIN lake.received.form d ON d.declaration_id = c.declaration_id
LEFT JOIN (
    SELECT filing_id, count(DISTINCT declaration_id) AS declarations FROM lake.history.employer_declaration
    WHERE version > 1 GROUP BY ALL
) v ON v.filing_id = f.filing_id
WHERE f.ticket = ?1 OR f.filing_id IN (SELECT filing_id FROM lake.received.form WHERE ticket = ?1)
ORDER BY s.declaration_id IS NOT NULL, o.form_index, s.step
"""
_HAS_STEPS = """
SELECT count(*) > 0 FROM duckdb_tables()
WHERE database_name = 'lake' AND schema_name = 'received' AND table_name = 'filing_state'
"""


def run(settings: Settings, *, ticket: str | None, quarter: Quarter | None, state: str | None, as_json: bool) -> int:
    """Print the ledger, or the filings of one quarter or state, in the order of receipt; or the steps of one filing.

    Args:
        settings: where the lake is.
        ticket: of a filing, or of a declaration in it: its steps are told instead.
        quarter: only filings that declare this quarter.
        state: only filings in this state, one of STATES.
        as_json: one JSON object a line, all of them, instead of a table.

    Returns:
        Exit code 0.

    Raises:
        LakeProblem: there is no lake, or it cannot be read.
        NothingToRead: no filing has that ticket.
    """
    with Lake.open(settings.lake) as lake:
        # A lake that an earlier version made has the steps only once it is written to again.
        kept = lake.arrow(_HAS_STEPS).column(0)[0].as_py()
        if ticket is not None:
            steps = lake.arrow(_STEPS, [ticket.strip().upper()]).to_pylist() if kept else []
            return _show_steps(steps, as_json=as_json)
        ledger = _LEDGER.format(open=_OPEN if kept else _NONE)
        rows = lake.arrow(ledger, [quarter.code if quarter else None, state]).to_pylist()
    if as_json:
        for row in rows:
            sys.stdout.write(json.dumps(row, ensure_ascii=False) + "\n")
        return 0
    _show(rows)
    return 0


def _show_steps(rows: list[dict[str, Any]], *, as_json: bool) -> int:
    """Print the steps of one filing: those of the file, then those of each declaration in it."""
    if not rows:
        raise NothingToRead(
            "no step of a filing with that ticket is on the ledger", "`dmfa filings` lists the tickets."
        )
    if as_json:
        for row in rows:
            sys.stdout.write(json.dumps(row, ensure_ascii=False) + "\n")
        return 0
    console.table(
        rows[0]["name"],
        ("reached", "state", "ticket", "declaration", "what"),
        ((row["reached"], WORDS[row["state"]], row["ticket"], row["declaration"], row["what"]) for row in rows),
        right=(3,),
    )
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
                WORDS["accepted_open"] if row["state"] == "accepted" and row["open"] else WORDS[row["state"]],
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
