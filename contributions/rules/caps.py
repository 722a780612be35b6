"""Ceilings: what a reduction can be at most on one occupation."""

from __future__ import annotations

import polars as pl

from contributions.algebra import UNIT, Columns, ratio, share, within_zone
from contributions.parameters import Parameters
from contributions.rules.registry import quantity, total


@total(level="occupation", of="remun")
def occupation_wage_cents(r: Columns, p: Parameters) -> pl.Expr:
    """Wage of the occupation at 100 % that bears ordinary contributions, in cents."""
    return pl.when(r.remun_code.is_in(p.codes("basis/remuneration_codes"))).then(r.remun_amount)


@quantity(level="occupation")
def occupation_basis_cents(o: Columns, p: Parameters) -> pl.Expr:
    """Basis of the occupation, in cents: its wage at the share of its line; null beyond 1e11 cents."""
    return ratio(within_zone(o.occupation_wage_cents) * o.line_share, UNIT, p, "rounding/contribution")


@quantity(level="occupation")
def ceiling_cents(o: Columns, p: Parameters) -> pl.Expr:
    """Reducible employer contributions of the occupation, in cents: basis x ceiling rate.

    The rate holds the basic employer contribution and the wage moderation; it was read in 2026/3 and is used in every
    quarter. What social Maribel takes first is not declared and therefore not taken off.
    Source: law of 29 June 1981, art. 38 par. 3 and 3bis; deduction rates of the NSSO, 2026/3.
    """
    return share(o.occupation_basis_cents, o.ceiling_rate, p, "rounding/contribution")
