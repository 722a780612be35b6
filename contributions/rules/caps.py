"""Ceilings: what reductions can be at most on one occupation, its part of the line's contributions.

The contributions of a line that reductions may take are split over its occupations so that no cent is lost: each has
what the line has up to and including it, less what it has before it.
Source: law of 29 June 1981, art. 38 par. 3 and 3bis; programme law of 24 December 2002; deduction rates of the NSSO.
"""

from __future__ import annotations

import polars as pl

from contributions.algebra import UNIT, Columns, ratio, share, within_zone
from contributions.parameters import Parameters
from contributions.rules.registry import quantity, total

ROUNDING = "rounding/contribution"


@total(level="occupation", of="remun")
def occupation_wage_cents(r: Columns, p: Parameters) -> pl.Expr:
    """Wage of the occupation at 100 % that bears ordinary contributions, in cents."""
    return pl.when(r.remun_code.is_in(p.codes("basis/remuneration_codes"))).then(r.remun_amount)


@quantity(level="occupation")
def wage_through_cents(o: Columns, p: Parameters) -> pl.Expr:
    """That wage and the wages of the earlier occupations of the line, in cents."""
    return o.wage_before_cents + o.occupation_wage_cents


@quantity(level="occupation")
def basis_before_cents(o: Columns, p: Parameters) -> pl.Expr:
    """Basis of the line before the occupation, in cents: the wage there at the share of the line."""
    return ratio(within_zone(o.wage_before_cents) * o.line_share, UNIT, p, ROUNDING)


@quantity(level="occupation")
def basis_through_cents(o: Columns, p: Parameters) -> pl.Expr:
    """Basis of the line up to and including the occupation, in cents; null beyond 1e11 cents."""
    return ratio(within_zone(o.wage_through_cents) * o.line_share, UNIT, p, ROUNDING)


@quantity(level="occupation")
def ceiling_cents(o: Columns, p: Parameters) -> pl.Expr:
    """Reducible employer contributions of the occupation, in cents: its part of basis x ceiling rate of the line.

    The rate holds the basic employer contribution and the wage moderation; it was read in 2026/3 and is used in every
    quarter without an official file. What social Maribel takes first is not declared and therefore not taken off.
    """
    return part_of_line(o.basis_before_cents, o.basis_through_cents, o.ceiling_rate, p)


def part_of_line(before: pl.Expr, through: pl.Expr, rate: pl.Expr, p: Parameters) -> pl.Expr:
    """What a rate yields on the basis of a line between two points, so that all parts add up to the line's amount.

    Args:
        before: basis of the line before its occupation, in cents.
        through: basis of the line up to and including it.
        rate: in ten-thousandths.
        p: the law of the quarter.
    """
    return share(through, rate, p, ROUNDING) - share(before, rate, p, ROUNDING)
