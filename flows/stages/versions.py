"""The versions of corrected declarations: what made each of them, and which persons it touches."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Final, cast

import polars as pl
import pyarrow as pa

from contributions import entries
from contributions.columns import ENTRY
from contributions.ledger import UNIT
from dmfa.lake import Histories, Lake, history_tables
from flows.settings import Settings

UNITS_AT_ONCE: Final = 100_000
"""Persons of declarations that are computed at once: a bound on memory."""

SYSTEM: Final = "SystemCorrection"
"""Kind of a filing by which the institution itself corrects."""

SUSPECTED: Final = "SuspectedError"
"""Kind of a filing by which it corrects what a recipient suspected and it accepted."""

_OF_KIND: Final = {
    SYSTEM: entries.SYSTEM_CORRECTION,
    SUSPECTED: entries.SYSTEM_CORRECTION,
    "IDFLUX": entries.REPLACEMENT,
}
"""Kind of the filing that brought a version -> what entry it makes; any other is a correction by the sender."""

_OF_NO_PERSON: Final = ("contribution_unrelated_to_np", "company_vehicle", "employer_compensation")


@dataclass(frozen=True)
class Versions:
    """Versions of declarations of one quarter that corrections made.

    Attributes:
        quarter: e.g. 20263.
        made: declaration_id, filing_id, version, entry, quarter, noss_registration_nbr and declared_net_cents of each.
        touched: UNIT and version: each unit that it touches.
    """

    quarter: int
    made: pl.DataFrame
    touched: pl.DataFrame

    def shards(self) -> Iterator[Versions]:
        """The same in parts of whole declarations, each of not many more units than are computed at once."""
        many = self.touched.group_by("declaration_id").agg(units=pl.len())
        declarations = self.made.select("declaration_id").unique(maintain_order=True)
        sizes = declarations.join(many, on="declaration_id", how="left", maintain_order="left")["units"].fill_null(0)
        shard = (sizes.cum_sum() - sizes) // UNITS_AT_ONCE
        for part in declarations.with_columns(shard=shard).partition_by("shard", maintain_order=True):
            yield Versions(
                self.quarter,
                self.made.join(part, on="declaration_id", how="semi", maintain_order="left"),
                self.touched.join(part, on="declaration_id", how="semi"),
            )


def corrected(lake: Lake, quarter: int, employer: int | None = None) -> list[int]:
    """The declarations of a quarter that have more than one version; of all, or of one employer.

    Args:
        lake: the lake.
        quarter: e.g. 20263.
        employer: NSSO registration number.
    """
    rows = lake.arrow(
        """
        SELECT declaration_id FROM lake.history.employer_declaration WHERE quarter = ?
        GROUP BY declaration_id
        HAVING max(version) > 1 AND (? IS NULL OR arg_max(noss_registration_nbr, version) = ?) ORDER BY ALL
        """,
        [quarter, employer, employer],
    )
    found: list[int] = rows.column(0).to_pylist()
    return found


def versions(lake: Lake, quarter: int, declarations: Collection[int], settings: Settings) -> Versions:
    """All versions of some declarations, the first too, and what each of the others touches.

    A version that gives the declaration another number of its employer touches all that it holds.

    Args:
        lake: the lake.
        quarter: the quarter of the declarations.
        declarations: their declaration_id.
        settings: those of the run.
    """
    wanted = {"wanted": pl.DataFrame({"declaration_id": list(declarations)}, schema={"declaration_id": pl.Int64})}
    made = frame(
        lake.arrow(
            """
            SELECT e.declaration_id, e.filing_id, e.version, f.kind, e.quarter, e.noss_registration_nbr,
                if(e.version = 1, e.net_owed_amount, 0) AS declared_net_cents,
                e.noss_registration_nbr <> lag(e.noss_registration_nbr)
                    OVER (PARTITION BY e.declaration_id ORDER BY e.version) AS renumbered
            FROM lake.history.employer_declaration e LEFT JOIN lake.received.filing f USING (filing_id)
            WHERE e.quarter = ? AND e.declaration_id IN (FROM wanted)
            ORDER BY e.declaration_id, e.version
            """,
            [quarter],
            wanted,
        )
    )
    entry = pl.col("kind").replace_strict(_OF_KIND, default=entries.CORRECTION, return_dtype=pl.String)
    of_first = pl.when(pl.col("version") == 1).then(pl.lit(entries.ORIGINAL)).otherwise(entry)
    standing = {spec.name for spec in history_tables(settings.xsd)}
    parts = ["natural_person", *(table for table in _OF_NO_PERSON if table in standing)]
    touched = " UNION ALL ".join(  # of the constants above
        f"SELECT declaration_id, {UNIT[1] if table == parts[0] else 'NULL::INTEGER'} AS {UNIT[1]}, version"  # noqa: S608
        f" FROM lake.history.{table} WHERE quarter = $1 AND declaration_id IN (FROM wanted)"
        for table in parts
    )
    rows = frame(lake.arrow(f"SELECT DISTINCT * FROM ({touched})", [quarter], wanted))  # noqa: S608
    renumbered = made.filter(pl.col("renumbered")).select("declaration_id", new="version")
    whole = rows.join(renumbered, on="declaration_id").filter(pl.col("version") <= pl.col("new"))
    own = pl.concat([rows, whole.select(*UNIT, version="new")]).filter(pl.col("version") > 1).unique()
    return Versions(quarter, made.with_columns(entry=of_first.cast(ENTRY)).drop("kind", "renumbered"), own)


@dataclass(frozen=True)
class Part:
    """Some versions with all rows of the units that they touch.

    Attributes:
        versions: the versions.
        histories: the rows.
    """

    versions: Versions
    histories: Histories


def new_versions(lake: Lake, applied: pl.DataFrame, settings: Settings) -> Iterator[Part]:
    """Versions that are told of, quarter by quarter, with the rows of what they touch.

    Args:
        lake: the lake, its history with the rows of these versions.
        applied: quarter, declaration_id and version of each; several rows may tell of the same.
        settings: those of the run.

    Raises:
        LakeProblem: the lake cannot be read.
    """
    for quarter in sorted(applied["quarter"].unique().to_list()):
        rows = applied.filter(pl.col("quarter") == quarter).select("declaration_id", "version").unique()
        every = versions(lake, quarter, rows["declaration_id"].unique().to_list(), settings)
        new = Versions(
            quarter,
            every.made.join(rows, on=rows.columns, how="semi", maintain_order="left"),
            every.touched.join(rows, on=rows.columns, how="semi"),
        )
        for shard in new.shards():
            yield Part(shard, lake.histories(quarter, shard.touched))


def frame(rows: pa.Table) -> pl.DataFrame:
    """An Arrow table as a frame."""
    return cast("pl.DataFrame", pl.from_arrow(rows))
