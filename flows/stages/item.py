"""A worker's share: some filings taken from their bytes to staged tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from multiprocessing.sharedctypes import Synchronized

import polars as pl

from contributions.reference import References
from dmfa.address import Place
from dmfa.answers import filing_ticket, identifications
from dmfa.lake import ItemWriter, TableSpec
from dmfa.reading.batch import Batch, plan_batches, read_batch
from dmfa.reading.batch import Settings as Reading
from dmfa.schema import UPDATE
from dmfa.states import WAITING, WAITS
from flows.settings import Settings
from flows.stages.answers import answer_rows
from flows.stages.handing import HandedOver
from flows.stages.judging import Judgement, judge_batch
from flows.stages.outcome import Asked, Done, outcome
from flows.stages.receipt import Receipt, opening
from flows.stages.steps import first_steps


@dataclass(frozen=True)
class Shared:
    """What every worker needs; small enough to travel with each item.

    Attributes:
        settings: those of the run.
        reading: how filings are read.
        specs: the tables that are written.
        blocks: name of a table to the label of its block.
        references: official rate files and employers, by quarter.
    """

    settings: Settings
    reading: Reading
    specs: tuple[TableSpec, ...]
    blocks: Mapping[str, str]
    references: References = field(default_factory=dict)


@dataclass(frozen=True)
class Item:
    """Some filings received on one day, worked on together.

    Attributes:
        item_id: derived from what they are and how they are judged.
        receipts: the filings.
        shared: what every item needs.
        spool: a folder for the corrections in them, which all see.
    """

    item_id: str
    receipts: tuple[Receipt, ...]
    shared: Shared
    spool: Place

    @property
    def size(self) -> int:
        """Bytes of its filings, as far as known."""
        return sum(receipt.found.size for receipt in self.receipts)


_progress: Synchronized[int] | None = None


def watch(counter: Synchronized[int]) -> None:
    """Let this process count the bytes that it has done."""
    global _progress  # noqa: PLW0603 - a worker process has one counter for its life
    _progress = counter


def process(item: Item) -> Done:
    """Take the filings of an item to staged tables.

    Raises:
        LakeProblem: the lake's disk is full or cannot be written.
    """
    shared = item.shared
    lake = shared.settings.lake
    receipts = {receipt.found: receipt for receipt in item.receipts}
    received = {receipt.sha256: receipt.received_at for receipt in item.receipts}
    inputs: list[str] = []
    asked = []
    with ItemWriter(lake, item.item_id, shared.specs) as writer:
        for group in plan_batches(receipts):
            batch = read_batch(group, shared.reading, opening(group, receipts, lake))
            received_on = item.receipts[0].received_at.date()
            judgement = judge_batch(
                batch, shared.settings, shared.blocks, received_on, amounts=True, references=shared.references
            )
            since = _since(judgement.filings, received)
            for name, table in judgement.accepted.items():
                writer.append(f"history.{name}", table.with_columns(known_from=since))
            for name, frame in judgement.computed.items():
                writer.append(f"computed.{name}", frame)
            ledger = _ledger(judgement, received)
            ledger["correction"] = _corrections(batch.corrections.forms, ledger, judgement.anomalies)
            ledger |= answer_rows(ledger, judgement.anomalies, _told(batch), shared.reading.plan)
            if shared.settings.pid:
                given = identifications(ledger["filing"], ledger["form"], judgement.accepted)
                ledger["answer"] = pl.concat([ledger["answer"], given])
            decided = ledger["form"].filter(pl.col("state") != WAITING)
            ledger["filing_state"] = first_steps(ledger["filing"], decided, judgement.anomalies)
            ledger["filing"] = _put_aside(ledger["filing"], ledger["form"])
            for name, rows in ledger.items():
                writer.append(f"received.{name}", rows)
            inputs.extend(judgement.filings["sha256"])
            if batch.corrections.forms.height:
                of = frozenset(batch.corrections.forms["filing_id"])
                asked.append(Asked(of, HandedOver.of(batch.corrections, item.spool, lake)))
            if _progress is not None:
                with _progress.get_lock():
                    _progress.value += sum(one.size for one in group)
        manifest = writer.close(inputs)
    return outcome(lake, manifest, asked)


def _since(filings: pl.DataFrame, received: Mapping[str | None, datetime]) -> pl.Expr:
    """When the filing of a row was received: most often one moment for all."""
    moments = {key: received[digest] for key, digest in filings.select("filing_id", "sha256").iter_rows()}
    if len(set(moments.values())) == 1:
        return pl.lit(next(iter(moments.values())), pl.Datetime("us"))
    return pl.col("filing_id").replace_strict(moments, default=None, return_dtype=pl.Datetime("us"))


def _ledger(judgement: Judgement, received: Mapping[str | None, datetime]) -> dict[str, pl.DataFrame]:
    """Rows of received.filing, form and anomaly."""
    counted = (pl.col("severity") == "P") & pl.col("declaration_id").is_in(judgement.counted_out.implode())
    blocking = judgement.anomalies.filter((pl.col("severity") == "B") | counted)
    reasons = blocking.group_by("filing_id").agg(reason=pl.col("code").unique().sort().str.join(" "))
    digests = judgement.filings["sha256"].to_list()
    filing = judgement.filings.join(reasons, on="filing_id", how="left", maintain_order="left").with_columns(
        pl.Series("ticket", [filing_ticket(digest) for digest in digests], dtype=pl.String),
        pl.Series("received_at", [received[digest] for digest in digests], dtype=pl.Datetime("us")),
        processed_at=pl.lit(datetime.now(UTC).replace(tzinfo=None, microsecond=0), dtype=pl.Datetime("us")),
    )
    corrections = filing.filter(pl.col("kind") == UPDATE.name)["filing_id"]
    state = (
        pl.when("refused")
        .then(pl.lit("refused"))
        .when(pl.col("filing_id").is_in(corrections.implode()))
        .then(pl.lit(WAITING))
        .otherwise(pl.lit("accepted"))
    )
    return {
        "filing": filing.drop("state", "well_formed", "schema_valid").rename(
            {"verdict": "state", "release": "schema_release"}
        ),
        "form": judgement.forms.with_columns(state=state).drop("refused"),
        "anomaly": anomaly_rows(judgement.anomalies, judgement.filings, judgement.forms),
    }


def _corrections(forms: pl.DataFrame, ledger: Mapping[str, pl.DataFrame], anomalies: pl.DataFrame) -> pl.DataFrame:
    """Rows of received.correction: refused for what a Form holds itself, or still to be applied.

    Args:
        forms: the Forms of corrections.
        ledger: rows of received.filing and form, by name of the table.
        anomalies: columns of `dmfa.anomaly.ANOMALY_SCHEMA`.
    """
    own = anomalies.filter(pl.col("declaration_id").is_not_null() & (pl.col("severity") == "B"))
    codes = own.group_by("declaration_id").agg(codes=pl.col("code").unique().sort().str.join(" "))
    told = ledger["form"].select("declaration_id", "state")
    return (
        forms.select("declaration_id", "filing_id", "quarter", "employer_declaration_pid")
        .join(told, on="declaration_id", how="left", maintain_order="left")
        .join(codes, on="declaration_id", how="left", maintain_order="left")
        .join(
            ledger["filing"].select("filing_id", "received_at", "reason"),
            on="filing_id",
            how="left",
            maintain_order="left",
        )
        .with_columns(codes=pl.when(pl.col("state") == "refused").then(pl.coalesce("codes", "reason")))
        .drop("reason")
        .rename({"declaration_id": "form_id"})
    )


def _told(batch: Batch) -> Mapping[str, pl.DataFrame]:
    """The tables of a batch, of originals and of what corrections declare."""
    if batch.corrections.forms.is_empty():
        return batch.shredded.tables
    return {name: pl.concat([table, batch.corrections.declared[name]]) for name, table in batch.shredded.tables.items()}


def _put_aside(filings: pl.DataFrame, forms: pl.DataFrame) -> pl.DataFrame:
    """Filings with a Form that is still to be applied are not processed until it is, unless another one is refused."""
    waiting = pl.col("filing_id").is_in(forms.filter(pl.col("state") == WAITING)["filing_id"].unique().implode())
    aside = waiting & (pl.col("state") == "accepted")
    return filings.with_columns(
        state=pl.when(aside).then(pl.lit("not_processed")).otherwise("state"),
        reason=pl.when(aside).then(pl.lit(WAITS)).otherwise("reason"),
    )


def anomaly_rows(anomalies: pl.DataFrame, filings: pl.DataFrame, forms: pl.DataFrame) -> pl.DataFrame:
    """Anomalies as rows of received.anomaly.

    Args:
        anomalies: columns of `dmfa.anomaly.ANOMALY_SCHEMA`.
        filings: filing_id and sha256.
        forms: declaration_id and quarter.
    """
    digests = filings.select("filing_id", filing_sha256="sha256").unique()
    return (
        anomalies.join(digests, on="filing_id", how="left", maintain_order="left")
        .join(forms.select("declaration_id", "quarter"), on="declaration_id", how="left", maintain_order="left")
        .with_columns(block_keys=pl.format("{}[{}]", "block", pl.col("block_ordinal").fill_null(0)))
        .drop("block_ordinal")
    )
