"""`dmfa log`: who got what and when, and whether the log of it still says what was written."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

from dmfa.errors import LakeProblem
from dmfa.extracts.audit import Audit, audit
from dmfa.extracts.communications import about, communications
from dmfa.lake import Lake
from flows import console
from flows.settings import Settings

SHOWN = 1_000
"""Lines that a table on a terminal shows at most; --json gives all."""


def show(
    settings: Settings,
    *,
    inss: int | None = None,
    since: date | None = None,
    until: date | None = None,
    as_json: bool = False,
) -> int:
    """Print the communications between two days, or those about a person.

    Args:
        settings: where the lake is.
        inss: number of the person; it is not printed.
        since: first day, in UTC as the log tells it.
        until: last day.
        as_json: one JSON object a line, instead of a table.

    Returns:
        Exit code 0.

    Raises:
        LakeProblem: there is no lake, or it cannot be read.
    """
    with Lake.open(settings.lake) as lake:
        rows = communications(lake, since, until) if inss is None else about(lake, inss, since, until)
    if as_json:
        write(rows)
    elif inss is None:
        _table("Communications", ("persons",), rows)
    else:
        _table("Communications about the person", ("attestation", "version", "legal_basis"), rows)
    return 0


def check(settings: Settings, *, head: str = "", as_json: bool = False) -> int:
    """Hold the log against its chain, against the deliveries recorded, and against the files in place.

    Returns:
        Exit code 0 if all agree.

    Raises:
        LakeProblem: something does not agree, after all of it was told; or the lake cannot be read.
    """
    with Lake.open(settings.lake) as lake:
        found = audit(lake, settings.out, head=head)
    if as_json:
        facts = {name: value for name, value in vars(found).items() if name != "findings"}
        write([{**facts, "findings": [vars(one) for one in found.findings]}])
    else:
        _told(found)
    if found.findings:
        raise LakeProblem(
            f"the log of the lake {settings.lake} is not as it was written: {len(found.findings):,} findings.",
            "Keep the lake as it is, find out who changed it, and put it back from a backup.",
        )
    return 0


def write(rows: Iterable[Mapping[str, Any]]) -> None:
    """Write one JSON object a line on standard output."""
    for row in rows:
        sys.stdout.write(json.dumps(row, ensure_ascii=False, default=plain) + "\n")


def plain(value: object) -> str:
    """A day or a moment in JSON; moments are UTC."""
    return f"{value.isoformat()}Z" if isinstance(value, datetime) else str(value)


def _told(found: Audit) -> None:
    console.table("Findings", ("where", "what"), ((one.where, one.what) for one in found.findings))
    console.say(f"rows of the log: {found.rows:,} under {found.links:,} links")
    console.say(f"communications recorded: {found.communications:,}; deliveries in place: {found.manifests:,}")
    if found.head:
        console.say(f"last link: {found.head}")
        console.say("Keep this number outside the lake: `dmfa log check --head NUMBER` then finds a log cut short.")
    console.say("log: see above" if found.findings else "log: all agrees")


def _table(title: str, more: tuple[str, ...], rows: list[dict[str, Any]]) -> None:
    header = ("at", "recipient", "flow", "authorisation", "quarter", *more, "result", "ticket", "reason")
    console.table(
        title,
        tuple(name.replace("_", " ") for name in header),
        ([_cell(name, row[name]) for name in header] for row in rows[:SHOWN]),
        right=tuple(header.index(name) for name in ("persons", "version") if name in header),
    )
    if len(rows) > SHOWN:
        console.say(f"the first {SHOWN:,} of them; --json gives all")
    console.say(f"communications: {len(rows):,}")


def _cell(name: str, value: Any) -> object:
    if name == "quarter":
        return console.quarter(value)
    return f"{value:%Y-%m-%d %H:%M}" if isinstance(value, datetime) else value
