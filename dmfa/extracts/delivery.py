"""Deliveries: the files of one extract for one recipient and quarter, in place whole or not at all.

    OUT/extracts/2026-3/attestation/<recipient>/    natural_person.parquet ... attestation.xml manifest.json
    OUT/extracts/2026-3/attestation/<recipient>.2/  a delivery of changes, the second; or a full one since replaced

Files are written into a hidden folder beside their place, recorded in the lake, then moved in. A run that finds the
same data under the same authorisation in place leaves it alone. Nothing in a file comes from a clock: times are the
run's.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from dmfa.address import Place
from dmfa.errors import WrongUsage
from dmfa.extracts.authorisations import KEYS, PULL, Authorisation, Permit
from dmfa.extracts.changes import tables_of
from dmfa.extracts.delivered import Delivery, Run, place
from dmfa.extracts.draft import Draft, Work, Written, write
from dmfa.extracts.persons import persons_with_a_line
from dmfa.extracts.placing import alone, border, draft_of, intact
from dmfa.extracts.plan import FORMAT, Plan
from dmfa.extracts.quality import visible
from dmfa.extracts.rows import ReadableLake, state_of, taken, union
from dmfa.extracts.selection import extract_named
from dmfa.extracts.shape import Coding, Shape
from dmfa.extracts.signing import Signer
from dmfa.extracts.xml import FILE_BYTES, Envelope
from dmfa.quarter import Quarter

__all__ = ["Delivery", "Manner", "Run", "deliver", "deliver_all", "one_by_one", "place"]

SHARD = 50_000
"""Persons taken from the lake at once; only the memory used depends on it."""

_NOT_GIVEN = frozenset({"valid_from", "valid_to", "frequency", "legal_basis", "deliberation_date"})
"""Facts of an authorisation that leave no trace in a delivery: to prolong a row delivers nothing anew."""

_STATE = """
    SELECT declaration_id, count(*) AS rows, bit_xor(hash(natural_person_ordinal, version, status)) AS state
    FROM (
        SELECT declaration_id, natural_person_ordinal, version, status FROM lake.authentic.natural_person
        WHERE quarter = ?1
        UNION ALL SELECT declaration_id, -1, version, status FROM lake.authentic.employer_declaration WHERE quarter = ?1
    ) GROUP BY declaration_id ORDER BY declaration_id
