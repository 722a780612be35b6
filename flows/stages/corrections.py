"""Corrections of a run, and those that waited: applied, and put into the lake by the transaction of the run.

All corrections are kept first, as waiting ones; then those whose declaration is in the lake are applied, however long
they have waited. So a correction has the same effect whether it comes after its original, with it, or before it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Final, cast

import polars as pl

from dmfa.address import Place
from dmfa.corrections.applied import WAITING, Applied
from dmfa.lake import Lake, Publication
from dmfa.pid import declaration_pid
from flows import console
from flows.settings import Settings
from flows.stages.corrected_amounts import put_amounts
from flows.stages.corrected_ledger import Decided, settle
from flows.stages.corrected_state import share_of
from flows.stages.correcting import Share, ready, stage, work
from flows.stages.handing import HandedOver
from flows.stages.item import Shared
from flows.stages.outcome import Asked, Refusal
from flows.stages.read_again import read_forms

if TYPE_CHECKING:
    from flows.crew import Crew

BYTES_AT_ONCE: Final = 128 << 20
"""XML of corrections that is in memory at a time; a filing above it is alone."""

_WAITING = """
SELECT c.form_id, c.filing_id, c.quarter, c.employer_declaration_pid, o.form_index, o.noss_registration_nbr,
    o.company_id, f.sha256, f.name, f.size, f.received_at, f.declarations
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


def take_up(
    lake: Lake,
    publication: Publication,
    run: Collection[int],
    shared: Shared,
    asked: Sequence[Asked] = (),
    *,
    by: Crew,
    spool: Place,
) -> Corrected:
    """Apply the corrections of a run, and those that have waited for an original that came with it.

    Args:
        lake: open for writing, in the transaction; what the run brings stands in its tables already.
        publication: the running transaction.
        run: filing_id of all filings of the run.
        shared: what every item needs.
        asked: corrections that the run has read.
        by: who applies them.
        spool: a folder for what is handed to these, which they all see.

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
    by.prepare(partial(ready, wanted["quarter"].unique().sort().to_list(), shared))
    when = datetime.now(UTC).replace(tzinfo=None, microsecond=0)
    decided: list[Decided] = []
    with console.progress("correcting", wanted.height) as advance:
        for forms in _groups(wanted):
            corrections = read_forms(forms, shared, corrected.lost, asked, by=by, spool=spool)
            if corrections is not None and corrections.forms.height:
                decided += _apply(publication, share_of(lake, corrections, forms, shared), by, spool)
            advance(forms.height)
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


def _apply(publication: Publication, share: Share, by: Crew, spool: Place) -> list[Decided]:
    """Apply some corrections and put what they bring into the lake, with its amounts and what it is answered by."""
    lake = share.shared.settings.lake
    handed = [HandedOver.of(part, spool, lake) for part in share.shares(by.workers)]
    worked = dict(by.run(work, handed))
    done = [worked[place] for place in range(len(handed))]
    for part in handed:
        part.forget()
    publication.append_files([file for part in done for file in part.files])
    put_amounts(publication, [amounts for part in done for amounts in part.amounts])
    return [Decided(part.outcomes, part.anomalies, part.answers, part.notified) for part in done]


def keep(publication: Publication, applied: Applied, settings: Settings) -> None:
    """Add the rows that corrections bring to history, and what they replace.

    Args:
        publication: the running transaction.
        applied: the corrections.
        settings: those of the run.

    Raises:
        LakeProblem: the lake's disk is full or cannot be written.
    """
    publication.append_files(stage(applied, settings))


def _frame(lake: Lake, sql: str) -> pl.DataFrame:
    return cast("pl.DataFrame", pl.from_arrow(lake.arrow(sql)))
