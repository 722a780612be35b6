"""The answers to a batch of filings: one ACRF for each, one NOTI for every declaration whose Form could be read."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import polars as pl

from dmfa.answers import acknowledgement as acrf
from dmfa.answers import notification as noti
from dmfa.answers.path import paths
from dmfa.reading.plan import Plan

ANSWER_SCHEMA = {
    "filing_id": pl.Int64,
    "declaration_id": pl.Int64,
    "kind": pl.String,
    "result": pl.String,
    "content": pl.String,
}
"""Columns of a frame of answers; its name an answer gets when it is published."""

Row = Mapping[str, Any]
Reports = dict[tuple[int, int | None], list[noti.Report]]

_FORM = re.compile(r"/\*?\w*/Form(?:\[(?P<place>\d+)\])?(?:/|$)")


def answers(
    filings: pl.DataFrame,
    forms: pl.DataFrame,
    anomalies: pl.DataFrame,
    tables: Mapping[str, pl.DataFrame],
    plan: Plan,
) -> pl.DataFrame:
    """Write the answers to a batch.

    Args:
        filings: rows of received.filing, one for each.
        forms: one row per declaration: the forms table and its `state` and `ticket`.
        anomalies: columns of `dmfa.anomaly.ANOMALY_SCHEMA`.
        tables: tables of the valid declarations by name, refused ones too.
        plan: what the tables hold.

    Returns:
        Columns of `ANSWER_SCHEMA`: for each filing its ACRF, then its NOTIs in the order of the Forms.
    """
    found = _reports(anomalies, tables, plan)
    by_filing: dict[int, list[Row]] = {}
    for row in forms.sort("filing_id", "form_index").iter_rows(named=True):
        by_filing.setdefault(row["filing_id"], []).append(row)
    rows: list[tuple[int, int | None, str, str, str]] = []
    for filing in filings.iter_rows(named=True):
        key = filing["filing_id"]
        own = by_filing.get(key, [])
        rows.append((key, None, acrf.KIND, *_acknowledgement(filing, own, found.get((key, None), []))))
        rows += [(key, declaration, noti.KIND, *answer) for declaration, *answer in _notifications(filing, own, found)]
    return pl.DataFrame(rows, schema=ANSWER_SCHEMA, orient="row")


def _notifications(filing: Row, forms: Sequence[Row], found: Reports) -> Iterator[tuple[int, str, str]]:
    """Key, result and NOTI of each declaration of a filing."""
    if not forms:
        return
    whole = found.get((filing["filing_id"], None), [])
    envelope = noti.Envelope.of(filing["name"], filing["ticket"], filing["received_at"], filing["schema_release"])
    for form in forms:
        reports = found.get((filing["filing_id"], form["declaration_id"]), [])
        told = [*_of_form(whole, form), *(_keyed(report, form) for report in reports)]
        result = noti.ACCEPTED if form["state"] == "accepted" else noti.REFUSED
        written = [noti.anomaly_report(report) for report in told]
        counted_out = bool(told) and all(report.severity != "B" for report in told)
        diagnosis = noti.TOO_MANY if counted_out else noti.BLOCKING
        yield (
            form["declaration_id"],
            result,
            noti.notification(envelope, form, form["ticket"], written, result, diagnosis=diagnosis),
        )


def refusals(accepting: pl.DataFrame, forms: pl.DataFrame, anomalies: pl.DataFrame) -> pl.DataFrame:
    """Accepting NOTIs turned into refusing ones, for declarations that were refused after these were written.

    Args:
        accepting: columns of `ANSWER_SCHEMA`.
        forms: rows of received.form of their declarations.
        anomalies: rows of received.anomaly: those of these declarations that block are why they are refused.

    Returns:
        The same rows with the new result and content.
    """
    # Those of a whole file have no declaration.
    own = anomalies.filter(pl.col("severity") == "B").join(
        accepting, on="declaration_id", how="semi", maintain_order="left"
    )
    return supplemented(accepting, forms, own)


def supplemented(
    accepting: pl.DataFrame,
    forms: pl.DataFrame,
    anomalies: pl.DataFrame,
    tables: Mapping[str, pl.DataFrame] | None = None,
    plan: Plan | None = None,
) -> pl.DataFrame:
    """Accepting NOTIs with what was found after they were written; they refuse if any of it blocks.

    Args:
        accepting: columns of `ANSWER_SCHEMA`.
        forms: rows of received.form of their declarations.
        anomalies: what was found since: rows of received.anomaly, or, with tables, columns of
            `dmfa.anomaly.ANOMALY_SCHEMA`.
        tables: the declarations' tables by name, or what corrections declare; without them no more than the employer
            leads to an anomaly.
        plan: what the tables hold.

    Returns:
        The same rows with the new result and content.
    """
    by_declaration = {form["declaration_id"]: form for form in forms.iter_rows(named=True)}
    if tables is not None and plan is not None:
        keys = paths(anomalies.select("declaration_id", "block", "block_ordinal"), tables, plan)
    else:
        keys = [noti.employer_keys(by_declaration[key]) for key in anomalies["declaration_id"]]
    written = anomalies.select(
        "declaration_id", blocks=pl.col("severity") == "B", text=noti.anomaly_reports(anomalies, keys)
    )
    of_each = written.group_by("declaration_id").agg(pl.col("blocks").any(), pl.col("text"))
    why = {key: (blocks, texts) for key, blocks, texts in of_each.iter_rows()}
    turned = accepting.to_dicts()
    for answer in turned:
        blocks, texts = why.get(answer["declaration_id"], (False, []))
        if blocks:
            answer["result"] = noti.REFUSED
            answer["content"] = noti.refused(answer["content"], texts)
        else:
            answer["content"] = noti.told_beside(answer["content"], texts)
    return pl.DataFrame(turned, schema=accepting.schema)


def _reports(anomalies: pl.DataFrame, tables: Mapping[str, pl.DataFrame], plan: Plan) -> Reports:
    """The anomalies of each declaration, and under None those of each filing as a whole."""
    found: Reports = {}
    if anomalies.is_empty():
        return found
    keys = paths(anomalies.select("declaration_id", "block", "block_ordinal"), tables, plan)
    for row, path in zip(anomalies.iter_rows(named=True), keys, strict=True):
        found.setdefault((row["filing_id"], row["declaration_id"]), []).append(_report(row, path))
    return found


def _report(row: Row, keys: str) -> noti.Report:
    return noti.Report(
        code=row["code"],
        severity=row["severity"],
        words=row["message"],
        tag=row["zone"] or row["block"],
        value=row["seen_value"],
        line=row["line"],
        place=row["path"],
        keys=keys,
    )


def _acknowledgement(filing: Row, forms: Sequence[Row], whole: Sequence[noti.Report]) -> tuple[str, str]:
    """Result and content of a filing's ACRF: it could be received if one of its Forms, or its kind, could be read."""
    refusal, words = None, ""
    if filing["state"] == "refused" and not forms:
        refusal = whole[0].code if whole else ""
        words = whole[0].words if whole else ""
    elif filing["state"] == "not_processed":
        words = "kept; this kind of message is not processed yet, no notification follows"
    content = acrf.acknowledgement(filing["name"], filing["ticket"], filing["received_at"], refusal, words)
    return ("1" if refusal is None else "0"), content


def _of_form(whole: Sequence[noti.Report], form: Row) -> Iterator[noti.Report]:
    """What is wrong in a filing as a whole as one declaration is told it.

    The faults in its own Form; without any, the first one of the filing, for which it is refused too.
    """
    own = [_keyed(report, form) for report in whole if _place(report) in {None, form["form_index"]}]
    yield from own or whole[:1]


def _keyed(report: noti.Report, form: Row) -> noti.Report:
    """An anomaly of a declaration without tables has the keys of its Form."""
    return report if report.keys else report._replace(keys=noti.employer_keys(form))


def _place(report: noti.Report) -> int | None:
    """Index of the Form in which a fault of the schema is, None if it is in none."""
    match = _FORM.match(report.place or "")
    return int(match["place"] or 1) - 1 if match else None
