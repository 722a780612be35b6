"""A worker's share of corrections: some declarations and what is asked of them, taken to versions, amounts and answers.

Everything that it needs of the lake is handed to it; what it makes is staged in the lake's folder and published by who
gave it out, in the transaction that applies the corrections.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import polars as pl

from contributions import compute, entries
from contributions.columns import ENTRY
from dmfa.answers.notification import KIND as NOTIFICATION
from dmfa.corrections.applied import Applied
from dmfa.corrections.apply import apply
from dmfa.corrections.places import flagged, places
from dmfa.corrections.shape import Corrections
from dmfa.corrections.state import DECLARATION, State
from dmfa.lake import RECEIVED, REPLACED, ItemWriter, StagedFile, history_tables
from flows.stages.corrected_amounts import Amounts, amounts_of
from flows.stages.corrected_answers import Handled, answers_to
from flows.stages.corrected_differences import wrong_amounts
from flows.stages.handing import HandedOver
from flows.stages.item import Shared
from flows.stages.versions import Part, Versions

if TYPE_CHECKING:
    from dmfa.lake import Histories
    from flows.settings import Settings

_ANSWER, _PLACE = (next(spec for spec in RECEIVED if spec.name == name) for name in ("answer", "correction_place"))

FORMS_A_SHARE: Final = 200
"""Forms that are worth a worker."""


@dataclass(frozen=True)
class Share:
    """What is handed to a worker: all Forms about some declarations, and what the lake holds of these.

    Attributes:
        corrections: what is asked.
        filings: as in `flows.stages.corrected_answers.Handled`.
        state: what is known.
        histories: all rows of the persons named, and of what is of no person.
        before: totals of these as the lake holds them, from `flows.stages.corrected_amounts.standing`.
        notified: the notifications that were written when the Forms were read, columns of `ANSWER_SCHEMA`.
        flagged: form_id of those with anomalies of class P or NP, found when they were read.
        shared: what every item needs.
    """

    corrections: Corrections
    filings: pl.DataFrame
    state: State
    histories: Histories
    before: pl.DataFrame
    notified: pl.DataFrame
    flagged: pl.Series
    shared: Shared

    @property
    def size(self) -> int:
        """Forms."""
        return self.corrections.forms.height

    def shares(self, workers: int) -> list[Share]:
        """The same, in about equal parts for some workers; all about one declaration stays together."""
        many = max(1, min(workers, self.size // FORMS_A_SHARE))
        if many == 1:
            return [self]
        asked = self.corrections.asked.group_by("form_id").agg(asked=pl.len())
        forms = self.state.matched.join(asked, on="form_id", how="left", maintain_order="left").select(
            "form_id", "asked", whole=pl.coalesce("declaration_id", "form_id")
        )
        largest = forms.group_by("whole").agg(pl.col("asked").sum()).sort("asked", "whole", descending=True)
        weights, places = [0] * many, []
        for weight in largest["asked"]:
            places.append(weights.index(min(weights)))
            weights[places[-1]] += weight + 1
        placed = forms.join(largest.select("whole", place=pl.Series(places, dtype=pl.Int64)), on="whole")
        parts = placed.partition_by("place", as_dict=True)
        return [self._of_forms(parts[place,]["form_id"]) for place in range(many) if (place,) in parts]

    def _of_forms(self, ids: pl.Series) -> Share:
        state = self.state.of_forms(ids)
        own = state.matched["declaration_id"].drop_nulls().unique()
        return Share(
            self.corrections.of_forms(ids),
            self.filings,
            state,
            self.histories.of_declarations(own),
            self.before.filter(pl.col("declaration_id").is_in(own.implode())),
            self.notified.filter(pl.col("declaration_id").is_in(ids.implode())),
            self.flagged.filter(self.flagged.is_in(ids.implode())),
            self.shared,
        )


@dataclass(frozen=True)
class Worked:
    """What came of a share.

    Attributes:
        outcomes: columns of `dmfa.corrections.applied.OUTCOME_TYPES`.
        anomalies: what applying them found, columns of `dmfa.anomaly.ANOMALY_SCHEMA`.
        notified: declaration_id of the answers that take the place of others.
        answers: staged rows of received.answer.
        files: staged rows of schema history and of received.correction_place.
        amounts: what the new versions amount to, by quarter and shard.
    """

    outcomes: pl.DataFrame
    anomalies: pl.DataFrame
    notified: pl.Series
    answers: tuple[StagedFile, ...]
    files: tuple[StagedFile, ...]
    amounts: tuple[Amounts, ...]


def ready(quarters: Sequence[int], shared: Shared) -> None:
    """Know the law of some quarters before a share comes: a declaration of nothing is computed.

    Args:
        quarters: e.g. 20263.
        shared: what every item needs.
    """
    nothing = pl.DataFrame(
        {"declaration_id": range(len(quarters)), "quarter": quarters},
        schema={"declaration_id": pl.Int64, "quarter": pl.Int32},
    )
    compute({DECLARATION: nothing}, references=shared.references, **shared.settings.law)


def work(handed: HandedOver[Share]) -> Worked:
    """Apply the corrections of a share, compute what they touch and write their answers.

    Raises:
        LakeProblem: the lake's disk is full or cannot be written.
    """
    share = handed.taken()
    settings = share.shared.settings
    with _uncollected():
        applied = apply(share.state, share.corrections, share.filings, settings.limitation_years)
        histories = share.histories.then(applied.rows, applied.replaced)
        new = list(_new(applied, histories))
        amounts = tuple(amounts_of(part, share.before, share.shared.references, settings) for part in new)
        doubted = pl.concat([share.flagged, flagged(applied.anomalies)]).unique()
        placed = places(applied, share.corrections, doubted, share.state.tables)
        found = [part.wrong for part in amounts]
        wrong = wrong_amounts(found, applied, share.corrections, share.state.tables)
        applied = replace(applied, anomalies=pl.concat([applied.anomalies, wrong.anomalies]))
        placed = pl.concat([placed, wrong.places]).unique()
        handled = Handled(share.corrections, share.filings, share.state, applied, histories)
        answers = answers_to(handled, share.notified, new, amounts, share.shared.reading.plan)
        with ItemWriter(settings.lake, "corrected-answers", [_ANSWER]) as writer:
            writer.append(_ANSWER.key, answers)
            written = tuple(writer.close(()).files)
        files = stage(applied, settings, placed)
    notified = answers.filter(kind=NOTIFICATION)["declaration_id"]
    # What is wrong is among the anomalies by now: it need not travel twice.
    bare = tuple(replace(part, wrong=part.wrong.clear()) for part in amounts)
    return Worked(applied.outcomes, applied.anomalies, notified, written, files, bare)


def stage(applied: Applied, settings: Settings, placed: pl.DataFrame | None = None) -> tuple[StagedFile, ...]:
    """Write the rows that corrections bring to history, and what they replace.

    Args:
        applied: the corrections.
        settings: those of the run.
        placed: rows of received.correction_place, where there are any.

    Raises:
        LakeProblem: the lake's disk is full or cannot be written.
    """
    with ItemWriter(settings.lake, "corrections", (REPLACED, _PLACE, *history_tables(settings.xsd))) as writer:
        for name, rows in applied.rows.items():
            writer.append(f"history.{name}", rows)
        writer.append(REPLACED.key, applied.replaced)
        if placed is not None:
            writer.append(_PLACE.key, placed)
        return tuple(writer.close(()).files)


def _new(applied: Applied, histories: Histories) -> Iterator[Part]:
    """The versions that corrections made, quarter by quarter, with the rows of what they touch."""
    if DECLARATION not in applied.rows:
        return
    made = applied.rows[DECLARATION].sort("declaration_id", "version")
    told = made.select(
        "declaration_id",
        "filing_id",
        "version",
        "quarter",
        "noss_registration_nbr",
        declared_net_cents=pl.lit(0, pl.Int64),
        entry=pl.lit(entries.CORRECTION).cast(ENTRY),
    )
    for quarter in made["quarter"].unique().sort():
        own = pl.col("quarter") == quarter
        touched = applied.touched.filter(own).select("declaration_id", "natural_person_ordinal", "version").unique()
        for shard in Versions(quarter, told.filter(own), touched).shards():
            yield Part(shard, histories)


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
