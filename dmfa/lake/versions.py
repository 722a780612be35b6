"""The declared tables as they stood at versions: of some persons of some declarations, and of what is of no person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, cast

import polars as pl
from duckdb import DuckDBPyConnection

from dmfa.lake.border import engine
from dmfa.lake.location import CATALOG, Location, name
from dmfa.lake.reading import visible
from dmfa.lake.spec import CANCELLED
from dmfa.lake.tables import REPLACED

PERSON: Final = "natural_person_ordinal"

TOP: Final = "employer_declaration"

_UNITS: Final = "wanted_units"


@dataclass(frozen=True)
class Histories:
    """All rows of some units, of every version: read once, and told as they stood at any of them.

    Attributes:
        rows: by table, its rows; of employer_declaration those of every declaration concerned.
        replaced: declaration_id, unit, ordinal, version and ended_by of the rows of history that were replaced.
    """

    rows: Mapping[str, pl.DataFrame]
    replaced: pl.DataFrame

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


def histories(
    connection: DuckDBPyConnection,
    location: Location,
    quarter: int,
    units: pl.DataFrame,
    tables: Mapping[str, Sequence[str]] | None = None,
) -> Histories:
    """All rows of some units.

    Args:
        connection: with the lake attached.
        location: the lake.
        quarter: the quarter of all declarations, e.g. 20263.
        units: declaration_id and natural_person_ordinal (null for what belongs to no person).
        tables: names of tables, each with the columns wanted beside keys; one that the lake lacks is left out. None
            for all.

    Raises:
        LakeProblem: the lake cannot be read.
    """
    wanted = units.select("declaration_id", PERSON).unique()
    of_none = wanted[PERSON].null_count()
    found = {}
    with engine(location, "reading"), visible(connection, {_UNITS: wanted}):
        standing = _columns(connection)
        for table in standing.keys() & (standing if tables is None else tables).keys():
            if len(wanted) - of_none if PERSON in standing[table] else of_none or table == TOP:
                query = _query(table, standing[table], None if tables is None else tables[table])
                rows = connection.execute(query, [quarter]).to_arrow_table()
                found[table] = cast("pl.DataFrame", pl.from_arrow(rows))
        ended = connection.execute(
            f"""
            SELECT r.declaration_id, r.unit, r.ordinal, r.version, r.ended_by FROM lake.history.{REPLACED.name} r
            WHERE r.quarter = ? AND r.declaration_id IN (SELECT declaration_id FROM {_UNITS})
            """,
            [quarter],
        ).to_arrow_table()
    return Histories(found, cast("pl.DataFrame", pl.from_arrow(ended)))


def _query(table: str, standing: Sequence[str], columns: Sequence[str] | None) -> str:
    """The rows of one table."""
    kept = [
        column
        for column in standing
        if columns is None
        or column in columns
        or column in ("declaration_id", "version", "status")
        or column.endswith("_ordinal")
    ]
    if PERSON in standing:
        same = f"w.declaration_id = h.declaration_id AND w.{PERSON} = h.{PERSON}"
    else:
        same = "w.declaration_id = h.declaration_id" + ("" if table == TOP else f" AND w.{PERSON} IS NULL")
    return f"""
        SELECT {", ".join(f"h.{name(column)}" for column in kept)}
        FROM {name(CATALOG, "history", table)} h SEMI JOIN {_UNITS} w ON {same}
        WHERE h.quarter = ?
        """


def _columns(connection: DuckDBPyConnection) -> dict[str, list[str]]:
    """The columns of the declared tables that the lake has, in order."""
    rows = connection.execute(
        """
        SELECT table_name, list(column_name ORDER BY column_index) FROM duckdb_columns()
        WHERE database_name = 'lake' AND schema_name = 'history' AND table_name <> ? GROUP BY ALL
        """,
        [REPLACED.name],
    ).fetchall()
    return dict(rows)
