"""Answers to senders: written by the workers, named when they are published, then put into OUT/answers."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import date
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from dmfa.address import Place, overlapped
from dmfa.answers import answer_name, answers, environment_of, form_ticket, number_of, refusals
from dmfa.lake import ItemWriter, Manifest, staged_rows
from dmfa.lake.files import write_whole
from dmfa.reading.keys import filing_id
from dmfa.reading.plan import Plan
from dmfa.states import WAITING
from flows.settings import Settings
from flows.stages.borders import writing
from flows.stages.receipt import Receipt

if TYPE_CHECKING:
    import pyarrow as pa

    from dmfa.lake import Lake  # workers do without DuckDB
    from flows.crew import Crew
    from flows.stages.item import Shared

FOLDER = "answers"
FILINGS_AT_ONCE = 10_000
"""Filings whose answers are read from the lake together: a bound on memory."""

_PUT_AT_ONCE = 500
_ANSWER = "received.answer"


def answer_rows(
    ledger: Mapping[str, pl.DataFrame], anomalies: pl.DataFrame, tables: Mapping[str, pl.DataFrame], plan: Plan
) -> dict[str, pl.DataFrame]:
    """Rows of received.answer for a batch, and those of received.form with their tickets.

    Args:
        ledger: rows of received.filing and form, by name of the table.
        anomalies: columns of `dmfa.anomaly.ANOMALY_SCHEMA`.
        tables: tables of the batch's valid declarations by name, refused ones too.
        plan: what the tables hold.
    """
    filings = ledger["filing"]
    digests = dict(filings.select("filing_id", "sha256").iter_rows())
    places = ledger["form"].select("filing_id", "form_index").iter_rows()
    tickets = [form_ticket(digests[filing], index) for filing, index in places]
    forms = ledger["form"].with_columns(pl.Series("ticket", tickets, dtype=pl.String))
    # Nothing is wrong by itself in a correction that is still to be applied; it is answered once that is known.
    judged = forms.with_columns(pl.col("state").replace(WAITING, "accepted"))
    return {"form": forms, "answer": answers(filings, judged, anomalies, tables, plan)}


def name_answers(manifests: Sequence[Manifest], lake: Lake, shared: Shared) -> list[Manifest]:
    """Give the answers of a run their names, and turn those round whose declarations were refused in the end.

    What answers a correction that is still to be applied has no name, and is not sent before it has one.

    Sequences count on from those of the lake: per day of receipt, in the order of the filings' names.

    Args:
        manifests: the items to be published.
        lake: into which they go; this run alone writes to it.
        shared: what every item needs.

    Returns:
        The items in their new form, with new files for the answers; what was staged stays as it is.

    Raises:
        LakeProblem: the lake's disk is full or cannot be written, or a staged file is damaged.
    """
    where = shared.settings.lake
    found = [staged_rows(where, manifest, "received.filing") for manifest in manifests]
    filings = [frame.select("filing_id", "name", "received_at") for frame in found if frame is not None]
    if not filings:
        return list(manifests)
    numbered = _numbered(pl.concat(filings), lake, shared.settings.environment)
    return [_named(manifest, numbered, shared) for manifest in manifests]


def _numbered(filings: pl.DataFrame, lake: Lake, environment: str) -> pl.DataFrame:
    """Day, number in the day and environment of each filing: filing_id, day, number, environment.

    A filing whose name tells no environment is of that of the run.
    """

    def told(name: str) -> str:
        return environment_of(name, environment)

    days = filings.select(pl.col("received_at").dt.date().alias("day"), "filing_id", "name")
    used = _used(days["day"].unique(), lake)
    return (
        days.sort("day", "name", "filing_id")
        .with_columns(place=pl.int_range(1, pl.len() + 1).over("day"))
        .select(
            "filing_id",
            "day",
            number=pl.col("place") + pl.col("day").replace_strict(used, default=0, return_dtype=pl.Int64),
            environment=pl.col("name").map_elements(told, return_dtype=pl.String),
        )
    )


def _used(days: Iterable[date], lake: Lake) -> dict[date, int]:
    """The last number of each day that the lake holds an answer of."""
    starts = {f"{day:%Y%m%d}": day for day in days}
    # Sequences sort as their numbers do.
    rows = lake.arrow(
        """
        SELECT split_part(name, '.', 4) AS day, max(split_part(name, '.', 5)) AS last FROM lake.received.answer
        WHERE kind IN ('ACRF', 'BEWA', 'IDFL') AND split_part(name, '.', 4) IN (SELECT unnest(?::VARCHAR[]))
        GROUP BY ALL
        """,
        [list(starts)],
    ).to_pylist()
    return {starts[row["day"]]: number_of(row["last"]) for row in rows}


def _named(manifest: Manifest, numbered: pl.DataFrame, shared: Shared) -> Manifest:
    where = shared.settings.lake
    found = staged_rows(where, manifest, _ANSWER)
    if found is None:
        return manifest
    forms = staged_rows(where, manifest, "received.form")
    places = pl.DataFrame(schema={"declaration_id": pl.Int64, "form_index": pl.Int32, "state": pl.String})
    if forms is not None:
        found = _turned_round(found, forms, staged_rows(where, manifest, "received.anomaly"))
        places = forms.select("declaration_id", "form_index", "state")
    named = (
        found.drop("name")
        .join(numbered, on="filing_id", how="left", maintain_order="left")
        .join(places, on="declaration_id", how="left", maintain_order="left")
        .with_columns(parts=pl.col("declaration_id").drop_nulls().n_unique().over("filing_id"))
    )
    columns = ("kind", "day", "number", "environment", "form_index", "parts", "state")
    names = [
        None
        if state == WAITING
        else answer_name(kind, day, number, environment)
        if index is None
        else answer_name(kind, day, number, environment, part=index + 1, parts=parts)
        for kind, day, number, environment, index, parts, state in named.select(columns).iter_rows()
    ]
    rows = named.select(column for column in found.columns if column != "name").with_columns(
        name=pl.Series(names, dtype=pl.String)
    )
    with ItemWriter(where, manifest.item_id, shared.specs) as writer:
        writer.append(_ANSWER, rows)
        written = writer.close(())
    others = (file for file in manifest.files if file.key != _ANSWER)
    return replace(manifest, files=(*others, *written.files))


def _turned_round(found: pl.DataFrame, forms: pl.DataFrame, anomalies: pl.DataFrame | None) -> pl.DataFrame:
    """Answers with those that accept a declaration which was refused after they were written turned round.

    What told the identifiers of such a declaration is dropped.
    """
    late = forms.filter(pl.col("state") == "refused").select("declaration_id")
    found = found.filter(pl.col("result").is_not_null() | ~pl.col("declaration_id").is_in(late.to_series().implode()))
    accepting = found.filter(pl.col("result") == "1").join(late, on="declaration_id", how="semi")
    if accepting.is_empty() or anomalies is None:
        return found
    turned = refusals(accepting, forms, anomalies).select("declaration_id", "result", "content")
    return found.update(turned, on="declaration_id", maintain_order="left")


def send(
    lake: Lake,
    receipts: Sequence[Receipt],
    fresh: Sequence[Receipt],
    settings: Settings,
    crew: Crew,
    *,
    late: Iterable[int] = (),
) -> None:
    """Put the answers to a run's filings into OUT/answers.

    Answers to filings that the ledger knew before are only put back where they are missing, so that a run that was
    interrupted is made good by the next.

    Args:
        lake: that holds the answers.
        receipts: all filings of the run.
        fresh: those that are new.
        settings: where OUT is.
        crew: who puts them there.
        late: filing_id of filings of earlier runs that have answers from this one.

    Raises:
        LakeProblem: the folder cannot be written, or the lake cannot be read.
    """
    from flows import console  # workers do without a terminal

    keys = sorted({*late, *(filing_id(receipt.sha256) for receipt in receipts if receipt.sha256)})
    new = {filing_id(receipt.sha256) for receipt in fresh if receipt.sha256}
    folder = settings.out / FOLDER
    with _border(folder):
        folder.mkdir(parents=True, exist_ok=True)
        there = _names(folder)
    with console.progress("answering", len(keys)) as advance:
        for start in range(0, len(keys), FILINGS_AT_ONCE):
            some = keys[start : start + FILINGS_AT_ONCE]
            found = (
                (name, content, name in there and filing in new)
                for filing, name, content in _answers(lake, some, new, there)
            )
            for _ in crew.run(put_some, list(_shares(folder, found))):
                continue
            advance(len(some))


def named_alone(answers: pl.DataFrame, day: date, lake: Lake, environment: str) -> pl.DataFrame:
    """Messages that one file of the NSSO's own leads to, with their names: one sequence, as many parts as messages.

    Args:
        answers: columns of `dmfa.answers.ANSWER_SCHEMA`.
        day: the day of receipt of that file.
        lake: into which they go; this run alone writes to it.
        environment: R, T or S.
    """
    number = next_number(day, lake)
    names = [
        answer_name(kind, day, number, environment, part=place, parts=answers.height)
        for place, kind in enumerate(answers["kind"], 1)
    ]
    return answers.with_columns(name=pl.Series(names, dtype=pl.String))


def next_number(day: date, lake: Lake) -> int:
    """The first sequence of a day that no answer in the lake has."""
    return _used([day], lake).get(day, 0) + 1


def put_answers(lake: Lake, filing: int, settings: Settings) -> None:
    """Put the answers to one filing into OUT/answers, where they are missing.

    Args:
        lake: that holds them.
        filing: its filing_id.
        settings: where OUT is.

    Raises:
        LakeProblem: the folder cannot be written, or the lake cannot be read.
    """
    folder = settings.out / FOLDER
    with _border(folder):
        folder.mkdir(parents=True, exist_ok=True)
        there = _names(folder)
    found = ((name, content, False) for _, name, content in _answers(lake, [filing], (), there))
    for share in _shares(folder, found):
        put_some(share)


@dataclass(frozen=True)
class Putting:
    """A worker's share of the answers.

    Attributes:
        folder: where they go.
        answers: name and bytes of each, and whether it may be there as it should be.
    """

    folder: Place
    answers: tuple[tuple[str, bytes, bool], ...]


def _shares(folder: Place, answers: Iterator[tuple[str, bytes, bool]]) -> Iterator[Putting]:
    while some := tuple(islice(answers, _PUT_AT_ONCE)):
        yield Putting(folder, some)


def put_some(share: Putting) -> None:
    """Put some answers into their folder.

    Raises:
        LakeProblem: it cannot be written.
    """
    with _border(share.folder):
        overlapped(
            lambda answer: _put(share.folder / answer[0], answer[1], compare=answer[2]), share.answers, share.folder
        )


def _names(folder: Place) -> set[str]:
    """Names of the files in a folder."""
    if isinstance(folder, Path):
        return set(os.listdir(folder))  # noqa: PTH208 - a Path for each of many thousands of names takes seconds
    return {file.name for file in folder.iterdir()}


def _answers(
    lake: Lake, keys: list[int], new: Collection[int], there: Collection[str]
) -> Iterator[tuple[int, str, bytes]]:
    """Filing, name and bytes of the answers that are new or not in place, in the order of their names."""
    # As one text: binding a long list value by value takes longer than the query.
    of = "FROM lake.received.answer WHERE filing_id IN (SELECT unnest(string_split(?, ',')::BIGINT[]))"
    wanted = [key for key in keys if key in new]
    known = [key for key in keys if key not in new]
    if known:
        standing = lake.arrow(f"SELECT filing_id, name {of} AND name IS NOT NULL", [_listed(known)])
        wanted += {filing for filing, name in _rows(standing) if name not in there}
    if wanted:
        query = f"SELECT filing_id, name, content {of} AND name IS NOT NULL ORDER BY name"
        for filing, name, content in _rows(lake.arrow(query, [_listed(wanted)])):
            if filing in new or name not in there:
                yield filing, name, content.encode()


def _rows(table: pa.Table) -> Iterator[tuple[Any, ...]]:
    for batch in table.to_batches():
        yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)


def _listed(keys: Iterable[int]) -> str:
    return ",".join(map(str, keys))


def _put(path: Place, content: bytes, *, compare: bool) -> None:
    """Write an answer's file, unless it is there as it should be."""
    if not compare or path.read_bytes() != content:
        write_whole(path, content, durable=False, draft=f"{path.parent}/.{path.name}.part")


def _border(folder: Place) -> AbstractContextManager[None]:
    return writing(
        f"the answers could not be written to {folder}",
        "The lake holds them all. Free space or correct the rights, then run again.",
    )
