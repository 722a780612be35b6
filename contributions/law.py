"""The law of one quarter: its rules as expressions, in the order in which they read one another."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache

import polars as pl

from contributions.algebra import Columns
from contributions.parameters import Parameters, ParameterUnknown, Reading, Value
from contributions.rates.book import RateBook
from contributions.rules import Rule, all_rules
from contributions.rules.registry import Level
from contributions.simulation.changes import Changes
from contributions.trust import Trust, lowest
from dmfa.quarter import Quarter

Key = tuple[str, str]
"""Scope (empty for all rows alike) and name of a rule's column."""


@dataclass(frozen=True, slots=True)
class Piece:
    """One rule with the figures of the quarter in it.

    Attributes:
        expression: over the columns of the rule's level; its output has the rule's name.
        reads: names of the columns that it reads.
        figures: the parameters that it used, by name.
        trust: the lowest trust among its own figures and those of the pieces that it reads.
        stage: pieces of one stage do not read one another.
    """

    rule: Rule
    expression: pl.Expr
    reads: frozenset[str]
    figures: dict[str, Value]
    trust: Trust = "A"
    stage: int = 0


@dataclass(slots=True, eq=False)
class Law:
    """All rules in force in a quarter, for a lowest trust. A scope is a parameter folder or a kind of basis.

    Attributes:
        book: the official rate files of the quarter, if there are any.
        changes: what a simulation puts in the place of the law's own figures; None for the law itself.
        pieces: what can be computed, by scope and name.
        missing: what cannot, with its reason: a parameter, or a piece that it reads, is unknown or not trusted.
    """

    quarter: Quarter
    asked: Trust
    reading: Reading = ""
    book: RateBook | None = None
    changes: Changes | None = None
    pieces: dict[Key, Piece] = field(default_factory=dict)
    missing: dict[Key, str] = field(default_factory=dict)
    rules: dict[Key, Rule] = field(default_factory=dict)

    def parameters(self, scope: str = "") -> Parameters:
        """The figures of the quarter, as the rules of a scope see them."""
        changed = self.changes.by_name if self.changes else {}
        return Parameters(self.quarter, self.asked, scope, reading=self.reading, changed=changed)

    @property
    def unchanged(self) -> Law:
        """The same law without what a simulation changes."""
        return law(self.quarter, self.asked, self.reading, self.book)

    def totals(self, level: Level, table: str, scope: str = "") -> list[pl.Expr]:
        """What each row of a table adds to the totals of a level and scope; without those that cannot be formed."""
        return _totals(self, level, table, scope)

    def totals_missing(self, level: Level, scope: str = "") -> list[str]:
        """The totals of a level and scope that cannot be formed."""
        return _totals_missing(self, level, scope)

    def reads(self, level: Level, scope: str | None = None) -> frozenset[str]:
        """Names of all columns that the rules of a level, or of one scope of it, read, those of totals apart."""
        return _reads(self, level, scope)

    def total_names(self, level: Level, scope: str = "") -> list[str]:
        """The totals of a level and scope, whether they can be formed or not."""
        return [name for (_, name), _ in _totals_of(self, level, scope)]

    def tables(self, level: Level, scope: str = "") -> list[str]:
        """Names of the tables that totals of a level and scope read, each once."""
        return _tables(self, level, scope)

    def stages(self, level: Level, scope: str = "") -> list[list[pl.Expr]]:
        """The quantities of a level and scope, stage by stage; one that cannot be formed is null."""
        return _stages(self, level, scope)

    def of_subject(self, subject: str) -> list[Rule]:
        """The conditions of a reduction or of contributions, in their written order."""
        return [
            rule
            for rule in self.rules.values()
            if rule.subject == subject and rule.kind in ("nothing due", "not computable")
        ]

    def source(self, reader: Key, name: str) -> Key:
        """The rule that makes a column that another one reads: of its scope, a folder above, or of all rows alike."""
        others = (key for key in _candidates(reader[0], name) if key != reader and key in self.rules)
        return next(others, ("", name))

    def told_by(self, reason: str, level: Level, scope: str) -> Key | None:
        """The condition of a scope, or of a folder above it, that tells a reason; None where something else does."""
        return next(
            (
                key
                for key, rule in self.rules.items()
                if rule.reason == reason and rule.level == level and scope.startswith(key[0])
            ),
            None,
        )

    def conditions(self, subject: str, scope: str = "") -> list[Key]:
        """The conditions of a subject and scope under which nothing can be computed, in their written order."""
        return _conditions(self, subject, scope)


# What a law is asked for with every batch of declarations, put together once.


@lru_cache(maxsize=1024)
def _tables(rules: Law, level: Level, scope: str) -> list[str]:
    return sorted({rule.table for _, rule in _totals_of(rules, level, scope)})


@lru_cache(maxsize=1024)
def _totals_missing(rules: Law, level: Level, scope: str) -> list[str]:
    return [name for (_, name), _ in _totals_of(rules, level, scope) if (scope, name) not in rules.pieces]


