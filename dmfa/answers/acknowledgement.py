"""ACRF: the acknowledgement that every filing gets.

It says whether the file could be received, not whether its declarations are accepted: each of those gets a NOTI.
"""

from __future__ import annotations

from datetime import datetime

from dmfa.answers.markup import block, document, elements, envelope
from dmfa.answers.zones import ACRF
from dmfa.reading.transmissions import NAME_WRONG

KIND = "ACRF"

RECEPTION_CODES = {
    "empty": "ACRF-134",
    "encoding": "ACRF-138",
    "too_large": "ACRF-184",
    "not_dmfa": "90169-089",
}
"""Kind of refusal to ErrorID: numbers of annex 30, or the code of the root element in the catalogue of anomalies."""

UNREADABLE = "ACRF-135"
"""ErrorID of all else: what is in the file cannot be read as its schema says."""


def acknowledgement(name: str, ticket: str, received_at: datetime, refusal: str | None = None, words: str = "") -> str:
    """Write an ACRF.

    Args:
        name: name of the filing.
        ticket: the ticket given to it.
        received_at: moment of receipt, which the answer bears as its own, so that it is always the same.
        refusal: kind of refusal, or reception code, if the file could not be received; None if it could.
        words: plain words for the reader, as a comment.
    """
    reference = elements((("FileName", name), ("ReferenceOrigin", "2"), ("ReferenceNbr", ticket)))
    error = None if refusal is None or refusal == NAME_WRONG else _code(refusal)
    result = elements((("ResultCode", "1" if refusal is None else "0"), ("ErrorID", error)))
    form = envelope("ACRF001", received_at) + block("FileReference", reference) + block("ReceptionResult", result)
    return document(ACRF, words or None, form)


def _code(refusal: str) -> str:
    """The ErrorID of a kind of refusal; what its transmission is refused for is told by the code itself."""
    return refusal if refusal.startswith("ACRF-") else RECEPTION_CODES.get(refusal, UNREADABLE)
