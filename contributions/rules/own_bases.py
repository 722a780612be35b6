"""Contributions on a basis of their own: flexi-jobs, mobility budget, and all that is levied on a declared amount.

A basis that the remuneration tells is computed from it. Severance pay, benefits, indemnities, public pensions, holiday
pay and the like stand in the declaration only as the basis itself (zones 00021, 00071, 00076, 00084): there the amount
is checked against the rate, and the basis is taken as declared.
Source: annexes 2, 3 and 7; rate files of the NSSO (contribution type and rate of each code).
"""

from __future__ import annotations

from typing import Final

import polars as pl

from contributions import reasons
from contributions.algebra import Columns, share, within_zone
from contributions.parameters import Parameters
from contributions.rules.registry import contribution, not_computable, quantity, total

FLEXI: Final = "flexi"
MOBILITY: Final = "mobility"
STUDENT: Final = "student"
ACTIVATION: Final = "activation"
OF_LINES: Final = ("pension", "severance", "benefit", "indemnity")
DISMISSED: Final = "reference_wage"
UNRELATED: Final = "unrelated"
AMOUNT: Final = "amount"
ON_DECLARED: Final = (*OF_LINES, AMOUNT, DISMISSED, STUDENT, UNRELATED, ACTIVATION)

LARGEST_BASIS: Final = 10**13
"""Above every basis that a zone holds (zone 00021 has 13 digits), in cents; products stay exact below it."""


@total(level="line", of="remun", scopes=(FLEXI,))
def flexi_wage_cents(r: Columns, p: Parameters) -> pl.Expr:
    """Wage and bonuses of a flexi-job, in cents: remuneration codes 22 and 23.

    Reads remun_code and remun_amount.
    """
    return pl.when(r.remun_code.is_in(p.codes("basis/flexi_codes"))).then(r.remun_amount)


@total(level="line", of="remun", scopes=(MOBILITY,))
def mobility_budget_cents(r: Columns, p: Parameters) -> pl.Expr:
    """Balance of the mobility budget paid out, in cents: remuneration code 29."""
    return pl.when(r.remun_code.is_in(p.codes("basis/mobility_codes"))).then(r.remun_amount)


@quantity(level="contribution", name="basis_cents", scopes=(FLEXI,))
def flexi_basis_cents(o: Columns, p: Parameters) -> pl.Expr:
    """Basis of a flexi-job, in cents: its wage at 100 %; null where it is more than zone 00084 holds."""
    return within_zone(o.flexi_wage_cents)


@quantity(level="contribution", name="basis_cents", scopes=(MOBILITY,))
def mobility_basis_cents(o: Columns, p: Parameters) -> pl.Expr:
    """Basis of the contribution on the mobility budget, in cents; null where it is more than zone 00084 holds."""
    return within_zone(o.mobility_budget_cents)


@quantity(level="contribution", name="basis_cents", scopes=ON_DECLARED)
def declared_basis(o: Columns, p: Parameters) -> pl.Expr:
    """Basis as declared, in cents, since nothing else in the declaration tells it."""
    return pl.when(o.declared_basis_cents <= LARGEST_BASIS).then(o.declared_basis_cents)


@contribution(FLEXI, MOBILITY, *OF_LINES)
@contribution(AMOUNT, blocks=("worker_contribution", "contribution_unrelated_to_np"))
@contribution(UNRELATED, blocks=("contribution_unrelated_to_np",))
@contribution(STUDENT, blocks=("student_contribution",))
@contribution(DISMISSED, blocks=("dismissed_statutory_worker_contribution",))
def rate_on_own_basis(o: Columns, p: Parameters) -> pl.Expr:
    """Contribution amount, in cents: own basis x rate of (employer class, contribution code, type), half up.

    Reads basis_cents (at most 1e13) and rate, the total rate in ten-thousandths. A rate of 100 % means that the basis
    is the contribution.
    Source: rate files of the NSSO.
    """
    return share(o.basis_cents, o.rate, p, "rounding/contribution")


@not_computable("contribution", level="contribution", reason=reasons.BASIS_NOT_DECLARED, scopes=ON_DECLARED)
def basis_is_not_declared(o: Columns, p: Parameters) -> pl.Expr:
    """The basis is not declared, and nothing else tells it."""
    return o.declared_basis_cents.is_null()


@not_computable("contribution", level="contribution", reason=reasons.OUT_OF_BOUNDS, scopes=(FLEXI, MOBILITY))
def wage_is_out_of_bounds(o: Columns, p: Parameters) -> pl.Expr:
    """The basis is more than zone 00084 holds."""
    return o.basis_cents.is_null()


@not_computable("contribution", level="contribution", reason=reasons.OUT_OF_BOUNDS, scopes=ON_DECLARED)
def declared_basis_is_out_of_bounds(o: Columns, p: Parameters) -> pl.Expr:
    """The basis is more than any zone holds."""
    return o.basis_cents.is_null()


@quantity(level="contribution", scopes=(STUDENT,))
def hours_of_the_person(o: Columns, p: Parameters) -> pl.Expr:
    """Hours of student work that the declaration tells of the person in the quarter, on all lines together."""
    return o.student_hours_nbr.sum().over("person")


@not_computable("contribution", level="contribution", reason=reasons.STUDENT_HOURS, scopes=(STUDENT,))
def more_hours_than_a_year_has(o: Columns, p: Parameters) -> pl.Expr:
    """The hours of the quarter alone are more than the solidarity contribution allows in a year.

    Hours with other employers and in other quarters are in other declarations. Where the limit of the year is not
    confirmed, the hours are not checked, and the rate alone decides.
    Source: law of 3 July 1978, art. 120; royal decree of 28 November 1969, art. 17bis.
    """
    return o.hours_of_the_person > p.number("students/hours_per_year")
