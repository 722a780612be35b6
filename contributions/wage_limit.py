"""Deductions of a worker line for a wage above the limit of the basic employer contribution, code 1360."""

from __future__ import annotations

import polars as pl

from contributions import reasons
from contributions.bearing import bearing
from contributions.inputs import Declared
from contributions.judging import judged, settled, staged
from contributions.law import Law
from contributions.places import rows_at
from contributions.rows import first_of, with_totals
from contributions.rules.wage_limit import WAGE_LIMIT
from contributions.trust import lowest

_KEY = (WAGE_LIMIT, "above_the_limit_cents")
_ORDER = "worker_contribution_ordinal"


def reductions(contributions: pl.DataFrame, lines: pl.DataFrame, declared: Declared, rules: Law) -> pl.DataFrame:
    """Every declared deduction 1360 with its amount and every piece of its calculation.

    Args:
        contributions: declared contributions of worker lines, with `rate_row`.
        lines: the worker lines with their totals and pieces.
        declared: the declared tables.
        rules: the law of their quarter.

    Returns:
        Rows of worker_deduction in their order, with `row`, amount_cents, trust, status, reason and refusal.
    """
    deductions = declared.placed("worker_deduction")
    place = (deductions["deduction_code"] == WAGE_LIMIT).arg_true()
    rows = rows_at(deductions, place).with_columns(place.alias("row"))
    if rows.is_empty():
        return rows
    rows = rows.with_columns(pl.lit(None, dtype=pl.String).alias(name) for name in ("reason", "refusal", "trust"))
    if _KEY not in rules.pieces:
        lacking = pl.lit(rules.missing.get(_KEY, reasons.RULE_NOT_IN_VERSION))
        return settled(rows.with_columns(amount_cents=pl.lit(None, dtype=pl.Int64), reason=lacking))
    place = rows["worker_record"]
    concerned = place.drop_nulls().unique()
    remun = declared.placed("remun").filter(pl.col("worker_record").is_in(concerned.implode()))
    totals = with_totals(lines[["worker_record_ordinal"]], rules, "line", {"remun": remun}, WAGE_LIMIT)
    own = rows_at(lines.hstack(totals.get_columns()[1:]), place)
    rates = _base_rates(contributions.filter(pl.col("worker_record").is_in(concerned.implode())), lines, rules)
    frame = rows.hstack([column for column in own if column.name not in rows.columns]).join(
        rates, on="worker_record", how="left", maintain_order="left"
    )
    figures = lowest(*(piece.trust for (scope, _), piece in rules.pieces.items() if scope == WAGE_LIMIT))
    frame = frame.with_columns(trust=pl.max_horizontal(pl.lit(figures), "base_trust"))
    return settled(judged(staged(frame, rules, "line", WAGE_LIMIT), WAGE_LIMIT, _KEY, rules))


def _base_rates(contributions: pl.DataFrame, lines: pl.DataFrame, rules: Law) -> pl.DataFrame:
    """Base rate of the ordinary contribution of each line, in ten-thousandths, where it is known and may compute."""
    own = contributions.hstack(rows_at(lines[["worker_code"]], contributions["worker_record"]).rename(lambda _: "own"))
    own = own.filter(pl.col("contribution_worker_code") == pl.col("own"))
    rates = bearing(rules)
    known = pl.concat([rates.rates, rates.rates.clear(1)]).select("rate_base", "rate_trust", "rate_reason")
    found = own.select("worker_record", "rate_row", _ORDER).hstack(
        rows_at(known, own["rate_row"].clip(upper_bound=rates.rates.height)).get_columns()
    )
    good = found.filter(pl.col("rate_base") > 0, pl.col("rate_reason").is_null())
    return first_of("worker_record", good, _ORDER).select(
        "worker_record", base_rate="rate_base", base_trust="rate_trust"
    )
