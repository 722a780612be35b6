"""The reference directory: which institution knows a person, in what quality, from when to when. No content.

A line is `inss, sector, institution_type, quality, phase, begin_date, end_date, changed_on`. Of one person at one
institution under one quality no two lines share a day. Quality codes: 000 definitive inscription, 001 to 900 of a
meaning of the sector's own, 902 provisional. Phases are kept and select nothing: no source at hand tells them.

A file of lines is CSV in UTF-8 with a header line, or Parquet, with the columns above; phase and end_date may be empty.
It is read some rows at a time, whatever its size, and refused whole for one wrong row, which is told by its place.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Collection, Iterator
from functools import cache
from pathlib import Path
from typing import Final

import polars as pl
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from dmfa.errors import NothingToRead, WrongUsage
from dmfa.identifiers import INSZ_DIGITS, insz_valid_expr
from dmfa.lake import EXCHANGE

DIRECTORY: Final = next(spec for spec in EXCHANGE if spec.name == "directory")
CHANGES: Final = next(spec for spec in EXCHANGE if spec.name == "directory_change")
COLUMNS: Final = tuple(DIRECTORY.arrow.names)
PLACE: Final = "place"
"""Column added on reading: line of a CSV file, with its header as the first; row of a Parquet file, from 1."""

BLOCK: Final = 32 << 20
"""Bytes of CSV read at once."""

ROWS: Final = 500_000
"""Rows of Parquet read at once."""

_PROVISIONAL: Final = 902
_SECTORS: Final = Path(__file__).with_name("sectors.csv")

Rule = tuple[str, pl.Expr, str]
"""A column, what must be true of its text, and what it should be, in words."""


def is_quality(code: object) -> bool:
    """Whether a value is a quality code: three digits, 000 to 900 or 902."""
    return (
        isinstance(code, str)
        and len(code) == 3
        and code.isascii()
        and code.isdecimal()
        and (int(code) <= 900 or int(code) == _PROVISIONAL)
    )


@cache
def known_sectors() -> dict[str, str]:
    """Sector codes of the network of the CBSS that are known, with their names; others come from the register."""
    with _SECTORS.open(encoding="utf-8", newline="") as file:
        return {row["code"]: row["name"] for row in csv.DictReader(file)}


def lines(path: Path, sectors: Collection[str]) -> Iterator[pl.DataFrame]:
    """The lines of a whole directory, a bounded number at once.

    Args:
        path: the file.
        sectors: sector codes that are known.

    Yields:
        Columns of exchange.directory and `place`.

    Raises:
        NothingToRead: the file cannot be read.
        WrongUsage: a column is missing, or a row is not what it should be; its place is told, and no value.
    """
    for frame in texts(path, COLUMNS):
        yield typed(path, frame, rules(sectors))


def texts(path: Path, columns: Collection[str]) -> Iterator[pl.DataFrame]:
    """Some columns of a file as texts without spaces around, empty ones null, and `place`.

    Raises:
        NothingToRead: the file cannot be read, or holds no row.
        WrongUsage: it has not just these columns, or a line has more or fewer.
    """
    first = 1 if _is_parquet(path) else 2
    try:
        for batch in _batches(path, columns):
            frame = pl.DataFrame(batch).select(pl.col(name).cast(pl.String).str.strip_chars() for name in columns)
            empty = pl.when(pl.all() != "").then(pl.all())
            yield frame.select(empty).with_row_index(PLACE, offset=first).cast({PLACE: pl.Int64})
            first += frame.height
    except OSError as trouble:
        reason = (trouble.strerror or "it cannot be read").lower()
        raise NothingToRead(f"{path} cannot be read: {reason}.", _columns_are(columns)) from None
    except (pa.ArrowException, pl.exceptions.PolarsError, UnicodeDecodeError):  # these quote values
        raise NothingToRead(
            f"{path} cannot be read: it is no CSV in UTF-8, or no Parquet.", _columns_are(columns)
        ) from None


def rules(sectors: Collection[str]) -> list[Rule]:
    """What must be true of a line's texts."""
    quality = pl.col("quality")
    return [
        ("inss", _number("inss", INSZ_DIGITS) & insz_valid_expr(_as_number("inss")), "the number of a person"),
        (
            "sector",
            _code("sector").is_in(pl.Series(sorted(sectors), dtype=pl.String).implode()),
            "a sector of the network, or one that the file of authorisations names (--authorisations FILE)",
        ),
        ("institution_type", _number("institution_type", 3), "one to three digits"),
        (
            "quality",
            quality.str.contains(r"\A[0-9]{3}\z") & ((_as_number("quality") <= 900) | (quality == str(_PROVISIONAL))),
            "a quality code: 000 to 900, or 902",
        ),
        ("phase", _number("phase", 3) | pl.col("phase").is_null(), "one to three digits, or empty"),
        ("begin_date", _day("begin_date").is_not_null(), "a day such as 2026-10-31"),
        (
            "end_date",
            pl.col("end_date").is_null() | (_day("end_date") >= _day("begin_date")),
            "empty, or a day that is not before begin_date",
        ),
        ("changed_on", _day("changed_on").is_not_null(), "a day such as 2026-10-31"),
    ]


