"""The reference tables: their columns, and what they say about each quarter, handed to computations."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

import polars as pl
import pyarrow as pa

from contributions import law_fingerprint
from contributions.rates.book import KINDS, RateBook, Source
from contributions.rates.official import COLUMN_WORDS, SCHEMAS, TABLE_WORDS
from contributions.reference import Reference, References, nothing_used
from dmfa.lake import Lake, TableSpec
from dmfa.quarter import Quarter
from flows.settings import Settings
from flows.stages import sizes, used

_ARROW = {pl.Int64(): pa.int64(), pl.String(): pa.string(), pl.Boolean(): pa.bool_()}
_QUARTER = pa.field("quarter", pa.int32())

RATES: Final = {
    kind: TableSpec(
        "reference",
        kind,
        pa.schema([_QUARTER, *(pa.field(column, _ARROW[type_]) for column, type_ in SCHEMAS[kind].items())]),
        TABLE_WORDS[kind],
        {column: COLUMN_WORDS[column] for column in ("quarter", *SCHEMAS[kind])},
        partitioned=True,
    )
    for kind in KINDS
}
"""What an official rate file holds, one table for each kind of file."""

_FILE_WORDS: Final = {
    "quarter": "Quarter of the file in its official form, 20263 for 2026/3.",
    "kind": "Table that holds its rows.",
    "name": "Name of the file as received.",
    "sha256": "SHA-256 of its bytes, hexadecimal.",
    "size": "Number of bytes.",
    "created_on": "FormCreationDate of its Header, as written.",
    "fictitious": "Whether it says that its figures are invented.",
    "rows": "Rows that it gave.",
    "further": "Elements of its Header and below its root that this program does not know, as a JSON object.",
    "imported_on": "Day on which it was imported.",
}
_FILE_TYPES: Final = {"quarter": pa.int32(), "size": pa.int64(), "fictitious": pa.bool_(), "rows": pa.int64()}

RATE_FILE: Final = TableSpec(
    "reference",
    "rate_file",
    pa.schema(
        [
            pa.field(name, pa.date32() if name == "imported_on" else _FILE_TYPES.get(name, pa.string()))
            for name in _FILE_WORDS
        ]
    ),
    "Official rate files in force, one for each quarter and kind; earlier ones stand in earlier states of the lake",
    _FILE_WORDS,
    partitioned=True,
)

_EMPLOYER_WORDS: Final = {
    "noss_registration_nbr": "NSSO number of the employer (zone 00011).",
    "year": "Calendar year for whose four quarters the row holds.",
    "importance": "Importance class, 1 to 9; null where the directory gives none.",
    "ffe": "Code of the closing fund: C commercial, B not, N or O without basic contribution; null where not given.",
    "source": "Name of the file that it was read from.",
}

EMPLOYER: Final = TableSpec(
    "reference",
    "employer",
    pa.schema(
        [
            pa.field("noss_registration_nbr", pa.int64()),
            pa.field("year", pa.int32()),
            pa.field("importance", pa.int64()),
            pa.field("ffe", pa.string()),
            pa.field("source", pa.string()),
        ]
    ),
    "Directory of employers: importance class and code of the closing fund, a row for each employer and year",
    _EMPLOYER_WORDS,
)

REFERENCE: Final = (RATE_FILE, *RATES.values(), EMPLOYER)


def references(lake: Lake, quarters: Collection[int] | None = None) -> References:
    """What the reference tables say about quarters.

    Args:
        lake: the lake, at whatever state it is open.
        quarters: e.g. 20263; all that any rate file or size of employers is known for if not given.

    Returns:
        A quarter of which nothing is known is left out.
    """
    standing = tables(lake)
    books = {code: _book(lake, code) for code in _quarters(lake, standing) if quarters is None or code in quarters}
    years = None if quarters is None else {code // 10 for code in quarters}
    employers = sizes.employers(lake, years, directory=EMPLOYER.name in standing)
    rights = used.used(lake, quarters)
    of_years = {year * 10 + number for year in employers for number in range(1, 5)}
    known = books.keys() | rights.keys() | {code for code in of_years if quarters is None or code in quarters}
    return {
        code: Reference(books.get(code), employers.get(code // 10, sizes.none()), rights.get(code, nothing_used()))
        for code in sorted(known)
    }


def tables(lake: Lake) -> set[str]:
    """Names of the reference tables that a lake has; one made before this version may have none."""
    rows = lake.arrow(
        "SELECT DISTINCT table_name FROM duckdb_columns() WHERE database_name = 'lake' AND schema_name = 'reference'"
    )
    return set(rows.column(0).to_pylist())


def book(lake: Lake, quarter: int) -> RateBook | None:
    """The official rate files of a quarter with all their rows, if there are any."""
    return _book(lake, quarter) if quarter in _quarters(lake, tables(lake)) else None


def _quarters(lake: Lake, standing: set[str]) -> list[int]:
    if RATE_FILE.name not in standing:
        return []
    found: list[int] = (
        lake.arrow("SELECT DISTINCT quarter FROM lake.reference.rate_file ORDER BY 1").column(0).to_pylist()
    )
    return found


def _book(lake: Lake, quarter: int) -> RateBook:
    """The official rate files of a quarter, rows in the order of their keys."""
    frames = lake.frames("reference", [RATE_FILE.name, *KINDS], quarter=quarter)
    files = frames[RATE_FILE.name].sort("kind").select("kind", "name", "sha256", "fictitious")
    rows = {
        kind: frames[kind].select(pl.col(name).cast(type_) for name, type_ in SCHEMAS[kind].items()).sort(pl.all())
        for kind in KINDS
    }
    return RateBook(Quarter.from_code(quarter), tuple(Source(*row) for row in files.iter_rows()), **rows)


def rate_files(lake: Lake) -> str:
    """The quarters of which official rate files are in force, in words."""
    if RATE_FILE.name not in tables(lake):
        return "none"
    rows = lake.arrow(
        "SELECT quarter, count(*) AS files, bool_or(fictitious) AS fictitious FROM lake.reference.rate_file"
        " GROUP BY quarter ORDER BY quarter"
    )
    told = []
    for row in rows.to_pylist():
        invented = ", invented" if row["fictitious"] else ""
        told.append(f"{Quarter.from_code(row['quarter'])} ({row['files']} of {len(KINDS)}{invented})")
    return ", ".join(told) or "none"


def fingerprint(settings: Settings, reference: Reference | None) -> str:
    """By which law a quarter is computed: the law of this program, and what the reference tables say beside it."""
    law = law_fingerprint(**settings.law)
    return f"{law} {reference.digest}" if reference is not None and reference.digest else law
