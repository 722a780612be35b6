"""Small declarations and corrections as frames, and a history of frames: what the tests of corrections share.

A line is described by its content; frames are made of it as shredding would, and read back from the rows in force.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import polars as pl

from dmfa.corrections.applied import REPLACED_TYPES, Applied
from dmfa.corrections.shape import ASKED_TYPES, OCCUPATION_VERSION_TYPES, Corrections
from dmfa.pid import declaration_pid, declared_person_pid, person_pid
from dmfa.schema import lake_tables, unit_of

_USED = (
    "employer_declaration", "natural_person", "worker_record", "occupation", "remun", "occupation_deduction",
    "occupation_deduction_detail", "using_employer", "worker_contribution", "student_contribution", "company_vehicle",
    "contribution_unrelated_to_np", "employer_compensation",
)  # fmt: skip
TABLES = tuple(table for table in lake_tables() if table.name in _USED)
"""The lake's tables that these tests fill."""

SCHEMAS = {table.name: pl.DataFrame(table.arrow_schema.empty_table()).schema for table in TABLES}
EMPTY = {name: pl.DataFrame(schema=schema) for name, schema in SCHEMAS.items()}
QUARTER = 20263
NUMBER = 100006
STARTED = datetime(2026, 11, 1, 9)
ANN, BOB, CAS = 77101500172, 5123112338, 10100105

Row = dict[str, Any]
Rows = dict[str, list[Row]]


@dataclass(frozen=True)
class Occupation:
    """Pay by code; deductions, each with its detail or without; the user's number."""

    pay: tuple[tuple[str, int], ...] = (("001", 300_000),)
    deductions: tuple[tuple[str, int, int | None], ...] = ()
    user: int | None = None


@dataclass(frozen=True)
class Content:
    """What a line holds below its class and code."""

    occupations: tuple[Occupation, ...] = (Occupation(),)
    contributions: tuple[tuple[str, int, int], ...] = ()
    student: int | None = None
    student_user: int | None = None


def paid(amount: int, **others: Any) -> Content:
    """A line of one occupation with one pay."""
    return Content((Occupation((("001", amount),)),), **others)


Lines = dict[tuple[str, str], Content]


class Writer:
    """Writes declarations as rows, numbered in document order."""

    def __init__(self, declaration_id: int, filing_id: int, quarter: int = QUARTER) -> None:
        self.keys = {"declaration_id": declaration_id, "quarter": quarter, "filing_id": filing_id}
        self.keys |= {"version": 1, "status": 0}
        self.rows: Rows = defaultdict(list)

    def add(self, table: str, above: Row, **zones: Any) -> Row:
        ordinals = {**above, f"{table}_ordinal": len(self.rows[table])}
        self.rows[table].append({**self.keys, **ordinals, **zones})
        return ordinals

    def top(self, number: int = NUMBER, **zones: Any) -> None:
        known = {"trusteeship": 0, "net_owed_amount": 0, "company_id": 206731645, **zones}
        self.rows["employer_declaration"].append({**self.keys, "noss_registration_nbr": number, **known})

    def person(self, inss: int) -> Row:
        return self.add("natural_person", {}, natural_person_sequence_nbr=1, inss=inss)

    def line(self, person: Row, key: tuple[str, str], content: Content) -> Row:
        line = self.add("worker_record", person, employer_class=key[0], worker_code=key[1])
        for one in content.occupations:
            occupation = self.add("occupation", line, occupation_sequence_nbr=1)
            for code, amount in one.pay:
                self.add("remun", occupation, remun_code=code, remun_amount=amount)
            for code, amount, detail in one.deductions:
                deduction = self.add("occupation_deduction", occupation, deduction_code=code, deduction_amount=amount)
                if detail is not None:
                    self.add("occupation_deduction_detail", deduction, deduction_detail_sequence_nbr=detail)
            if one.user is not None:
                self.add("using_employer", occupation, using_employer_company_id=one.user)
        for code, kind, amount in content.contributions:
            zones = {"contribution_worker_code": code, "contribution_type": kind, "contribution_amount": amount}
            self.add("worker_contribution", line, **zones)
        if content.student is not None:
            student = self.add("student_contribution", line, student_contribution_amount=content.student)
            if content.student_user is not None:
                self.add("using_employer", student, using_employer_company_id=content.student_user)
        return line


