"""The tables of what is received and of the authentic history; those of the exchange stand in `dmfa.lake.exchange`.

Tables of the law (schemas computed and reference) are described by who computes them and passed in.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pyarrow as pa

from dmfa.lake.spec import COUNT, DAY, LONG, TEXT, TIME, TableSpec, spec

_FILING = spec(
    "received",
    "filing",
    "One row per file ever received: the ledger",
    (
        ("filing_id", LONG, "First 63 bits of the file's SHA-256"),
        ("sha256", TEXT, "SHA-256 of the bytes received, hexadecimal; of what was turned away at reception, of why"),
        ("name", TEXT, "Name of the file as received"),
        ("size", LONG, "Bytes received"),
        ("kind", TEXT, "Kind of message"),
        ("quarter", COUNT, "Newest quarter declared in it, yyyyq; null when unreadable"),
        ("schema_release", TEXT, "XSD it was validated against"),
        ("ticket", TEXT, "Ticket given to it, 13 characters"),
        ("state", TEXT, "accepted, refused or not_processed"),
        ("reason", TEXT, "Why it was refused or not processed"),
        ("declarations", COUNT, "Declarations in it"),
        ("refused", COUNT, "Declarations refused"),
        ("persons", LONG, "Natural persons in it"),
        ("received_at", TIME, "When it was received"),
        ("processed_at", TIME, "When its verdict was given"),
    ),
)
_FORM = spec(
    "received",
    "form",
    "One row per declaration, accepted or refused, and per correction of one",
    (
        ("declaration_id", LONG, "First 63 bits of SHA-256 over the file's SHA-256 and the Form's index"),
        ("filing_id", LONG, "Filing it came from"),
        ("form_index", COUNT, "Place of the Form in the file, from 0"),
        ("quarter", COUNT, "00013 Quarter, yyyyq"),
        ("noss_registration_nbr", LONG, "00011 NSSO registration number"),
        ("company_id", LONG, "00014 Enterprise number"),
        ("state", TEXT, "accepted or refused; of a correction applied, refused or waiting"),
        ("identification", TEXT, "00296 Identification of the form"),
        ("form_creation_date", DAY, "00218 Day of creation"),
        ("form_creation_hour", TEXT, "00299 Hour of creation"),
        ("attestation_status", TEXT, "00110 Status of the attestation"),
        ("type_form", TEXT, "00297 Type of form"),
        ("reference_type", TEXT, "Type of the sender's reference"),
        ("reference_origin", TEXT, "Origin of the sender's reference"),
        ("reference_nbr", TEXT, "The sender's reference"),
        ("ticket", TEXT, "Ticket given to it, 13 characters"),
        ("net_owed_amount", LONG, "00015 Net owed amount as declared (cents)"),
    ),
)
_FILING_STATE = spec(
    "received",
    "filing_state",
    "One row per step that a filing, or a declaration in it, has taken",
    (
        ("filing_id", LONG, "Filing"),
        ("declaration_id", LONG, "Declaration; null for a step of the file as a whole"),
        ("step", pa.int16(), "Number of the step, from 0: receipt"),
        ("state", TEXT, "received, acknowledged, refused, accepted_open, accepted, corrected or not_processed"),
        ("ticket", TEXT, "Ticket of the filing or the declaration; of a step corrected, that of the correction"),
        ("reached_at", TIME, "When it was reached"),
    ),
)
_ANOMALY = spec(
    "received",
    "anomaly",
    "One row per anomaly found",
    (
        ("filing_sha256", TEXT, "SHA-256 of the file, hexadecimal"),
        ("filing_id", LONG, "Filing it was found in"),
        ("declaration_id", LONG, "Declaration it was found in; null for the file as a whole"),
        ("quarter", COUNT, "Quarter of the declaration, yyyyq"),
        ("block", TEXT, "Number of the block"),
        ("block_keys", TEXT, "Ordinals that lead to the block"),
        ("zone", TEXT, "Number of the zone"),
        ("code", TEXT, "Official code of the anomaly"),
        ("severity", TEXT, "Class of the anomaly"),
        ("seen_value", TEXT, "Value found, masked where personal"),
        ("message", TEXT, "The anomaly in words"),
        ("path", TEXT, "XPath with positions"),
        ("line", COUNT, "Line of the file, from 1"),
    ),
)
_ANSWER = spec(
    "received",
    "answer",
    "One row per answer sent back",
    (
        ("filing_id", LONG, "Filing answered"),
        ("declaration_id", LONG, "Declaration answered; null for an answer to the whole file"),
        ("kind", TEXT, "Kind of answer"),
        ("name", TEXT, "Name of its file; null, and not sent, as long as the correction that it answers waits"),
        ("result", TEXT, "Result code"),
        ("content", TEXT, "The answer as sent"),
    ),
)
_CORRECTION = spec(
    "received",
    "correction",
    "One row per Form of a correction: what became of it",
    (
        ("filing_id", LONG, "Filing it came from"),
        ("form_id", LONG, "The Form: its declaration_id in received.form"),
        ("quarter", COUNT, "00013 Quarter, yyyyq"),
        ("employer_declaration_pid", LONG, "00534 Identifier of the declaration to correct, as the Form tells it"),
        ("declaration_id", LONG, "Declaration corrected; null while none is known"),
        ("version", pa.int16(), "Version of the declaration that it made; null unless applied"),
        ("state", TEXT, "applied, refused or waiting"),
        ("codes", TEXT, "Official codes that refused it, with a space between; null unless refused"),
        ("received_at", TIME, "When its filing was received"),
        ("applied_at", TIME, "When it was applied; null unless applied"),
    ),
)
_PLACE = spec(
    "received",
    "correction_place",
    "Where a block of a Form of a correction stands in the declaration; of Forms with anomalies of class P or NP",
    (
        ("form_id", LONG, "The Form: its declaration_id in received.form; of a version of no Form the declaration"),
        ("quarter", COUNT, "00013 Quarter, yyyyq"),
        ("declaration_id", LONG, "Declaration corrected"),
        ("version", pa.int16(), "Version of the declaration that the Form made"),
        ("block", TEXT, "Label of the block in the Form, as in received.anomaly"),
        ("place", COUNT, "Ordinal of the block in the Form"),
        ("natural_person_ordinal", COUNT, "Person in the declaration; null for a block of no person"),
        ("ordinal", COUNT, "Ordinal of the block's row of that version in schema history; 0 for the declaration"),
    ),
)
META = spec(
    "received",
    "meta",
    "What the lake says about itself",
    (("key", TEXT, "Name of the fact"), ("value", TEXT, "The fact")),
)

REPLACED = spec(
    "history",
    "replaced",
    "One row per row of a unit in history that is no longer in force: what replaced it, and when",
    (
        ("quarter", COUNT, "00013 Quarter, yyyyq"),
        ("declaration_id", LONG, "Declaration"),
        (
            "unit",
            TEXT,
            "Table of the unit: a line with all below it, a person, a vehicle, the declaration itself, ...",
        ),
        ("ordinal", COUNT, "Ordinal of the unit in the declaration; 0 for the declaration itself"),
        ("version", pa.int16(), "Version of the row that is replaced"),
        ("ended_by", pa.int16(), "Version of the declaration that replaced it"),
        ("filing_id", LONG, "Filing that replaced it"),
        ("known_until", TIME, "When that filing was received"),
    ),
    partitioned=True,
)

RECEIVED = (_FILING, _FORM, _FILING_STATE, _ANOMALY, _ANSWER, _CORRECTION, _PLACE, META)


@cache
def history_tables(folder: Path | None = None) -> tuple[TableSpec, ...]:
    """The tables of declared blocks, over all releases of the XSD at hand.

    Args:
        folder: a folder with further releases.
    """
    from dmfa.schema import lake_tables  # reads every XSD: only who creates or fills a lake needs it

    return tuple(
        TableSpec(
            "history",
            table.name,
            table.arrow_schema,
            table.comment,
            {column.name: column.comment for column in table.columns},
            partitioned=True,
        )
        for table in lake_tables(folder)
    )
