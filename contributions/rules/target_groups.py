"""Target-group reductions of an occupation: how an amount comes about, and what all of them ask.

Pg = G x mu x beta, rounded to the cent; G is the amount of the right, full time for a quarter, mu and mu(glob) are
those of the structural reduction. Together with the structural reduction, which comes first, it is at most the
reducible contributions of the occupation. Rules of one code hold in its scope, `target_groups/<code>`; what is computed
of every declared row alike, whatever its code, holds in the scope above.
Source: programme law of 24 December 2002; royal decrees of 16 May 2003 and 24 January 2013; NSSO
instructions, target-group reductions.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from contributions import reasons, refusals
from contributions.algebra import LARGEST_AMOUNT, UNIT, Columns, at_most, ratio, share
from contributions.parameters import Parameters
from contributions.rules.caps import part_of_line
from contributions.rules.registry import not_computable, nothing_due, quantity, reduction
from contributions.rules.structural import FOLDER as STRUCTURAL
from contributions.rules.structural import LARGEST_MU_PCT, ROUNDING
from dmfa.identifiers import insz_birth_date_expr
from dmfa.quarter import Quarter

TARGET_GROUPS: Final = "target_groups"
EVERY: Final = (TARGET_GROUPS,)
REGIONS: Final = ("flanders", "brussels", "wallonia", "german_community")


def scopes(*codes: str) -> tuple[str, ...]:
    """The scopes of deduction codes."""
    return tuple(f"{TARGET_GROUPS}/{code}" for code in codes)


FIRST_WORKER: Final = scopes("3315")
SECOND_WORKER: Final = scopes("3324", "3325", "3326")
THIRD_WORKER: Final = scopes("3333", "3334")
FOURTH_AND_FIFTH_WORKER: Final = scopes("3342", "3343", "3352", "3353")
SIXTH_WORKER: Final = scopes("3360", "3361")
FIRST_HIRES: Final = FIRST_WORKER + SECOND_WORKER + THIRD_WORKER + FOURTH_AND_FIFTH_WORKER + SIXTH_WORKER
SHORTER_WEEK: Final = scopes("3500")
FOUR_DAYS: Final = scopes("3510")
SHORTER_WEEK_OF_FOUR_DAYS: Final = scopes("3520")
CATERING: Final = scopes("3900")
SPORT: Final = scopes("4110")
ARTISTS: Final = scopes("4300")
APPRENTICES: Final = scopes("6310", "6311")
IN_SERVICE_IN_FLANDERS: Final = scopes("6320")
HIRED_IN_FLANDERS: Final = scopes("6321")
BRUSSELS: Final = scopes("7320")
WALLONIA: Final = scopes("8320")
_OF_AMOUNT: Final = (
    *(*FIRST_HIRES, *SHORTER_WEEK, *FOUR_DAYS, *SHORTER_WEEK_OF_FOUR_DAYS, *CATERING, *ARTISTS),
    *(*APPRENTICES, *IN_SERVICE_IN_FLANDERS, *BRUSSELS, *WALLONIA),
)
_OF_BALANCE: Final = HIRED_IN_FLANDERS + SPORT
OF_RULES: Final = _OF_AMOUNT + _OF_BALANCE
"""Scopes of all codes that have rules, whether their figures are known in a quarter or not."""


def turn(quarter: Quarter) -> int:
    """A running number of quarters."""
    return quarter.year * 4 + quarter.number


def turn_of(day: pl.Expr) -> pl.Expr:
    """The running number of the quarter in which a day falls."""
    return day.dt.year().cast(pl.Int64) * 4 + day.dt.quarter().cast(pl.Int64)


@quantity(level="deduction", scopes=EVERY)
def age_years(o: Columns, p: Parameters) -> pl.Expr:
    """Age on the last day of the quarter, in years; null where the person's number does not tell the day of birth."""
    born, last = insz_birth_date_expr(o.inss), p.quarter.last_day
    later = born.dt.month().cast(pl.Int64) * 100 + born.dt.day() > last.month * 100 + last.day
    return last.year - born.dt.year().cast(pl.Int64) - later.cast(pl.Int64)


@quantity(level="deduction", scopes=EVERY)
def quarters_since_start(o: Columns, p: Parameters) -> pl.Expr:
    """Quarters from the one in which the right starts (zone 00090) to this one; negative before it."""
    return turn(p.quarter) - turn_of(o.deduction_right_starting_date)


