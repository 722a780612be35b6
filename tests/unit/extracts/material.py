"""A lake with invented declarations that have every block, and authorisations over it."""

from __future__ import annotations

import atexit
import random
import shutil
import tempfile
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl
import yaml

from dmfa.extracts import Delivery, Permit, Run, deliver, load, permits, recorder
from dmfa.lake import Lake, history_tables
from dmfa.quarter import Quarter
from dmfa.schema import Block, lake_tables, newest
from dmfa.schema import load as load_schema

QUARTER = Quarter(2026, 3)
DAY = date(2026, 11, 22)
RUN = Run("run-1", datetime(2026, 11, 22, 9, 30, tzinfo=UTC), 7)
CANARY = 85210100257
TEXT = 'Dupont & Zn <"é">\n2'
PERSON_BLOCKS = [
    table.block.name
    for table in lake_tables()
    if table.name == "employer_declaration" or "natural_person_ordinal" in table.arrow_schema.names
]


class Invention:
    """Rows of history tables, block by block in document order; every zone filled somewhere, and empty elsewhere."""

    def __init__(self, seed: int) -> None:
        self.draw = random.Random(seed)
        self.columns = {table.name: table.columns for table in lake_tables()}
        self.rows: dict[str, list[dict[str, Any]]] = {name: [] for name in self.columns}
        self.counts: dict[tuple[int, str], int] = {}

    def declaration(self, number: int, quarter: Quarter = QUARTER, persons: int = 3, version: int = 1) -> Invention:
        keys = {"declaration_id": number, "quarter": quarter.code, "filing_id": 1, "version": version, "status": 0}
        self._block(load_schema(newest("DmfAOriginal")).blocks["EmployerDeclaration"], keys, {}, persons)
        return self

    def _block(self, block: Block, keys: dict[str, int], above: dict[str, int], persons: int) -> None:
        ordinals = dict(above)
        if block.name != "EmployerDeclaration":
            place = (keys["declaration_id"], block.table)
            ordinals[f"{block.table}_ordinal"] = self.counts.get(place, 0)
            self.counts[place] = self.counts.get(place, 0) + 1
        zones = {column.name: self._value(column) for column in self.columns[block.table] if column.zone}
        self.rows[block.table].append({**zones, **keys, **ordinals})
        for child in block.children:
            times = persons if child.name == "NaturalPerson" else self.draw.choice([0, 1, 1, 2])
            for _ in range(times):
                self._block(child, keys, ordinals, persons)

    def _value(self, column: Any) -> object:
        zone = column.zone
        if zone.number == "00024":
            return self.draw.choice([CANARY, 5123112338, 10100105])
        if zone.number == "00011":
            return self.draw.choice([100006, 199999934])
        if self.draw.random() < 0.25:
            return None
        if zone.number in ("00014", "00131", "00042"):
            return self.draw.choice([100006, 449888671, 0])
        if str(column.type) == "date32[day]":
            return date(2026, 7, 1) + timedelta(days=self.draw.randrange(90))
        if zone.name == "WorkerCode":
            return self.draw.choice(["015", "495", "027"])
        if zone.code_width:
            return str(self.draw.randrange(10**zone.code_width)).zfill(zone.code_width)
        if zone.base == "xs:gYearMonth":
            return "1997-10"
        return self.draw.randrange(-5, 10**7) if str(column.type) == "int64" else TEXT

    def frames(self) -> dict[str, pl.DataFrame]:
        return {
            spec.name: pl.DataFrame(self.rows[spec.name], schema=pl.DataFrame(spec.arrow.empty_table()).schema)
            for spec in history_tables()
        }


@cache
def invented() -> dict[str, pl.DataFrame]:
    """Three declarations of the quarter and one of another."""
    made = Invention(8).declaration(9 * 10**17).declaration(5, persons=4).declaration(7 * 10**18, persons=2)
    return made.declaration(6, Quarter(2026, 2)).frames()


@cache
def _template() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="extracts-")) / "lake"
    atexit.register(shutil.rmtree, folder.parent, ignore_errors=True)
    with Lake.open(folder, write=True, create=True) as lake:
        fill(lake, invented())
    return folder


def fill(lake: Lake, frames: dict[str, pl.DataFrame]) -> None:
    with lake.transaction() as publication:
        for spec in history_tables():
            publication.append(spec, frames[spec.name].sample(fraction=1, shuffle=True, seed=3))


def new_lake(folder: Path) -> Path:
    """The invented declarations in a lake of its own."""
    shutil.copytree(_template(), folder / "lake")
    return folder / "lake"


def row(**changes: Any) -> dict[str, Any]:
    """A row of authorisations that lists every block and zone; None takes a key out."""
    institution = {"title": "Invented", "sector": "999", "institution": "1"}
    zones = {table.block.name: [column.zone.name for column in table.columns if column.zone] for table in lake_tables()}
    blocks = {name: zones[name] for name in PERSON_BLOCKS}
    blocks["EmployerDeclaration"] = ["Quarter", *blocks["EmployerDeclaration"]]
    made = {
        "id": "all-of-it",
        "extract": "attestation",
        "recipient": {"name": "some-fund", **institution},
        "supplier": {"name": "supplier", **institution},
        "purpose": "Tests",
        "deliberation": "example",
        "legal_basis": "None",
        "population": "all",
        "blocks": blocks,
        "mode": "raw",
        "format": ["parquet", "xml"],
        "frequency": "quarterly",
        "retention": "5 years",
        "valid_from": date(2026, 1, 1),
        "valid_to": date(2026, 12, 31),
        **changes,
    }
    return {key: value for key, value in made.items() if value is not None}


NARROW = {
    "EmployerDeclaration": ["Quarter", "NOSSRegistrationNbr"],
    "NaturalPerson": ["INSS"],
    "WorkerRecord": [],
    "Occupation": ["LocalUnitID", "JointCommissionNbr", "OccupationStartingDate"],
    "Remun": ["RemunCode", "RemunAmount"],
    "UsingEmployer": ["UsingEmployerName"],
}


def register(folder: Path, *rows: dict[str, Any]) -> Path:
    """A file of authorisations."""
    file = folder / "authorisations.yaml"
    file.write_text(yaml.safe_dump(list(rows), sort_keys=False, allow_unicode=True), encoding="utf-8")
    return file


def permit_of(folder: Path, **changes: Any) -> Permit:
    """A permit under one row."""
    (made,) = permits(load(register(folder, row(**changes))), DAY)
    return made


def given(lake: Path, permit: Permit, out: Path, **options: Any) -> Delivery:
    """Deliver out of a lake and keep the record in it."""
    with Lake.open(lake, write=True, wait_seconds=0) as opened:
        options.setdefault("record", recorder(opened))
        return deliver(opened, QUARTER, permit, out, options.pop("run", RUN), **options)


def frames_of_quarter() -> dict[str, pl.DataFrame]:
    """The invented declarations of the quarter."""
    return {name: frame.filter(pl.col("quarter") == QUARTER.code) for name, frame in invented().items()}


def exchanged(lake: Path, table: str) -> list[dict[str, Any]]:
    """Rows of a table of schema exchange."""
    with Lake.open(lake) as opened:
        rows: list[dict[str, Any]] = opened.arrow(f"SELECT * FROM lake.exchange.{table}").to_pylist()
    return rows


def bytes_in(folder: Path) -> dict[str, bytes]:
    """All files of a folder, hidden ones too."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
