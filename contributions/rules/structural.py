"""Structural reduction, deduction code 3000: an amount per occupation by structural category of the employer.

Ps = R x mu x beta, R = F + alpha (S0 - S)+ + gamma (S2 - S)+ + delta (W - S1)+. S is the wage W of the occupation made
full-time, the full quarter long. Each term and Ps are rounded to the cent; beta is a fraction and is not rounded.
Source: programme law of 24 December 2002, art. 330-331; royal decree of 16 May 2003, art. 2-3; NSSO instructions,
structural reduction.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from contributions import reasons, refusals
from contributions.algebra import LARGEST_AMOUNT, UNIT, Columns, above, at_most, below, ratio, share
from contributions.parameters import Parameters
from contributions.rules.registry import not_computable, nothing_due, quantity, reduction, total

FOLDER: Final = "structural_reduction"
CATEGORY_1: Final = f"{FOLDER}/category_1"
CATEGORY_2: Final = f"{FOLDER}/category_2"
CATEGORY_3: Final = f"{FOLDER}/category_3"
CATEGORY_3BIS: Final = f"{FOLDER}/category_3bis"
CATEGORIES: Final = (CATEGORY_1, CATEGORY_2, CATEGORY_3, CATEGORY_3BIS)

ROUNDING: Final = "rounding/reduction"
LARGEST_MU_PCT: Final = 100_000
"""A thousand full-timers in one person: no declaration means that, and products stay exact below it."""


@total(level="occupation", of="remun")
def wage_cents(r: Columns, p: Parameters) -> pl.Expr:
    """W: wage of the occupation in the quarter, at 100 % also for manual workers, in cents."""
    return pl.when(r.remun_code.is_in(p.codes(f"{FOLDER}/wage_codes"))).then(r.remun_amount)


@total(level="occupation", of="remun")
def excluding_remunerations(r: Columns, p: Parameters) -> pl.Expr:
    """How many rows carry a remuneration code that excludes the reduction (dismissal, flexi wage)."""
    return r.remun_code.is_in(p.codes(f"{FOLDER}/excluding_remuneration_codes")).cast(pl.Int64)


@quantity(level="occupation")
def fund_premium_wage_cents(o: Columns, p: Parameters) -> pl.Expr:
    """W in a fourth quarter if a third party pays the end-of-year premium, in cents; null for agency workers.

    Which of the two wages holds is not declared: the engine computes with both.
    """
    return ratio(pl.when(~o.agency).then(o.wage_cents) * p.number(f"{FOLDER}/fund_premium"), UNIT, p, ROUNDING)


@quantity(level="occupation")
def agency_premium_wage_cents(o: Columns, p: Parameters) -> pl.Expr:
    """W of an agency worker in a first quarter if a fund pays the end-of-year premium, in cents; else null."""
    return ratio(pl.when(o.agency).then(o.wage_cents) * p.number(f"{FOLDER}/agency_premium"), UNIT, p, ROUNDING)


@quantity(level="occupation")
def reference_wage_cents(o: Columns, p: Parameters) -> pl.Expr:
    """S = W x factor, in cents; null without paid time.

    Null too beyond the largest amount. Bound: W <= 1e11 cents, factor <= 13 x 6,000 x 100 = 7.8e6 hundredths:
    2 x 7.8e17 = 1.6e18 < 9.2e18.
    """
    return ratio(pl.when(o.wage_cents <= LARGEST_AMOUNT).then(o.wage_cents) * o.factor_pct, 100, p, ROUNDING)


@quantity(level="occupation")
def without_minimum(o: Columns, p: Parameters) -> pl.Expr:
    """Whether beta has no minimum mu(glob): artists, and contracts of at least half time."""
    artist = o.worker_code.is_in(p.codes(f"{FOLDER}/artist_worker_codes")) | o.worker_status.is_in(
        p.codes(f"{FOLDER}/artist_statuses")
    ).fill_null(False)
    return artist | o.half_time


@quantity(level="occupation")
def enough_mu(o: Columns, p: Parameters) -> pl.Expr:
    """Whether mu(glob) reaches the minimum; null where only the contract's share of full time could tell."""
    return (o.mu_glob_pct * 100 >= p.number(f"{FOLDER}/beta/minimum")) | o.without_minimum


