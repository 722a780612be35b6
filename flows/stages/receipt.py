"""The first thing done with a filing: its bytes are kept, before anything looks into them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, time
from pathlib import Path

from dmfa.lake import Location, keep_bytes
from dmfa.reading.limits import Limits
from dmfa.reading.opener import open_filing
from dmfa.reading.source import Found
from flows.settings import Settings


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


@dataclass(frozen=True)
class Receiving:
    """A worker's share of what is received.

    Attributes:
        found: the filings.
        settings: those of the run.
        limits: how large a filing may be.
    """

    found: tuple[Found, ...]
    settings: Settings
    limits: Limits


def receive_some(share: Receiving) -> list[Receipt]:
    """`receive` for a worker."""
    return receive(share.found, share.settings, share.limits)


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
    lake = Location.of(settings.lake)
    told = datetime.combine(settings.received_on, time(12)) if settings.received_on_given else None
    receipts = []
    for one in found:
        opened = open_filing(one, limits)
        kept = None
        if opened.sha256 is not None and opened.data is not None:
            kept = keep_bytes(lake, opened.sha256, opened.data)
        receipts.append(Receipt(one, opened.sha256, told or _moment(kept), opened.unreadable))
    return receipts


def _moment(kept: Path | None) -> datetime:
    """When a file was first kept; now for one that is not."""
    moment = datetime.now(UTC) if kept is None else datetime.fromtimestamp(kept.stat().st_mtime, UTC)
    return moment.replace(tzinfo=None, microsecond=0)
