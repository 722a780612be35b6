"""How long recipients wait for what was accepted: calendar days from the verdict to the delivery.

Source: service level of the Crossroads Bank for Social Security for its batch services.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from dmfa.extracts.delivered import Delivery
from dmfa.extracts.exchange import naive
from dmfa.extracts.rows import ReadableLake

_LATE = """
    FROM lake.received.filing WHERE processed_at::DATE < ?4::DATE AND processed_at > (
        SELECT coalesce(max("at"), TIMESTAMP '0001-01-01') FROM lake.exchange.delivery
        WHERE quarter = ?1 AND "authorisation" = ?2 AND ticket <> ?3
    )
"""
_PERSONS = f"""
    SELECT count(*) FROM lake.authentic.natural_person
    WHERE quarter = ?1 AND filing_id IN (SELECT filing_id {_LATE})
"""  # noqa: S608 - made of the constant above


def late(lake: ReadableLake, delivery: Delivery, at: datetime, days: int) -> int:
    """How many attestations of a quarter were accepted since the delivery before, and too long before this one.

    Args:
        lake: the lake.
        delivery: this one, which stands recorded.
        at: when it was given, with its zone.
        days: calendar days that it may take.

    Returns:
        Their number, before population and directory: the recipient has no more of them.

    Raises:
        LakeProblem: the lake cannot be read.
    """
    limit = naive(at) - timedelta(days=days)
    values: list[object] = [delivery.quarter.code, delivery.authorisation.id, delivery.ticket, limit]
    # Mostly nothing is late, and the persons need not be counted.
    filings, persons = (f"SELECT count(*) {_LATE}", _PERSONS)
    return _count(lake, persons, values) if _count(lake, filings, values) else 0


def _count(lake: ReadableLake, sql: str, values: list[object]) -> int:
    return int(lake.arrow(sql, values).column(0)[0].as_py())
