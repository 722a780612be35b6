"""Import of the official quarterly rate files: read, compared with what stands, put into the reference tables."""

from __future__ import annotations

import re
import tempfile
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from contributions.rates.book import KINDS, RateBook
from contributions.rates.markup import RateFileRefused
from contributions.rates.official import LAYOUTS, Kind, RateFile, kind_of, read_rate_file
from dmfa.errors import NothingToRead, UnknownQuarter, WrongUsage
from dmfa.lake import Lake, Publication
from dmfa.quarter import Quarter
from dmfa.reading.archive import ArchiveRefused, members, read_member
from dmfa.reading.limits import MIB, Limits
from flows.settings import Settings
from flows.stages import reference
from flows.stages.tables import COMPUTED

LIMITS = Limits(filing_bytes=128 * MIB, archive_bytes=1024 * MIB, members=1_000)
"""Bounds on a rate file and its archive; the largest seen has some ten megabytes."""

_ARCHIVE = re.compile(r"dmfa_rate_(?P<year>\d{4})_(?P<number>\d{1,2})(?:_[^/]*)?\.zip", re.IGNORECASE)
"""Name of an archive as published."""


@dataclass(frozen=True)
class Received:
    """A rate file as received: its name without folder, its bytes, and the quarter that its archive's name tells."""

    name: str
    data: bytes
    archive: str = ""


@dataclass
class ImportedQuarter:
    """What an import did for one quarter.

    Attributes:
        files: those read.
        changed: kinds of which the lake holds other rows than before.
        stood: the files that stood before, by kind.
        earlier: what the lake held of this quarter before, if anything.
        before: what it holds now of the quarter before, if anything.
        declarations: whether the lake holds declarations of the quarter, whose amounts are to be computed anew.
    """

    quarter: Quarter
    files: list[RateFile]
    changed: list[Kind] = field(default_factory=list)
    stood: Mapping[Kind, str] = field(default_factory=dict)
    earlier: RateBook | None = None
    before: RateBook | None = None
    declarations: bool = False


def run(path: Path, settings: Settings) -> list[ImportedQuarter]:
    """Import the rate files at a path; all of them or, where one is refused, none.

    Args:
        path: a zip as published, a folder with such zips or the files in them, or one such file.
        settings: those of the run.

    Returns:
        What came of it, by quarter.

    Raises:
        NothingToRead: there is nothing at the path, or it cannot be read.
        UnknownQuarter: there is no rate file, or one is refused.
        WrongUsage: the figures are invented, and the lake holds official ones of that quarter.
        LakeProblem: the lake is busy, full, damaged or newer than the program.
    """
    quarters = _by_quarter(path, [(one, _read(one)) for one in _received(path)])
    data = {file.sha256: one.data for files in quarters.values() for one, file in files}
    with Lake.open(
        settings.lake,
        write=True,
        create=True,
        extra_tables=(*COMPUTED, *reference.REFERENCE),
        wait_seconds=settings.lake_wait,
        xsd=settings.xsd,
    ) as lake:
        found = [_known(lake, quarter, [file for _, file in files]) for quarter, files in sorted(quarters.items())]
        if any(one.changed for one in found):
            for one in found:
                for file in one.files:
                    if file.kind in one.changed:
                        lake.keep(file.sha256, data[file.sha256])
            with lake.transaction() as publication:
                for one in found:
                    _put(lake, publication, one, settings)
        for one in found:
            one.before = reference.book(lake, one.quarter.before.code)
        return found


def _received(path: Path) -> list[Received]:
    """The rate files at a path, their bytes in memory."""
    try:
        if path.is_dir():
            inside = sorted(entry for entry in path.iterdir() if entry.is_file())
            zips = [one for entry in inside if _ARCHIVE.fullmatch(entry.name) for one in _zipped(entry)]
            found = [Received(entry.name, entry.read_bytes()) for entry in inside if kind_of(entry.name)] + zips
        elif path.suffix.lower() == ".zip":
            found = list(_zipped(path))
        else:
            found = [Received(path.name, path.read_bytes())]
    except OSError as trouble:
        raise NothingToRead(
            f"{path} cannot be read: {(trouble.strerror or type(trouble).__name__).lower()}.",
            "Name the zip of rate files as published, its folder, or one of its files.",
        ) from None
    if not found:
        names = ", ".join(f"{layout.prefix}_*.xml" for layout in LAYOUTS.values())
        raise UnknownQuarter(f"{path} holds no rate file.", f"Expected one or more of {names}.")
    return found


