"""Reductions of personal contributions after the work bonus: 0601, 0610, 0611 and 2001, where they are declared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import polars as pl

from contributions import reasons, spreads
from contributions.judging import judged, staged
from contributions.law import Key, Law
from contributions.months import Months
from contributions.parameters import ParameterUnknown
from contributions.places import filled, kept, rows_at
from contributions.rows import with_totals
from contributions.rules.personal_reductions import ADULT_YEAR, RESTRUCTURING, SPORT_BONUS
from contributions.rules.work_bonus import OF_MONTHS, PERSONAL, WORK_BONUS
from contributions.spreads import Group, Table
from contributions.trust import lowest
from dmfa.quarter import Quarter

OF_WAGES: Final = {RESTRUCTURING: "restructuring_of_months_cents", SPORT_BONUS: "sport_of_months_cents"}
"""Deduction code -> the total over its months."""

_NO_LIMIT: Final = 10**12
"""Above every wage, in cents."""


@dataclass(frozen=True, slots=True)
class Shared:
    """What all reductions of personal contributions are worked out from.

    Attributes:
        rows: the declared deductions, with `own_line`, the row of their line.
        lines: the lines that have any, with the pieces that all reductions share and the work bonus.
        months: three rows for each of the lines, with every piece of a month.
        known: what is known of the months.
        rules: the law of the quarter.
    """

    rows: pl.DataFrame
    lines: pl.DataFrame
    months: pl.DataFrame
    known: Months
    rules: Law


def of_code(code: str, shared: Shared) -> pl.DataFrame:
    """The declared deductions of one of the codes, with their results as `personal.Personal` has them."""
    rules, own = shared.rules, shared.lines
    scope = f"{PERSONAL}/{code}"
    some = shared.rows.filter(pl.col("deduction_code") == code)
    key = amount_key(code, rules)
    if code not in OF_WAGES:
        none = pl.lit(None, dtype=pl.String)
        return judged(some.with_columns(reason=none, refusal=none, trust=pl.lit("A")), code, key, rules)
    own = with_totals(own, rules, "line", {"month": shared.months}, scope)
    lasting = [*_before(shared.rows, own), *_least_and_most(code, own, shared)]
    found = with_line(some, own.with_columns(lasting, trust=trust_of(rules, PERSONAL, *OF_MONTHS, scope)))
    found = found.with_columns(_right(rules.quarter), left_cents=pl.col("personal_contributions_cents") - _taken(""))
    bounds = _bounds(found, code, key, rules) if key in rules.pieces else []
    return judged(staged(found, rules, "deduction", scope), code, key, rules).hstack(bounds)


def _least_and_most(code: str, own: pl.DataFrame, shared: Shared) -> list[pl.Series]:
    """Least and most of the months of each line, null where they are exact."""
    groups = _groups(code, own, shared.known, shared.rules)
    least, most = spreads.between(shared.known, groups, own["personal_contributions_cents"])
    return [least.alias("least"), most.alias("most")]


def _bounds(found: pl.DataFrame, code: str, key: Key, rules: Law) -> list[pl.Series]:
    """Least and most of each deduction: of its months, beside the most and the least that the work bonus takes."""
    ends = []
    for end, other in (("least", "highest"), ("most", "lowest")):
        given = found.with_columns(
            pl.coalesce(end, OF_WAGES[code]).alias(OF_WAGES[code]),
            left_cents=pl.col("personal_contributions_cents") - _taken(f"{other}_"),
        )
        ends.append(judged(staged(given, rules, "deduction", key[0]), code, key, rules)["amount_cents"])
    differ = (ends[0] < ends[1]).fill_null(False)
    return [kept(end, differ).alias(name) for end, name in zip(ends, ("lowest_cents", "highest_cents"), strict=True)]


def amount_key(code: str, rules: Law) -> Key:
    """Scope and name of the rule of a code's amount; without a name where no source confirms the amount."""
    keys = (key for key, rule in rules.rules.items() if (rule.kind, rule.subject) == ("reduction", code))
    return next(keys, (f"{PERSONAL}/{code}", ""))


def _taken(end: str) -> pl.Expr:
    """What a declared work bonus takes before another reduction, or one of its bounds; nothing where none is."""
    return pl.when("declares_bonus").then(pl.coalesce(f"bonus_{end}cents", "bonus_cents")).otherwise(0)


def _before(rows: pl.DataFrame, own: pl.DataFrame) -> list[pl.Series]:
    """Whether each line declares a work bonus; and what keeps from an amount, the other reductions of the line too."""
    declares = {
        one: filled(False, pl.Boolean(), own.height).scatter(
            rows.filter(pl.col("deduction_code") == one)["own_line"].drop_nulls(), True
        )
        for one in (WORK_BONUS, RESTRUCTURING, SPORT_BONUS)
    }
    both = declares[RESTRUCTURING] & declares[SPORT_BONUS]
    of_bonus = pl.when(pl.lit(declares[WORK_BONUS])).then("bonus_reason")
    order = pl.when(pl.lit(both)).then(pl.lit(reasons.ORDER_OPEN))
    reason = own.select(pl.coalesce("reason", of_bonus, order).alias("reason"))
    return [declares[WORK_BONUS].alias("declares_bonus"), *reason]


def _right(quarter: Quarter) -> list[pl.Expr]:
    """When the right of a deduction began: the number of its quarter, and whether at the first day of this one."""
    began = pl.col("deduction_right_starting_date")
    number = began.dt.year().cast(pl.Int64) * 4 + began.dt.quarter().cast(pl.Int64) - 1
    return [number.alias("right_began"), (began <= quarter.first_day).alias("right_from_first_day")]


def _groups(code: str, own: pl.DataFrame, known: Months, rules: Law) -> list[Group]:
    """The lines that have bounds of a later reduction, with the tables of its months."""
    wanted = (own["reason"].is_null() & own["refusal"].is_null()).to_numpy() & ~known.all_known
    p = rules.parameters(f"{PERSONAL}/{code}")
    try:
        if code == RESTRUCTURING:
            amount = p.number("restructuring/month_amount")
            young, older = p.number("restructuring/limit_under_30"), p.number("restructuring/limit_from_30")
            # A cent around each limit, since the reference wage is rounded.
            low, high = Table((young - 1, young), (amount, 0)), Table((older + 1, older + 2), (amount, 0))
            return [(wanted, [low] * 3, [high] * 3)]
        grown = (rules.quarter.year - own["birth_year"] >= ADULT_YEAR).fill_null(True).to_numpy()
        flat = {name: [Table((_NO_LIMIT,), (p.number(f"sport_bonus/{name}"),))] * 3 for name in ("from_19", "under_19")}
    except ParameterUnknown:
        return []
    return [(wanted & holds, flat[name], flat[name]) for holds, name in ((grown, "from_19"), (~grown, "under_19"))]


def with_line(rows: pl.DataFrame, own: pl.DataFrame) -> pl.DataFrame:
    """Deductions with what is known of their line."""
    names = [name for name in own.columns if name not in rows.columns]
    return rows.hstack(rows_at(own[names], rows["own_line"]))


def trust_of(rules: Law, *scopes: str) -> pl.Expr:
    """The lowest trust among the figures of some scopes and the personal rate of each line."""
    figures = lowest(*(piece.trust for (scope, _), piece in rules.pieces.items() if scope in scopes))
    return pl.max_horizontal(pl.lit(figures), "personal_trust")
