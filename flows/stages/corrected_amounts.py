"""The amounts of corrections: of the persons that a correction touches anew, and its entry in the ledger.

A computation of a person in a declaration needs nothing of the others, so that only what is touched is computed: at
each version that touches it, under the law of the declaration's own quarter, each such state as if it were a
declaration of its own. The last state replaces the rows of schema computed, and by how much each version changes the
totals of its declaration is its entry in the ledger. All is read from the history, so that a quarter computed anew has
the same entries.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import Final

import polars as pl

from contributions import TABLES, compute, ledger
from contributions.inputs import columns_read
from contributions.ledger import BEFORE, COMPENSATION, SUMS, UNIT
from contributions.overview import COLUMNS as OVERVIEW_COLUMNS
from contributions.overview import OVERVIEW, overview
from contributions.reference import References
from dmfa.lake import Histories, ItemWriter, Lake, Publication, history_tables
from flows.settings import Settings
from flows.stages.tables import COMPUTED
from flows.stages.versions import Part, Versions, frame, versions

_ACCOUNT: Final = "employer_account"
_STATE: Final = ("declaration_id", "version")
_VERSION: Final = [*UNIT, "version"]


@dataclass(frozen=True)
class _States:
    """Units of declarations at some versions, and what is computed of them.

    Attributes:
        units: UNIT, version and state, the number of their declaration at that version.
        frames: what is computed, by table, with the state as declaration_id.
    """

    units: pl.DataFrame
    frames: dict[str, pl.DataFrame]

    def totals(self) -> pl.DataFrame:
        """UNIT, version and SUMS of each unit at each version."""
        own = self.units.select(UNIT[1], "version", declaration_id="state")
        told = ledger.state(own, self.frames["difference"], self.frames[_ACCOUNT])
        return self._named(told).select(*_VERSION, *SUMS)

    def rows(self, table: str, units: pl.DataFrame) -> pl.DataFrame:
        """The rows of some units at the version beside each of them."""
        wanted = self.units.join(units, on=_VERSION, how="semi", nulls_equal=True)
        own = wanted.select(UNIT[1], declaration_id="state")
        rows = self.frames[table]
        return self._named(rows.join(own, on=UNIT, how="semi", nulls_equal=True)).select(rows.columns)

    def _named(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Rows with the declaration that their state is one of."""
        states = self.units.select("state", of="declaration_id").unique()
        named = rows.join(states, left_on="declaration_id", right_on="state", maintain_order="left")
        return named.with_columns(declaration_id="of")


@dataclass(frozen=True)
class _Law:
    """By what a lake's declarations are computed."""

    known: References
    settings: Settings

    @property
    def tables(self) -> dict[str, tuple[str, ...]]:
        """Table -> the columns that a computation reads."""
        names = (spec.name for spec in history_tables(self.settings.xsd))
        return {name: columns_read(name) for name in names if name in TABLES}

    def states(self, histories: Histories, units: pl.DataFrame) -> _States:
        """What is computed of some units at the versions that stand beside them."""
        numbered = _numbered(units)
        tables = histories.at_version(self.tables, numbered)
        return _States(numbered, compute(tables, references=self.known, **self.settings.law).frames())


def _numbered(units: pl.DataFrame) -> pl.DataFrame:
    """Units with the number of their state."""
    states = units.select(_STATE).unique(maintain_order=True).with_row_index("state").cast({"state": pl.Int64})
    return units.join(states, on=_STATE, maintain_order="left")


def correct_amounts(
    lake: Lake, publication: Publication, new: Iterable[Part], known: References, settings: Settings
) -> None:
    """Compute what corrections touch, and put it in its place, inside the transaction that publishes them.

    Args:
        lake: open for writing, its history with all rows of these corrections.
        publication: the running transaction.
        new: the versions that they made, from `flows.stages.versions.new_versions`.
        known: official files, employers and used rights of the quarters.
        settings: those of the run.

    Raises:
        LakeProblem: the lake's disk is full or cannot be written.
    """
    law = _Law(known, settings)
    rows_of_units = [spec for spec in COMPUTED if spec.name != _ACCOUNT]
    (account,) = (spec for spec in COMPUTED if spec.name == _ACCOUNT)
    for quarter, parts in groupby(new, lambda part: part.versions.quarter):
        made, units = [], []
        with ItemWriter(settings.lake, "corrected-amounts", rows_of_units) as writer:
            for part in parts:
                shard = part.versions
                states = law.states(part.histories, shard.touched)
                totals = pl.concat([_standing(lake, shard), states.totals()])
                made.append(ledger.entries(shard.touched, totals, shard.made))
                last = shard.touched.group_by(UNIT).agg(pl.col("version").max())
                units.append(last.select(UNIT))
                for spec in rows_of_units:
                    writer.append(spec.key, states.rows(spec.name, last))
            files = writer.close(()).files
        for spec in rows_of_units:
            own = [file for file in files if file.table == spec.name]
            publication.replace(spec, own, quarter=quarter, units=pl.concat(units), differing=True)
        publication.append_parts(account, made)