@quantity(level="deduction", scopes=EVERY)
def quarters_since_shortening(o: Columns, p: Parameters) -> pl.Expr:
    """Quarters from the one in which working time was shortened (zone 00143) to this one."""
    return turn(p.quarter) - turn_of(o.working_regulations_starting_date)


@quantity(level="deduction", scopes=EVERY)
def establishment_region(o: Columns, p: Parameters) -> pl.Expr:
    """Region of the establishment, or `abroad`, where its number stands for one; null where a directory would tell."""
    unit = pl.coalesce(o.local_unit_id, o.line_local_unit_id)
    known = (*REGIONS, "abroad")
    numbers = {name: [int(one) for one in p.codes(f"{TARGET_GROUPS}/establishments/{name}")] for name in known}
    return pl.coalesce(pl.when(unit.is_in(own)).then(pl.lit(name)) for name, own in numbers.items())


@quantity(level="deduction", scopes=EVERY)
def target_ceiling_rate(o: Columns, p: Parameters) -> pl.Expr:
    """Highest rate of contributions that the reduction may take, of the official file or else that of 3000.

    The rate of the structural reduction holds for worker codes that have a right to that one.
    """
    named = o.named_with_class.fill_null(False) | o.official_right.fill_null(False)
    general = o.worker_code.is_in(p.codes(f"{STRUCTURAL}/worker_codes")) | named
    return pl.coalesce(o.official_ceiling, pl.when(general).then(o.ceiling_rate))


@quantity(level="deduction", scopes=EVERY)
def target_ceiling_cents(o: Columns, p: Parameters) -> pl.Expr:
    """Contributions of the occupation that the reduction and the structural one may take together, in cents."""
    return part_of_line(o.basis_before_cents, o.basis_through_cents, o.target_ceiling_rate, p)


@quantity(level="deduction", scopes=EVERY)
def balance_cents(o: Columns, p: Parameters) -> pl.Expr:
    """What the structural reduction leaves of them, in cents; social Maribel is not declared and not taken off."""
    return (o.target_ceiling_cents - o.structural_cents).clip(lower_bound=0)


@quantity(level="deduction", scopes=EVERY)
def target_beta_numerator(o: Columns, p: Parameters) -> pl.Expr:
    """Numerator of beta: 1 / mu(glob) from 0.80, 1 + (mu(glob) - 0.55) from 0.55, else 1.

    Over mu(glob) in hundredths in the first case, over a million in the others, as with the structural reduction.
    """
    middle = p.number(f"{TARGET_GROUPS}/beta/middle") * 100
    over_middle = o.mu_glob_pct * 100 - p.number(f"{STRUCTURAL}/beta/middle_from")
    rising = middle + over_middle * p.hundredths(f"{TARGET_GROUPS}/beta/slope")
    return (
        pl.when(o.mu_glob_pct * 100 >= p.number(f"{STRUCTURAL}/beta/free_from"))
        .then(100)
        .when(over_middle >= 0)
        .then(rising)
        .otherwise(middle)
        .cast(pl.Int64)
    )


@quantity(level="deduction", scopes=EVERY)
def target_beta_denominator(o: Columns, p: Parameters) -> pl.Expr:
    """Denominator of beta, see target_beta_numerator."""
    free = o.mu_glob_pct * 100 >= p.number(f"{STRUCTURAL}/beta/free_from")
    return pl.when(free).then(o.mu_glob_pct).otherwise(UNIT * 100).cast(pl.Int64)


_PLAIN: Final = tuple(scope for scope in _OF_AMOUNT if scope not in (*CATERING, *IN_SERVICE_IN_FLANDERS, *WALLONIA))


@quantity(level="deduction", name="target_amount_cents", scopes=_PLAIN)
def full_amount_of_the_code_cents(o: Columns, p: Parameters) -> pl.Expr:
    """G, full time for a quarter, in cents."""
    return pl.lit(p.number("amount"), dtype=pl.Int64)


@quantity(level="deduction", name="target_amount_cents", scopes=CATERING)
def full_amount_in_catering_cents(o: Columns, p: Parameters) -> pl.Expr:
    """G by age: the higher amount for a worker below 26 at the end of the quarter, in cents."""
    young = o.age_years < p.number("young_below")
    return pl.when(young).then(p.number("young_amount")).when(~young).then(p.number("amount")).cast(pl.Int64)


