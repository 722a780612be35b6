"""What will become a delivery: its ticket and number, its manifest, its record, and its way into place."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from functools import cache
from importlib.metadata import version
from typing import Any

from dmfa.address import Place
from dmfa.extracts.authorisations import Authorisation
from dmfa.extracts.changes import Before, Known, before, known
from dmfa.extracts.delivered import Delivery, Run, place, told_of
from dmfa.extracts.draft import Draft, Written
from dmfa.extracts.placing import cleared, manifest_in, put_in_place, tidied
from dmfa.extracts.retention import last_day
from dmfa.extracts.rows import ReadableLake
from dmfa.extracts.signing import Signer, closed
from dmfa.extracts.xml import NAMESPACE, schema_of
from dmfa.quarter import Quarter
from dmfa.schema import MESSAGE, newest

FORMAT = 5
"""Raised when the same data would give other files: everything is then delivered anew."""


@dataclass(frozen=True)
class Plan:
    """What will become a delivery.

    Attributes:
        out: folder for all that is given out.
        run: the run.
        state: digest of all that it follows from.
        draft: what is to be written.
        signer: who signs every file; None where nobody does.
        last: what stands recorded of its row and quarter; None where everything is given each time.
        number: number of the delivery among those of its row and quarter.
        recorded: whether it stands in the lake, so that its draft must not be lost.
    """

    out: Place
    run: Run
    state: str
    draft: Draft
    signer: Signer | None = None
    last: Before | None = None
    number: int = 1
    recorded: list[bool] = field(default_factory=list)

    @property
    def quarter(self) -> Quarter:
        """The quarter given."""
        return self.draft.envelope.quarter

    @property
    def folder(self) -> Place:
        """Its place; deliveries of changes stand beside it."""
        return self.draft.place

    @property
    def row(self) -> Authorisation:
        """The row that it rests on."""
        return self.draft.permit.authorisation

    def resumed(self, lake: ReadableLake) -> Before:
        """Put a delivery of changes in place that a killed run recorded and no more; tell what stands recorded."""
        draft, last = self.draft.folder, before(lake, self.quarter, self.row)
        left = manifest_in(draft)
        if left and left["ticket"] == last.ticket:
            put_in_place(draft, self.place_of(last))
        else:
            cleared(draft)
        return last

    def place_of(self, last: Before | None) -> Place:
        """Where the last delivery stands."""
        return self.folder if last is None else self.out / "extracts" / place(self.quarter, self.row, last.number)

    def standing(self, last: Before | None) -> dict[str, Any]:
        """Manifest of the last delivery in place; what a killed run left is cleared."""
        return tidied(self.folder) if last is None else manifest_in(self.place_of(last))

    def begun(self, standing: dict[str, Any], last: Before | None) -> Plan:
        """With the ticket and number that follow from what was delivered before."""
        if last is None:
            ticket = _ticket(self.state, str(standing.get("ticket", "")), same=standing.get("state") == self.state)
            number = int(standing.get("number", 1)) + (ticket != standing["ticket"]) if standing else 1
        else:
            ticket, number = _ticket(self.state, last.ticket), last.number + 1
        envelope = replace(self.draft.envelope, ticket=ticket)
        return replace(self, draft=replace(self.draft, envelope=envelope), last=last, number=number)

    def known(self, lake: ReadableLake, folder: Place) -> Known | None:
        """What its recipient was given before; None where everything is given."""
        return None if self.last is None else known(lake, self.quarter, self.row, self.last, folder)

    def delivered(self, manifest: dict[str, Any]) -> Delivery:
        """What stands in place already."""
        ticket = str(manifest["ticket"])
        return Delivery(self.run, self.quarter, self.row, self.out, ticket, changed=False, manifest=manifest)

    def finished(self, written: Written, record: Callable[[Delivery], None]) -> Delivery:
        """Sign and record what was written, then put it in place."""
        draft, ticket = self.draft.folder, self.draft.envelope.ticket
        manifest = self._manifest(written)
        beside = written.persons, written.rejects
        delivery = Delivery(self.run, self.quarter, self.row, self.out, ticket, True, manifest, *beside)
        if self.last is not None and not written.attestations:
            return replace(delivery, changed=False, persons=None, rejects=None)
        closed(draft, manifest, self.signer)
        record(delivery)
        self.recorded.append(True)
        put_in_place(draft, delivery.folder)
        return replace(delivery, persons=None, rejects=None)

    def dropped(self) -> None:
        """Remove the draft; one of changes that stands recorded is put in place by the next run."""
        if not (self.recorded and self.row.gives_changes):
            cleared(self.draft.folder)

    def _manifest(self, written: Written) -> dict[str, Any]:
        """What a recipient needs to check a delivery."""
        row = self.row
        release = newest(MESSAGE)
        coding, kept = self.draft.shape.coding, last_day(self.run.at.date(), row.retention)
        kept = kept if row.research is None else min(kept, row.research.destroy_by)
        asked = None if row.directory is None else {**asdict(row.directory), "not_integrated": written.not_integrated}
        return {
            "extract": row.extract,
            "quarter": str(self.quarter),
            **told_of(row),
            "keep_until": kept.isoformat(),
            "ticket": self.draft.envelope.ticket,
            "sent_at": self.run.at.isoformat(),
            "snapshot": self.run.snapshot,
            **({} if self.run.as_of is None else {"as_of": self.run.as_of.isoformat()}),
            "state": self.state,
            "versions": {
                "program": _program(),
                "format": FORMAT,
                "structure": release.name if release else "",
                "xml": schema_of(self.draft.shape),
            },
            "delivery": row.delivery,
            "number": self.number,
            **({} if self.last is None else {"follows": self.last.ticket or None, "changes": written.changes}),
            "attestations": written.attestations,
            **({} if asked is None else {"directory": asked}),
            **({} if coding is None else {"codes": coding.told}),
            "tables": {name: asdict(count) for name, count in written.tally.items()},
            "filtered": list(self.draft.shape.filtered),
            "files": written.files,
        }


@cache
def _program() -> str:
    return f"dmfa {version('dmfa')}"


def _ticket(state: str, ticket_before: str, *, same: bool = False) -> str:
    """The ticket before if the data is the same, else one that follows from the data and that ticket."""
    return ticket_before if same else str(uuid.uuid5(uuid.NAMESPACE_URL, f"{NAMESPACE}/{state}/{ticket_before}"))
