"""A request: what a recipient asks for is looked up, given as far as its authorisation goes, and logged."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from dmfa.errors import LakeProblem
from dmfa.extracts import Authorisation, Denied, Permit, Refusal, Run, can_be_a_name, record_refusals
from dmfa.extracts.pull import Answered, answer
from dmfa.extracts.request import read_request
from dmfa.lake import Lake
from dmfa.reading.names import PRODUCTION
from flows import console
from flows.settings import Settings
from flows.stages.extract import inscribed, manner_of, moment, register
from flows.stages.tables import COMPUTED


def run(file: Path, settings: Settings) -> Answered:
    """Answer a request.

    Args:
        file: the request, CSV or XML.
        settings: those of the run.

    Raises:
        NothingToRead: the file cannot be read.
        WrongUsage: it is not a request, or the file of authorisations is not what it must be.
        NotAuthorised: the row that it names does not open what it asks for; the refusal is logged.
        LakeProblem: the lake is busy, full or damaged, or holds tests.
    """
    request = read_request(file)
    rows, manner = register(settings), manner_of(settings)
    with Lake.open(settings.lake, write=True, extra_tables=COMPUTED, wait_seconds=settings.lake_wait) as lake:
        if (environment := lake.environment()) != PRODUCTION:
            raise LakeProblem(f"nothing is given: the lake holds tests (environment {environment}).")
        state = Run(f"request-{lake.snapshot_id()}", moment(lake), lake.snapshot_id())
        try:
            row = _row(rows, request.authorisation)
            permit = Permit(row, settings.received_on, inscribed(lake, rows))
            return answer(
                lake,
                request,
                permit,
                settings.out,
                state,
                clock=lambda: datetime.now(UTC),
                signer=manner.signer,
                xsd=settings.xsd,
            )
        except Denied as denied:
            quarter = max(line.last for line in request.asked)
            record_refusals(lake, quarter, state.id, datetime.now(UTC), denied.refusals, asked=True)
            raise


def _row(rows: Sequence[Authorisation], name: str) -> Authorisation:
    """The row of the register that a request names."""
    for row in rows:
        if row.id == name:
            return row
    reason = f"the register has no row {name}" if can_be_a_name(name) else "it names a row that nothing can have"
    raise Denied(
        f"the request is not answered: {reason}.",
        "Name its row, and the file of authorisations: --authorisations FILE.",
        [Refusal(None, None, reason)],
    )


def show(answered: Answered) -> None:
    """Tell what was answered."""
    told = answered.manifest
    console.say(f"answer: {answered.folder}" + ("" if answered.changed else " (in place already)"))
    console.say(
        f"control: {told['lines']:,} lines asked; {told['attestations']:,} attestations told and logged;"
        f" {told['no_data_found']:,} lines without data (NO_DATA_FOUND); {told['not_integrated']:,} not integrated"
    )
