"""What corrections change in the declared contributions and deductions, summed up as the accounting message tells it.

An overview names no person: class, codes and type, how many workers have another basis or amount there, and how much
both change.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import polars as pl

from contributions.blocks import OF_LINES, UNRELATED
from contributions.inputs import Tables
from contributions.ledger import UNIT

OVERVIEW: Final = pl.Schema(
    {
        "declaration_id": pl.Int64(),
        "version": pl.Int16(),
        "kind": pl.String(),
        "employer_class": pl.String(),
        "worker_code": pl.String(),
        "code": pl.String(),
        "type": pl.Int64(),
        "workers": pl.Int64(),
        "basis_cents": pl.Int64(),
        "amount_cents": pl.Int64(),
    }
)
"""One row per version and kind ('contribution', 'deduction' or 'compensation'), class, worker code, code and type.

Class and worker code are those of the line; a contribution unrelated to a person has its own class and no worker code,
a compensation neither. workers counts the persons whose declared basis or amount is another. basis_cents is the change
of the declared basis, null where none is declared; amount_cents that of what is to pay: a deduction or compensation
that grows counts negative, so that the rows of a version add up to its entry in the ledger.
"""


@dataclass(frozen=True, slots=True)
class _Source:
    """A declared block with an amount, and the columns that tell of it; empty where it has none.

    Attributes:
        table: its table.
        amount: what is declared.
        basis: what the amount is levied on.
        code: contribution, deduction or compensation code; without any, that of its line is its code.
        type: contribution type.
        kind: contribution, deduction or compensation.
        employer_class: its class.
        worker_code: its worker code; only what lies below a line has one.
    """

    table: str
    amount: str
    basis: str = ""
    code: str = ""
    type: str = ""
    kind: str = "contribution"
    employer_class: str = "employer_class"
    worker_code: str = "worker_code"

    @property
    def columns(self) -> tuple[str, ...]:
        """What is read of its table."""
        keys = (*UNIT, _LINE[1]) if self.worker_code else (UNIT[0], self.employer_class)
        return tuple(name for name in (*keys, self.code, self.type, self.basis, self.amount) if name)

    def rows(self, tables: Tables, sign: int) -> pl.DataFrame:
        """Its rows under the names that all blocks share, amounts as they count in what is to pay."""
        rows = tables.get(self.table)
        if rows is None or rows.is_empty():
            return pl.DataFrame(schema=_SHARED)
        if self.worker_code:
            rows = rows.join(tables["worker_record"].select(*_OF_LINE), on=_LINE, how="left")

        def column(name: str) -> pl.Expr:
            return pl.col(name) if name in rows.columns else pl.lit(None)

        told = {
            "kind": pl.lit(self.kind),
            "employer_class": column(self.employer_class),
            "worker_code": column(self.worker_code),
            "code": pl.coalesce(column(self.code), column(self.worker_code)),
            "type": column(self.type),
            "basis_cents": sign * column(self.basis),
            "amount_cents": (sign if self.kind == "contribution" else -sign) * column(self.amount).fill_null(0),
        }
        return rows.select(told.get(name, column(name)).cast(kind).alias(name) for name, kind in _SHARED.items())


_LINE: Final = ("declaration_id", "worker_record_ordinal")
_OF_LINE: Final = (*_LINE, "employer_class", "worker_code")
_BY: Final = ("kind", "employer_class", "worker_code", "code", "type")
_SHARED: Final = {
    **dict.fromkeys(UNIT, pl.Int64()),
    **{name: OVERVIEW[name] for name in (*_BY, "basis_cents", "amount_cents")},
}
_BASIS: Final = "deduction_calculation_basis"
_SOURCES: Final = (
    _Source(
        "worker_contribution",
        "contribution_amount",
        "contribution_calculation_basis",
        "contribution_worker_code",
        "contribution_type",
    ),
    *(
        _Source(block.table, block.amount, block.basis, block.code, "contribution_type" if block.code else "")
        for block in OF_LINES
    ),
    _Source(
        UNRELATED.table,
        UNRELATED.amount,
        UNRELATED.basis,
        UNRELATED.code,
        employer_class="unrelated_employer_class",
        worker_code="",
    ),
    _Source("occupation_deduction", "deduction_amount", _BASIS, "deduction_code", kind="deduction"),
    _Source("worker_deduction", "deduction_amount", _BASIS, "deduction_code", kind="deduction"),
    _Source(
        "employer_compensation",
        "compensation_amount",
        code="compensation_code",
        kind="compensation",
        employer_class="",
        worker_code="",
    ),
)

COLUMNS: Final = {"worker_record": _OF_LINE, **{source.table: source.columns for source in _SOURCES}}
"""Table -> the columns that an overview reads."""


def overview(made: pl.DataFrame, before: Tables, after: Tables) -> pl.DataFrame:
    """What versions change in the declared amounts.

    Args:
        made: declaration_id and version, one of each declaration; several rows may tell the same.
        before: the declared tables of what each version touches, as they stood before it, with COLUMNS.
        after: the same as they stand with it.

    Returns:
        A frame of OVERVIEW, sorted.
    """
    rows = pl.concat(source.rows(tables, sign) for source in _SOURCES for tables, sign in ((before, -1), (after, 1)))
    of_unit = rows.group_by(*UNIT, *_BY).agg(
        pl.col("amount_cents").sum(),
        pl.when(pl.col("basis_cents").count() > 0).then(pl.col("basis_cents").sum()).alias("basis_cents"),
    )
    changed = of_unit.filter((pl.col("amount_cents") != 0) | (pl.col("basis_cents").fill_null(0) != 0))
    told = changed.group_by("declaration_id", *_BY).agg(
        pl.col(UNIT[1]).drop_nulls().n_unique().alias("workers"),
        pl.when(pl.col("basis_cents").count() > 0).then(pl.col("basis_cents").sum()).alias("basis_cents"),
        pl.col("amount_cents").sum(),
    )
    return (
        told.join(made.select("declaration_id", "version").unique(), on="declaration_id", validate="m:1")
        .select(pl.col(name).cast(kind) for name, kind in OVERVIEW.items())
        .sort("declaration_id", "version", *_BY)
    )