def _zipped(path: Path) -> Iterator[Received]:
    """The rate files in a zip; others are left alone."""
    try:
        with tempfile.TemporaryDirectory(prefix="dmfa-") as spool:
            home, inside = members(path, Path(spool), LIMITS)
            for member in sorted(inside):
                name = member.name.replace("\\", "/").rpartition("/")[2]
                if kind_of(name):
                    yield Received(name, read_member(home, member, LIMITS), path.name)
    except (ArchiveRefused, zipfile.BadZipFile, EOFError) as trouble:
        why = str(trouble) if isinstance(trouble, ArchiveRefused) else "it is no zip, or damaged"
        raise NothingToRead(f"{path} cannot be read: {why}.", "Fetch it again and name it unchanged.") from None


def _read(one: Received) -> RateFile:
    """Read a file; one that lies in the archive of another quarter is refused."""
    file = read_rate_file(one.name, one.data)
    archive = _ARCHIVE.fullmatch(one.archive)
    if archive and (int(archive["year"]), int(archive["number"])) != (file.quarter.year, file.quarter.number):
        raise RateFileRefused(one.name, f"it is of {file.quarter}, its archive {one.archive} of another quarter")
    return file


def _by_quarter(
    path: Path, files: Iterable[tuple[Received, RateFile]]
) -> dict[Quarter, list[tuple[Received, RateFile]]]:
    """Files by their quarter, of each kind one; the same bytes twice are one file."""
    found: dict[Quarter, list[tuple[Received, RateFile]]] = {}
    for one, file in files:
        own = found.setdefault(file.quarter, [])
        twins = [other for _, other in own if other.kind == file.kind]
        if any(other.sha256 != file.sha256 for other in twins):
            prefix = LAYOUTS[file.kind].prefix
            raise WrongUsage(f"{path} holds two files {prefix} of {file.quarter}.", "Name the one that shall count.")
        if not twins:
            own.append((one, file))
    return found


def _known(lake: Lake, quarter: Quarter, files: list[RateFile]) -> ImportedQuarter:
    """What stands in the lake of a quarter, and what of it these files change."""
    earlier = reference.book(lake, quarter.code)
    held = {kind: None if earlier is None else earlier.source(kind) for kind in KINDS}
    changed: list[Kind] = []
    for file in files:
        stands = held[file.kind]
        if stands is not None and (stands.sha256, stands.name) == (file.sha256, file.name):
            continue
        if stands is not None and file.fictitious and not stands.fictitious:
            raise WrongUsage(
                f"the figures of {file.name} are invented, and the lake holds {stands.words} of {quarter}.",
                "Nothing was imported. Use another lake to try things out: --lake LAKE.",
            )
        changed.append(file.kind)
    counted = lake.arrow("SELECT count(*) FROM lake.authentic.employer_declaration WHERE quarter = ?", [quarter.code])
    stood = {kind: source.name for kind, source in held.items() if source is not None}
    return ImportedQuarter(quarter, files, changed, stood, earlier, declarations=counted.column(0)[0].as_py() > 0)


def _put(lake: Lake, publication: Publication, found: ImportedQuarter, settings: Settings) -> None:
    """Put the changed files of a quarter in the place of those that stood."""
    code = found.quarter.code
    files = [file for file in found.files if file.kind in found.changed]
    if not files:
        return
    for file in files:
        rows = file.rows.with_columns(quarter=pl.lit(code, dtype=pl.Int32))
        publication.replace(reference.RATES[file.kind], rows, quarter=code)
    standing = lake.frames("reference", [reference.RATE_FILE.name], quarter=code)[reference.RATE_FILE.name]
    others = standing.filter(~pl.col("kind").is_in(found.changed))
    in_force = pl.concat([others, _told(files, settings)], how="diagonal_relaxed")
    publication.replace(reference.RATE_FILE, in_force, quarter=code)


def _told(files: Sequence[RateFile], settings: Settings) -> pl.DataFrame:
    """Rows of reference.rate_file."""
    return pl.DataFrame(
        [
            {
                "quarter": file.quarter.code,
                "kind": file.kind,
                "name": file.name,
                "sha256": file.sha256,
                "size": file.size,
                "created_on": file.created_on,
                "fictitious": file.fictitious,
                "rows": file.rows.height,
                "further": file.further or None,
                "imported_on": settings.received_on,
            }
            for file in files
        ],
        schema_overrides={"quarter": pl.Int32, "further": pl.String},
    )
