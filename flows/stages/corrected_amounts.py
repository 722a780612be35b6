"""The amounts of corrections: of the persons that a correction touches anew, and its entry in the ledger.

A computation of a person in a declaration needs nothing of the others, so that only what is touched is computed: at
each version that touches it, under the law of the declaration's own quarter, each such state as if it were a
declaration of its own. The last state replaces the rows of schema computed, and by how much each version changes the
totals of its declaration is its entry in the ledger. All is read from the history, so that a quarter computed anew has
the same entries.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl

from contributions import TABLES, compute, ledger
from contributions.inputs import columns_read
from contributions.ledger import BEFORE, COMPENSATION, SUMS, UNIT
from contributions.overview import COLUMNS as OVERVIEW_COLUMNS
from contributions.overview import OVERVIEW, overview
from contributions.reference import References
from dmfa.lake import Histories, ItemWriter, Lake, Publication, StagedFile, history_tables
from dmfa.schema import lake_tables
from flows.settings import Settings
from flows.stages.corrected_differences import differing_at, update_labels
from flows.stages.tables import COMPUTED
from flows.stages.versions import Part, Versions, frame, versions

(_ACCOUNT,) = (spec for spec in COMPUTED if spec.name == "employer_account")
_OF_UNITS: Final = tuple(spec for spec in COMPUTED if spec is not _ACCOUNT)
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
        told = ledger.state(own, self.frames["difference"], self.frames[_ACCOUNT.name])
        return _of_units(told, self.units).select(*_VERSION, *SUMS)

    def rows(self, table: str, units: pl.DataFrame) -> pl.DataFrame:
        """The rows of some of the units."""
        return _of_units(self.frames[table], units)


def _of_units(rows: pl.DataFrame, units: pl.DataFrame) -> pl.DataFrame:
    """The rows of some units, with the declaration that their state is one of."""
    states = units.select(UNIT[1], declaration_id="state", of="declaration_id")
    named = rows.select(UNIT).join(states, on=UNIT, how="left", nulls_equal=True, maintain_order="left")
    return rows.with_columns(named["of"].alias("declaration_id")).drop_nulls("declaration_id")


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


@dataclass(frozen=True)
class Amounts:
    """What some versions amount to, ready to take its place.

    Attributes:
        quarter: e.g. 20263.
        units: UNIT: whose rows of schema computed they replace.
        files: those rows, staged.
        entries: their entries in the ledger, a frame of EMPLOYER_ACCOUNT.
        wrong: what `flows.stages.corrected_differences.differing_at` tells of each version.
    """

    quarter: int
    units: pl.DataFrame
    files: tuple[StagedFile, ...]
    entries: pl.DataFrame
    wrong: pl.DataFrame


def amounts_of(part: Part, before: pl.DataFrame, known: References, settings: Settings) -> Amounts:
    """Compute what some versions touch, and stage its rows.

    Args:
        part: the versions.
        before: the totals of the units that they touch as the lake holds them, from `standing`; others do no harm.
        known: official files, employers and used rights of the quarters.
        settings: those of the run.

    Raises:
        LakeProblem: the lake's disk is full or cannot be written.
    """
    law, new = _Law(known, settings), part.versions
    last = new.touched.group_by(UNIT).agg(pl.col("version").max())
    states = law.states(part.histories, new.touched)
    in_force = states.units.join(last, on=_VERSION, how="semi", nulls_equal=True)
    with ItemWriter(settings.lake, "corrected-amounts", _OF_UNITS) as writer:
        for spec in _OF_UNITS:
            writer.append(spec.key, states.rows(spec.name, in_force))
        files = tuple(writer.close(()).files)
    totals = pl.concat([before, states.totals()])
    wrong = differing_at(states.frames, states.units, update_labels(lake_tables(settings.xsd)))
    return Amounts(new.quarter, last.select(UNIT), files, ledger.entries(new.touched, totals, new.made), wrong)


def put_amounts(publication: Publication, found: Sequence[Amounts]) -> None:
    """Put amounts in their place, inside the transaction that publishes the versions.

    Args:
        publication: the running transaction.
        found: amounts, no unit twice.

    Raises:
        LakeProblem: the lake's disk is full or cannot be written.
    """
    for quarter in sorted({part.quarter for part in found}):
        parts = [part for part in found if part.quarter == quarter]
        units = pl.concat([part.units for part in parts])
        for spec in _OF_UNITS:
            own = [file for part in parts for file in part.files if file.table == spec.name]
            publication.replace(spec, own, quarter=quarter, units=units, differing=True)
        publication.append_parts(_ACCOUNT, [part.entries for part in parts])


def correct_amounts(
    lake: Lake, publication: Publication, new: Iterable[Part], known: References, settings: Settings
) -> list[Amounts]:
    """Compute what corrections touch, and put it in its place, inside the transaction that publishes them.

    Args:
        lake: open for writing, its history with all rows of these corrections.
        publication: the running transaction.
        new: the versions that they made, from `flows.stages.versions.new_versions`.
        known: official files, employers and used rights of the quarters.
        settings: those of the run.

    Returns:
        The amounts, in place.

    Raises:
        LakeProblem: the lake's disk is full or cannot be written.
    """
    found = []
    for part in new:
        before = standing(lake, part.versions.quarter, part.versions.touched)
        found.append(amounts_of(part, before, known, settings))
    put_amounts(publication, found)
    return found


def standing(lake: Lake, quarter: int, units: pl.DataFrame) -> pl.DataFrame:
    """The totals of some units as the lake holds them.

    Args:
        lake: the lake.
        quarter: the quarter of all their declarations.
        units: UNIT, any number of times.

    Returns:
        UNIT, version (BEFORE) and SUMS.

    Raises:
        LakeProblem: the lake cannot be read.
    """
    each = units.select(UNIT).unique()
    difference = lake.arrow(
        """
        SELECT d.declaration_id, d.natural_person_ordinal, d.kind, d.declared_table, d.declared_cents, d.computed_cents,
            d.outcome
        FROM lake.computed.difference d
        SEMI JOIN units u ON d.declaration_id = u.declaration_id
            AND d.natural_person_ordinal IS NOT DISTINCT FROM u.natural_person_ordinal
        WHERE d.quarter = ?
        """,
        [quarter],
        {"units": each},
    )
    compensation = lake.arrow(
        f"""
        SELECT declaration_id, sum({COMPENSATION})::BIGINT AS {COMPENSATION} FROM lake.computed.{_ACCOUNT.name}
        WHERE quarter = ? AND declaration_id IN (SELECT declaration_id FROM units) GROUP BY ALL
        """,  # noqa: S608 - made of the constants above
        [quarter],
        {"units": each},
    )
    return ledger.state(_at(each, BEFORE), frame(difference), frame(compensation))


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
