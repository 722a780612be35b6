"""Answers to senders: written by the workers, named when they are published, then put into OUT/answers."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from datetime import date
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import polars as pl

from dmfa.address import Place, overlapped
from dmfa.answers import answer_name, answers, environment_of, form_ticket, number_of, refusals
from dmfa.lake import ItemWriter, Manifest, file_rows, staged_rows
from dmfa.lake.files import write_whole
from dmfa.reading.plan import Plan
from dmfa.states import WAITING
from flows.settings import Settings
from flows.stages.borders import writing

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
    brought: Sequence[str],
    keys: Iterable[int],
    settings: Settings,
    crew: Crew,
) -> None:
    """Put the answers of a run into OUT/answers.

    Those that it wrote come from the files that it added to the lake, each read by who puts them there. Answers to
    filings that the ledger knew before are only put back where they are missing, so that a run that was interrupted is
    made good by the next.

    Args:
        lake: that holds the answers.
        brought: paths of the files with answers that the run added to the lake.
        keys: filing_id of the filings of the run that the ledger knew before.
        settings: where OUT is.
        crew: who puts them there.

    Raises:
        LakeProblem: the folder cannot be written, or the lake cannot be read.
    """
    from flows import console  # workers do without a terminal

    folder = settings.out / FOLDER
    with _border(folder):
        folder.mkdir(parents=True, exist_ok=True)
    known = sorted(keys)
    parts = range(0, len(known), FILINGS_AT_ONCE)
    with console.progress("answering", len(brought) + len(parts)) as advance:
        for _ in crew.run(put_brought, [Brought(folder, settings.lake, path) for path in brought]):
            advance(1)
        for start in parts:
            found = _missing(lake, known[start : start + FILINGS_AT_ONCE], folder)
            for _ in crew.run(put_some, list(_shares(folder, found))):
                continue
            advance(1)


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
    for share in _shares(folder, _missing(lake, [filing], folder)):
        put_some(share)


@dataclass(frozen=True)
class Brought:
    """Answers that a run wrote.

    Attributes:
        folder: where they go.
        lake: which lake holds them.
        path: a file of received.answer.
    """

    folder: Place
    lake: str
    path: str


def put_brought(share: Brought) -> None:
    """Put the answers in a file of the lake into their folder; what has no name is no answer yet.

    Raises:
        LakeProblem: the folder cannot be written, or the file cannot be read.
    """
    with _border(share.folder):
        there = _names(share.folder)
    for rows in file_rows(share.lake, share.path, ["name", "content"], _PUT_AT_ONCE):
        # One that an interrupted run left there may have been another: it is looked at.
        named = (
            (name, content, name in there)
            for name, content in zip(rows["name"].to_pylist(), rows["content"].cast("binary").to_pylist(), strict=True)
            if name is not None
        )
        put_some(Putting(share.folder, tuple(named)))


@dataclass(frozen=True)
class Putting:
    """A worker's share of the answers.

    Attributes:
        folder: where they go.
        answers: name and bytes of each, and whether it may be there as it should be.
    """

    folder: Place
    answers: tuple[tuple[str, bytes, bool], ...]


def _shares(folder: Place, answers: Iterator[tuple[str, bytes]]) -> Iterator[Putting]:
    while some := tuple((name, content, False) for name, content in islice(answers, _PUT_AT_ONCE)):
        yield Putting(folder, some)


def put_some(share: Putting) -> None:
    """Put some answers into their folder.

    Raises:
        LakeProblem: it cannot be written.
    """
    with _border(share.folder), _draft_in(share.folder) as draft:
        overlapped(
            lambda answer: _put(share.folder / answer[0], answer[1], draft, compare=answer[2]),
            share.answers,
            share.folder,
        )


@contextmanager
def _draft_in(folder: Place) -> Iterator[str]:
    """A place for what is being written, in a folder of its own: several processes that make files in one wait there.

    A store needs none.
    """
    if not isinstance(folder, Path):
        yield ""
        return
    with TemporaryDirectory(prefix=".", dir=folder) as drafts:
        yield f"{drafts}/draft"


def _names(folder: Place) -> set[str]:
    """Names of the files in a folder."""
    if isinstance(folder, Path):
        return set(os.listdir(folder))  # noqa: PTH208 - a Path for each of many thousands of names takes seconds
    return {file.name for file in folder.iterdir()}


def _missing(lake: Lake, keys: list[int], folder: Place) -> Iterator[tuple[str, bytes]]:
    """Name and bytes of the answers to some filings that are not in a folder, in the order of their names."""
    with _border(folder):
        there = _names(folder)
    # As one text: binding a long list value by value takes longer than the query.
    of = "FROM lake.received.answer WHERE filing_id IN (SELECT unnest(string_split(?, ',')::BIGINT[]))"
    standing = lake.arrow(f"SELECT filing_id, name {of} AND name IS NOT NULL", [_listed(keys)])
    wanted = {filing for filing, name in _rows(standing) if name not in there}
    if wanted:
        query = f"SELECT name, content {of} AND name IS NOT NULL ORDER BY name"
        for name, content in _rows(lake.arrow(query, [_listed(wanted)])):
            if name not in there:
                yield name, content.encode()


def _rows(table: pa.Table) -> Iterator[tuple[Any, ...]]:
    for batch in table.to_batches():
        yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)


def _listed(keys: Iterable[int]) -> str:
    return ",".join(map(str, keys))


def _put(path: Place, content: bytes, draft: str, *, compare: bool) -> None:
    """Write an answer's file, unless it is there as it should be."""
    if not compare or path.read_bytes() != content:
        write_whole(path, content, durable=False, draft=draft)


def _border(folder: Place) -> AbstractContextManager[None]:
    return writing(
        f"the answers could not be written to {folder}",
        "The lake holds them all. Free space or correct the rights, then run again.",
    )