def frames(rows: Rows) -> dict[str, pl.DataFrame]:
    """Every table, with the lake's columns."""
    return {
        name: pl.DataFrame(rows[name], schema=SCHEMAS[name]) if rows.get(name) else empty
        for name, empty in EMPTY.items()
    }


def original(
    people: dict[int, Lines],
    declaration_id: int = 1,
    quarter: int = QUARTER,
    *,
    number: int = NUMBER,
    vehicles: Sequence[tuple[int, str]] = (),
    unrelated: Sequence[tuple[str, str, int]] = (),
    compensation: int | None = None,
    known_from: datetime = STARTED,
) -> dict[str, pl.DataFrame]:
    """An original, as kept."""
    writer = Writer(declaration_id, 1000 + declaration_id, quarter)
    writer.keys |= {"known_from": known_from}
    writer.top(number)
    for inss, lines in people.items():
        person = writer.person(inss)
        for key, content in lines.items():
            writer.line(person, key, content)
    beside(writer, vehicles, unrelated, compensation)
    return frames(writer.rows)


def beside(
    writer: Writer,
    vehicles: Iterable[tuple[int, str]] = (),
    unrelated: Iterable[tuple[str, str, int]] = (),
    compensation: int | None = None,
) -> None:
    for sequence, plate in vehicles:
        writer.add("company_vehicle", {}, company_vehicle_sequence_nbr=sequence, license_plate=plate)
    for class_, code, amount in unrelated:
        zones = {"unrelated_employer_class": class_, "unrelated_worker_code": code, "unrelated_amount": amount}
        writer.add("contribution_unrelated_to_np", {}, **zones)
    if compensation is not None:
        writer.add("employer_compensation", {}, compensation_code="1", compensation_amount=compensation)


@dataclass
class Kept:
    """A history of frames that grows, as the lake keeps it."""

    tables: dict[str, pl.DataFrame]
    replaced: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=REPLACED_TYPES))

    @classmethod
    def of(cls, *originals: dict[str, pl.DataFrame]) -> Kept:
        return cls({name: pl.concat([one[name] for one in originals]) for name in SCHEMAS})

    def rows(self, table: str, columns: Sequence[str] | None, keys: pl.DataFrame) -> pl.DataFrame:
        found = self.tables[table].join(keys, on=keys.columns, how="semi")
        return found if columns is None else found.select(columns)

    def highest(self, columns: Mapping[str, str], keys: pl.DataFrame) -> dict[str, pl.DataFrame]:
        return {
            table: self.rows(table, None, keys).group_by("declaration_id").agg(highest=pl.col(column).max())
            for table, column in columns.items()
        }

    def add(self, applied: Applied) -> None:
        for name, rows in applied.rows.items():
            assert rows.schema == SCHEMAS[name]
            self.tables[name] = pl.concat([self.tables[name], rows])
        self.replaced = pl.concat([self.replaced, applied.replaced])

    def in_force(self, version: int | None = None, at: datetime | None = None) -> dict[str, pl.DataFrame]:
        """The state in force: now, as of a version of each declaration, or as known at a time."""
        ended, known = self.replaced, pl.lit(True)
        if version is not None:
            ended, known = ended.filter(pl.col("ended_by") <= version), pl.col("version") <= version
        if at is not None:
            ended, known = ended.filter(pl.col("known_until") <= at), pl.col("known_from") <= at
        found = {}
        for name, rows in self.tables.items():
            found[name] = rows
            if rows.is_empty():
                continue
            unit, column = unit_of(rows.columns)
            own = pl.lit(0, pl.Int32) if column is None else pl.col(column)
            gone = ended.filter(pl.col("unit") == unit).select("declaration_id", "version", unit_ordinal="ordinal")
            found[name] = (
                rows.filter(known & (pl.col("status") != 3))
                .with_columns(own.alias("unit_ordinal"))
                .join(gone, on=["declaration_id", "version", "unit_ordinal"], how="anti")
                .drop("unit_ordinal")
            )
        return found


