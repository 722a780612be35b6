"""From a batch of read filings to verdicts: the checks, the verdict, and the places of what is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import polars as pl

from dmfa.checks import Context, run_checks, verdict
from dmfa.reading.batch import Batch
from dmfa.reading.location import locate
from flows.settings import Settings


@dataclass(frozen=True)
class Judgement:
    """The verdicts on a batch.

    Attributes:
        filings: one row per filing, with its `verdict` and number of declarations `refused`.
        forms: one row per declaration, with `refused`.
        anomalies: columns of `dmfa.anomaly.ANOMALY_SCHEMA`, with path and line where they can be told.
        accepted: the tables of the accepted declarations, by name.
    """

    filings: pl.DataFrame
    forms: pl.DataFrame
    anomalies: pl.DataFrame
    accepted: Mapping[str, pl.DataFrame]


def judge_batch(batch: Batch, settings: Settings, blocks: Mapping[str, str], received_on: date) -> Judgement:
    """Run the checks over a batch and give the verdicts.

    Args:
        batch: filings of one day of receipt.
        settings: which checks run, and how strict they are.
        blocks: name of a table to the label of its block.
        received_on: the day of receipt.
    """
    tables, forms = batch.shredded.tables, batch.shredded.forms
    anomalies = batch.anomalies
    if forms.height:
        context = Context(
            received_on,
            blocks,
            validator_only=settings.checks == "validator",
            lenient_identifiers=settings.lenient_identifiers,
            refuse_prescribed=settings.prescription == "refuse",
        )
        anomalies = pl.concat([anomalies, run_checks(tables, context)])
    judged = verdict(batch.filing_frame(), forms, anomalies)
    if judged.forms["refused"].any():
        accepted = judged.forms.filter(~pl.col("refused")).select("declaration_id")
        tables = {name: table.join(accepted, on="declaration_id", how="semi") for name, table in tables.items()}
    return Judgement(judged.filings, judged.forms, _located(batch, anomalies), tables)


def _located(batch: Batch, anomalies: pl.DataFrame) -> pl.DataFrame:
    """Anomalies with path and line, by a second reading of the filings that have some."""
    if anomalies.is_empty():
        return anomalies
    filings = {filing.filing_id: filing for filing in reversed(batch.filings)}
    parts = []
    for (key,), group in anomalies.group_by("filing_id", maintain_order=True):
        filing = filings[key]  # type: ignore[index]
        parts.append(locate(filing.found, filing.sha256 or "", group))
    return pl.concat(parts)