@quantity(level="occupation")
def beta_numerator(o: Columns, p: Parameters) -> pl.Expr:
    """Numerator of beta: 1 / mu(glob) from 0.80, 1.18 + 0.28 x (mu(glob) - 0.55) from 0.55, else 1.18 or 0.

    Over mu(glob) in hundredths in the first case, over a million in the others; mu(glob) has two decimals and the slope
    too, so the product is an integer of that scale.
    """
    middle = p.number(f"{FOLDER}/beta/middle") * 100
    over_middle = o.mu_glob_pct * 100 - p.number(f"{FOLDER}/beta/middle_from")
    rising = middle + over_middle * p.hundredths(f"{FOLDER}/beta/slope")
    return (
        pl.when(o.mu_glob_pct * 100 >= p.number(f"{FOLDER}/beta/free_from"))
        .then(100)
        .when(over_middle >= 0)
        .then(rising)
        .when(o.enough_mu)
        .then(middle)
        .when(~o.enough_mu)
        .then(0)
        .cast(pl.Int64)
    )


@quantity(level="occupation")
def beta_denominator(o: Columns, p: Parameters) -> pl.Expr:
    """Denominator of beta, see beta_numerator."""
    free = o.mu_glob_pct * 100 >= p.number(f"{FOLDER}/beta/free_from")
    return pl.when(free).then(o.mu_glob_pct).otherwise(UNIT * 100).cast(pl.Int64)


@quantity(level="occupation")
def under_maribel(o: Columns, p: Parameters) -> pl.Expr:
    """Whether social Maribel, which no declaration tells, takes its part of the contributions before reductions."""
    sheltered = o.structural_scope.is_in([CATEGORY_3, CATEGORY_3BIS]) & ~o.employer_class.is_in(
        p.codes(f"{FOLDER}/maribel_exempt_classes")
    )
    (committee,) = p.codes(f"{FOLDER}/maribel_committee")
    family_help = o.joint_commission_nbr.str.starts_with(committee)
    return ((o.structural_scope == CATEGORY_2) | sheltered | family_help).fill_null(False)


@quantity(level="occupation", scopes=CATEGORIES)
def low_wage_term_cents(o: Columns, p: Parameters) -> pl.Expr:
    """Low-wage term alpha x (S0 - S)+, in cents."""
    return share(below(o.reference_wage_cents, p.number("s0")), p.number("alpha"), p, ROUNDING)


@quantity(level="occupation", scopes=CATEGORIES, since="2022/2")
def very_low_wage_term_cents(o: Columns, p: Parameters) -> pl.Expr:
    """Very-low-wage term gamma x (S2 - S)+, in cents. Source: royal decree of 1 May 2022."""
    return share(below(o.reference_wage_cents, p.number("s2")), p.number("gamma"), p, ROUNDING)


@quantity(level="occupation", name="high_wage_term_cents", scopes=(CATEGORY_2,), until="2025/2")
def high_wage_term_cents(o: Columns, p: Parameters) -> pl.Expr:
    """High-wage term delta x (W - S1)+, in cents."""
    return share(above(o.wage_cents, p.number("s1")), p.number("delta"), p, ROUNDING)


@quantity(level="occupation", name="high_wage_term_cents", scopes=(CATEGORY_2,), since="2025/3")
def high_wage_term_of_limited_wage_cents(o: Columns, p: Parameters) -> pl.Expr:
    """High-wage term delta x (W - S1)+, W at most the quarterly wage limit, in cents.

    Source: royal decree of 2 July 2025.
    """
    limited = at_most(o.wage_cents, p.number("basic_contribution/quarterly_wage_limit"))
    return share(above(limited, p.number("s1")), p.number("delta"), p, ROUNDING)


