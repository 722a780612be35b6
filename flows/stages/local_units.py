"""Import of a file of local units: where each lies and what it does, for classes in statistics and research."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import polars as pl

from dmfa.errors import NothingToRead, WrongUsage
from dmfa.extracts.selections.classes import REGIONS
from dmfa.identifiers import local_unit_valid
from dmfa.lake import EXCHANGE, Lake
from flows import console
from flows.settings import Settings
from flows.stages.borders import reading_csv

COLUMNS: Final = ("local_unit_id", "region", "nace")
_SPEC: Final = next(spec for spec in EXCHANGE if spec.name == "local_unit")
_HOW: Final = f"Columns: {', '.join(COLUMNS)}; region is one of {', '.join(REGIONS)}, nace has five digits."


@dataclass(frozen=True)
class LocalUnits:
    """What an import of local units did: rows read, and whether the lake holds other ones than before."""

    rows: int
    changed: bool


def run(path: Path, settings: Settings) -> LocalUnits:
    """Import a file of local units: it takes the place of what stands.

    Args:
        path: CSV with a header line: local_unit_id, region, nace; the last two may be empty.
        settings: those of the run.

    Raises:
        NothingToRead: the file cannot be read.
        WrongUsage: a column is missing, a value is none of its kind, or a unit stands there twice.
        LakeProblem: the lake is busy, full, damaged or newer than the program.
    """
    rows = _read(path)
    with Lake.open(settings.lake, write=True, create=True, wait_seconds=settings.lake_wait, xsd=settings.xsd) as lake:
        return LocalUnits(rows.height, lake.replace(_SPEC, rows))


def show(found: LocalUnits, settings: Settings) -> None:
    """Report an import."""
    state = "new in the lake" if found.changed else "there already"
    console.say(f"control: {found.rows:,} local units read; {state}; {settings.lake}")


def _read(path: Path) -> pl.DataFrame:
    with reading_csv(path, _HOW), path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(_rows(path, csv.DictReader(file)))
    if not rows:
        raise NothingToRead(f"{path} holds no local unit.", _HOW)
    found = pl.DataFrame(rows, schema=pl.DataFrame(_SPEC.arrow.empty_table()).schema, orient="row")
    if found["local_unit_id"].is_duplicated().any():
        raise WrongUsage(f"{path} holds a local unit twice.", "Leave each one line.")
    return found


def _rows(path: Path, reader: csv.DictReader[str]) -> Iterator[tuple[int, str | None, str | None]]:
    lacking = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
    if lacking:
        raise WrongUsage(f"{path} has no column {', '.join(lacking)}.", _HOW)
    for row in reader:
        number, region, nace = ((row[name] or "").strip() for name in COLUMNS)
        right = (
            number.isascii() and number.isdecimal() and local_unit_valid(int(number)),
            region in ("", *REGIONS),
            nace == "" or (nace.isascii() and nace.isdecimal() and len(nace) == 5),
        )
        for name, holds in zip(COLUMNS, right, strict=True):
            if not holds:
                raise WrongUsage(f"{path}, line {reader.line_num}: {name} is not what it should be.", _HOW)
        yield int(number), region or None, nace or None
