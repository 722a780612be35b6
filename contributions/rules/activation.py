"""Activation contribution (codes 260 and 261): on the wage of a worker who is freed from work, with a minimum.

Source: annex 3 (types by age and training); rate files of the NSSO 2026/2 and 2026/3 (rates, minima).
"""

from __future__ import annotations

from typing import Final

import polars as pl

from contributions import reasons
from contributions.algebra import Columns, at_least, share
from contributions.parameters import Parameters
from contributions.rules.own_bases import ACTIVATION
from contributions.rules.registry import contribution, not_computable, quantity

TYPES: Final = (0, 3, 4, 5, 6, 7)
"""Contribution types that a rate is known for."""


@quantity(level="contribution", scopes=(ACTIVATION,))
def minimum_cents(o: Columns, p: Parameters) -> pl.Expr:
    """Least contribution of the quarter by contribution type, in cents; null for a type without one."""
    return pl.coalesce(
        pl.when(o.contribution_type == kind).then(pl.lit(p.number(f"activation/minimum/type_{kind}"), dtype=pl.Int64))
        for kind in TYPES
    )


@contribution(ACTIVATION)
def activation_contribution(o: Columns, p: Parameters) -> pl.Expr:
    """Contribution amount, in cents: basis x rate, half up, and at least the minimum of the type.

    Reads basis_cents (as declared, at most 1e13), rate in ten-thousandths and minimum_cents.
    """
    return at_least(share(o.basis_cents, o.rate, p, "rounding/contribution"), o.minimum_cents)


@not_computable("contribution", level="contribution", reason=reasons.PARAMETER_UNKNOWN, scopes=(ACTIVATION,))
def minimum_is_unknown(o: Columns, p: Parameters) -> pl.Expr:
    """No minimum is known for the type."""
    return o.minimum_cents.is_null()
