"""Decorators by which a function becomes a rule, and the list of all rules.

A rule makes one column of one level (`line`, `occupation`, `contribution`, ...). Its function takes the columns of that
level and the parameters of the quarter and returns one Polars expression. What a rule reads is what its expression
names, so nobody writes the order of the rules down. A rule with scopes holds in these alone: parameter folders, or
kinds of basis of a contribution. A scope that is a folder below another reads what holds there too.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal, TypeVar

import polars as pl

from contributions.algebra import Columns
from contributions.parameters import Parameters
from dmfa.quarter import Quarter

Formula = Callable[[Columns, Parameters], pl.Expr]
Level = Literal["declaration", "person", "line", "occupation", "contribution", "vehicle", "deduction", "month"]
Kind = Literal["total", "quantity", "contribution", "reduction", "nothing due", "not computable"]
F = TypeVar("F", bound=Formula)

FIRST: Final = "0001/1"
LAST: Final = "9999/4"
"""A rule without its own quarters is always the law; how far it computes is up to its parameters."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of law in force from `since` to `until`.

    Attributes:
        name: the column that it makes; two versions of one law make the same column.
        kind: what the engine does with the column.
        level: rows on which it is computed.
        table: for a total, the table whose rows are summed.
        subject: for a reduction and its conditions, the deduction code.
        scopes: parameter folders (e.g. structural categories) or kinds of basis in which it holds; empty for all rows
            alike.
        reason: for a condition, why no amount can be computed, or why nothing is due.
        lacking: why no amount can be computed where a figure of the rule itself is not known; empty for the reason that
            the figure gives.
        blocks: for a contribution, the tables of the declared blocks that it stands in.
        codes: for a contribution, the codes that it holds for whatever their rate says, since its figures are
            parameters.
    """

    name: str
    kind: Kind
    level: Level
    function: Formula
    since: Quarter
    until: Quarter
    table: str = ""
    subject: str = ""
    scopes: tuple[str, ...] = ()
    reason: str = ""
    blocks: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    lacking: str = ""

    def in_force(self, quarter: Quarter) -> bool:
        """Whether the rule is the law of a quarter."""
        return self.since <= quarter <= self.until


_RULES: list[Rule] = []


def registered() -> tuple[Rule, ...]:
    """The rules of all modules imported so far."""
    return tuple(_RULES)


def total(
    *, level: Level, of: str, scopes: tuple[str, ...] = (), since: str = FIRST, until: str = LAST
) -> Callable[[F], F]:
    """A sum over the rows of a table below each line or occupation; nothing there is zero."""
    return _decorator("total", level, since, until, table=of, scopes=scopes)


def quantity(
    *,
    level: Level,
    name: str = "",
    scopes: tuple[str, ...] = (),
    lacking: str = "",
    since: str = FIRST,
    until: str = LAST,
) -> Callable[[F], F]:
    """A named piece of a calculation, which `explain` can print."""
    return _decorator("quantity", level, since, until, name=name, scopes=scopes, lacking=lacking)


def contribution(
    *basis_kinds: str,
    blocks: tuple[str, ...] = ("worker_contribution",),
    codes: tuple[str, ...] = (),
    since: str = FIRST,
    until: str = LAST,
) -> Callable[[F], F]:
    """The amount of each declared contribution whose rate applies to one of these kinds of basis."""
    return _decorator(
        "contribution",
        "contribution",
        since,
        until,
        scopes=basis_kinds,
        name="amount_cents",
        blocks=blocks,
        codes=codes,
    )


def reduction(
    code: str, *, level: Level, scopes: tuple[str, ...] = (), since: str = FIRST, until: str = LAST
) -> Callable[[F], F]:
    """The amount of a reduction."""
    return _decorator("reduction", level, since, until, subject=code, scopes=scopes)


def nothing_due(
    subject: str,
    *,
    level: Level,
    reason: str,
    scopes: tuple[str, ...] = (),
    lacking: str = "",
    since: str = FIRST,
    until: str = LAST,
) -> Callable[[F], F]:
    """Rows for which the law itself says zero, whatever else is unknown about them; the first that holds says why."""
    return _decorator(
        "nothing due", level, since, until, subject=subject, scopes=scopes, reason=reason, lacking=lacking
    )


def not_computable(
    subject: str,
    *,
    level: Level,
    reason: str,
    scopes: tuple[str, ...] = (),
    lacking: str = "",
    since: str = FIRST,
    until: str = LAST,
) -> Callable[[F], F]:
    """Rows for which the declaration tells too little; the first condition that holds gives the reason."""
    return _decorator(
        "not computable", level, since, until, subject=subject, reason=reason, scopes=scopes, lacking=lacking
    )


def _decorator(
    kind: Kind,
    level: Level,
    since: str,
    until: str,
    *,
    name: str = "",
    table: str = "",
    subject: str = "",
    scopes: tuple[str, ...] = (),
    reason: str = "",
    blocks: tuple[str, ...] = (),
    codes: tuple[str, ...] = (),
    lacking: str = "",
) -> Callable[[F], F]:
    def register(function: F) -> F:
        _RULES.append(
            Rule(
                name=name or function.__name__,
                kind=kind,
                level=level,
                function=function,
                since=Quarter.parse(since),
                until=Quarter.parse(until),
                table=table,
                subject=subject,
                scopes=scopes,
                reason=reason,
                blocks=blocks,
                codes=codes,
                lacking=lacking,
            )
        )
        return function

    return register
