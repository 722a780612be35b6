"""`dmfa log delivery`: one delivery by its ticket, with its folder and manifest."""

from __future__ import annotations

from datetime import datetime

from dmfa.errors import WrongUsage
from dmfa.extracts.retrieval import retrieve
from dmfa.lake import Lake
from flows import console
from flows.settings import Settings
from flows.stages.exchange_log import write


def show(ticket: str, settings: Settings, *, as_json: bool = False) -> int:
    """Print what was given under a ticket, and where it is.

    Args:
        ticket: the ticket, as `dmfa log show` and manifests tell it.
        settings: where the lake is, and the folder of results.
        as_json: one JSON object instead of tables.

    Returns:
        Exit code 0.

    Raises:
        WrongUsage: nothing was given under that ticket.
        LakeProblem: the lake or the folder cannot be read.
    """
    with Lake.open(settings.lake) as lake:
        found = retrieve(lake, ticket, settings.out)
    if found is None:
        raise WrongUsage("nothing was given under this ticket.", "`dmfa log show` lists the tickets.")
    where = str(found.folder) if found.folder else f"not in {settings.out}"
    if as_json:
        write([{**found.facts, "ticket": ticket, "folder": found.folder and where, "manifest": found.manifest}])
        return 0
    told = {**found.facts, "folder": where, **({"removed": found.removed} if found.removed else {})}
    told["quarter"] = console.quarter(found.facts["quarter"])
    if isinstance(told["at"], datetime):
        told["at"] = f"{told['at']:%Y-%m-%d %H:%M} UTC"
    console.table("Delivery", ("what", "value"), [(name.replace("_", " "), value) for name, value in told.items()])
    console.table("Files", ("file", "SHA-256 of what was given"), found.files.items())
    return 0
