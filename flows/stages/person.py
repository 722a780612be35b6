"""`dmfa person`: the right of access: what is held of a person, and all that was communicated about them.

The answer is logged before it is given. The person's number is in the answer alone: in no message, ticket, file name
or row but those of the log that say whom a communication was about.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, TextIO

import click

from dmfa.errors import LakeProblem, WrongUsage
from dmfa.extracts.communications import LEGAL_BASIS, about, new_ticket, record_access
from dmfa.extracts.directory import known_sectors
from dmfa.extracts.exchange import GIVEN, naive
from dmfa.extracts.holdings import Attestation, attestations, directory_lines, numbers_of
from dmfa.extracts.suspicions import suspicions
from dmfa.identifiers import insz_text
from dmfa.lake import Lake
from flows.report import own
from flows.settings import Settings
from flows.stages.exchange_log import plain
from flows.stages.explain import person as number_of
from flows.stages.tables import COMPUTED


def asked(words: str, given: TextIO | None = None) -> int:
    """The number of the person asked for: as written, else as typed without being shown, else from standard input.

    Args:
        words: the number; `-` or nothing reads it elsewhere.
        given: where it is read; standard input unless told.

    Raises:
        WrongUsage: it is no number of a person; the message does not repeat it.
    """
    source = given or sys.stdin
    if not words and source.isatty():
        words = click.prompt("Number of the person (not shown)", hide_input=True)
    return number_of(words or "-", source, what="this")


def run(
    inss: int,
    settings: Settings,
    *,
    page: Path | None = None,
    as_json: bool = False,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> int:
    """Tell all that the lake holds of a person, and log that it was told.

    Args:
        inss: number of the person.
        settings: where the lake is.
        page: file for a page; None for standard output.
        as_json: one JSON object, instead of tables.
        clock: tells the moment.

    Returns:
        Exit code 0.

    Raises:
        WrongUsage: nothing is held of the person, or the page's file stands there or holds the number in its name.
        LakeProblem: there is no lake, or it cannot be read or written: then nothing is told.
    """
    if page is not None and insz_text(inss) in re.sub(r"\D", "", str(page)):
        raise WrongUsage("the name of the page's file holds the person's number.", "Give it another name.")
    with Lake.open(
        settings.lake, write=True, extra_tables=COMPUTED, wait_seconds=settings.lake_wait, xsd=settings.xsd
    ) as lake:
        at, ticket = clock(), new_ticket()
        with lake.one_state():
            held = attestations(lake, inss, xsd=settings.xsd)
            facts = _facts(lake, inss, held)
        if not any(facts.values()):
            raise WrongUsage("nothing is held of this person in this lake.", "Check the number.")
        answer = {"ticket": ticket, "at": naive(at), "legal_basis": LEGAL_BASIS, **facts}
        text = json.dumps(answer, ensure_ascii=False, default=plain)
        with _opened(page) as file:
            digest = sha256(text.encode()).hexdigest()
            record_access(lake, inss, ticket, at, held, state=lake.snapshot_id(), sha256=digest)
            if file is not None:
                file.writelines(own.page(answer))
    if as_json:
        sys.stdout.write(text + "\n")
    elif page is None:
        own.show(answer)
    else:
        own.said(page)
    return 0


def _facts(lake: Lake, inss: int, held: list[Attestation]) -> dict[str, list[dict[str, Any]]]:
    """What is told, as plain data."""
    numbers = {one.number for one in held}
    known = numbers_of(lake, inss)
    log = sorted((row for number in known for row in about(lake, number)), key=lambda row: row["at"])
    lines = [line for number in known for line in directory_lines(lake, number)]
    sectors = known_sectors()
    return {
        "attestations": [_attestation(one) for one in held],
        "directory": [{**line, "name": sectors.get(line["sector"])} for line in lines],
        "communications": [row for row in log if row["result"] == GIVEN],
        "refused": [row for row in log if row["result"] != GIVEN],
        "suspicions": [
            {"ticket": one.ticket, "state": one.state, **{name: one.facts[name] for name in _DOUBTED}}
            for one in suspicions(lake)
            if one.facts["attestation"] in numbers
        ],
    }


_DOUBTED = ("attestation", "version", "zone_path", "recipient", "explanation", "motive", "opened_at", "closed_at")


def _attestation(one: Attestation) -> dict[str, Any]:
    return {
        "attestation": one.number,
        "quarter": one.quarter,
        "in_force": one.in_force is not None,
        "versions": [vars(version) for version in one.versions],
        "owed_and_not_declared": list(one.not_declared),
    }


@contextmanager
def _opened(page: Path | None) -> Iterator[TextIO | None]:
    """A new file that its owner alone may read; it is removed when what is to be written into it fails."""
    if page is None:
        yield None
        return
    try:
        handle = os.open(page, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        raise WrongUsage(f"{page} is there already.", "Name a new file.") from None
    except OSError as error:
        raise WrongUsage(f"{page} cannot be made: {(error.strerror or 'unknown').lower()}.", "Name another.") from None
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            yield file
    except BaseException as error:
        page.unlink(missing_ok=True)
        if isinstance(error, OSError):
            reason = (error.strerror or "unknown").lower()
            raise LakeProblem(
                f"the page {page} could not be written: {reason}.", "Make room, then ask again."
            ) from None
        raise
