"""Contributions of worker lines that are levied on the wage of the line: their basis, rate and amount."""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl

from contributions import outcomes
from contributions.arrays import firsts, lengths, numbers, three_digits
from contributions.bearing import Bearing, bearing
from contributions.columns import BASIS, BASIS_KIND, CONTRIBUTION, DECLARED_TABLE, OUTCOME
from contributions.inputs import OF_LINE
from contributions.law import Law, Piece
from contributions.places import columns_at, filled, kept, taken
from contributions.rates import OTHER_CLASS
from contributions.rows import by_name, finished, result

NO_KEY: Final = 2**32 - 1
"""Above every number of a line and its levy; stands for null."""

NOT_DECLARED: Final = 2**63 - 1
"""Above every amount; stands for null among the lowest ones, and below zero among the highest."""

LARGEST_SHARE: Final = 1_000_000
"""Above every share of a wage in ten-thousandths, so that line and share make one number."""


def by_number(declared: pl.DataFrame, lines: pl.DataFrame) -> pl.DataFrame:
    """Contributions with their code and that of their line as numbers, which are sooner compared than texts.

    Args:
        declared: rows of worker_contribution with the place of their line and its worker code.
        lines: the worker lines.

    Returns:
        The same rows as they are if any of them has no line or a code that is not one of three digits.
    """
    place = declared["worker_record"]
    own = three_digits(declared["contribution_worker_code"])
    of_line = None if own is None or place.null_count() else three_digits(lines["worker_code"])
    if own is None or of_line is None:
        return declared
    of_line = of_line.take(place.to_numpy(), mode="clip")
    return declared.with_columns(pl.Series("contribution_worker_code", own), pl.Series("worker_code", of_line))