def _standing(lake: Lake, new: Versions) -> pl.DataFrame:
    """The totals of the units of some versions as the lake holds them."""
    units = {"units": new.touched.select(UNIT).unique()}
    difference = lake.arrow(
        """
        SELECT d.declaration_id, d.natural_person_ordinal, d.kind, d.declared_table, d.declared_cents, d.computed_cents,
            d.outcome
        FROM lake.computed.difference d
        SEMI JOIN units u ON d.declaration_id = u.declaration_id
            AND d.natural_person_ordinal IS NOT DISTINCT FROM u.natural_person_ordinal
        WHERE d.quarter = ?
        """,
        [new.quarter],
        units,
    )
    compensation = lake.arrow(
        f"""
        SELECT declaration_id, sum({COMPENSATION})::BIGINT AS {COMPENSATION} FROM lake.computed.{_ACCOUNT}
        WHERE quarter = ? AND declaration_id IN (SELECT declaration_id FROM units) GROUP BY ALL
        """,  # noqa: S608 - made of the constants above
        [new.quarter],
        units,
    )
    return ledger.state(_at(units["units"], BEFORE), frame(difference), frame(compensation))


def _at(units: pl.DataFrame, version: int) -> pl.DataFrame:
    return units.with_columns(version=pl.lit(version, dtype=pl.Int16))


def ledger_of(
    lake: Lake,
    accounts: pl.DataFrame,
    corrected: tuple[int, Collection[int]],
    known: References,
    settings: Settings,
) -> pl.DataFrame:
    """The ledger of corrected declarations, every entry anew from the history.

    Args:
        lake: the lake.
        accounts: the accounts of the state in force, a frame of EMPLOYER_ACCOUNT, of these declarations and others.
        corrected: a quarter, and its corrected declarations.
        known: official files, employers and used rights of the quarter.
        settings: those of the run.

    Returns:
        The same accounts, those of the corrected declarations by entry.
    """
    law = _Law(known, settings)
    quarter, declarations = corrected
    found = [accounts.filter(~pl.col("declaration_id").is_in(list(declarations)))]
    every = versions(lake, quarter, declarations, settings)
    first = every.made.filter(pl.col("version") == 1)
    later = Versions(quarter, every.made.filter(pl.col("version") > 1), every.touched)
    for shard in later.shards():
        of_first = _at(shard.touched.select(UNIT).unique(), 1)
        histories = lake.histories(quarter, shard.touched, law.tables)
        totals = law.states(histories, pl.concat([of_first, shard.touched.select(_VERSION)])).totals()
        before = totals.with_columns(pl.col("version").replace({1: BEFORE}))
        made = ledger.entries(shard.touched, before, shard.made)
        originals = first.join(shard.made, on="declaration_id", how="semi", maintain_order="left")
        found += [ledger.original(accounts, made, originals), made]
    return pl.concat(found)


def overviews(new: Iterable[Part]) -> pl.DataFrame:
    """What corrections change in the declared amounts, summed up for those who book it.

    Args:
        new: the versions that they made, from `flows.stages.versions.new_versions`.

    Returns:
        A frame of OVERVIEW; the rows of a version add up to debit_cents less credit_cents of its entry in the ledger.
    """
    found = [pl.DataFrame(schema=OVERVIEW)]
    for part in new:
        units = _numbered(part.versions.touched)
        # The same units under the same states, once at the version before each.
        earlier = units.with_columns(pl.col("version") - 1)
        before, after = (part.histories.at_version(OVERVIEW_COLUMNS, one) for one in (earlier, units))
        states = units.select("state", of="declaration_id").unique()
        told = overview(units.select("version", declaration_id="state"), before, after)
        named = told.join(states, left_on="declaration_id", right_on="state").with_columns(declaration_id="of")
        found.append(named.select(list(OVERVIEW)))
    return pl.concat(found).sort("declaration_id", "version", "kind", "employer_class", "worker_code", "code", "type")
