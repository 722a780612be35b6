"""DMNO: what came of a correction that was applied: new versions, and what was done to every block that it touches.

Written for a batch at once, column by column, in the blocks and zones of the XSD: a block of the declaration becomes
the block of the notification that has its name and `Action` behind it.
"""

from __future__ import annotations

import polars as pl

from dmfa.answers.changed_blocks import OF_NSSO, OF_SENDER, Tables, Writing, told
from dmfa.answers.columnwise import answer_rows, documents, element, escaped, reference, tickets, wrapped
from dmfa.answers.tickets import changes_ticket, form_ticket
from dmfa.answers.zones import CHANGES, kinds
from dmfa.corrections.differences import STEP
from dmfa.corrections.shape import Corrections
from dmfa.schema import ordinal

KIND = "DMNO"
"""Subject of the file, as in its name."""

_STEP = ("declaration_id", STEP)
_PERSON = ordinal("natural_person")

_REASONS = {"declaration_id": pl.Int64, STEP: pl.Int16, "inss": pl.Int64, "why": pl.String}


def changes(
    filings: pl.DataFrame,
    corrections: Corrections,
    applied: pl.DataFrame,
    compared: Tables,
    *,
    persons: pl.DataFrame,
    ledger: pl.DataFrame,
) -> pl.DataFrame:
    """Tell what came of each correction that was applied.

    Args:
        filings: rows of received.filing: filing_id, sha256, received_at.
        corrections: the Forms.
        applied: form_id, declaration_id, version: the declaration that each corrected, and the version that it made.
        compared: what these versions did, from `dmfa.corrections.differences.compare`.
        persons: identifiers: declaration_id, natural_person_ordinal, person_pid, declared_pid.
        ledger: entries in the accounts: declaration_id, version, debit_cents, credit_cents; where there is none, the
            amount is not told.

    Returns:
        Columns of `dmfa.answers.ANSWER_SCHEMA`, one row per applied Form, in the order of its filing; no result.
    """
    steps = steps_of(filings, corrections, applied)
    reasons = _justified(corrections, steps)
    return _written(Writing(steps, told(compared), persons, reasons, OF_SENDER), ledger)


def system_changes(
    steps: pl.DataFrame, compared: Tables, declared: Tables, *, persons: pl.DataFrame, ledger: pl.DataFrame
) -> pl.DataFrame:
    """Tell what the NSSO corrected by itself: each unit as declared, then as corrected.

    Args:
        steps: columns as `steps_of` gives them, one row per declaration that has a new version; form_id is the
            declaration, ticket that of its Form, form_index its place among the messages.
        compared: what the versions did, from `dmfa.corrections.differences.compare`.
        declared: the rows that they ended, compared with themselves.
        persons: identifiers: declaration_id, natural_person_ordinal, person_pid, declared_pid.
        ledger: entries in the accounts: declaration_id, version, debit_cents, credit_cents.

    Returns:
        Columns of `dmfa.answers.ANSWER_SCHEMA`, one row per declaration, in their order; no result.
    """
    none = pl.DataFrame(schema=_REASONS)
    # What was declared has no new version.
    known = {name: rows.with_columns(version=pl.lit(None, pl.Int16)) for name, rows in declared.items()}
    return _written(Writing(steps, compared, persons, none, OF_NSSO, known), ledger)


def _written(writing: Writing, ledger: pl.DataFrame) -> pl.DataFrame:
    steps, inside = writing.steps, writing.declarations()
    amounts = ledger.select("declaration_id", pl.col("version").alias(STEP), "debit_cents", "credit_cents")
    rows = (
        steps.join(inside, on=_STEP, how="left", maintain_order="left")
        .join(amounts.unique(_STEP), on=_STEP, how="left", maintain_order="left")
        .sort("filing_id", "form_index")
    )
    written = documents(
        CHANGES,
        "DMFANOT",
        rows["received_at"],
        reference("1", "2", tickets(rows, changes_ticket)),
        reference("3", "2", pl.col("ticket")),
        pl.when(pl.col("theirs") != "").then(reference("3", "1", escaped(pl.col("theirs")))).otherwise(pl.lit("")),
        pl.col("text").fill_null(""),
        wrapped("RectificationAmount", _rectified()),
    )
    return answer_rows(rows, "form_id", KIND, written)


def steps_of(filings: pl.DataFrame, corrections: Corrections, applied: pl.DataFrame) -> pl.DataFrame:
    """One row per applied Form, with what its answers tell of it.

    Args:
        filings: rows of received.filing: filing_id, sha256, received_at.
        corrections: the Forms.
        applied: form_id, declaration_id, version.

    Returns:
        form_id, filing_id, form_index, sha256, received_at, ticket (of the Form), theirs (the sender's own reference,
        null without one), quarter, noss_registration_nbr, company_id, pid, justification, declaration_id, step.
    """
    forms = corrections.forms.select(
        "filing_id",
        "form_index",
        "quarter",
        "noss_registration_nbr",
        "company_id",
        "justification",
        form_id="declaration_id",
        pid="employer_declaration_pid",
        theirs=pl.when(pl.col("reference_origin") == 1).then(
            kinds(CHANGES)["ReferenceNbr"].texts(pl.col("reference_nbr"))
        ),
    )
    rows = (
        applied.select("form_id", "declaration_id", pl.col("version").cast(pl.Int16).alias(STEP))
        .join(forms, on="form_id", how="inner")
        .join(filings.select("filing_id", "sha256", "received_at"), on="filing_id", how="left")
        .sort("filing_id", "form_index")
    )
    return rows.with_columns(ticket=tickets(rows, form_ticket))


def _justified(corrections: Corrections, steps: pl.DataFrame) -> pl.DataFrame:
    """The reasons that Forms give for a person."""
    given = pl.col("justification").is_not_null()
    asked = corrections.asked.filter((pl.col("unit") == "natural_person") & given)
    declared = corrections.declared["natural_person"].select("inss", _PERSON, form_id="declaration_id")
    return (
        asked.select("form_id", why="justification", **{_PERSON: "ordinal"})
        .join(declared, on=["form_id", _PERSON], how="inner")
        .join(steps.select("form_id", *_STEP), on="form_id", how="inner")
        .select(list(_REASONS))
        .unique([*_STEP, "inss"], keep="first", maintain_order=True)
    )


def _rectified() -> pl.Expr:
    """What the account of the employer changes by; nothing where that is not known."""
    debit, credit = (pl.col(f"{side}_cents").cast(pl.String) for side in ("debit", "credit"))
    return (
        pl.when(pl.col("credit_cents") != 0)
        .then(element("CreditAmount", credit))
        .otherwise(element("DebitAmount", debit))
    )
