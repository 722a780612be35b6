"""What is decided of a filing when it is received: does its signature hold, are all parts of it there, is its name new.

A filing that is turned away here is on the ledger as a transmission of that name that failed, not as its content: the
same bytes, sent again as they should be, are taken in.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from dmfa.reading.limits import Limits
from dmfa.reading.names import PRODUCTION, FileName
from dmfa.reading.opener import Opened, Refusal, open_filing
from dmfa.reading.source import Found, Problem
from dmfa.reading.transmissions import NAME_USED, SIGNATURE_MISSING, SIGNATURE_WRONG, home
from flows.settings import Settings

if TYPE_CHECKING:
    from dmfa.lake import Lake  # workers do without DuckDB
    from dmfa.reading.signatures import Trust
    from flows.stages.receipt import Receipt


def trusted(settings: Settings) -> Trust | None:
    """Whose signatures hold; None if none is asked for.

    Raises:
        WrongUsage: the folder of certificates is missing, or something in it cannot be read.
    """
    if settings.signature == "off" or settings.certificates is None:
        return None
    from dmfa.reading.signatures import Trust  # only who checks signatures waits for cryptography

    return Trust.read(settings.certificates)


def fault(found: Found, opened: Opened, received_at: datetime, trust: Trust | None, limits: Limits) -> Problem | None:
    """Why a filing that could be opened is not as it should be when it is received.

    Args:
        found: the filing.
        opened: what opening it gave.
        received_at: moment of receipt.
        trust: whose signatures hold; None if none is asked for.
        limits: how large a file may be.
    """
    if found.fault is not None or opened.data is None or opened.refusal is not None or trust is None:
        return found.fault
    return _signature(found, opened.data, received_at, trust, limits)


def _signature(found: Found, data: bytes, received_at: datetime, trust: Trust, limits: Limits) -> Problem | None:
    name = FileName.of(found.name)
    if found.signature is None or name is None:
        # Only what is sent to production has to be signed.
        free = name is not None and name.environment != PRODUCTION
        return None if free else Problem(SIGNATURE_MISSING, "it is not signed: its FS file is missing")
    from dmfa.reading.signatures import SignatureWrong, check_signature

    try:
        check_signature(data, open_filing(found.signature, limits).data or b"", name.sender, received_at, trust)
    except SignatureWrong as wrong:
        return Problem(SIGNATURE_WRONG, f"its signature (FS) does not hold: {wrong}")
    return None


def judged(receipt: Receipt, problem: Problem | None, settings: Settings) -> Receipt:
    """A receipt with what was found wrong at reception: turned away, or warned of."""
    if problem is None or receipt.sha256 is None:
        return receipt
    if settings.signature == "warn" and problem.kind in {SIGNATURE_MISSING, SIGNATURE_WRONG}:
        return replace(receipt, opened=replace(receipt.opened, warning=Refusal(problem.kind, problem.message)))
    return turned_away(receipt, problem)


def turned_away(receipt: Receipt, problem: Problem) -> Receipt:
    """A receipt of a filing that is refused unread; its digest is that of this failure of this content by this name."""
    failure = "\n".join((problem.kind, problem.message, receipt.found.name, receipt.sha256 or ""))
    digest = hashlib.sha256(failure.encode("utf-8", "surrogateescape")).hexdigest()
    refused = Opened(sha256=digest, size=receipt.opened.size, refusal=Refusal(problem.kind, problem.message))
    return replace(receipt, opened=refused, kept=False)


def whole(receipts: Iterable[Receipt]) -> tuple[list[Receipt], list[str]]:
    """Receive or turn away the parts of a transmission together.

    Returns:
        The receipts, and the names of parts that have to wait because another could not be read.
    """
    receipts = list(receipts)
    parts: dict[tuple[str, str, str], list[Receipt]] = {}
    for receipt in receipts:
        name = FileName.of(receipt.found.name) if not receipt.found.name.endswith(".1.1") else None
        if name is not None and name.parts > 1:
            parts.setdefault(home(receipt.found, name), []).append(receipt)
    settled: dict[Found, Receipt | None] = {}
    for group in parts.values():
        refused = [one for one in group if one.opened.refusal is not None]
        if any(one.sha256 is None for one in group):
            settled |= {one.found: None for one in group if one.sha256 is not None}
        elif refused and len(refused) < len(group):
            reason = refused[0].opened.refusal or Refusal("", "")
            problem = Problem(reason.kind, f"another part of its transmission could not be received: {reason.message}")
            settled |= {one.found: turned_away(one, problem) for one in group if one.opened.refusal is None}
    if not settled:
        return receipts, []
    kept = [settled.get(receipt.found, receipt) for receipt in receipts]
    waiting = [found.name for found, receipt in settled.items() if receipt is None]
    return [receipt for receipt in kept if receipt is not None], waiting


def new_names(receipts: Iterable[Receipt], lake: Lake) -> list[Receipt]:
    """Turn away what bears the name of another filing that was received, in the lake or in this run."""
    receipts = list(receipts)
    named = {receipt.found.name: receipt for receipt in reversed(receipts) if FileName.of(receipt.found.name)}
    used = lake.names_received(named)
    problem = Problem(NAME_USED, "its name was used before for another filing")
    settled = []
    for receipt in receipts:
        first = named.get(receipt.found.name)
        if first is None or receipt.sha256 is None:
            settled.append(receipt)
            continue
        holders: set[str | None] = {*used.get(receipt.found.name, (first.sha256,))}
        mine = receipt.sha256 in holders or receipt.opened.refusal is not None
        settled.append(receipt if mine else turned_away(receipt, problem))
    return settled
