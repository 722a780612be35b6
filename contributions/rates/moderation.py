"""The wage moderation of a rate, recomputed from its base share by the formula of the law."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import polars as pl

from contributions.parameters import Parameters, ParameterUnknown
from dmfa.money import half_up_expr
from dmfa.quarter import Quarter

_FOLDER: Final = "wage_moderation"
_UNIT: Final = 10_000

TAX_SHIFT: Final = "tax shift"
GENERAL: Final = "general"
PRIVATE_HOLIDAYS: Final = "general, private holiday scheme"
SHARE: Final = "share of the contribution"
NONE: Final = "none of them"
FORMULAS: Final = (TAX_SHIFT, GENERAL, PRIVATE_HOLIDAYS, SHARE, NONE)
"""Which formula a moderation follows; a supplementary contribution has the share alone."""


@lru_cache(maxsize=64)
def formulas(quarter: Quarter) -> dict[str, pl.Expr]:
    """The formulas of a quarter over a base share in ten-thousandths; none where their figures are not known.

    Moderation = fixed part + factor x base, and 0.40 more for staff under the private holiday scheme, the tax shift
    apart; to two decimals, half up. Source: NSSO, intermediate instructions of 13 March 2023; lambda 2007/3, 3.2.202.
    """
    p = Parameters(quarter, "B")
    try:
        general, tax_shift = (
            (p.number(f"{_FOLDER}/{name}_fixed"), p.number(f"{_FOLDER}/{name}_factor"))
            for name in ("general", "tax_shift")
        )
        supplement = p.number(f"{_FOLDER}/private_holiday_supplement")
    except ParameterUnknown:
        return {}
    return {
        TAX_SHIFT: _of_base(*tax_shift),
        GENERAL: _of_base(*general),
        PRIVATE_HOLIDAYS: _of_base(general[0] + supplement, general[1]),
        SHARE: _of_base(0, general[1]),
    }


def _of_base(fixed: int, factor: int) -> pl.Expr:
    return half_up_expr(fixed * _UNIT + factor * pl.col("base"), _UNIT)


def followed(rates: pl.DataFrame, quarter: Quarter) -> pl.DataFrame:
    """Which formula the wage moderation of each rate follows, and whether its shares add up.

    Args:
        rates: contribution_worker_code, personal, base, moderation and total in ten-thousandths; flat ones left out.
        quarter: the quarter that they hold in.

    Returns:
        The rates that have a wage moderation, with formula (one of FORMULAS) and adds_up. None in a quarter whose
        figures are not known.
    """
    known = formulas(quarter)
    bearing = rates.filter(pl.col("moderation").fill_null(0) != 0)
    if not known:
        return bearing.clear().with_columns(formula=pl.lit(NONE), adds_up=pl.lit(False))
    supplementary = pl.col("contribution_worker_code").str.contains("^[28]")
    cases = [
        pl.when((expression == pl.col("moderation")) & (supplementary if name == SHARE else ~supplementary)).then(
            pl.lit(name)
        )
        for name, expression in known.items()
    ]
    added = pl.sum_horizontal("personal", "base", "moderation")
    return bearing.with_columns(formula=pl.coalesce(*cases, pl.lit(NONE)), adds_up=added == pl.col("total"))
