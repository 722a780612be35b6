"""What bears a contribution: every rate of a quarter with the rule that uses it, and what its result would say."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from contributions import reasons
from contributions.columns import COMPUTED, NOT_COMPUTABLE, RATE_SOURCE, REASON, STATUS, TRUST
from contributions.law import Key, Law, Piece
from contributions.places import filled
from contributions.rates import contribution_rates
from contributions.rates.grid import Grid
from contributions.rules import Rule

if TYPE_CHECKING:
    from polars._typing import PolarsDataType

_TEXTS = {"trust": TRUST, "rate_source": RATE_SOURCE, "status": STATUS, "reason": REASON}

LINES: Final = "worker_contribution"
"""Table of the contributions of worker lines."""

BY_PARAMETERS: Final = "parameters of the law"
"""Source of an amount whose figures are parameters, not a rate."""


@dataclass(frozen=True, slots=True, eq=False)
class Bearing:
    """Rates by employer class, contribution code and type, and the texts of every result.

    A kind of basis is levied on the wage of the line, or it is a special one, which has a basis of its own and is
    worked out apart, by `contributions.special`.

    Attributes:
        grid: tells the row of a rate of worker_contribution, or that of no rate, in the tables.
        of_classes: every rate of every class; `row` is its row in the tables.
        rates: what `contributions.rates.contribution_rates` returns, each once for all the classes that have it.
        texts: one row per rate, one for no rate at all, one per condition, and one more per rate of a special kind, for
            when it is worked out: trust, rate_source, status, reason.
        computes: the same rows: whether there is an amount, as far as the rate and the wage of the line tell.
        levy: the same rows: which of the levies it is.
        levies: one row for each way in which a wage is levied: rate_share in ten-thousandths, has_basis, special.
        rules: the rules of an amount, each with its rate in ten-thousandths for the rows of texts to which it applies,
            null in all others.
        conditions: scope and name of each condition under which nothing can be computed -> its row.
        kinds: the special kinds of basis; of those with the very same rules, the first stands for all.
        special: the rows of texts: number of their special kind from 1, 0 for none.
        worked_out: the same rows: the row that they have when their special kind is worked out; null if it cannot be.
        blocks: table of a declared block -> the row that stands there for each row of a rate.
    """

    grid: Grid
    of_classes: pl.DataFrame
    row: pl.Series
    rates: pl.DataFrame
    texts: pl.DataFrame
    computes: pl.Series
    levy: pl.Series
    levies: pl.DataFrame
    rules: list[tuple[Piece, pl.Series]]
    conditions: dict[Key, int]
    kinds: tuple[str, ...]
    special: pl.Series
    worked_out: pl.Series
    blocks: dict[str, pl.Series]


@lru_cache(maxsize=64)
def bearing(rules: Law) -> Bearing:
    """Put the rates and the rules of a quarter's law together; done once for a law in a process."""
    kinds = {scope: rule for (scope, _), rule in rules.rules.items() if rule.kind == "contribution"}
    special = _special(rules, kinds)
    of_classes = _by_code(contribution_rates(rules.quarter, rules.asked, rules.book, rules.changes), kinds)
    rates, row = _numbered(of_classes.drop("employer_class"))
    table, conditions, worked_out = _texts(rates, rules, kinds, special)
    blocks = _blocks(rates, kinds)
    levies, levy = _numbered(table.select("rate_share", "has_basis", "special"))
    keys = ("employer_class", "contribution_worker_code", "contribution_type")
    return Bearing(
        Grid(of_classes, keys, blocks[LINES].gather(row), rates.height),
        of_classes.select(keys),
        row,
        rates,
        table.select(pl.col(name).cast(kind) for name, kind in _TEXTS.items()),
        table["computes"],
        levy,
        levies,
        _applied(table, rules, [kind for kind in kinds if kind not in special]),
        conditions,
        tuple(dict.fromkeys(special.values())),
        table["special"],
        worked_out,
        blocks,
    )


@lru_cache(maxsize=64)
def block_grid(rates: Bearing) -> Grid:
    """Tells the row of a rate of any class, code and type, whatever block it is for."""
    return Grid(rates.of_classes, rates.of_classes.columns, rates.row, rates.rates.height)


def _special(rules: Law, kinds: dict[str, Rule]) -> dict[str, str]:
    """Each special kind, and the first kind that has the very same rules."""
    of_rules: dict[frozenset[tuple[str, object]], str] = {}
    found = {}
    for kind in kinds:
        if (kind, "basis_cents") in rules.rules:
            own = frozenset((name, rule.function) for (scope, name), rule in rules.rules.items() if scope == kind)
            found[kind] = of_rules.setdefault(own, kind)
    return found


def _by_code(rates: pl.DataFrame, kinds: dict[str, Rule]) -> pl.DataFrame:
    """Rates of codes whose figures are parameters belong to the rule of their code, whatever the rate itself says."""
    code = pl.col("contribution_worker_code")
    told = [(pl.lit(kind), code.is_in(list(rule.codes))) for kind, rule in kinds.items() if rule.codes]
    if not told:
        return rates
    own = pl.any_horizontal(holds for _, holds in told)
    kind = pl.coalesce(pl.when(holds).then(name) for name, holds in told)
    return rates.with_columns(
        basis_kind=pl.coalesce(kind, "basis_kind"),
        rate=pl.when(~own).then("rate"),
        rate_source=pl.when(own).then(pl.lit(BY_PARAMETERS)).otherwise("rate_source"),
        rate_trust=pl.when(own).then(pl.lit("A")).otherwise("rate_trust"),
        rate_words=pl.when(own).then(pl.lit(BY_PARAMETERS)).otherwise("rate_words"),
        rate_reason=pl.when(~own).then("rate_reason"),
    )