def contributions(
    declared: pl.DataFrame, codes: pl.Series, lines: pl.DataFrame, rules: Law
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Each declared contribution with its rate, amount, status and reason.

    Contributions of a line that follow one another and are levied on the same share of its wage are one levy: its basis
    is computed once.

    Args:
        declared: rows of worker_contribution with the place of their line and its worker code.
        codes: their contribution_worker_code, as text or as `by_number` has it.
        lines: the worker lines with their totals and pieces.
        rules: the law of their quarter.

    Returns:
        The rows in their order, with `rate_row`, the row of their rate, and `levy`, that of their levy; and the levies
        with their line and every piece of the calculation of their basis.
    """
    rates = bearing(rules)
    row = _rate_rows(declared, codes, lines, rates)
    many = rates.levies.height
    key = declared["worker_record"] * many + taken(rates.levy, row)
    own = numbers(key, NO_KEY)
    first = firsts(own)
    levies = _levies(key[first], lines, rates, rules)
    levy = pl.Series(np.repeat(np.arange(len(first), dtype=np.uint32), lengths(first, len(own))))
    status = _status_rows(row, levies["case"], levy, rates)
    told = [row.alias("rate_row"), levy.alias("levy"), levies["basis_cents"][levy], *rates.texts[status]]
    found = declared.hstack(told)
    amounts = [_amount(piece, rate[status], found) for piece, rate in rates.rules]
    amount = pl.select(pl.coalesce(*amounts)).to_series() if amounts else filled(None, pl.Int64(), found.height)
    return found.hstack([amount.alias("amount_cents")]), levies


def _amount(piece: Piece, rate: pl.Series, found: pl.DataFrame) -> pl.Series:
    """The amount by one rule; null where its rate is."""
    columns = [rate.alias("rate"), *(found[name] for name in piece.reads if name != "rate")]
    return pl.DataFrame(columns).select(piece.expression).to_series()


def _rate_rows(declared: pl.DataFrame, codes: pl.Series, lines: pl.DataFrame, rates: Bearing) -> pl.Series:
    """The row of each contribution's rate: of its employer class, code and type, or that of no rate."""
    classes = rates.grid.numbers(lines["employer_class"], "employer_class", otherwise=OTHER_CLASS)
    code = rates.grid.numbers(codes, "contribution_worker_code")
    type_ = rates.grid.numbers(declared["contribution_type"], "contribution_type")
    return rates.grid.rows(taken(classes, declared["worker_record"]) + code + type_)


def _levies(key: pl.Series, lines: pl.DataFrame, rates: Bearing, rules: Law) -> pl.DataFrame:
    """The levies that follow one another, with their basis and the row of the condition that keeps them from one.

    Their rules read the line and the share of the rate alone, so that they hold for all contributions of a levy alike.
    """
    many = rates.levies.height
    line = key // many
    reads = rules.reads("contribution", "")
    own = columns_at(lines, (name for name in lines.columns if name in reads), line)
    frame = pl.DataFrame([line.alias("worker_record"), *rates.levies[key % many], *own])
    for stage in rules.stages("contribution"):
        frame = frame.with_columns(stage)
    cases = [
        pl.when(rules.pieces[key].expression).then(pl.lit(row, dtype=pl.UInt32))
        for key, row in rates.conditions.items()
        if not key[0]
    ]
    return frame.with_columns(
        pl.when("has_basis").then("basis_cents").alias("basis_cents"),
        case=pl.coalesce(*cases, pl.lit(None, dtype=pl.UInt32)),
    )


def _status_rows(row: pl.Series, case: pl.Series, levy: pl.Series, rates: Bearing) -> pl.Series:
    """The row that tells trust, source, status and reason: that of the rate, or of the first condition that holds."""
    if case.null_count() == len(case):
        return row
    own = case[levy]
    return own.zip_with(own.is_not_null() & rates.computes[row], row)


def contribution_rows(detailed: pl.DataFrame, lines: pl.DataFrame) -> pl.DataFrame:
    """What `contributions` returns as a frame of CONTRIBUTION with declared_cents beside it."""
    own = by_name(detailed)
    of_line = columns_at(lines, (name for name in OF_LINE if name not in own), own["worker_record"])
    told = {
        "declared_cents": own["contribution_amount"],
        "declared_table": filled("worker_contribution", DECLARED_TABLE, detailed.height),
        "declared_ordinal": own["worker_contribution_ordinal"],
    }
    return result(by_name(of_line, detailed) | told, CONTRIBUTION, detailed.height)


def basis(contributions: pl.DataFrame, levies: pl.DataFrame, lines: pl.DataFrame) -> pl.DataFrame:
    """One row per worker line and share of the wage on which it declares contributions.

    Args:
        contributions: what `contributions` returns.
        levies: what it returns beside them.
        lines: the worker lines with their totals.

    Returns:
        A frame of BASIS; its outcome compares the basis with the lowest and highest one declared.
    """
    found = _declared_bases(contributions, levies)
    names = [name for name in lines.columns if name in (*BASIS, "ordinary_wage_cents")]
    columns = by_name(found, columns_at(lines, names, found["worker_record"]))
    columns |= {
        "basis_kind": filled("ordinary", BASIS_KIND, found.height),
        "share_percent": columns["contribution_share"] // 100,
        "wage_cents": columns["ordinary_wage_cents"],
        "outcome": found.select(BASIS_OUTCOME).to_series(),
    }
    return finished(columns, BASIS, found.height)


def _basis_outcome() -> pl.Expr:
    """How far the declared bases are from the computed one."""
    declared, computed = (pl.col("declared_lowest_cents"), pl.col("declared_highest_cents")), pl.col("basis_cents")
    distance = pl.max_horizontal((one - computed).abs() for one in declared)
    told = pl.lit(pl.Series([outcomes.EQUAL, outcomes.ROUNDING, outcomes.DIFFERS], dtype=OUTCOME))
    return told.gather(distance.clip(upper_bound=2)).fill_null(pl.lit(outcomes.MISSING, dtype=OUTCOME))


BASIS_OUTCOME: Final = _basis_outcome()


_DECLARED_BASES: Final = {
    "worker_record": pl.UInt32(),
    **dict.fromkeys(("contribution_share", "basis_cents", "contributions"), pl.Int64()),
    **dict.fromkeys(("declared_lowest_cents", "declared_highest_cents"), pl.Int64()),
}


def _declared_bases(contributions: pl.DataFrame, levies: pl.DataFrame) -> pl.DataFrame:
    """One row per line and share, in their order: how many contributions declare a basis, the lowest and the highest.

    Neighbours of one levy mostly declare one and the same basis, so that little is left to be grouped.
    """
    levy = contributions["levy"].to_numpy()
    declared = numbers(contributions["contribution_calculation_basis"], NOT_DECLARED)
    first = firsts(levy, declared)
    many, levy, declared = lengths(first, len(levy)), levy[first], declared[first]
    key = numbers(levies["worker_record"].cast(pl.Int64)) * LARGEST_SHARE + numbers(levies["contribution_share"])
    key = key[levy]
    if levies["basis_cents"].null_count():
        known = levies["basis_cents"].is_not_null().to_numpy()[levy]
        key, many, levy, declared = key[known], many[known], levy[known], declared[known]
    if (key[1:] < key[:-1]).any():
        order = np.argsort(key, stable=True)
        key, many, levy, declared = key[order], many[order], levy[order], declared[order]
    first = firsts(key)
    if not len(first):
        return pl.DataFrame(schema=_DECLARED_BASES)
    lowest = np.minimum.reduceat(declared, first)
    highest = np.maximum.reduceat(np.where(declared == NOT_DECLARED, -NOT_DECLARED, declared), first)
    own = levies[["worker_record", "contribution_share", "basis_cents"]][levy[first]]
    return own.with_columns(
        pl.Series("contributions", np.add.reduceat(many, first)),
        kept(pl.Series("declared_lowest_cents", lowest), pl.Series(lowest != NOT_DECLARED)),
        kept(pl.Series("declared_highest_cents", highest), pl.Series(highest != -NOT_DECLARED)),
    )
