"""One delivery: what it is of, where it stands, what its manifest says."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from dmfa.address import Place
from dmfa.extracts.authorisations import Authorisation
from dmfa.quarter import Quarter


@dataclass(frozen=True)
class Run:
    """The run that delivers.

    Attributes:
        id: its identifier.
        at: its time, with zone: that of the data, so that a rerun on the same data writes the same bytes.
        snapshot: number of the lake's state that it reads.
        as_of: the moment that was asked for, where that is not the newest state.
    """

    id: str
    at: datetime
    snapshot: int
    as_of: datetime | None = None


@dataclass(frozen=True)
class Delivery:
    """One delivery.

    Attributes:
        run: the run.
        quarter: quarter given.
        authorisation: the row that it rests on.
        out: folder for all that is given out.
        ticket: ticket of the communication, a UUID that follows from data, authorisation and the delivery before.
        changed: whether anything was delivered; False when the same stood in place.
        manifest: content of its manifest.json.
        persons: file with attestation, version and inss of everybody in it, while it is being recorded.
        rejects: file of those for the queue of rejects, likewise; None where none is kept.
    """

    run: Run
    quarter: Quarter
    authorisation: Authorisation
    out: Place
    ticket: str
    changed: bool
    manifest: dict[str, Any] = field(repr=False)
    persons: Place | None = field(default=None, repr=False, compare=False)
    rejects: Place | None = field(default=None, repr=False, compare=False)

    @property
    def extract(self) -> str:
        """Name of the extract."""
        return self.authorisation.extract

    @property
    def recipient(self) -> str:
        """Short name of the recipient."""
        return self.authorisation.recipient.name

    @property
    def place(self) -> str:
        """Its folder, relative to OUT/extracts."""
        return place(self.quarter, self.authorisation, int(self.manifest.get("number", 0)))

    @property
    def folder(self) -> Place:
        """Its folder."""
        return self.out / "extracts" / self.place

    @property
    def attestations(self) -> int:
        """Number of attestations in it."""
        return int(self.manifest["attestations"])

    @property
    def not_integrated(self) -> int:
        """Number of attestations left out, because the recipient has no line of the person in the directory."""
        return int(self.manifest.get("directory", {}).get("not_integrated", 0))


def place(quarter: Quarter, authorisation: Authorisation, number: int = 0) -> str:
    """Folder of a delivery, relative to OUT/extracts; a delivery of changes is told apart by its number."""
    which = f".{number}" if number and authorisation.gives_changes else ""
    return f"{quarter.year}-{quarter.number}/{authorisation.extract}/{authorisation.recipient.name}{which}"


def told_of(row: Authorisation) -> dict[str, str]:
    """What a manifest tells of the authorisation that a delivery rests on."""
    return {
        "recipient": row.recipient.name,
        "supplier": row.supplier.name,
        "authorisation": row.id,
        "deliberation": row.deliberation,
        "purpose": row.purpose,
        "retention": row.retention,
    }
