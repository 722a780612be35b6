"""Who got what: the exchange log asked by person or by communication, and the record of an access by the person.

The answer to a person is a communication as any other: it is logged before it is given.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final

import polars as pl

from dmfa.extracts.exchange import GIVEN, TABLES, WritableLake, append_log, log_frame, naive, schema, standing
from dmfa.extracts.holdings import Attestation, labels
from dmfa.extracts.rows import ReadableLake
from dmfa.quarter import Quarter

RIGHT_OF_ACCESS: Final = "right-of-access"
"""Flow under which an answer to a person is logged."""

PERSON_CONCERNED: Final = "person-concerned"
"""Recipient of such an answer."""

PURPOSE: Final = "Right of access of the person concerned"
LEGAL_BASIS: Final = "Regulation (EU) 2016/679, article 15"

_ABOUT = """
    SELECT l."at", l.recipient, l.supplier, l.flow, l."authorisation", l.quarter, l.attestation, l.version, l.blocks,
        l.result, l.reason, l.ticket, d.purpose, d.deliberation, d.legal_basis
    FROM lake.exchange.log l
    LEFT JOIN (SELECT DISTINCT ticket, purpose, deliberation, legal_basis FROM lake.exchange.delivery) d USING (ticket)
    WHERE l.inss = ? AND l."at" >= ? AND l."at" < ? ORDER BY l."at", l.run_id, l.id
"""
_ALL = """
    SELECT "at", recipient, supplier, flow, "authorisation", quarter, ticket, result, reason, count(inss) AS persons
    FROM lake.exchange.log WHERE "at" >= ? AND "at" < ? GROUP BY ALL
    ORDER BY "at", flow, recipient, quarter, ticket, result
"""


def about(lake: ReadableLake, inss: int, since: date | None = None, until: date | None = None) -> list[dict[str, Any]]:
    """Who got what about a person, in the order of time.

    Args:
        lake: an open lake.
        inss: number of the person; it is not in the answer.
        since: first day, of UTC; from the beginning if not given.
        until: last day; to the end if not given.

    Raises:
        LakeProblem: the lake cannot be read.
    """
    found: list[dict[str, Any]] = lake.arrow(_ABOUT, [inss, *_between(since, until)]).to_pylist()
    return found


def communications(lake: ReadableLake, since: date | None = None, until: date | None = None) -> list[dict[str, Any]]:
    """All communications and refusals between two days, a row each, with the number of persons in it."""
    found: list[dict[str, Any]] = lake.arrow(_ALL, [*_between(since, until)]).to_pylist()
    return found


def _between(since: date | None, until: date | None) -> tuple[datetime, datetime]:
    """From the first moment of a day up to that after another."""
    start = datetime.combine(since, datetime.min.time()) if since else datetime.min
    end = datetime.combine(until + timedelta(days=1), datetime.min.time()) if until else datetime.max
    return start, end


def new_ticket() -> str:
    """Ticket of an answer to a person: drawn by lot, so that it tells nothing of whom it answers."""
    return str(uuid.uuid4())


def record_access(
    lake: WritableLake,
    inss: int,
    ticket: str,
    at: datetime,
    attestations: Sequence[Attestation],
    *,
    state: int,
    sha256: str,
) -> None:
    """Log that a person is given what the lake holds of them: a row per attestation and version, one if there is none.

    Args:
        lake: the lake, open for writing.
        inss: number of the person.
        ticket: ticket of the answer.
        at: when, with its zone.
        attestations: those told.
        state: number of the lake's state that was read.
        sha256: digest of what is given, hexadecimal.
    """
    run_id = f"access-{state}"
    where = standing(lake, run_id, at)
    told: list[tuple[int, int | None, int | None, str | None]] = [
        (one.quarter, one.number, version.version, ",".join(labels(version.blocks)))
        for one in attestations
        for version in one.versions
    ] or [(Quarter.of(at.date()).code, None, None, None)]
    rows = pl.DataFrame(
        {
            "quarter": [row[0] for row in told],
            "attestation": pl.Series([row[1] for row in told], dtype=pl.Int64),
            "version": pl.Series([row[2] for row in told], dtype=pl.Int16),
            "blocks": pl.Series([row[3] for row in told], dtype=pl.String),
        }
    ).with_columns(
        pl.int_range(where.first, where.first + len(told), dtype=pl.Int64).alias("id"),
        pl.lit(inss).alias("inss"),
        *(
            pl.lit(value).alias(name)
            for name, value in {
                "run_id": run_id,
                "at": naive(at),
                "flow": RIGHT_OF_ACCESS,
                "recipient": PERSON_CONCERNED,
                "file": f"{RIGHT_OF_ACCESS}/{ticket}",
                "ticket": ticket,
                "result": GIVEN,
            }.items()
        ),
    )
    delivery = {
        "run_id": run_id,
        "at": naive(at),
        "extract": RIGHT_OF_ACCESS,
        "recipient": PERSON_CONCERNED,
        "quarter": Quarter.of(at.date()).code,
        "file": f"{RIGHT_OF_ACCESS}/{ticket}",
        "sha256": sha256,
        "rows": len(told),
        "ticket": ticket,
        "attestations": len(told),
        "purpose": PURPOSE,
        "legal_basis": LEGAL_BASIS,
    }
    with lake.transaction() as publication:
        publication.append(TABLES["delivery"], pl.DataFrame([delivery], schema=schema("delivery")))
        append_log(publication, where.chain, _by_quarter(rows))


def _by_quarter(rows: pl.DataFrame) -> Iterable[pl.DataFrame]:
    """Each quarter's rows: a link covers rows of one quarter, numbered without a gap."""
    return [log_frame(part) for part in rows.partition_by("quarter", maintain_order=True)]
