"""Compute: contributions, reductions and differences of a quarter anew, from the authentic tables."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa

from contributions import TABLES, compute
from dmfa.errors import WrongUsage
from dmfa.lake import ItemWriter, Lake, Publication, StagedFile, history_tables
from dmfa.lake.tables import META
from dmfa.quarter import Quarter
from flows import console
from flows.settings import Settings
from flows.stages.reference import REFERENCE, fingerprint, references
from flows.stages.tables import COMPUTED

SHARD_PERSONS = 100_000
"""Persons whose declarations are computed at once: a bound on memory."""

_LAW = "law"


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
        WrongUsage: the employer has no accepted declaration in the quarter.
        LakeProblem: there is no lake, or it is busy, full or damaged.
    """
    tables = (*COMPUTED, *REFERENCE)
    with Lake.open(settings.lake, write=True, extra_tables=tables, wait_seconds=settings.lake_wait) as lake:
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
    declarations = _declarations(lake, quarter, employer)
    if employer is not None and not declarations.num_rows:
        raise WrongUsage(
            f"the employer has no accepted declaration in {quarter}", "Check the number; `dmfa sql` lists employers."
        )
    ids: list[int] = declarations.column("declaration_id").to_pylist()
    name = hashlib.sha256(f"{law} {quarter.code} {lake.snapshot_id()} {employer}".encode()).hexdigest()[:32]
    tables = [spec.name for spec in history_tables(settings.xsd) if spec.name in TABLES]
    with ItemWriter(settings.lake, name, COMPUTED) as writer, console.progress("computing", len(ids)) as advance:
        for shard in _shards(declarations):
            frames = compute(
                lake.frames("authentic", tables, quarter=quarter.code, declaration_ids=shard),
                references=known,
                **settings.law,
            ).frames()
            for table, frame in frames.items():
                writer.append(f"computed.{table}", frame)
            advance(len(shard))
        manifest = writer.close(())
    changed = False
    with lake.transaction() as publication:
        for spec in COMPUTED:
            files: list[StagedFile] = [file for file in manifest.files if file.table == spec.name]
            scope = ids if employer is not None else None
            changed |= publication.replace(spec, files, quarter=quarter.code, declaration_ids=scope)
        if employer is None:
            remember_law(lake, publication, {quarter.code: law})
    return Recomputed(len(ids), changed)


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


def _declarations(lake: Lake, quarter: Quarter, employer: int | None) -> pa.Table:
    """Declarations in force with their number of persons, in the order of their keys."""
    return lake.arrow(
        """
        SELECT d.declaration_id, count(p.inss) AS persons
        FROM lake.authentic.employer_declaration d
        LEFT JOIN lake.authentic.natural_person p ON p.declaration_id = d.declaration_id AND p.quarter = d.quarter
        WHERE d.quarter = ? AND (? IS NULL OR d.noss_registration_nbr = ?)
        GROUP BY d.declaration_id ORDER BY d.declaration_id
        """,
        [quarter.code, employer, employer],
    )


def _shards(declarations: pa.Table) -> Iterator[list[int]]:
    shard: list[int] = []
    persons = 0
    rows = zip(
        declarations.column("declaration_id").to_pylist(), declarations.column("persons").to_pylist(), strict=True
    )
    for declaration, many in rows:
        if shard and persons + many > SHARD_PERSONS:
            yield shard
            shard, persons = [], 0
        shard.append(declaration)
        persons += many
    if shard:
        yield shard
