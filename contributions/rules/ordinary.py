"""Contributions that are a rate times the basis of the line: the ordinary ones and those declared beside them."""

from __future__ import annotations

import polars as pl

from contributions.algebra import Columns, share
from contributions.parameters import Parameters
from contributions.rules.registry import contribution


@contribution("ordinary", "line")
def rate_on_basis(o: Columns, p: Parameters) -> pl.Expr:
    """Contribution amount, in cents: basis x rate of (employer class, contribution code, type), half up.

    Reads basis_cents (at most 1e11) and rate, the total rate in ten-thousandths.
    Source: law of 29 June 1981, art. 38; rate files of the NSSO. The rounding has no official sentence (trust B), and
    one official sample line is a cent lower, so a difference of one cent is called rounding.
    """
    return share(o.basis_cents, o.rate, p, "rounding/contribution")
