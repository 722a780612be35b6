"""The account of an employer in a quarter, told entry by entry where there is more than the original."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from contributions.columns import COLUMN_WORDS
from dmfa.lake import Lake
from dmfa.money import euro
from dmfa.quarter import Quarter

Node = Mapping[str, Any]

ENTRY: Final = "entry"
"""Kind of a node that tells an entry, beside those of contributions and deductions."""

_SUMS: Final = (
    "declared_contribution_cents",
    "declared_deduction_cents",
    "declared_compensation_cents",
    "computed_contribution_cents",
    "computed_deduction_cents",
    "computed_net_cents",
)
_ENTRIES: Final = """
SELECT a.*, strftime(f.received_at, '%Y-%m-%d %H:%M:%S') AS received,
    count(*) OVER (PARTITION BY a.declaration_id) AS many
FROM lake.computed.employer_account a LEFT JOIN lake.received.filing f USING (filing_id)
WHERE a.quarter = $1 AND a.declaration_id IN (
    SELECT declaration_id FROM lake.history.employer_declaration WHERE quarter = $1
    GROUP BY declaration_id HAVING arg_max(noss_registration_nbr, version) = $2)
QUALIFY many > 1
ORDER BY a.declaration_id, a.version
"""
_HAS_ENTRIES: Final = """
SELECT count(*) > 0 FROM duckdb_columns() WHERE database_name = 'lake' AND schema_name = 'computed'
    AND table_name = 'employer_account' AND column_name = 'entry'
"""


def has_entries(lake: Lake) -> bool:
    """Whether the accounts of a lake are kept by entry; those of an earlier version are not."""
    return bool(lake.arrow(_HAS_ENTRIES).column(0)[0].as_py())


def entries(lake: Lake, quarter: Quarter, employer: int) -> list[Node]:
    """The entries of an employer's corrected declarations, in the form in which amounts are explained.

    Args:
        lake: the lake, at whatever state.
        quarter: the quarter.
        employer: NSSO registration number.

    Returns:
        One node per entry: kind 'entry', version, entry, received, debit_cents, credit_cents, outcome (of none) and
        tree, whose nodes are the sums; all but those of the original are changes.
    """
    rows = lake.arrow(_ENTRIES, [quarter.code, employer]).to_pylist() if has_entries(lake) else []
    return [_node(quarter, row) for row in rows]


def _node(quarter: Quarter, row: Mapping[str, Any]) -> Node:
    below = [{"name": name, "value": row[name], "words": COLUMN_WORDS[name]} for name in _SUMS]
    net = {"name": "summed_net_cents", "value": row["summed_net_cents"], "words": COLUMN_WORDS["summed_net_cents"]}
    told = {name: row[name] for name in ("entry", "version", "received", "debit_cents", "credit_cents")}
    return {"quarter": str(quarter), "kind": ENTRY, **told, "outcome": "", "tree": {**net, "from": below}}


def title(entry: Node) -> str:
    """An entry in one line."""
    net = euro(entry["debit_cents"] - entry["credit_cents"])
    what = f"owes {net} as declared" if entry["version"] == 1 else f"changes what is owed as declared by {net}"
    when = f" of {entry['received']}" if entry["received"] else ""
    return f"{entry['quarter']} account, version {entry['version']}: {entry['entry']}{when}: {what}"
