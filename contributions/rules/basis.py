"""Basis of a worker line: the wage that bears contributions, at 100 or 108 %.

Source: law of 27 June 1969, art. 14; NSSO instructions 2023/2, intermediate instructions (remuneration codes); lambda
2008/1, 3.2.302 (108 %); annex 3 (contribution types).
"""

from __future__ import annotations

import polars as pl

from contributions import reasons
from contributions.algebra import UNIT, Columns, ratio, within_zone
from contributions.parameters import Parameters
from contributions.rules.registry import not_computable, quantity, total


@total(level="line", of="remun")
def ordinary_wage_cents(r: Columns, p: Parameters) -> pl.Expr:
    """Wage of the line at 100 %, in cents: the remuneration of all its occupations that bears ordinary contributions.

    Reads remun_code and remun_amount.
    """
    return pl.when(r.remun_code.is_in(p.codes("basis/remuneration_codes"))).then(r.remun_amount)


@total(level="line", of="contribution")
def ordinary_contributions(c: Columns, p: Parameters) -> pl.Expr:
    """How many contributions of the line's own worker code it declares."""
    return (c.contribution_worker_code == c.worker_code).cast(pl.Int64)


@total(level="line", of="contribution")
def holiday_scheme_contributions(c: Columns, p: Parameters) -> pl.Expr:
    """How many of them have type 1: wages at 108 %, since a fund and not the employer pays the holidays."""
    return ((c.contribution_worker_code == c.worker_code) & (c.contribution_type == 1)).cast(pl.Int64)


@quantity(level="line")
def line_share(o: Columns, p: Parameters) -> pl.Expr:
    """Share of the wage that is the basis of the line, in ten-thousandths.

    Manual codes (0xx) follow the type of the line's own contribution, and are null where it has none; all others are
    at 100 %.
    """
    full = p.number("basis/full_wage")
    return (
        pl.when(~o.worker_code.str.starts_with("0"))
        .then(full)
        .when(o.holiday_scheme_contributions > 0)
        .then(p.number("basis/holiday_scheme"))
        .when(o.ordinary_contributions > 0)
        .then(full)
        .cast(pl.Int64)
    )


@quantity(level="contribution")
def contribution_share(o: Columns, p: Parameters) -> pl.Expr:
    """Share of the wage on which a contribution is levied: its rate's own, or else that of the line."""
    return pl.coalesce(o.rate_share, o.line_share)


@quantity(level="contribution")
def basis_cents(o: Columns, p: Parameters) -> pl.Expr:
    """Basis of a contribution, in cents, half up: computed from the remuneration, never from the basis declared.

    Null where it is more than zone 00084 holds. Bound: the wage of a line is at most 1e4 remuneration rows of 1e11
    cents, 2 x 1e15 x 10,800 = 2.2e19, but any wage above 1e13 is out of bounds before it is multiplied.
    """
    wage = pl.when(o.ordinary_wage_cents <= 10**13).then(o.ordinary_wage_cents)
    return within_zone(ratio(wage * o.contribution_share, UNIT, p, "rounding/contribution"))


@not_computable("contribution", level="contribution", reason=reasons.LINE_SHARE_UNKNOWN)
def share_is_open(o: Columns, p: Parameters) -> pl.Expr:
    """A manual line without its own ordinary contribution does not say whether it is at 100 or 108 %."""
    return o.contribution_share.is_null()


@not_computable("contribution", level="contribution", reason=reasons.OUT_OF_BOUNDS)
def basis_is_out_of_bounds(o: Columns, p: Parameters) -> pl.Expr:
    """The basis is more than zone 00084 holds."""
    return o.basis_cents.is_null()