def _totals_of(rules: Law, level: Level, scope: str) -> list[tuple[Key, Rule]]:
    return [
        (key, rule) for key, rule in rules.rules.items() if (rule.kind, rule.level, key[0]) == ("total", level, scope)
    ]


@lru_cache(maxsize=1024)
def _conditions(rules: Law, subject: str, scope: str) -> list[Key]:
    return [
        key
        for key, rule in rules.rules.items()
        if (rule.kind, rule.subject, key[0]) == ("not computable", subject, scope) and key in rules.pieces
    ]


@lru_cache(maxsize=512)
def _totals(rules: Law, level: Level, table: str, scope: str) -> list[pl.Expr]:
    return [
        rules.pieces[key].expression.cast(pl.Int64).fill_null(0)
        for key, rule in rules.rules.items()
        if (rule.kind, rule.level, rule.table, key[0]) == ("total", level, table, scope) and key in rules.pieces
    ]


@lru_cache(maxsize=1024)
def _reads(rules: Law, level: Level, scope: str | None) -> frozenset[str]:
    wanted = (
        piece.reads
        for (where, _), piece in rules.pieces.items()
        if piece.rule.level == level and piece.rule.kind != "total" and scope in (None, where)
    )
    return frozenset().union(*wanted)


@lru_cache(maxsize=1024)
def _stages(rules: Law, level: Level, scope: str) -> list[list[pl.Expr]]:
    rows: dict[int, list[pl.Expr]] = {}
    for (where, name), rule in rules.rules.items():
        if where == scope and rule.level == level and rule.kind == "quantity":
            piece = rules.pieces.get((scope, name))
            if piece is None:
                rows.setdefault(0, []).append(pl.lit(None, dtype=pl.Int64).alias(name))
            else:
                rows.setdefault(piece.stage, []).append(piece.expression)
    return [rows[stage] for stage in sorted(rows)]


@lru_cache(maxsize=64)
def law(
    quarter: Quarter,
    asked: Trust = "B",
    reading: Reading = "",
    book: RateBook | None = None,
    changes: Changes | None = None,
) -> Law:
    """Compile the rules of a quarter; done once per quarter and trust in a process.

    Args:
        quarter: the declaration's own quarter.
        asked: lowest trust that may compute, A or B.
        reading: which source is followed where two conflict, see contributions.parameters.
        book: the official rate files of the quarter.
        changes: what a simulation puts in the place of the law's own figures.
    """
    result = Law(quarter, asked, reading, book, changes)
    for rule in all_rules():
        if rule.in_force(quarter):
            for scope in rule.scopes or ("",):
                _build(result, rule, scope)
    _propagate(result)
    return result


def _build(result: Law, rule: Rule, scope: str) -> None:
    parameters = result.parameters(scope)
    key = (scope, rule.name)
    result.rules[key] = rule
    try:
        expression = rule.function(Columns(), parameters)
    except ParameterUnknown as unknown:
        result.missing[key] = rule.lacking or unknown.reason
        return
    reads = frozenset(expression.meta.root_names())
    result.pieces[key] = Piece(rule, expression.alias(rule.name), reads, parameters.used, parameters.trust)


def _propagate(result: Law) -> None:
    """Order the pieces, hand on missing ones and lower trust; a piece is settled once all that it reads is."""
    settled: set[Key] = set(result.missing)
    waiting = set(result.pieces)
    sources = {key: _sources(result, key) for key in waiting}
    while waiting:
        ready = {key for key in waiting if not any(read in waiting for read in sources[key])}
        if not ready:
            names = ", ".join(sorted(name for _, name in waiting))
            raise RuntimeError(f"these rules read one another in a circle: {names}")
        for key in ready:
            _settle(result, key, sources[key])
        waiting -= ready
        settled |= ready


def _settle(result: Law, key: Key, sources: list[Key]) -> None:
    piece = result.pieces[key]
    lacking = [result.missing[source] for source in sources if source in result.missing]
    if lacking:
        result.missing[key] = lacking[0]
        del result.pieces[key]
        return
    read = [result.pieces[source] for source in sources]
    same = [other.stage + 1 for other in read if other.rule.level == piece.rule.level and other.rule.kind == "quantity"]
    result.pieces[key] = Piece(
        piece.rule,
        piece.expression,
        piece.reads,
        piece.figures,
        lowest(piece.trust, *(other.trust for other in read)),
        max(same, default=0),
    )


def _sources(result: Law, key: Key) -> list[Key]:
    """The rules whose columns a piece reads."""
    found = (result.source(key, name) for name in sorted(result.pieces[key].reads))
    return [source for source in found if source in result.rules]


def _candidates(scope: str, name: str) -> Iterable[Key]:
    yield (scope, name)
    if scope:
        yield from _candidates(scope.rpartition("/")[0], name)
