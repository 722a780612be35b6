"""What applying corrections knows of the declarations concerned: rows of history, read by key and never whole.

Versions of a unit only grow, so its last row is the one with the highest version: in force, unless its status says
cancelled. What replaced what need not be read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Protocol

import polars as pl

from dmfa.corrections.amounts import AMOUNT_TYPES, amounts
from dmfa.corrections.shape import Corrections
from dmfa.pid import declaration_pid, declared_person_pid, person_pid
from dmfa.quarter import Quarter
from dmfa.schema import LINE, Table, ordinal, unit_of

DECLARATION = "employer_declaration"
PERSON = "natural_person"
VEHICLE = "company_vehicle"
UNRELATED = "contribution_unrelated_to_np"
COMPENSATION = "employer_compensation"

BESIDE = (VEHICLE, UNRELATED, COMPENSATION)
"""Units of a declaration that belong to no person."""

NEW, CHANGED, CANCELLED, REACTIVATED = 0, 1, 3, 4
"""Status (zone 100003) of a unit: from NEW or REACTIVATED until it is CANCELLED it is in force."""

KEYS = {
    LINE: ("employer_class", "worker_code"),
    UNRELATED: ("unrelated_employer_class", "unrelated_worker_code"),
    VEHICLE: ("company_vehicle_sequence_nbr",),
    COMPENSATION: ("compensation_code",),
}
"""By unit, the columns that tell it from its like, as a correction quotes them."""

QUIET_QUARTERS = 2
"""So many quarters after its own, a declaration may be lowered without a justification (zone 00545)."""

_DECLARED = ("declaration_id", "quarter")
_ROW = (*_DECLARED, "version", "status")
_NUMBERS = ("noss_registration_nbr", "company_id")


class History(Protocol):
    """The tables of schema history, as who keeps them lets them be read."""

    def rows(self, table: str, columns: Sequence[str] | None, keys: pl.DataFrame) -> pl.DataFrame:
        """Rows, whatever their version and status.

        Args:
            table: name of the table.
            columns: those wanted; None for all.
            keys: the rows wanted are those whose values in all its columns stand in one of its rows.
        """

    def highest(self, columns: Mapping[str, str], keys: pl.DataFrame) -> dict[str, pl.DataFrame]:
        """Highest value of a column by declaration, over rows as above.

        Args:
            columns: table -> the column.
            keys: as above.

        Returns:
            By table, declaration_id and highest.
        """


@dataclass(frozen=True)
class Concerned:
    """What some corrections are about.

    Attributes:
        matched: as in `State`.
        keys: declaration_id and quarter of the declarations.
        counts: as in `State`, of persons.
        persons: declaration_id, quarter and natural_person_ordinal of the persons that they name.
    """

    matched: pl.DataFrame
    keys: pl.DataFrame
    counts: pl.DataFrame
    persons: pl.DataFrame


@dataclass(frozen=True)
class State:
    """What is known of some declarations.

    Attributes:
        tables: the tables of the lake, in document order.
        matched: form_id, declaration_id (null where none has the identifier that the Form quotes) and `elsewhere`
            (the employer has declared the quarter, under another identifier).
        rows: by table of a unit, its rows, all versions, all columns: of every declaration concerned, but of persons
            and lines only those concerned. Of tables below a line, the last rows of the lines concerned, where asked.
        highest: by table, declaration_id and the highest ordinal ever used in it (column highest).
        counts: by table of persons and of units beside them, declaration_id, how many are in force (in_force) and the
            highest ordinal ever used (highest): of all of every declaration concerned, where asked.
        amounts: declaration_id, unit, ordinal, version, remun_cents, net_cents: of units that somebody may ask a
            justification for.
        numbers: declaration_id, quarter, version, status, natural_person_ordinal, inss: all versions of all persons of
            the declarations concerned, where asked.
    """

    tables: tuple[Table, ...]
    matched: pl.DataFrame
    rows: dict[str, pl.DataFrame]
    highest: dict[str, pl.DataFrame]
    counts: dict[str, pl.DataFrame] = field(default_factory=dict)
    amounts: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=AMOUNT_TYPES))
    numbers: pl.DataFrame = field(default_factory=pl.DataFrame)

    def of_forms(self, ids: pl.Series) -> State:
        """The part that some Forms are about; all Forms about their declarations must be among them.

        Args:
            ids: their form_id.
        """
        matched = self.matched.filter(pl.col("form_id").is_in(ids.implode()))
        own = pl.col("declaration_id").is_in(matched["declaration_id"].drop_nulls().unique().implode())
        return State(
            self.tables,
            matched,
            {name: rows.filter(own) for name, rows in self.rows.items()},
            {name: highest.filter(own) for name, highest in self.highest.items()},
            {name: counts.filter(own) for name, counts in self.counts.items()},
            self.amounts.filter(own),
        )


def concerned(corrections: Corrections, history: History) -> Concerned:
    """What some corrections are about.

    Args:
        corrections: what is asked.
        history: what is kept; of declarations and persons a few columns are read.
    """
    matched = _matched(corrections.forms, history)
    forms = corrections.forms.select("quarter", form_id="declaration_id").join(
        matched.drop_nulls("declaration_id"), on="form_id"
    )
    keys = forms.select(_DECLARED).unique(maintain_order=True)
    numbers = _numbers(history, keys)
    return Concerned(matched, keys, _counts(numbers, PERSON), _persons(corrections, forms, numbers))


def state_of(
    corrections: Corrections,
    filings: pl.DataFrame,
    history: History,
    tables: tuple[Table, ...],
    about: Concerned | None = None,
) -> State:
    """What is known of what some corrections are about.

    Args:
        corrections: what is asked.
        filings: filing_id and received_at of the filings that they came in.
        history: what is kept.
        tables: the tables of the lake.
        about: what they are about, where that was asked before.
    """
    about = about or concerned(corrections, history)
    late = _late(corrections.forms, about.matched, filings)
    beside = {unit: history.rows(unit, None, about.keys) for unit in BESIDE}
    return State(
        tables,
        about.matched,
        {
            DECLARATION: history.rows(DECLARATION, None, about.keys),
            PERSON: history.rows(PERSON, None, about.persons),
            LINE: history.rows(LINE, None, about.persons),
            **beside,
        },
        _highest(history, about.keys, (table for table in tables if corrections.declared[table.name].height)),
        {PERSON: about.counts, **{unit: _counts(rows, unit) for unit, rows in beside.items()}},
        _amounts(history, late, about.persons.join(late, on=_DECLARED, how="semi"), tables),
    )


def state_of_lines(lines: pl.DataFrame, history: History, tables: tuple[Table, ...]) -> State:
    """What is known of some lines, with all rows below them, and of the units beside persons.

    Args:
        lines: declaration_id, quarter, natural_person_ordinal, worker_record_ordinal; the ordinals are null for what
            is beside persons.
        history: what is kept.
        tables: the tables of the lake.
    """
    keys = lines.select(_DECLARED).unique(maintain_order=True)
    own = lines.drop_nulls().unique(maintain_order=True)
    persons = own.select(*_DECLARED, ordinal(PERSON)).unique(maintain_order=True)
    rows = {
        DECLARATION: history.rows(DECLARATION, None, keys),
        PERSON: history.rows(PERSON, None, persons),
        **{unit: history.rows(unit, None, keys) for unit in BESIDE},
    }
    line = own.select(*_DECLARED, ordinal(LINE))
    rows |= {table.name: history.rows(table.name, None, line) for table in tables if _unit(table) == LINE}
    return State(tables, _unmatched(), rows, _highest(history, keys, tables))


def state_of_numbers(replacements: pl.DataFrame, history: History, tables: tuple[Table, ...]) -> State:
    """What is known of declarations in which some numbers stand.

    Args:
        replacements: kind ('inss', 'noss_registration_nbr' or 'company_id') and old.
        history: what is kept.
        tables: the tables of the lake.
    """
    found = []
    for kind in ("inss", *_NUMBERS):
        asked = replacements.filter(pl.col("kind") == kind).select(pl.col("old").alias(kind)).unique()
        if asked.height:
            found.append(history.rows(PERSON if kind == "inss" else DECLARATION, _DECLARED, asked))
    nothing = pl.DataFrame(schema={"declaration_id": pl.Int64, "quarter": pl.Int32})
    keys = pl.concat([nothing, *found]).unique(maintain_order=True)
    numbers = _numbers(history, keys)
    old = replacements.filter(pl.col("kind") == "inss").select(inss="old")
    persons = numbers.join(old, on="inss", how="semi").select(*_DECLARED, ordinal(PERSON)).unique()
    rows = {DECLARATION: history.rows(DECLARATION, None, keys), PERSON: history.rows(PERSON, None, persons)}
    return State(tables, _unmatched(), rows, {}, numbers=numbers)


def below_lines(tables: Iterable[Table]) -> list[Table]:
    """The tables whose rows belong to a line, without the line's own."""
    return [table for table in tables if _unit(table) == LINE and table.name != LINE]


