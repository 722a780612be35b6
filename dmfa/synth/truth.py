"""What is known for certain about invented filings: verdicts, rows, sums and amounts, as Arrow tables and Parquet."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from dmfa.schema import UPDATE
from dmfa.synth.declaration import Declaration, DeclaredPerson
from dmfa.synth.lawful import Lawful, unconfirmed
from dmfa.synth.tally import Tally
from dmfa.synth.updates import Update
from dmfa.synth.xml import schema_name

# Rows of a table that are held as objects before they become Arrow.
_PACKED_ROWS: Final = 20_000
_WHERE: Final = [("file", pa.string()), ("form_index", pa.int32())]
TABLES: Final[dict[str, pa.Schema]] = {
    # One row per file: what a receiver must answer.
    "filings": pa.schema(
        [
            ("file", pa.string()),
            ("sha256", pa.string()),
            ("bytes", pa.int64()),
            ("fault", pa.string()),
            ("verdict", pa.string()),
            ("codes", pa.string()),
            ("well_formed", pa.bool_()),
            ("schema_valid", pa.bool_()),
            ("quarter", pa.int32()),
            ("schema", pa.string()),
            ("declarations", pa.int32()),
            ("refused", pa.int32()),
            ("persons", pa.int32()),
            ("same_bytes_as", pa.string()),
        ]
    ),
    # One row per Form of a file that can be read.
    "declarations": pa.schema(
        [
            *_WHERE,
            ("quarter", pa.int32()),
            ("noss_registration_nbr", pa.int64()),
            ("verdict", pa.string()),
            ("net_owed_cents", pa.int64()),
            ("persons", pa.int32()),
        ]
    ),
    # One row per worker line that a correction changes, takes out or adds; what it owed before and owes after.
    "corrections": pa.schema(
        [
            *_WHERE,
            ("quarter", pa.int32()),
            ("noss_registration_nbr", pa.int64()),
            ("inss", pa.int64()),
            ("employer_class", pa.string()),
            ("worker_code", pa.string()),
            ("action", pa.int32()),
            ("before_cents", pa.int64()),
            ("after_cents", pa.int64()),
        ]
    ),
    "rows": pa.schema([*_WHERE, ("table", pa.string()), ("rows", pa.int64())]),
    "sums": pa.schema([*_WHERE, ("table", pa.string()), ("column", pa.string()), ("sum", pa.int64())]),
    # One row per contribution or reduction, declared or due.
    "amounts": pa.schema(
        [
            *_WHERE,
            ("quarter", pa.int32()),
            ("noss_registration_nbr", pa.int64()),
            ("inss", pa.int64()),
            ("employer_class", pa.string()),
            ("worker_code", pa.string()),
            ("occupation_sequence_nbr", pa.int32()),
            ("kind", pa.string()),
            ("code", pa.string()),
            ("type", pa.int32()),
            ("basis_cents", pa.int64()),
            ("declared_cents", pa.int64()),
            ("lawful_cents", pa.int64()),
            ("trust", pa.string()),
            ("outcome", pa.string()),
            ("note", pa.string()),
        ]
    ),
}


@dataclass(frozen=True, slots=True)
class Expected:
    """What a receiver must make of a filing.

    Attributes:
        fault: name of the fault; empty if there is none.
        verdict: `accepted`, `refused` or `not_processed`.
        codes: official anomaly codes; empty where the fault has none.
        well_formed: whether it is XML that may be read (a DOCTYPE is not).
        schema_valid: None where no schema judges it.
        refused: places of the refused Forms; of a file refused as a whole, none is named.
    """

    fault: str = ""
    verdict: str = "accepted"
    codes: tuple[str, ...] = ()
    well_formed: bool = True
    schema_valid: bool | None = True
    refused: tuple[int, ...] = ()

    @property
    def readable(self) -> bool:
        """Whether the declarations inside can be told apart."""
        return self.well_formed and self.schema_valid is True


@dataclass(slots=True)
class Filing:
    """One invented file: its name, bytes and declarations, and what a receiver must make of it.

    One that repeats the bytes of another names that one, and has no declarations of its own; neither has a correction.
    """

    name: str
    content: bytes
    declarations: list[Declaration] = field(default_factory=list)
    tallies: list[Tally] = field(default_factory=list)
    expected: Expected = field(default_factory=Expected)
    same_bytes_as: str = ""
    update: Update | None = None

    @property
    def readable(self) -> bool:
        """Whether its declarations can be told apart and have a release."""
        return bool(self.declarations) and self.expected.readable


def outcome(declared: int | None, law: Lawful) -> str:
    """How a declared amount compares with the law's, in the words of the lake's difference table."""
    if law.amount is None:
        return "not computable"
    if declared is None:
        return "missing"
    if law.amount == 0 and declared and law.note:
        return "superfluous"
    apart = abs(declared - law.amount)
    return "equal" if apart == 0 else "rounding" if apart == 1 else "differs"


Amount = tuple[Any, ...]


def amounts(declaration: Declaration) -> Iterator[Amount]:
    """Contributions and reductions of a declaration as rows of the amounts table, without file and form."""
    for person in declaration.persons:
        yield from amounts_of_person(declaration, person)
    yield from amounts_of_employer(declaration)


def amounts_of_person(declaration: Declaration, person: DeclaredPerson) -> Iterator[Amount]:
    """Those of one person."""
    head = (declaration.quarter.code, declaration.employer.noss_registration_nbr, person.insz)
    for line in person.lines:
        key = (*head, line.employer_class, line.worker_code)
        paid = (*key, None, "contribution")
        if line.student:
            yield (*paid, line.worker_code, None, line.student.pay, *_ends(line.student.amount, line.student.law))
        if line.dismissal:
            gone = line.dismissal
            yield (*paid, line.worker_code, None, gone.reference_pay, *_ends(gone.amount, gone.law))
        if line.early_retirement:
            retired = line.early_retirement
            yield (*paid, line.worker_code, None, None, *_ends(retired.amount, retired.law))
        for complement in line.complements:
            for extra in complement.contributions:
                yield (*paid, extra.code, extra.type, extra.monthly * extra.months, *_ends(extra.amount, extra.law))
        for item in line.contributions:
            amount, law = item.amount, item.law
            if law.amount == amount and amount:
                # Nearly all of them, told without asking further.
                yield (*paid, item.code, item.type, item.basis, amount, amount, law.trust, "equal", law.note or None)
            else:
                yield (*paid, item.code, item.type, item.basis, *_ends(amount, law))
        for cut in line.deductions:
            yield (*key, None, "deduction", cut.code, None, None, *_ends(cut.amount, cut.law))
        for occupation in line.occupations:
            for cut in occupation.deductions:
                yield (*key, occupation.sequence, "deduction", cut.code, None, None, *_ends(cut.amount, cut.law))


def amounts_of_employer(declaration: Declaration) -> Iterator[Amount]:
    """Those of no person; a compensation, which the law's figures do not give, is a kind of its own."""
    head = (declaration.quarter.code, declaration.employer.noss_registration_nbr, None)
    for free in declaration.unrelated:
        own = (*head, free.employer_class, None, None, "contribution", free.code, None, free.basis)
        yield (*own, *_ends(free.amount, free.law))
    if declaration.compensation and declaration.compensation.amount is not None:
        taken_off = (*head, None, None, None, "compensation", "01", None, None)
        yield (*taken_off, *_ends(declaration.compensation.amount, unconfirmed()))