def contents(tables: dict[str, pl.DataFrame]) -> dict[int, dict[int, dict[str, Content]]]:
    """Content of each line in force, by declaration, person's number and '<class>|<code>'."""
    below: dict[tuple[str, str, int, int], list[Row]] = defaultdict(list)
    for name, frame in tables.items():
        parents = [column for column in frame.columns if column.endswith("_ordinal")][:-1]
        for row in frame.sort(f"{name}_ordinal").iter_rows(named=True) if parents else ():
            parent = next(column for column in reversed(parents) if row[column] is not None)
            below[name, parent, row["declaration_id"], row[parent]].append(row)

    def under(name: str, parent: str, row: Row) -> list[Row]:
        return below[name, f"{parent}_ordinal", row["declaration_id"], row[f"{parent}_ordinal"]]

    found: dict[int, dict[int, dict[str, Content]]] = defaultdict(dict)
    for person in tables["natural_person"].iter_rows(named=True):
        lines = {}
        for line in under("worker_record", "natural_person", person):
            occupations = tuple(
                Occupation(
                    tuple((pay["remun_code"], pay["remun_amount"]) for pay in under("remun", "occupation", one)),
                    tuple(
                        (
                            deduction["deduction_code"],
                            deduction["deduction_amount"],
                            next(
                                (
                                    detail["deduction_detail_sequence_nbr"]
                                    for detail in under(
                                        "occupation_deduction_detail", "occupation_deduction", deduction
                                    )
                                ),
                                None,
                            ),
                        )
                        for deduction in under("occupation_deduction", "occupation", one)
                    ),
                    next(
                        (user["using_employer_company_id"] for user in under("using_employer", "occupation", one)), None
                    ),
                )
                for one in under("occupation", "worker_record", line)
            )
            student = next(iter(under("student_contribution", "worker_record", line)), None)
            lines[f"{line['employer_class']}|{line['worker_code']}"] = Content(
                occupations,
                tuple(
                    (row["contribution_worker_code"], row["contribution_type"], row["contribution_amount"])
                    for row in under("worker_contribution", "worker_record", line)
                ),
                student and student["student_contribution_amount"],
                student
                and next(
                    (
                        row["using_employer_company_id"]
                        for row in under("using_employer", "student_contribution", student)
                    ),
                    None,
                ),
            )
        found[person["declaration_id"]][person["inss"]] = lines
    return found


def pid_of(quarter: int = QUARTER, number: int = NUMBER) -> int:
    """Identifier of a declaration."""
    return int(pl.select(declaration_pid(pl.lit(number), pl.lit(0), pl.lit(quarter))).item())


def pids_of(inss: int, declaration: int) -> tuple[int, int]:
    """Identifiers of a person: of the person, and in a declaration."""
    found = pl.select(a=person_pid(pl.lit(inss)), b=declared_person_pid(pl.lit(inss), pl.lit(declaration)))
    return found.row(0)  # type: ignore[return-value]


