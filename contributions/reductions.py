"""Reductions per occupation: the rules of a code run over a batch of occupations."""

from __future__ import annotations

from typing import Final

import polars as pl

from contributions import refusals
from contributions.categories import SCOPE, Categories, categories, missing_condition
from contributions.columns import RESERVATION
from contributions.law import Law
from contributions.places import columns_at, filled, kept, spread
from contributions.rules.structural import CATEGORIES

ALTERNATIVES: Final = ("fund_premium_wage_cents", "agency_premium_wage_cents")
"""Wages that take the place of W where a fund pays the end-of-year premium."""


_READ: Final = ("structural_category", SCOPE, "ceiling_rate", "named_with_class", "official_right")
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
        The same rows with every piece of the calculation, `case`, amount_cents, trust, status, reason, refusal and
        reservation.
    """
    known = categories(law)
    given = occupations.hstack(columns_at(known.rows, _READ, occupations["category_row"]))
    plain = _evaluate(given, known, law)
    for name in ALTERNATIVES:
        if ("", name) in law.pieces:
            other = _other(given, plain, name, law)
            # Which wage holds is a fact of the declaration, and told by an amount that was declared under the law.
            own = (plain, other) if law.changes is None else _both(occupations, name, law.unchanged)
            plain = _either(plain, other, _told(*own), known)
    of_case = plain["case"] + known.rows.height
    told = known.texts[plain["category_row"].zip_with(of_case.is_null(), of_case)]
    return _marked(plain.hstack(told.get_columns()))


def _marked(found: pl.DataFrame) -> pl.DataFrame:
    """Amounts that are zero for want of working time say so, and those that Maribel may lower have their mark."""
    computed = found["case"].is_null() & (found["amount_cents"] == 0)
    low = (computed & ~found["enough_mu"].cast(pl.Boolean)).arg_true()
    if not low.is_empty():
        found = found.with_columns(found["refusal"].clone().scatter(low, refusals.MU_TOO_LOW))
    maribel = kept(found["under_maribel"].cast(pl.Boolean), found["amount_cents"] > 0)
    return found.with_columns(reserved(maribel))


def reserved(maribel: pl.Series) -> pl.Series:
    """What amounts leave out, by whether social Maribel comes before them."""
    mark = filled(refusals.MARIBEL, RESERVATION, len(maribel), "reservation")
    return kept(mark, maribel)


def _evaluate(occupations: pl.DataFrame, known: Categories, law: Law) -> pl.DataFrame:
    """Every piece of the calculation of each row, its case and its amount."""
    for stage in law.stages("occupation"):
        occupations = occupations.with_columns(stage)
    judged = occupations.with_columns(known.case.alias("case"))
    if missing_condition(law):
        return judged.hstack([filled(None, pl.Int64(), judged.height, "amount_cents")])
    return judged.hstack(_amounts(judged, known.nothing_due, law).get_columns())


def _amounts(judged: pl.DataFrame, nothing_due: int, law: Law) -> pl.DataFrame:
    """The amount of each row and the pieces of its category's own, null where there is none of them.

    Args:
        judged: occupations with every piece that all categories share, and their `case`.
        nothing_due: how many of the cases, the first ones, say zero.
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
    zero = (case < nothing_due).arg_true()
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


def _both(occupations: pl.DataFrame, name: str, law: Law) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The calculation with either wage; the same one twice where the law does not have the other wage."""
    known = categories(law)
    given = occupations.hstack(columns_at(known.rows, _READ, occupations["category_row"]))
    plain = _evaluate(given, known, law)
    return plain, _other(given, plain, name, law) if ("", name) in law.pieces else plain


def _other(given: pl.DataFrame, plain: pl.DataFrame, name: str, law: Law) -> pl.DataFrame:
    """The calculation once more with the wage that the premium makes."""
    wage = plain.select(pl.coalesce(name, "wage_cents").alias("wage_cents"))
    return _evaluate(given.with_columns(wage), categories(law), law)


def _told(plain: pl.DataFrame, other: pl.DataFrame) -> pl.DataFrame:
    """Whether the declared amount is that of the first calculation, and that of the second, where the two differ."""
    declared = plain["declared_cents"]
    differ = plain["amount_cents"].ne_missing(other["amount_cents"])
    found = {
        name: ((declared - one["amount_cents"]).abs() <= 1).fill_null(False) & differ
        for name, one in (("first", plain), ("second", other))
    }
    return pl.DataFrame(found)


def _either(plain: pl.DataFrame, other: pl.DataFrame, told: pl.DataFrame, known: Categories) -> pl.DataFrame:
    """Rows of the first calculation, or of the second where the declared amount is the second's, or of neither."""
    differ = plain["case"].is_null() & plain["amount_cents"].ne_missing(other["amount_cents"]) & ~told["first"]
    changed, unknown = ((differ & one).arg_true() for one in (told["second"], ~told["second"]))
    if not changed.is_empty():
        index = pl.int_range(plain.height, dtype=pl.UInt32, eager=True).scatter(changed, changed + plain.height)
        plain = pl.concat([plain, other.select(plain.columns)], rechunk=True)[index]
    if unknown.is_empty():
        return plain
    return plain.with_columns(
        plain["case"].clone().scatter(unknown, known.premium), plain["amount_cents"].clone().scatter(unknown, None)
    )
