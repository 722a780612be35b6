"""What bears a contribution: every rate of a quarter with the rule that uses it, and what its result would say."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import polars as pl

from contributions import reasons
from contributions.columns import COMPUTED, NOT_COMPUTABLE
from contributions.law import Law, Piece, law
from contributions.parameters import Reading
from contributions.rates import contribution_rates
from contributions.rates.grid import Grid
from contributions.trust import Trust
from dmfa.quarter import Quarter


@dataclass(frozen=True, slots=True)
class Bearing:
    """Rates by employer class, contribution code and type, and the texts of every result.

    Attributes:
        grid: tells the row of a rate in the tables.
        rates: what `contributions.rates.contribution_rates` returns.
        figures: one row per rate, then one for no rate at all, then one per condition: rate and rate_share in
            ten-thousandths, has_basis, computes.
        texts: the same rows: trust, rate_source, status, reason, and a Boolean by_<rule> for each rule of an amount.
        pieces: the rules of an amount by name.
        conditions: name of each condition under which nothing can be computed -> its row.
        without_rate: row of a contribution without rate.
    """

    grid: Grid
    rates: pl.DataFrame
    figures: pl.DataFrame
    texts: pl.DataFrame
    pieces: dict[str, Piece]
    conditions: dict[str, int]
    without_rate: int


@lru_cache(maxsize=64)
def bearing(quarter: Quarter, asked: Trust = "B", reading: Reading = "") -> Bearing:
    """Put the rates and the rules of a quarter together; done once per quarter and trust in a process.

    Args:
        quarter: the declaration's own quarter.
        asked: lowest trust that may compute, A or B.
        reading: which source is followed where two conflict, see contributions.parameters.
    """
    rules = law(quarter, asked, reading)
    rates = contribution_rates(quarter, asked)
    kinds = {scope: rule for (scope, _), rule in rules.rules.items() if rule.kind == "contribution"}
    conditions = [rule for rule in rules.of_subject("contribution") if ("", rule.name) in rules.pieces]
    own = {kind: rules.pieces[kind, "amount_cents"] for kind in kinds if (kind, "amount_cents") in rules.pieces}
    known = rates.select(
        "basis_kind",
        "rate",
        "rate_share",
        "rate_source",
        has_basis=pl.col("basis_kind").is_in(list(kinds)),
        reason=_reason(rules, list(kinds)),
        trust=pl.max_horizontal("rate_trust", _by_kind({kind: piece.trust for kind, piece in own.items()})),
    )
    others = [reasons.NO_RATE, *(rule.reason for rule in conditions)]
    rest = pl.DataFrame({"reason": others}).with_columns(has_basis=pl.lit(False))
    computes = pl.col("reason").is_null()
    table = pl.concat([known, rest], how="diagonal").with_columns(
        pl.when(computes).then(pl.col("trust", "rate_source")),
        computes=computes,
        status=pl.when(computes).then(pl.lit(COMPUTED)).otherwise(pl.lit(NOT_COMPUTABLE)),
    )
    pieces = {piece.rule.function.__name__: piece for piece in own.values()}
    uses = {name: [kind for kind, one in own.items() if one.rule is piece.rule] for name, piece in pieces.items()}
    users = [
        (pl.col("basis_kind").is_in(of_rule).fill_null(False) & pl.col("computes")).alias(f"by_{name}")
        for name, of_rule in uses.items()
    ]
    return Bearing(
        Grid(rates, ("employer_class", "contribution_worker_code", "contribution_type")),
        rates,
        table.select("rate", "rate_share", "has_basis", "computes"),
        table.select("trust", "rate_source", "status", "reason", *users),
        pieces,
        {rule.name: rates.height + number for number, rule in enumerate(conditions, start=1)},
        rates.height,
    )


def _reason(rules: Law, kinds: list[str]) -> pl.Expr:
    """Why a rate bears no amount, whatever the line: its kind of basis, its trust, or a parameter of its rule."""
    lacking = {kind: rules.missing[kind, "amount_cents"] for kind in kinds if (kind, "amount_cents") in rules.missing}
    other_kind = ~pl.col("basis_kind").is_in(kinds)
    return pl.coalesce(pl.when(other_kind).then(pl.lit(reasons.BASIS_NOT_IN_VERSION)), "rate_reason", _by_kind(lacking))


def _by_kind(texts: dict[str, str]) -> pl.Expr:
    return pl.col("basis_kind").replace_strict(texts, default=None, return_dtype=pl.String)
