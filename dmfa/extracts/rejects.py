"""The queue of rejects: attestations that should have been given and cannot be, for the supplier's paper list.

Whom the recipient has no line of in the directory is not given to it. An extract that says so (a contribution voucher)
keeps a row of each in exchange.reject, recorded together with the delivery that left them out: nobody receives it. The
row has no number of a person; who makes the paper reads it from the declaration.

Source: project page of the CBSS on the contribution voucher: a voucher of a person who is not in the file of members,
or who has no number, is made on paper and sent by way of the employer.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from dmfa.extracts.persons import DECLARATION, PERSON_KEY, PERSON_TABLE, Frames
from dmfa.extracts.selection import numbered
from dmfa.lake import EXCHANGE, TableSpec
from dmfa.schema import TOP, snake_case

if TYPE_CHECKING:
    from dmfa.extracts.delivery import Delivery

REJECT: Final[TableSpec] = next(spec for spec in EXCHANGE if spec.name == "reject")
PAPER: Final = "paper"
"""State of a row: what is left out is made on paper. Later states come with what the employer reports."""

NO_LINE: Final = "no line of the person in the directory of the recipient"
NO_NUMBER: Final = "the declaration has no number of the person"

_FOUND: Final = (DECLARATION, PERSON_KEY[1], "attestation", "version", "noss_registration_nbr", "reason")
FILE: Final = pa.schema([REJECT.arrow.field(name) for name in _FOUND])
"""What is kept of each while a draft is written."""


def rejected(frames: Frames, known: pl.DataFrame) -> pl.DataFrame:
    """The persons without a line: their attestations, where they stand in the lake, whose workers, and why.

    Args:
        frames: tables of the lake, natural_person and employer_declaration among them.
        known: the persons with a line: declaration_id, natural_person_ordinal.
    """
    persons = numbered(frames[PERSON_TABLE].join(known, on=list(PERSON_KEY), how="anti"))
    employers = frames[snake_case(TOP)].select(DECLARATION, "noss_registration_nbr")
    has_number = pl.col("inss").fill_null(0) != 0
    reason = pl.when(has_number).then(pl.lit(NO_LINE)).otherwise(pl.lit(NO_NUMBER)).alias("reason")
    found = persons.join(employers, on=DECLARATION, how="left").with_columns(reason)
    return found.sort(PERSON_KEY).select(_FOUND)


def reject_rows(delivery: Delivery, at: datetime, most: int) -> Iterator[pl.DataFrame]:
    """Rows of exchange.reject of a delivery, a bounded number at once.

    Args:
        delivery: the delivery.
        at: when it is recorded, with its zone.
        most: rows at once.
    """
    if delivery.rejects is None:
        return
    constant = {
        "quarter": delivery.quarter.code,
        "ticket": delivery.ticket,
        "at": at.astimezone(UTC).replace(tzinfo=None),
        "extract": delivery.extract,
        "recipient": delivery.recipient,
        "state": PAPER,
    }
    schema = pl.DataFrame(REJECT.arrow.empty_table()).schema
    with delivery.rejects.open("rb") as file, pq.ParquetFile(file) as rows:
        for batch in rows.iter_batches(most):
            told = pl.DataFrame(batch).with_columns(pl.lit(value).alias(name) for name, value in constant.items())
            yield told.select(pl.col(name).cast(kind) for name, kind in schema.items())
