"""IDFLUX: tells an employer that the number of one of its workers, or its own, is replaced by another one."""

from __future__ import annotations

from datetime import datetime

import polars as pl

from dmfa.answers.filings import ANSWER_SCHEMA
from dmfa.answers.markup import block, document, elements, envelope
from dmfa.answers.tickets import replacement_ticket
from dmfa.answers.zones import REPLACEMENT, kinds

KIND = "IDFL"
"""Subject of the file, as in its name."""

ZONES = {"inss": "INSS", "noss_registration_nbr": "NOSSRegistrationNbr"}
"""Kinds of numbers that the message has a zone for; an enterprise number is none of them."""


def replacements(filing_id: int, sha256: str, received_at: datetime, told: pl.DataFrame) -> pl.DataFrame:
    """Write a message for every employer and number replaced.

    Args:
        filing_id: the file of replacements.
        sha256: its SHA-256, hexadecimal.
        received_at: when it was received, which the messages bear as their own.
        told: kind ('inss' or 'noss_registration_nbr'), old, new, effective (a day), reason (90 to 93), and the employer
            as known now: noss_registration_nbr, company_id.

    Returns:
        Columns of `dmfa.answers.ANSWER_SCHEMA`, a row for each row of `told`; they answer no declaration.
    """
    zones = kinds(REPLACEMENT)
    rows = []
    for place, row in enumerate(told.iter_rows(named=True)):
        label = ZONES[row["kind"]]
        own = (("ReferenceType", "1"), ("ReferenceOrigin", "2"), ("ReferenceNbr", replacement_ticket(sha256, place)))
        employer = (
            ("NOSSRegistrationNbr", zones["NOSSRegistrationNbr"].text(row["noss_registration_nbr"] or None)),
            ("CompanyID", zones["CompanyID"].text(row["company_id"]) or "0"),
        )
        content = (
            elements((("JustificationCode", row["reason"]), ("EffectiveStartingDate", row["effective"].isoformat())))
            + block("EmployerId", elements(employer))
            + block("ValidSituation", elements(((label, zones[label].text(row["new"])),)))
            + block("OutdatedSituation", elements(((label, zones[label].text(row["old"])),)))
        )
        head = envelope("IDFLUX", received_at, type_form="SU") + block("Reference", elements(own))
        rows.append(
            (filing_id, None, KIND, None, document(REPLACEMENT, None, head + block("IdfluxInformation", content)))
        )
    return pl.DataFrame(rows, schema=ANSWER_SCHEMA, orient="row")
