"""Figures of a simulation: checked like those of the law, and put in their place among a parameter's values."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Final

from contributions.parameters import SCALES, Parameter, ParameterFault, Value, load, scaled
from contributions.simulation.changes import Place
from contributions.simulation.written import Written
from dmfa.quarter import Quarter

_NUMBER: Final = re.compile(r"[0-9]{1,12}(\.[0-9]{1,6})?")
_CODES: Final = re.compile(r"[0-9A-Z.]{1,12}( [0-9A-Z.]{1,12})*")

MOST: Final = {
    "fraction": 1,
    "factor": 10,
    "percent": 1_000,
    "points": 10_000,
    "hours": 10_000,
    "grams per km": 10_000,
    "years": 200,
    "quarters": 200,
}
"""Unit of a number -> the most that a changed one may be, so that all arithmetic stays exact; never below zero."""

OTHERWISE: Final = 10_000_000
"""The same of every other unit: euro."""

_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Entry:
    """A figure with its days.

    Attributes:
        text: the figure; None ends the parameter.
        since: its first day.
        until: its last day; None until the next value, of the law or of another entry.
        place: where it is written.
    """

    text: str | None
    since: date
    until: date | None
    place: Place


@dataclass(frozen=True, slots=True)
class Move:
    """A first day of effect of the law and the day that takes its place."""

    day: date
    to: date
    place: Place


def figure(value: Written, parameter: Parameter) -> str | None:
    """A figure in the unit of its parameter.

    Raises:
        ChangeFault: it is not of that kind, finer than the unit's scale, or out of range.
    """
    if value.is_null:
        return None
    text, unit = value.text, parameter.unit
    if unit == "rule":
        return value.one_of(_rules())
    if unit == "quarter":
        try:
            return str(Quarter.parse(text))
        except ValueError:
            raise value.fault(f"{text!r} is not a quarter.", 'Write it as in "2024/1".') from None
    if unit not in SCALES:
        if not _CODES.fullmatch(text):
            raise value.fault(f"{text!r} is not a list of codes.", 'Write them as in "001 002 003".')
        return text
    if not _NUMBER.fullmatch(text):
        raise value.fault(f"{text!r} is not a number ({unit}).", 'Write it as in "1234.56", without sign or thousands.')
    most = MOST.get(unit, OTHERWISE)
    if Decimal(text) > most:
        raise value.fault(f"{text} is out of range: at most {most:,} ({unit}).")
    try:
        scaled(parameter.name, text, unit)
    except ParameterFault:
        raise value.fault(f"{text} is finer than a {unit} is kept: to {Decimal(1) / SCALES[unit]}.") from None
    return text


def _rules() -> tuple[str, ...]:
    """The rounding rules that there are."""
    told = {value.text for parameter in load().values() if parameter.unit == "rule" for value in parameter.values}
    return tuple(sorted(filter(None, told)))


def percentage(value: Written, most: int) -> int:
    """A percentage with at most two decimals, as ten-thousandths.

    Raises:
        ChangeFault: it is none, or more than the most percent.
    """
    text = value.text
    if not _NUMBER.fullmatch(text) or Decimal(text) * 100 % 1:
        raise value.fault(f"{text!r} is not a percentage.", 'Write it with at most two decimals, as in "19.88".')
    if Decimal(text) > most:
        raise value.fault(f"{text} is out of range: at most {most:,}.")
    return int(Decimal(text) * 100)


def dated(parameter: Parameter, entries: Iterable[Entry], moves: Iterable[Move], source: str) -> Parameter:
    """A parameter with figures put in the place of its own.

    Args:
        parameter: as the law has it.
        entries: the figures; the value of the law comes back after the last day of one.
        moves: days of the law that become others; done before any entry.
        source: what every figure says of where it is from.

    Raises:
        ChangeFault: two entries overlap, or a day cannot be moved so.
    """
    values = {value.since: value for value in parameter.values}
    for move in moves:
        values = _moved(values, move, source)
    law = values
    ordered = sorted(entries, key=lambda entry: entry.since)
    for one, following in pairwise(ordered):
        if following.since <= (one.until or one.since):
            raise following.place.fault(
                f"two values of {parameter.name} overlap on {following.since}.", "Let one of them end before."
            )
    for entry in ordered:
        values = dict(values)
        if entry.until is not None:
            after = entry.until + _DAY
            resumed = _in_force(law, after) or Value(after, None, "", "C")
            values = {since: value for since, value in values.items() if not entry.since <= since <= entry.until}
            values.setdefault(after, replace(resumed, since=after))
        values[entry.since] = Value(entry.since, entry.text, source, "A")
    return replace(parameter, values=tuple(values[since] for since in sorted(values)))


def _moved(values: dict[date, Value], move: Move, source: str) -> dict[date, Value]:
    own = values.get(move.day)
    figures = [since for since in sorted(values) if values[since].text is not None]
    if own is None or own.text is None:
        told = ", ".join(map(str, figures))
        raise move.place.fault(f"the law has no value from {move.day} on.", f"It has values from: {told}.")
    between = [since for since in figures if min(move.day, move.to) <= since <= max(move.day, move.to)]
    if between != [move.day]:
        raise move.place.fault(
            f"the value of {move.day} cannot hold from {move.to}: the law has another one in between.",
            "Choose a nearer day, or give a value of your own with from and until.",
        )
    # Where the law has no figure from some day on, that end gives way as well.
    first, last = min(move.day, move.to), max(move.day, move.to)
    rest = {since: value for since, value in values.items() if not first <= since <= last}
    told = f"{source}, from {move.to} in place of {move.day}; {own.source}"
    return {**rest, move.to: replace(own, since=move.to, source=told)}


def _in_force(values: dict[date, Value], day: date) -> Value | None:
    since = max((since for since in values if since <= day), default=None)
    return values[since] if since is not None else None