@quantity(level="occupation", name="full_amount_cents", scopes=(CATEGORY_1, CATEGORY_3), until="2022/1")
def full_amount_of_one_term_cents(o: Columns, p: Parameters) -> pl.Expr:
    """R = alpha (S0 - S)+, in cents."""
    return o.low_wage_term_cents


@quantity(level="occupation", name="full_amount_cents", scopes=(CATEGORY_1, CATEGORY_3), since="2022/2")
def full_amount_of_two_terms_cents(o: Columns, p: Parameters) -> pl.Expr:
    """R = alpha (S0 - S)+ + gamma (S2 - S)+, in cents."""
    return o.low_wage_term_cents + o.very_low_wage_term_cents


@quantity(level="occupation", name="full_amount_cents", scopes=(CATEGORY_2,), until="2022/1")
def full_amount_with_high_wages_cents(o: Columns, p: Parameters) -> pl.Expr:
    """R = F + alpha (S0 - S)+ + delta (W - S1)+, in cents."""
    return p.number("f") + o.low_wage_term_cents + o.high_wage_term_cents


@quantity(level="occupation", name="full_amount_cents", scopes=(CATEGORY_2,), since="2022/2")
def full_amount_of_all_terms_cents(o: Columns, p: Parameters) -> pl.Expr:
    """R = F + alpha (S0 - S)+ + gamma (S2 - S)+ + delta (W - S1)+, in cents."""
    return p.number("f") + o.low_wage_term_cents + o.very_low_wage_term_cents + o.high_wage_term_cents


@quantity(level="occupation", name="full_amount_cents", scopes=(CATEGORY_3BIS,), until="2022/1")
def full_amount_of_target_workers_of_one_term_cents(o: Columns, p: Parameters) -> pl.Expr:
    """R = F + alpha (S0 - S)+, in cents."""
    return p.number("f") + o.low_wage_term_cents


@quantity(level="occupation", name="full_amount_cents", scopes=(CATEGORY_3BIS,), since="2022/2")
def full_amount_of_target_workers_cents(o: Columns, p: Parameters) -> pl.Expr:
    """R = F + alpha (S0 - S)+ + gamma (S2 - S)+, in cents."""
    return p.number("f") + o.low_wage_term_cents + o.very_low_wage_term_cents


@quantity(level="occupation", scopes=CATEGORIES)
def theoretical_amount_cents(o: Columns, p: Parameters) -> pl.Expr:
    """Ps = R x mu x beta, in cents, before the ceiling.

    Bound: R <= 6.1e9 cents (delta of 1e11). From mu(glob) 0.80 the numerator is 100 and mu <= 1e5 hundredths: 1.2e17;
    below, mu < 80 and the numerator <= 1.25e6: 2 x 6.1e9 x 80 x 1.25e6 = 1.2e18 < 9.2e18.
    """
    top = o.full_amount_cents * o.mu_pct * o.beta_numerator
    return ratio(top, 100 * o.beta_denominator, p, ROUNDING)


@reduction("3000", level="occupation", scopes=CATEGORIES)
def structural_reduction(o: Columns, p: Parameters) -> pl.Expr:
    """Structural reduction of the employer contributions, in cents: Ps, at most the reducible contributions.

    Reads theoretical_amount_cents and ceiling_cents.
    """
    return at_most(o.theoretical_amount_cents, o.ceiling_cents)


@nothing_due("3000", level="occupation", reason=refusals.NOT_FOR_WORKER)
def excluded_worker_code(o: Columns, p: Parameters) -> pl.Expr:
    """Worker codes without a ceiling in the official file; else those not in all schemes, students and flexi-jobs."""
    return ~o.official_right.fill_null(~o.worker_code.is_in(p.codes(f"{FOLDER}/excluded_worker_codes")))


