"""How a reduction of personal contributions came about: month by month, down to declared pay and working time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import polars as pl

from contributions.after_bonus import amount_key
from contributions.bearing import bearing
from contributions.inputs import Declared
from contributions.law import Key, Law
from contributions.personal import Personal
from contributions.rules.work_bonus import OF_MONTHS
from contributions.trust import lowest

Row = dict[str, Any]
Explained = dict[str, Any]
Leaves = Mapping[str, Explained]
"""Name of a column that no rule makes -> what is told of it beside its name and value."""

Grow = Callable[[Row, Key, Leaves, Callable[[Key], list[Explained]]], Explained]
"""Makes the tree of a rule's column: row, scope and name, leaves, and the nodes of the months below a total."""

_WORDS: Final = {
    "month_wage_cents": "Wage of the month: that known to be of it and its part of what is free.",
    "month_time": "Paid time of the month, in hundredths: that known to be of it and its part of what is free.",
    "full_month": "Full time of the month, in hundredths times the days of the week.",
    "week_length": "Days of the week.",
    "pays_on_108": "Whether the line pays on 108 % of its wage.",
    "ordinary_basis_cents": "Basis of the ordinary contribution of the line, in cents.",
    "left_cents": "Personal contributions that the work bonus leaves, in cents.",
    "birth_year": "Year of birth.",
}


def tree(row: Row, personal: Personal, declared: Declared, rules: Law, grow: Grow) -> Explained:
    """The tree of one declared reduction.

    Args:
        row: of Personal.deductions, with what is known of its line.
        personal: what `personal.reductions` returns.
        declared: the declared tables.
        rules: the law of the quarter.
        grow: makes the tree of one column.
    """
    code, own_line = row["deduction_code"], row["own_line"]
    own = {} if own_line is None else personal.lines.row(own_line, named=True)
    key = amount_key(code, rules)
    if key not in rules.rules or own_line is None or row["refusal"]:
        words = row["refusal"] or row["reason"] or "No amount may be declared."
        return {"name": "amount_cents", "value": row["amount_cents"], "words": words}
    height, first = personal.lines.height, rules.quarter.first_day
    names = [f"{first.year}/{first.month + place:02d}" for place in range(3)]
    rows = [personal.months.row(place * height + own_line, named=True) for place in range(3)]
    months = [{**month, "month": name} for month, name in zip(rows, names, strict=True)]

    def below(total: Key) -> list[Explained]:
        piece = rules.pieces.get(total)
        if piece is None:
            return []
        name = next(name for name in sorted(piece.reads) if name.endswith("_cents"))
        keys = ((scope, name) if (scope, name) in rules.rules else (total[0], name) for scope in OF_MONTHS)
        return [_month(month, key, grow) for month, key in zip(months, keys, strict=True)]

    root = _trusted(grow({**own, **row}, key, _leaves(own, row, rules), below))
    lays = {name: own[name] for name in ("free_wage_cents", "free_open_wage_cents", "free_time")}
    return {**root, "from": [*root.get("from", ()), _declared(own["worker_record"], declared, lays)]}


def _trusted(node: Explained) -> Explained:
    """A node with the lowest trust of all that it rests on, the months below it too."""
    below = [_trusted(one) for one in node.get("from", ())]
    levels = [one["trust"] for one in (node, *below) if one.get("trust")]
    return {**node, **({"trust": lowest(*levels)} if levels else {}), **({"from": below} if below else {})}


def _leaves(own: Row, row: Row, rules: Law) -> Leaves:
    found: dict[str, Explained] = {name: {"words": words} for name, words in _WORDS.items()}
    rates = bearing(rules).rates
    if own["rate_row"] is not None and own["rate_row"] < rates.height:
        rate = rates.row(own["rate_row"], named=True)
        names = ("rate_source", "rate_personal", "rate_base", "rate_moderation", "rate_trust", "rate_words")
        words = "Personal rate of the ordinary contribution, in ten-thousandths."
        found["personal_rate"] = {"words": words, "rate": {name: rate[name] for name in names}}
    if row.get("declares_bonus"):
        found["left_cents"]["from"] = [{"name": "bonus_cents", "value": row["bonus_cents"], "words": "Work bonus."}]
    return found


def _month(month: Row, key: Key, grow: Grow) -> Explained:
    """The node of one month: an amount that a total adds up."""
    leaves: dict[str, Explained] = {name: {"words": words} for name, words in _WORDS.items()}
    for name, known in (("month_wage_cents", "known_wage_cents"), ("month_time", "known_time")):
        leaves[name]["from"] = [{"name": known, "value": month[known]}]
    node = grow(month, key, leaves, lambda _: [])
    return _of_share({**node, "month": month["month"]}, "at_100" if month["pays_on_108"] else "at_108")


def _of_share(node: Explained, other: str) -> Explained:
    """A node without the figures of the other share of the wage."""
    told = {**node}
    if "parameters" in told:
        told["parameters"] = [one for one in told["parameters"] if f"/{other}/" not in one["name"]]
    if "from" in told:
        told["from"] = [_of_share(below, other) for below in told["from"]]
    return told


def _declared(record: int, declared: Declared, lays: Row) -> Explained:
    """What is declared of the line's pay and time, and what of it is free to lie in several months."""
    rows = []
    for table, names in (
        ("remun", ("remun_code", "remun_amount")),
        ("service", ("service_code", "service_nbr_days", "service_nbr_hours")),
    ):
        found = declared.placed(table)
        if table == "service":
            occupations = declared.placed("occupation")["worker_record"]
            found = found.with_columns(worker_record=occupations[found["occupation"]])
        rows += found.filter(pl.col("worker_record") == record).select(pl.col(names)).to_dicts()
    words = "Pay and working time of the line, and what of them may lie in several months."
    lines = [{"name": name, "value": value} for name, value in lays.items()]
    return {"name": "declared", "value": None, "words": words, "rows": rows, "from": lines}
