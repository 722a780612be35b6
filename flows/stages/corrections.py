"""Corrections of a run: read again from their kept bytes, applied, and put into the lake by the transaction of the run.

All corrections are kept first, as waiting ones; then those whose declaration is in the lake are applied, however long
they have waited. So a correction has the same effect whether it comes after its original, with it, or before it.
"""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from typing import Final, cast

import polars as pl

from dmfa.address import overlapped
from dmfa.corrections.applied import WAITING, Applied
from dmfa.corrections.apply import apply
from dmfa.corrections.shape import Corrections
from dmfa.corrections.state import state_of
from dmfa.errors import LakeProblem
from dmfa.lake import REPLACED, ItemWriter, Lake, Location, Publication, history_tables, received_bytes
from dmfa.pid import declaration_pid
from dmfa.reading.batch import read_batch
from dmfa.reading.opener import Opened
from dmfa.reading.source import Found
from dmfa.schema import lake_tables
from flows.settings import Settings
from flows.stages.corrected_amounts import correct_amounts
from flows.stages.corrected_answers import Handled, answers_to
from flows.stages.corrected_ledger import Decided, settle
from flows.stages.item import Shared
from flows.stages.outcome import Refusal
from flows.stages.versions import new_versions

BYTES_AT_ONCE: Final = 128 << 20
"""XML of corrections that is in memory at a time; a filing above it is alone."""

_WAITING = """
SELECT c.form_id, c.filing_id, c.quarter, c.employer_declaration_pid, o.form_index, o.noss_registration_nbr,
    o.company_id, f.sha256, f.name, f.size, f.received_at
FROM lake.received.correction c
JOIN lake.received.form o ON o.declaration_id = c.form_id
JOIN lake.received.filing f ON f.filing_id = c.filing_id
WHERE c.state = 'waiting' ORDER BY f.received_at, f.name, f.sha256, o.form_index
"""
_DECLARED = """
SELECT filing_id, quarter, noss_registration_nbr, company_id FROM lake.history.employer_declaration
WHERE version = 1 AND quarter IN (SELECT DISTINCT quarter FROM lake.received.correction WHERE state = 'waiting')
"""


@dataclass
class Corrected:
    """What came of corrections.

    Attributes:
        states: filings of this run that hold some which nothing spoke against by itself, by state.
        counts: Forms of this run applied, refused and waiting.
        late: Forms of earlier runs applied and refused now, since what they are about came with this run.
        filings: filing_id of those.
        refusals: the first refusals, by name of the filing.
        lost: names of filings of which the bytes are no longer kept, so that they go on waiting.
    """

    states: Counter[str] = field(default_factory=Counter)
    counts: Counter[str] = field(default_factory=Counter)
    late: Counter[str] = field(default_factory=Counter)
    filings: frozenset[int] = frozenset()
    refusals: list[Refusal] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)


def take_up(lake: Lake, publication: Publication, run: Collection[int], shared: Shared) -> Corrected:
    """Apply the corrections of a run, and those that have waited for an original that came with it.

    Args:
        lake: open for writing, in the transaction; what the run brings stands in its tables already.
        publication: the running transaction.
        run: filing_id of all filings of the run.
        shared: what every item needs.

    Raises:
        LakeProblem: the lake's disk is full or cannot be written.
    """
    waiting = _frame(lake, _WAITING)
    corrected = Corrected()
    if waiting.is_empty():
        return corrected
    mine = pl.Series(list(run), dtype=pl.Int64)
    wanted = _wanted(waiting, lake, mine)
    if wanted.is_empty():
        return corrected
    when = datetime.now(UTC).replace(tzinfo=None, microsecond=0)
    decided: list[Decided] = []
    with _uncollected():
        for forms in _groups(wanted):
            corrections = _read(forms, shared, corrected.lost)
            if corrections.forms.height:
                decided.append(_apply(lake, publication, corrections, forms, shared))
    if decided:
        settled = settle(lake, publication, wanted, decided, run=mine, when=when)
        corrected.states, corrected.refusals = settled.states, settled.refusals
        outcomes = pl.concat([one.outcomes for one in decided])
        own = pl.col("filing_id").is_in(mine.implode())
        late = outcomes.filter(~own, pl.col("state") != WAITING)
        corrected.counts.update(outcomes.filter(own)["state"])
        corrected.late.update(late["state"])
        corrected.filings = frozenset(late["filing_id"])
    return corrected


