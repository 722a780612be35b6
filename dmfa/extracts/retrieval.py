"""A delivery by its ticket: what stands recorded of it, and where it is.

Deliveries that were replaced stay beside those that replaced them until their time is over, so what served a decision
can be shown with it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from dmfa.address import Place
from dmfa.extracts.placing import MANIFEST, border, manifest_in
from dmfa.extracts.rows import ReadableLake

_FILES = """
    SELECT * FROM lake.exchange.delivery WHERE ticket = ? ORDER BY "file"
"""
_OVER = """
    SELECT max(reason) AS reason FROM lake.exchange.log WHERE ticket = ? AND result = 'removed'
"""

_TOLD = "at extract recipient authorisation quarter attestations purpose deliberation legal_basis"


@dataclass(frozen=True)
class Retrieved:
    """A delivery as it stands recorded.

    Attributes:
        ticket: its ticket.
        facts: what is recorded: when, extract, recipient, authorisation, quarter, purpose, attestations, ...
        files: name and digest of each file, of the plain one where it was encrypted.
        folder: where it stands; None where it is not there.
        manifest: content of its manifest.json; empty where it is not there.
        removed: why it was removed, None if it was not.
    """

    ticket: str
    facts: dict[str, Any]
    files: dict[str, str]
    folder: Place | None
    manifest: dict[str, Any] = field(repr=False)
    removed: str | None = None


def retrieve(lake: ReadableLake, ticket: str, out: Place) -> Retrieved | None:
    """A delivery by its ticket; None if none is recorded under it.

    Args:
        lake: an open lake.
        ticket: the ticket.
        out: folder of results, where it is looked for.

    Raises:
        LakeProblem: the lake or the folder cannot be read.
    """
    rows = lake.arrow(_FILES, [ticket]).to_pylist()
    if not rows:
        return None
    first = rows[0]
    (over,) = lake.arrow(_OVER, [ticket]).to_pylist()
    folder = _folder(out / "extracts" / first["file"].rpartition("/")[0], ticket)
    facts = {name: first[name] for name in _TOLD.split()}
    files = {row["file"].rpartition("/")[2]: row["sha256"] for row in rows}
    return Retrieved(ticket, facts, files, folder, manifest_in(folder) if folder else {}, over["reason"])


def _folder(recorded: Place, ticket: str) -> Place | None:
    """Where a delivery stands: its own place, or beside it if another one took that."""
    with border(recorded):
        beside: list[Place] = [*recorded.parent.glob(f"{recorded.name}.*")] if recorded.parent.exists() else []
        for folder in (recorded, *sorted(beside, key=str)):
            if (folder / MANIFEST).exists() and manifest_in(folder).get("ticket") == ticket:
                return folder
    return None
