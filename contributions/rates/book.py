"""The official rate files of one quarter, put together: what a computation takes beside the seed rates."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from io import BytesIO
from typing import Final

import polars as pl

from contributions.rates.official import SCHEMAS, Kind, RateFile
from contributions.trust import Trust
from dmfa.quarter import Quarter

KINDS: Final[tuple[Kind, ...]] = ("contribution_rate", "deduction_rate", "owedness")


@dataclass(frozen=True, slots=True)
class Source:
    """Where the rows of one kind were read.

    Attributes:
        kind: which rows.
        name: of the file.
        sha256: of its bytes.
        fictitious: whether its figures are invented.
    """

    kind: Kind
    name: str
    sha256: str
    fictitious: bool = False

    @property
    def words(self) -> str:
        """The source as a computed line tells it; an invented file is never called official."""
        return f"{'invented' if self.fictitious else 'official'} file {self.name}"

    @property
    def trust(self) -> Trust:
        """A for what was read officially; an invented figure never computes where A is asked for."""
        return "B" if self.fictitious else "A"


def _packed(rows: pl.DataFrame) -> bytes:
    file = BytesIO()
    rows.write_ipc(file, compression="zstd")
    return file.getvalue()


def _unpacked(quarter: Quarter, sources: tuple[Source, ...], *packed: bytes) -> RateBook:
    return RateBook(quarter, sources, *(pl.read_ipc(BytesIO(rows)) for rows in packed))


@dataclass(frozen=True, eq=False)
class RateBook:
    """Official rates, ceilings and combinations of a quarter; two books of the same files are equal.

    Attributes:
        sources: at most one for each kind.
        contribution_rate, deduction_rate, owedness: frames of `official.SCHEMAS`; empty where there is no such file.
        digest: of the quarter and the files.
    """

    quarter: Quarter
    sources: tuple[Source, ...]
    contribution_rate: pl.DataFrame
    deduction_rate: pl.DataFrame
    owedness: pl.DataFrame
    digest: str = field(init=False)

    def __post_init__(self) -> None:
        told = sorted(f"{source.kind} {source.name} {source.sha256} {source.fictitious}" for source in self.sources)
        digest = hashlib.sha256("\n".join([str(self.quarter), *told]).encode()).hexdigest()
        object.__setattr__(self, "digest", digest)

    @classmethod
    def of(cls, files: Iterable[RateFile]) -> RateBook:
        """The book of some files of one quarter, at most one of each kind.

        Raises:
            ValueError: there is none, or they are of several quarters.
        """
        by_kind = {file.kind: file for file in files}
        (quarter,) = {file.quarter for file in by_kind.values()}
        sources = [Source(file.kind, file.name, file.sha256, file.fictitious) for file in by_kind.values()]
        rows = {kind: by_kind[kind].rows if kind in by_kind else pl.DataFrame(schema=SCHEMAS[kind]) for kind in KINDS}
        return cls(quarter, tuple(sources), **rows)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RateBook) and self.digest == other.digest

    def __hash__(self) -> int:
        return hash(self.digest)

    def __reduce__(self) -> tuple[object, ...]:
        """To another process in compressed columns: a worker is handed what repeats itself a thousand times."""
        return _unpacked, (self.quarter, self.sources, *(_packed(self.rows(kind)) for kind in KINDS))

    def source(self, kind: Kind) -> Source | None:
        """Where the rows of a kind were read; None where there is no such file."""
        return next((source for source in self.sources if source.kind == kind), None)

    def rows(self, kind: Kind) -> pl.DataFrame:
        """The rows of a kind."""
        return {"contribution_rate": self.contribution_rate, "deduction_rate": self.deduction_rate}.get(
            kind, self.owedness
        )