@dataclass
class Asking:
    """One Form of a correction, written step by step.

    A new state of a line is its content; a deletion and a line left as it is have none.
    """

    form_id: int
    filing_id: int = 9000
    index: int = 0
    quarter: int = QUARTER
    number: int = NUMBER
    pid: int | None = None
    justification: str | None = None
    received_at: datetime = STARTED + timedelta(days=1)

    def __post_init__(self) -> None:
        self.writer = Writer(self.form_id, self.filing_id, self.quarter)
        self.writer.top(self.number)
        self.asked: list[Row] = []
        self.quoted: list[Row] = []
        if self.pid is None:
            self.pid = pid_of(self.quarter, self.number)

    def person(self, inss: int, version: int | None = None, *, justification: str | None = None) -> Row:
        """A person; with a version, also the identifiers of one declared before."""
        person = self.writer.person(inss)
        own, declared = pids_of(inss, self.pid or 0) if version is not None else (None, None)
        facts = {"natural_person_pid": own, "declared_person_pid": declared, "justification": justification}
        self._ask("natural_person", person, person["natural_person_ordinal"], last_version=version, **facts)
        return person

    def line(
        self,
        person: Row,
        action: int,
        key: tuple[str, str],
        content: Content | None = None,
        *,
        last: tuple[str, str] | None = None,
        version: int | None = None,
    ) -> Row:
        """A line; with a version it goes out from the situation of that version, under the same key unless told."""
        line = self.writer.line(person, key, content or Content(occupations=()))
        told = None if version is None else "|".join(last or key)
        self._ask("worker_record", person, line["worker_record_ordinal"], action, told, version)
        return line

    def vehicle(self, action: int, sequence: int, plate: str, version: int | None = None) -> None:
        beside(self.writer, vehicles=[(sequence, plate)])
        self._ask("company_vehicle", {}, len(self.writer.rows["company_vehicle"]) - 1, action, None, version)

    def unrelated(
        self, action: int, key: tuple[str, str], amount: int, last: str | None = None, version: int | None = None
    ) -> None:
        beside(self.writer, unrelated=[(*key, amount)])
        told = None if version is None else last or "|".join(key)
        self._ask(
            "contribution_unrelated_to_np",
            {},
            len(self.writer.rows["contribution_unrelated_to_np"]) - 1,
            action,
            told,
            version,
        )

    def compensation(self, action: int, amount: int, version: int | None = None) -> None:
        beside(self.writer, compensation=amount)
        self._ask("employer_compensation", {}, 0, action, None if version is None else "1", version)

    def occupation_version(self, occupation: int, version: int) -> None:
        self.quoted.append({"form_id": self.form_id, "occupation_ordinal": occupation, "version": version})

    def _ask(
        self, unit: str, person: Row, own: int, action: int | None = None, last_key: str | None = None,
        last_version: int | None = None, **others: Any,
    ) -> None:  # fmt: skip
        told = {"action": action, "last_key": last_key, "last_version": last_version, **others}
        self.asked.append({"form_id": self.form_id, "unit": unit, **person, "ordinal": own, **told})


def corrections_of(*forms: Asking) -> tuple[Corrections, pl.DataFrame]:
    """Forms as frames, and the filings that they came in."""
    written = {name: [row for form in forms for row in form.writer.rows.get(name, [])] for name in SCHEMAS}
    declared = {name: frame.drop("known_from") for name, frame in frames(written).items()}
    top = declared["employer_declaration"].select("declaration_id", "company_id")
    rows = [
        {
            "declaration_id": form.form_id,
            "filing_id": form.filing_id,
            "form_index": form.index,
            "quarter": form.quarter,
            "noss_registration_nbr": form.number,
            "employer_declaration_pid": form.pid,
            "justification": form.justification,
        }
        for form in forms
    ]
    types = {"form_index": pl.Int32, "quarter": pl.Int32, "justification": pl.String}
    asked = [{name: row.get(name) for name in ASKED_TYPES} for form in forms for row in form.asked]
    filings = [
        {"filing_id": form.filing_id, "name": f"filing {form.filing_id}", "received_at": form.received_at}
        for form in forms
    ]
    found = Corrections(
        pl.DataFrame(rows, schema_overrides=types).join(top, on="declaration_id"),
        declared,
        pl.DataFrame(asked, schema=ASKED_TYPES),
        pl.DataFrame([row for form in forms for row in form.quoted], schema=OCCUPATION_VERSION_TYPES),
    )
    return found, pl.DataFrame(filings, schema_overrides={"received_at": pl.Datetime("us")}).unique("filing_id")
