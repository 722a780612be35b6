"""Explain: how the amounts of a person, or of an employer, came about: a tree, a page, or one JSON object a line."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from itertools import chain
from typing import Any, Final, Literal, TextIO

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
from flows.stages.account import ENTRY, entries
from flows.stages.account import title as entry_title
from flows.stages.reference import references

PERSONS_AT_ONCE = 1_000
"""Persons whose amounts are explained together: a bound on memory."""

UNRELATED: Final = ("contribution_unrelated_to_np", "company_vehicle")
"""Tables of what belongs to no person: told with an employer, once."""

Node = Mapping[str, Any]
Form = Literal["tree", "json", "html"]


def person(text: str, given: TextIO = sys.stdin, *, what: str = "--inss") -> int:
    """The number of a person as a user writes it: digits, with or without points and dashes; `-` reads it elsewhere.

    Args:
        text: the number, or `-`.
        given: where `-` reads it.
        what: what it is called in the message.

    Raises:
        WrongUsage: it is no such number; the message does not repeat it.
    """
    written = given.readline() if text == "-" else text
    digits = written.strip().translate({ord(mark): None for mark in " .-"})
    if not (digits.isascii() and digits.isdecimal() and len(digits) == 11 and insz_valid(int(digits))):
        raise WrongUsage(
            f"{what} is not the number of a person",
            "Give its eleven digits, the last two of which check the others; or - and the number on stdin.",
        )
    return int(digits)


def run(
    quarter: Quarter,
    settings: Settings,
    *,
    inss: int | None = None,
    employer: int | None = None,
    form: Form = "tree",
    as_of: datetime | None = None,
) -> int:
    """Explain the amounts of one person or one employer in a quarter.

    Args:
        quarter: the quarter.
        settings: those of the run.
        inss: number of the person.
        employer: NSSO registration number of the employer; both together: that person with that employer.
        form: a tree on a terminal and indented lines in a pipe; one JSON object a line; or a page without network.
        as_of: the lake as it stood then; as it is now if not given.

    Returns:
        Exit code 0.

    Raises:
        WrongUsage: neither is given, or there is no such declaration in the quarter; the message repeats no number.
        LakeProblem: there is no lake, or it is damaged.
    """
    if inss is None and employer is None:
        raise WrongUsage("explain needs a person or an employer", "Give --inss N (or --inss -) or --employer N.")
    with Lake.open(settings.lake, as_of=as_of) as lake:
        known = references(lake, [quarter.code])
        parts = _persons(lake, quarter, settings, inss, employer)
        first = next(parts, None)
        if first is None:
            what = "the employer has" if inss is None else "the person has"
            of = " of this employer" if inss is not None and employer is not None else ""
            then = f" as of {as_of.isoformat(' ', 'seconds')}" if as_of is not None else ""
            raise WrongUsage(
                f"{what} no accepted declaration{of} in {quarter}{then}", "Check the number and the quarter."
            )
        told = (explain(tables, references=known, **settings.law) for tables in chain([first], parts))
        # The account is the declaration's, so that only who asks for the whole of it is told.
        ledger = entries(lake, quarter, employer) if employer is not None and inss is None else []
        _SHOWN[form](quarter, chain(chain.from_iterable(told), ledger))
    return 0


def _show_trees(_: Quarter, amounts: Iterable[Node]) -> None:
    for amount in amounts:
        _show(amount)


def _write_json(_: Quarter, amounts: Iterable[Node]) -> None:
    for amount in amounts:
        sys.stdout.write(json.dumps(amount, ensure_ascii=False) + "\n")


def _write_page(quarter: Quarter, amounts: Iterable[Node]) -> None:
    from flows.report.explained import page

    sys.stdout.writelines(page(quarter, amounts, title, words, details))


_SHOWN: Final[dict[Form, Callable[[Quarter, Iterable[Node]], None]]] = {
    "tree": _show_trees,
    "json": _write_json,
    "html": _write_page,
}


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
        if inss is not None:
            tables = {name: table for name, table in tables.items() if name not in UNRELATED}
        for part in persons.iter_slices(PERSONS_AT_ONCE):
            yield {
                name: table.join(part, on=part.columns, how="semi", maintain_order="left")
                if "natural_person_ordinal" in table.columns
                else table
                for name, table in tables.items()
            }
            tables = {name: table for name, table in tables.items() if name not in UNRELATED}


def _show(amount: Node) -> None:
    """A tree on a terminal, indented lines in a pipe."""
    if console.OUT.is_terminal:
        root = Tree(f"[bold]{escape(title(amount))}[/bold]")
        _grow(root, amount["tree"])
        console.OUT.print(root)
    else:
        console.say(title(amount))
        for depth, line in _lines(amount["tree"], 1):
            console.say("  " * depth + line)


def _grow(branch: Tree, node: Node) -> None:
    grown = branch.add(escape(words(node)))
    for line in details(node):
        grown.add(f"[dim]{escape(line)}[/dim]")
    for below in node.get("from", ()):
        _grow(grown, below)


def _lines(node: Node, depth: int) -> Iterator[tuple[int, str]]:
    yield depth, words(node)
    for line in details(node):
        yield depth + 1, line
    for below in node.get("from", ()):
        yield from _lines(below, depth + 1)


def title(amount: Node) -> str:
    """The amount in one line: where it stands, declared beside computed; or an entry of the account."""
    if amount["kind"] == ENTRY:
        return entry_title(amount)
    line, occupation = amount["line"], amount.get("occupation")
    if line["person"] is None:
        where = f"{amount['quarter']} no person (class {line['employer_class']})"
    else:
        where = f"{amount['quarter']} person {line['person'] + 1}, line {line['line'] + 1}"
        where += f" (class {line['employer_class']}, code {line['worker_code']})"
    if occupation:
        where += f", occupation {occupation['ordinal'] + 1}"
    what = f"{amount['kind']} {amount['code']}" + ("" if amount["type"] is None else f" type {amount['type']}")
    told = f"declared {_cents(amount['declared_cents'])}, computed {_cents(amount['computed_cents'])}"
    if amount.get("lowest_cents") is not None:
        told += f" (from {euro(amount['lowest_cents'])} to {euro(amount['highest_cents'])})"
    why = f", {amount['reason']}" if amount["reason"] else f", trust {amount['trust']}"
    why += "".join(f", {amount[name]}" for name in ("not_owed", "refusal", "reservation") if amount.get(name))
    return f"{where}: {what}: {told}: {amount['outcome']}{why}"


def words(node: Node) -> str:
    """A node in one line: its name, value, trust and what it is."""
    value = _value(node["name"], node["value"])
    told = f": {node['words']}" if node.get("words") else ""
    trust = f" [trust {node['trust']}]" if node.get("trust") else ""
    month = f" of {node['month']}" if node.get("month") else ""
    return f"{node['name']}{month} = {value}{trust}{told}" + (f" ({node['missing']})" if node.get("missing") else "")


def details(node: Node) -> Iterator[str]:
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