def last_rows(rows: pl.DataFrame, key: str | None) -> pl.DataFrame:
    """Of each unit its last row: the one with the highest version.

    Args:
        rows: all rows of a unit's table.
        key: column with the unit's ordinal; None for the declaration itself.
    """
    within = ["declaration_id", key] if key else ["declaration_id"]
    return rows.filter(pl.col("version") == pl.col("version").max().over(within))


def _unit(table: Table) -> str:
    return unit_of(column.name for column in table.columns)[0]


def _unmatched() -> pl.DataFrame:
    return pl.DataFrame(schema={"form_id": pl.Int64, "declaration_id": pl.Int64, "elsewhere": pl.Boolean})


def _matched(forms: pl.DataFrame, history: History) -> pl.DataFrame:
    """The declaration that each Form quotes, by the identifier that follows from its first numbers."""
    quarters = forms.select("quarter").unique()
    declared = history.rows(DECLARATION, (*_DECLARED, "version", *_NUMBERS), quarters)
    first = declared.filter(pl.col("version") == pl.col("version").min().over("declaration_id"))
    pids = (
        first.select(
            "declaration_id", "quarter", employer_declaration_pid=declaration_pid(*_columns(*_NUMBERS, "quarter"))
        )
        .sort("declaration_id")
        .unique(["quarter", "employer_declaration_pid"], keep="first")
    )
    # An employer without a number of the NSSO is known by that of the enterprise.
    known = [
        declared.filter(pl.col(number).fill_null(0) > 0)
        .select("quarter", pl.col(number))
        .unique()
        .with_columns(pl.lit(True).alias(f"has_{number}"))
        for number in _NUMBERS
    ]
    asked = forms.select("quarter", "employer_declaration_pid", *_NUMBERS, form_id="declaration_id").join(
        pids, on=["quarter", "employer_declaration_pid"], how="left"
    )
    for number, frame in zip(_NUMBERS, known, strict=True):
        asked = asked.join(frame, on=["quarter", number], how="left")
    by_number, by_enterprise = (pl.col(f"has_{number}").fill_null(value=False) for number in _NUMBERS)
    has = pl.when(pl.col(_NUMBERS[0]).fill_null(0) > 0).then(by_number).otherwise(by_enterprise)
    return asked.select("form_id", "declaration_id", elsewhere=pl.col("declaration_id").is_null() & has)


