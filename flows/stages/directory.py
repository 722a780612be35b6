"""Import of the reference directory of persons: a whole one, or changes to the one that stands."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import polars as pl
import pyarrow as pa

from dmfa.errors import LakeProblem, NothingToRead, WrongUsage
from dmfa.extracts import load
from dmfa.extracts.directory import CHANGES, COLUMNS, DIRECTORY, PLACE, known_sectors, lines, overlapping
from dmfa.extracts.directory_changes import IMPORT, Line, applied, changes
from dmfa.extracts.placing import digest
from dmfa.lake import ItemWriter, Lake
from dmfa.lake.location import NUMBERS, listed
from flows import console
from flows.settings import Settings
from flows.stages.reference import REFERENCE
from flows.stages.tables import COMPUTED

Kind = Literal["persons", "person-changes"]


@dataclass(frozen=True)
class Imported:
    """What an import did.

    Attributes:
        kind: of what.
        read: lines or changes read.
        sectors: those that they are of.
        changed: whether the lake holds another directory than before.
    """

    kind: Kind
    read: int
    sectors: tuple[str, ...]
    changed: bool


def run(path: Path, kind: Kind, settings: Settings) -> Imported:
    """Import a directory, which takes the place of what stands of the same sectors, or changes to what stands.

    Args:
        path: CSV or Parquet; see `dmfa.extracts.directory` and `dmfa.extracts.directory_changes`.
        kind: persons: a whole directory of some sectors; person-changes: changes.
        settings: those of the run. Sectors that its file of authorisations names are known too.

    Raises:
        NothingToRead: the file cannot be read.
        WrongUsage: a row is not what it should be, two periods of one line overlap, or a change does not fit;
            nothing is taken then.
        LakeProblem: the lake is busy, full, damaged or newer than the program.
    """
    try:
        sha256 = digest(path)
    except OSError as trouble:
        reason = (trouble.strerror or "unreadable").lower()
        raise NothingToRead(f"{path} cannot be read: {reason}.", f"Columns: {', '.join(COLUMNS)}.") from None
    sectors = _sectors(settings)
    with Lake.open(
        settings.lake,
        write=True,
        create=True,
        extra_tables=(*COMPUTED, *REFERENCE),
        wait_seconds=settings.lake_wait,
        xsd=settings.xsd,
    ) as lake:
        work = _replace if kind == "persons" else _change
        return work(lake, path, sha256, sectors, settings)


def show(found: Imported, settings: Settings) -> None:
    """Report an import."""
    state = "new in the lake" if found.changed else "there already"
    what = "lines" if found.kind == "persons" else "changes"
    of = "sector" if len(found.sectors) == 1 else "sectors"
    console.say(f"control: {found.read:,} {what} read, of {of} {', '.join(found.sectors)}; {state}; {settings.lake}")


def _sectors(settings: Settings) -> set[str]:
    """The network's sectors that are known, and those that the register names."""
    rows = load(settings.authorisations, settings.xsd) if settings.authorisations else []
    named = {row.recipient.sector for row in rows} | {row.directory.sector for row in rows if row.directory}
    return {*known_sectors(), *(sector for sector in named if sector)}


def _replace(lake: Lake, path: Path, sha256: str, sectors: set[str], settings: Settings) -> Imported:
    held: set[str] = set()
    with ItemWriter(lake.location, "directory", [DIRECTORY]) as writer:
        for frame in lines(path, sectors):
            held.update(frame["sector"].unique())
            writer.append(DIRECTORY.key, frame.drop(PLACE))
        manifest = writer.close(())
    rows, of = manifest.rows(DIRECTORY.key), tuple(sorted(held))
    try:
        with lake.transaction() as publication:
            changed = publication.replace(DIRECTORY, manifest.files, among=("sector", of))
            if changed:
                _refuse_overlaps(lake, path, sectors, of, rows)
                told = {"operation": IMPORT, "sector": ",".join(of), PLACE: rows}
                publication.append(CHANGES, _journal(lake, [told], path, sha256, settings))
    except BaseException:
        with suppress(LakeProblem):  # what refused it is the one to tell
            lake.sweep()
        raise
    return Imported("persons", rows, of, changed)


def _change(lake: Lake, path: Path, sha256: str, sectors: set[str], settings: Settings) -> Imported:
    asked = changes(path, sectors)
    of = tuple(sorted({change.sector for change in asked}))
    before = lake.arrow("SELECT count(*) FROM lake.exchange.directory_change WHERE sha256 = ?", [sha256])
    if before.column(0)[0].as_py():
        return Imported("person-changes", len(asked), of, changed=False)
    persons = sorted({change.inss for change in asked})
    columns = ", ".join(COLUMNS)
    sql = f"SELECT {columns} FROM lake.exchange.directory WHERE inss IN {NUMBERS}"  # noqa: S608 - our own names
    found = lake.arrow(sql, [listed(persons)])
    standing = [Line(*row) for row in zip(*(column.to_pylist() for column in found.columns), strict=True)]
    then, steps = applied(path, standing, asked)
    rows = pl.DataFrame(list(map(vars, then)), schema=pl.DataFrame(DIRECTORY.arrow.empty_table()).schema)
    with lake.transaction() as publication:
        publication.replace(DIRECTORY, rows, among=("inss", persons))
        publication.append(CHANGES, _journal(lake, [step.row() for step in steps], path, sha256, settings))
    return Imported("person-changes", len(asked), of, changed=True)


def _journal(lake: Lake, rows: Sequence[dict[str, Any]], path: Path, sha256: str, settings: Settings) -> pa.Table:
    first = lake.arrow("SELECT coalesce(max(number) + 1, 0) FROM lake.exchange.directory_change").column(0)[0].as_py()
    told = {"applied_on": settings.received_on, "file": path.name, "sha256": sha256}
    made = [{"number": first + place, **told, **row} for place, row in enumerate(rows)]
    return pa.Table.from_pylist(made, CHANGES.arrow)


def _refuse_overlaps(lake: Lake, path: Path, sectors: set[str], of: tuple[str, ...], rows: int) -> None:
    key = overlapping(lake.arrow, of, rows)
    if key is None:
        return
    # The lake keeps no places of lines: they are looked for in the file once more.
    same = pl.all_horizontal(pl.col(name) == value for name, value in key.items())
    found = [place for frame in lines(path, sectors) for place in frame.filter(same)[PLACE]]
    raise WrongUsage(
        f"{path}, lines {', '.join(map(str, found[:10]))}: periods of one person at one institution under one quality"
        " share a day.",
        "Nothing of the file was taken; correct it and import it again.",
    )
