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
from dmfa.checks.words import Language, told_of
from dmfa.errors import DmfaError, NothingToRead
from dmfa.reading.batch import Settings as Reading
from dmfa.reading.batch import plan_batches, read_batch
from dmfa.reading.filing import UNREADABLE
from dmfa.reading.pool import run_pool
from dmfa.reading.source import Found, find_filings
from dmfa.schema import UPDATE, lake_tables
from flows import console
from flows.settings import Settings
from flows.stages.judging import judge_batch

LISTED = 100
"""Filings up to which every one has a row on a terminal; of more, those that are not accepted."""

TOLD = 20
"""Anomalies of one filing that are told on a terminal; with --json all of them."""

_WITHOUT_VALUE = ("001", "090", "091", "134", "146")
"""Kinds of anomaly that speak of no value."""

_SHOWN = ("code", "severity", "zone", "block", "path", "line", "message", "seen_value")

Answer = dict[str, Any]


@dataclass(frozen=True)
class _Task:
    found: tuple[Found, ...]
    settings: Settings
    reading: Reading
    blocks: Mapping[str, str]
    language: Language


@dataclass(frozen=True)
class _Judged:
    answers: tuple[Answer, ...]
    unreadable: tuple[tuple[str, str], ...]
    size: int
    not_verifiable: Mapping[str, int]
    corrections: int


def run(paths: Sequence[Place], settings: Settings, *, as_json: bool, language: Language = "en") -> int:
    """Judge the filings at some paths and print the verdicts.

    Args:
        paths: files, folders, globs or archives.
        settings: which checks run, and how strict they are.
        as_json: one JSON object a line instead of tables.
        language: in which anomalies are told.

    Returns:
        Exit code: 0, or 1 if a filing was refused or could not be read.

    Raises:
        NothingToRead: no such path, no filing in it, or no byte could be read.
    """
    states: Counter[str] = Counter()
    totals: Counter[str] = Counter()
    not_verifiable: Counter[str] = Counter()
    rows: list[Answer] = []
    corrections = 0
    with tempfile.TemporaryDirectory(prefix="dmfa-") as spool:
        sources = find_filings(paths, Path(spool))
        unreadable: list[tuple[str, str]] = []
        for judged in _judge(sources.filings, settings, language):
            not_verifiable.update(judged.not_verifiable)
            unreadable += judged.unreadable
            corrections += judged.corrections
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
        if corrections:
            console.say(
                f"{corrections:,} filings hold corrections: what is wrong in them by themselves is told here; whether "
                "they go out from the last situation only `dmfa ingest` can tell"
            )
        if not_verifiable:
            many, codes = sum(not_verifiable.values()), " ".join(sorted(not_verifiable))
            console.say(f"{many:,} values not verifiable, whose code lists end before their quarter: {codes}")
        _control(states, totals)
    return 1 if states["refused"] or unreadable else 0


def _judge(found: Sequence[Found], settings: Settings, language: Language) -> Iterator[_Judged]:
    """Judge all filings, giving them back in their order."""
    reading = Reading.of(settings.xsd, proof=settings.proof)
    blocks = {table.name: table.block.name for table in lake_tables(settings.xsd)}
    groups = plan_batches(found, _batch_bytes(found, settings))
    tasks = [_Task(tuple(group), settings, reading, blocks, language) for group in groups]
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
        if task.language != "en":
            row["message"] = told_of(row["code"], row["zone"] or row["block"], task.language)
        anomalies.setdefault(row["filing_id"], []).append({name: row[name] for name in _SHOWN})
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
    size = sum(one.size for one in task.found)
    corrections = sum(filing.kind == UPDATE.name for filing in batch.filings)
    return _Judged(tuple(answers), tuple(unreadable), size, judgement.not_verifiable, corrections)


def _show(rows: Sequence[Answer], many: int) -> None:
    title = f"{many:,} filings" if many <= LISTED else f"{many:,} filings, those not accepted"
    console.table(
        title,
        ("file", "verdict", "quarter", "schema", "declarations", "persons", "anomalies"),
        (
            (
                row["file"],
                row["verdict"].replace("_", " "),
                console.quarter(row["quarter"]),
                row["schema"],
                row["declarations"],
                row["persons"],
                _counted(row),
            )
            for row in rows
        ),
        right=(4, 5),
    )
    for row in rows[:LISTED]:
        _show_anomalies(row)


def _counted(row: Answer) -> str:
    """How many anomalies of each severity; of a refused filing also what warns that the fault may not be its own."""
    severities = Counter(one["severity"] for one in row["anomalies"])
    counted = ", ".join(f"{number:,} {severity}" for severity, number in sorted(severities.items()))
    warnings = row["warnings"] if row["verdict"] == "refused" or not counted else []
    return "\n".join([*filter(None, [counted]), *warnings])


def _show_anomalies(row: Answer) -> None:
    found = row["anomalies"]
    if not found:
        return
    console.table(
        row["file"],
        ("code", "severity", "line", "place", "value", "what"),
        ((one["code"], one["severity"], one["line"], _place(one), _value(one), one["message"]) for one in found[:TOLD]),
        right=(2,),
    )
    if len(found) > TOLD:
        console.say(f"... and {len(found) - TOLD:,} more; --json tells all")


def _place(one: Answer) -> str:
    """Block and zone; the line beside it leads there."""
    return "/".join(filter(None, (one["block"], one["zone"])))


def _value(one: Answer) -> str:
    """The value seen; that there is one that is not shown, where it may tell who somebody is or what somebody earns."""
    if one["seen_value"] is not None:
        return str(one["seen_value"])
    return "(not shown)" if one["zone"] and one["code"][-3:] not in _WITHOUT_VALUE else ""


def _control(states: Counter[str], totals: Counter[str]) -> None:
    console.say(
        f"control: {sum(states.values()):,} filings = {states['accepted']:,} accepted + {states['refused']:,} refused "
        f"+ {states['not_processed']:,} not processed; {totals['declarations']:,} declarations, {totals['refused']:,} "
        f"of them refused; {totals['persons']:,} persons"
    )
