"""Declared tables as they stood at versions of their declarations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl

from dmfa.lake.spec import CANCELLED

PERSON: Final = "natural_person_ordinal"

TOP: Final = "employer_declaration"


@dataclass(frozen=True)
class Histories:
    """All rows of some units, of every version: read once, and told as they stood at any of them.

    Attributes:
        rows: by table, its rows; of employer_declaration those of every declaration concerned.
        replaced: declaration_id, unit, ordinal, version and ended_by of the rows of history that were replaced.
    """

    rows: Mapping[str, pl.DataFrame]
    replaced: pl.DataFrame

    def of_declarations(self, declarations: pl.Series) -> Histories:
        """The part of some declarations.

        Args:
            declarations: their declaration_id.
        """
        own = pl.col("declaration_id").is_in(declarations.implode())
        return Histories({table: rows.filter(own) for table, rows in self.rows.items()}, self.replaced.filter(own))

    def then(self, rows: Mapping[str, pl.DataFrame], replaced: pl.DataFrame) -> Histories:
        """The same with what new versions bring.

        Args:
            rows: by table, rows of history with all its columns.
            replaced: rows of history.replaced.
        """
        both = dict(self.rows)
        for table, new in rows.items():
            both[table] = pl.concat([both[table], new.select(both[table].columns)]) if table in both else new
        return Histories(both, pl.concat([self.replaced, replaced.select(self.replaced.columns)]))

    def at_version(self, tables: Mapping[str, Sequence[str]], units: pl.DataFrame) -> dict[str, pl.DataFrame]:
        """Rows of declared tables as they stood at versions of their declarations.

        Each state of a declaration is given out as a declaration of its own, so that several are computed at once.

        Args:
            tables: names of tables, each with the columns wanted; one that the lake lacks is left out.
            units: state, declaration_id, version and natural_person_ordinal (null for what belongs to no person): a
                state is a number for one declaration at one version, with any of its units.

        Returns:
            By table, the rows of these units with their state as declaration_id, in the order of state and ordinal; of
            employer_declaration one row for each state. What a declaration did not hold then is not there.
        """
        from dmfa.schema import unit_of  # most verbs read no XSD

        wanted = units.select("state", "declaration_id", PERSON, at="version")
        states = wanted.drop(PERSON).unique()
        of_none = wanted.filter(pl.col(PERSON).is_null()).drop(PERSON).unique()
        ended = self.replaced.join(states, on="declaration_id").filter(pl.col("ended_by") <= pl.col("at"))
        standing: dict[str, pl.DataFrame] = {}
        found = {}
        for table in self.rows.keys() & tables.keys():
            rows = self.rows[table]
            unit, own = unit_of(rows.columns)
            known = unit if unit in self.rows else table
            if known not in standing:
                of = wanted if PERSON in rows.columns else states if unit == TOP else of_none
                standing[known] = _standing(self.rows[known], own, of, ended.filter(pl.col("unit") == unit))
            found[table] = _told(rows, standing[known], tables[table])
        return found


def _standing(rows: pl.DataFrame, own: str | None, of: pl.DataFrame, ended: pl.DataFrame) -> pl.DataFrame:
    """State, declaration_id, ordinal and version of the units of one kind as they stood, without those cancelled.

    Args:
        rows: those of the units, or of a table below them.
        own: column with the ordinal of a unit; None for the declaration, which has none.
        of: state and at beside the keys of what is wanted.
        ended: state, ordinal and version of the rows that were replaced.
    """
    unit = [own] if own else []
    key = [column for column in of.columns if column in ("declaration_id", PERSON)]
    columns = list(dict.fromkeys([*key, *unit, "version"]))  # the ordinal of a person is in both
    known = rows.filter(pl.col("status") != CANCELLED).select(columns).unique()
    both = ["state", "version", *unit]
    return (
        known.join(of, on=key)
        .filter(pl.col("version") <= pl.col("at"))
        .join(ended.rename({"ordinal": own} if own else {}), on=both, how="anti")
        .select(*both, "declaration_id")
    )


def _told(rows: pl.DataFrame, standing: pl.DataFrame, columns: Sequence[str]) -> pl.DataFrame:
    """The rows of one table that belong to the units that stand, in their order."""
    told = [column for column in columns if column in rows.columns and column != "declaration_id"]
    if rows.is_empty():
        return rows.select("declaration_id", *told)
    key = [column for column in standing.columns if column != "state"]
    last = [column for column in rows.columns if column.endswith("_ordinal")][-1:]
    own = rows.select(list(dict.fromkeys([*key, *last, *told]))).join(standing, on=key)
    return own.sort("state", *last).select(pl.col("state").alias("declaration_id"), *told)
