"""The record of what was given and refused: rows of exchange.authorisation, exchange.delivery and exchange.log.

One row of the log per person and communication; their number equals the attestations delivered. A refused access has
one row that says what was asked for, for whom, when and why it was refused, and names nobody.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from dmfa.address import Place
from dmfa.extracts.authorisations import EXAMPLE, Authorisation, Refusal
from dmfa.lake import EXCHANGE, TableSpec
from dmfa.quarter import Quarter

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from dmfa.extracts.delivery import Delivery

TABLES: dict[str, TableSpec] = {spec.name: spec for spec in EXCHANGE}
GIVEN = "given"
REFUSED = "refused"
LOG_ROWS = 100_000
"""Rows of the log made at once: their texts are the same in every row, and take far more room than the numbers."""

_KEPT = """
    SELECT count(*) FILTER (ticket = ?), coalesce(max(id) FILTER (run_id = ?) + 1, 0)
    FROM lake.exchange.log WHERE quarter = ?
"""

_REFUSED = """
    SELECT flow, recipient, "authorisation", reason, count(*) AS times
    FROM lake.exchange.log WHERE quarter = ? AND result = ? GROUP BY ALL
"""


class WritableLake(Protocol):
    """What a lake open for writing offers to the record."""

    def arrow(self, sql: str, values: Sequence[object] | None = None) -> pa.Table:
        """The result of a query."""

    def transaction(self) -> AbstractContextManager[Any]:
        """Changes that appear at once."""


def authorisation_rows(rows: Iterable[Authorisation]) -> pl.DataFrame:
    """The register as rows of exchange.authorisation."""
    return pl.DataFrame(
        [
            {
                "authorisation": row.id,
                "deliberation": row.deliberation,
                "deliberation_date": row.deliberation_date,
                "supplier": row.supplier.name,
                "recipient": row.recipient.name,
                "extract": row.extract,
                "purpose": row.purpose,
                "legal_basis": row.legal_basis,
                "population": json.dumps(row.population) if row.population else "all",
                "zones": [f"{table}.{column}" for table, columns in row.columns.items() for column in columns],
                "periodicity": row.frequency,
                "mode": row.mode,
                "retention": row.retention,
                "valid_from": row.valid_from,
                "valid_to": row.valid_to,
                "fictitious": row.deliberation == EXAMPLE,
            }
            for row in rows
        ],
        schema=_schema("authorisation"),
    )


def delivery_rows(delivery: Delivery) -> pl.DataFrame:
    """One row of exchange.delivery per file of a delivery."""
    files = delivery.manifest["files"]
    tables = delivery.manifest["tables"]
    rows = []
    for name, facts in files.items():
        table = tables.get(name.removesuffix(".parquet"))
        totals = table["totals"] if table else {key: part["totals"] for key, part in tables.items() if part["totals"]}
        rows.append(
            {
                "run_id": delivery.run.id,
                "at": _naive(delivery.run.at),
                "extract": delivery.extract,
                "recipient": delivery.recipient,
                "authorisation": delivery.authorisation.id,
                "quarter": delivery.quarter.code,
                "file": f"{delivery.place}/{name}",
                "sha256": facts["sha256"],
                "rows": table["rows"] if table else delivery.attestations,
                "control_totals": json.dumps(totals, sort_keys=True),
            }
        )
    return pl.DataFrame(rows, schema=_schema("delivery"))


def log_rows(delivery: Delivery, first: int = 0) -> Iterator[pl.DataFrame]:
    """Rows of exchange.log, one per attestation delivered, a bounded number at once.

    Args:
        delivery: the delivery.
        first: number of its first row in the run.
    """
    constant = {
        "run_id": delivery.run.id,
        "at": _naive(delivery.run.at),
        "flow": delivery.extract,
        "authorisation": delivery.authorisation.id,
        "supplier": delivery.authorisation.supplier.name,
        "recipient": delivery.recipient,
        "quarter": delivery.quarter.code,
        "blocks": ",".join(delivery.authorisation.blocks),
        "file": delivery.place,
        "ticket": delivery.ticket,
        "result": GIVEN,
        "reason": None,
    }
    schema = _schema("log")
    number = first
    if delivery.persons is None:
        return
    for chunk in _chunks(delivery.persons):
        ids = pl.int_range(number, number + chunk.height, dtype=pl.Int64, eager=True).alias("id")
        number += chunk.height
        rows = chunk.with_columns(ids, *(pl.lit(value).alias(name) for name, value in constant.items()))
        yield rows.select(pl.col(name).cast(kind) for name, kind in schema.items())


def _chunks(persons: Place) -> Iterator[pl.DataFrame]:
    with persons.open("rb") as file:
        for batch in pq.ParquetFile(file).iter_batches(LOG_ROWS):
            yield pl.DataFrame(batch)


def recorder(lake: WritableLake) -> Callable[[Delivery], None]:
    """A function that writes a delivery and its log into the lake in one transaction.

    A delivery whose ticket stands in the log already is left as it is: a run that was broken off between record and
    delivery is finished by the next one without a second record.
    """

    def record(delivery: Delivery) -> None:
        values = [delivery.ticket, delivery.run.id, delivery.quarter.code]
        kept, first = (column[0].as_py() for column in lake.arrow(_KEPT, values).columns)
        if kept:
            return
        with lake.transaction() as publication:
            publication.append(TABLES["delivery"], delivery_rows(delivery))
            publication.append_parts(TABLES["log"], log_rows(delivery, first))

    return record


def record_refusals(
    lake: WritableLake, quarter: Quarter, run_id: str, at: datetime, refusals: Sequence[Refusal], *, asked: bool
) -> None:
    """Log accesses that were refused.

    Args:
        lake: the lake, open for writing.
        quarter: the quarter asked for.
        run_id: the run.
        at: when, with its zone.
        refusals: what was refused.
        asked: whether somebody asked for it by name: that is logged every time. What a run of everything leaves out
            is logged once for each reason, so that a second run changes nothing.
    """
    key = ("flow", "recipient", "authorisation", "reason")
    kept = lake.arrow(_REFUSED, [quarter.code, REFUSED]).to_pylist()
    before = {tuple(row[name] for name in key): int(row["times"]) for row in kept}
    number = lake.arrow(_KEPT, ["", run_id, quarter.code]).column(1)[0].as_py()
    rows: list[dict[str, object]] = []
    for refusal in refusals:
        row = refusal.authorisation
        facts = (refusal.extract, refusal.recipient, row.id if row else None, refusal.reason)
        times = before.get(facts, 0)
        if times and not asked:
            continue
        before[facts] = times + 1
        ticket = uuid.uuid5(uuid.NAMESPACE_URL, json.dumps([REFUSED, quarter.code, *facts, times]))
        rows.append(
            {
                **dict(zip(key, facts, strict=True)),
                "id": number + len(rows),
                "run_id": run_id,
                "at": _naive(at),
                "supplier": row.supplier.name if row else None,
                "quarter": quarter.code,
                "ticket": str(ticket),
                "result": REFUSED,
            }
        )
    if rows:
        with lake.transaction() as publication:
            publication.append(TABLES["log"], pl.DataFrame(rows, schema=_schema("log")))


def _schema(table: str) -> pl.Schema:
    return pl.DataFrame(TABLES[table].arrow.empty_table()).schema


def _naive(time: datetime) -> datetime:
    """A time in UTC without its zone, as the lake keeps times."""
    return time.astimezone(UTC).replace(tzinfo=None)