def typed(path: Path, frame: pl.DataFrame, checks: Collection[Rule]) -> pl.DataFrame:
    """Texts in the types of exchange.directory, once all rules hold.

    Raises:
        WrongUsage: the first row that is not what it should be.
    """
    held = frame.select(holds.fill_null(value=False).alias(str(number)) for number, (_, holds, _) in enumerate(checks))
    wrong = (~held.select(all=pl.all_horizontal(pl.all()))["all"]).arg_true()
    if len(wrong):
        row = held.row(wrong[0])
        column, _, meant = next(rule for rule, holds in zip(checks, row, strict=True) if not holds)
        raise refused(path, frame[PLACE][wrong[0]], f"{column} is not what it should be: {meant}")
    codes = {name: _code(name).alias(name) for name in ("sector", "institution_type")}
    days = {name: _day(name).alias(name) for name in ("begin_date", "end_date", "changed_on")}
    return frame.with_columns(_as_number("inss"), *codes.values(), *days.values())


def refused(path: Path, place: int, why: str) -> WrongUsage:
    """The error that refuses a file for one of its rows."""
    kind = "row" if _is_parquet(path) else "line"
    return WrongUsage(
        f"{path}, {kind} {place}: {why}.", "Nothing of the file was taken; correct it and import it again."
    )


def overlapping(arrow: Callable[..., pa.Table], sectors: Collection[str], rows: int) -> dict[str, object] | None:
    """A person, institution and quality with two lines that share a day; None if there is no such.

    Persons are looked at in some turns, by the remainder of their number, so that memory does not grow with the
    directory.

    Args:
        arrow: asks the lake.
        sectors: the sectors to look at.
        rows: how many lines they have, roughly.
    """
    turns = rows // _TURN + 1
    for turn in range(turns):
        found = arrow(_OVERLAPPING, [turns, turn, "\n".join(sorted(sectors))]).to_pylist()
        if found:
            return dict(found[0])
    return None


_TURN: Final = 4_000_000
_OVERLAPPING = """
    WITH line AS (
        SELECT inss, sector, institution_type, quality, begin_date, coalesce(end_date, DATE '9999-12-31') AS end_date
        FROM lake.exchange.directory
        WHERE inss % ? = ? AND sector IN (SELECT unnest(string_split(?, chr(10))))
    ),
    several AS (
        SELECT inss, sector, institution_type, quality FROM line GROUP BY ALL HAVING count(*) > 1
    )
    SELECT inss, sector, institution_type, quality FROM (
        SELECT *, max(end_date) OVER (
            PARTITION BY inss, sector, institution_type, quality ORDER BY begin_date, end_date
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ) AS before
        FROM line SEMI JOIN several USING (inss, sector, institution_type, quality)
    )
    WHERE begin_date <= before LIMIT 1
"""


def _is_parquet(path: Path) -> bool:
    return path.suffix.lower() == ".parquet"


def _batches(path: Path, columns: Collection[str]) -> Iterator[pa.RecordBatch]:
    if _is_parquet(path):
        with pq.ParquetFile(path) as file:
            _must_have(path, columns, file.schema_arrow.names)
            if not file.metadata.num_rows:
                raise _empty(path, columns)
            yield from file.iter_batches(ROWS, columns=list(columns))
        return
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        _must_have(path, columns, next(csv.reader([file.readline()]), []))
    wrong: list[int] = []

    def uneven(row: pa.csv.InvalidRow) -> str:
        wrong.append(row.number)
        return "error"

    try:
        reader = pa.csv.open_csv(
            path,
            read_options=pa.csv.ReadOptions(block_size=BLOCK, use_threads=False),
            parse_options=pa.csv.ParseOptions(ignore_empty_lines=False, invalid_row_handler=uneven),
            convert_options=pa.csv.ConvertOptions(
                column_types=dict.fromkeys(columns, pa.string()),
                include_columns=list(columns),
                strings_can_be_null=False,
            ),
        )
        rows = 0
        for batch in reader:
            rows += batch.num_rows
            yield batch
    except pa.ArrowInvalid:
        if wrong:
            raise refused(path, wrong[0], f"it has not the {len(columns)} columns of the first line") from None
        raise
    if not rows:
        raise _empty(path, columns)


def _must_have(path: Path, columns: Collection[str], found: Collection[str]) -> None:
    lacking = [name for name in columns if name not in found]
    if lacking:
        raise WrongUsage(f"{path} has no column {', '.join(lacking)}.", _columns_are(columns))
    if len(found) != len(columns):
        raise WrongUsage(f"{path} has columns that no directory has, or one twice.", _columns_are(columns))


def _empty(path: Path, columns: Collection[str]) -> NothingToRead:
    return NothingToRead(f"{path} holds no line.", _columns_are(columns))


def _columns_are(columns: Collection[str]) -> str:
    return f"Columns: {', '.join(columns)}."


def _number(column: str, digits: int) -> pl.Expr:
    return pl.col(column).str.contains(rf"\A[0-9]{{1,{digits}}}\z")


def _as_number(column: str) -> pl.Expr:
    return pl.col(column).cast(pl.Int64, strict=False)


def _code(column: str) -> pl.Expr:
    return pl.col(column).str.zfill(3)


def _day(column: str) -> pl.Expr:
    text = pl.col(column)
    whole = pl.when(text.str.contains(r"\A[0-9]{4}-[0-9]{2}-[0-9]{2}\z")).then(text)
    return whole.str.to_date("%Y-%m-%d", strict=False)
