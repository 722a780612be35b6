"""`dmfa suspect`: errors that recipients suspect in what they received, from report to decision."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from unicodedata import category

import yaml

from dmfa.answers.tickets import suspicion_ticket
from dmfa.errors import WrongUsage
from dmfa.extracts import can_be_a_name
from dmfa.extracts.strict_yaml import StrictDocument
from dmfa.extracts.suspicions import (
    ACCEPTED,
    CORRECTED,
    REJECTED,
    Report,
    Suspicion,
    content,
    elsewhere,
    masked,
    suspicions,
)
from dmfa.extracts.suspicions import report as reported
from dmfa.extracts.suspicions import settle as settled
from dmfa.lake import Lake, TableSpec
from flows import console
from flows.settings import Settings
from flows.stages.exchange_log import write
from flows.stages.tables import COMPUTED

_KEYS: Final = {
    "recipient": True,
    "attestation": True,
    "version": False,
    "block": True,
    "ordinal": False,
    "zone": True,
    "seen": False,
    "proposed": False,
    "reason": True,
    "explanation": True,
}
"""Keys of a report, and whether it must have them."""

_NUMBERS: Final = frozenset({"attestation", "version", "ordinal"})
_UNWRITABLE: Final = ("Cc", "Cs")
"""Kinds of signs in Unicode: control signs, halves of a pair."""

_PLAIN: Final = "Write it as plain text in UTF-8."
_LONGEST: Final = 1_000_000
"""Bytes of a report at most."""


def report(file: Path, settings: Settings, *, as_json: bool = False) -> int:
    """Keep a report read from a file.

    Returns:
        Exit code 0, for one that was kept before too.

    Raises:
        WrongUsage: the file is no report, or doubts what its recipient has not received.
        LakeProblem: there is no lake, or it cannot be read or written.
    """
    told = read(file)
    ticket = suspicion_ticket(json.dumps(content(told), sort_keys=True))
    with _opened(settings) as lake:
        found = reported(lake, told, ticket, datetime.now(UTC), xsd=settings.xsd)
    _show_one(found, as_json)
    return 0


def settle(ticket: str, state: str, motive: str, settings: Settings, *, as_json: bool = False) -> int:
    """Take a report to its next state, written taken-up, accepted, corrected or rejected.

    An accepted report is corrected at once, if it proposes a value that corrects it; any other waits for its employer.

    Raises:
        WrongUsage: there is no such report, the state cannot follow, the motive is no text, or the correction cannot
            be made.
        LakeProblem: there is no lake, or it cannot be read or written.
    """
    from flows.stages import suspected  # the law and the checks, which no other step needs
    from flows.stages.reference import REFERENCE

    if not _writable(motive):
        raise WrongUsage("the motive holds signs that cannot be written.", _PLAIN)
    with _opened(settings, *REFERENCE) as lake:
        if state == ACCEPTED:
            found = suspected.accept(lake, ticket, motive, settings)
        else:
            version = suspected.corrected_since(lake, ticket, settings) if state == CORRECTED else None
            found = settled(lake, ticket, state.replace("-", " "), datetime.now(UTC), motive, corrected_by=version)
    _show_one(found, as_json)
    return 0


def show(settings: Settings, *, state: str | None = None, as_json: bool = False) -> int:
    """List the reports, or those in a state; numbers of persons are not told.

    Raises:
        LakeProblem: there is no lake, or it cannot be read.
    """
    with Lake.open(settings.lake) as lake:
        found = list(suspicions(lake, state.replace("-", " ") if state else None))
    if as_json:
        write(map(_facts, found))
        return 0
    header = ("reported (UTC)", "ticket", "state", "by", "quarter", "where", "seen", "proposed", "reason", "to be told")
    rows = [_facts(one) for one in found]
    console.table(
        "Suspected errors",
        header,
        (
            (
                f"{row['opened_at']:%Y-%m-%d %H:%M}",
                row["ticket"],
                row["state"],
                row["recipient"],
                console.quarter(row["quarter"]),
                row["zone_path"],
                row["seen_value"],
                "(empty)" if row["suggested_value"] == "" else row["suggested_value"],
                row["reason_code"],
                ", ".join(row["to_be_told"]),
            )
            for row in rows
        ),
    )
    console.say(f"suspected errors: {len(rows):,}")
    return 0


def read(file: Path) -> Report:
    """A report as its file says it.

    Raises:
        WrongUsage: the file cannot be read or is no report; the message repeats no value.
    """
    row = _document(file)
    unknown = sorted(str(key) for key in row if key not in _KEYS)
    if unknown:
        raise WrongUsage(f"{file} has a key that no report has.", f"Keys are {', '.join(_KEYS)}.")
    if any(isinstance(value, str) and not _writable(value) for value in row.values()):
        raise WrongUsage(f"{file} holds signs that cannot be written.", _PLAIN)
    missing = [key for key, must in _KEYS.items() if must and row.get(key) is None]
    if missing:
        raise WrongUsage(f"{file} does not say {', '.join(missing)}.", f"Keys are {', '.join(_KEYS)}.")
    for key in _KEYS:
        told = row.get(key)
        if told is None:
            continue
        if key in _NUMBERS and (type(told) is not int or not 0 <= told < 2**63):
            raise WrongUsage(f"{file}: {key} is not a whole number.", "Write it as in the files given out.")
        if key not in _NUMBERS and not isinstance(told, str):
            raise WrongUsage(f"{file}: {key} is not a text.", 'Put it in quotes: "0150", "2026-07-01".')
    if not can_be_a_name(row["recipient"]):
        raise WrongUsage(f"{file}: recipient is not the name of an institution.", "Name it as in the authorisations.")
    if not (row["reason"].isascii() and row["reason"].isdecimal() and len(row["reason"]) == 2):
        raise WrongUsage(f"{file}: reason is not a code of two digits.", 'Put it in quotes: "05".')
    for key in ("block", "zone"):
        if not (row[key].isascii() and row[key].isidentifier()):
            raise WrongUsage(
                f"{file}: {key} is not an official label.", "Write it as in the files: Remun, RemunAmount."
            )
    values: dict[str, Any] = {key: row.get(key) for key in _KEYS}
    return Report(**values)


def _writable(text: str) -> bool:
    """Whether a text can be written: not half of a pair of signs, nor what a terminal would obey."""
    return all(category(sign) not in _UNWRITABLE or sign in "\n\t" for sign in text)


def _document(file: Path) -> dict[Any, Any]:
    """A file of YAML, of which JSON is a part."""
    try:
        if str(file) == "-":
            text = sys.stdin.read(_LONGEST)
        else:
            with file.open(encoding="utf-8") as opened:
                text = opened.read(_LONGEST)
        document = StrictDocument(file, text)
    except OSError as error:
        raise WrongUsage(f"{file} cannot be read: {(error.strerror or 'unknown').lower()}.", "Name a report.") from None
    except (ValueError, yaml.YAMLError):
        raise WrongUsage(f"{file} is not text in UTF-8.", "Save it as UTF-8.") from None
    node = document.get_single_node()
    row = None if node is None else document.construct_document(node)
    if not isinstance(row, dict):
        raise WrongUsage(f"{file} is not a report.", f"Write a `key: value` for each of {', '.join(_KEYS)}.")
    return row


def _opened(settings: Settings, *further: TableSpec) -> Lake:
    tables = (*COMPUTED, *further)
    return Lake.open(settings.lake, write=True, extra_tables=tables, wait_seconds=settings.lake_wait, xsd=settings.xsd)


def _facts(one: Suspicion) -> dict[str, Any]:
    """A report as it may be shown."""
    told = {name: value for name, value in one.facts.items() if name not in ("step", "reached_at")}
    hidden = {name: masked(told[name]) for name in ("seen_value", "suggested_value", "explanation", "motive")}
    return {**told, **hidden, "steps": list(one.steps), "to_be_told": list(one.to_be_told)}


def _show_one(one: Suspicion, as_json: bool) -> None:
    if as_json:
        write([_facts(one)])
        return
    console.say(f"suspected error {one.ticket}: {one.state}")
    told = ", ".join(one.to_be_told) or "nobody any more"
    if one.state == CORRECTED:
        console.say(f"version {one.corrected_by} of the attestation corrects it; still to be told: {told}")
    if one.state == ACCEPTED:
        console.say(f"it waits for its employer's correction, which will be given to {told}")
    if one.state not in (CORRECTED, REJECTED) and (how := elsewhere(one.facts)):
        console.say(f"no proposed value corrects {one.facts['zone_path']}. {how}")