@quantity(level="deduction", name="target_amount_cents", scopes=IN_SERVICE_IN_FLANDERS)
def full_amount_of_two_ages_cents(o: Columns, p: Parameters) -> pl.Expr:
    """G by age at the end of the quarter, in cents."""
    senior = o.age_years >= p.number("senior_from")
    return pl.when(senior).then(p.number("senior_amount")).when(~senior).then(p.number("amount")).cast(pl.Int64)


@quantity(level="deduction", name="target_amount_cents", scopes=WALLONIA)
def full_amount_of_three_ages_cents(o: Columns, p: Parameters) -> pl.Expr:
    """G by age at the end of the quarter, in cents."""
    age = o.age_years
    return (
        pl.when(age >= p.number("eldest_from"))
        .then(p.number("eldest_amount"))
        .when(age >= p.number("senior_from"))
        .then(p.number("senior_amount"))
        .when(age.is_not_null())
        .then(p.number("amount"))
        .cast(pl.Int64)
    )


_BY_TIME: Final = tuple(scope for scope in _OF_AMOUNT if scope not in ARTISTS)


@quantity(level="deduction", name="theoretical_target_cents", scopes=_BY_TIME)
def theoretical_target_of_time_cents(o: Columns, p: Parameters) -> pl.Expr:
    """Pg = G x mu x beta, in cents, before the ceiling."""
    return _by_time(o, p)


@quantity(level="deduction", name="theoretical_target_cents", scopes=ARTISTS)
def theoretical_target_of_artists_cents(o: Columns, p: Parameters) -> pl.Expr:
    """Pg = G x mu x beta, at most the amount of a quarter for artists, in cents, before the ceiling."""
    return at_most(_by_time(o, p), p.number("most"))


def _by_time(o: Columns, p: Parameters) -> pl.Expr:
    """Bound: G <= 1e6 cents, mu <= 1e5 hundredths and below 80 unless the numerator is 100: 2 x 1e13 < 9.2e18."""
    top = o.target_amount_cents * o.mu_pct * o.target_beta_numerator
    return ratio(top, 100 * o.target_beta_denominator, p, ROUNDING)


@quantity(level="deduction", name="theoretical_target_cents", scopes=HIRED_IN_FLANDERS)
def theoretical_target_of_the_balance_cents(o: Columns, p: Parameters) -> pl.Expr:
    """Pg: the whole balance that the structural reduction leaves (G7), in cents."""
    return o.balance_cents


@quantity(level="deduction", name="theoretical_target_cents", scopes=SPORT)
def theoretical_target_of_a_share_cents(o: Columns, p: Parameters) -> pl.Expr:
    """Pg: a share of the balance that the structural reduction leaves (G19), in cents."""
    return share(o.balance_cents, p.number("share"), p, ROUNDING)


@reduction("target group", level="deduction", scopes=OF_RULES)
def target_group_reduction(o: Columns, p: Parameters) -> pl.Expr:
    """Target-group reduction, in cents: Pg, at most what the structural reduction leaves of the ceiling."""
    return at_most(o.theoretical_target_cents, o.balance_cents)


@nothing_due("target group", level="deduction", scopes=EVERY, reason=refusals.WRONG_LEVEL)
def code_is_of_another_level(o: Columns, p: Parameters) -> pl.Expr:
    """Annex 4 has the code for another level than that on which it is declared."""
    return o.code_level != "occupation"


@nothing_due("target group", level="deduction", scopes=EVERY, reason=refusals.NOT_IN_FORCE)
def code_is_not_in_force(o: Columns, p: Parameters) -> pl.Expr:
    """Annex 4 does not have the code in this quarter."""
    return o.code_level.is_not_null() & ~o.code_in_force


@nothing_due("target group", level="deduction", scopes=EVERY, reason=refusals.ABROAD)
def establishment_is_abroad(o: Columns, p: Parameters) -> pl.Expr:
    """A reduction of the regions for an establishment that lies in none of them."""
    return (o.code_regions != "") & (o.establishment_region == "abroad")


@nothing_due("target group", level="deduction", scopes=EVERY, reason=refusals.OTHER_REGION)
def establishment_is_in_another_region(o: Columns, p: Parameters) -> pl.Expr:
    """The establishment lies in a region that does not know the reduction."""
    return (o.code_regions != "") & ~o.code_regions.str.contains(o.establishment_region, literal=True)


