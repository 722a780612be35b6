"""A whole authorisation of each extract, and a lake with all that any of them reads."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from dmfa.extracts import EXTRACTS
from dmfa.lake import EXCHANGE, Lake
from dmfa.lake import RECEIVED as _RECEIVED
from dmfa.schema import lake_tables
from dmfa.schema.catalogue import catalogue
from flows.stages.tables import COMPUTED
from tests.unit.extracts.material import CANARY, QUARTER, TEXT, Invention, fill, row

RECEIVED = {spec.name: spec for spec in _RECEIVED}

EMPLOYER = 449888671
"""Enterprise number of some of the invented employers."""

KNOWN = (CANARY, 5123112338)
"""Persons of whom the directory has a line; one more has none."""

DIRECTORY = {"sector": "999", "institution_type": "005", "qualities": ["101"]}
INSCRIBED = [("999", "005")]
LIMIT = 4_000_000

_NARROWED = {
    "sector-fund": {"Occupation.JointCommissionNbr": [TEXT]},
    "construction": {"Occupation.JointCommissionNbr": [TEXT]},
    "closure": {"EmployerDeclaration.NOSSRegistrationNbr": ["100006"]},
}


def whole_row(name: str, **changes: Any) -> dict[str, Any]:
    """An authorisation of all that an extract can hold."""
    extract = EXTRACTS[name]
    institution: dict[str, str] = {"name": f"for-{name}", "title": "Invented"}
    if extract.own_declarations:
        institution["cbe_number"] = f"{EMPLOYER:010d}"
    else:
        institution |= {"sector": "999", "institution": "5"}
    answer = {table.name: [column.name for column in table.columns] for table in extract.answer.values()}
    by = [column for table in extract.answer.values() for column in table.by]
    made = {
        "id": f"row-{name}",
        "extract": name,
        "mode": extract.mode,
        "recipient": institution,
        "population": _NARROWED.get(name, "all"),
        "directory": DIRECTORY if extract.directory else None,
        "research": {"project": "panel", "destroy_by": date(2031, 12, 31)} if extract.coded else None,
        "blocks": {block: list(zones) for block, zones in extract.held().items()},
        "answer": answer or None,
        "limits": {"above": LIMIT} if extract.mode == "threshold" else None,
        "groups": by if extract.mode == "aggregate" else None,
        "smallest_group": 2 if extract.mode == "aggregate" else None,
    }
    if "Quarter" not in made["blocks"]["EmployerDeclaration"]:
        made["blocks"]["EmployerDeclaration"] = ["Quarter", *made["blocks"]["EmployerDeclaration"]]
    return row(**made | changes)


def filled(folder: Path) -> dict[str, pl.DataFrame]:
    """Make a lake: declarations of the quarter, one of an earlier one, one that is cancelled, computed, a directory.

    Returns:
        What extracts may give: rows of the quarter that are in force, by table.
    """
    made = Invention(8).declaration(9 * 10**17, persons=4).declaration(5, persons=5).declaration(7 * 10**18, persons=6)
    made.declaration(6, QUARTER.before).declaration(11)
    cancelled = pl.when(pl.col("declaration_id") == 11).then(3).otherwise("status").cast(pl.Int8).alias("status")
    frames = {name: rows.with_columns(cancelled) for name, rows in made.frames().items()}
    own = pl.when(pl.col("declaration_id") == 5).then(EMPLOYER).otherwise(100006).alias("company_id")
    frames["employer_declaration"] = frames["employer_declaration"].with_columns(own)
    line = ["declaration_id", "worker_record_ordinal"]
    declaration, place = frames["occupation"].select(line).row(0)
    alone = (pl.col(line[0]) == declaration) & (pl.col(line[1]) == place)
    code = pl.when(alone).then(pl.lit("035")).otherwise("worker_code").alias("worker_code")
    frames["worker_record"] = frames["worker_record"].with_columns(code)
    with Lake.open(folder, write=True, create=True, extra_tables=COMPUTED) as lake:
        fill(lake, frames)
        with lake.transaction() as publication:
            directory = next(spec for spec in EXCHANGE if spec.name == "directory")
            publication.append(directory, _lines())
            for spec in COMPUTED:
                publication.append(spec, _computed(spec, frames["employer_declaration"]))
            publication.append(RECEIVED["anomaly"], anomalies(frames))
    valid = (pl.col("quarter") == QUARTER.code) & (pl.col("status") != 3)
    return {name: rows.filter(valid) for name, rows in frames.items()}


def anomalies(frames: dict[str, pl.DataFrame]) -> pl.DataFrame:
    """An anomaly of a zone of each block, where there is any: of its first row in each declaration."""
    rows = []
    for table in lake_tables():
        zones = {column.zone.name for column in table.columns if column.zone}
        codes = [one for one in catalogue().codes.values() if one.element in zones and "P" in one.severities.values()]
        column = f"{table.name}_ordinal"
        own = column if column in frames[table.name].columns else pl.lit(0, pl.Int32).alias(column)
        first = (
            frames[table.name].group_by("declaration_id", "quarter").agg(pl.col(column).min() if own is column else own)
        )
        for declaration, quarter, place in first.iter_rows() if codes else ():
            rows.append(anomaly(declaration, quarter, table.block.name, place, codes[0].element, codes[0].code))
    return found(rows)


def anomaly(
    declaration: int, quarter: int, block: str, place: int, zone: str | None, code: str, severity: str = "P"
) -> dict[str, Any]:
    """One anomaly as it stands in the lake."""
    keys = {"declaration_id": declaration, "quarter": quarter, "block": block, "block_keys": f"{block}[{place}]"}
    return {**keys, "zone": zone, "code": code, "severity": severity, "message": "Invented"}


def found(rows: list[dict[str, Any]]) -> pl.DataFrame:
    """Anomalies as rows of received.anomaly."""
    return pl.DataFrame(rows, schema=pl.DataFrame(RECEIVED["anomaly"].arrow.empty_table()).schema)


def _lines() -> pl.DataFrame:
    begin = date(2020, 1, 1)
    line = {"sector": "999", "institution_type": "005", "quality": "101", "begin_date": begin, "changed_on": begin}
    empty = {"phase": pl.lit(None, pl.String), "end_date": pl.lit(None, pl.Date)}
    return pl.DataFrame([{"inss": person, **line} for person in KNOWN]).with_columns(**empty)


def _computed(spec: Any, employers: pl.DataFrame) -> pl.DataFrame:
    """Two rows of a computed table for each declaration, with amounts that tell them apart."""
    schema = pl.DataFrame(spec.arrow.empty_table()).schema
    rows: list[dict[str, Any]] = []
    for place, employer in enumerate(employers.iter_rows(named=True)):
        for amount in (1, 10):
            keys = ("declaration_id", "filing_id", "version", "quarter", "noss_registration_nbr")
            told: dict[str, Any] = {name: employer[name] for name in keys}
            told |= {"status": "computed", "employer_class": "010"}
            told |= {"contribution_worker_code": "855", "deduction_code": "3000"}
            cents = amount * (place + 1)
            rows.append({name: told.get(name, _cell(name, kind, cents)) for name, kind in schema.items()})
    return pl.DataFrame(rows, schema=schema, strict=False)


def _cell(name: str, kind: pl.DataType, amount: int) -> object:
    return amount if kind == pl.Int64 and name.endswith("_cents") else None
