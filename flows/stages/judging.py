"""From a batch of read filings to verdicts: the checks, the verdict, and the places of what is wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

import polars as pl

from contributions import compute
from contributions.reference import References
from dmfa.checks import Context, check, verdict
from dmfa.checks.corrections import correction_anomalies
from dmfa.corrections.shape import Corrections
from dmfa.reading.batch import Batch
from dmfa.reading.location import locate
from flows.settings import Settings
from flows.stages.differing import differing, refused, too_many


@dataclass(frozen=True)
class Judgement:
    """The verdicts on a batch.

    Attributes:
        filings: one row per filing, with its `verdict` and number of declarations `refused`.
        forms: one row per Form, of originals and of corrections, with `refused`.
        anomalies: columns of `dmfa.anomaly.ANOMALY_SCHEMA`, with path and line where they can be told.
        accepted: the tables of the accepted originals, by name.
        corrections: those in which nothing is wrong by itself; whether they may be applied, the lake tells.
        computed: what was computed of them, by name of the table; empty if nothing was.
        counted_out: declarations refused for too many P anomalies, those of amounts among them if they were computed.
        not_verifiable: by code, the values whose code list ends before their quarter.
    """

    filings: pl.DataFrame
    forms: pl.DataFrame
    anomalies: pl.DataFrame
    accepted: Mapping[str, pl.DataFrame]
    corrections: Corrections
    computed: Mapping[str, pl.DataFrame] = field(default_factory=dict)
    counted_out: pl.Series = field(default_factory=lambda: pl.Series(dtype=pl.Int64))
    not_verifiable: Mapping[str, int] = field(default_factory=dict)


def judge_batch(
    batch: Batch,
    settings: Settings,
    blocks: Mapping[str, str],
    received_on: date,
    *,
    amounts: bool = False,
    references: References | None = None,
) -> Judgement:
    """Run the checks over a batch and give the verdicts.

    Args:
        batch: filings of one day of receipt.
        settings: which checks run, and how strict they are.
        blocks: name of a table to the label of its block.
        received_on: the day of receipt.
        amounts: whether amounts are computed and compared too, for what no other anomaly refuses.
        references: official rate files and employers, by quarter.
    """
    tables: Mapping[str, pl.DataFrame] = batch.shredded.tables
    originals, corrections = batch.shredded.forms, batch.corrections
    forms = pl.concat([originals, corrections.forms.select(originals.columns)])
    context = Context(
        received_on,
        blocks,
        validator_only=settings.checks == "validator",
        lenient_identifiers=settings.lenient_identifiers,
        refuse_prescribed=settings.prescription == "refuse",
        limitation_years=settings.limitation_years,
    )
    results = [check(tables, context)] if originals.height else []
    results += [correction_anomalies(corrections, context)] if corrections.forms.height else []
    anomalies = pl.concat([batch.anomalies, *(checked.anomalies for checked in results)])
    not_verifiable: Counter[str] = Counter()
    for checked in results:
        not_verifiable.update(checked.not_verifiable)
    judged = verdict(batch.filing_frame(), forms, anomalies)
    tables = _accepted(tables, judged.forms)
    found = _located(batch, anomalies)
    computed: Mapping[str, pl.DataFrame] = {}
    if amounts:
        computed = compute(tables, references=references, **settings.law).frames()
        found = pl.concat([found, differing(computed["difference"], blocks), refused(computed["deduction"], blocks)])
    contributions = [tables["worker_contribution"], corrections.declared["worker_contribution"]]
    counted_out = too_many(found, pl.concat(contributions), settings.p_threshold)
    if not counted_out.is_empty():
        judged = verdict(batch.filing_frame(), forms, anomalies, too_many=counted_out)
        tables, computed = _accepted(tables, judged.forms), _accepted(computed, judged.forms)
    kept = corrections.of_forms(judged.forms.filter(~pl.col("refused"))["declaration_id"])
    return Judgement(judged.filings, judged.forms, found, tables, kept, computed, counted_out, not_verifiable)


def _accepted(tables: Mapping[str, pl.DataFrame], forms: pl.DataFrame) -> Mapping[str, pl.DataFrame]:
    if not forms["refused"].any():
        return tables
    accepted = forms.filter(~pl.col("refused")).select("declaration_id")
    return {name: table.join(accepted, on="declaration_id", how="semi") for name, table in tables.items()}


def _located(batch: Batch, anomalies: pl.DataFrame) -> pl.DataFrame:
    """Anomalies with path and line, by a second reading of the filings that have some."""
    if anomalies.is_empty():
        return anomalies
    filings = {filing.filing_id: filing for filing in reversed(batch.filings)}
    parts = []
    for (key,), group in anomalies.group_by("filing_id", maintain_order=True):
        filing = filings[key]
        parts.append(locate(filing.found, filing.sha256 or "", group))
    return pl.concat(parts)