@contextmanager
def _uncollected() -> Iterator[None]:
    """Without looking for circles of objects: there are none here, and many objects, so that looking takes long."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def _wanted(waiting: pl.DataFrame, lake: Lake, mine: pl.Series) -> pl.DataFrame:
    """The Forms of the run itself, and those of earlier runs about an employer and quarter that came with it."""
    own = pl.col("filing_id").is_in(mine.implode())
    old = waiting.filter(~own)
    if old.is_empty():
        return waiting
    declared = _frame(lake, _DECLARED).filter(own)
    identified = declared.with_columns(
        employer_declaration_pid=declaration_pid(
            pl.col("noss_registration_nbr"), pl.col("company_id"), pl.col("quarter")
        )
    )
    met = set[int]()
    for number in ("employer_declaration_pid", "noss_registration_nbr", "company_id"):
        known = identified.filter(pl.col(number) > 0).select("quarter", number)
        met.update(old.join(known, on=["quarter", number], how="semi")["form_id"])
    return waiting.filter(own | pl.col("form_id").is_in(list(met)))


def _groups(forms: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """Forms in the order of application, as many at a time as may be in memory; those of a filing stay together."""
    sizes = forms.select(pl.col("filing_id").rle_id().alias("place"), size=pl.col("size")).unique(
        "place", maintain_order=True
    )
    group = ((sizes["size"].cum_sum() - sizes["size"]) // BYTES_AT_ONCE).alias("group")
    numbered = forms.with_columns(place=pl.col("filing_id").rle_id()).join(
        sizes.select("place", group), on="place", how="left", maintain_order="left"
    )
    for part in numbered.partition_by("group", maintain_order=True):
        yield part.drop("place", "group")


def _read(forms: pl.DataFrame, shared: Shared, lost: list[str]) -> Corrections:
    """What some Forms ask, from the kept bytes of their filings."""
    place = Location.of(shared.settings.lake)
    filings = forms.select("name", "sha256", "size").unique(maintain_order=True).rows()
    opened: dict[str, Opened] = {}
    # From a store several are fetched at a time.
    for (name, digest, size), data in zip(
        filings, overlapped(partial(_bytes, place), filings, place.folder), strict=True
    ):
        if data is None:
            lost.append(name)
        else:
            opened[digest] = Opened(data, digest, size)
    found = [Found(digest, place.received / digest, size=one.size) for digest, one in opened.items()]
    # By their digest they are the very bytes that were found valid when they came.
    batch = read_batch(found, replace(shared.reading, judged=True), lambda one: opened[one.name])
    return batch.corrections.of_forms(forms["form_id"])


def _bytes(place: Location, filing: tuple[str, str, int]) -> bytes | None:
    """The kept bytes of a filing; None if they are no longer kept."""
    try:
        return received_bytes(place, filing[1])
    except LakeProblem:
        return None


def _apply(
    lake: Lake, publication: Publication, corrections: Corrections, forms: pl.DataFrame, shared: Shared
) -> Decided:
    """Apply some corrections and put what they bring into the lake, with its amounts and what it is answered by."""
    settings = shared.settings
    filings = forms.select("filing_id", "sha256", "name", "received_at").unique(maintain_order=True)
    state = state_of(corrections, filings, lake.keyed("history"), lake_tables(settings.xsd))
    handled = Handled(corrections, filings, state, apply(state, corrections, filings, settings.limitation_years))
    keep(publication, handled.applied, settings)
    new = list(new_versions(lake, handled.made, settings))
    correct_amounts(lake, publication, new, shared.references, settings)
    return Decided(handled.applied.outcomes, handled.applied.anomalies, answers_to(lake, handled, new, shared))


def keep(publication: Publication, applied: Applied, settings: Settings) -> None:
    """Add the rows that corrections bring to history, and what they replace.

    Args:
        publication: the running transaction.
        applied: the corrections.
        settings: those of the run.

    Raises:
        LakeProblem: the lake's disk is full or cannot be written.
    """
    with ItemWriter(settings.lake, "corrections", (REPLACED, *history_tables(settings.xsd))) as writer:
        for name, rows in applied.rows.items():
            writer.append(f"history.{name}", rows)
        writer.append(REPLACED.key, applied.replaced)
        publication.append_files(writer.close(()).files)


def _frame(lake: Lake, sql: str) -> pl.DataFrame:
    return cast("pl.DataFrame", pl.from_arrow(lake.arrow(sql)))