@nothing_due("3000", level="occupation", reason=refusals.EXCLUDING_PAY)
def excluded_by_remuneration(o: Columns, p: Parameters) -> pl.Expr:
    """Occupations with dismissal compensation or flexi wage."""
    return o.excluding_remunerations > 0


@nothing_due("3000", level="occupation", reason=refusals.NO_COUNTED_TIME)
def without_counted_time(o: Columns, p: Parameters) -> pl.Expr:
    """Nothing counts for mu, which is then zero."""
    return o.counted_time == 0


@not_computable("3000", level="occupation", reason=reasons.RIGHT_NOT_DECLARED)
def pensioner_or_apprentice(o: Columns, p: Parameters) -> pl.Expr:
    """Pensioners have no right and apprentices from a certain age only; their contracts tell too little."""
    return (o.retired == 1).fill_null(False) | o.apprenticeship.is_not_null()


@not_computable("3000", level="occupation", reason=reasons.CATEGORY_UNKNOWN)
def category_unknown(o: Columns, p: Parameters) -> pl.Expr:
    """No confirmed structural category of the employer class."""
    return o.structural_category.is_null()


@not_computable("3000", level="occupation", reason=reasons.WORKER_CODE_UNCONFIRMED)
def worker_code_unconfirmed(o: Columns, p: Parameters) -> pl.Expr:
    """Neither the general list of worker codes, nor that of the employer class, nor the official file names it."""
    named = o.named_with_class.fill_null(False) | o.official_right.fill_null(False)
    return ~(o.worker_code.is_in(p.codes(f"{FOLDER}/worker_codes")) | named)


@not_computable("3000", level="occupation", reason=reasons.CEILING_UNKNOWN)
def ceiling_unknown(o: Columns, p: Parameters) -> pl.Expr:
    """No confirmed ceiling rate of the employer class."""
    return o.ceiling_rate.is_null()


@not_computable("3000", level="occupation", reason=reasons.SERVICES_INCOMPLETE)
def services_incomplete(o: Columns, p: Parameters) -> pl.Expr:
    """Hours count, and a service is declared in days alone."""
    return o.in_hours & (o.services_without_hours > 0)


@not_computable("3000", level="occupation", reason=reasons.WORKING_TIME_UNKNOWN)
def working_time_unknown(o: Columns, p: Parameters) -> pl.Expr:
    """No D or U, or zero; or a low mu(glob) whose contract does not say whether it is half of full time."""
    return (o.system.fill_null(0) == 0) | (o.mu_glob_pct.is_not_null() & o.enough_mu.is_null())


@not_computable("3000", level="occupation", reason=reasons.OTHER_OCCUPATION_INCOMPLETE)
def other_occupation_incomplete(o: Columns, p: Parameters) -> pl.Expr:
    """mu(glob) needs the working time of every occupation of the person."""
    return o.mu_glob_pct.is_null()


@not_computable("3000", level="occupation", reason=reasons.NO_PAID_TIME)
def no_paid_time(o: Columns, p: Parameters) -> pl.Expr:
    """Counted time without any paid time: no reference wage can be formed."""
    return o.factor_pct.is_null()


@not_computable("3000", level="occupation", reason=reasons.LINE_SHARE_UNKNOWN)
def ceiling_share_is_open(o: Columns, p: Parameters) -> pl.Expr:
    """The ceiling needs to know whether the line is at 100 or 108 %."""
    return o.line_share.is_null()


@not_computable("3000", level="occupation", reason=reasons.OUT_OF_BOUNDS)
def out_of_bounds(o: Columns, p: Parameters) -> pl.Expr:
    """Wages or working time beyond what a person can have."""
    return (o.wage_cents > LARGEST_AMOUNT) | (o.wage_through_cents > LARGEST_AMOUNT) | (o.mu_glob_pct > LARGEST_MU_PCT)
