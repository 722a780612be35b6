"""A part of an invented quarter: the filings of some employers, one after the other, and their truth."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from dmfa.quarter import Quarter
from dmfa.synth.declaration import Declaration
from dmfa.synth.draws import mix
from dmfa.synth.employer import Employer, employer
from dmfa.synth.faults import FAULTS, apply
from dmfa.synth.figures import Figures
from dmfa.synth.giant import GIANT_STAFF, write_giant
from dmfa.synth.law import Law
from dmfa.synth.payroll import prepare
from dmfa.synth.people import LARGEST_STAFF
from dmfa.synth.sample_packing import tarred, zipped
from dmfa.synth.tally import Tally
from dmfa.synth.truth import Collector, Expected, Filing
from dmfa.synth.unfinished import is_kept, keep
from dmfa.synth.updates import spoil
from dmfa.synth.writer import created
from dmfa.synth.xml import document

MILLION: Final = 1_000_000
LATER: Final = "later"
"""Folder of what is sent after a refusal or an acceptance; its name comes after all others in the order of filings."""

UPDATE: Final = "_update"
"""What the name of a correction ends with."""

_SALT_FAULT: Final = 41
_SALT_REPEATED: Final = 42
_SALT_CORRECTED: Final = 43
_SALT_UPDATED: Final = 45
_STYLES: Final = 3
# Sender numbers of FI. names; each kind of repetition has its own, which comes later in the order of names.
_SENDERS: Final = {"": 700_000, "_copy": 710_000, "_second": 720_000, LATER: 730_000, UPDATE: 740_000}
_FILES_OF_A_SENDER: Final = 99_999
_CORRECTED_AFTER: Final = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Options:
    """How an invented quarter is made.

    Attributes:
        largest: most workers of one employer.
        workers: as many workers for every employer; by default few have many, half have at most three.
        first: number of the first employer in the invented country.
        faulty_per_million: how many filings in a million have a fault.
        faults: which faults; all by default.
        repeated_per_million: how many good filings in a million are sent twice: half of them byte for byte under
            another name, half as a second original in other bytes.
        corrected_per_million: how many refused filings in a million are sent anew without the fault.
        updated_per_million: how many employers in a million declare something wrong that a correction of the accepted
            declaration puts right.
        fi_names: names as files are sent (`FI.DMFA...`) in place of `<quarter>_<employer>.xml`.
        archived: most filings of an archive, .zip and .tar.gz by turns; none by default.
        per_folder: employers whose filings share a folder; all lie in one by default, and so do archives.
    """

    largest: int = LARGEST_STAFF
    workers: int | None = None
    first: int = 0
    faulty_per_million: int = 0
    faults: tuple[str, ...] = ()
    repeated_per_million: int = 0
    corrected_per_million: int = 0
    updated_per_million: int = 0
    fi_names: bool = False
    archived: int = 0
    per_folder: int = 0

    def plan(self) -> dict[str, Any]:
        """These options as JSON can hold them."""
        return {**asdict(self), "faults": list(self.faults)}


@dataclass(frozen=True, slots=True)
class Part:
    """Some employers of a quarter: `start` up to `end`, not included, with about so many workers."""

    quarter: Quarter
    seed: int
    out: Path
    options: Options
    number: int
    start: int
    end: int
    workers: int


def finished(part: Part) -> bool:
    """Whether a part was made before."""
    return is_kept(part.out, part.number)


def make_part(part: Part) -> int:
    """Write the filings of a part and keep their truth; returns how many bytes."""
    collecting = gc.isenabled()
    # Nothing here refers to itself in a circle: counting references frees it all, and looking for circles takes time.
    gc.disable()
    try:
        return _make(part)
    finally:
        if collecting:
            gc.enable()


@lru_cache(maxsize=4)
def _law(quarter: Quarter) -> Law:
    return Law(Figures.of(quarter))


def _make(part: Part) -> int:
    law, collector, target = _law(part.quarter), Collector(), _Target(part)
    for index in range(part.start, part.end):
        who = employer(part.seed, index, part.options.largest, exact_size=part.options.workers)
        if (part.options.workers or who.usual_size) >= GIANT_STAFF:
            # A giant is never faulty, repeated or in an archive: for that the whole of it would have to be in memory.
            name = target.name(Declaration(part.quarter, who))
            path = target.path(name)
            write_giant(path, part.seed, who, law, collector=collector, count=part.options.workers, name=name)
            target.bytes += path.stat().st_size
            continue
        for filing in _filings(part, who, law, target):
            target.put(filing)
            collector.add(filing)
    target.close()
    keep(part.out, part.number, collector.tables())
    return target.bytes


class _Target:
    """Where the filings of a part go, and under which names."""

    def __init__(self, part: Part) -> None:
        self._part = part
        self._members: dict[str, bytes] = {}
        self._archives = 0
        self._folders: set[Path] = set()
        self.bytes = 0

    def name(self, declaration: Declaration, kind: str = "") -> str:
        """Name of a declaration's file below the folder of the quarter.

        Args:
            declaration: what is in it.
            kind: `_copy`, `_second`, `later` or `_update`; empty for the first filing of an employer.
        """
        part, index = self._part, declaration.employer.index
        if part.options.fi_names:
            sender, number = divmod(index, _FILES_OF_A_SENDER)
            day, subject = created(declaration)[0], "DMWA" if kind == UPDATE else "DMFA"
            name = f"FI.{subject}.{_SENDERS[kind] + sender:06d}.{day:%Y%m%d}.{number + 1:05d}.R.1.1"
        else:
            name = f"{part.quarter.code}_{index:06d}{'' if kind == LATER else kind}.xml"
        if kind in (LATER, UPDATE):
            return f"{LATER}/{name}"
        if part.options.per_folder:
            return f"{(index - part.options.first) // part.options.per_folder:04d}/{name}"
        return name

    def archived(self, name: str) -> str:
        """The name by which a receiver knows a filing: in an archive, that of the archive goes before."""
        if not self._part.options.archived or name.startswith(f"{LATER}/"):
            return name
        if len(self._members) >= self._part.options.archived:
            self.close()
        return f"{self._archive()}/{Path(name).name}"

    def path(self, name: str) -> Path:
        """The file of a name; its folder is made."""
        path = self._part.out / name
        if path.parent not in self._folders:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._folders.add(path.parent)
        return path

    def put(self, filing: Filing) -> None:
        """Write a filing, or hold it for its archive."""
        self.bytes += len(filing.content)
        archive, _, member = filing.name.rpartition("/")
        if archive == self._archive():
            self._members[member] = filing.content
        else:
            self.path(filing.name).write_bytes(filing.content)

    def close(self) -> None:
        """Write the archive, if one is open."""
        if not self._members:
            return
        name = self._archive()
        packed = zipped(self._members) if name.endswith(".zip") else tarred(self._members)
        self.path(name).write_bytes(packed)
        self._members = {}
        self._archives += 1

    def _archive(self) -> str:
        ending = ("zip", "tar.gz")[(self._part.number + self._archives) % 2]
        return f"{self._part.quarter.code}-{self._part.number:05d}-{self._archives:03d}.{ending}"


def _filings(part: Part, who: Employer, law: Law, target: _Target) -> Iterator[Filing]:
    """What one employer sends: one filing, and by the options it once more or another one after a refusal."""
    options = part.options
    declaration = prepare(part.seed, who, part.quarter, law, options.workers)
    draw = mix(_SALT_UPDATED, part.seed, who.index, part.quarter.code)
    update = spoil(declaration, part.seed, law) if draw % MILLION < options.updated_per_million else None
    if update is not None:
        yield _good(target.archived(target.name(declaration)), declaration)
        yield Filing(target.name(declaration, UPDATE), update.document(), update=update)
        return
    filing = _faulty(part, declaration, target) or _good(target.archived(target.name(declaration)), declaration)
    yield filing
    if not filing.expected.fault:
        draw = mix(_SALT_REPEATED, part.seed, who.index, part.quarter.code)
        if draw % MILLION < options.repeated_per_million:
            yield _repeated(filing, declaration, target, second=draw // MILLION % 2 == 1)
    elif filing.expected.verdict == "refused":
        draw = mix(_SALT_CORRECTED, part.seed, who.index, part.quarter.code)
        if draw % MILLION < options.corrected_per_million:
            right = prepare(part.seed, who, part.quarter, law, options.workers)
            right.made_on = created(right)[0] + _CORRECTED_AFTER
            yield _good(target.name(right, LATER), right)


def _good(name: str, declaration: Declaration) -> Filing:
    tallies = [Tally()]
    return Filing(name, document([declaration], tallies), [declaration], tallies)


def _faulty(part: Part, declaration: Declaration, target: _Target) -> Filing | None:
    """A filing with a fault, where one is drawn."""
    draw = mix(_SALT_FAULT, part.seed, declaration.employer.index, part.quarter.code)
    if draw % MILLION >= part.options.faulty_per_million:
        return None
    name = target.archived(target.name(declaration))
    chosen = part.options.faults or tuple(FAULTS)
    place = draw // MILLION % len(chosen)
    # A declaration may have nothing that can go wrong in the way drawn: then the next way is tried.
    return next(filter(None, (apply(fault, declaration, name) for fault in (*chosen[place:], *chosen[:place]))), None)


def _repeated(first: Filing, declaration: Declaration, target: _Target, *, second: bool) -> Filing:
    """A filing once more: the same bytes under another name, or a second original as another program writes it."""
    if not second:
        return Filing(target.archived(target.name(declaration, "_copy")), first.content, same_bytes_as=first.name)
    style = (declaration.employer.style + 1) % _STYLES
    tallies = [Tally()]
    content = document([declaration], tallies, style)
    name = target.archived(target.name(declaration, "_second"))
    return Filing(
        name, content, [declaration], tallies, Expected("second_original", "refused", ("90007-006",), refused=(0,))
    )