"""
_WITH_A_LINE = "SELECT count(*), bit_xor(hash(declaration_id, natural_person_ordinal)) FROM"

Pool = Callable[[Callable[[Work], Written], Sequence[Work]], Iterator[tuple[int, Written]]]
"""Applies a function to items, and yields the position of each with its result, in any order."""


def one_by_one(function: Callable[[Work], Written], items: Sequence[Work]) -> Iterator[tuple[int, Written]]:
    """The pool that starts no process."""
    return enumerate(map(function, items))


@dataclass(frozen=True)
class Manner:
    """How files are given out.

    Attributes:
        file_bytes: bytes of attestations in a file of XML at most.
        signer: who signs every file; None where nobody does.
    """

    file_bytes: int = FILE_BYTES
    signer: Signer | None = None


PLAINLY: Final = Manner()


def deliver(
    lake: ReadableLake,
    quarter: Quarter,
    permit: Permit,
    out: Place,
    run: Run,
    *,
    record: Callable[[Delivery], None],
    shard: int = SHARD,
    manner: Manner = PLAINLY,
    xsd: Path | None = None,
) -> Delivery:
    """Write and put in place what one permit allows of a quarter: `deliver_all` of one."""
    ((_, delivery),) = deliver_all(
        lake, quarter, [permit], out, run, record=record, shard=shard, manner=manner, xsd=xsd
    )
    return delivery


def deliver_all(
    lake: ReadableLake,
    quarter: Quarter,
    permits: Sequence[Permit],
    out: Place,
    run: Run,
    *,
    record: Callable[[Delivery], None],
    pool: Pool = one_by_one,
    shard: int = SHARD,
    manner: Manner = PLAINLY,
    xsd: Path | None = None,
    codings: Mapping[str, Coding] | None = None,
) -> Iterator[tuple[int, Delivery]]:
    """Write and put in place what some permits allow of a quarter.

    Args:
        lake: a lake open for writing, so that it stays as it is meanwhile; only its authentic tables are read, which
            hold accepted declarations alone.
        quarter: the quarter.
        permits: leave to give one extract to one recipient, each.
        out: folder for all that is given out.
        run: the run.
        record: keeps the record of a delivery, just before it is put in place: `exchange.recorder`.
        pool: runs the writing of the drafts, in other processes if there is much to do.
        shard: persons taken from the lake at once.
        manner: how files are cut and signed.
        xsd: folder with further releases.
        codings: by authorisation, what makes the codes of its recipient; none where no extract gives codes.

    Yields:
        Position of a permit and its delivery, in place, in the order in which they are done.

    Raises:
        NotAuthorised: a permit does not list what would be written; nothing is written, for no one.
        WrongUsage: an authorisation asks for what no extract holds; likewise.
        LakeProblem: the lake cannot be read or a file not be written; what stood in place still does.
    """
    given_codes = codings or {}
    shapes = [
        extract_named(permit.authorisation.extract).shape(permit, xsd, given_codes.get(permit.authorisation.id))
        for permit in permits
    ]
    for permit, shape in zip(permits, shapes, strict=True):
        _deliverable(permit.authorisation, shape)
        for file_format in permit.authorisation.formats:
            permit.refuse_beyond(tables_of(shape, permit.authorisation), file_format)
    declarations = lake.arrow(_STATE, [quarter.code]).to_pydict()
    with ExitStack() as stack:
        plans: list[tuple[int, Plan]] = []
        for position, (permit, shape) in enumerate(zip(permits, shapes, strict=True)):
            folder = out / "extracts" / place(quarter, permit.authorisation)
            row = permit.authorisation
            wanted = extract_named(row.extract).reads(row, shape)
            draft = Draft(
                draft_of(folder), folder, permit, shape, wanted, Envelope("", run.at, quarter, manner.file_bytes)
            )
            facts = {
                "declarations": declarations,
                "directory": _directory(lake, quarter, row),
                "others": state_of(lake, quarter, wanted),
            }
            plan = Plan(out, run, _state(quarter, row, shape, facts), draft, manner.signer)
            stack.enter_context(alone(plan.folder))
            with border(plan.folder):
                last = plan.resumed(lake) if plan.row.gives_changes else None
                standing = plan.standing(last)
                if standing.get("state") == plan.state and intact(plan.place_of(last), standing):
                    yield position, plan.delivered(standing)
                    continue
                plan = plan.begun(standing, last)
                stack.callback(plan.dropped)
                plan.draft.folder.mkdir()
            plans.append((position, plan))
        if not plans:
            return
        everything = union(plan.draft.wanted for _, plan in plans)
        asked = (plan.row.directory for _, plan in plans)
        lines = [line for line in asked if line is not None]
        told = (visible(plan.row, plan.draft.shape) for _, plan in plans if plan.draft.shape.flags is not None)
        flagged = {table for seen in told for table, zones in seen.items() if zones}
        with taken(
            lake, quarter, everything, out / "extracts", limit=shard, inscriptions=lines, flagged=flagged, xsd=xsd
        ) as rows:
            work = [Work(plan.draft, rows, plan.known(lake, rows.folder)) for _, plan in plans]
            for number, written in pool(write, work):
                position, plan = plans[number]
                with border(plan.folder):
                    yield position, plan.finished(written, record)


def _directory(lake: ReadableLake, quarter: Quarter, row: Authorisation) -> list[int] | None:
    """Number and digest of the persons of a quarter with the line that a row asks for; None if it asks for none."""
    if row.directory is None:
        return None
    rows, values = persons_with_a_line(row.directory, quarter)
    return [column[0].as_py() for column in lake.arrow(f"{_WITH_A_LINE} {rows}", values).columns]


def _state(quarter: Quarter, row: Authorisation, shape: Shape, facts: dict[str, Any]) -> str:
    """Digest of all that a delivery follows from: versions of attestations, authorisation, columns, directory."""
    facts = {
        "format": FORMAT,
        "quarter": quarter.code,
        "authorisation": {name: value for name, value in asdict(row).items() if name not in _NOT_GIVEN},
        "columns": shape.columns,
        **({} if shape.coding is None else {"codes": [shape.coding.told, shape.coding.seal]}),
        **facts,
    }
    return sha256(json.dumps(facts, sort_keys=True, default=str).encode()).hexdigest()


def _deliverable(row: Authorisation, shape: Shape) -> None:
    """Refuse a way of delivery that an extract cannot have.

    Raises:
        WrongUsage: only what is asked for may be given, or the tables are not by attestation.
    """
    if row.delivery == PULL:
        raise WrongUsage(f"authorisation {row.id} gives what is asked for alone.", "Ask: dmfa extract --request FILE.")
    whole = all(KEYS[0] in columns for columns in shape.columns.values())
    if row.gives_changes and (not whole or extract_named(row.extract).of_year):
        raise WrongUsage(
            f"authorisation {row.id}: {row.extract} is not given by attestation, so it has no changes to give.",
            "Take `delivery` out of the row: all of it is given each time.",
        )
    if row.gives_changes and "xml" in row.formats and not shape.nested:
        raise WrongUsage(f"authorisation {row.id}: changes of {row.extract} are given as Parquet.", "Take xml out.")
