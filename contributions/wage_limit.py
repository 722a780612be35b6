"""Deductions of a worker line for a wage above the limit of the basic employer contribution, code 1360."""

from __future__ import annotations

import polars as pl

from contributions import reasons
from contributions.columns import COMPUTED, NOT_COMPUTABLE
from contributions.inputs import Declared
from contributions.law import Law
from contributions.places import filled, rows_at
from contributions.rows import with_totals
from contributions.rules.wage_limit import WAGE_LIMIT
from contributions.special import rates_of
from contributions.trust import lowest

_KEY = (WAGE_LIMIT, "above_the_limit_cents")


def reductions(contributions: pl.DataFrame, lines: pl.DataFrame, declared: Declared, rules: Law) -> pl.DataFrame:
    """Every declared deduction 1360 with its amount and every piece of its calculation.

    Args:
        contributions: declared contributions of worker lines, with `rate_row`.
        lines: the worker lines with their totals and pieces.
        declared: the declared tables.
        rules: the law of their quarter.

    Returns:
        Rows of worker_deduction in their order, with amount_cents, trust, status and reason. A line has one such
        deduction: of a second one nothing is due.
    """
    deductions = declared.placed("worker_deduction")
    rows = rows_at(deductions, (deductions["deduction_code"] == WAGE_LIMIT).arg_true())
    if rows.is_empty():
        return rows
    if _KEY not in rules.pieces:
        lacking = filled(rules.missing.get(_KEY, reasons.RULE_NOT_IN_VERSION), pl.String(), rows.height)
        return _told(rows, filled(None, pl.Int64(), rows.height), lacking, None)
    place = rows["worker_record"]
    concerned = place.drop_nulls().unique()
    remun = declared.placed("remun").filter(pl.col("worker_record").is_in(concerned.implode()))
    totals = with_totals(lines[["worker_record_ordinal"]], rules, "line", {"remun": remun}, WAGE_LIMIT)
    own = rows_at(lines.hstack(totals.get_columns()[1:]), place)
    rates = _base_rates(contributions.filter(pl.col("worker_record").is_in(concerned.implode())), lines, rules)
    frame = rows.hstack([column for column in own if column.name not in rows.columns]).join(
        rates, on="worker_record", how="left", maintain_order="left"
    )
    for stage in rules.stages("line", WAGE_LIMIT):
        frame = frame.with_columns(stage)
    cases = [
        pl.when(rules.pieces[key].expression).then(pl.lit(rules.rules[key].reason))
        for key in rules.conditions(WAGE_LIMIT, WAGE_LIMIT)
    ]
    reason = frame.select(pl.coalesce(*cases, pl.lit(None, dtype=pl.String)).alias("reason"))["reason"]
    again = pl.int_range(pl.len()).over("worker_record") > 0
    amount = pl.when(reason.is_null()).then(pl.when(again).then(0).otherwise(rules.pieces[_KEY].expression))
    figures = lowest(*(piece.trust for (scope, _), piece in rules.pieces.items() if scope == WAGE_LIMIT))
    return _told(frame, frame.select(amount.alias("amount_cents"))["amount_cents"], reason, figures)


def _told(frame: pl.DataFrame, amount: pl.Series, reason: pl.Series, figures: str | None) -> pl.DataFrame:
    """Rows with amount, trust, status and reason."""
    trust = pl.max_horizontal(pl.lit(figures, dtype=pl.String), *(["base_trust"] if "base_trust" in frame else []))
    return frame.with_columns(amount.alias("amount_cents"), reason.alias("reason")).with_columns(
        trust=pl.when(pl.col("reason").is_null()).then(trust),
        status=pl.when(pl.col("reason").is_null()).then(pl.lit(COMPUTED)).otherwise(pl.lit(NOT_COMPUTABLE)),
    )


def _base_rates(contributions: pl.DataFrame, lines: pl.DataFrame, rules: Law) -> pl.DataFrame:
    """Base rate of the ordinary contribution of each line, in ten-thousandths, where it is known and may compute."""
    own = contributions.hstack(rows_at(lines[["worker_code"]], contributions["worker_record"]).rename(lambda _: "own"))
    own = own.filter(pl.col("contribution_worker_code") == pl.col("own"))
    rates = rates_of(rules)
    known = pl.concat([rates.rates, rates.rates.clear(1)]).select("rate_base", "rate_trust", "rate_reason")
    found = own.select("worker_record", "rate_row").hstack(
        rows_at(known, own["rate_row"].clip(upper_bound=rates.rates.height)).get_columns()
    )
    good = found.filter(pl.col("rate_base") > 0, pl.col("rate_reason").is_null())
    return good.select("worker_record", base_rate="rate_base", base_trust="rate_trust").unique(
        "worker_record", keep="first", maintain_order=True
    )
