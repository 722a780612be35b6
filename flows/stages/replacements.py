"""Import of replaced numbers: of persons and employers, as new versions of all declarations in which they stand.

The file is a filing like any other: it stands on the ledger by its digest, so that it is applied once; each employer
concerned gets a message. No number is told in what is printed.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Final, cast

import polars as pl

from dmfa.answers.replacement import ZONES, replacements
from dmfa.corrections.replacement import REPLACED, Replacement, replace_numbers
from dmfa.corrections.state import DECLARATION, State, state_of_numbers
from dmfa.errors import NothingToRead, WrongUsage
from dmfa.identifiers import enterprise_valid, insz_valid, noss_registration_valid
from dmfa.lake import RECEIVED, Lake, Publication
from dmfa.quarter import Quarter
from dmfa.schema import lake_tables
from flows import console
from flows.settings import Settings
from flows.stages.answers import named_alone, put_answers
from flows.stages.borders import reading_csv
from flows.stages.corrected_amounts import correct_amounts
from flows.stages.corrections import keep
from flows.stages.own_filing import own_filing, publishing, put_filing
from flows.stages.reference import REFERENCE, references
from flows.stages.tables import COMPUTED
from flows.stages.versions import new_versions

COLUMNS = ("kind", "old", "new", "effective", "reason")
KIND: Final = "IDFLUX"
"""Kind of the filing, by which its versions are known as replacements in the account."""

KINDS: Final[Mapping[str, tuple[str, Callable[[int], bool]]]] = {
    "inss": ("inss", insz_valid),
    "noss": ("noss_registration_nbr", noss_registration_valid),
    "company": ("company_id", enterprise_valid),
}
"""Kind in the file -> column of the number, and whether its check digits are right."""

REASONS: Final = ("90", "91", "92", "93")
"""Reasons of a change of number (annex 40)."""

_ANSWER = next(spec for spec in RECEIVED if spec.name == "answer")
_TYPES: Final = {"kind": pl.String, "old": pl.Int64, "new": pl.Int64, "effective": pl.Date, "reason": pl.String}


@dataclass(frozen=True)
class Imported:
    """What an import did.

    Attributes:
        read: lines read.
        changed: whether the file is new to the lake.
        decisions: places where a number stood, and lines whose number stands nowhere, by what became of them.
        declarations: declarations that have a new version.
        messages: messages to employers.
        quarters: the quarters concerned.
    """

    read: int
    changed: bool
    decisions: Mapping[str, int] = field(default_factory=dict)
    declarations: int = 0
    messages: int = 0
    quarters: tuple[int, ...] = ()


def run(path: Path, settings: Settings) -> Imported:
    """Import replaced numbers.

    Args:
        path: CSV with a header line: kind (inss, noss or company), old, new, effective (a day), reason (90 to 93).
        settings: those of the run.

    Raises:
        NothingToRead: the file cannot be read.
        WrongUsage: a column is missing, a value is not what it should be, or a number is replaced twice; nothing of
            the file is taken then. The message repeats no number.
        LakeProblem: there is no lake, or it is busy, full, damaged or newer than the program.
    """
    data, rows = _read(path, settings.received_on)
    filing = own_filing(path.name, data, KIND, settings)
    extra = (*COMPUTED, *REFERENCE)
    with Lake.open(
        settings.lake, write=True, extra_tables=extra, wait_seconds=settings.lake_wait, xsd=settings.xsd
    ) as lake:
        if lake.known([filing["sha256"]]):
            put_answers(lake, filing["filing_id"], settings)
            return Imported(rows.height, changed=False)
        with publishing(lake, filing, data) as publication:
            done = _publish(lake, publication, rows, filing, settings)
        put_answers(lake, filing["filing_id"], settings)
        return done


def show(found: Imported, settings: Settings) -> None:
    """Report an import."""
    for decision, count in sorted(found.decisions.items()):
        if decision != REPLACED:
            console.say(f"{count:,} not replaced: {decision}")
    if found.changed:
        of = ", ".join(str(Quarter.from_code(code)) for code in found.quarters) or "no quarter"
        console.say(
            f"{found.decisions.get(REPLACED, 0):,} numbers replaced in {found.declarations:,} declarations of {of};"
            f" {found.messages:,} messages to employers in {settings.out / 'answers'}"
        )
    state = "new in the lake" if found.changed else "there already"
    console.say(f"control: {found.read:,} replacements read; {state}; {settings.lake}")


def _publish(
    lake: Lake, publication: Publication, rows: pl.DataFrame, filing: Mapping[str, Any], settings: Settings
) -> Imported:
    """Put the new versions, their amounts, the filing and its messages into the lake."""
    state = state_of_numbers(rows, lake.keyed("history"), lake_tables(settings.xsd))
    done = replace_numbers(state, rows.select("kind", "old", "new"), filing["filing_id"], filing["received_at"])
    made = done.applied.units.filter(pl.col("unit") == DECLARATION).select("quarter", "declaration_id", "version")
    quarters = tuple(made["quarter"].unique().sort())
    if made.height:
        keep(publication, done.applied, settings)
    put_filing(publication, filing, max(quarters, default=None))
    if made.height:
        new = new_versions(lake, made, settings)
        correct_amounts(lake, publication, new, references(lake, quarters), settings)
    told = _told(rows, done, state)
    messages = replacements(filing["filing_id"], filing["sha256"], filing["received_at"], told)
    named = named_alone(messages, filing["received_at"].date(), lake, settings.environment)
    publication.append_parts(_ANSWER, [named])
    return Imported(
        rows.height,
        changed=True,
        decisions=Counter(done.decisions["decision"]),
        declarations=made.height,
        messages=messages.height,
        quarters=quarters,
    )


def _told(rows: pl.DataFrame, done: Replacement, state: State) -> pl.DataFrame:
    """What each employer is told: once for each number that is replaced in a declaration of theirs."""
    declared = done.applied.rows.get(DECLARATION, state.rows[DECLARATION].clear())
    employers = declared.select("declaration_id", "noss_registration_nbr", "company_id")
    return (
        done.decisions.filter((pl.col("decision") == REPLACED) & pl.col("kind").is_in(list(ZONES)))
        .join(employers, on="declaration_id", how="inner", maintain_order="left")
        .select("place", "noss_registration_nbr", "company_id")
        .unique(maintain_order=True)
        .join(rows.with_row_index("place").cast({"place": pl.Int64}), on="place", how="left", maintain_order="left")
    )


def _read(path: Path, today: date) -> tuple[bytes, pl.DataFrame]:
    """The bytes of a file, and its lines."""
    columns = f"Columns: {', '.join(COLUMNS)}."
    with reading_csv(path, columns):
        data = path.read_bytes()
        lines = data.decode("utf-8-sig").splitlines()
        rows = list(_rows(path, csv.DictReader(lines, strict=True), today))
    if not rows:
        raise NothingToRead(f"{path} holds no replacement.", columns)
    found = pl.DataFrame(rows, schema=_TYPES, orient="row")
    if found.select(pl.struct("kind", "old").is_duplicated().any()).item():
        raise WrongUsage(f"{path} replaces a number twice.", "Leave each number one line.")
    return data, found


def _rows(path: Path, reader: csv.DictReader[str], today: date) -> Iterator[tuple[str, int, int, date, str]]:
    lacking = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
    if lacking:
        raise WrongUsage(f"{path} has no column {', '.join(lacking)}.", f"Columns: {', '.join(COLUMNS)}.")
    for row in reader:
        kind, old, new, effective, reason = ((row[name] or "").strip() for name in COLUMNS)
        column, valid = KINDS.get(kind, ("", None))
        wrong = [
            name
            for name, text in (("old", old), ("new", new))
            if valid is None or not (text.isascii() and text.isdecimal() and len(text) <= 11 and valid(int(text)))
        ]
        wrong += ["reason"] if reason not in REASONS else []
        wrong += ["effective"] if (day := _day(effective)) is None or day > today else []
        wrong = ["kind"] if valid is None else wrong
        if not wrong and int(old) == int(new):
            wrong = ["new"]
        if wrong:
            raise WrongUsage(
                f"{path}, line {reader.line_num}: {wrong[0]} is not what it should be.",
                "kind is inss, noss or company; old and new are two numbers with right check digits; effective is a"
                " day that has come, 2026-10-01; reason is 90, 91, 92 or 93. Nothing of the file was taken.",
            )
        yield column, int(old), int(new), cast("date", day), reason


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
