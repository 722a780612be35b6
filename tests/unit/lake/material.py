"""Small lakes and small work items for the tests of the lake."""

from __future__ import annotations

import atexit
import hashlib
import shutil
import tempfile
from datetime import date, datetime
from functools import cache
from pathlib import Path

import polars as pl
import pyarrow as pa

from dmfa.lake import EXCHANGE, RECEIVED, ItemWriter, Lake, Manifest, TableSpec, history_tables

QUARTER = 20263

BASIS = TableSpec(
    "computed",
    "basis",
    pa.schema(
        [("declaration_id", pa.int64()), ("quarter", pa.int32()), ("code", pa.string()), ("basis_cents", pa.int64())]
    ),
    "Wages that contributions are computed on",
    {"basis_cents": "Basis (cents)"},
    partitioned=True,
)
RATE = TableSpec("reference", "rate", pa.schema([("code", pa.string()), ("rate_bp", pa.int64())]))


@cache
def specs() -> tuple[TableSpec, ...]:
    """All tables of a lake of the tests."""
    return (*RECEIVED, *EXCHANGE, *history_tables(), BASIS, RATE)


@cache
def _template() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="lake-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    with Lake.open(folder / "lake", write=True, create=True, extra_tables=(BASIS, RATE)):
        pass
    return folder / "lake"


def new_lake(folder: Path) -> Path:
    """An empty lake in a folder: a copy of one made once."""
    shutil.copytree(_template(), folder / "lake")
    return folder / "lake"


def writer(lake: Path) -> Lake:
    """The lake, open for writing, refusing at once when another writes."""
    return Lake.open(lake, write=True, extra_tables=(BASIS, RATE), wait_seconds=0)


def sha(number: int) -> str:
    """SHA-256 of an invented file."""
    return hashlib.sha256(f"file {number}".encode()).hexdigest()


def rows(number: int, quarter: int = QUARTER, persons: int = 3, status: int = 0) -> dict[str, pl.DataFrame]:
    """Rows of one filing with one declaration: ledger, declaration, persons; some cells empty."""
    keys = {"declaration_id": number * 10, "quarter": quarter, "filing_id": number, "version": 1, "status": status}
    filing = {
        "filing_id": number,
        "sha256": sha(number),
        "name": f"{number}.xml",
        "size": 1000 + number,
        "kind": "DmfAOriginal",
        "quarter": quarter,
        "state": "accepted",
        "declarations": 1,
        "refused": 0,
        "persons": persons,
        "received_at": datetime(2026, 11, 22, 12, 0, 0, number),
    }
    person = [
        {
            **keys,
            "natural_person_ordinal": ordinal,
            "inss": 77_000_000_000 + number * 100 + ordinal if ordinal else None,
            "holiday_starting_date": date(2026, 7, 1 + ordinal) if ordinal == 1 else None,
        }
        for ordinal in range(persons)
    ]
    return {
        "received.filing": pl.DataFrame([filing]),
        "history.employer_declaration": pl.DataFrame(
            [{**keys, "noss_registration_nbr": 100_006 + number, "net_owed_amount": 12_345 * number}]
        ),
        "history.natural_person": pl.DataFrame(
            [{name: row[name] for name in row if name in _columns("history.natural_person")} for row in person],
            infer_schema_length=None,
        ),
    }


def _columns(key: str) -> set[str]:
    return next(set(spec.arrow.names) for spec in specs() if spec.key == key)


def stage(lake: Path, *numbers: int, quarter: int = QUARTER, persons: int = 3, status: int = 0) -> Manifest:
    """Stage an item of some filings."""
    item = hashlib.sha256("".join(map(sha, numbers)).encode()).hexdigest()[:16]
    with ItemWriter(lake, item, specs()) as work:
        for number in numbers:
            for key, frame in rows(number, quarter, persons, status).items():
                work.append(key, frame)
        return work.close([sha(number) for number in numbers])


def count(lake: Path, table: str = "received.filing") -> int:
    """Rows of a table as a reader sees it."""
    with Lake.open(lake) as opened:
        return int(opened.arrow(f"SELECT count(*) FROM lake.{table}").column(0)[0].as_py())


def parquet_files(lake: Path) -> set[str]:
    """Parquet files on the disk, relative to the data folder, without those that make the lake."""
    data = lake / "data"
    return {path.relative_to(data).as_posix() for path in data.rglob("*.parquet") if "/meta/" not in path.as_posix()}
