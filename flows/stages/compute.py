"""Compute: contributions, reductions and differences of a quarter anew, from the authentic tables."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import polars as pl
import pyarrow as pa

from contributions import TABLES, compute
from contributions.columns import EMPLOYER_ACCOUNT
from contributions.reference import References
from dmfa.errors import WrongUsage
from dmfa.lake import ItemWriter, Lake, Publication, StagedFile, history_tables
from dmfa.lake.tables import META
from dmfa.quarter import Quarter
from flows import console
from flows.crew import crew
from flows.settings import Settings
from flows.stages.asked import must_hold
from flows.stages.corrected_amounts import ledger_of
from flows.stages.reference import REFERENCE, fingerprint, references
from flows.stages.tables import COMPUTED
from flows.stages.versions import corrected

SHARD_PERSONS = 100_000
"""Persons whose declarations are computed at once: a bound on memory."""

_LAW = "law"


@dataclass(frozen=True)
class Shard:
    """Declarations that are computed at once.

    Attributes:
        declarations: those in force.
        amended: those that were corrected, in force or not: they have a ledger of several entries.
    """

    declarations: tuple[int, ...]
    amended: frozenset[int]


@dataclass(frozen=True)
class Work:
    """A shard as it travels to a worker process."""

    name: str
    settings: Settings
    quarter: Quarter
    shard: Shard
    known: References


@dataclass(frozen=True)
class Recomputed:
    """What a computation did.

    Attributes:
        declarations: declarations computed.
        changed: whether any amount in the lake changed.
    """

    declarations: int
    changed: bool


def run(quarter: Quarter, settings: Settings, *, employer: int | None = None) -> Recomputed:
    """Compute a quarter, or one employer's part of it, and replace its amounts where they differ.

    Args:
        quarter: the quarter.
        settings: those of the run.
        employer: NSSO registration number of one employer.

    Raises:
        NothingToRead: the lake holds no declaration of the quarter.
        WrongUsage: the employer has no accepted declaration in the quarter.
        LakeProblem: there is no lake, or it is busy, full or damaged.
    """
    tables = (*COMPUTED, *REFERENCE)
    with Lake.open(settings.lake, write=True, extra_tables=tables, wait_seconds=settings.lake_wait) as lake:
        must_hold(lake, quarter)
        return compute_quarter(lake, quarter, settings, employer=employer)


def compute_quarter(
    lake: Lake, quarter: Quarter, settings: Settings, *, employer: int | None = None, stale_only: bool = False
) -> Recomputed:
    """The same over an open lake.

    Args:
        lake: open for writing.
        quarter: the quarter.
        settings: those of the run.
        employer: NSSO registration number of one employer.
        stale_only: compute nothing if the amounts in the lake were computed by the law as it is known now.
    """
    known = references(lake, [quarter.code])
    law = fingerprint(settings, known.get(quarter.code))
    if stale_only and laws_known(lake).get(quarter.code, law) == law:
        return Recomputed(0, changed=False)
    declarations = in_force(lake, quarter, employer)
    name = hashlib.sha256(f"{law} {quarter.code} {lake.snapshot_id()} {employer}".encode()).hexdigest()[:24]
    works = [
        Work(f"{name}-{number:06d}", settings, quarter, shard, known)
        for number, shard in enumerate(shards(lake, quarter, declarations, employer))
    ]
    written: list[StagedFile] = []
    with (
        console.progress("computing", declarations.num_rows) as advance,
        crew(settings, max(min(settings.workers, len(works)), 1), keep_memory=True) as workers,
    ):
        for position, files in workers.run(compute_shard, works):
            written += files
            advance(len(works[position].shard.declarations))
    changed = False
    with lake.transaction() as publication:
        for spec in COMPUTED:
            own = [file for file in written if file.table == spec.name]
            scope = {one for work in works for one in (*work.shard.declarations, *work.shard.amended)}
            only = None if employer is None else scope
            changed |= publication.replace(spec, own, quarter=quarter.code, declaration_ids=only)
        if employer is None:
            remember_law(lake, publication, {quarter.code: law})
    return Recomputed(declarations.num_rows, changed)


def compute_shard(work: Work) -> tuple[StagedFile, ...]:
    """Compute a shard in a worker process, from the newest state of the lake; its amounts wait as staged files.

    Raises:
        LakeProblem: the lake cannot be read, or its disk is full.
    """
    with Lake.open(work.settings.lake) as lake, ItemWriter(work.settings.lake, work.name, COMPUTED) as writer:
        with lake.one_state():
            for table, frame in computed(lake, work.quarter, work.settings, work.shard, work.known).items():
                writer.append(f"computed.{table}", frame)
        return writer.close(()).files


def shards(lake: Lake, quarter: Quarter, declarations: pa.Table, employer: int | None) -> list[Shard]:
    """Declarations by so many as are computed at once: those as they were sent, corrected ones, those no longer there.

    Rows of a declaration as it was sent stand in their order, which makes places quick to find; so these are apart.

    Args:
        lake: an open lake.
        quarter: the quarter.
        declarations: what `in_force` returns.
        employer: NSSO registration number of the one employer that they are of.
    """
    amended = frozenset(corrected(lake, quarter.code, employer))
    ids: list[int] = declarations.column("declaration_id").to_pylist()
    rows = sorted(zip(ids, declarations.column("persons").to_pylist(), strict=True), key=lambda row: row[0] in amended)
    found: list[list[int]] = []
    room, apart = 0, False
    for declaration, many in rows:
        if not found or many > room or apart is not (declaration in amended):
            found.append([])
            room, apart = SHARD_PERSONS, declaration in amended
        found[-1].append(declaration)
        room -= many
    made = [Shard(tuple(shard), amended.intersection(shard)) for shard in found]
    gone = amended.difference(ids)
    return [*made, Shard((), gone)] if gone else made


def computed(
    lake: Lake, quarter: Quarter, settings: Settings, shard: Shard, known: References
) -> dict[str, pl.DataFrame]:
    """What is computed of a shard, by name of the table.

    Args:
        lake: an open lake.
        quarter: the quarter.
        settings: those of the run.
        shard: the declarations.
        known: official files, employers and used rights of the quarter.
    """
    frames: dict[str, pl.DataFrame] = {"employer_account": pl.DataFrame(schema=EMPLOYER_ACCOUNT)}
    if shard.declarations:
        tables = [spec.name for spec in history_tables(settings.xsd) if spec.name in TABLES]
        declared = lake.frames("authentic", tables, quarter=quarter.code, declaration_ids=shard.declarations)
        frames = compute(declared, references=known, **settings.law).frames()
    if shard.amended:
        of_shard = (quarter.code, shard.amended)
        frames["employer_account"] = ledger_of(lake, frames["employer_account"], of_shard, known, settings)
    return frames


def remember_law(lake: Lake, publication: Publication, laws: dict[int, str]) -> None:
    """Write down in received.meta by which law, as this program knew it, quarters were computed."""
    facts = _facts(lake) | {f"{_LAW} {quarter}": law for quarter, law in laws.items()}
    publication.replace(META, pa.table({"key": list(facts), "value": list(facts.values())}))


def laws_known(lake: Lake) -> dict[int, str]:
    """By which law each quarter in the lake was computed: fingerprints by quarter, e.g. 20263."""
    return {int(key.split()[1]): value for key, value in _facts(lake).items() if key.startswith(_LAW)}


def _facts(lake: Lake) -> dict[str, str]:
    facts = lake.arrow("SELECT key, value FROM lake.received.meta")
    return dict(zip(facts.column("key").to_pylist(), facts.column("value").to_pylist(), strict=True))


def in_force(lake: Lake, quarter: Quarter, employer: int | None) -> pa.Table:
    """Declarations in force with their number of persons, in the order of their keys.

    Raises:
        WrongUsage: an employer is asked for that has none.
    """
    found = lake.arrow(
        """
        SELECT d.declaration_id, count(p.inss) AS persons
        FROM lake.authentic.employer_declaration d
        LEFT JOIN lake.authentic.natural_person p ON p.declaration_id = d.declaration_id AND p.quarter = d.quarter
        WHERE d.quarter = ? AND (? IS NULL OR d.noss_registration_nbr = ?)
        GROUP BY d.declaration_id ORDER BY d.declaration_id
        """,
        [quarter.code, employer, employer],
    )
    if employer is not None and not found.num_rows:
        raise WrongUsage(
            f"the employer has no accepted declaration in {quarter}", "Check the number; `dmfa sql` lists employers."
        )
    return found
