"""The declared tables as a computation needs them: lines, occupations and contributions with what they belong to.

A table or column that is absent reads as no rows or null, so that any release of the structure will do.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Final

import numpy as np
import polars as pl

from contributions.arrays import CODES, Numbers, three_digits
from contributions.places import Places, filled, rows_at

Tables = Mapping[str, pl.DataFrame]

OF_LINE: Final = ("filing_id", "version", "quarter", "noss_registration_nbr", "inss", "employer_class", "worker_code")
"""What every result row takes over from its worker line."""

_ID: Final[dict[str, pl.DataType]] = {"declaration_id": pl.Int64()}
_BROUGHT_BY: Final[dict[str, pl.DataType]] = {"filing_id": pl.Int64(), "version": pl.Int16()}
"""Of a line, and of a contribution of no person: what a correction does not touch keeps its own."""
_OF_PERSON: Final[dict[str, pl.DataType]] = {**_ID, "natural_person_ordinal": pl.Int32()}
_OF_LINE: Final[dict[str, pl.DataType]] = {**_OF_PERSON, "worker_record_ordinal": pl.Int32()}
_OF_OCCUPATION: Final[dict[str, pl.DataType]] = {**_OF_LINE, "occupation_ordinal": pl.Int32()}

CODE: Final = pl.Enum([f"{number:03d}" for number in range(1_000)])
"""Codes of three digits; one that is none becomes null, which no rule names."""

_CODES: Final = pl.Series([*CODE.categories, None], dtype=CODE)
_PLACES: Final = np.full(CODES, len(CODE.categories), np.uint32)
"""Number of three digits -> their place in _CODES."""
_PLACES[[int(code, 16) for code in CODE.categories]] = range(len(CODE.categories))

_COLUMNS: Final[dict[str, dict[str, pl.DataType]]] = {
    "employer_declaration": {
        **_ID,
        **_BROUGHT_BY,
        "quarter": pl.Int32(),
        "noss_registration_nbr": pl.Int64(),
        "net_owed_amount": pl.Int64(),
    },
    "natural_person": {**_OF_PERSON, "inss": pl.Int64()},
    "worker_record": {
        **_OF_LINE,
        **_BROUGHT_BY,
        "employer_class": pl.String(),
        "worker_code": pl.String(),
        "local_unit_id": pl.Int64(),
    },
    "occupation": {
        **_OF_OCCUPATION,
        "occupation_sequence_nbr": pl.Int64(),
        "working_days_system": pl.Int64(),
        "contract_type": pl.Int64(),
        "ref_mean_working_hours": pl.Int64(),
        "mean_working_hours": pl.Int64(),
        "worker_status": pl.String(),
        "retired": pl.Int64(),
        "apprenticeship": pl.Int64(),
        "joint_commission_nbr": pl.String(),
        "local_unit_id": pl.Int64(),
        "occupation_starting_date": pl.Date(),
        "occupation_ending_date": pl.Date(),
    },
    "service": {
        **_OF_OCCUPATION,
        "service_code": CODE,
        "service_nbr_days": pl.Int64(),
        "service_nbr_hours": pl.Int64(),
    },
    "remun": {**_OF_OCCUPATION, "remun_code": CODE, "remun_amount": pl.Int64()},
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
        "student_remun_amount": pl.Int64(),
        "student_contribution_amount": pl.Int64(),
        "student_hours_nbr": pl.Int64(),
    },
    "dismissed_statutory_worker_contribution": {
        **_OF_LINE,
        "dismissed_statutory_worker_contribution_ordinal": pl.Int32(),
        "gross_ref_remun_amount": pl.Int64(),
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
        **_BROUGHT_BY,
        "contribution_unrelated_to_np_ordinal": pl.Int32(),
        "unrelated_employer_class": pl.String(),
        "unrelated_worker_code": pl.String(),
        "unrelated_calculation_basis": pl.Int64(),
        "unrelated_amount": pl.Int64(),
    },
    "company_vehicle": {
        **_ID,
        "eco_vehicle": pl.Int64(),
        # No zone of the declaration: what a register of vehicles tells of each plate, where it is handed over.
        "fuel": pl.String(),
        "co2_grams_per_km": pl.Int64(),
        "ordered_on": pl.Date(),
        "months": pl.Int64(),
    },
    "occupation_deduction": {
        **_OF_OCCUPATION,
        "occupation_deduction_ordinal": pl.Int32(),
        "deduction_code": pl.String(),
        "deduction_amount": pl.Int64(),
        "deduction_right_starting_date": pl.Date(),
    },
    "occupation_deduction_detail": {
        **_ID,
        "occupation_deduction_ordinal": pl.Int32(),
        "occupation_deduction_detail_ordinal": pl.Int32(),
        "working_regulations_starting_date": pl.Date(),
        "average_working_time_before_reduction": pl.Int64(),
        "average_working_time_after_reduction": pl.Int64(),
    },
    "employer_compensation": {**_ID, "compensation_amount": pl.Int64()},
    "worker_deduction": {
        **_OF_LINE,
        "worker_deduction_ordinal": pl.Int32(),
        "deduction_code": pl.String(),
        "deduction_amount": pl.Int64(),
        "deduction_right_starting_date": pl.Date(),
    },
}
"""Table -> the columns that a computation reads."""

TABLES: Final = frozenset(_COLUMNS)
"""Names of the declared tables that a computation reads."""


def columns_read(table: str) -> tuple[str, ...]:
    """Names of the columns that a computation reads of a table."""
    return tuple(_COLUMNS[table])


_ABOVE: Final = {
    "worker_record": ("employer_declaration", "natural_person"),
    "occupation": ("worker_record",),
    "remun": ("worker_record", "occupation"),
    "service": ("occupation",),
    "using_employer": ("occupation",),
    "occupation_deduction": ("worker_record", "occupation"),
    "contribution_unrelated_to_np": ("employer_declaration",),
    "company_vehicle": ("employer_declaration",),
}
"""Table -> the tables whose places its rows carry; all others below a line carry that of their line."""


class Declared:
    """The declared tables of one quarter, each read once, its rows with the places of what they belong to."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._read: dict[str, pl.DataFrame] = {}
        self._placed: dict[str, pl.DataFrame] = {}
        self._places: Places | None = None

    def rows(self, name: str) -> pl.DataFrame:
        """A table with exactly the columns that a computation reads, each in its type."""
        if name not in self._read:
            self._read[name] = read(self._tables, name)
        return self._read[name]

    def placed(self, name: str) -> pl.DataFrame:
        """The same, with the row of what each row belongs to under the name of that table."""
        if name not in self._placed:
            self._placed[name] = self.place(self.rows(name), *_ABOVE.get(name, ("worker_record",)))
        return self._placed[name]

    def place(self, rows: pl.DataFrame, *above: str) -> pl.DataFrame:
        """Rows with declaration_id and ordinals, and the row of what each belongs to in some tables."""
        if rows.is_empty():
            return rows.hstack([pl.Series(table, [], dtype=pl.UInt32) for table in above])
        return rows.hstack(self._all_places().of(rows, *above))

    def declarations(self, ids: Numbers) -> Numbers:
        """The row of each declaration_id among the declarations, -1 where it is none of them."""
        return self._all_places().declarations(ids)

    def _all_places(self) -> Places:
        if self._places is None:
            parents = ("natural_person", "worker_record", "occupation")
            self._places = Places(self.rows("employer_declaration"), {parent: self.rows(parent) for parent in parents})
        return self._places