def _texts(
    rates: pl.DataFrame, rules: Law, kinds: dict[str, Rule], special: dict[str, str]
) -> tuple[pl.DataFrame, dict[Key, int], pl.Series]:
    """The texts with what belongs to their rows, the rows of the conditions, and those of what is worked out."""
    own = {kind: rules.pieces[kind, "amount_cents"] for kind in kinds if (kind, "amount_cents") in rules.pieces}
    first = tuple(dict.fromkeys(special.values()))
    numbers = {kind: first.index(alike) + 1 for kind, alike in special.items()}
    known = rates.select(
        "basis_kind",
        "rate",
        "rate_share",
        "rate_source",
        has_basis=pl.col("basis_kind").is_in([kind for kind in kinds if kind not in special]),
        reason=_reason(rules, list(kinds)),
        trust=pl.max_horizontal("rate_trust", _by_kind({kind: piece.trust for kind, piece in own.items()})),
        special=_by_kind(numbers, pl.UInt8).fill_null(0),
    )
    open_ = known.select((pl.col("special") > 0) & pl.col("reason").is_null()).to_series()
    keys = [key for scope in ("", *first) for key in rules.conditions("contribution", scope)]
    rest = pl.DataFrame({"reason": [reasons.NO_RATE, *(rules.rules[key].reason for key in keys)]})
    until = known.with_columns(reason=pl.when(open_).then(pl.lit(reasons.BASIS_NOT_DECLARED)).otherwise("reason"))
    computes = pl.col("reason").is_null()
    table = pl.concat([until, rest, known.filter(open_)], how="diagonal", rechunk=True).with_columns(
        pl.when(computes).then(pl.col("trust", "rate_source")),
        pl.col("has_basis").fill_null(False),
        pl.col("special").fill_null(0),
        computes=computes,
        status=pl.when(computes).then(pl.lit(COMPUTED)).otherwise(pl.lit(NOT_COMPUTABLE)),
    )
    rows = pl.int_range(known.height + rest.height, table.height, dtype=pl.UInt32, eager=True)
    worked_out = filled(None, pl.UInt32(), table.height).scatter(open_.arg_true(), rows)
    return table, {key: known.height + number for number, key in enumerate(keys, start=1)}, worked_out


def _applied(table: pl.DataFrame, rules: Law, kinds: list[str]) -> list[tuple[Piece, pl.Series]]:
    """The rules of amounts that are levied on the wage of a line, each with its rate where it applies."""
    own = {kind: rules.pieces[kind, "amount_cents"] for kind in kinds if (kind, "amount_cents") in rules.pieces}
    pieces = {piece.rule.function: piece for piece in own.values()}
    uses = {name: [kind for kind, one in own.items() if one.rule is piece.rule] for name, piece in pieces.items()}
    return [
        (
            piece,
            table.select(
                pl.when(pl.col("computes") & pl.col("basis_kind").is_in(uses[name])).then("rate").alias("rate")
            ).to_series(),
        )
        for name, piece in pieces.items()
    ]


def _blocks(rates: pl.DataFrame, kinds: dict[str, Rule]) -> dict[str, pl.Series]:
    """Table of a block -> the row of each rate there: that of no rate where its kind of basis is none of the block.

    The last row, of no rate, stays what it is.
    """
    own = pl.int_range(pl.len(), dtype=pl.UInt32)
    found = {}
    for table in {LINES, *(table for rule in kinds.values() for table in rule.blocks)}:
        elsewhere = [kind for kind, rule in kinds.items() if table not in rule.blocks]
        no_rate = pl.lit(rates.height, dtype=pl.UInt32)
        row = pl.when(pl.col("basis_kind").is_in(elsewhere)).then(no_rate).otherwise(own)
        found[table] = rates.select(row.alias("row")).to_series().extend_constant(rates.height, 1)
    return found


def _numbered(rows: pl.DataFrame) -> tuple[pl.DataFrame, pl.Series]:
    """Each different row once, and which of them every row is."""
    once = rows.unique(maintain_order=True)
    found = rows.join(once.with_row_index(""), on=rows.columns, how="left", nulls_equal=True, maintain_order="left")
    return once, found[""]


def _reason(rules: Law, kinds: list[str]) -> pl.Expr:
    """Why a rate bears no amount, whatever the line: its kind of basis, its trust, or a parameter of its rule."""
    lacking = {kind: rules.missing[kind, "amount_cents"] for kind in kinds if (kind, "amount_cents") in rules.missing}
    other_kind = ~pl.col("basis_kind").is_in(kinds)
    return pl.coalesce(pl.when(other_kind).then(pl.lit(reasons.BASIS_NOT_IN_VERSION)), "rate_reason", _by_kind(lacking))


def _by_kind(told: dict[str, Any], dtype: PolarsDataType = pl.String) -> pl.Expr:
    return pl.col("basis_kind").replace_strict(told, default=None, return_dtype=dtype)
