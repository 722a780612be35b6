"""Simulate: what if a figure of the law were another, over the declarations of a quarter.

The lake is only read: the rows that the law reads are taken out of it once, into files by shard of declarations, and
every shard is computed under both laws in the worker pool. Only sums come back, and no number of a person.

    OUT/simulations/2026-3-<name of the file>/    report.html effect.json effect.parquet employers.parquet changes.yaml
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import Any, Final

import polars as pl

from contributions import TABLES
from contributions.inputs import columns_read
from contributions.reference import NOTHING, Reference
from contributions.simulation.changes import Changes
from contributions.simulation.differences import Difference, differences
from contributions.simulation.effect import simulate, verified
from contributions.simulation.file import read
from dmfa.address import Place
from dmfa.errors import NothingToRead
from dmfa.extracts.placing import border, draft_of, put_in_place, tidied
from dmfa.extracts.rows import Rows, Wanted, taken
from dmfa.lake import Lake, history_tables
from dmfa.lake.files import write_whole
from dmfa.quarter import Quarter
from flows import console
from flows.crew import crew
from flows.settings import LawOptions, Settings
from flows.stages.reference import fingerprint, references
from flows.stages.simulate_sums import Sums, effect, employers, of_shard, together

SHARD_PERSONS: Final = 50_000
"""Persons whose declarations are computed at once, at most: a bound on memory."""

FOLDER: Final = "simulations"

LARGEST: Final = 1_000_000
"""Bytes of a file, beyond which it is none of changes."""


@dataclass(frozen=True)
class Simulation:
    """What a simulation found.

    Attributes:
        quarter: the quarter.
        file: the file of changes, as it was named.
        sha256: of its bytes.
        law: by which law of this program, see `flows.stages.reference.fingerprint`.
        trust: lowest trust in a figure that computes.
        differences: the figures that are changed in the quarter.
        sums: all sums.
        effect: a frame of `simulate_sums.EFFECT`.
        folder: where it is kept.
    """

    quarter: Quarter
    file: str
    sha256: str
    law: str
    trust: str
    differences: tuple[Difference, ...]
    sums: Sums
    effect: pl.DataFrame
    folder: Place


@dataclass(frozen=True)
class Work:
    """One shard of declarations, as it travels to a worker process."""

    rows: Rows
    shard: int
    wanted: Wanted
    quarter: Quarter
    changes: Changes
    law: LawOptions
    reference: Reference


def run(quarter: Quarter, file: Path, settings: Settings) -> Simulation:
    """Compute a quarter under its law and under changed figures, and keep the effect in a folder.

    Args:
        quarter: the quarter.
        file: what is changed; see `contributions.simulation.file`.
        settings: those of the run.

    Raises:
        ChangeFault: the file asks for what cannot be changed so.
        NothingToRead: the file cannot be read, or the lake has no accepted declaration of the quarter.
        LakeProblem: there is no lake, it is damaged, or the disk of the results is full.
    """
    content = _content(file)
    name = re.sub(r"[^A-Za-z0-9_-]+", "-", file.stem)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise NothingToRead(f"{file} is not a text in UTF-8.", "Save it as UTF-8.") from None
    changes = read(text, quarter, file=str(file), name=name)
    folder = settings.out / FOLDER / f"{quarter.first_day.year}-{quarter.number}-{name}"
    with Lake.open(settings.lake) as lake, lake.one_state():
        reference = references(lake, [quarter.code]).get(quarter.code, NOTHING)
        verified(changes, quarter, **settings.law, reference=reference)
        _must_hold(lake, quarter)
        sums = _sums(lake, quarter, changes, reference, settings)
    result = Simulation(
        quarter,
        file.name,
        hashlib.sha256(content).hexdigest(),
        fingerprint(settings, reference),
        settings.trust,
        differences(changes, quarter, settings.trust, reference),
        sums,
        effect(sums),
        folder,
    )
    _keep(result, content)
    return result


def _content(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            content = opened.read(LARGEST + 1)
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        raise NothingToRead(f"{file} cannot be read: {reason}.", "Name a file of changes: --parameters FILE.") from None
    if len(content) > LARGEST:
        raise NothingToRead(f"{file} has more than {LARGEST:,} bytes: it is no file of changes.")
    return content


def _must_hold(lake: Lake, quarter: Quarter) -> None:
    held = lake.arrow("SELECT count(*) FROM lake.authentic.employer_declaration WHERE quarter = ?", [quarter.code])
    if not held.column(0)[0].as_py():
        raise NothingToRead(
            f"the lake holds no accepted declaration of {quarter}.", "Take some in first: dmfa ingest PATH..."
        )


def wanted(settings: Settings) -> dict[str, tuple[str, ...]]:
    """The tables and columns that the law reads, as far as the lake has them."""
    return {
        spec.name: tuple(name for name in columns_read(spec.name) if name in spec.arrow.names)
        for spec in history_tables(settings.xsd)
        if spec.name in TABLES
    }


def _sums(lake: Lake, quarter: Quarter, changes: Changes, reference: Reference, settings: Settings) -> Sums:
    """The sums of all declarations, computed shard by shard in the worker pool."""
    columns = wanted(settings)
    place = settings.out / FOLDER
    with taken(lake, quarter, columns, place, limit=SHARD_PERSONS, xsd=settings.xsd) as rows:
        items = [
            Work(rows, shard, columns, quarter, changes, settings.law, _of_shard(reference, rows, shard))
            for shard in rows.shards
        ]
        found: dict[int, Sums] = {}
        with (
            console.progress("simulating", len(items)) as advance,
            crew(settings, min(settings.workers, len(items)), reads=[settings.out], keep_memory=True) as workers,
        ):
            for position, sums in workers.run(simulated, items):
                found[position] = sums
                advance(1)
    return together([found[position] for position in sorted(found)])


def _of_shard(reference: Reference, rows: Rows, shard: int) -> Reference:
    """What is known of a quarter, as far as the employers of one shard need it."""
    key = "noss_registration_nbr"
    own = rows.frames(shard, {"employer_declaration": (key,)})["employer_declaration"].unique()
    return replace(
        reference,
        employers=reference.employers.join(own, on=key, how="semi"),
        used=reference.used.join(own, on=key, how="semi"),
    )


def simulated(work: Work) -> Sums:
    """Compute one shard under both laws, and add up."""
    tables = work.rows.frames(work.shard, work.wanted)
    found = simulate(tables, work.quarter, work.changes, **work.law, reference=work.reference)
    return of_shard(found, work.reference.employers.select("noss_registration_nbr", "importance"))


def _keep(result: Simulation, content: bytes) -> None:
    """Write everything into the folder of the simulation; it appears whole or not at all."""
    from flows.report.simulated import page  # templates are for who writes a page

    files = {
        "changes.yaml": content,
        "effect.json": json.dumps(_told(result), ensure_ascii=False, indent=1).encode() + b"\n",
        "effect.parquet": _parquet(result.effect),
        "employers.parquet": _parquet(employers(result.sums)),
        "report.html": page(result).encode(),
    }
    with border(result.folder):
        tidied(result.folder)
        draft = draft_of(result.folder)
        draft.mkdir(parents=True)
        for name, data in files.items():
            write_whole(draft / name, data, durable=False)
        put_in_place(draft, result.folder)


def _told(result: Simulation) -> dict[str, Any]:
    """The effect as JSON: amounts in integer cents."""
    groups: dict[str, list[Mapping[str, Any]]] = {}
    for row in result.effect.iter_rows(named=True):
        groups.setdefault(row.pop("grouping"), []).append(row)
    return {
        "simulation": result.file,
        "sha256": result.sha256,
        "quarter": str(result.quarter),
        "law": result.law,
        "trust": result.trust,
        "changed": [asdict(one) for one in result.differences],
        "employers": dict(employers(result.sums)["outcome"].value_counts().sort("outcome").iter_rows()),
        "groups": groups,
    }


def _parquet(rows: pl.DataFrame) -> bytes:
    file = BytesIO()
    rows.write_parquet(file)
    return file.getvalue()