@nothing_due("target group", level="deduction", scopes=EVERY, reason=refusals.NOT_FOR_WORKER)
def official_file_gives_no_right(o: Columns, p: Parameters) -> pl.Expr:
    """The official file has no ceiling of the reduction for this worker code of this employer class."""
    return ~o.target_right


@nothing_due("target group", level="deduction", scopes=EVERY, reason=refusals.EXCLUDING_PAY)
def pay_excludes_target_groups(o: Columns, p: Parameters) -> pl.Expr:
    """Occupations with dismissal compensation or flexi wage."""
    return o.by_rules & (o.excluding_remunerations > 0)


@nothing_due("target group", level="deduction", scopes=EVERY, reason=refusals.NO_COUNTED_TIME)
def no_time_counts(o: Columns, p: Parameters) -> pl.Expr:
    """Nothing counts for mu, which is then zero."""
    return o.by_rules & (o.counted_time == 0)


@nothing_due("target group", level="deduction", scopes=EVERY, reason=refusals.MU_TOO_LOW)
def mu_is_too_low(o: Columns, p: Parameters) -> pl.Expr:
    """mu(glob) is below the minimum, and neither the contract nor the reduction of artists frees from it."""
    return o.by_rules & ~o.enough_mu & ~o.deduction_code.is_in(p.codes(f"{TARGET_GROUPS}/without_minimum"))


@nothing_due("target group", level="deduction", scopes=EVERY, reason=refusals.OUTSIDE_PERIOD)
def right_starts_later(o: Columns, p: Parameters) -> pl.Expr:
    """The right starts after this quarter."""
    return o.by_rules & (o.quarters_since_start < 0)


@not_computable("target group", level="deduction", scopes=EVERY, reason=reasons.EXCLUSIVE_TOGETHER)
def excluded_by_another(o: Columns, p: Parameters) -> pl.Expr:
    """The occupation declares a reduction of single employers too, and which of the two counts is open."""
    return o.specific


@not_computable("target group", level="deduction", scopes=EVERY, reason=reasons.SERVICES_INCOMPLETE)
def hours_are_incomplete(o: Columns, p: Parameters) -> pl.Expr:
    """Hours count, and a service is declared in days alone."""
    return o.in_hours & (o.services_without_hours > 0)


@not_computable("target group", level="deduction", scopes=EVERY, reason=reasons.WORKING_TIME_UNKNOWN)
def reference_time_is_unknown(o: Columns, p: Parameters) -> pl.Expr:
    """No D or U, or zero; or a low mu(glob) whose contract does not say whether it is half of full time."""
    exempt = o.deduction_code.is_in(p.codes(f"{TARGET_GROUPS}/without_minimum"))
    return (o.system.fill_null(0) == 0) | (o.mu_glob_pct.is_not_null() & o.enough_mu.is_null() & ~exempt)


@not_computable("target group", level="deduction", scopes=EVERY, reason=reasons.OTHER_OCCUPATION_INCOMPLETE)
def another_occupation_is_incomplete(o: Columns, p: Parameters) -> pl.Expr:
    """mu(glob) needs the working time of every occupation of the person."""
    return o.mu_glob_pct.is_null()


@not_computable("target group", level="deduction", scopes=EVERY, reason=reasons.OUT_OF_BOUNDS)
def figures_are_out_of_bounds(o: Columns, p: Parameters) -> pl.Expr:
    """Wages or working time beyond what a person can have."""
    return (o.wage_through_cents > LARGEST_AMOUNT) | (o.mu_glob_pct > LARGEST_MU_PCT)


@not_computable("target group", level="deduction", scopes=EVERY, reason=reasons.LINE_SHARE_UNKNOWN)
def target_share_is_open(o: Columns, p: Parameters) -> pl.Expr:
    """The ceiling needs to know whether the line is at 100 or 108 %."""
    return o.line_share.is_null()


@not_computable("target group", level="deduction", scopes=EVERY, reason=reasons.CEILING_UNKNOWN)
def target_ceiling_is_unknown(o: Columns, p: Parameters) -> pl.Expr:
    """No confirmed ceiling rate of the employer class for this worker code."""
    return o.target_ceiling_rate.is_null()


@not_computable("target group", level="deduction", scopes=EVERY, reason=reasons.STRUCTURAL_OPEN)
def structural_is_open(o: Columns, p: Parameters) -> pl.Expr:
    """What the structural reduction leaves is not known."""
    return o.structural_cents.is_null()
