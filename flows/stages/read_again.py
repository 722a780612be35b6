"""What corrections ask: handed on by who read them in this run, or read again from their kept bytes.

Those that have waited for an original are read again, and those of work that an interrupted run had finished.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Final

import polars as pl

from dmfa.address import Place, overlapped
from dmfa.corrections.shape import Corrections, concat
from dmfa.errors import LakeProblem
from dmfa.lake import Location, received_bytes
from dmfa.reading.batch import plan_batches, read_batch
from dmfa.reading.opener import Opened
from dmfa.reading.source import Found
from flows.stages.handing import HandedOver
from flows.stages.item import Shared
from flows.stages.outcome import Asked

if TYPE_CHECKING:
    from flows.crew import Crew

BYTES_A_SHARE: Final = 2 << 20
"""XML that is worth a worker."""

_Filing = tuple[str, str, int]
"""Name, SHA-256 and size."""


@dataclass(frozen=True)
class Asking:
    """A worker's share of what is read again.

    Attributes:
        filings: name, SHA-256 and size of each filing.
        forms: form_id of the Forms that are wanted, of these filings and others.
        shared: what every item needs.
        spool: a folder for what they ask, which all see.
    """

    filings: tuple[_Filing, ...]
    forms: pl.Series
    shared: Shared
    spool: Place


def read_forms(
    forms: pl.DataFrame,
    shared: Shared,
    lost: list[str],
    asked: Sequence[Asked] = (),
    *,
    by: Crew,
    spool: Place,
) -> Corrections | None:
    """What some Forms ask.

    Args:
        forms: form_id, and filing_id, name, sha256 and size of the filings that they came in; those of a filing
            together.
        shared: what every item needs.
        lost: gets the names of filings of which the bytes are no longer kept.
        asked: what the run has read of these and others.
        by: who reads them.
        spool: a folder for what these hand on, which all see.

    Returns:
        What they ask; None if nothing of it is kept.
    """
    wanted = frozenset(forms["filing_id"])
    read = [one for one in asked if not wanted.isdisjoint(one.filings)]
    found = [one.handed.taken().of_forms(forms["form_id"]) for one in read]
    known = frozenset[int]().union(*(one.filings for one in read))
    rest = forms.filter(~pl.col("filing_id").is_in(list(known)))
    if rest.height:
        found += _again(rest, shared, lost, by, spool)
    return concat(found) if found else None


def _again(forms: pl.DataFrame, shared: Shared, lost: list[str], by: Crew, spool: Place) -> Iterator[Corrections]:
    filings = forms.select("name", "sha256", "size").unique(maintain_order=True)
    upto = filings["size"].cum_sum()
    share = max(-(-upto[-1] // by.workers), BYTES_A_SHARE)
    parts = filings.with_columns(place=(upto - 1) // share).partition_by("place", maintain_order=True)
    asking = [Asking(tuple(part.drop("place").iter_rows()), forms["form_id"], shared, spool) for part in parts]
    told = dict(by.run(read_again, asking))
    for place in range(len(asking)):
        handed, gone = told[place]
        lost += gone
        if handed is not None:
            yield handed.taken()
            handed.forget()


def read_again(asking: Asking) -> tuple[HandedOver[Corrections] | None, list[str]]:
    """What some Forms ask, and the names of filings of which the bytes are no longer kept."""
    place = Location.of(asking.shared.settings.lake)
    opened: dict[str, Opened] = {}
    lost = []
    # From a store several are fetched at a time.
    kept = overlapped(partial(_bytes, place), asking.filings, place.folder)
    for (name, digest, size), data in zip(asking.filings, kept, strict=True):
        if data is None:
            lost.append(name)
        else:
            opened[digest] = Opened(data, digest, size)
    # By their digest they are the very bytes that were found valid when they came.
    reading = replace(asking.shared.reading, judged=True)
    found = [Found(digest, place.received / digest, size=one.size) for digest, one in opened.items()]
    batches = [read_batch(some, reading, lambda one: opened[one.name]) for some in plan_batches(found)]
    parts = [batch.corrections.of_forms(asking.forms) for batch in batches]
    if not parts:
        return None, lost
    return HandedOver.of(concat(parts), asking.spool, asking.shared.settings.lake), lost


def _bytes(place: Location, filing: _Filing) -> bytes | None:
    """The kept bytes of a filing; None if they are no longer kept."""
    try:
        return received_bytes(place, filing[1])
    except LakeProblem:
        return None
