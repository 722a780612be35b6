"""The declared tables as a computation needs them: lines, occupations and contributions with what they belong to.

A table or column that is absent reads as no rows or null, so that any release of the structure will do.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import polars as pl

Tables = Mapping[str, pl.DataFrame]

DECLARATION: Final = ["declaration_id"]
PERSON: Final = ["declaration_id", "natural_person_ordinal"]
LINE: Final = ["declaration_id", "worker_record_ordinal"]
OCCUPATION: Final = ["declaration_id", "occupation_ordinal"]

_ID: Final[dict[str, pl.DataType]] = {"declaration_id": pl.Int64()}
_OF_PERSON: Final[dict[str, pl.DataType]] = {**_ID, "natural_person_ordinal": pl.Int32()}
_OF_LINE: Final[dict[str, pl.DataType]] = {**_OF_PERSON, "worker_record_ordinal": pl.Int32()}
_OF_OCCUPATION: Final[dict[str, pl.DataType]] = {**_OF_LINE, "occupation_ordinal": pl.Int32()}

_COLUMNS: Final[dict[str, dict[str, pl.DataType]]] = {
    "employer_declaration": {
        **_ID,
        "filing_id": pl.Int64(),
        "version": pl.Int16(),
        "quarter": pl.Int32(),
        "noss_registration_nbr": pl.Int64(),
        "net_owed_amount": pl.Int64(),
    },
    "natural_person": {**_OF_PERSON, "inss": pl.Int64()},
    "worker_record": {**_OF_LINE, "employer_class": pl.String(), "worker_code": pl.String()},
    "occupation": {
        **_OF_OCCUPATION,
        "occupation_sequence_nbr": pl.Int64(),
        "working_days_system": pl.Int64(),
        "contract_type": pl.Int64(),
        "ref_mean_working_hours": pl.Int64(),
        "mean_working_hours": pl.Int64(),
        "worker_status": pl.String(),
        "retired": pl.Int64(),
        "apprenticeship": pl.String(),
    },
    "service": {
        **_OF_OCCUPATION,
        "service_code": pl.String(),
        "service_nbr_days": pl.Int64(),
        "service_nbr_hours": pl.Int64(),
    },
    "remun": {**_OF_OCCUPATION, "remun_code": pl.String(), "remun_amount": pl.Int64()},
    "using_employer": _OF_OCCUPATION,
    "worker_contribution": {
        **_OF_LINE,
        "worker_contribution_ordinal": pl.Int32(),
        "contribution_worker_code": pl.String(),
        "contribution_type": pl.Int64(),
        "contribution_calculation_basis": pl.Int64(),
        "contribution_amount": pl.Int64(),
    },
    "student_contribution": {
        **_OF_LINE,
        "student_contribution_ordinal": pl.Int32(),
        "student_contribution_amount": pl.Int64(),
    },
    "dismissed_statutory_worker_contribution": {
        **_OF_LINE,
        "dismissed_statutory_worker_contribution_ordinal": pl.Int32(),
        "gross_ref_remun_contribution_amount": pl.Int64(),
    },
    "early_retirement_contribution": {
        **_OF_LINE,
        "early_retirement_contribution_ordinal": pl.Int32(),
        "early_retirement_contribution_amount": pl.Int64(),
    },
    "compl_indemnity_contribution": {
        **_OF_LINE,
        "compl_indemnity_contribution_ordinal": pl.Int32(),
        "contribution_worker_code": pl.String(),
        "contribution_type": pl.Int64(),
        "contribution_amount": pl.Int64(),
    },
    "contribution_unrelated_to_np": {
        **_ID,
        "contribution_unrelated_to_np_ordinal": pl.Int32(),
        "unrelated_employer_class": pl.String(),
        "unrelated_worker_code": pl.String(),
        "unrelated_amount": pl.Int64(),
    },
    "occupation_deduction": {
        **_OF_OCCUPATION,
        "occupation_deduction_ordinal": pl.Int32(),
        "deduction_code": pl.String(),
        "deduction_amount": pl.Int64(),
    },
    "employer_compensation": {**_ID, "compensation_amount": pl.Int64()},
    "worker_deduction": {
        **_OF_LINE,
        "worker_deduction_ordinal": pl.Int32(),
        "deduction_code": pl.String(),
        "deduction_amount": pl.Int64(),
    },
}
"""Table -> the columns that a computation reads."""

LINE_BLOCKS: Final = {
    "student_contribution": "student_contribution_amount",
    "dismissed_statutory_worker_contribution": "gross_ref_remun_contribution_amount",
    "early_retirement_contribution": "early_retirement_contribution_amount",
    "compl_indemnity_contribution": "contribution_amount",
}
"""Declared blocks below a worker line that bear a contribution of their own -> their amount."""


def read(tables: Tables, name: str) -> pl.DataFrame:
    """One table with exactly the columns that a computation reads, each in its type."""
    wanted = _COLUMNS[name]
    frame = tables.get(name)
    if frame is None:
        return pl.DataFrame(schema=wanted)
    return frame.select(
        (pl.col(column) if column in frame.columns else pl.lit(None)).cast(kind).alias(column)
        for column, kind in wanted.items()
    )


def of_quarter(tables: Tables, quarter: int) -> dict[str, pl.DataFrame]:
    """The rows of one quarter (20263) of every table that a computation reads."""
    found = {}
    for name in _COLUMNS:
        frame = tables.get(name)
        if frame is not None:
            found[name] = frame.filter(pl.col("quarter") == quarter)
    return found


def declarations(tables: Tables) -> pl.DataFrame:
    """One row per declaration: filing, version, quarter, employer, net amount and compensation."""
    compensation = (
        read(tables, "employer_compensation")
        .group_by(DECLARATION)
        .agg(declared_compensation_cents=pl.col("compensation_amount").sum())
    )
    return (
        read(tables, "employer_declaration")
        .join(compensation, on=DECLARATION, how="left", maintain_order="left")
        .with_columns(pl.col("declared_compensation_cents").fill_null(0))
    )


def lines(tables: Tables) -> pl.DataFrame:
    """One row per worker line, numbered by line_row, with its declaration and person."""
    own = read(tables, "employer_declaration").drop("net_owed_amount")
    return (
        read(tables, "worker_record")
        .join(read(tables, "natural_person"), on=PERSON, how="left", maintain_order="left")
        .join(own, on=DECLARATION, how="left", maintain_order="left")
        .with_row_index("line_row")
    )
