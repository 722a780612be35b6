"""Whom a request is about: the attestations in force of persons, the workers of employers, versions asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl

from dmfa.extracts.authorisations import KEYS, Permit
from dmfa.extracts.extract import Selected
from dmfa.extracts.making import Making
from dmfa.extracts.open_anomalies import open_anomalies
from dmfa.extracts.persons import DECLARATION, PERSON_KEY, PERSON_TABLE, Frames, persons_with_a_line
from dmfa.extracts.quality import visible
from dmfa.extracts.request import Asked
from dmfa.extracts.rows import ReadableLake, Wanted, source_of
from dmfa.extracts.selection import numbered
from dmfa.extracts.shape import Shape
from dmfa.quarter import Quarter
from dmfa.schema import ordinal, unit_of

ITEM: Final = "item"
"""Place of a line in its request, from 0."""

_PERSONS = """
    WITH asked AS (
        SELECT unnest(?::INTEGER[]) AS item, unnest(?::BIGINT[]) AS number, unnest(?::INTEGER[]) AS first,
            unnest(?::INTEGER[]) AS last
    )
    SELECT a.item, p.quarter, p.declaration_id, p.natural_person_ordinal
    FROM lake.{schema}.natural_person p JOIN asked a ON p.inss = a.number AND p.quarter BETWEEN a.first AND a.last
    GROUP BY ALL ORDER BY ALL
"""
_WORKERS = """
    WITH asked AS (
        SELECT unnest(?::INTEGER[]) AS item, unnest(?::BIGINT[]) AS number, unnest(?::INTEGER[]) AS first,
            unnest(?::INTEGER[]) AS last
    )
    SELECT a.item, p.quarter, p.declaration_id, p.natural_person_ordinal
    FROM lake.authentic.employer_declaration e
    JOIN asked a ON e."{column}" = a.number AND e.quarter BETWEEN a.first AND a.last
    JOIN lake.authentic.natural_person p ON p.declaration_id = e.declaration_id AND p.quarter = e.quarter
    ORDER BY ALL
"""
_BEFORE = """
    WITH told AS (
        SELECT unnest(?::BIGINT[]) AS declaration_id, unnest(?::INTEGER[]) AS natural_person_ordinal,
            unnest(?::INTEGER[]) AS version
    )
    SELECT t.declaration_id, t.natural_person_ordinal, max(h.version) AS before
    FROM lake.history.natural_person h JOIN told t USING (declaration_id, natural_person_ordinal)
    WHERE h.version < t.version AND h.status <> 3 AND h.quarter BETWEEN ? AND ? GROUP BY ALL
