"""NOTI: the notification that every declaration gets, accepted or refused, with all its anomalies."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

import polars as pl

from dmfa.answers.markup import block, document, elements, envelope
from dmfa.answers.names import sender_of
from dmfa.answers.zones import NOTIFICATION, kinds

KIND = "NOTI"
ACCEPTED = "1"
REFUSED = "0"

BLOCKING = "3"
"""Diagnosis: refused because of blocking anomalies."""

TOO_MANY = "4"
"""Diagnosis: refused because of too many anomalies that are counted in percent."""

NOT_PROCESSED = "90059-163"
"""ErrorID of a refusal that has no official code: the form cannot be processed."""

_CODE = re.compile(r"(?:\d{5}|ACRF)-\d{3}")
_ACCEPTED_RESULT = f"<ResultCode>{ACCEPTED}</ResultCode>\n"


def _refused(diagnosis: str) -> str:
    return f"<ResultCode>{REFUSED}</ResultCode>\n<Diagnosis>{diagnosis}</Diagnosis>\n"


class Report(NamedTuple):
    """One anomaly as the sender sees it.

    Attributes:
        code: official code, or kind of refusal.
        severity: class of the anomaly.
        tag: label of the zone or block at fault.
        value: the value found, None where the lake masks it.
        words: the anomaly in words.
        line: line of the file.
        place: XPath with positions.
        keys: keys of the blocks that lead to it, written.
    """

    code: str
    severity: str
    words: str
    tag: str | None = None
    value: str | None = None
    line: int | None = None
    place: str | None = None
    keys: str = ""


@dataclass(frozen=True)
class Envelope:
    """What all notifications of one filing share.

    Attributes:
        comment: which release of the schema judged.
        head: the Form's first zones, the file and its sender.
    """

    comment: str | None
    head: str

    @classmethod
    def of(cls, name: str, ticket: str, received_at: datetime, release: str | None) -> Envelope:
        """Write the shared part once.

        Args:
            name: name of the filing; its last part stands alone where the whole is too long, or is left out too.
            ticket: ticket of the filing.
            received_at: moment of receipt, which the answer bears as its own, so that it is always the same.
            release: file name of the XSD that judged.
        """
        holds = kinds(NOTIFICATION)["FileName"].text
        shown = holds(name) or holds(name.rsplit("/", 1)[-1])
        file = (("FileName", shown), ("ReferenceOrigin", "2"), ("ReferenceNbr", ticket))
        head = (
            envelope("NOTI001", received_at)
            + block("FileReference", elements(file) if shown else "")
            + block("HandledOriginalFile", elements([("SenderId", sender_of(name))]))
        )
        return cls(f"judged by {release}" if release else None, head)


def notification(
    filing: Envelope,
    form: Mapping[str, Any],
    ticket: str,
    reports: Iterable[str],
    result: str,
    *,
    diagnosis: str = BLOCKING,
) -> str:
    """Write a NOTI.

    The number of workers (DeclarationComplInformations) is left out: its block asks for those of Dimona beside it,
    which are not known here.

    Args:
        filing: what it shares with the other declarations of the filing.
        form: a row of the forms table; a value that its zone may not hold is left out.
        ticket: ticket of the declaration.
        reports: its anomalies, written.
        result: accepted or refused, by this module's codes.
        diagnosis: why it is refused, by this module's codes.
    """
    handled = _zones(form, _HANDLED)
    reference = _zones(form, _REFERENCE)
    number, company = _zones(form, _EMPLOYER)
    content = (
        filing.head
        + block("HandledOriginalForm", elements(handled))
        # A reference has to tell its type and origin, an employer its registration number.
        + (block("Reference", elements(reference)) if reference[0][1] and reference[1][1] else "")
        + (block("EmployerId", elements((number, (company[0], company[1] or "0")))) if number[1] else "")
        + block("ConcernedQuarter", elements(_zones(form, _QUARTER)))
        + block("HandledReference", elements((*_HANDLED_REFERENCE, ("ReferenceNbr", ticket))))
        + block("HandlingResult", (_ACCEPTED_RESULT if result == ACCEPTED else _refused(diagnosis)) + "".join(reports))
    )
    return document(NOTIFICATION, filing.comment, content)


def refused(content: str, reports: Iterable[str]) -> str:
    """An accepting NOTI turned into a refusing one, with the anomalies that were found later.

    Args:
        content: the NOTI as it was written.
        reports: the new anomalies, written.
    """
    return content.replace(_ACCEPTED_RESULT, _refused(BLOCKING) + "".join(reports), 1)


def told_beside(content: str, reports: Iterable[str]) -> str:
    """An accepting NOTI with anomalies that were found later and refuse nothing.

    Args:
        content: the NOTI as it was written.
        reports: the new anomalies, written.
    """
    return content.replace(_ACCEPTED_RESULT, _ACCEPTED_RESULT + "".join(reports), 1)


def anomaly_report(report: Report) -> str:
    """Write an AnomalyReport."""
    return block("AnomalyReport", _without_keys(report) + block("Path", report.keys))


def anomaly_reports(anomalies: pl.DataFrame, keys: Sequence[str]) -> pl.Series:
    """Write an AnomalyReport for each of many anomalies, of which most differ in their keys alone.

    Args:
        anomalies: columns of `dmfa.anomaly.ANOMALY_SCHEMA`, more or less.
        keys: of each, those of the blocks that lead to it, written.
    """
    told = anomalies.select(
        *("code", "severity"), words="message", tag=pl.coalesce("zone", "block"), value="seen_value", line="line",
        place="path",
    )  # fmt: skip
    each = told.unique()
    each = each.with_columns(what=pl.Series([_without_keys(Report(*row)) for row in each.iter_rows()], dtype=pl.String))
    what = told.join(each, on=told.columns, how="left", nulls_equal=True, maintain_order="left")["what"]
    written = [block("AnomalyReport", one + block("Path", path)) for one, path in zip(what, keys, strict=True)]
    return pl.Series(written, dtype=pl.String)


def _without_keys(report: Report) -> str:
    zones = kinds(NOTIFICATION)
    code = report.code if _CODE.fullmatch(report.code) else NOT_PROCESSED
    location = (("LineNbr", zones["LineNbr"].text(report.line)), ("Location", _place(report.place)))
    return elements(
        (
            ("ErrorID", code),
            ("TagName", report.tag),
            ("Value", report.value),
            ("AnomalyClass", report.severity),
            ("AnomalyLabel", report.words[: zones["AnomalyLabel"].longest]),
        )
    ) + block("AnomalyLocation", elements(location))


def employer_keys(form: Mapping[str, Any]) -> str:
    """The keys that a Form alone tells, for an anomaly in a declaration that has no tables, written."""
    return elements((*_zones(form, _QUARTER), *_zones(form, _EMPLOYER)))


_HANDLED = (
    ("Identification", "identification"),
    ("FormCreationDate", "form_creation_date"),
    ("FormCreationHour", "form_creation_hour"),
    ("AttestationStatus", "attestation_status"),
    ("TypeForm", "type_form"),
)
_REFERENCE = (
    ("ReferenceType", "reference_type"),
    ("ReferenceOrigin", "reference_origin"),
    ("ReferenceNbr", "reference_nbr"),
)
_EMPLOYER = (("NOSSRegistrationNbr", "noss_registration_nbr"), ("CompanyID", "company_id"))
_QUARTER = (("Quarter", "quarter"),)
_HANDLED_REFERENCE = (("ReferenceType", "1"), ("ReferenceOrigin", "2"))


def _zones(form: Mapping[str, Any], zones: Iterable[tuple[str, str]]) -> list[tuple[str, str | None]]:
    return [(label, _text(label, form.get(column))) for label, column in zones]


@lru_cache(maxsize=1024)
def _text(label: str, value: object) -> str | None:
    # Kept, since most values are those of the declaration before.
    return kinds(NOTIFICATION)[label].text(value)


def _place(path: str | None) -> str | None:
    """An XPath short enough for its zone: of a longer one the last steps."""
    longest = kinds(NOTIFICATION)["Location"].longest
    if path is None or longest is None or len(path) <= longest:
        return path
    cut = path.find("/", len(path) - longest + 1)
    return "/" + path[cut:] if cut > 0 else None
