"""`dmfa history`: the versions of a declaration, or of a person's lines in it: when, by whom, why, what changed."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain
from typing import Any, Final, Literal

from dmfa.errors import WrongUsage
from dmfa.lake import Lake
from dmfa.money import euro
from dmfa.quarter import Quarter
from flows import console
from flows.report import own
from flows.settings import Settings
from flows.stages.timeline import Event, Node, timeline, wanted

Form = Literal["text", "json", "html"]

_SIGNS: Final = {"removed": "-", "created": "+", "reactivated": "+", "changed": "~", "kept": " "}


def run(
    quarter: Quarter, settings: Settings, *, inss: int | None = None, employer: int | None = None, form: Form = "text"
) -> int:
    """Tell the history of one person or one employer in a quarter.

    Args:
        quarter: the quarter.
        settings: those of the run.
        inss: number of the person, any that they ever had.
        employer: NSSO registration number of the employer; both together: that person with that employer.
        form: indented lines; one JSON object a line; or a page without network.

    Returns:
        Exit code 0.

    Raises:
        WrongUsage: neither is given, or nothing is declared; the message repeats no number.
        LakeProblem: there is no lake, or it is damaged.
    """
    if inss is None and employer is None:
        raise WrongUsage("history needs a person or an employer", "Give --inss N (or --inss -) or --employer N.")
    with Lake.open(settings.lake) as lake:
        events = timeline(lake, wanted(lake, quarter.code, employer=employer, inss=inss), settings.xsd)
        first = next(events, None)
        if first is None:
            who = "the employer never declared" if inss is None else "the person was never declared"
            by = " by this employer" if inss is not None and employer is not None else ""
            raise WrongUsage(f"{who}{by} in {quarter}", "Check the number and the quarter.")
        _SHOWN[form](quarter, chain([first], events))
    return 0


def _show(_: Quarter, events: Iterable[Event]) -> None:
    for event in events:
        console.say(title(event))
        for line in chain(facts(event), _lines(event["changes"], 0) if "changes" in event else ()):
            console.say(f"  {line}")


def _write_json(_: Quarter, events: Iterable[Event]) -> None:
    for event in events:
        sys.stdout.write(json.dumps(event, ensure_ascii=False) + "\n")


def _write_page(quarter: Quarter, events: Iterable[Event]) -> None:
    from flows.report.history import page

    lines = {"title": title, "facts": facts, "words": words, "zones": zones}
    sys.stdout.writelines(page(quarter, events, lines))


_SHOWN: Final[dict[Form, Callable[[Quarter, Iterable[Event]], None]]] = {
    "text": _show,
    "json": _write_json,
    "html": _write_page,
}


def title(event: Event) -> str:
    """An event in one line: what it is, since when it is known, and who made it."""
    where = f"employer {event['noss_registration_nbr']}"
    if event["person"] is not None:
        where += f", person {event['person'] + 1}"
    status = event["status"] or "the declaration around it changed"
    what = f"version {event['version']}, {status}" if event["version"] else f"correction {event['state']}"
    return f"{where}: {what}; known from {event['known_from']} UTC; by {event['by']}"


def facts(event: Event) -> Iterator[str]:
    """Where an event came from, why, and what it moved in the account, a line each."""
    yield f"file {event['filing'] or '-'} (ticket {event['filing_ticket'] or '-'}), form {event['ticket'] or '-'}"
    if event["codes"]:
        yield f"refused for {event['codes']}"
    if event.get("why"):
        yield f"why: {event['why']}"
    if event.get("why_of_persons"):
        yield f"a reason of its own for {event['why_of_persons']} of the persons: in the notification"
    if event.get("holds"):
        yield f"persons declared: {event['holds']['persons']:,}; lines: {event['holds']['lines']:,}"
    if amounts := event.get("amounts"):
        entry = amounts["entry"]
        whole = " of the whole declaration" if event["person"] is not None else ""
        told = f"to pay {euro(amounts['debit_cents'])}"
        if amounts["credit_cents"]:
            told = f"in the employer's favour {euro(amounts['credit_cents'])}"
        yield f"account{whole}: {entry}, {told}; computed {euro(amounts['computed_net_cents'])}"


def words(node: Node) -> str:
    """A block in one line: what was done to it, and which it is."""
    versions = ""
    if node["action"] != "kept" and node["version_before"] and node["version"]:
        versions = f" (version {node['version_before']} -> {node['version']})"
    place = "" if node["place"] is None else f" {node['place'] + 1}"
    keys = "".join(f", {key['zone']} {_value({**key, 'unit': ''}, key['value'])}" for key in node["keys"])
    return f"{_SIGNS[node['action']]} {node['block']}{place}{keys}: {node['action']}{versions}"


def zones(node: Node) -> Iterator[str]:
    """The zones of a block that changed, a line each."""
    for zone in node["zones"]:
        before, after = (_value(zone, zone[side]) for side in ("before", "after"))
        label = f"{zone['zone']} ({zone['number']})"
        if node["action"] == "changed":
            yield f"{label}: {before} -> {after}"
        else:
            yield f"{label}: {before if node['action'] == 'removed' else after}"


def _lines(nodes: Iterable[Node], depth: int) -> Iterator[str]:
    for node in nodes:
        margin = "  " * depth
        yield margin + words(node)
        for line in zones(node):
            yield f"{margin}    {line}"
        yield from _lines(node["blocks"], depth + 1)


def _value(zone: Mapping[str, Any], value: object) -> str:
    return "-" if value is None else own.value({**zone, "value": value})
