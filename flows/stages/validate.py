"""Validate: filings are judged, nothing is kept."""

from __future__ import annotations

import json
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dmfa.address import Place
from dmfa.errors import DmfaError, NothingToRead
from dmfa.reading.batch import UNREADABLE, plan_batches, read_batch
from dmfa.reading.batch import Settings as Reading
from dmfa.reading.pool import run_pool
from dmfa.reading.source import Found, find_filings
from dmfa.schema import lake_tables
from flows import console
from flows.settings import Settings
from flows.stages.judging import judge_batch

LISTED = 100
"""Filings up to which every one has a row on a terminal; of more, those that are not accepted."""

Answer = dict[str, Any]


@dataclass(frozen=True)
class _Task:
    found: tuple[Found, ...]
    settings: Settings
    reading: Reading
    blocks: Mapping[str, str]


@dataclass(frozen=True)
class _Judged:
    answers: tuple[Answer, ...]
    unreadable: tuple[tuple[str, str], ...]
    size: int


def run(paths: Sequence[Place], settings: Settings, *, as_json: bool) -> int:
    """Judge the filings at some paths and print the verdicts.

    Args:
        paths: files, folders, globs or archives.
        settings: which checks run, and how strict they are.
        as_json: one JSON object a line instead of a table.

    Returns:
        Exit code: 0, or 1 if a filing was refused or could not be read.

    Raises:
        NothingToRead: no such path, no filing in it, or no byte could be read.
    """
    states: Counter[str] = Counter()
    totals: Counter[str] = Counter()
    rows: list[Answer] = []
    with tempfile.TemporaryDirectory(prefix="dmfa-") as spool:
        sources = find_filings(paths, Path(spool))
        unreadable: list[tuple[str, str]] = []
        for judged in _judge(sources.filings, settings):
            unreadable += judged.unreadable
            for answer in judged.answers:
                states[answer["verdict"]] += 1
                totals.update({name: answer[name] for name in ("declarations", "refused", "persons")})
                if as_json:
                    sys.stdout.write(json.dumps(answer, ensure_ascii=False) + "\n")
                elif len(sources.filings) <= LISTED or answer["verdict"] != "accepted":
                    rows.append(answer)
            # Whoever reads the lines as they come shall not wait for the last.
            sys.stdout.flush()
        if not states:
            name, reason = unreadable[0]
            raise NothingToRead(f"nothing could be read: {name}: {reason}", "Check the files and their rights.")
    for name, reason in unreadable:
        console.complain(DmfaError(f"{name} is left out: {reason}"))
    if not as_json:
        _show(rows, len(sources.filings))
        if sources.left_alone:
            console.say(f"{sources.left_alone:,} other files left alone")
        _control(states, totals)
    return 1 if states["refused"] or unreadable else 0


def _judge(found: Sequence[Found], settings: Settings) -> Iterator[_Judged]:
    """Judge all filings, giving them back in their order."""
    reading = Reading.of(settings.xsd, proof=settings.proof)
    blocks = {table.name: table.block.name for table in lake_tables(settings.xsd)}
    tasks = [
        _Task(tuple(group), settings, reading, blocks) for group in plan_batches(found, _batch_bytes(found, settings))
    ]
    waiting: dict[int, _Judged] = {}
    following = 0
    with console.progress("validating", sum(one.size for one in found)) as advance:
        for position, judged in run_pool(_judge_some, tasks, settings.workers):
            waiting[position] = judged
            advance(judged.size)
            while following in waiting:
                yield waiting.pop(following)
                following += 1


def _batch_bytes(found: Sequence[Found], settings: Settings) -> int:
    """Batches small enough that every worker has some, large enough to be worth a call."""
    total = sum(one.size for one in found)
    return max(4 << 20, min(16 << 20, total // (2 * settings.workers)))


def _judge_some(task: _Task) -> _Judged:
    batch = read_batch(task.found, task.reading)
    judgement = judge_batch(batch, task.settings, task.blocks, task.settings.received_on)
    verdicts = {row["filing_id"]: row for row in judgement.filings.iter_rows(named=True)}
    anomalies: dict[int, list[Answer]] = {}
    for row in judgement.anomalies.iter_rows(named=True):
        shown = {name: row[name] for name in ("code", "severity", "zone", "block", "path", "line", "message")}
        anomalies.setdefault(row["filing_id"], []).append(shown)
    answers, unreadable = [], []
    for filing in batch.filings:
        if filing.state == UNREADABLE or filing.filing_id is None:
            unreadable.append((filing.name, filing.unreadable or "it can not be read"))
            continue
        verdict = verdicts[filing.filing_id]
        answers.append(
            {
                "file": filing.name,
                "verdict": verdict["verdict"],
                "well_formed": filing.well_formed,
                "schema_valid": filing.schema_valid,
                "quarter": filing.quarter,
                "schema": filing.release,
                "declarations": filing.declarations,
                "refused": verdict["refused"],
                "persons": filing.persons,
                "anomalies": anomalies.get(filing.filing_id, []),
                "warnings": list(filing.warnings),
            }
        )
    return _Judged(tuple(answers), tuple(unreadable), sum(one.size for one in task.found))


def _show(rows: Sequence[Answer], many: int) -> None:
    title = f"{many:,} filings" if many <= LISTED else f"{many:,} filings, those not accepted"
    console.table(
        title,
        ("file", "verdict", "quarter", "schema", "declarations", "persons", "why"),
        (
            (
                row["file"],
                row["verdict"].replace("_", " "),
                console.quarter(row["quarter"]),
                row["schema"],
                row["declarations"],
                row["persons"],
                _why(row),
            )
            for row in rows
        ),
        right=(4, 5),
    )


def _why(row: Answer) -> str:
    """The first anomalies; for a filing that is refused also what warns that the refusal may not be its own fault."""
    told = console.reasons((one["code"], one["message"], one["line"]) for one in row["anomalies"])
    warnings = row["warnings"] if row["verdict"] == "refused" else []
    return "\n".join([told, *warnings]) if told else "\n".join(warnings)


def _control(states: Counter[str], totals: Counter[str]) -> None:
    console.say(
        f"control: {sum(states.values()):,} filings = {states['accepted']:,} accepted + {states['refused']:,} refused "
        f"+ {states['not_processed']:,} not processed; {totals['declarations']:,} declarations, {totals['refused']:,} "
        f"of them refused; {totals['persons']:,} persons"
    )
