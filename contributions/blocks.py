"""Contributions in blocks of their own: of students, of dismissed statutory staff, on indemnities, of no person."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import polars as pl

from contributions.bearing import bearing, block_grid
from contributions.columns import CONTRIBUTION, DECLARED_TABLE
from contributions.inputs import OF_LINE, Declared
from contributions.law import Law
from contributions.places import columns_at, filled, taken
from contributions.rates import OTHER_CLASS
from contributions.rows import by_name, finished, result


@dataclass(frozen=True, slots=True)
class Block:
    """A declared block that bears a contribution, below a worker line or below the declaration.

    Attributes:
        table: its table.
        amount: column of the amount.
        basis: column of the basis, empty where it has none.
        code: column of the contribution code, empty where that of the line is its code.
            Where it has no contribution type, its rate is that of type 0.
    """

    table: str
    amount: str
    basis: str = ""
    code: str = ""


STUDENT: Final = Block("student_contribution", "student_contribution_amount", "student_remun_amount")
DISMISSED: Final = Block(
    "dismissed_statutory_worker_contribution", "gross_ref_remun_contribution_amount", "gross_ref_remun_amount"
)
EARLY_RETIREMENT: Final = Block("early_retirement_contribution", "early_retirement_contribution_amount")
COMPLEMENT: Final = Block("compl_indemnity_contribution", "contribution_amount", code="contribution_worker_code")
UNRELATED: Final = Block(
    "contribution_unrelated_to_np", "unrelated_amount", "unrelated_calculation_basis", "unrelated_worker_code"
)
OF_LINES: Final = (STUDENT, DISMISSED, EARLY_RETIREMENT, COMPLEMENT)
"""Those below a worker line, in the order of the result."""

_HEADER: Final = ("quarter", "noss_registration_nbr")
_OWN: Final = ("filing_id", "version", "employer_declaration")
_SHARED: Final = {
    "declaration_id": pl.Int64(),
    "natural_person_ordinal": pl.Int32(),
    "worker_record_ordinal": pl.Int32(),
    "declared_table": DECLARED_TABLE,
    "declared_ordinal": pl.Int32(),
    "contribution_worker_code": pl.String(),
    "contribution_type": pl.Int64(),
    "declared_basis_cents": pl.Int64(),
    "declared_cents": pl.Int64(),
    "student_hours_nbr": pl.Int64(),
}
"""Columns of all blocks below a line under the names that they share."""


def of_quarter(declared: Declared, lines: pl.DataFrame, rules: Law) -> list[pl.DataFrame]:
    """Every block with what its rates alone tell: first those below a line, then those below none, without empty ones.

    Args:
        declared: the declared tables.
        lines: the worker lines with their totals and pieces.
        rules: the law of their quarter.

    Returns:
        Rows under the names of CONTRIBUTION with declared_cents, declared_basis_cents and `rate_row`.
    """
    found = []
    tables = [(block, declared.rows(block.table)) for block in OF_LINES]
    tables = [(block, rows) for block, rows in tables if not rows.is_empty()]
    if tables:
        rows = declared.place(pl.concat([_shared(block, rows) for block, rows in tables]), "worker_record")
        own = columns_at(lines, ("employer_class", "worker_code"), rows["worker_record"])
        code = rows["contribution_worker_code"]
        rows = rows.with_columns(code.zip_with(code.is_not_null(), own[1])).hstack(own)
        found.append(_with_rates(rows, [(block.table, rows.height) for block, rows in tables], rules))
    unrelated = declared.placed(UNRELATED.table)
    if not unrelated.is_empty():
        rows = _shared(UNRELATED, unrelated).hstack(
            [
                unrelated["unrelated_employer_class"].alias("employer_class"),
                *unrelated[list(_OWN)],
                *columns_at(declared.rows("employer_declaration"), _HEADER, unrelated["employer_declaration"]),
            ]
        )
        found.append(_with_rates(rows, [(UNRELATED.table, rows.height)], rules))
    return found


def contribution_rows(rows: pl.DataFrame, lines: pl.DataFrame) -> pl.DataFrame:
    """Rows of blocks as a frame of CONTRIBUTION with declared_cents beside it."""
    own = by_name(rows)
    if "worker_record" in own:
        names = [name for name in OF_LINE if name not in own]
        own = by_name(rows, columns_at(lines, names, rows["worker_record"]))
    return result(own, CONTRIBUTION, rows.height)


def _shared(block: Block, rows: pl.DataFrame) -> pl.DataFrame:
    """Rows of a block under the names that all blocks share."""
    own = by_name(rows)
    told = {
        "declared_table": filled(block.table, DECLARED_TABLE, rows.height),
        "declared_ordinal": own[f"{block.table}_ordinal"],
        "declared_cents": own[block.amount],
        **({"declared_basis_cents": own[block.basis]} if block.basis else {}),
        **({"contribution_worker_code": own[block.code]} if block.code else {}),
    }
    return finished(own | told, _SHARED, rows.height)


def _with_rates(rows: pl.DataFrame, tables: list[tuple[str, int]], rules: Law) -> pl.DataFrame:
    """Rows with the row of their rate and its texts; tables follow one another, each with its number of rows."""
    rates = bearing(rules)
    grid = block_grid(rates)
    of_class = grid.numbers(rows["employer_class"], "employer_class", otherwise=OTHER_CLASS)
    code = grid.numbers(rows["contribution_worker_code"], "contribution_worker_code")
    kind = grid.numbers(rows["contribution_type"].fill_null(0), "contribution_type")
    row = grid.rows(of_class + code + kind)
    parts, start = [], 0
    for table, height in tables:
        own = rates.blocks.get(table)
        no_rate = filled(rates.rates.height, pl.UInt32(), height)
        parts.append(no_rate if own is None else taken(own, row.slice(start, height)))
        start += height
    row = (pl.concat(parts) if len(parts) > 1 else parts[0]).alias("rate_row")
    none = filled(None, pl.Int64(), rows.height)
    return rows.hstack([row, none.alias("basis_cents"), none.alias("amount_cents"), *rates.texts[row]])
