"""What reading one filing gave."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from dmfa.reading.source import Found

JUDGED = "judged"
REFUSED = "refused"
NOT_PROCESSED = "not_processed"
UNREADABLE = "unreadable"

FILING_TYPES = {
    "filing_id": pl.Int64,
    "sha256": pl.String,
    "name": pl.String,
    "size": pl.Int64,
    "kind": pl.String,
    "quarter": pl.Int32,
    "release": pl.String,
    "state": pl.String,
    "well_formed": pl.Boolean,
    "schema_valid": pl.Boolean,
    "declarations": pl.Int32,
    "persons": pl.Int64,
}


@dataclass
class Filing:
    """What reading one filing gave.

    Attributes:
        found: where it was found.
        name: its name for reports.
        sha256: hexadecimal SHA-256, None if it is unreadable.
        filing_id: its key, None if it is unreadable.
        size: bytes, unpacked.
        kind: name of its root element, None if it is no official message.
        quarter: the newest quarter in it.
        release: file name of the release that judged it.
        state: judged (its declarations may still be refused one by one), refused (the whole of it), not_processed (a
            known message that this version does not read) or unreadable (no byte could be had: it is no filing).
        well_formed: whether it is well-formed XML without a DOCTYPE.
        schema_valid: whether its release finds it valid; None without a release.
        declarations: number of Forms.
        persons: number of persons, each as often as it stands there.
        warnings: plain lines that change no verdict.
        unreadable: why no byte could be had.
    """

    found: Found
    name: str
    sha256: str | None = None
    filing_id: int | None = None
    size: int = 0
    kind: str | None = None
    quarter: int | None = None
    release: str | None = None
    state: str = JUDGED
    well_formed: bool = False
    schema_valid: bool | None = None
    declarations: int = 0
    persons: int = 0
    warnings: tuple[str, ...] = ()
    unreadable: str | None = None