def _ends(declared: int | None, law: Lawful) -> Amount:
    return (declared, law.amount, law.trust or None, outcome(declared, law), law.note or None)


class Collector:
    """Gathers the truth of filings in memory; `tables` hands it out and forgets it."""

    def __init__(self) -> None:
        self._rows: dict[str, list[Amount]] = {name: [] for name in TABLES}
        self._packed: dict[str, list[pa.Table]] = {name: [] for name in TABLES}
        # Rows of amounts are held without file and form, which are the same for many.
        self._forms: list[tuple[str, int, int]] = []

    def add(self, filing: Filing) -> None:
        """Take in one filing."""
        expected, name = filing.expected, filing.name
        if filing.update is not None:
            self._correction(filing, filing.update)
            return
        known = filing.readable
        first = filing.declarations[0].quarter if known else None
        self._rows["filings"].append(
            (
                name,
                sha256(filing.content).hexdigest(),
                len(filing.content),
                expected.fault or None,
                expected.verdict,
                " ".join(expected.codes) or None,
                expected.well_formed,
                expected.schema_valid,
                first.code if first else None,
                schema_name(first) if first else None,
                len(filing.declarations) if known else None,
                len(expected.refused) if known else None,
                sum(len(declaration.persons) for declaration in filing.declarations) if known else None,
                filing.same_bytes_as or None,
            )
        )
        if not known:
            return
        for index, (declaration, tally) in enumerate(zip(filing.declarations, filing.tallies, strict=True)):
            refused = index in expected.refused
            self._declaration(name, index, declaration, tally, refused=refused)
            self.add_amounts(name, index, amounts(declaration))

    def _correction(self, filing: Filing, update: Update) -> None:
        expected, quarter, who = filing.expected, update.declaration.quarter, update.declaration.employer
        release = schema_name(quarter, UPDATE)
        told = (None, expected.verdict, " ".join(expected.codes) or None, True, True, quarter.code, release)
        refused = len(expected.refused)
        digest = sha256(filing.content).hexdigest()
        self._rows["filings"].append(
            (filing.name, digest, len(filing.content), *told, 1, refused, len(update.wrong), None)
        )
        number = who.noss_registration_nbr
        self._rows["corrections"] += [(filing.name, 0, line[0], number, *line[1:]) for line in update.lines()]

    def add_written(self, name: str, digest: str, size: int, declaration: Declaration, tally: Tally) -> None:
        """Take in a good filing of one declaration whose persons were written one by one; not its amounts.

        Args:
            name: of the file.
            digest: its hexadecimal SHA-256.
            size: its bytes.
            declaration: what was declared; its persons need not be in it.
            tally: what was written.
        """
        persons, quarter = tally.rows["natural_person"], declaration.quarter
        filing = (name, digest, size, None, "accepted", None, True, True, quarter.code, schema_name(quarter))
        self._rows["filings"].append((*filing, 1, 0, persons, None))
        self._declaration(name, 0, declaration, tally, refused=False)

    def add_amounts(self, name: str, index: int, rows: Iterable[Amount]) -> None:
        """Take in rows of the amounts table of one Form."""
        held = self._rows["amounts"]
        before = len(held)
        held += rows
        self._forms.append((name, index, len(held) - before))
        if len(held) >= _PACKED_ROWS:
            self._pack("amounts")

    def _declaration(self, name: str, index: int, declaration: Declaration, tally: Tally, *, refused: bool) -> None:
        self._rows["declarations"].append(
            (
                name,
                index,
                declaration.quarter.code,
                declaration.employer.noss_registration_nbr,
                "refused" if refused else "accepted",
                declaration.net_owed,
                tally.rows["natural_person"],
            )
        )
        self._rows["rows"] += [(name, index, table, rows) for table, rows in sorted(tally.rows.items())]
        self._rows["sums"] += [(name, index, *place, total) for place, total in sorted(tally.sums.items())]

    def _pack(self, name: str) -> None:
        """Turn the rows held as objects into Arrow, which is a tenth as large."""
        schema, rows = TABLES[name], self._rows[name]
        first: list[list[Any]] = []
        if name == "amounts":
            first = [[file for file, _, many in self._forms for _ in range(many)]]
            first.append([index for _, index, many in self._forms for _ in range(many)])
            self._forms = []
        columns = [*first, *zip(*rows, strict=True)] if rows else [[]] * len(schema)
        arrays = [pa.array(column, field.type) for column, field in zip(columns, schema, strict=True)]
        self._packed[name].append(pa.table(arrays, schema=schema))
        self._rows[name] = []

    def tables(self) -> dict[str, pa.Table]:
        """All rows gathered so far as Arrow tables by name; the collector is empty afterwards."""
        for name in TABLES:
            self._pack(name)
        made = {name: pa.concat_tables(parts).combine_chunks() for name, parts in self._packed.items()}
        self._packed = {name: [] for name in TABLES}
        return made


class ParquetFolder:
    """Writes truth tables to one Parquet file each, part by part.

    Args:
        folder: is made if it is not there.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._writers = {
            name: pq.ParquetWriter(folder / f"{name}.parquet", schema, compression="zstd")
            for name, schema in TABLES.items()
        }

    def add(self, tables: dict[str, pa.Table]) -> None:
        """Append the rows of one part."""
        for name, table in tables.items():
            if table.num_rows:
                self._writers[name].write_table(table)

    def close(self) -> None:
        """Finish all files."""
        for writer in self._writers.values():
            writer.close()
