"""The first thing done with a filing: its bytes are kept, before anything looks into them."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, time
from pathlib import Path

from dmfa.lake import keep_bytes
from dmfa.reading.limits import Limits
from dmfa.reading.opener import open_filing
from dmfa.reading.source import Found
from flows.settings import Settings

_TICKET_LETTERS = 13


@dataclass(frozen=True)
class Receipt:
    """One filing, opened and its bytes kept.

    Attributes:
        found: where it was found.
        sha256: what it is; None if no byte could be had.
        received_at: moment of its first receipt, UTC.
        unreadable: why no byte could be had.
    """

    found: Found
    sha256: str | None
    received_at: datetime
    unreadable: str | None = None


def receive(found: Iterable[Found], settings: Settings, limits: Limits) -> list[Receipt]:
    """Open filings, hash them and keep their bytes.

    The moment of receipt is that at which the bytes were first kept: a rerun after an accident does not move it.

    Args:
        found: the filings.
        settings: those of the run; a day of receipt that is told counts for what was never received before.
        limits: how large a filing may be.

    Raises:
        LakeProblem: the bytes cannot be kept.
    """
    receipts = []
    for one in found:
        opened = open_filing(one, limits)
        moment = datetime.now(UTC).replace(tzinfo=None, microsecond=0)
        if opened.sha256 is not None and opened.data is not None:
            moment = _first_kept(keep_bytes(settings.lake, opened.sha256, opened.data))
        if settings.received_on_given:
            moment = datetime.combine(settings.received_on, time(12))
        receipts.append(Receipt(one, opened.sha256, moment, opened.unreadable))
    return receipts


def _first_kept(path: Path) -> datetime:
    return datetime.fromtimestamp(path.stat().st_mtime, UTC).replace(tzinfo=None, microsecond=0)


def ticket(sha256: str) -> str:
    """The ticket given to a filing: 13 letters and digits that follow from its content.

    Args:
        sha256: hexadecimal SHA-256 of the filing.

    Examples:
        >>> len(ticket("0" * 64)), ticket("0" * 64) == ticket("1" * 64)
        (13, False)
    """
    digest = hashlib.sha256(f"ticket {sha256}".encode()).digest()
    return base64.b32encode(digest).decode()[:_TICKET_LETTERS]
