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
        wanted = units.select("state", "declaration_id", PERSON, at="version")
        states = wanted.drop(PERSON).unique()
        of_none = wanted.filter(pl.col(PERSON).is_null()).drop(PERSON).unique()
        ended = self.replaced.join(states, on="declaration_id").filter(pl.col("ended_by") <= pl.col("at"))
        ended_by_unit = ended.select("state", "unit", "ordinal", "version").partition_by("unit", as_dict=True)
        found = {}
        for table in self.rows.keys() & tables.keys():
            rows = self.rows[table]
            of = wanted if PERSON in rows.columns else states if table == TOP else of_none
            found[table] = _standing(rows, of, ended_by_unit, tables[table])
        return found


def _standing(
    rows: pl.DataFrame, of: pl.DataFrame, ended: Mapping[tuple[object, ...], pl.DataFrame], columns: Sequence[str]
) -> pl.DataFrame:
    """The rows of one table as they stood; a unit that is cancelled there has none."""
    from dmfa.schema import unit_of  # most verbs read no XSD

    unit, own = unit_of(rows.columns)
    told = [pl.col(column) for column in columns if column in rows.columns and column != "declaration_id"]
    if rows.height:
        key = [column for column in of.columns if column in ("declaration_id", PERSON)]
        rows = rows.filter(pl.col("status") != CANCELLED).join(of, on=key).filter(pl.col("version") <= pl.col("at"))
        if (unit,) in ended:
            both = ["state", "version", *([own] if own else [])]
            rows = rows.join(ended[unit,].rename({"ordinal": own} if own else {}), on=both, how="anti")
        ordinals = [column for column in rows.columns if column.endswith("_ordinal")]
        rows = rows.sort("state", *ordinals[-1:])
    else:
        rows = rows.with_columns(state=pl.lit(None, pl.Int64))
    return rows.select(pl.col("state").alias("declaration_id"), *told)
