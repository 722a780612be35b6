"""Compute as of a moment: the amounts of a quarter as the lake stood then, written to OUT; the lake stays as it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

import pyarrow.parquet as pq

from dmfa.address import Place
from dmfa.lake import Lake
from dmfa.lake.writing import fitted
from dmfa.money import euro
from dmfa.quarter import Quarter
from flows import console
from flows.settings import Settings
from flows.stages.asked import must_hold
from flows.stages.borders import writing
from flows.stages.compute import computed, in_force, shards
from flows.stages.moments import FOLDER, stamp
from flows.stages.reference import references
from flows.stages.tables import COMPUTED

_TOTALS = (
    "declared_contribution_cents",
    "covered_contribution_cents",
    "computed_contribution_cents",
    "declared_deduction_cents",
    "computed_deduction_cents",
    "debit_cents",
    "credit_cents",
)


@dataclass(frozen=True)
class ComputedAsOf:
    """What was computed of a state of the lake.

    Attributes:
        declarations: declarations in force then.
        folder: where the tables are.
        totals: cents, by column of computed.employer_account.
    """

    declarations: int
    folder: Place
    totals: Mapping[str, int]


def run(quarter: Quarter, settings: Settings, as_of: datetime, *, employer: int | None = None) -> ComputedAsOf:
    """Compute a quarter, or one employer's part of it, as the lake stood at a moment.

    The law is that which this program knows now; the reference tables are those of the moment.

    Args:
        quarter: the quarter.
        settings: those of the run.
        as_of: a moment of the lake's own time.
        employer: NSSO registration number of one employer.

    Raises:
        NothingToRead: the lake held no declaration of the quarter then.
        WrongUsage: the employer had no accepted declaration in the quarter then, or the lake has no state that old.
        LakeProblem: there is no lake, or OUT cannot be written.
    """
    part = str(quarter.code) if employer is None else f"{quarter.code}-{employer}"
    folder = settings.out / FOLDER / stamp(as_of) / "computed" / part
    totals = dict.fromkeys(_TOTALS, 0)
    with Lake.open(settings.lake, as_of=as_of) as lake, lake.one_state():
        must_hold(lake, quarter, as_of)
        declarations = in_force(lake, quarter, employer)
        known = references(lake, [quarter.code])
        failing = f"the tables could not be written to {folder}"
        with writing(failing, "Free space or name another folder with --out."), _files(folder) as files:
            for shard in shards(lake, quarter, declarations, employer):
                frames = computed(lake, quarter, settings, shard, known)
                for spec in COMPUTED:
                    if spec.name in frames:
                        files[spec.name].write_table(fitted(spec, frames[spec.name]))
                account = frames["employer_account"]
                for name in totals:
                    totals[name] += int(account[name].sum())
    return ComputedAsOf(declarations.num_rows, folder, totals)


def show(quarter: Quarter, done: ComputedAsOf, as_of: datetime) -> None:
    """Report a computation."""
    console.table(
        f"{quarter} as of {as_of:%Y-%m-%d %H:%M:%S}, in euro",
        ("what", "amount"),
        [(name.removesuffix("_cents").replace("_", " "), euro(cents)) for name, cents in done.totals.items()],
        right=(1,),
    )
    console.say(f"{done.declarations:,} declarations computed; the lake stays as it is; tables: {done.folder}")


@contextmanager
def _files(folder: Place) -> Iterator[dict[str, pq.ParquetWriter]]:
    """One Parquet file per table; those of a computation before are replaced."""
    folder.mkdir(parents=True, exist_ok=True)
    opened = {spec.name: (folder / f"{spec.name}.parquet").open("wb") for spec in COMPUTED}
    writers = {
        spec.name: pq.ParquetWriter(opened[spec.name], spec.handed_over, compression="zstd") for spec in COMPUTED
    }
    try:
        yield writers
    finally:
        for writer in writers.values():
            writer.close()
        for file in opened.values():
            file.close()
