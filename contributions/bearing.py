"""What bears a contribution: every rate of a quarter with the rule that uses it, and what its result would say."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import polars as pl

from contributions import reasons
from contributions.columns import COMPUTED, NOT_COMPUTABLE, RATE_SOURCE, REASON, STATUS, TRUST
from contributions.law import Law, Piece, law
from contributions.parameters import Reading
from contributions.rates import contribution_rates
from contributions.rates.grid import Grid
from contributions.trust import Trust
from dmfa.quarter import Quarter

_TEXTS = {"trust": TRUST, "rate_source": RATE_SOURCE, "status": STATUS, "reason": REASON}


@dataclass(frozen=True, slots=True)
class Bearing:
    """Rates by employer class, contribution code and type, and the texts of every result.

    Attributes:
        grid: tells the row of a rate, or that of no rate, in the tables.
        rates: what `contributions.rates.contribution_rates` returns, each once for all the classes that have it.
        texts: one row per rate, one for no rate at all and one per condition: trust, rate_source, status, reason.
        computes: the same rows: whether there is an amount, as far as the rate tells.
        levy: the same rows: which of the levies it is.
        levies: one row for each way in which a wage is levied: rate_share in ten-thousandths, has_basis.
        rules: the rules of an amount, each with its rate in ten-thousandths for the rows of texts to which it applies,
            null in all others.
        conditions: name of each condition under which nothing can be computed -> its row.
    """

    grid: Grid
    rates: pl.DataFrame
    texts: pl.DataFrame
    computes: pl.Series
    levy: pl.Series
    levies: pl.DataFrame
    rules: list[tuple[Piece, pl.Series]]
    conditions: dict[str, int]


@lru_cache(maxsize=64)
def bearing(quarter: Quarter, asked: Trust = "B", reading: Reading = "") -> Bearing:
    """Put the rates and the rules of a quarter together; done once per quarter and trust in a process.

    Args:
        quarter: the declaration's own quarter.
        asked: lowest trust that may compute, A or B.
        reading: which source is followed where two conflict, see contributions.parameters.
    """
    rules = law(quarter, asked, reading)
    of_classes = contribution_rates(quarter, asked)
    rates, row = _numbered(of_classes.drop("employer_class"))
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
    table = pl.concat([known, rest], how="diagonal", rechunk=True).with_columns(
        pl.when(computes).then(pl.col("trust", "rate_source")),
        computes=computes,
        status=pl.when(computes).then(pl.lit(COMPUTED)).otherwise(pl.lit(NOT_COMPUTABLE)),
    )
    pieces = {piece.rule.function: piece for piece in own.values()}
    uses = {name: [kind for kind, one in own.items() if one.rule is piece.rule] for name, piece in pieces.items()}
    applied = [
        (piece, table.select(pl.when(pl.col("computes") & pl.col("basis_kind").is_in(uses[name])).then("rate")))
        for name, piece in pieces.items()
    ]
    levies, levy = _numbered(table.select("rate_share", "has_basis"))
    return Bearing(
        Grid(of_classes, ("employer_class", "contribution_worker_code", "contribution_type"), row, rates.height),
        rates,
        table.select(pl.col(name).cast(kind) for name, kind in _TEXTS.items()),
        table["computes"],
        levy,
        levies,
        [(piece, rate.to_series()) for piece, rate in applied],
        {rule.name: rates.height + number for number, rule in enumerate(conditions, start=1)},
    )


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


def _by_kind(texts: dict[str, str]) -> pl.Expr:
    return pl.col("basis_kind").replace_strict(texts, default=None, return_dtype=pl.String)
