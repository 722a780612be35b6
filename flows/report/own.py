"""What is held of a person, told to that person: as tables, or as one page that needs no network and no script."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

from dmfa.money import euro
from flows import console
from flows.report.template import template
from flows.report.words import code_words

_HERE = Path(__file__).parent

Node = Mapping[str, Any]

STATUS: Final = {0: "new", 1: "changed", 3: "cancelled", 4: "in force again"}
"""Statuses of an attestation (zone 100003) in words."""

_AMOUNT_CODES: Final = {"00082": "contribution", "00086": "deduction"}
_HUNDREDTHS: Final = "hundredth of "

OUTCOMES: Final = {
    "equal": "the same as declared",
    "rounding": "one cent from what is declared",
    "within bounds": "what is declared lies between the bounds that can be computed",
    "differs": "other than declared",
    "missing": "owed, and not declared",
    "superfluous": "declared, and not due",
    "not computable": "cannot be computed",
}
"""Outcomes of the comparison in words that a person understands."""


def show(answer: Node) -> None:
    """Print an answer as tables."""
    console.say(f"Answer of {answer['at']:%Y-%m-%d %H:%M} UTC, ticket {answer['ticket']}: {answer['legal_basis']}")
    for one in answer["attestations"]:
        _attestation(one)
    grids: tuple[tuple[str, str, dict[str, str]], ...] = (
        ("Who has a file on the person", "directory", DIRECTORY),
        ("Who received what", "communications", COMMUNICATIONS),
        ("What was refused or not given", "refused", REFUSED),
        ("Errors that a recipient suspects", "suspicions", SUSPICIONS),
    )
    for title, name, columns in grids:
        rows = answer[name]
        console.table(
            title, tuple(columns), ([cell(column, row[column]) for column in columns.values()] for row in rows)
        )
        if not rows:
            console.say(f"{title}: nothing")


def said(page: Path) -> None:
    """Print where a page is."""
    console.say(f"page: {page}")


DIRECTORY: Final = {
    "sector": "sector",
    "known as": "name",
    "institution": "institution_type",
    "quality": "quality",
    "from": "begin_date",
    "to": "end_date",
    "changed on": "changed_on",
}
COMMUNICATIONS: Final = {
    "when (UTC)": "at",
    "to whom": "recipient",
    "what": "flow",
    "quarter": "quarter",
    "attestation": "attestation",
    "version": "version",
    "what for": "purpose",
    "legal basis": "legal_basis",
    "deliberation": "deliberation",
    "ticket": "ticket",
}
REFUSED: Final = {
    "when (UTC)": "at",
    "to whom": "recipient",
    "what": "flow",
    "quarter": "quarter",
    "result": "result",
    "why": "reason",
    "ticket": "ticket",
}
SUSPICIONS: Final = {
    "reported (UTC)": "opened_at",
    "by": "recipient",
    "attestation": "attestation",
    "where": "zone_path",
    "state": "state",
    "says": "explanation",
    "answer": "motive",
    "ticket": "ticket",
}
"""Columns of the tables: heading to the name of what stands in it."""


def page(answer: Node) -> Iterator[str]:
    """The parts of a page, each made when it is asked for."""
    functions = {
        "cell": cell,
        "value": value,
        "amount": amount,
        "quarter": console.quarter,
        "employer": employer,
        "status": STATUS,
        "tables": {
            "directory": DIRECTORY,
            "communications": COMMUNICATIONS,
            "refused": REFUSED,
            "suspicions": SUSPICIONS,
        },
    }
    return template("own.html", functions=functions).generate(answer=answer)


def cell(name: str, found: Any) -> str:
    """A fact of a table as people read it."""
    if found is None:
        return ""
    if name == "quarter":
        return console.quarter(found)
    return f"{found:%Y-%m-%d %H:%M}" if isinstance(found, datetime) else str(found)


def employer(blocks: Node) -> str:
    """The employer of an attestation, by its numbers."""
    zones = {zone["zone"]: zone["value"] for zone in blocks["zones"]}
    company = zones.get("CompanyID")
    known = f", enterprise number {company}" if company and int(company) else ""
    return f"employer {zones.get('NOSSRegistrationNbr', '-')}{known}"


def value(zone: Node) -> str:
    """The value of a zone as people read it: euro, days and hours as decimals, codes with their meaning."""
    found, unit = zone["value"], zone["unit"]
    if isinstance(found, int):
        if unit == "cent":
            return f"{euro(found)} €"
        if unit == "thousandth of a euro":
            whole, rest = divmod(abs(found), 1000)
            return f"{'-' if found < 0 else ''}{whole:,}.{rest:03d} €"
        if unit.startswith(_HUNDREDTHS):
            return f"{euro(found)} {unit.removeprefix(_HUNDREDTHS).split()[-1]}s"
    words = meaning(zone["number"], str(found))
    return f"{found} ({words})" if words else str(found)


def meaning(zone: str, code: str) -> str:
    """What a code of a zone means; empty where no words are known."""
    if zone in _AMOUNT_CODES:
        return code_words(_AMOUNT_CODES[zone], code)
    return _meanings().get(zone, {}).get(code, "")


@cache
def _meanings() -> dict[str, dict[str, str]]:
    known: dict[str, dict[str, str]] = yaml.safe_load((_HERE / "codes.yaml").read_text(encoding="utf-8"))
    return known


def amount(computed: Node) -> str:
    """An amount computed anew, in one line."""
    told = "-" if computed["computed_cents"] is None else f"{euro(computed['computed_cents'])} €"
    why = f": {computed['reason']}" if computed["reason"] else ""
    return f"computed anew: {told}, {OUTCOMES.get(computed['outcome'], computed['outcome'])}{why}"


def _attestation(one: Node) -> None:
    newest = one["versions"][-1]
    console.table(
        f"{console.quarter(one['quarter'])}, {employer(newest['blocks'])}: attestation {one['attestation']}",
        ("version", "status", "in force", "received (UTC)", "ticket of the declaration"),
        (
            (
                version["version"],
                STATUS.get(version["status"], version["status"]),
                "yes" if version["in_force"] else "no",
                cell("received_at", version["received_at"]),
                version["ticket"],
            )
            for version in one["versions"]
        ),
    )
    for version in one["versions"]:
        console.table(f"What version {version['version']} says", ("what", "value"), _lines(version["blocks"], 0))
    missing = one["owed_and_not_declared"]
    console.table("Owed, and not declared", ("code", "amount"), ((row["code"], amount(row)) for row in missing))


def _lines(node: Node, depth: int) -> Iterator[tuple[str, str]]:
    margin = "  " * depth
    yield f"{margin}{node['words']}", ""
    for zone in node["zones"]:
        yield f"{margin}  {zone['words']}", value(zone)
    for computed in node.get("computed", ()):
        yield "", amount(computed)
    for below in node["blocks"]:
        yield from _lines(below, depth + 1)
