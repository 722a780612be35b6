"""The first thing done with a filing: its bytes are kept, before anything looks into them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING

from dmfa.address import Place, overlapped
from dmfa.lake import Location, keep_bytes, kept_bytes
from dmfa.reading.batch import plan_batches
from dmfa.reading.limits import Limits
from dmfa.reading.opener import Opened, open_filing
from dmfa.reading.source import Found
from flows.settings import Settings
from flows.stages.reception import fault, judged

if TYPE_CHECKING:
    from dmfa.reading.signatures import Trust


@dataclass(frozen=True, slots=True)
class Receipt:
    """One filing, opened and its bytes kept.

    Attributes:
        found: where it was found.
        opened: what opening it gave, without the bytes.
        kept: whether the lake keeps its bytes.
        received_at: moment of its first receipt, UTC.
    """

    found: Found
    opened: Opened
    kept: bool
    received_at: datetime

    @property
    def sha256(self) -> str | None:
        """What it is; None if no byte could be had."""
        return self.opened.sha256

    def opened_again(self, lake: str) -> Opened:
        """The filing with the bytes that were received, whatever has become of the file since then.

        Raises:
            LakeProblem: they can no longer be read.
        """
        if not self.kept or self.sha256 is None:
            return self.opened
        return replace(self.opened, data=kept_bytes(lake, self.sha256, self.opened.size))


@dataclass(frozen=True)
class Receiving:
    """A worker's share of what is received.

    Attributes:
        found: the filings.
        settings: those of the run.
        limits: how large a filing may be.
        trust: whose signatures hold; None if none is asked for.
    """

    found: tuple[Found, ...]
    settings: Settings
    limits: Limits
    trust: Trust | None = None


def receive_some(share: Receiving) -> list[Receipt]:
    """`receive` for a worker."""
    return receive(share.found, share.settings, share.limits, share.trust)


def receive(found: Iterable[Found], settings: Settings, limits: Limits, trust: Trust | None = None) -> list[Receipt]:
    """Open filings, hash them, keep their bytes and check their signatures.

    The moment of receipt is that at which the bytes were first kept: a rerun after an accident does not move it.

    Args:
        found: the filings.
        settings: those of the run; a day of receipt that is told counts for what was never received before.
        limits: how large a filing may be.
        trust: whose signatures hold; None if none is asked for.

    Raises:
        LakeProblem: the bytes cannot be kept.
    """
    lake = Location.of(settings.lake)
    told = datetime.combine(settings.received_on, time(12)) if settings.received_on_given else None

    def receipt(one: Found) -> Receipt:
        opened = open_filing(one, limits)
        kept = None
        if opened.sha256 is not None and opened.data is not None:
            kept = keep_bytes(lake, opened.sha256, opened.data)
        received_at = told or _moment(kept)
        done = Receipt(one, replace(opened, data=None), kept is not None, received_at)
        return judged(done, fault(one, opened, received_at, trust, limits), settings)

    return [done for group in plan_batches(found) for done in overlapped(receipt, group, lake.folder)]


def _moment(kept: Place | None) -> datetime:
    """When a file was first kept; now for one that is not."""
    moment = datetime.now(UTC) if kept is None else datetime.fromtimestamp(kept.stat().st_mtime, UTC)
    return moment.replace(tzinfo=None, microsecond=0)


def opening(found: Sequence[Found], receipts: Mapping[Found, Receipt], lake: str) -> Callable[[Found], Opened]:
    """What opens some filings again, with the bytes that were received.

    From a lake in a store they are all fetched now, several at a time; from the disk each when it is its turn.

    Raises:
        LakeProblem: they can no longer be read.
    """

    def again(one: Found) -> Opened:
        return receipts[one].opened_again(lake)

    folder = Location.of(lake).folder
    if isinstance(folder, Path):
        return again
    return dict(zip(found, overlapped(again, found, folder), strict=True)).__getitem__
