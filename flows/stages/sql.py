"""`dmfa sql`: one question to the lake, its answer in the form asked for."""

from __future__ import annotations

import csv
import json
import sys
from decimal import Decimal
from typing import Any

import pyarrow as pa

from dmfa.errors import WrongUsage
from dmfa.lake import run_query
from dmfa.lake.query import Answer
from flows import console
from flows.settings import Settings
from flows.stages.moments import moment

SHOWN = 1_000
"""Rows that a table on a terminal shows at most."""


def typed() -> str:
    """The query from standard input; who sits at a terminal is told that it is waited for."""
    if sys.stdin.isatty():
        console.ERR.print("Type one SELECT and end it with Ctrl-D; or give it as an argument: dmfa sql 'SELECT ...'")
    return sys.stdin.read()


def run(query: str, settings: Settings, *, as_of: str | None, form: str) -> None:
    """Print the answer to a query on standard output.

    Args:
        query: one SELECT.
        settings: where the lake is.
        as_of: a moment of the lake's own time, ISO form; a day means its end.
        form: table, csv, json or parquet.

    Raises:
        WrongUsage: the query may not run or is wrong, or the moment is none.
        LakeProblem: the lake cannot be read.
    """
    with run_query(settings.lake, query, as_of=moment(as_of)) as answer:
        {"table": _table, "csv": _csv, "json": _json, "parquet": _parquet}[form](answer)


def _table(answer: Answer) -> None:
    rows: list[tuple[Any, ...]] = []
    more = False
    for batch in answer:
        rows.extend(zip(*(column.to_pylist() for column in batch.columns), strict=True))
        if len(rows) > SHOWN:
            more = True
            break
    numeric = [i for i, field in enumerate(answer.schema) if _is_number(field.type)]
    console.table("", answer.schema.names, rows[:SHOWN], right=numeric)
    console.say(f"first {SHOWN:,} rows; --format csv gives all" if more else f"{len(rows):,} rows")


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind))


def _csv(answer: Answer) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(answer.schema.names)
    for batch in answer:
        writer.writerows(zip(*(column.to_pylist() for column in batch.columns), strict=True))


def _json(answer: Answer) -> None:
    for batch in answer:
        for row in batch.to_pylist():
            sys.stdout.write(json.dumps(row, ensure_ascii=False, default=_plain) + "\n")


def _plain(value: object) -> object:
    return int(value) if isinstance(value, Decimal) and value == value.to_integral_value() else str(value)


def _parquet(answer: Answer) -> None:
    import pyarrow.parquet as pq

    if sys.stdout.isatty():
        raise WrongUsage("--format parquet writes bytes", "Send them to a file: dmfa sql ... --format parquet > FILE.")
    with pq.ParquetWriter(sys.stdout.buffer, answer.schema, compression="zstd") as writer:
        for batch in answer:
            writer.write_batch(batch)
