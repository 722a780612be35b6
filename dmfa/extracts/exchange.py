"""The record of what was given and refused: rows of exchange.authorisation, exchange.delivery and exchange.log.

One row of the log per person and communication; their number equals the attestations delivered. A refused access has
one row that says what was asked for, for whom, when and why it was refused, and names nobody. Rows are only added, by
`append_log` alone, which makes the links of the chain over them.
"""

from __future__ import annotations

import itertools
import json
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from dmfa.address import Place
from dmfa.extracts.authorisations import EXAMPLE, FULL, Authorisation, Refusal
from dmfa.extracts.chain import LINK_ROWS, ORIGIN, Chain
from dmfa.extracts.rejects import REJECT, reject_rows
from dmfa.lake import EXCHANGE, TableSpec
from dmfa.quarter import Quarter

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from dmfa.extracts.delivery import Delivery
    from dmfa.lake import Publication

TABLES: dict[str, TableSpec] = {spec.name: spec for spec in EXCHANGE}
GIVEN = "given"
REFUSED = "refused"
NOT_INTEGRATED = "not integrated"

_LINKED = """
    SELECT coalesce(max(number) + 1, 0) AS number, arg_max(sha256, number) AS previous,
        coalesce(bool_or(ticket = ?), false) AS kept, coalesce(max(first_id + rows) FILTER (run_id = ?), 0) AS first
    FROM lake.exchange.chain
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
                "directory": json.dumps(asdict(row.directory)) if row.directory else None,
                "bounds": _bounds(row),
                "zones": [f"{table}.{column}" for table, columns in row.columns.items() for column in columns],
                "periodicity": row.frequency,
                "mode": row.mode if row.delivery == FULL else f"{row.mode}; {row.delivery}",
                "retention": row.retention,
                "valid_from": row.valid_from,
                "valid_to": row.valid_to,
                "fictitious": row.deliberation == EXAMPLE,
            }
            for row in rows
        ],
        schema=schema("authorisation"),
    )


def _bounds(row: Authorisation) -> str | None:
    """Limits of a threshold, groups of an aggregate, project and end of research; None where there is none."""
    research = None if row.research is None else asdict(row.research)
    bounds = {"limits": row.limits, "groups": row.groups, "smallest_group": row.smallest_group, "research": research}
    told = {name: value for name, value in bounds.items() if value}
    return json.dumps(told, default=str) if told else None


def delivery_rows(delivery: Delivery, at: datetime) -> pl.DataFrame:
    """One row of exchange.delivery per file of a delivery, recorded at a time."""
    files = delivery.manifest["files"]
    tables = delivery.manifest["tables"]
    rows = []
    for name, facts in files.items():
        # Of an encrypted file the plain one is recorded: encryption gives other bytes each time.
        plain = facts.get("plain", {"name": name, **facts})
        table = tables.get(plain["name"].removesuffix(".parquet"))
        totals = table["totals"] if table else {key: part["totals"] for key, part in tables.items() if part["totals"]}
        rows.append(
            {
                "run_id": delivery.run.id,
                "at": naive(at),
                "extract": delivery.extract,
                "recipient": delivery.recipient,
                "authorisation": delivery.authorisation.id,
                "quarter": delivery.quarter.code,
                "file": f"{delivery.place}/{name}",
                "sha256": plain["sha256"],
                "rows": table["rows"] if table else delivery.attestations,
                "control_totals": json.dumps(totals, sort_keys=True),
                "ticket": delivery.ticket,
                "attestations": delivery.attestations,
                "purpose": delivery.authorisation.purpose,
                "deliberation": delivery.authorisation.deliberation,
                "legal_basis": delivery.authorisation.legal_basis,
            }
        )
    return pl.DataFrame(rows, schema=schema("delivery"))


def log_rows(delivery: Delivery, at: datetime, first: int = 0) -> Iterator[pl.DataFrame]:
    """Rows of exchange.log, one per attestation delivered, a bounded number at once.

    They come in the order of the persons' numbers, so that a question about one person reads a few rows of a file.

    Args:
        delivery: the delivery.
        at: when it is recorded, with its zone.
        first: number of its first row in the run.
    """
    constant = {
        "run_id": delivery.run.id,
        "at": naive(at),
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
    if delivery.persons is None:
        return
    # Three numbers a person; the texts beside them take far more room, and are made for some rows at once.
    for rows in _persons(delivery.persons).iter_slices(LINK_ROWS):
        ids = pl.int_range(first, first + rows.height, dtype=pl.Int64, eager=True).alias("id")
        first += rows.height
        told = rows.with_columns(ids, *(pl.lit(value).alias(name) for name, value in constant.items()))
        yield log_frame(told)


def omission_rows(delivery: Delivery, at: datetime, number: int) -> Iterator[pl.DataFrame]:
    """The row that counts whom a delivery leaves out, because its recipient has no line of them in the directory.

    Args:
        delivery: the delivery.
        at: when it is recorded, with its zone.
        number: number of the row in the run.
    """
    if not delivery.not_integrated or delivery.persons is None:
        return
    row = {
        "id": number,
        "run_id": delivery.run.id,
        "at": naive(at),
        "flow": delivery.extract,
        "authorisation": delivery.authorisation.id,
        "supplier": delivery.authorisation.supplier.name,
        "recipient": delivery.recipient,
        "quarter": delivery.quarter.code,
        "ticket": delivery.ticket,
        "result": NOT_INTEGRATED,
        "reason": f"{delivery.not_integrated:,} attestations of persons without a line in the directory",
    }
    yield log_frame(pl.DataFrame([row]))


def _persons(persons: Place) -> pl.DataFrame:
    with persons.open("rb") as file:
        return pl.DataFrame(pq.read_table(file)).sort("inss", "attestation")


def log_frame(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows with the columns of exchange.log, in its order and types; a missing column is null."""
    return rows.select(
        (pl.col(name) if name in rows.columns else pl.lit(None)).cast(kind).alias(name)
        for name, kind in schema("log").items()
    )


