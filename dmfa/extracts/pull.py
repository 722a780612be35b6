"""The answer to a request: what is asked for and may be given, at most one version of each attestation.

    OUT/extracts/on-request/<extract>/<recipient>.<ticket>/    answer.parquet natural_person.parquet ... manifest.json

Whom the lake knows nothing of, and whom the recipient may not have, are told alike: NO_DATA_FOUND. Both are counted,
and each person asked about has a row in the log. The same request on the same data gives the same answer, and is left
as it stands.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from dmfa.address import Place
from dmfa.errors import WrongUsage
from dmfa.extracts.authorisations import AGGREGATE, KEYS, PULL, Authorisation, Denied, Permit, Refusal
from dmfa.extracts.changes import contents
from dmfa.extracts.delivered import Run, told_of
from dmfa.extracts.draft import sealed_files
from dmfa.extracts.exchange import GIVEN, TABLES, WritableLake, append_log, log_frame, naive, schema, standing
from dmfa.extracts.finding import ITEM, Found, find
from dmfa.extracts.parquet import ParquetFiles
from dmfa.extracts.persons import PERSON_TABLE
from dmfa.extracts.placing import alone, border, cleared, draft_of, intact, put_in_place, tidied
from dmfa.extracts.request import Request
from dmfa.extracts.response import ResponseFile
from dmfa.extracts.retention import last_day
from dmfa.extracts.selection import extract_named
from dmfa.extracts.shape import Coding
from dmfa.extracts.signing import Signer, closed
from dmfa.extracts.xml import DATA_FOUND, NAMESPACE, NO_DATA_FOUND
from dmfa.identifiers import insz_text_expr
from dmfa.quarter import Quarter

FOLDER: Final = "on-request"
ANSWER: Final = "answer"
"""Table that says what was found for each line of a request."""

NOT_FOUND: Final = "not found"
"""Result of a row of the log: somebody asked about a person, and nothing was given."""

_TEXT = pa.string()
_ANSWER = pa.schema(
    [
        pa.field(ITEM, pa.int32(), False, {"words": "Line of the request, from 0"}),
        pa.field("status", _TEXT, False, {"words": "DATA_FOUND or NO_DATA_FOUND"}),
        pa.field("quarter", pa.int32(), True, {"zone": "00013", "words": "Quarter of the attestation, yyyyq"}),
        pa.field(KEYS[0], pa.int64(), True, {"words": "Number of the attestation"}),
        pa.field(KEYS[1], pa.int16(), True, {"words": "Version of the attestation"}),
        pa.field(
            "inss", _TEXT, True, {"zone": "00024", "words": "Person, where the line asks for those of an employer"}
        ),
        pa.field("next", _TEXT, True, {"words": "What to ask with for the version before; null if there is none"}),
    ]
)


@dataclass(frozen=True)
class Answered:
    """An answer.

    Attributes:
        folder: where it stands.
        manifest: content of its manifest.json.
        changed: whether it was made; False when it stood in place.
    """

    folder: Place
    manifest: dict[str, Any] = field(repr=False)
    changed: bool


def answer(
    lake: WritableLake,
    request: Request,
    permit: Permit,
    out: Place,
    run: Run,
    *,
    clock: Callable[[], datetime] | None = None,
    signer: Signer | None = None,
    coding: Coding | None = None,
    xsd: Path | None = None,
) -> Answered:
    """Answer a request, and log it.

    Args:
        lake: the lake, open for writing.
        request: the request.
        permit: leave to answer it.
        out: folder for all that is given out.
        run: the run; what the answer says of time is that of its data.
        clock: tells when it is given, with its zone; without one that is the time of the run's data.
        signer: who signs every file; None where nobody does.
        coding: makes the codes of the recipient; None where the extract gives none.
        xsd: folder with further releases.

    Raises:
        NotAuthorised: the row does not allow it; nothing is written.
        WrongUsage: the extract cannot be asked for, or the request asks for two versions of an attestation.
        LakeProblem: the lake cannot be read or written, or a file not be written.
    """
    row = permit.authorisation
    _must_allow(row, request)
    extract = extract_named(row.extract)
    shape = extract.shape(permit, xsd, coding)
    for file_format in row.formats:
        permit.refuse_beyond(shape.columns, file_format)
    found = find(lake, request.asked, permit, shape, extract.reads(row, shape))
    several = found.answers.group_by(KEYS[0]).agg(pl.col(KEYS[1]).n_unique()).filter(pl.col(KEYS[1]) > 1)
    if several.height:
        raise WrongUsage(
            "the request asks for two versions of an attestation; an answer holds one.",
            "Ask for each version in a request of its own.",
        )
    at = clock() if clock else run.at
    ticket = _ticket(request, found, row)
    folder = out / "extracts" / FOLDER / row.extract / f"{row.recipient.name}.{ticket}"
    with alone(folder), border(folder), ExitStack() as stack:
        before = tidied(folder)
        if before and intact(folder, before):
            return Answered(folder, before, changed=False)
        draft = draft_of(folder)
        stack.callback(cleared, draft)
        draft.mkdir()
        told = _told(request, found)
        tables = {name: pl.DataFrame(rows) for name, rows in found.tables.items()}
        with ExitStack() as files:
            if "parquet" in row.formats:
                files.enter_context(ParquetFiles(draft, permit, shape)).write(tables)
                _write_answer(draft / f"{ANSWER}.parquet", told)
            if "xml" in row.formats:
                response = ResponseFile(draft / f"{row.extract}.xml", permit, shape, request, ticket=ticket, at=run.at)
                files.enter_context(response).write(told, tables)
        manifest = _manifest(request, found, told, row=row, ticket=ticket, run=run)
        manifest["files"] = sealed_files(draft, row.encrypt_to)
        closed(draft, manifest, signer)
        _record(lake, request, found, manifest, row=row, run=run, at=at)
        put_in_place(draft, folder)
    return Answered(folder, manifest, changed=True)


def _must_allow(row: Authorisation, request: Request) -> None:
    """Refuse who may not ask, or not this.

    Raises:
        NotAuthorised: the row gives no answers, the customer is another, or numbers of persons are not listed.
        WrongUsage: the extract cannot be asked for.
    """
    reason = ""
    if row.delivery != PULL:
        reason = f"authorisation {row.id} gives no answers (delivery {row.delivery})"
    recipient = row.recipient
    mine = {"cbeNumber": recipient.cbe_number, "sector": recipient.sector, "institution": recipient.institution}
    if any(mine.get(name) != text for name, text in request.customer.items()):
        reason = f"authorisation {row.id} is not that of who asks"
    lists = any(column == "inss" for column in row.columns.get(PERSON_TABLE, ()))
    if not lists and any(line.column != "inss" for line in request.asked):
        reason = f"authorisation {row.id} does not list NaturalPerson/INSS: it opens no list of an employer's workers"
    if reason:
        refusal = Refusal(row.extract, recipient.name, reason, row)
        raise Denied(f"the request is not answered: {reason}.", "Nothing was written.", [refusal])
    extract = extract_named(row.extract)
    if extract.of_year or row.mode == AGGREGATE:
        raise WrongUsage(f"{row.extract} is not given by attestation: it cannot be asked for by person.")


def _ticket(request: Request, found: Found, row: Authorisation) -> str:
    """A ticket that follows from the request, what it is answered with, and the row."""
    persons = found.answers.filter("content").select(KEYS[0], KEYS[1]).unique().sort(KEYS[0])
    facts = [request.sha256, found.answers.write_csv(), contents(persons, found.tables).to_list(), asdict(row)]
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{NAMESPACE}/{sha256(repr(facts).encode()).hexdigest()}"))


def _told(request: Request, found: Found) -> pl.DataFrame:
    """The table of answers: at least a row for each line."""
    lines = pl.DataFrame({ITEM: pl.Series(range(len(request.asked)), dtype=pl.Int32)})
    worker = pl.when(~pl.col("content")).then(insz_text_expr(pl.col("inss"))).alias("inss")
    status = (
        pl.when(pl.col(KEYS[0]).is_null()).then(pl.lit(NO_DATA_FOUND)).otherwise(pl.lit(DATA_FOUND)).alias("status")
    )
    rows = lines.join(found.answers, on=ITEM, how="left", maintain_order="left_right")
    return rows.with_columns(worker, status).select(_ANSWER.names)


def _write_answer(path: Place, told: pl.DataFrame) -> None:
    with path.open("wb") as file:
        pq.write_table(told.to_arrow(compat_level=pl.CompatLevel.oldest()).cast(_ANSWER), file, compression="zstd")


def _manifest(
    request: Request, found: Found, told: pl.DataFrame, *, row: Authorisation, ticket: str, run: Run
) -> dict[str, Any]:
    empty = told.filter(pl.col("status") == NO_DATA_FOUND).height
    return {
        "extract": row.extract,
        "quarter": str(max(line.last for line in request.asked)),
        **told_of(row),
        "keep_until": last_day(run.at.date(), row.retention).isoformat(),
        "ticket": ticket,
        "ticket_of_request": request.ticket,
        "request_sha256": request.sha256,
        "sent_at": run.at.isoformat(),
        "state": request.sha256,
        "delivery": row.delivery,
        "lines": len(request.asked),
        "no_data_found": empty,
        "not_integrated": found.not_integrated,
        "attestations": _given(found).height,
        "tables": {name: {"rows": rows.height, "totals": {}} for name, rows in {**found.tables, ANSWER: told}.items()},
    }


def _given(found: Found) -> pl.DataFrame:
    """Attestations that somebody is told of, each once: with content, or as worker of an employer."""
    rows = found.answers.sort("content", descending=True, maintain_order=True)
    return rows.unique([KEYS[0], KEYS[1]], keep="first", maintain_order=True)


def _record(
    lake: WritableLake,
    request: Request,
    found: Found,
    manifest: dict[str, Any],
    *,
    row: Authorisation,
    run: Run,
    at: datetime,
) -> None:
    """Log a row for every person told of or asked about, and the files."""
    run_id = f"request-{run.snapshot}"
    quarter = Quarter.parse(manifest["quarter"]).code
    blocks = pl.when("content").then(pl.lit(",".join(row.blocks))).otherwise(pl.lit("NaturalPerson"))
    given = _given(found).select(
        "quarter", KEYS[0], KEYS[1], "inss", blocks.alias("blocks"), pl.lit(GIVEN).alias("result")
    )
    answered = set(found.answers[ITEM])
    nobody = [line.number for item, line in enumerate(request.asked) if item not in answered and line.column == "inss"]
    missing = pl.DataFrame({"inss": pl.Series(nobody, dtype=pl.Int64)}).select(
        pl.lit(quarter, pl.Int32).alias("quarter"), "inss", pl.lit(NOT_FOUND).alias("result")
    )
    where = standing(lake, run_id, at, manifest["ticket"])
    if where.kept:  # a run that was broken off behind its record, or the same answer put elsewhere
        return
    place = f"{FOLDER}/{row.extract}/{row.recipient.name}.{manifest['ticket']}"
    told = {
        "run_id": run_id,
        "at": naive(at),
        "flow": row.extract,
        "authorisation": row.id,
        "supplier": row.supplier.name,
        "recipient": row.recipient.name,
        "ticket": manifest["ticket"],
    }
    rows = pl.concat([given, missing.unique()], how="diagonal_relaxed").sort(
        "quarter", "inss", KEYS[0], maintain_order=True
    )
    rows = rows.with_columns(
        pl.int_range(where.first, where.first + rows.height, dtype=pl.Int64).alias("id"),
        pl.lit(place).alias("file"),
        *(pl.lit(value).alias(name) for name, value in told.items()),
    )
    files = [
        {
            **{name: value for name, value in told.items() if name not in ("flow", "supplier")},
            "extract": row.extract,
            "quarter": quarter,
            "file": f"{place}/{name}",
            "sha256": facts.get("plain", facts)["sha256"],
            "rows": given.height,
            "attestations": given.height,
            "purpose": row.purpose,
            "deliberation": row.deliberation,
            "legal_basis": row.legal_basis,
        }
        for name, facts in manifest["files"].items()
    ]
    with lake.transaction() as publication:
        publication.append(TABLES["delivery"], pl.DataFrame(files, schema=schema("delivery")))
        append_log(publication, where.chain, _by_quarter(rows))


def _by_quarter(rows: pl.DataFrame) -> Iterator[pl.DataFrame]:
    for part in rows.partition_by("quarter", maintain_order=True):
        yield log_frame(part)
