"""The tables of the lake: what is received, the authentic history and the exchange.

Tables of the law (schemas computed and reference) are described by who computes them and passed in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path

import pyarrow as pa

SCHEMAS = ("received", "history", "authentic", "computed", "reference", "exchange")

CANCELLED = 3
"""Status (zone 100003) of a row that is no longer in force."""

LISTED = pa.dictionary(pa.int32(), pa.large_string())
"""Texts as numbers of a list."""

_TEXT = pa.string()
_LONG = pa.int64()
_COUNT = pa.int32()
_DAY = pa.date32()
_TIME = pa.timestamp("us")

_Columns = tuple[tuple[str, pa.DataType, str], ...]


@dataclass(frozen=True)
class TableSpec:
    """One table of the lake.

    Attributes:
        schema: one of SCHEMAS, except authentic.
        name: the table's name.
        arrow: columns in order, with their types.
        comment: what a row is.
        comments: what a column holds, by name.
        partitioned: one folder per quarter; then no row is without a quarter.
        listed: text columns that hold a few texts again and again; their rows come as numbers of a list of texts.
    """

    schema: str
    name: str
    arrow: pa.Schema
    comment: str = ""
    comments: Mapping[str, str] = field(default_factory=dict, hash=False)
    partitioned: bool = False
    listed: frozenset[str] = frozenset()

    @property
    def key(self) -> str:
        """Schema and name, as people write the table."""
        return f"{self.schema}.{self.name}"

    @cached_property
    def handed_over(self) -> pa.Schema:
        """The columns as they are written: texts counted in 64 bits, as Polars does, or as numbers of a list."""
        wide = [field.with_type(pa.large_string()) if field.type == _TEXT else field for field in self.arrow]
        return pa.schema([field.with_type(LISTED) if field.name in self.listed else field for field in wide])


def _spec(schema: str, name: str, comment: str, columns: _Columns, *, partitioned: bool = False) -> TableSpec:
    arrow = pa.schema([pa.field(column, type_) for column, type_, _ in columns])
    return TableSpec(schema, name, arrow, comment, {column: words for column, _, words in columns}, partitioned)


_FILING = _spec(
    "received",
    "filing",
    "One row per file ever received: the ledger",
    (
        ("filing_id", _LONG, "First 63 bits of the file's SHA-256"),
        ("sha256", _TEXT, "SHA-256 of the bytes received, hexadecimal; of what was turned away at reception, of why"),
        ("name", _TEXT, "Name of the file as received"),
        ("size", _LONG, "Bytes received"),
        ("kind", _TEXT, "Kind of message"),
        ("quarter", _COUNT, "Newest quarter declared in it, yyyyq; null when unreadable"),
        ("schema_release", _TEXT, "XSD it was validated against"),
        ("ticket", _TEXT, "Ticket given to it, 13 characters"),
        ("state", _TEXT, "accepted, refused or not_processed"),
        ("reason", _TEXT, "Why it was refused or not processed"),
        ("declarations", _COUNT, "Declarations in it"),
        ("refused", _COUNT, "Declarations refused"),
        ("persons", _LONG, "Natural persons in it"),
        ("received_at", _TIME, "When it was received"),
        ("processed_at", _TIME, "When its verdict was given"),
    ),
)
_FORM = _spec(
    "received",
    "form",
    "One row per declaration, accepted or refused",
    (
        ("declaration_id", _LONG, "First 63 bits of SHA-256 over the file's SHA-256 and the Form's index"),
        ("filing_id", _LONG, "Filing it came from"),
        ("form_index", _COUNT, "Place of the Form in the file, from 0"),
        ("quarter", _COUNT, "00013 Quarter, yyyyq"),
        ("noss_registration_nbr", _LONG, "00011 NSSO registration number"),
        ("company_id", _LONG, "00014 Enterprise number"),
        ("state", _TEXT, "accepted or refused"),
        ("identification", _TEXT, "00296 Identification of the form"),
        ("form_creation_date", _DAY, "00218 Day of creation"),
        ("form_creation_hour", _TEXT, "00299 Hour of creation"),
        ("attestation_status", _TEXT, "00110 Status of the attestation"),
        ("type_form", _TEXT, "00297 Type of form"),
        ("reference_type", _TEXT, "Type of the sender's reference"),
        ("reference_origin", _TEXT, "Origin of the sender's reference"),
        ("reference_nbr", _TEXT, "The sender's reference"),
        ("ticket", _TEXT, "Ticket given to it, 13 characters"),
        ("net_owed_amount", _LONG, "00015 Net owed amount as declared (cents)"),
    ),
)
_FILING_STATE = _spec(
    "received",
    "filing_state",
    "One row per step that a filing, or a declaration in it, has taken",
    (
        ("filing_id", _LONG, "Filing"),
        ("declaration_id", _LONG, "Declaration; null for a step of the file as a whole"),
        ("step", pa.int16(), "Number of the step, from 0: receipt"),
        ("state", _TEXT, "received, acknowledged, refused, accepted_open, accepted, corrected or not_processed"),
        ("ticket", _TEXT, "Ticket of the filing or the declaration"),
        ("reached_at", _TIME, "When it was reached"),
    ),
)
_ANOMALY = _spec(
    "received",
    "anomaly",
    "One row per anomaly found",
    (
        ("filing_sha256", _TEXT, "SHA-256 of the file, hexadecimal"),
        ("filing_id", _LONG, "Filing it was found in"),
        ("declaration_id", _LONG, "Declaration it was found in; null for the file as a whole"),
        ("quarter", _COUNT, "Quarter of the declaration, yyyyq"),
        ("block", _TEXT, "Number of the block"),
        ("block_keys", _TEXT, "Ordinals that lead to the block"),
        ("zone", _TEXT, "Number of the zone"),
        ("code", _TEXT, "Official code of the anomaly"),
        ("severity", _TEXT, "Class of the anomaly"),
        ("seen_value", _TEXT, "Value found, masked where personal"),
        ("message", _TEXT, "The anomaly in words"),
        ("path", _TEXT, "XPath with positions"),
        ("line", _COUNT, "Line of the file, from 1"),
    ),
)
_ANSWER = _spec(
    "received",
    "answer",
    "One row per answer sent back",
    (
        ("filing_id", _LONG, "Filing answered"),
        ("declaration_id", _LONG, "Declaration answered; null for an answer to the whole file"),
        ("kind", _TEXT, "Kind of answer"),
        ("name", _TEXT, "Name of the answer's file"),
        ("result", _TEXT, "Result code"),
        ("content", _TEXT, "The answer as sent"),
    ),
)
META = _spec(
    "received",
    "meta",
    "What the lake says about itself",
    (("key", _TEXT, "Name of the fact"), ("value", _TEXT, "The fact")),
)

_AUTHORISATION = _spec(
    "exchange",
    "authorisation",
    "Register of authorisations: one row per flow and validity",
    (
        ("authorisation", _TEXT, "Identifier of the row"),
        ("deliberation", _TEXT, "Number of the deliberation"),
        ("deliberation_date", _DAY, "Day of the deliberation"),
        ("supplier", _TEXT, "Institution that gives"),
        ("recipient", _TEXT, "Institution that receives"),
        ("extract", _TEXT, "Extract that is given"),
        ("purpose", _TEXT, "Purpose"),
        ("legal_basis", _TEXT, "Legal basis"),
        ("population", _TEXT, "Selection of persons"),
        ("directory", _TEXT, "Line of the reference directory that a person must have, JSON; null when none is asked"),
        ("zones", pa.list_(_TEXT), "Columns allowed, <table>.<column>"),
        ("bounds", _TEXT, "Limits of a threshold, or groups of an aggregate, JSON; null for other modes"),
        ("periodicity", _TEXT, "How often"),
        ("mode", _TEXT, "raw, derived, threshold or aggregate; push or pull"),
        ("retention", _TEXT, "How long the recipient may keep it"),
        ("valid_from", _DAY, "First day of validity"),
        ("valid_to", _DAY, "Last day of validity; null when open"),
        ("fictitious", pa.bool_(), "True for an invented example"),
    ),
)
_DIRECTORY = _spec(
    "exchange",
    "directory",
    "Reference directory: which institution has a file on whom; no content data",
    (
        ("inss", _LONG, "00024 Person"),
        ("sector", _TEXT, "00808 Sector code"),
        ("institution_type", _TEXT, "00809 Type of institution"),
        ("quality", _TEXT, "00804 Quality code"),
        ("phase", _TEXT, "Phase code"),
        ("begin_date", _DAY, "00806 First day"),
        ("end_date", _DAY, "00807 Last day; null when active"),
        ("changed_on", _DAY, "Day of the last change"),
    ),
)
_DIRECTORY_CHANGE = _spec(
    "exchange",
    "directory_change",
    "One row per line of the directory that a change began or ended, and one per import of a whole directory",
    (
        ("number", _LONG, "Number of the row, in order of application from 0"),
        ("applied_on", _DAY, "Day on which it was applied"),
        ("operation", _TEXT, "import, integrate, change or de-integrate"),
        ("effect", _TEXT, "began or ended, of the line beside it; null for an import"),
        ("inss", _LONG, "00024 Person; null for an import"),
        ("sector", _TEXT, "00808 Sector code: who asked for it; null for an import of several"),
        ("institution_type", _TEXT, "00809 Type of institution: who asked for it; null for an import"),
        ("quality", _TEXT, "00804 Quality code"),
        ("phase", _TEXT, "Phase code"),
        ("begin_date", _DAY, "00806 First day of the line"),
        ("end_date", _DAY, "00807 Last day of the line; null when active"),
        ("changed_on", _DAY, "Day of the change, as its sender says"),
        ("file", _TEXT, "Name of the file that it came in"),
        ("sha256", _TEXT, "SHA-256 of the file, hexadecimal"),
        ("place", _LONG, "Line of the file (of Parquet: row); for an import the number of its lines"),
    ),
)
_DELIVERY = _spec(
    "exchange",
    "delivery",
    "One row per file given out",
    (
        ("run_id", _TEXT, "Run that gave it"),
        ("at", _TIME, "When"),
        ("extract", _TEXT, "Extract"),
        ("recipient", _TEXT, "Institution that received it"),
        ("authorisation", _TEXT, "Authorisation it was given under"),
        ("quarter", _COUNT, "Quarter given, yyyyq"),
        ("file", _TEXT, "Name of the file"),
        ("sha256", _TEXT, "SHA-256 of the file, hexadecimal"),
        ("rows", _LONG, "Rows given"),
        ("control_totals", _TEXT, "Totals to check against, JSON"),
        ("ticket", _TEXT, "Ticket of the communication"),
        ("attestations", _LONG, "Attestations in the communication: so many rows of the log"),
        ("purpose", _TEXT, "Purpose it was given for"),
        ("deliberation", _TEXT, "Number of the deliberation; null for a right that needs none"),
        ("legal_basis", _TEXT, "Legal basis it was given on"),
    ),
    partitioned=True,
)
_LOG = _spec(
    "exchange",
    "log",
    "One row per person and communication; what was refused, not given or removed has one row without any person",
    (
        ("id", _LONG, "Number of the row in its run"),
        ("run_id", _TEXT, "Run"),
        ("at", _TIME, "When"),
        ("flow", _TEXT, "Flow"),
        ("authorisation", _TEXT, "Authorisation; null when there was none"),
        ("supplier", _TEXT, "Institution that gave"),
        ("recipient", _TEXT, "Institution that received"),
        ("inss", _LONG, "00024 Person"),
        ("attestation", _LONG, "Number of the attestation"),
        ("version", pa.int16(), "Version of the attestation"),
        ("quarter", _COUNT, "Quarter, yyyyq"),
        ("blocks", _TEXT, "Blocks given"),
        ("file", _TEXT, "Name of the file"),
        ("ticket", _TEXT, "Ticket of the communication"),
        ("result", _TEXT, "given, refused, not integrated or removed"),
        ("reason", _TEXT, "Why it was not given, or removed; null when given"),
    ),
    partitioned=True,
)
_CHAIN = _spec(
    "exchange",
    "chain",
    "Links over the exchange log: each holds the digest of some rows, and of the link before",
    (
        ("number", _LONG, "Number of the link, from 0"),
        ("at", _TIME, "When it was made"),
        ("run_id", _TEXT, "Run whose rows it covers"),
        ("quarter", _COUNT, "Quarter of these rows, yyyyq"),
        ("ticket", _TEXT, "Ticket of the communication; null where each row has its own"),
        ("first_id", _LONG, "Number of the first row in its run"),
        ("rows", _LONG, "Rows it covers"),
        ("content_sha256", _TEXT, "SHA-256 of what the rows say, hexadecimal"),
        ("previous_sha256", _TEXT, "SHA-256 of the link before; zeros for the first"),
        ("sha256", _TEXT, "SHA-256 of this link, hexadecimal"),
    ),
)
_SUSPICION = _spec(
    "exchange",
    "suspicion",
    "One row per step of a suspected error that a recipient reported; the last step tells its state",
    (
        ("ticket", _TEXT, "Ticket given to it"),
        ("attestation", _LONG, "Number of the attestation"),
        ("version", pa.int16(), "Version of the attestation"),
        ("zone_path", _TEXT, "Zone in doubt, <Block>[<ordinal in the attestation>]/<Zone>"),
        ("seen_value", _TEXT, "Value received"),
        ("suggested_value", _TEXT, "Value suggested"),
        ("reason_code", _TEXT, "Reason (annex 40)"),
        ("recipient", _TEXT, "Institution that reports"),
        ("state", _TEXT, "State reached: reported, taken up, accepted or rejected"),
        ("motive", _TEXT, "Why it was accepted or rejected"),
        ("opened_at", _TIME, "When it was reported"),
        ("closed_at", _TIME, "When it was decided; null before"),
        ("quarter", _COUNT, "Quarter of the attestation, yyyyq"),
        ("step", pa.int16(), "Number of the step, from 0: the report"),
        ("reached_at", _TIME, "When the step was taken"),
        ("explanation", _TEXT, "What the recipient says to it"),
    ),
)

RECEIVED = (_FILING, _FORM, _FILING_STATE, _ANOMALY, _ANSWER, META)
EXCHANGE = (_AUTHORISATION, _DIRECTORY, _DIRECTORY_CHANGE, _DELIVERY, _LOG, _CHAIN, _SUSPICION)


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
