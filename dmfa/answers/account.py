"""The account message: by how much a correction changes what the employer owes, in overviews as BEWARE has them.

Of the official message it keeps the blocks about what was processed. It holds no report on what was booked, since
nothing is booked here, and no contact persons or addresses, which are not known.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import polars as pl

from dmfa.answers.changed_blocks import OF_NSSO, OF_SENDER, Part
from dmfa.answers.changes import steps_of
from dmfa.answers.columnwise import (
    answer_rows,
    documents,
    element,
    escaped,
    joined,
    reference,
    tickets,
    wrapped,
    zone,
)
from dmfa.answers.tickets import account_ticket, changes_ticket
from dmfa.answers.zones import ACCOUNT, kinds
from dmfa.corrections.differences import STEP
from dmfa.corrections.shape import Corrections

KIND = "BEWA"
"""Subject of the file, as in its name; the letters are this program's own."""

OVERVIEW = {
    "declaration_id": pl.Int64,
    "version": pl.Int16,
    "kind": pl.String,
    "employer_class": pl.String,
    "worker_code": pl.String,
    "code": pl.String,
    "type": pl.Int64,
    "workers": pl.Int64,
    "basis_cents": pl.Int64,
    "amount_cents": pl.Int64,
}
"""Columns of a frame of overviews: what one version of a declaration changes, by contribution and deduction.

`kind` is 'contribution', 'deduction' or 'compensation'. `code` is the worker code of the contribution, the code of the
deduction or that of the compensation. A contribution that is tied to no person has no worker code. Amounts are changes,
in cents: more than nothing to the benefit of the NSSO, so that a deduction more is less than nothing.
"""

_STEP = ("declaration_id", STEP)
_FROM = {OF_NSSO: "01", OF_SENDER: "02"}
"""Where a correction comes from (zone 00871)."""

_WITHOUT_EMPLOYER = "05"
"""Why it was made (zone 00536, annex 40): decided without the employer."""

_NOT_BOOKED = "0"

_UNRELATED: Final = pl.col("worker_code").is_null()
_BLOCKS: Final[Mapping[str, tuple[pl.Expr, Mapping[str, str]]]] = {
    "WorkerContAccountingOverview": (
        (pl.col("kind") == "contribution") & ~_UNRELATED,
        {
            "EmployerClass": "employer_class",
            "WorkerCode": "worker_code",
            "ContributionWorkerCode": "code",
            "ContributionType": "type",
            "NbrOfWorkersInvolved": "workers",
            "SignedContributionCalcBasis": "basis_cents",
            "SignedContributionAmount": "amount_cents",
        },
    ),
    "DeductionAccountingOverview": (
        pl.col("kind") == "deduction",
        {
            "EmployerClass": "employer_class",
            "WorkerCode": "worker_code",
            "DeductionCode": "code",
            "NbrOfWorkersInvolved": "workers",
            "SignedDeductionCalcBasis": "basis_cents",
            "SignedDeductionAmount": "amount_cents",
        },
    ),
    "EmployerCompensationOverview": (
        pl.col("kind") == "compensation",
        {"CompensationCode": "code", "SignedCompensationAmount": "amount_cents"},
    ),
    "CUNPAccountingOverview": (
        (pl.col("kind") == "contribution") & _UNRELATED,
        {
            "EmployerClass": "employer_class",
            "UnrelatedWorkerCode": "code",
            "SignedCUNPCalcBasis": "basis_cents",
            "SignedCUNPAmount": "amount_cents",
        },
    ),
}
"""The overviews in their order: which rows each takes, and which column fills which zone."""


def accounts(
    filings: pl.DataFrame, corrections: Corrections, applied: pl.DataFrame, overview: pl.DataFrame
) -> pl.DataFrame:
    """Tell what each correction that was applied changes in the account.

    Args:
        filings: rows of received.filing: filing_id, sha256, received_at.
        corrections: the Forms.
        applied: form_id, declaration_id, version: the declaration that each corrected, and the version that it made.
        overview: columns of `OVERVIEW`; a version without any changes nothing.

    Returns:
        Columns of `dmfa.answers.ANSWER_SCHEMA`, one row per applied Form, in the order of its filing; no result.
    """
    return _written(steps_of(filings, corrections, applied), overview, OF_SENDER)


def system_accounts(steps: pl.DataFrame, overview: pl.DataFrame) -> pl.DataFrame:
    """Tell what the NSSO's own corrections change in the account.

    Args:
        steps: as for `dmfa.answers.changes.system_changes`.
        overview: columns of `OVERVIEW`.

    Returns:
        Columns of `dmfa.answers.ANSWER_SCHEMA`, one row per declaration, in their order; no result.
    """
    return _written(steps, overview, OF_NSSO)


def _written(steps: pl.DataFrame, overview: pl.DataFrame, part: Part) -> pl.DataFrame:
    changed = overview.rename({"version": STEP})
    rows = steps.join(
        changed.group_by(_STEP).agg(pl.col("amount_cents").sum()), on=_STEP, how="left", maintain_order="left"
    )
    for label, (mine, zones) in _BLOCKS.items():
        own = changed.filter(mine).sort(*_STEP, *zones.values())
        signed = [
            zone(ACCOUNT, name, _signed(pl.col(column)) if name.startswith("Signed") else pl.col(column))
            for name, column in zones.items()
        ]
        texts = joined(own.select(*_STEP, text=wrapped(label, *signed)), _STEP, label)
        rows = rows.join(texts, on=_STEP, how="left", maintain_order="left")
    amount = _signed(pl.col("amount_cents").fill_null(0))
    number, company = (
        kinds(ACCOUNT)[label].texts(pl.col(column)).fill_null("0")
        for label, column in (("NOSSRegistrationNbr", "noss_registration_nbr"), ("CompanyID", "company_id"))
    )
    information = wrapped(
        "DmfAInformation",
        element("DmfATicketNbr", pl.col("ticket")),
        element("DmfANotTicketNbr", tickets(rows, changes_ticket)),
        element("DmfANotAmount", amount),
        wrapped(
            "SubGroupInformation",
            element("SubGroup", pl.lit(part.number)),
            element("UserQuality", pl.lit(part.quality)),
            element("Justification", escaped(pl.col("justification"))),
            *(pl.col(label).fill_null("") for label in _BLOCKS),
        ),
    )
    section = wrapped(
        "ProcessedCorrectionsSection",
        element("Quarter", pl.col("quarter").cast(pl.String)),
        element("ContributionTotalAmount", amount),
        element("AccountUpdateReportParticipation", pl.lit(_NOT_BOOKED)),
        information,
    )
    told = wrapped(
        "BewareInformation",
        element("NOSSRegistrationNbr", number),
        element("CompanyID", company),
        element("ProcessingDate", pl.col("received_at").dt.date().cast(pl.String)),
        element("UserQualityClass", pl.lit(_FROM[part])),
        element("JustificationCode", pl.lit(_WITHOUT_EMPLOYER if part is OF_NSSO else None, pl.String)),
        wrapped("ProcessedCorrectionsReport", section),
    )
    ticket = reference("1", "2", tickets(rows, account_ticket))
    return answer_rows(rows, "form_id", KIND, documents(ACCOUNT, "BEWARE", rows["received_at"], ticket, told))


def _signed(cents: pl.Expr) -> pl.Expr:
    """Cents with their sign."""
    return pl.when(cents >= 0).then(pl.format("+{}", cents)).otherwise(cents.cast(pl.String))