"""


@dataclass(frozen=True)
class Found:
    """What was found.

    Attributes:
        answers: a row per line and attestation: item, quarter, attestation, version, inss, next; next is null where
            there is no version before, and for workers of an employer.
        tables: content of the attestations asked for by person.
        not_integrated: attestations left out, because the recipient has no line of the person in the directory.
    """

    answers: pl.DataFrame
    tables: Frames
    not_integrated: int


def find(lake: ReadableLake, asked: Sequence[Asked], permit: Permit, shape: Shape, wanted: Wanted) -> Found:
    """Find what is asked for, as far as the permit goes: its population, its directory in that quarter, its blocks.

    Args:
        lake: the lake.
        asked: the lines of a request.
        permit: leave to answer.
        shape: the tables that it leaves.
        wanted: tables of the lake that they are made of.

    Raises:
        LakeProblem: the lake cannot be read.
    """
    looking = _Looking(lake, permit, shape, wanted)
    for column, lines in _by_column(asked).items():
        keys = _keys(lake, column, lines)
        for (quarter,), part in keys.partition_by("quarter", as_dict=True, maintain_order=True).items():
            looking.look(Quarter.from_code(quarter), part, content=column == "inss")
    for item, line in enumerate(asked):
        if line.pointer is not None:
            looking.look_back(item, line)
    return looking.found()


def _by_column(asked: Sequence[Asked]) -> dict[str, list[tuple[int, Asked]]]:
    found: dict[str, list[tuple[int, Asked]]] = {}
    for item, line in enumerate(asked):
        if line.pointer is None:
            found.setdefault(line.column, []).append((item, line))
    return found


def _keys(
    lake: ReadableLake, column: str, lines: Sequence[tuple[int, Asked]], schema: str = "authentic"
) -> pl.DataFrame:
    """Persons in declarations that lines ask for: item, quarter, declaration_id, natural_person_ordinal."""
    sql = _PERSONS.format(schema=schema) if column == "inss" else _WORKERS.format(column=column)
    values = [
        [item for item, _ in lines],
        [line.number for _, line in lines],
        [line.first.code for _, line in lines],
        [line.last.code for _, line in lines],
    ]
    return pl.DataFrame(lake.arrow(sql, values))


class _Looking:
    """Looks into one quarter after the other, and keeps what is found."""

    def __init__(self, lake: ReadableLake, permit: Permit, shape: Shape, wanted: Wanted) -> None:
        self._lake, self._permit, self._shape, self._wanted = lake, permit, shape, wanted
        self._answers: list[pl.DataFrame] = []
        self._tables: dict[str, list[pl.DataFrame]] = {part.name: [] for part in shape.sheets}
        self._given: set[tuple[int, int]] = set()
        self._not_integrated = 0

    def look(self, quarter: Quarter, keys: pl.DataFrame, *, content: bool) -> None:
        """What is in force of some persons in a quarter."""
        declarations = keys[DECLARATION].unique().to_list()
        frames = {}
        for table, columns in self._wanted.items():
            rows, values = source_of(self._lake, table, quarter)
            names = ", ".join(f'"{column}"' for column in columns)
            sql = f"SELECT {names} FROM {rows} AND declaration_id IN (SELECT unnest(?::BIGINT[]))"  # noqa: S608
            frames[table] = pl.DataFrame(self._lake.arrow(sql, [*values, declarations]))
        self._keep(quarter, frames, keys, self._anomalies(quarter, declarations), content=content)

    def look_back(self, item: int, line: Asked) -> None:
        """One version of an attestation of a person, as it was in force."""
        attestation, version = line.pointer or (0, 0)
        keys = _keys(self._lake, line.column, [(item, line)], "history")
        facts = keys.with_columns(
            pl.lit(0, pl.Int16).alias("version"), pl.lit(0, pl.Int8).alias("status"), pl.lit(0).alias("inss")
        )
        own = keys.filter(numbered(facts)[KEYS[0]] == attestation)
        for quarter, declaration, _ in own.select("quarter", *PERSON_KEY).unique().iter_rows():
            frames = {
                table: self._at(Quarter.from_code(quarter), table, columns, declaration, version)
                for table, columns in self._wanted.items()
            }
            frames[PERSON_TABLE] = frames[PERSON_TABLE].filter(pl.col("version") == version)
            anomalies = self._anomalies(Quarter.from_code(quarter), [declaration], version)
            self._keep(Quarter.from_code(quarter), frames, own, anomalies, content=True)

    def _at(self, quarter: Quarter, table: str, columns: Sequence[str], declaration: int, version: int) -> pl.DataFrame:
        """Rows of a declaration as they were in force at one of its versions."""
        unit, own = unit_of([column for column in columns if column.endswith("_ordinal")])
        names = ", ".join(f'h."{column}"' for column in columns)
        place = f'h."{own}"' if own else "0"
        sql = f"""
            SELECT {names} FROM lake.history."{table}" h
            WHERE h.quarter = ? AND h.declaration_id = ? AND h.version <= ? AND h.status <> 3 AND NOT EXISTS (
                SELECT 1 FROM lake.history.replaced r
                WHERE r.quarter = h.quarter AND r.declaration_id = h.declaration_id AND r.unit = ?
                    AND r.ordinal = {place} AND r.version = h.version AND r.ended_by <= ?
            )
        """  # noqa: S608 - names of tables and columns of our own
        return pl.DataFrame(self._lake.arrow(sql, [quarter.code, declaration, version, unit, version]))

    def _anomalies(
        self, quarter: Quarter, declarations: Sequence[int], version: int | None = None
    ) -> pl.DataFrame | None:
        """What stands open in some declarations, now or at a version; None if nothing does."""
        seen = visible(self._permit.authorisation, self._shape)
        found = open_anomalies(self._lake, quarter, tables=seen, declarations=declarations, version=version)
        if self._shape.flags is None or found is None:
            return None
        return pl.DataFrame(self._lake.arrow(f"SELECT * FROM {found[0]}", found[1]))  # noqa: S608

    def _keep(
        self, quarter: Quarter, frames: Frames, keys: pl.DataFrame, anomalies: pl.DataFrame | None, *, content: bool
    ) -> None:
        """What the permit leaves of some persons."""
        own = ordinal(PERSON_TABLE)
        mine = {
            name: rows.join(keys, on=list(PERSON_KEY), how="semi") if own in rows.columns else rows
            for name, rows in frames.items()
        }
        making = Making(self._permit, self._shape)
        selected = making.of(mine, self._inscribed(quarter, keys), anomalies)
        self._not_integrated += making.not_integrated
        told = numbered(mine[PERSON_TABLE]).select(KEYS[0], *PERSON_KEY).join(selected.persons, on=KEYS[0])
        answers = keys.join(told, on=list(PERSON_KEY)).join(
            self._before(quarter, told), on=list(PERSON_KEY), how="left"
        )
        pointer = pl.concat_str(pl.col(KEYS[0]), pl.lit(":"), pl.col("before")) if content else pl.lit(None, pl.String)
        self._answers.append(
            answers.select(
                ITEM, "quarter", KEYS[0], KEYS[1], "inss", pointer.alias("next"), pl.lit(content).alias("content")
            )
        )
        if content:
            self._gather(selected)

    def _gather(self, selected: Selected) -> None:
        """Keep content once, however many lines ask for it."""
        pairs = selected.persons.select(KEYS[0], KEYS[1])
        new = [pair for pair in pairs.iter_rows() if pair not in self._given]
        self._given.update(new)
        wanted = pl.DataFrame(new, schema=pairs.schema, orient="row")
        for name, rows in selected.tables.items():
            self._tables[name].append(rows.join(wanted, on=[KEYS[0], KEYS[1]], how="semi", maintain_order="left"))

    def _inscribed(self, quarter: Quarter, keys: pl.DataFrame) -> pl.DataFrame | None:
        """The persons with a line in the directory; None where none is asked for."""
        inscription = self._permit.authorisation.directory
        if inscription is None:
            return None
        rows, values = persons_with_a_line(inscription, quarter)
        names = ", ".join(f'"{column}"' for column in PERSON_KEY)
        sql = f"SELECT {names} FROM {rows} AND declaration_id IN (SELECT unnest(?::BIGINT[]))"  # noqa: S608
        return pl.DataFrame(self._lake.arrow(sql, [*values, keys[DECLARATION].unique().to_list()]))

    def _before(self, quarter: Quarter, told: pl.DataFrame) -> pl.DataFrame:
        """The version before of each attestation, where it has one that was not cancelled."""
        values = [told[name].to_list() for name in (*PERSON_KEY, KEYS[1])]
        return pl.DataFrame(self._lake.arrow(_BEFORE, [*values, quarter.code, quarter.code]))

    def found(self) -> Found:
        """All that was found."""
        schema = pl.Schema({
            ITEM: pl.Int32, "quarter": pl.Int32, KEYS[0]: pl.Int64, KEYS[1]: pl.Int16, "inss": pl.Int64,
            "next": pl.String, "content": pl.Boolean,
        })  # fmt: skip
        answers = pl.concat([pl.DataFrame(schema=schema), *(rows.cast(schema) for rows in self._answers)])
        tables = {
            part.name: pl.concat([pl.DataFrame(part.arrow_schema.empty_table()), *self._tables[part.name]])
            for part in self._shape.sheets
        }
        return Found(answers.sort(ITEM, "quarter", KEYS[0]), tables, self._not_integrated)
