"""Invented corrections: a declaration of every block as it was, and as a correction leaves it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from dmfa.corrections.differences import compare, earlier, later
from dmfa.corrections.shape import ASKED_TYPES, OCCUPATION_VERSION_TYPES, Corrections
from dmfa.pid import declaration_pid, declared_person_pid, person_pid
from dmfa.reading.batch import Batch, Settings, read_batch
from dmfa.reading.source import Found
from dmfa.schema import lake_tables, unit_of
from tests.making import Maker, to_bytes
from tests.unit.answers.probing import FILING

TABLES = lake_tables()
FORM_ID = 99
AFRESH = 1_000
"""Blocks below a line get new numbers."""

Rows = dict[str, pl.DataFrame]


def declared(folder: Path, *, release: str = "20223", seed: int = 3, persons: int = 3, forms: int = 1) -> Batch:
    """A made-up filing, read."""
    path = folder / f"{release}_{seed}.xml"
    path.write_bytes(to_bytes(Maker(release, seed).filing(forms=forms, persons=persons)))
    read = read_batch([Found(path.name, path, size=path.stat().st_size)], Settings.of())
    assert read.anomalies.is_empty()
    return read


def corrected(rows: Rows, *, version: int = 2, status: int = 1) -> Rows:
    """All rows once more, as a version that says the same again would bring them."""
    found = {}
    for name, frame in rows.items():
        keys = {"version": pl.lit(version, pl.Int16), "status": pl.lit(status, pl.Int8)}
        below = [column for column in frame.columns if column.endswith("_ordinal") and unit_of([column])[1] == column]
        fresh = [column for column in below if column not in LASTING]
        found[name] = frame.with_columns(**keys).with_columns(pl.col(column) + AFRESH for column in fresh)
    return found


LASTING = (
    "natural_person_ordinal",
    "worker_record_ordinal",
    "company_vehicle_ordinal",
    "contribution_unrelated_to_np_ordinal",
    "employer_compensation_ordinal",
)


def ended(before: Rows, *, by: int = 2) -> pl.DataFrame:
    """Rows of history.replaced: every unit that was in force is ended."""
    parts = []
    for table in TABLES:
        unit, own = unit_of(table.arrow_schema.names)
        if unit == table.name:
            number = pl.col(own) if own else pl.lit(0, pl.Int32)
            parts.append(
                before[unit].select(
                    "quarter",
                    "declaration_id",
                    pl.lit(unit).alias("unit"),
                    number.alias("ordinal"),
                    "version",
                    pl.lit(by, pl.Int16).alias("ended_by"),
                )
            )
    return pl.concat(parts)


def compared(before: Rows, after: Rows, replaced: pl.DataFrame | None = None) -> Rows:
    """What the second state does to the first."""
    replaced = ended(before) if replaced is None else replaced

    def read(name: str, keys: pl.DataFrame) -> pl.DataFrame:
        return before[name].join(keys, on=keys.columns, how="semi", maintain_order="left")

    return compare(earlier(read, replaced, TABLES), later(after, TABLES), TABLES)


def standing(before: Rows) -> Rows:
    """What was declared, compared with itself."""

    def read(name: str, keys: pl.DataFrame) -> pl.DataFrame:
        return before[name].join(keys, on=keys.columns, how="semi", maintain_order="left")

    rows = earlier(read, ended(before), TABLES)
    return compare(rows, rows, TABLES)


@dataclass
class Case:
    """What a notification is written from."""

    filings: pl.DataFrame
    corrections: Corrections
    applied: pl.DataFrame
    persons: pl.DataFrame


def case(batch: Batch, **form: Any) -> Case:
    """A correction of the first declaration of a batch, by the employer."""
    tables = batch.shredded.tables
    (declaration,) = tables["employer_declaration"].head(1).to_dicts()
    pid = declaration_pid(pl.col("noss_registration_nbr"), pl.col("company_id"), pl.col("quarter"))
    known = tables["employer_declaration"].select("declaration_id", pid=pid)
    forms = (
        batch.shredded.forms.head(1)
        .with_columns(
            declaration_id=pl.lit(FORM_ID, pl.Int64),
            filing_id=pl.lit(FILING["filing_id"], pl.Int64),
            employer_declaration_pid=pl.lit(known["pid"][0]),
            justification=pl.lit(None, pl.String),
        )
        .with_columns(**{name: pl.lit(value) for name, value in form.items()})
    )
    persons = (
        tables["natural_person"]
        .join(known, on="declaration_id")
        .select(
            "declaration_id",
            "natural_person_ordinal",
            person_pid=person_pid(pl.col("inss")),
            declared_pid=declared_person_pid(pl.col("inss"), pl.col("pid")),
        )
    )
    empty = {name: table.clear() for name, table in tables.items()}
    corrections = Corrections(
        forms, empty, pl.DataFrame(schema=ASKED_TYPES), pl.DataFrame(schema=OCCUPATION_VERSION_TYPES)
    )
    applied = pl.DataFrame(
        {"form_id": [FORM_ID], "declaration_id": [declaration["declaration_id"]], "version": [2]},
        schema_overrides={"version": pl.Int16},
    )
    return Case(pl.DataFrame([FILING]), corrections, applied, persons)


def ledger(case: Case, **amounts: int) -> pl.DataFrame:
    """An entry in the account for the correction."""
    told = {"debit_cents": 0, "credit_cents": 0} | amounts
    return case.applied.select("declaration_id", "version", **{name: pl.lit(cents) for name, cents in told.items()})
