"""Explain: how the amounts of a person, or of an employer, came about, as a tree or one JSON object a line."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from typing import Any, TextIO

import polars as pl
from rich.markup import escape
from rich.tree import Tree

from contributions import TABLES
from contributions.explain import explain
from dmfa.errors import WrongUsage
from dmfa.identifiers import insz_valid
from dmfa.lake import Lake, history_tables
from dmfa.money import euro
from dmfa.quarter import Quarter
from flows import console
from flows.settings import Settings

PERSONS_AT_ONCE = 1_000
"""Persons whose amounts are explained together: a bound on memory."""

Node = Mapping[str, Any]


def person(text: str, given: TextIO = sys.stdin) -> int:
    """The number of a person as a user writes it: digits, with or without points and dashes; `-` reads it elsewhere.

    Args:
        text: the number, or `-`.
        given: where `-` reads it.

    Raises:
        WrongUsage: it is no such number; the message does not repeat it.
    """
    written = given.readline() if text == "-" else text
    digits = written.strip().translate({ord(mark): None for mark in " .-"})
    if not (digits.isascii() and digits.isdecimal() and len(digits) == 11 and insz_valid(int(digits))):
        raise WrongUsage(
            "--inss is not the number of a person", "Give its eleven digits, or - and the number on stdin."
        )
    return int(digits)


def run(
    quarter: Quarter, settings: Settings, *, inss: int | None = None, employer: int | None = None, as_json: bool = False
) -> int:
    """Explain the amounts of one person or one employer in a quarter.

    Args:
        quarter: the quarter.
        settings: those of the run.
        inss: number of the person.
        employer: NSSO registration number of the employer; both together: that person with that employer.
        as_json: one JSON object a line instead of a tree.

    Returns:
        Exit code 0.

    Raises:
        WrongUsage: neither is given, or there is no such declaration in the quarter; the message repeats no number.
        LakeProblem: there is no lake, or it is damaged.
    """
    if inss is None and employer is None:
        raise WrongUsage("explain needs a person or an employer", "Give --inss N (or --inss -) or --employer N.")
    with Lake.open(settings.lake) as lake:
        found = 0
        for tables in _persons(lake, quarter, settings, inss, employer):
            found += tables["natural_person"].height
            for amount in explain(tables, **settings.law):
                if as_json:
                    sys.stdout.write(json.dumps(amount, ensure_ascii=False) + "\n")
                else:
                    _show(amount)
    if not found:
        who = "the employer" if inss is None else "the person"
        raise WrongUsage(f"{who} has no accepted declaration in {quarter}", "Check the number and the quarter.")
    return 0


def _persons(
    lake: Lake, quarter: Quarter, settings: Settings, inss: int | None, employer: int | None
) -> Iterator[dict[str, pl.DataFrame]]:
    """The declared tables of the persons concerned, some whole persons at a time."""
    wanted = lake.arrow(
        """
        SELECT p.declaration_id, p.natural_person_ordinal FROM lake.authentic.natural_person p
        JOIN lake.authentic.employer_declaration d ON d.declaration_id = p.declaration_id AND d.quarter = p.quarter
        WHERE p.quarter = ? AND (? IS NULL OR p.inss = ?) AND (? IS NULL OR d.noss_registration_nbr = ?)
        ORDER BY ALL
        """,
        [quarter.code, inss, inss, employer, employer],
    )
    keys = pl.DataFrame(pl.from_arrow(wanted))
    names = [spec.name for spec in history_tables(settings.xsd) if spec.name in TABLES]
    for (declaration,), persons in keys.group_by("declaration_id", maintain_order=True):
        tables = lake.frames("authentic", names, quarter=quarter.code, declaration_ids=[int(str(declaration))])
        for part in persons.iter_slices(PERSONS_AT_ONCE):
            yield {
                name: table.join(part, on=part.columns, how="semi", maintain_order="left")
                if "natural_person_ordinal" in table.columns
                else table
                for name, table in tables.items()
            }


def _show(amount: Node) -> None:
    """A tree on a terminal, indented lines in a pipe."""
    if console.OUT.is_terminal:
        root = Tree(f"[bold]{escape(_title(amount))}[/bold]")
        _grow(root, amount["tree"])
        console.OUT.print(root)
    else:
        console.say(_title(amount))
        for depth, line in _lines(amount["tree"], 1):
            console.say("  " * depth + line)


def _grow(branch: Tree, node: Node) -> None:
    grown = branch.add(escape(_words(node)))
    for line in _details(node):
        grown.add(f"[dim]{escape(line)}[/dim]")
    for below in node.get("from", ()):
        _grow(grown, below)


def _lines(node: Node, depth: int) -> Iterator[tuple[int, str]]:
    yield depth, _words(node)
    for line in _details(node):
        yield depth + 1, line
    for below in node.get("from", ()):
        yield from _lines(below, depth + 1)


def _title(amount: Node) -> str:
    """The amount in one line: where it stands, declared beside computed."""
    line, occupation = amount["line"], amount.get("occupation")
    where = f"{amount['quarter']} person {line['person'] + 1}, line {line['line'] + 1}"
    where += f" (class {line['employer_class']}, code {line['worker_code']})"
    if occupation:
        where += f", occupation {occupation['ordinal'] + 1}"
    what = f"{amount['kind']} {amount['code']}" + ("" if amount["type"] is None else f" type {amount['type']}")
    told = f"declared {_cents(amount['declared_cents'])}, computed {_cents(amount['computed_cents'])}"
    why = f", {amount['reason']}" if amount["reason"] else f", trust {amount['trust']}"
    return f"{where}: {what}: {told}: {amount['outcome']}{why}"


def _words(node: Node) -> str:
    value = _value(node["name"], node["value"])
    words = f": {node['words']}" if node.get("words") else ""
    trust = f" [trust {node['trust']}]" if node.get("trust") else ""
    return f"{node['name']} = {value}{trust}{words}" + (f" ({node['missing']})" if node.get("missing") else "")


def _details(node: Node) -> Iterator[str]:
    """The rate, the parameters and the declared rows behind a node."""
    rate = node.get("rate")
    if rate:
        shares = ((name, rate[f"rate_{name}"]) for name in ("personal", "base", "moderation"))
        told = ", ".join(f"{name} {_value('rate', share)}" for name, share in shares if share is not None)
        where = f"{rate['rate_source']}: {rate['rate_words']}"
        yield f"{told or 'shares not told apart'}; trust {rate['rate_trust']}; {where}"
    for one in node.get("parameters", ()):
        conflict = f"; but {one['conflict']}" if one.get("conflict") else ""
        yield f"{one['name']} {one['value']} since {one['since']}, trust {one['trust']}: {one['source']}{conflict}"
    for row in node.get("rows", ()):
        yield "row: " + ", ".join(f"{name} {_value(name, value)}" for name, value in row.items() if name != "adds")


def _cents(amount: int | None) -> str:
    return "-" if amount is None else euro(amount)


def _value(name: str, value: object) -> str:
    """A figure as people read it: euro, percent, or hundredths as a decimal."""
    if not isinstance(value, int) or isinstance(value, bool):
        return "-" if value is None else str(value)
    if name.endswith(("_cents", "_amount")):
        return euro(value)
    if name == "rate" or name.endswith(("_share", "_rate")):
        return f"{euro(value)} %"
    hundredths = name.endswith(("_pct", "_days", "_hours", "_time", "_system")) or name == "system"
    return euro(value) if hundredths else str(value)
