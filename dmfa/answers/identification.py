"""DmfAPID: the identifiers that an accepted declaration gets, by which a correction says what it changes.

Written for a batch at once, column by column: a national quarter has four million persons.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from dmfa.answers.columnwise import answer_rows, escaped, joined, wrapped
from dmfa.answers.markup import block, document, elements, envelope
from dmfa.answers.tickets import identification_ticket
from dmfa.answers.zones import IDENTIFICATION, kinds
from dmfa.identifiers import INSZ_DIGITS
from dmfa.pid import declaration_pid, declared_person_pid, person_pid

KIND = "DMPI"
"""Subject of the file, as in its name."""

_Tables = Mapping[str, pl.DataFrame]

_RECORD = ("declaration_id", "worker_record_ordinal")
_PERSON = ("declaration_id", "natural_person_ordinal")


def identifications(filings: pl.DataFrame, forms: pl.DataFrame, accepted: _Tables) -> pl.DataFrame:
    """Write the identifiers of the accepted declarations of a batch.

    Args:
        filings: rows of received.filing: filing_id, sha256, received_at.
        forms: rows of received.form: declaration_id, filing_id, form_index, ticket and the sender's reference.
        accepted: tables of the accepted declarations by name.

    Returns:
        Columns of `dmfa.answers.ANSWER_SCHEMA`, one row per accepted declaration; it has no result.
    """
    declared = accepted["employer_declaration"].with_columns(
        pid=declaration_pid(pl.col("noss_registration_nbr"), pl.col("company_id"), pl.col("quarter"))
    )
    inside = _persons(accepted, declared.select("declaration_id", "pid"))
    for part in (_unrelated(accepted), _vehicles(accepted)):
        inside = inside.join(part, on="declaration_id", how="full", coalesce=True)
    references = ("form_index", "ticket", "reference_origin", "reference_nbr")
    rows = (
        declared.select(
            "declaration_id", "filing_id", "quarter", "noss_registration_nbr", "trusteeship", "company_id", "pid"
        )
        .join(inside, on="declaration_id", how="left", maintain_order="left")
        .join(forms.select("declaration_id", *references), on="declaration_id", how="left", maintain_order="left")
        .join(filings.select("filing_id", "sha256", "received_at"), on="filing_id", how="left", maintain_order="left")
    )
    zones = kinds(IDENTIFICATION)
    written = []
    for row in rows.iter_rows(named=True):
        own = identification_ticket(row["sha256"], row["form_index"])
        theirs = zones["ReferenceNbr"].text(row["reference_nbr"]) if row["reference_origin"] == 1 else None
        head = envelope("DMFAPID", row["received_at"], type_form="SU")
        head += _reference("1", "2", own) + _reference("3", "2", row["ticket"])
        head += _reference("3", "1", theirs) if theirs else ""
        number = zones["NOSSRegistrationNbr"].text(row["noss_registration_nbr"])
        keys = (
            ("Quarter", str(row["quarter"])),
            ("NOSSRegistrationNbr", number),
            ("Trusteeship", zones["Trusteeship"].text(row["trusteeship"]) if number else None),
            ("CompanyID", zones["CompanyID"].text(row["company_id"]) or "0"),
            ("EmployerDeclarationPID", str(row["pid"])),
        )
        content = elements(keys) + "".join(row[part] or "" for part in ("persons", "unrelated", "vehicles"))
        written.append(document(IDENTIFICATION, None, head + block("IDEmployerDeclaration", content)))
    return answer_rows(rows, "declaration_id", KIND, pl.Series(written, dtype=pl.String))


def _persons(tables: _Tables, declarations: pl.DataFrame) -> pl.DataFrame:
    """declaration_id and the identifiers of its persons, worker lines and occupations, written."""
    occupations = tables["occupation"].select(
        *_RECORD,
        text=wrapped(
            "IDOccupation",
            _zone("OccupationSequenceNbr", pl.col("occupation_sequence_nbr")),
            _zone("OccupationVersionNbr", pl.col("version")),
            _optional("OccupationUserReference", pl.col("occupation_user_reference")),
        ),
    )
    records = _with(tables["worker_record"], occupations, _RECORD).select(
        *_PERSON,
        text=wrapped(
            "IDWorkerRecord",
            _zone("EmployerClass", pl.col("employer_class")),
            _zone("WorkerCode", pl.col("worker_code")),
            _zone("WorkerRecordVersionNbr", pl.col("version")),
            _optional("WorkerRecordUserReference", pl.col("worker_record_user_reference")),
            pl.col("text"),
        ),
    )
    known = tables["natural_person"].join(declarations, on="declaration_id", how="left", maintain_order="left")
    inss = pl.col("inss")
    persons = _with(known, records, _PERSON).select(
        "declaration_id",
        text=wrapped(
            "IDNaturalPerson",
            _zone("INSS", inss.cast(pl.String).str.zfill(INSZ_DIGITS)),
            _optional("NaturalPersonUserReference", pl.col("natural_person_user_reference")),
            _zone("NaturalPersonPID", person_pid(inss)),
            _zone("DeclNaturalPersonPID", declared_person_pid(inss, pl.col("pid"))),
            _zone("DeclNaturalPersonVersionNbr", pl.col("version")),
            pl.col("text"),
        ),
    )
    return joined(persons, ("declaration_id",), "persons")


def _unrelated(tables: _Tables) -> pl.DataFrame:
    rows = tables["contribution_unrelated_to_np"].select(
        "declaration_id",
        text=wrapped(
            "IDContUnrelatedToNP",
            _zone("UnrelatedEmployerClass", pl.col("unrelated_employer_class")),
            _zone("UnrelatedWorkerCode", pl.col("unrelated_worker_code")),
            _zone("ContUnrelatedToNPVersionNbr", pl.col("version")),
        ),
    )
    return joined(rows, ("declaration_id",), "unrelated")


def _vehicles(tables: _Tables) -> pl.DataFrame:
    rows = tables["company_vehicle"].select(
        "declaration_id",
        text=wrapped(
            "CompanyVehicleID",
            _zone("LicensePlate", escaped(pl.col("license_plate").fill_null(""))),
            _zone("CompanyVehicleVersionNbr", pl.col("version")),
        ),
    )
    return joined(rows, ("declaration_id",), "vehicles")


def _with(rows: pl.DataFrame, inner: pl.DataFrame, key: tuple[str, ...]) -> pl.DataFrame:
    """Blocks with the text of those inside them, in their order."""
    inside = joined(inner, key, "text")
    return rows.join(inside, on=key, how="left", maintain_order="left").with_columns(pl.col("text").fill_null(""))


def _zone(label: str, text: pl.Expr) -> pl.Expr:
    return pl.concat_str(pl.lit(f"<{label}>"), text.cast(pl.String), pl.lit(f"</{label}>\n"))


def _optional(label: str, text: pl.Expr) -> pl.Expr:
    """A zone of free text, left out where there is none, or where it is longer than the answer can hold."""
    longest = kinds(IDENTIFICATION)[label].longest or 0
    held = text.is_not_null() & (text.str.len_chars() <= longest)
    return pl.when(held).then(_zone(label, escaped(text))).otherwise(pl.lit(""))


def _reference(kind: str, origin: str, number: str) -> str:
    return block(
        "Reference", elements((("ReferenceType", kind), ("ReferenceOrigin", origin), ("ReferenceNbr", number)))
    )
