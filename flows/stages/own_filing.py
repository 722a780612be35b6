"""Filings of the institution's own: files by which declarations get new versions without any Form.

Such a file stands on the ledger like any other, by its digest, so that it takes effect once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, time
from itertools import pairwise
from typing import Any, Final

import polars as pl

from dmfa.answers import filing_ticket
from dmfa.errors import LakeProblem
from dmfa.lake import RECEIVED, Lake, Publication
from dmfa.reading.keys import filing_id
from dmfa.states import START, State, step
from flows.settings import Settings

_FILING, _STEPS = (next(spec for spec in RECEIVED if spec.name == name) for name in ("filing", "filing_state"))
_TAKEN: Final[tuple[State, ...]] = (START, "acknowledged", "accepted")


def own_filing(name: str, data: bytes, kind: str, settings: Settings, *, reason: str | None = None) -> dict[str, Any]:
    """A file as a row of received.filing, accepted.

    Args:
        name: name of the file.
        data: its bytes.
        kind: what it is, by which its versions are known in the account.
        settings: those of the run.
        reason: why it is there, where its kind does not tell.
    """
    sha256 = hashlib.sha256(data).hexdigest()
    now = datetime.now(UTC).replace(tzinfo=None, microsecond=0)
    received_at = datetime.combine(settings.received_on, time(12)) if settings.received_on_given else now
    return {
        "filing_id": filing_id(sha256),
        "sha256": sha256,
        "name": name,
        "size": len(data),
        "kind": kind,
        "ticket": filing_ticket(sha256),
        "state": "accepted",
        "declarations": 0,
        "refused": 0,
        "persons": 0,
        "received_at": received_at,
        "processed_at": now,
        "reason": reason,
    }


@contextmanager
def publishing(lake: Lake, filing: Mapping[str, Any], data: bytes) -> Iterator[Publication]:
    """The transaction in which such a file takes effect; when it fails, nothing is left of what was written.

    Args:
        lake: open for writing.
        filing: what `own_filing` returns.
        data: its bytes, which are kept.

    Raises:
        LakeProblem: the lake's disk is full or cannot be written.
    """
    lake.keep(filing["sha256"], data)
    try:
        with lake.transaction() as publication:
            yield publication
    except BaseException:
        with suppress(LakeProblem):  # what failed is the one to tell
            lake.sweep()
        raise


def put_filing(publication: Publication, filing: Mapping[str, Any], quarter: int | None) -> None:
    """Put such a file and the steps that it takes on the ledger.

    Args:
        publication: the running transaction.
        filing: what `own_filing` returns.
        quarter: newest quarter concerned, e.g. 20263; None for none.
    """
    # The tables of the ledger are files: rows that are inserted beside those would hide their texts from a query.
    publication.append_parts(_FILING, [pl.DataFrame([{**filing, "quarter": quarter}], infer_schema_length=None)])
    for before, after in pairwise(_TAKEN):
        step(before, after)
    own = {name: filing[name] for name in ("filing_id", "ticket")}
    decided = max(filing["received_at"], filing["processed_at"])
    moments = (filing["received_at"], *[decided] * (len(_TAKEN) - 1))
    steps = enumerate(zip(_TAKEN, moments, strict=True))
    rows = [{**own, "step": place, "state": state, "reached_at": at} for place, (state, at) in steps]
    publication.append_parts(_STEPS, [pl.DataFrame(rows)])
