"""Reductions per occupation: the rules of a code run over a batch of occupations."""

from __future__ import annotations

from typing import Final

import polars as pl

from contributions.categories import SCOPE, Categories, categories, missing_condition
from contributions.law import Law
from contributions.places import columns_at, filled, kept, spread
from contributions.rules.structural import CATEGORIES

ALTERNATIVES: Final = ("fund_premium_wage_cents", "agency_premium_wage_cents")
"""Wages that take the place of W where a fund pays the end-of-year premium."""


_READ: Final = ("structural_category", SCOPE, "ceiling_rate", "named_with_class")
"""What is read of a category."""


def structural(occupations: pl.DataFrame, law: Law) -> pl.DataFrame:
    """The structural reduction of every occupation.

    Where a fund may pay the end-of-year premium, which the declaration does not tell, the law has two amounts: the
    declared one is taken if it is one of the two, and else neither.

    Args:
        occupations: one row per occupation with its totals, `declared_cents` of code 3000 (null if not declared) and
            `category_row`, its row among the categories; whole persons.
        law: the law of their quarter.

    Returns:
        The same rows with every piece of the calculation, `case` (0 where nothing is due, a higher number where it is
        not computable), amount_cents, trust, status and reason.
    """
    known = categories(law)
    given = occupations.hstack(columns_at(known.rows, _READ, occupations["category_row"]))
    plain = _evaluate(given, known, law)
    for name in ALTERNATIVES:
        if ("", name) in law.pieces:
            wage = plain.select(pl.coalesce(name, "wage_cents").alias("wage_cents"))
            plain = _either(plain, _evaluate(given.with_columns(wage), known, law), known)
    of_case = plain["case"] + known.rows.height
    return plain.hstack(known.texts[plain["category_row"].zip_with(of_case.is_null(), of_case)].get_columns())


def _evaluate(occupations: pl.DataFrame, known: Categories, law: Law) -> pl.DataFrame:
    """Every piece of the calculation of each row, its case and its amount."""
    for stage in law.stages("occupation"):
        occupations = occupations.with_columns(stage)
    judged = occupations.with_columns(known.case.alias("case"))
    if missing_condition(law):
        return judged.hstack([filled(None, pl.Int64(), judged.height, "amount_cents")])
    return judged.hstack(_amounts(judged, law).get_columns())


def _amounts(judged: pl.DataFrame, law: Law) -> pl.DataFrame:
    """The amount of each row and the pieces of its category's own, null where there is none of them.

    Args:
        judged: occupations with every piece that all categories share, and their `case`.
        law: the law of the quarter.
    """
    case = judged["case"]
    number = kept(judged[SCOPE].to_physical(), case.is_null())
    parts = []
    for wanted, scope in enumerate(CATEGORIES):
        if (scope, "structural_reduction") in law.pieces:
            rows = (number == wanted).arg_true()
            if not rows.is_empty():
                parts.append(_scoped(judged, rows, scope, law))
    zero = (case == 0).arg_true()
    parts.append(pl.DataFrame([zero.alias("row"), filled(0, pl.Int64(), len(zero), "amount_cents")]))
    found = pl.concat(parts, how="diagonal", rechunk=True)
    return spread(found[[name for name in found.columns if name != "row"]], found["row"], judged.height)


def _scoped(judged: pl.DataFrame, rows: pl.Series, scope: str, law: Law) -> pl.DataFrame:
    """The pieces of one category and the amount for some occupations, and their row."""
    read = law.reads("occupation", scope)
    given = [name for name in judged.columns if name in read]
    frame = judged[given][rows]
    for stage in law.stages("occupation", scope):
        frame = frame.with_columns(stage)
    amount = frame.select(law.pieces[scope, "structural_reduction"].expression).to_series()
    return pl.DataFrame([rows.alias("row"), amount.alias("amount_cents"), *frame.get_columns()[len(given) :]])


def _either(plain: pl.DataFrame, other: pl.DataFrame, known: Categories) -> pl.DataFrame:
    """Rows of the first calculation, or of the second where the declared amount is the second's, or of neither."""
    one, two = pl.col("amount_cents"), pl.lit(other["amount_cents"])
    first, second = ((pl.col("declared_cents") - amount).abs() <= 1 for amount in (one, two))
    told = plain.select(
        differ=pl.col("case").is_null() & one.ne_missing(two) & ~first.fill_null(False), second=second.fill_null(False)
    )
    changed, unknown = ((told["differ"] & one).arg_true() for one in (told["second"], ~told["second"]))
    if not changed.is_empty():
        index = pl.int_range(plain.height, dtype=pl.UInt32, eager=True).scatter(changed, changed + plain.height)
        plain = pl.concat([plain, other.select(plain.columns)], rechunk=True)[index]
    if unknown.is_empty():
        return plain
    return plain.with_columns(
        plain["case"].clone().scatter(unknown, known.premium), plain["amount_cents"].clone().scatter(unknown, None)
    )