@dataclass(frozen=True)
class Standing:
    """What stands in the log, by its chain.

    Attributes:
        kept: whether it holds a communication of the ticket asked for.
        first: number that the next row of the run asked for gets.
        chain: what makes the next links.
    """

    kept: bool
    first: int
    chain: Chain


def standing(lake: WritableLake, run_id: str, at: datetime, ticket: str = "") -> Standing:
    """Where the log stands, before rows of a run are added to it."""
    (row,) = lake.arrow(_LINKED, [ticket, run_id]).to_pylist()
    return Standing(row["kept"], row["first"], Chain(naive(at), row["number"], row["previous"] or ORIGIN))


def append_log(publication: Publication, chain: Chain, parts: Iterable[pl.DataFrame]) -> None:
    """Add rows to the log, however many, and the links over them.

    Args:
        publication: the transaction that they belong to.
        chain: what makes the links: that of `standing`, read inside the writer's turn.
        parts: rows as `log_frame` makes them, each part of one run and quarter, numbered on from `Standing.first`.
    """
    publication.append_parts(TABLES["log"], chain.over(parts))
    publication.append(TABLES["chain"], pl.DataFrame(list(map(vars, chain.links)), schema=schema("chain")))


def recorder(lake: WritableLake, clock: Callable[[], datetime] | None = None) -> Callable[[Delivery], None]:
    """A function that writes a delivery and its log into the lake in one transaction.

    A delivery whose ticket stands in the log already is left as it is: a run that was broken off between record and
    delivery is finished by the next one without a second record.

    Args:
        lake: the lake, open for writing.
        clock: tells when it is given, with its zone; without one that is the time of the run's data.
    """

    def record(delivery: Delivery) -> None:
        moment = clock() if clock else delivery.run.at
        before = standing(lake, delivery.run.id, moment, delivery.ticket)
        if before.kept:
            return
        with lake.transaction() as publication:
            publication.append(TABLES["delivery"], delivery_rows(delivery, moment))
            left_out = omission_rows(delivery, moment, before.first + delivery.attestations)
            given = log_rows(delivery, moment, before.first)
            append_log(publication, before.chain, itertools.chain(given, left_out))
            if delivery.rejects is not None:
                publication.append_parts(REJECT, reject_rows(delivery, moment, LINK_ROWS))

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
    where = standing(lake, run_id, at)
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
                "id": where.first + len(rows),
                "run_id": run_id,
                "at": naive(at),
                "supplier": row.supplier.name if row else None,
                "quarter": quarter.code,
                "ticket": str(ticket),
                "result": REFUSED,
            }
        )
    if rows:
        with lake.transaction() as publication:
            append_log(publication, where.chain, [log_frame(pl.DataFrame(rows, infer_schema_length=None))])


def schema(table: str) -> pl.Schema:
    """The columns of one table of the exchange, as Polars has them."""
    return pl.DataFrame(TABLES[table].arrow.empty_table()).schema


def naive(time: datetime) -> datetime:
    """A time in UTC without its zone, as the lake keeps times."""
    return time.astimezone(UTC).replace(tzinfo=None)