def _columns(*names: str) -> list[pl.Expr]:
    return [pl.col(name) for name in names]


def _numbers(history: History, keys: pl.DataFrame) -> pl.DataFrame:
    return history.rows(PERSON, (*_ROW, ordinal(PERSON), "inss"), keys)


def _counts(rows: pl.DataFrame, table: str) -> pl.DataFrame:
    """How many units of a table are in force, and their highest ordinal: each begins, ends and begins again in turn."""
    begun, ended = (pl.col("status").is_in(some).sum().cast(pl.Int64) for some in ([NEW, REACTIVATED], [CANCELLED]))
    return rows.group_by("declaration_id").agg(in_force=begun - ended, highest=pl.col(ordinal(table)).max())


def with_pids(numbers: pl.DataFrame, employer: pl.DataFrame) -> pl.DataFrame:
    """Add each person's identifiers, which follow from the first number under which it was declared.

    Args:
        numbers: declaration_id, natural_person_ordinal, version and inss: all versions of the persons.
        employer: all versions of the declarations' own rows.

    Returns:
        declaration_id, natural_person_ordinal, person_pid, declared_pid; one row per person.
    """
    top = (
        employer.filter(pl.col("version") == pl.col("version").min().over("declaration_id"))
        .select("declaration_id", pid=declaration_pid(*_columns(*_NUMBERS, "quarter")))
        .unique("declaration_id")
    )
    within = ["declaration_id", ordinal(PERSON)]
    return (
        numbers.filter(pl.col("version") == pl.col("version").min().over(within))
        .join(top, on="declaration_id")
        .select(
            *within,
            person_pid=person_pid(pl.col("inss")),
            declared_pid=declared_person_pid(pl.col("inss"), pl.col("pid")),
        )
    )


