"""What units amount to: the remuneration declared in them, and what they add to the net amount owed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import polars as pl

from dmfa.schema import LINE, Table, unit_of
from dmfa.schema.amounts import GRANTED, OWED

AMOUNT_TYPES: dict[str, type[pl.DataType]] = {
    "declaration_id": pl.Int64,
    "unit": pl.String,
    "ordinal": pl.Int32,
    "version": pl.Int16,
    "remun_cents": pl.Int64,
    "net_cents": pl.Int64,
}

_PERSON = "natural_person_ordinal"


def amounts(tables: Iterable[Table], read: Callable[[Table, Sequence[str]], pl.DataFrame]) -> pl.DataFrame:
    """Pay and net amount of units, columns of `AMOUNT_TYPES`.

    Args:
        tables: all tables.
        read: gives the rows of a table, with the columns asked for.
    """
    parts = [pl.DataFrame(schema=AMOUNT_TYPES)]
    for table in tables:
        names = [column.name for column in table.columns]
        unit, key = unit_of(names)
        signs = {name: 1 for name in names if name in OWED} | {name: -1 for name in names if name in GRANTED}
        if key is None or not (signs or table.name == "remun"):
            continue
        above = [_PERSON] if unit == LINE else []
        wages = ["remun_amount"] if table.name == "remun" else []
        rows = read(table, ["declaration_id", "quarter", "version", *above, key, *signs, *wages])
        parts.append(
            rows.select(
                "declaration_id",
                pl.col(key).alias("ordinal"),
                pl.col("version"),
                pl.lit(unit).alias("unit"),
                pl.sum_horizontal(pl.lit(0, pl.Int64), *(pl.col(name).fill_null(0) for name in wages)).alias(
                    "remun_cents"
                ),
                pl.sum_horizontal(
                    pl.lit(0, pl.Int64), *(sign * pl.col(name).fill_null(0) for name, sign in signs.items())
                ).alias("net_cents"),
            ).select(list(AMOUNT_TYPES))
        )
    return (
        pl.concat(parts)
        .group_by("declaration_id", "unit", "ordinal", "version", maintain_order=True)
        .agg(pl.col("remun_cents", "net_cents").sum())
    )
