"""A worker's share: some filings taken from their bytes to staged tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from multiprocessing.sharedctypes import Synchronized

import polars as pl

from contributions import compute
from dmfa.lake import ItemWriter, Manifest, TableSpec
from dmfa.reading.batch import Batch, plan_batches, read_batch
from dmfa.reading.batch import Settings as Reading
from dmfa.reading.source import Found
from flows.settings import Settings
from flows.stages.judging import Judgement, judge_batch
from flows.stages.receipt import Receipt, ticket

SHOWN = 1_000
"""Refusals of which a worker tells; the ledger holds all."""


@dataclass(frozen=True)
class Shared:
    """What every worker needs; small enough to travel with each item.

    Attributes:
        settings: those of the run.
        reading: how filings are read.
        specs: the tables that are written.
        blocks: name of a table to the label of its block.
    """

    settings: Settings
    reading: Reading
    specs: tuple[TableSpec, ...]
    blocks: Mapping[str, str]


@dataclass(frozen=True)
class Item:
    """Some filings received on one day, worked on together.

    Attributes:
        item_id: derived from what they are and how they are judged.
        receipts: the filings.
        shared: what every item needs.
    """

    item_id: str
    receipts: tuple[Receipt, ...]
    shared: Shared

    @property
    def size(self) -> int:
        """Bytes of its filings, as far as known."""
        return sum(receipt.found.size for receipt in self.receipts)


@dataclass(frozen=True)
class Refusal:
    """Why a filing, or a declaration in it, was refused.

    Attributes:
        name: name of the filing.
        code: official code, or kind of refusal.
        message: plain words without a person's number or name.
    """

    name: str
    code: str
    message: str


@dataclass
class Done:
    """What came of an item.

    Attributes:
        manifest: its staged files.
        states: filings by state.
        counts: declarations, refused, persons, lines, and in cents wages, declared, covered and computed contributions.
        refusals: the first of them.
        originals: accepted declarations: declaration_id, filing_id, quarter, employer, name, form_index.
        unreadable: filings of which no byte could be had, with the reason.
    """

    manifest: Manifest
    states: Counter[str] = field(default_factory=Counter)
    counts: Counter[str] = field(default_factory=Counter)
    refusals: list[Refusal] = field(default_factory=list)
    originals: pl.DataFrame = field(default_factory=pl.DataFrame)
    unreadable: list[tuple[str, str]] = field(default_factory=list)


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
    done = Done(Manifest(item.item_id, (), ()))
    digests = {receipt.found: receipt.sha256 for receipt in item.receipts}
    received = {receipt.sha256: receipt.received_at for receipt in item.receipts}
    inputs: list[str] = []
    with ItemWriter(shared.settings.lake, item.item_id, shared.specs) as writer:
        for group in plan_batches(receipt.found for receipt in item.receipts):
            batch = _read(group, digests, shared, done)
            judgement = judge_batch(batch, shared.settings, shared.blocks, item.receipts[0].received_at.date())
            computed = compute(judgement.accepted, trust=shared.settings.trust).frames()
            for name, table in judgement.accepted.items():
                writer.append(f"history.{name}", table)
            for name, frame in computed.items():
                writer.append(f"computed.{name}", frame)
            for name, rows in _ledger(judgement, received).items():
                writer.append(f"received.{name}", rows)
            inputs.extend(judgement.filings["sha256"])
            _count(done, judgement, computed["employer_account"])
            if _progress is not None:
                with _progress.get_lock():
                    _progress.value += sum(one.size for one in group)
        done.manifest = writer.close(inputs)
    return done


def _read(group: Sequence[Found], digests: Mapping[Found, str | None], shared: Shared, done: Done) -> Batch:
    """Read a batch; a file that is no longer what was received is left out of it."""
    batch = read_batch(group, shared.reading)
    changed = [filing for filing in batch.filings if filing.sha256 != digests[filing.found]]
    if not changed:
        return batch
    done.unreadable += [(filing.name, filing.unreadable or "it changed after it was received") for filing in changed]
    gone = {filing.found for filing in changed}
    return read_batch([one for one in group if one not in gone], shared.reading)


def _ledger(judgement: Judgement, received: Mapping[str | None, datetime]) -> dict[str, pl.DataFrame]:
    """Rows of received.filing, form and anomaly."""
    blocking = judgement.anomalies.filter(pl.col("severity") == "B")
    reasons = blocking.group_by("filing_id").agg(reason=pl.col("code").unique().sort().str.join(" "))
    digests = judgement.filings["sha256"].to_list()
    filing = judgement.filings.join(reasons, on="filing_id", how="left", maintain_order="left").with_columns(
        pl.Series("ticket", [ticket(digest) for digest in digests], dtype=pl.String),
        pl.Series("received_at", [received[digest] for digest in digests], dtype=pl.Datetime("us")),
        processed_at=pl.lit(datetime.now(UTC).replace(tzinfo=None, microsecond=0), dtype=pl.Datetime("us")),
    )
    state = pl.when("refused").then(pl.lit("refused")).otherwise(pl.lit("accepted"))
    return {
        "filing": filing.drop("state", "well_formed", "schema_valid").rename(
            {"verdict": "state", "release": "schema_release"}
        ),
        "form": judgement.forms.with_columns(state=state).drop("refused"),
        "anomaly": anomaly_rows(judgement.anomalies, judgement.filings, judgement.forms),
    }


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


def _count(done: Done, judgement: Judgement, accounts: pl.DataFrame) -> None:
    filings, forms, tables = judgement.filings, judgement.forms, judgement.accepted
    done.states.update(filings["verdict"])
    done.counts.update(
        declarations=int(filings["declarations"].sum()),
        refused=int(filings["refused"].sum()),
        accepted=int((~forms["refused"]).sum()),
        persons=tables["natural_person"].height,
        lines=tables["worker_record"].height,
        wages=int(tables["remun"]["remun_amount"].sum()),
        **{name: int(accounts[f"{name}_contribution_cents"].sum()) for name in ("declared", "covered", "computed")},
    )
    names = dict(filings.select("filing_id", "name").iter_rows())
    room = SHOWN - len(done.refusals)
    for row in judgement.anomalies.filter(pl.col("severity") == "B").head(room).iter_rows(named=True):
        done.refusals.append(Refusal(names[row["filing_id"]], row["code"], row["message"]))
    accepted = forms.filter(~pl.col("refused")).join(filings.select("filing_id", "name"), on="filing_id", how="left")
    done.originals = pl.concat([done.originals, _originals(accepted)], how="diagonal")


def _originals(accepted: pl.DataFrame) -> pl.DataFrame:
    """What a second original of an employer is told by: its NSSO number, or minus its enterprise number without one."""
    number = pl.col("noss_registration_nbr")
    employer = pl.when(number > 0).then(number).otherwise(-pl.col("company_id"))
    return accepted.select("declaration_id", "filing_id", "quarter", employer.alias("employer"), "name", "form_index")