def read(tables: Tables, name: str) -> pl.DataFrame:
    """One table with exactly the columns that a computation reads, each in its type."""
    wanted = _COLUMNS[name]
    frame = tables.get(name)
    if frame is None or frame.is_empty():
        return _empty(name)
    known = frozenset(frame.columns)
    found = []
    for column, kind in wanted.items():
        if column not in known:
            found.append(filled(None, kind, frame.height, column))
        else:
            own = frame[column]
            if kind is CODE:
                own = _coded(own)
            found.append(own if own.dtype == kind else own.cast(kind))
    return pl.DataFrame(found)


@cache
def _empty(name: str) -> pl.DataFrame:
    return pl.DataFrame(schema=_COLUMNS[name])


def _coded(column: pl.Series) -> pl.Series:
    """Texts as CODE."""
    number = three_digits(column) if column.dtype == pl.String else None
    if number is None:
        return column.cast(CODE, strict=False)
    return _CODES[pl.Series(_PLACES.take(number, mode="clip"))].alias(column.name)


def of_quarter(tables: Tables, quarter: int) -> dict[str, pl.DataFrame]:
    """The rows of one quarter (20263) of every table that a computation reads."""
    found = {}
    for name in _COLUMNS:
        frame = tables.get(name)
        if frame is not None:
            found[name] = frame.filter(pl.col("quarter") == quarter)
    return found


def declarations(declared: Declared) -> pl.DataFrame:
    """One row per declaration: filing, version, quarter, employer, net amount and compensation."""
    own = declared.rows("employer_declaration")
    compensation = declared.rows("employer_compensation")
    if compensation.is_empty():
        return own.with_columns(declared_compensation_cents=pl.lit(0, dtype=pl.Int64))
    sums = compensation.group_by("declaration_id").agg(declared_compensation_cents=pl.col("compensation_amount").sum())
    return own.join(sums, on="declaration_id", how="left", maintain_order="left").with_columns(
        pl.col("declared_compensation_cents").fill_null(0)
    )


def lines(declared: Declared) -> pl.DataFrame:
    """One row per worker line, with its declaration and person.

    Returns:
        Columns of worker_record, quarter, noss_registration_nbr, inss, and person: one number for all lines of a
        person in a declaration.
    """
    own = declared.placed("worker_record")
    of_declaration = declared.rows("employer_declaration")[["quarter", "noss_registration_nbr"]]
    of_person = declared.rows("natural_person")[["inss"]]
    person = own["employer_declaration"].cast(pl.Int64) * 2**32 + own["natural_person_ordinal"]
    return pl.DataFrame(
        [
            *own[list(_COLUMNS["worker_record"])],
            *rows_at(of_declaration, own["employer_declaration"]),
            *rows_at(of_person, own["natural_person"]),
            person.alias("person"),
        ]
    )
