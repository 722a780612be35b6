"""The file in which an analyst writes what shall be changed: parameters, rates, structural categories.

    parameters:
      structural_reduction/category_1/alpha: "0.1500"
      structural_reduction/category_1/s0: {value: "11500.00", from: 2026-07-01}
      basic_contribution/quarterly_wage_limit: {moved: 2026-07-01, to: 2026-10-01}
    rates:
      - {code: "495", type: 0, group: profit, base: "18.88"}
    categories:
      - {class: "012", category: "2"}

Names, units and days are those of docs/law-parameters.md. A figure without days holds in the quarter that is simulated.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import polars as pl

from contributions.parameters import Parameter, load
from contributions.rates import seed
from contributions.simulation.changes import CategoryChange, Changes, RateChange
from contributions.simulation.figures import Entry, Move, dated, figure, percentage
from contributions.simulation.written import Written, composed, near
from dmfa.quarter import Quarter

PARTS: Final = ("parameters", "rates", "categories")

CATEGORIES: Final = ("1", "2", "3", "3bis")

_SHARES: Final = ("total", "personal", "base", "moderation")
_DAYS: Final = ("from", "until")
_OF_VALUE: Final = ("value", *_DAYS, "moved", "to")
_OF_RATE: Final = ("code", "type", "group", "class", *_SHARES, *_DAYS)
_OF_CATEGORY: Final = ("class", "worker_code", "category", "ceiling", *_DAYS)
_PRIVATE: Final = "private"
_LARGEST_RATE: Final = 100_000
"""Of rates that are amounts; those in percent are held to 100 once it is known which are."""


def read(text: str, quarter: Quarter, *, file: str, name: str) -> Changes:
    """Read a file of changes for a quarter.

    Args:
        text: its content.
        quarter: the quarter that is simulated.
        file: the file as people know it, for errors.
        name: what the changes are called.

    Raises:
        ChangeFault: it is no YAML, or something in it is unknown, of the wrong kind, out of range, or there twice.
    """
    root = composed(text, file)
    parts = {} if root.is_null else root.fields(PARTS)
    if not parts:
        raise root.fault("nothing is changed.", f"Name one of: {', '.join(PARTS)}.")
    source = Changes(name).source
    parameters = parts["parameters"].pairs() if "parameters" in parts else []
    return Changes(
        name,
        tuple(_parameter(key, value, quarter, source) for key, value in parameters),
        tuple(_rates(parts["rates"], quarter) if "rates" in parts else ()),
        tuple(_categories(parts["categories"], quarter) if "categories" in parts else ()),
    )


def _parameter(key: Written, value: Written, quarter: Quarter, source: str) -> Parameter:
    known = load()
    parameter = known.get(key.text)
    if parameter is None:
        todo = near(key.text, known, "docs/law-parameters.md lists all that there are.")
        raise key.fault(f"there is no parameter {key.text}.", todo)
    entries, moves = [], []
    for item in value.items():
        if not item.is_mapping:
            entries.append(Entry(figure(item, parameter), quarter.first_day, quarter.last_day, item.place))
            continue
        given = item.fields(_OF_VALUE)
        if "moved" in given:
            if set(given) != {"moved", "to"}:
                raise item.fault(
                    "a day is moved by `moved` and `to` alone.", "As in {moved: 2026-07-01, to: 2026-10-01}."
                )
            moves.append(_move(item, given, parameter))
        elif "value" not in given or "to" in given:
            raise item.fault(
                "expected a value, and perhaps from and until.", 'As in {value: "0.15", from: 2026-07-01}.'
            )
        else:
            entries.append(_entry(item, given, parameter, quarter))
    return dated(parameter, entries, moves, source)


def _move(item: Written, given: dict[str, Written], parameter: Parameter) -> Move:
    day, to = (given[name].first_day(monthly=parameter.monthly) for name in ("moved", "to"))
    return Move(day, to, item.place)


def _entry(item: Written, given: dict[str, Written], parameter: Parameter, quarter: Quarter) -> Entry:
    monthly = parameter.monthly
    since = given["from"].first_day(monthly=monthly) if "from" in given else quarter.first_day
    until = given["until"].last_day(monthly=monthly) if "until" in given else None
    if "from" not in given and until is None:
        until = quarter.last_day
    if until is not None and until < since:
        raise item.fault(f"it ends on {until}, before it begins on {since}.")
    return Entry(figure(given["value"], parameter), since, until, item.place)


def _in_force(
    part: Written, allowed: tuple[str, ...], quarter: Quarter
) -> Iterator[tuple[Written, dict[str, Written], bool]]:
    """Each item of a list, its fields, and whether its days, if it has any, hold the quarter."""
    for item in part.items():
        given = item.fields(allowed)
        since = given["from"].first_day() if "from" in given else quarter.first_day
        until = given["until"].last_day() if "until" in given else max(since, quarter.last_day)
        if until < since:
            raise item.fault(f"it ends on {until}, before it begins on {since}.")
        yield item, given, since <= quarter.first_day <= until


def _rates(part: Written, quarter: Quarter) -> Iterator[RateChange]:
    for item, given, holds in _in_force(part, _OF_RATE, quarter):
        if "code" not in given or "type" not in given:
            raise item.fault("a rate is named by its code and type.", 'As in {code: "495", type: 0, total: "38.07"}.')
        if not set(_SHARES) & set(given):
            raise item.fault("no figure of the rate is given.", f"Give one of: {', '.join(_SHARES)}.")
        kind = given["type"].text
        if not (kind.isascii() and kind.isdecimal() and len(kind) <= 2):
            raise given["type"].fault(f"{kind} is not a contribution type.", "A type is a number of one or two digits.")
        classes, whose = _classes(item, given)
        shares = {name: percentage(given[name], _LARGEST_RATE) for name in _SHARES if name in given}
        if holds:
            yield RateChange(given["code"].code(), int(kind), classes, whose, **shares, place=item.place)


def _classes(item: Written, given: dict[str, Written]) -> tuple[tuple[str, ...], str]:
    """The employer classes that a rate is changed for, none for all, and the same in words."""
    if "class" in given and "group" in given:
        raise item.fault("class and group exclude one another.", "Leave one of the two out.")
    if "class" in given:
        code = given["class"].code()
        return (code,), f"employer class {code}"
    if "group" not in given:
        return (), "all employer classes"
    table = seed.table("category_groups")
    group = given["group"].one_of([*sorted(set(table["employer_group"].drop_nulls())), _PRIVATE])
    own = pl.col("sector") == _PRIVATE if group == _PRIVATE else pl.col("employer_group") == group
    return tuple(table.filter(own)["employer_class"]), f"group {group}"


def _categories(part: Written, quarter: Quarter) -> Iterator[CategoryChange]:
    seen: set[tuple[str, str]] = set()
    for item, given, holds in _in_force(part, _OF_CATEGORY, quarter):
        if "class" not in given or not {"category", "ceiling"} & set(given):
            raise item.fault("expected a class, and its category or ceiling.", 'As in {class: "012", category: "2"}.')
        change = CategoryChange(
            given["class"].code(),
            given["worker_code"].code() if "worker_code" in given else "",
            given["category"].one_of(CATEGORIES) if "category" in given else None,
            percentage(given["ceiling"], 100) if "ceiling" in given else None,
            item.place,
        )
        if not holds:
            continue
        if (change.employer_class, change.worker_code) in seen:
            raise item.fault(f"the {change.words} is changed twice.", "Leave one of the two out.")
        seen.add((change.employer_class, change.worker_code))
        yield change
