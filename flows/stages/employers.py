"""Import of a directory of employers: importance class and code of the closing fund, by year."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from contributions.reference import FFE
from dmfa.errors import NothingToRead, WrongUsage
from dmfa.lake import Lake
from flows import console
from flows.settings import Settings
from flows.stages.borders import reading_csv
from flows.stages.reference import EMPLOYER, REFERENCE
from flows.stages.tables import COMPUTED

COLUMNS = ("noss_registration_nbr", "year", "importance", "ffe")


@dataclass(frozen=True)
class Directory:
    """What an import of employers did.

    Attributes:
        rows: employers and years read.
        years: those that they are of.
        changed: whether the lake holds another directory than before.
    """

    rows: int
    years: tuple[int, ...]
    changed: bool


def run(path: Path, settings: Settings) -> Directory:
    """Import a directory: it takes the place of what stands of the same years.

    Args:
        path: CSV with a header line: noss_registration_nbr, year, importance (1 to 9, or empty), ffe (C, B, N, O, or
            empty).
        settings: those of the run.

    Raises:
        NothingToRead: the file cannot be read.
        WrongUsage: a column is missing, a value is none of its kind, or an employer stands there twice in a year.
        LakeProblem: the lake is busy, full, damaged or newer than the program.
    """
    rows = _read(path)
    years = tuple(rows["year"].unique().sort())
    with Lake.open(
        settings.lake,
        write=True,
        create=True,
        extra_tables=(*COMPUTED, *REFERENCE),
        wait_seconds=settings.lake_wait,
        xsd=settings.xsd,
    ) as lake:
        standing = lake.frames("reference", [EMPLOYER.name])[EMPLOYER.name]
        kept = standing.filter(~pl.col("year").is_in(years))
        changed = lake.replace(EMPLOYER, pl.concat([kept, rows], how="vertical_relaxed"))
    return Directory(rows.height, years, changed)


def show(found: Directory, settings: Settings) -> None:
    """Report an import."""
    years = ", ".join(map(str, found.years))
    state = "new in the lake" if found.changed else "there already"
    if found.changed:
        console.say("the amounts of these years in the lake are of before: run `dmfa compute` for their quarters")
    console.say(f"control: {found.rows:,} employers and years read, of {years}; {state}; {settings.lake}")


def _read(path: Path) -> pl.DataFrame:
    with reading_csv(path, f"Columns: {', '.join(COLUMNS)}."), path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(_rows(path, csv.DictReader(file)))
    if not rows:
        raise NothingToRead(f"{path} holds no employer.", f"Columns: {', '.join(COLUMNS)}.")
    found = pl.DataFrame(rows, schema=dict.fromkeys(COLUMNS[:3], pl.Int64) | {"ffe": pl.String}, orient="row")
    twice = found.filter(pl.struct("noss_registration_nbr", "year").is_duplicated())
    if not twice.is_empty():
        raise WrongUsage(f"{path} holds an employer twice in {twice['year'][0]}.", "Leave each one line a year.")
    return found.select(
        "noss_registration_nbr", pl.col("year").cast(pl.Int32), "importance", "ffe", source=pl.lit(path.name)
    )


def _rows(path: Path, reader: csv.DictReader[str]) -> Iterator[tuple[int, int, int | None, str | None]]:
    lacking = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
    if lacking:
        raise WrongUsage(f"{path} has no column {', '.join(lacking)}.", f"Columns: {', '.join(COLUMNS)}.")
    for row in reader:
        number, year, importance, ffe = ((row[name] or "").strip() for name in COLUMNS)
        right = (
            number.isascii() and number.isdecimal() and len(number) <= 11,
            year.isascii() and year.isdecimal() and len(year) == 4,
            importance in ("", *map(str, range(10))),
            ffe in ("", *FFE),
        )
        for name, holds in zip(COLUMNS, right, strict=True):
            if not holds:
                raise WrongUsage(
                    f"{path}, line {reader.line_num}: {name} is not what it should be.",
                    "importance is 1 to 9 or empty, ffe C, B, N, O or empty, year has four digits.",
                )
        # Class 0 is that of employers whose size is not determined.
        yield int(number), int(year), int(importance) if importance not in ("", "0") else None, ffe or None