def _persons(corrections: Corrections, forms: pl.DataFrame, numbers: pl.DataFrame) -> pl.DataFrame:
    """Keys of the persons that the Forms name, by any number that they have had."""
    asked = (
        corrections.declared[PERSON]
        .select("inss", form_id="declaration_id")
        .join(forms.select("form_id", "declaration_id"), on="form_id")
        .select("declaration_id", "inss")
    )
    return (
        numbers.join(asked, on=["declaration_id", "inss"], how="semi")
        .select(*_DECLARED, ordinal(PERSON))
        .unique(maintain_order=True)
    )


def _late(forms: pl.DataFrame, matched: pl.DataFrame, filings: pl.DataFrame) -> pl.DataFrame:
    """Keys of the declarations that are corrected so late that lowering them needs a justification."""
    declared = matched.drop_nulls("declaration_id").select("declaration_id", "form_id")
    received = (
        forms.select("filing_id", "quarter", form_id="declaration_id")
        .join(declared, on="form_id")
        .join(filings.select("filing_id", "received_at"), on="filing_id")
    )
    late = [
        is_late(quarter, received_at) for quarter, received_at in received.select("quarter", "received_at").iter_rows()
    ]
    return received.filter(pl.Series(late, dtype=pl.Boolean)).select(_DECLARED).unique(maintain_order=True)


@lru_cache(maxsize=1024)
def is_late(quarter: int, received_at: datetime) -> bool:
    """Whether a quarter is corrected more than two quarters after it.

    Source: NSSO glossary of zone 00545: a wage of 2/2003 lowered in 4/2003 needs none, in 1/2004 it does.

    Examples:
        >>> is_late(20032, datetime(2003, 12, 31)), is_late(20032, datetime(2004, 1, 1))
        (False, True)
    """
    declared, received = Quarter.from_code(quarter), Quarter.of(received_at.date())
    return (received.year - declared.year) * 4 + received.number - declared.number > QUIET_QUARTERS


def _highest(history: History, keys: pl.DataFrame, tables: Iterable[Table]) -> dict[str, pl.DataFrame]:
    names = [LINE, *(table.name for table in below_lines(tables))]
    return history.highest({name: ordinal(name) for name in names}, keys) if keys.height else {}


def _amounts(history: History, keys: pl.DataFrame, persons: pl.DataFrame, tables: Iterable[Table]) -> pl.DataFrame:
    """Amounts of the units of some declarations, of every version."""
    nothing = pl.DataFrame(schema=AMOUNT_TYPES)
    if keys.is_empty():
        return nothing

    def read(table: Table, columns: Sequence[str]) -> pl.DataFrame:
        return history.rows(table.name, columns, persons if ordinal(PERSON) in columns else keys)

    return amounts(tables, read)
